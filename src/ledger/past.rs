//! The ledger as it was: its first entries judged again, as at a start.
//!
//! Beside the head one such state is kept, where the last reader left it. To go on from there costs the entries in
//! between, to go back all from the first; so one reader at a time is served, and who would wait long is told to come
//! again while the entries are read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::handle::{At, Ledger};
use super::pipeline::Shared;
use super::replay::{Checks, ReadEntry, Replay};
use super::status::Stopped;
use crate::store::EntryReader;

/// A reader waits this long for entries to be judged again.
const WAIT: Duration = Duration::from_secs(5);

/// What has been judged again so far.
#[derive(Debug, Default)]
pub(super) struct Again(Option<Replay>);

/// The ledger as its first entries left it; meanwhile nobody else reads the past.
#[derive(Debug)]
pub struct Past(OwnedMutexGuard<Again>);

/// Why the past is not read.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// There are not so many entries, or none is asked for.
    #[error("the ledger has {size} entries: `as_of` is a number from 1 to {size}")]
    Beyond {
        /// Number of durable entries.
        size: u64,
    },
    /// Somebody else reads the past, or it takes a while to get there.
    #[error("the entries up to there are being read again")]
    Busy,
    /// The ledger has stopped.
    #[error("{0}")]
    Stopped(#[from] Stopped),
    /// An entry cannot be read or judged again: the store is damaged.
    #[error("the past cannot be read: {0}")]
    Broken(String),
}

impl Past {
    /// The state, its size, and the time of its last entry.
    pub fn at(&self) -> Option<At<'_>> {
        let sequencer = self.0.0.as_ref()?.sequencer();
        Some(At {
            state: sequencer.state(),
            size: sequencer.size(),
            time: sequencer.time(),
        })
    }
}

impl Ledger {
    /// The ledger after its first `size` entries, all of them durable.
    pub async fn past(&self, size: u64) -> Result<Past, PastError> {
        let durable = self.published().size;
        if !(1..=durable).contains(&size) {
            return Err(PastError::Beyond { size: durable });
        }
        let again = Arc::clone(&self.inner.again);
        let kept = again.try_lock_owned().map_err(|_| PastError::Busy)?;
        let (reader, shared) = (self.reader(), Arc::clone(&self.inner.shared));
        let judged = tokio::task::spawn_blocking(move || judge_to(kept, size, &reader, &shared));
        // Who goes does not stop it: what was judged is there for the next.
        match tokio::time::timeout(WAIT, judged).await {
            Err(_) => Err(PastError::Busy),
            Ok(Err(broken)) => Err(PastError::Broken(broken.to_string())),
            Ok(Ok(past)) => past,
        }
    }
}

fn judge_to(
    mut kept: OwnedMutexGuard<Again>,
    size: u64,
    reader: &EntryReader,
    shared: &Shared,
) -> Result<Past, PastError> {
    let earlier = kept.0.take();
    let earlier = earlier.filter(|replay| replay.sequencer().size() <= size);
    let mut replay = earlier.unwrap_or_else(|| Replay::new(Checks::Rules));
    for entry in reader.entries(replay.sequencer().size()..size) {
        shared.status.running()?;
        let (entry, line) = entry.map_err(broken)?;
        let entry = ReadEntry::of(entry, line).map_err(broken)?;
        replay.take(entry).map_err(broken)?;
    }
    kept.0 = Some(replay);
    Ok(Past(kept))
}

fn broken(error: impl std::fmt::Display) -> PastError {
    PastError::Broken(error.to_string())
}
