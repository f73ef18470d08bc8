//! What became of each row: a file of a JSON object a line, written so that a killed call loses nothing.
//!
//! The last line of a row says where it stands. An envelope is kept before it is sent, so that a row whose answer is not
//! known is sent again as the very same envelope; whatever has been an entry already answers with that entry, however
//! old. At the end of a call the file has one line a row.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rows::{Fault, Row};
use crate::chain::Envelope;
use crate::cli::words::made;
use crate::cli::{Failure, output};
use crate::client::{ProblemReport, Receipt};
use crate::domain::payload::Payload;

/// Where a row stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum Standing {
    /// Signed, and perhaps sent: what became of it is not known.
    Signed { envelope: Value },
    /// An entry of the ledger.
    Done {
        n: u64,
        time: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        made: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Value>,
    },
    /// The ledger says why not.
    Refused {
        rule: String,
        reason: String,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        inputs: BTreeMap<String, String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        remedy: Option<String>,
    },
    /// It cannot be read, or is not to be signed.
    NotSent { errors: Vec<Fault> },
}

/// A line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    row: u64,
    op: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    op_id: Option<String>,
    #[serde(flatten)]
    standing: Standing,
    /// What was signed; of a row that cannot be read, nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

/// A file of results in the hands of this call alone.
#[derive(Debug)]
pub(super) struct Results {
    path: PathBuf,
    file: File,
    lines: BTreeMap<u64, Line>,
}

/// What a call came to.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) path: PathBuf,
    lines: BTreeMap<u64, Line>,
}

