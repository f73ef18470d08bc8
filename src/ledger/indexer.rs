//! Keeps the index beside the commits: on a thread of its own, a little behind, never in their way.

use crossbeam_channel::Receiver;
use tokio::sync::watch;

use crate::store::{Index, IndexError};

use super::batch::Record;

/// Batches that may wait for the index before commits wait too.
pub(super) const BATCHES_BEHIND_MAX: usize = 64;

/// How far the index has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// It covers so many entries.
    Covers(u64),
    /// It broke; the next start makes it anew. Entries are not affected.
    Broken(String),
}

/// Records batches until no more come.
pub(super) fn run(
    index: &Index,
    batches: &Receiver<Vec<Record>>,
    progress: &watch::Sender<Progress>,
) {
    let done = batches
        .iter()
        .try_for_each(|records| record(index, &records, progress));
    if let Err(error) = done {
        tracing::error!(%error, "the index broke; lookups fail until the next start rebuilds it");
        progress.send_replace(Progress::Broken(error.to_string()));
        // Commits go on; what they hand over is rebuilt at the next start.
        batches.iter().for_each(drop);
    }
}

fn record(
    index: &Index,
    records: &[Record],
    progress: &watch::Sender<Progress>,
) -> Result<(), IndexError> {
    index.record(records)?;
    progress.send_replace(Progress::Covers(index.size()));
    Ok(())
}
