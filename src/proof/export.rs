//! An export: the lines of all entries from 0 on, each with a newline after it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, BufRead, Read as _};

use super::chain::{AT_ONCE, Broken, Chain, KEY, LINE, NUMBER, ORDER, PAYLOAD, PREV, SIGNATURES};
use super::report::{Failed, Planned, Report, Steps, count};
use super::tiles::{CHECKPOINT, read_checkpoint};
use super::under::{LOG, ORIGIN, POLICY, QUORUM, TIME, check_checkpoint, check_time, read_policy};
use crate::chain::line::LINE_LEN_MAX;
use crate::chain::policy::Witnessed;
use crate::chain::{Checkpoint, CheckpointError, Hash, Note, Policy, Tree, VerifierKey};

const ENDS: Planned = Planned {
    code: "export.read",
    rule: "every line ends with a newline",
};
const ROOT: Planned = Planned {
    code: "export.root",
    rule: "the export has the entries that the checkpoint covers, and their root is the checkpoint's",
};
const PLAN: &[Planned] = &[
    POLICY, CHECKPOINT, ORIGIN, LOG, QUORUM, ENDS, LINE, NUMBER, PREV, ORDER, SIGNATURES, PAYLOAD,
    ROOT, KEY, TIME,
];
/// What goes through all lines together.
const TOGETHER: &[Planned] = &[ENDS, LINE, NUMBER, PREV, ORDER, SIGNATURES, PAYLOAD];

/// The lines of an export without their newlines. One that is too long is cut off where that can be seen, so that none fills
/// the memory, and is the last.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    is_cut_off: bool,
}

impl<R: BufRead> Lines<R> {
    /// The lines that the reader gives.
    pub fn new(reader: R) -> Lines<R> {
        Lines {
            reader,
            is_cut_off: false,
        }
    }

