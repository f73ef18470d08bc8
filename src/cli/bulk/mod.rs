//! Many operations of one file: shown as a whole, signed line by line, sent as one batch, and kept row by row so that
//! whatever breaks off is taken up again without doing anything twice.

mod check;
mod register;
mod results;
mod rows;
mod send;
mod sheet;
pub(super) mod summary;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use self::results::{Results, Standing};
use self::rows::Row;
use self::send::{Outcome, transmit};
use super::export::progress;
use super::fields::Misfit;
use super::remote::Remote;
use super::signing::{Signing, confirm, signed, write};
use super::words::decoded;
use super::{Failure, output};
use crate::chain::{Envelope, SigningKey};
use crate::domain::registry::Registered;

pub(super) use self::sheet::template;

/// One operation for every row of a file.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Many at once")]
pub(super) struct Many {
    /// A file of bodies, CSV or a JSON object a line: each is signed, all are sent as one batch. Flags of fields fill
    /// what a row leaves out, --dry-run names each bad row and column
    #[arg(long, value_name = "FILE", conflicts_with = "body")]
    from: Option<PathBuf>,
    /// Take the failed rows of an earlier call again, as they read now; those done are never sent again
    #[arg(long, requires = "from")]
    retry: bool,
    /// Where it is kept what became of each row; FILE.results.ndjson if absent
    #[arg(long, value_name = "FILE", requires = "from")]
    results: Option<PathBuf>,
    /// Print the columns of a CSV file with a row as an example, and do nothing
    #[arg(long)]
    pub(super) template: bool,
}

/// Operations of several kinds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: counterfoil batch friday.ndjson --as NAME\n\
    A line is {\"op\":\"receivable.confirm\",\"body\":{…}}; `counterfoil receivable confirm --example` prints a body.")]
pub(super) struct BatchArgs {
    /// The operations, an object a line
    file: PathBuf,
    /// Take the failed rows of an earlier call again, as they read now; those done are never sent again
    #[arg(long)]
    retry: bool,
    /// Where it is kept what became of each row; FILE.results.ndjson if absent
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Name each bad row, and sign nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    signing: Signing,
}

impl Many {
    /// Whether there is a file.
    pub(super) fn is_asked(&self) -> bool {
        self.from.is_some()
    }
}

impl BatchArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let many = Many {
            from: Some(self.file),
            retry: self.retry,
            results: self.results,
            template: false,
        };
        run(None, &json!({}), &many, &self.signing, self.dry_run)
    }
}

/// A body that cannot be read, and where.
pub(super) fn misplaced(operation: &Registered, misfit: &Misfit) -> Failure {
    let pointer = misfit.path.replace('.', "/");
    Failure::Usage(match pointer.is_empty() {
        true => format!("{}: {}", operation.name, misfit.what),
        false => format!("{}, /{pointer}: {}", operation.name, misfit.what),
    })
}

/// Signs and sends the rows of a file, or says what is wrong with them.
pub(super) fn run(
    operation: Option<&'static Registered>,
    given: &Value,
    many: &Many,
    signing: &Signing,
    dry_run: bool,
) -> Result<(), Failure> {
    let Some(file) = &many.from else {
        return Err(Failure::Usage("which file? name it with --from".into()));
    };
    let rows = rows::read(file, operation, given)?;
    if dry_run {
        return check::run(&rows, signing);
    }
    if let Some(out) = &signing.out {
        return write_out(&rows, signing, out);
    }
    let path = many.results.clone().unwrap_or_else(|| beside(file));
    let mut results = Results::open(&path)?;
    let todo = todo(&rows, &results, many.retry)?;
    let mut batch = Vec::new();
    for (row, kept) in &todo {
        if let Some(envelope) = kept {
            batch.push((row.n, envelope.clone()));
        }
    }
    let fresh: Vec<&Row> = todo
        .iter()
        .filter(|(_, kept)| kept.is_none())
        .map(|(row, _)| *row)
        .collect();
    for row in &fresh {
        if let Err(faults) = &row.payload() {
            results.not_sent(row, faults)?;
        }
    }
    batch.extend(sign_all(&fresh, signing, &mut results)?);
    batch.sort_by_key(|(row, _)| *row);
    let outcome = transmit(&signing.remote, &batch, &mut results);
    let asked: Vec<u64> = todo.iter().map(|(row, _)| row.n).collect();
    conclude(outcome, results, &asked, signing.json)
}

/// Sends the envelopes of a file, a row each.
pub(super) fn send(
    file: &Path,
    envelopes: &[Envelope],
    remote: &Remote,
    json: bool,
) -> Result<(), Failure> {
    let mut results = Results::open(&beside(file))?;
    let mut batch = Vec::new();
    for (envelope, n) in envelopes.iter().zip(1..) {
        let payload = decoded(envelope)?;
        if !results.is_done(n, envelope)? {
            results.signed(n, &payload, envelope)?;
            batch.push((n, envelope.clone()));
        }
    }
    results.sync()?;
    let outcome = transmit(remote, &batch, &mut results);
    let asked: Vec<u64> = batch.iter().map(|(row, _)| *row).collect();
    conclude(outcome, results, &asked, json)
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".results.ndjson");
    name.into()
}

