//! Re-executing a whole ledger: chain, signatures, canonical payloads, every rule, every invariant.

use rayon::prelude::*;

use crate::chain::{Entry, Line, Tree};

use super::replay::{BadEntry, Checks, Replay, Why, check_signatures};
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
    let mut replay = Replay::new(Checks::Invariants);
    let mut lines = lines.into_iter();
    loop {
        let chunk = lines.by_ref().take(CHUNK).collect::<Result<Vec<_>, _>>();
        let chunk = chunk.map_err(AuditError::Read)?;
        if chunk.is_empty() {
            break;
        }
        let read: Vec<_> = chunk.par_iter().map(|line| read(line)).collect();
        for entry in read {
            let n = replay.sequencer().size();
            let (entry, line) = entry.map_err(|why| BadEntry { n, why })?;
            replay.take(&entry, line)?;
            progress(n + 1);
        }
    }
    let (sequencer, tree) = replay.finish()?;
    Ok(Audited { sequencer, tree })
}

/// What can be checked of a line by itself.
fn read(line: &[u8]) -> Result<(Entry, Line), Why> {
    let (entry, line) = Line::decode(line)?;
    check_signatures(&entry)?;
    Ok((entry, line))
}
