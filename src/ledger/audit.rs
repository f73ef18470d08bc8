//! Re-executing a whole ledger: chain, signatures, canonical payloads, every rule, every invariant.

use rayon::prelude::*;

use crate::chain::{Line, Tree, Verifier};

use super::replay::{BadEntry, Checks, ReadEntry, Replay, Why};
use super::sequencer::Sequencer;

/// Entries whose signatures are verified at once, on all cores.
const CHUNK: usize = 1_024;

/// Why an audit did not come to a good end.
#[derive(Debug, thiserror::Error)]
pub enum AuditError<E> {
    /// The first entry that is not as it must be.
    #[error("{0}")]
    Bad(#[from] BadEntry),
    /// The entries cannot be read.
    #[error("{0}")]
    Read(E),
}

/// What an audit went through.
#[derive(Debug)]
pub struct Audited {
    /// The state and where the chain ends.
    pub sequencer: Sequencer,
    /// The tree over all entries, for their checkpoint.
    pub tree: Tree,
}

/// Audits lines (without newline) from entry 0 on. `progress` is told how many entries are done.
pub fn audit<E>(
    lines: impl IntoIterator<Item = Result<Vec<u8>, E>>,
    progress: &mut dyn FnMut(u64),
) -> Result<Audited, AuditError<E>> {
    let verifier = Verifier::new();
    let mut replay = Replay::new(Checks::Invariants);
    let mut lines = lines.into_iter();
    let mut next = || {
        let chunk = lines.by_ref().take(CHUNK).collect::<Result<Vec<_>, _>>();
        chunk.map_err(AuditError::Read)
    };
    let mut read = read_all(next()?, &verifier);
    while !read.is_empty() {
        let following = next()?;
        // What needs no state is done for the next entries while these are judged.
        let (following, judged) = rayon::join(
            || read_all(following, &verifier),
            || judge(&mut replay, read),
        );
        judged?;
        progress(replay.sequencer().size());
        read = following;
    }
    let (sequencer, tree) = replay.finish()?;
    Ok(Audited { sequencer, tree })
}

/// What can be checked of each line by itself.
fn read_all(lines: Vec<Vec<u8>>, verifier: &Verifier) -> Vec<Result<ReadEntry, Why>> {
    let read = |line: Vec<u8>| {
        let (entry, line) = Line::decode(&line)?;
        ReadEntry::of(entry, line, Some(verifier))
    };
    let entries = lines.into_par_iter().map(read).collect();
    if verifier.is_due() {
        verifier.prepare();
    }
    entries
}

fn judge(replay: &mut Replay, entries: Vec<Result<ReadEntry, Why>>) -> Result<(), BadEntry> {
    for entry in entries {
        let n = replay.sequencer().size();
        replay.take(entry.map_err(|why| BadEntry { n, why })?)?;
    }
    Ok(())
}