/// What is to be done: each row with the envelope that was signed for it and may have been sent, if there is one.
fn todo<'r>(
    rows: &'r [Row],
    results: &Results,
    retry: bool,
) -> Result<Vec<(&'r Row, Option<Envelope>)>, Failure> {
    let mut todo = Vec::new();
    for row in rows {
        match results.of(row)? {
            None => todo.push((row, None)),
            Some(Standing::Done { .. }) => {}
            Some(Standing::Signed { envelope }) => {
                todo.push((row, Some(results::envelope(envelope)?)));
            }
            Some(Standing::Refused { .. } | Standing::NotSent { .. }) if retry => {
                todo.push((row, None));
            }
            Some(Standing::Refused { .. } | Standing::NotSent { .. }) => {}
        }
    }
    if todo.is_empty() {
        let (done, failed) = results.counts();
        let path = results.path().display();
        return match failed {
            0 => Err(Failure::Usage(format!(
                "all {done} rows are done already, as {path} says"
            ))),
            _ => Err(Failure::Usage(format!(
                "{path} says what became of every row: {done} done, {failed} not; --retry takes those {failed} again"
            ))),
        };
    }
    Ok(todo)
}

/// Shows what is to be signed, asks once, signs each row and keeps the envelopes before any is sent.
fn sign_all(
    rows: &[&Row],
    signing: &Signing,
    results: &mut Results,
) -> Result<Vec<(u64, Envelope)>, Failure> {
    let envelopes = signed_rows(rows, signing)?;
    for (row, envelope) in &envelopes {
        results.signed(*row, &decoded(envelope)?, envelope)?;
    }
    results.sync()?;
    Ok(envelopes)
}

fn signed_rows(rows: &[&Row], signing: &Signing) -> Result<Vec<(u64, Envelope)>, Failure> {
    let good: Vec<&&Row> = rows.iter().filter(|row| row.payload().is_ok()).collect();
    let bad = rows.len() - good.len();
    let Some(probe) = good.iter().find_map(|row| row.act()) else {
        return Ok(Vec::new());
    };
    let frame = signing.frame_of(probe)?;
    let mut envelopes = Vec::new();
    for row in &good {
        if let Some(act) = row.act() {
            envelopes.push((row.n, frame.envelope(act)?));
        }
    }
    show(&envelopes, bad, signing)?;
    confirm(&format!("Sign all {}?", envelopes.len()), signing.yes)?;
    let keys: Vec<SigningKey> = signing.keys()?;
    let bar = progress(envelopes.len() as u64, "signed");
    for (_, envelope) in &mut envelopes {
        keys.iter().try_for_each(|key| signed(envelope, key))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(envelopes)
}

fn show(envelopes: &[(u64, Envelope)], bad: usize, signing: &Signing) -> Result<(), Failure> {
    let payloads = envelopes.iter().map(|(_, envelope)| decoded(envelope));
    let payloads: Vec<_> = payloads.collect::<Result<_, _>>()?;
    eprint!("{}", summary::of(&payloads));
    if !signing.yes {
        eprint!("{}", summary::parties(&payloads, signing));
    }
    if bad > 0 {
        eprintln!("{bad} more rows cannot be read and are not signed; --dry-run names them");
    }
    Ok(())
}

/// Writes the envelopes of all rows for others to sign: all of them, or none.
fn write_out(rows: &[Row], signing: &Signing, out: &Path) -> Result<(), Failure> {
    let bad: Vec<&Row> = rows.iter().filter(|row| row.payload().is_err()).collect();
    if !bad.is_empty() {
        check::tell(&bad, signing.json);
        return Err(Failure::FoundBad(format!(
            "{} rows cannot be read; nothing is signed",
            bad.len()
        )));
    }
    let all: Vec<&Row> = rows.iter().collect();
    let envelopes: Vec<Envelope> = signed_rows(&all, signing)?
        .into_iter()
        .map(|(_, envelope)| envelope)
        .collect();
    write(out, &envelopes)
}

/// Says what became of the rows that were asked for, and of the whole file.
fn conclude(outcome: Outcome, results: Results, asked: &[u64], json: bool) -> Result<(), Failure> {
    let told = results.finish()?;
    if json {
        for row in asked {
            if let Some(line) = told.line(*row) {
                output::text(&format!("{line}\n"));
            }
        }
    } else {
        told.tell(asked);
    }
    let path = told.path.display();
    if let Some(failure) = outcome.failure {
        return Err(match outcome.answered {
            0 => failure,
            _ => Failure::CouldNotRun(format!("{}\nwhat is known is in {path}", failure.message())),
        });
    }
    match told.unanswered(asked) {
        0 => {}
        open => {
            return Err(Failure::CouldNotRun(format!(
                "{open} rows have no answer: the same call again sends the same envelopes, which does nothing twice"
            )));
        }
    }
    match told.failed(asked) {
        0 => Ok(()),
        failed => Err(Failure::FoundBad(format!(
            "{failed} rows failed; correct them in the file, and --retry takes them alone"
        ))),
    }
}