    /// Whether the last line ended without a newline.
    pub fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        if self.is_cut_off {
            return None;
        }
        let mut line = Vec::new();
        let mut most = self.reader.by_ref().take(LINE_LEN_MAX as u64 + 2);
        match most.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => {
                self.is_cut_off = line.pop_if(|last| *last == b'\n').is_none();
                Some(Ok(line))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// Verifies an export under a checkpoint's file against a policy's. Where the policy knows only a key that the ledger had before,
/// `rekeyed` has the checkpoints that an old key and the new one signed, one after the other: an entry names the new key, and a
/// checkpoint over that entry which a believed key and the new one signed vouches for it.
pub fn check_export(
    export: impl BufRead,
    checkpoint: &[u8],
    rekeyed: &[u8],
    policy: &[u8],
) -> io::Result<Report> {
    let mut steps = Steps::of(PLAN);
    let Ok((policy, note)) = read_files(&mut steps, checkpoint, policy) else {
        return Ok(steps.finish());
    };
    let lines = Lines::new(export);
    // A step that failed has been written down.
    let _ = match policy.checkpoint(&note) {
        Ok(covered) if !rekeyed.is_empty() && policy.log_of(&note, &covered.origin).is_err() => {
            let crossings = match crossings(rekeyed) {
                Ok(crossings) => crossings,
                Err(why) => return Ok(steps.refused(LOG, &why)),
            };
            let read = Read::all(lines, &covered, &crossings)?;
            let led_to = read.led_to(&covered, &policy, &crossings);
            let policy = policy.and_logs(led_to);
            check_checkpoint(&mut steps, &policy, &note)
                .and_then(|witnessed| check(&mut steps, read, &policy, &note, &witnessed))
        }
        _ => match check_checkpoint(&mut steps, &policy, &note) {
            Ok(witnessed) => {
                let read = Read::all(lines, &witnessed.checkpoint, &[])?;
                check(&mut steps, read, &policy, &note, &witnessed)
            }
            Err(failed) => Err(failed),
        },
    };
    Ok(steps.finish())
}

fn read_files(
    steps: &mut Steps,
    checkpoint: &[u8],
    policy: &[u8],
) -> Result<(Policy, Note), Failed> {
    let policy = read_policy(steps, policy)?;
    let note = read_checkpoint(steps, checkpoint)?;
    Ok((policy, note))
}

/// Reads checkpoints that stand one after the other, by size.
fn crossings(bytes: &[u8]) -> Result<Vec<(Checkpoint, Note)>, String> {
    let wrong = |error: &dyn Display| format!("the checkpoints of changed keys: {error}");
    let notes = Note::decode_all(bytes).map_err(|error| wrong(&error))?;
    let read = |note: Note| Ok((Checkpoint::parse(note.text())?, note));
    let read: Result<Vec<_>, CheckpointError> = notes.into_iter().map(read).collect();
    let mut read = read.map_err(|error| wrong(&error))?;
    read.sort_by_key(|(checkpoint, _)| checkpoint.size);
    Ok(read)
}

/// How far the lines are good.
struct Read<'a> {
    chain: Chain<'a>,
    /// Over the lines that the checkpoint covers.
    tree: Tree,
    /// Its roots at the sizes that are asked for.
    roots: BTreeMap<u64, Option<Hash>>,
    ended: Result<(), Broken>,
}

impl Read<'_> {
    fn all<'a>(
        mut lines: Lines<impl BufRead>,
        checkpoint: &'a Checkpoint,
        crossings: &[(Checkpoint, Note)],
    ) -> io::Result<Read<'a>> {
        let asked = crossings.iter().map(|(crossing, _)| (crossing.size, None));
        let mut read = Read {
            chain: Chain::new(&checkpoint.origin, checkpoint.size),
            tree: Tree::new(),
            roots: asked.collect(),
            ended: Ok(()),
        };
        while read.ended.is_ok() {
            let some = lines.by_ref().take(AT_ONCE);
            let some: Vec<Vec<u8>> = some.collect::<io::Result<_>>()?;
            if some.is_empty() {
                break;
            }
            read.ended = read.take(some, lines.is_cut_off(), checkpoint.size);
        }
        Ok(read)
    }

    /// The keys that those of the policy lead to, by checkpoints of these lines.
    fn led_to(
        &self,
        covered: &Checkpoint,
        policy: &Policy,
        crossings: &[(Checkpoint, Note)],
    ) -> Vec<VerifierKey> {
        let is_of_it = |of: &Checkpoint| self.roots.get(&of.size) == Some(&Some(of.root));
        let crossings = crossings.iter().filter(|(of, _)| is_of_it(of));
        let crossings: Vec<_> = crossings.map(|(of, note)| (of.size, note)).collect();
        let believed = self.chain.believed(covered.size, policy, &crossings);
        let led_to = believed.into_iter().filter(|key| !policy.has_log(key));
        led_to.collect()
    }

    fn take(&mut self, mut lines: Vec<Vec<u8>>, cut_off: bool, covered: u64) -> Result<(), Broken> {
        // One that is cut off for its length is told as too long.
        let cut_off = cut_off && lines.pop_if(|last| last.len() <= LINE_LEN_MAX).is_some();
        for leaf in self.chain.take(&lines)? {
            if self.tree.size() < covered {
                self.tree.append(leaf);
                if let Some(root) = self.roots.get_mut(&self.tree.size()) {
                    *root = Some(self.tree.root());
                }
            }
        }
        let (step, n) = (ENDS, self.chain.size());
        let why = "the last line does not end with a newline".to_owned();
        if cut_off {
            Err(Broken { step, n, why })
        } else {
            Ok(())
        }
    }
}

fn check(
    steps: &mut Steps,
    read: Read<'_>,
    policy: &Policy,
    note: &Note,
    witnessed: &Witnessed,
) -> Result<(), Failed> {
    let chain = &read.chain;
    chain.told(steps, TOGETHER, read.ended)?;
    let checkpoint = &witnessed.checkpoint;
    let (size, root) = (read.tree.size(), read.tree.root());
    let entries = count(checkpoint.size, "entry", "entries");
    let found = if size < checkpoint.size {
        Err(format!(
            "the checkpoint covers {entries}, the export has {size}"
        ))
    } else if root != checkpoint.root {
        let says = checkpoint.root;
        Err(format!(
            "the root of {entries} is {root}, the checkpoint says {says}"
        ))
    } else {
        Ok(())
    };
    let beyond = chain.size() - size;
    steps.take(ROOT, found, |()| match beyond {
        0 => format!("the root of {entries} is {root}"),
        _ => format!(
            "the root of {entries} is {root}; {beyond} beyond are linked and signed, but under no checkpoint yet"
        ),
    })?;
    let key = chain.key_found(checkpoint, note, policy);
    steps.take(KEY, key, String::clone)?;
    check_time(steps, chain.covered_ms(), witnessed)
}