impl Results {
    /// Opens what an earlier call left, or begins anew.
    pub(super) fn open(path: &Path) -> Result<Results, Failure> {
        let failed = |error: std::io::Error| Failure::of(path.display(), error);
        let mut options = OpenOptions::new();
        let options = options.read(true).append(true).create(true);
        let mut file = options.open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!("{}: another call is at work on it", path.display());
                return Err(Failure::CouldNotRun(message));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        // A line that a killed call did not finish says nothing.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(failed)?;
        let mut lines = BTreeMap::new();
        for (line, n) in text[..whole].lines().zip(1..) {
            let line: Line = serde_json::from_str(line).map_err(|error| {
                let message = format!(
                    "{}, line {n}: {error}; --results names another file",
                    path.display()
                );
                Failure::FoundBad(message)
            })?;
            lines.insert(line.row, line);
        }
        Ok(Results {
            path: path.to_owned(),
            file,
            lines,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows are done, and how many are known not to be.
    pub(super) fn counts(&self) -> (usize, usize) {
        let done = self.lines.values().filter(|line| line.is_done()).count();
        (done, self.lines.len() - done)
    }

    /// Where a row stands. A row that is done or signed must read as it did: were rows taken out or put in, others
    /// would be sent in their place.
    pub(super) fn of(&self, row: &Row) -> Result<Option<&Standing>, Failure> {
        let Some(line) = self.lines.get(&row.n) else {
            return Ok(None);
        };
        let settled = matches!(
            line.standing,
            Standing::Done { .. } | Standing::Signed { .. }
        );
        let same_op = line.op.as_deref() == row.operation.map(|operation| operation.name);
        let same_body = line.body.as_ref().map(Value::to_string) == row.body();
        if settled && !(same_op && same_body) {
            return Err(self.moved(row.n));
        }
        Ok(Some(&line.standing))
    }

    fn moved(&self, row: u64) -> Failure {
        Failure::Usage(format!(
            "row {row} was signed before, as {} says, and reads otherwise now: leave rows that are done where they \
             are, or name another file of results with --results",
            self.path.display()
        ))
    }

    /// Whether an envelope of a file is done; its row must be the very operation that it was.
    pub(super) fn is_done(&self, row: u64, envelope: &Envelope) -> Result<bool, Failure> {
        let line = self.lines.get(&row);
        match line {
            Some(line) if line.op_id != Some(envelope.op_id().to_string()) => Err(self.moved(row)),
            line => Ok(line.is_some_and(Line::is_done)),
        }
    }

    /// Keeps an envelope that is going to be sent.
    pub(super) fn signed(
        &mut self,
        row: u64,
        payload: &Payload,
        envelope: &Envelope,
    ) -> Result<(), Failure> {
        let kept = serde_json::from_slice(&envelope.encode());
        let kept = kept.map_err(|error| Failure::of("the envelope", error))?;
        self.put(Line {
            row,
            op: Some(payload.act.name().to_owned()),
            op_id: Some(envelope.op_id().to_string()),
            standing: Standing::Signed { envelope: kept },
            body: serde_json::from_str(&payload.act.body()).ok(),
        })
    }

    /// Keeps why a row is not signed.
    pub(super) fn not_sent(&mut self, row: &Row, faults: &[Fault]) -> Result<(), Failure> {
        self.put(Line {
            row: row.n,
            op: row.operation.map(|operation| operation.name.to_owned()),
            op_id: None,
            standing: Standing::NotSent {
                errors: faults.to_vec(),
            },
            body: None,
        })
    }

    /// Keeps what the ledger answered; where it could not take the envelope now, its answer is still open.
    pub(super) fn answered(
        &mut self,
        row: u64,
        answer: Result<Receipt, ProblemReport>,
    ) -> Result<(), Failure> {
        let Some(mut line) = self.lines.get(&row).cloned() else {
            return Ok(());
        };
        line.standing = match answer {
            Ok(receipt) => Standing::Done {
                n: receipt.n,
                made: line.op.as_deref().and_then(|op| made(op, &receipt.op_id)),
                time: receipt.time,
                warnings: receipt.warnings,
            },
            Err(problem) if problem.status >= 500 || problem.status == 429 => return Ok(()),
            Err(problem) => Standing::Refused {
                rule: problem.code,
                reason: problem.detail,
                inputs: problem
                    .inputs
                    .into_iter()
                    .map(|given| (given.name, given.value))
                    .collect(),
                remedy: problem.remedy,
            },
        };
        self.put(line)
    }

    fn put(&mut self, line: Line) -> Result<(), Failure> {
        let written = self
            .file
            .write_all(format!("{}\n", written(&line)?).as_bytes());
        written.map_err(|error| Failure::of(self.path.display(), error))?;
        self.lines.insert(line.row, line);
        Ok(())
    }

    /// Whatever was kept survives a loss of power from here on.
    pub(super) fn sync(&self) -> Result<(), Failure> {
        let synced = self.file.sync_data();
        synced.map_err(|error| Failure::of(self.path.display(), error))
    }

    /// Leaves one line a row.
    pub(super) fn finish(self) -> Result<Told, Failure> {
        let mut text = String::new();
        for line in self.lines.values() {
            text.push_str(&written(line)?);
            text.push('\n');
        }
        output::replace(&self.path, text.as_bytes())?;
        Ok(Told {
            path: self.path,
            lines: self.lines,
        })
    }
}

/// The envelope that was kept.
pub(super) fn envelope(kept: &Value) -> Result<Envelope, Failure> {
    Envelope::decode(kept.to_string().as_bytes())
        .map_err(|error| Failure::FoundBad(format!("an envelope that was kept: {error}")))
}

fn written(line: &Line) -> Result<String, Failure> {
    serde_json::to_string(line).map_err(|error| Failure::of("the results", error))
}

impl Line {
    fn is_done(&self) -> bool {
        matches!(self.standing, Standing::Done { .. })
    }

    fn is_open(&self) -> bool {
        matches!(self.standing, Standing::Signed { .. })
    }

    /// Why it failed, as rows of a table: row, column, rule, reason.
    fn complaints(&self) -> Vec<Vec<String>> {
        let row = self.row.to_string();
        match &self.standing {
            Standing::Refused {
                rule,
                reason,
                inputs,
                remedy,
            } => {
                let mut said = reason.clone();
                for (name, value) in inputs {
                    said.push_str(&format!("; {name} {value}"));
                }
                said.extend(remedy.iter().map(|remedy| format!(" ({remedy})")));
                vec![vec![row, String::new(), rule.clone(), said]]
            }
            Standing::NotSent { errors } => {
                errors.iter().map(|fault| fault.cells(self.row)).collect()
            }
            Standing::Signed { .. } | Standing::Done { .. } => Vec::new(),
        }
    }
}

impl Told {
    fn of<'t>(&'t self, asked: &'t [u64]) -> impl Iterator<Item = &'t Line> {
        asked.iter().filter_map(|row| self.lines.get(row))
    }

    /// A row's line, without an envelope.
    pub(super) fn line(&self, row: u64) -> Option<Value> {
        let mut line = serde_json::to_value(self.lines.get(&row)?).ok()?;
        line.as_object_mut()?.shift_remove("envelope");
        Some(line)
    }

    pub(super) fn failed(&self, asked: &[u64]) -> usize {
        self.of(asked)
            .filter(|line| !line.is_done() && !line.is_open())
            .count()
    }

    pub(super) fn unanswered(&self, asked: &[u64]) -> usize {
        self.of(asked).filter(|line| line.is_open()).count()
    }

    /// Says how many are done and why the others are not.
    pub(super) fn tell(&self, asked: &[u64]) {
        let complaints: Vec<Vec<String>> = self.of(asked).flat_map(Line::complaints).collect();
        if !complaints.is_empty() {
            output::table(&["row", "column", "rule", "reason"], complaints, false);
        }
        let done = self.of(asked).filter(|line| line.is_done()).count();
        let failed = self.failed(asked);
        let all = self.lines.values().filter(|line| line.is_done()).count();
        output::text(&format!(
            "{done} done, {failed} failed, {} without an answer; of {} rows in {}, {all} are done\n",
            self.unanswered(asked),
            self.lines.len(),
            self.path.display()
        ));
    }
}
