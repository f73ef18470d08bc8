//! An export: the lines of all entries from 0 on, each with a newline after it.

use std::io::{self, BufRead, Read as _};

use super::chain::{AT_ONCE, Broken, Chain, LINE, NUMBER, ORDER, PAYLOAD, PREV, SIGNATURES};
use super::report::{Failed, Planned, Report, Steps, count};
use super::tiles::{CHECKPOINT, read_checkpoint};
use super::under::{LOG, ORIGIN, POLICY, QUORUM, TIME, check_checkpoint, check_time, read_policy};
use crate::chain::Tree;
use crate::chain::line::LINE_LEN_MAX;
use crate::chain::policy::Witnessed;

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
    ROOT, TIME,
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

/// Verifies an export under a checkpoint's file against a policy's.
pub fn check_export(export: impl BufRead, checkpoint: &[u8], policy: &[u8]) -> io::Result<Report> {
    let mut steps = Steps::of(PLAN);
    if let Ok(witnessed) = read_witnessed(&mut steps, checkpoint, policy) {
        let read = Read::all(Lines::new(export), &witnessed)?;
        // A step that failed has been written down.
        let _ = check(&mut steps, read, &witnessed);
    }
    Ok(steps.finish())
}

fn read_witnessed(
    steps: &mut Steps,
    checkpoint: &[u8],
    policy: &[u8],
) -> Result<Witnessed, Failed> {
    let policy = read_policy(steps, policy)?;
    let note = read_checkpoint(steps, checkpoint)?;
    check_checkpoint(steps, &policy, &note)
}

/// How far the lines are good.
struct Read<'a> {
    chain: Chain<'a>,
    /// Over the lines that the checkpoint covers.
    tree: Tree,
    ended: Result<(), Broken>,
}

impl Read<'_> {
    fn all<'a>(mut lines: Lines<impl BufRead>, witnessed: &'a Witnessed) -> io::Result<Read<'a>> {
        let checkpoint = &witnessed.checkpoint;
        let mut read = Read {
            chain: Chain::new(&checkpoint.origin, checkpoint.size),
            tree: Tree::new(),
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

    fn take(&mut self, mut lines: Vec<Vec<u8>>, cut_off: bool, covered: u64) -> Result<(), Broken> {
        // One that is cut off for its length is told as too long.
        let cut_off = cut_off && lines.pop_if(|last| last.len() <= LINE_LEN_MAX).is_some();
        for leaf in self.chain.take(&lines)? {
            if self.tree.size() < covered {
                self.tree.append(leaf);
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

fn check(steps: &mut Steps, read: Read<'_>, witnessed: &Witnessed) -> Result<(), Failed> {
    read.chain.told(steps, TOGETHER, read.ended)?;
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
    let beyond = read.chain.size() - size;
    steps.take(ROOT, found, |()| match beyond {
        0 => format!("the root of {entries} is {root}"),
        _ => format!(
            "the root of {entries} is {root}; {beyond} beyond are linked and signed, but under no checkpoint yet"
        ),
    })?;
    check_time(steps, read.chain.covered_ms(), witnessed)
}
