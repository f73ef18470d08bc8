//! Re-executing a whole ledger: chain, signatures, canonical payloads, every rule, every invariant.

use rayon::prelude::*;

use crate::chain::{Line, Tree, Verifier};

use super::replay::{BadEntry, Checks, ReadEntry, Replay, Why};
use super::sequencer::Sequencer;
use super::verify::VERIFIED_AT_ONCE;

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
pub fn audit<E: Send>(
    lines: impl IntoIterator<Item = Result<Vec<u8>, E>, IntoIter: Send>,
    progress: &mut dyn FnMut(u64),
) -> Result<Audited, AuditError<E>> {
    let verifier = Verifier::new();
    let mut replay = Replay::new(Checks::Invariants);
    let lines = lines.into_iter().map(|line| line.map_err(AuditError::Read));
    let read = |lines: Vec<Vec<u8>>| read_all(&lines, &verifier);
    replay.take_all(lines, read, |_| Ok(()), progress)?;
    let (sequencer, tree) = replay.finish()?;
    Ok(Audited { sequencer, tree })
}

/// What can be checked of each line by itself, on all cores.
fn read_all(lines: &[Vec<u8>], verifier: &Verifier) -> Vec<Result<ReadEntry, Why>> {
    let decode = |line: &Vec<u8>| Ok(Line::decode(line)?);
    let verified =
        |lines: &[Vec<u8>]| ReadEntry::verified(lines.iter().map(decode).collect(), verifier);
    let entries = lines.par_chunks(VERIFIED_AT_ONCE).flat_map_iter(verified);
    let entries = entries.collect();
    if verifier.is_due() {
        verifier.prepare();
    }
    entries
}
