//! The handle by which everybody else uses a ledger.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rayon::ThreadPool;
use tokio::sync::watch;

use crate::chain::checkpoint::is_drill;
use crate::chain::{Entry, Line};
use crate::domain::Refusal;
use crate::domain::state::State;
use crate::domain::values::Instant;
use crate::store::{Checkpoints, EntryReader, Index, ReadError};

use super::clock::Clock;
use super::committer::Published;
use super::gate::Gate;
use super::indexer::Progress;
use super::past::Again;
use super::pipeline::Shared;
use super::queue::Room;
use super::status::{StopReason, Stopped};

/// A running ledger. Clones are handles of the same one; it stops when [`Ledger::stop`] is called or the last handle is dropped.
#[derive(Clone)]
pub struct Ledger {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) pool: ThreadPool,
    pub(super) clock: Arc<Clock>,
    pub(super) reader: EntryReader,
    pub(super) witnessed: Checkpoints,
    pub(super) index: Arc<Index>,
    pub(super) indexed: watch::Receiver<Progress>,
    pub(super) gate: Arc<Gate>,
    pub(super) again: Arc<tokio::sync::Mutex<Again>>,
    pub(super) origin: String,
    pub(super) quarantined: Vec<PathBuf>,
    pub(super) threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What a read sees: the head, with its size and the ledger's time.
#[derive(Debug, Clone, Copy)]
pub struct At<'s> {
    /// What the first `size` entries have led to.
    pub state: &'s State,
    /// Number of entries.
    pub size: u64,
    /// max(clock, last entry); the last entry's time while the clock is not believed.
    pub time: Instant,
}

/// How the ledger is, for `/readyz` and for clients that set `not_after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Its name; a drill's begins `drill.`.
    pub origin: String,
    /// The C2SP verifier key of its newest checkpoint; empty after the sequencer broke.
    pub vkey: String,
    /// Number of durable entries.
    pub size: u64,
    /// The ledger's time.
    pub time: Instant,
    /// Whether it is a drill.
    pub drill: bool,
    /// What starts have cut off the entries and the operator has not acknowledged.
    pub quarantined: Vec<PathBuf>,
    /// Why nothing is entered at present: the clock is not believed.
    pub clock: Option<Refusal>,
    /// Whether nothing is entered because the disk is nearly full.
    pub storage_full: bool,
    /// Why it stopped, if it has.
    pub stopped: Option<StopReason>,
}

impl Ledger {
    /// Looks at the head under a short lock, and returns what `look` found once everything it saw is durable. `look` must not block.
    pub async fn read<R>(&self, look: impl FnOnce(At<'_>) -> R) -> Result<R, Stopped> {
        let clock = self.inner.clock.now();
        let (size, found) = self.inner.shared.at_head(|head| {
            let time = clock.map_or(head.time(), |now| head.time_at(now));
            let at = At {
                state: head.state(),
                size: head.size(),
                time,
            };
            (head.size(), look(at))
        })?;
        self.inner.shared.status.durable(size).await?;
        Ok(found)
    }

    /// The newest checkpoint over durable entries, with size and root.
    pub fn published(&self) -> Published {
        self.inner.shared.status.published()
    }

    /// Waits until the first `size` entries are durable: so that a follower learns of new ones.
    pub async fn durable(&self, size: u64) -> Result<Published, Stopped> {
        self.inner.shared.status.durable(size).await
    }

    /// Waits until the clock shows that instant; for ever while it is not believed.
    pub async fn reaches(&self, at: Instant) {
        self.inner.clock.reaches(at).await;
    }

    /// Entry `n` and its line, if it is durable. A short read of a file.
    pub fn entry(&self, n: u64) -> Result<Option<(Entry, Line)>, Stopped> {
        self.inner.entry(n)
    }

    /// Reads durable entries in order, from any thread.
    pub fn reader(&self) -> EntryReader {
        self.inner.reader.clone()
    }

    /// Moves the clock of a drill forward.
    pub fn advance(&self, now: Instant) -> Result<(), Refusal> {
        self.inner.clock.advance(now)
    }

    /// The ledger's name: what `ledger` says in every payload.
    pub fn origin(&self) -> &str {
        &self.inner.origin
    }

    /// The C2SP verifier keys of its checkpoints, the newest last.
    pub fn vkeys(&self) -> Result<Vec<String>, Stopped> {
        self.inner.shared.at_head(|head| {
            let ledger = head.state().ledger.iter();
            let keys = ledger.flat_map(|ledger| ledger.keys.iter());
            keys.map(|(_, key)| key.vkey.as_str().to_owned()).collect()
        })
    }

    /// The checkpoint that witnesses are to cosign where they were asked for one of `asked` entries before: the newest, but the last since
    /// the start that two keys signed comes first, as a witness may not know the new one yet. It is held up once; a witness that
    /// misses it has to be told the new key.
    pub fn to_cosign(&self, asked: u64) -> Published {
        let crossing = self.inner.shared.status.crossing();
        let crossing = crossing.filter(|crossing| crossing.size > asked);
        crossing.unwrap_or_else(|| self.published())
    }

    /// How the ledger is.
    pub fn ready(&self) -> Ready {
        let inner = &self.inner;
        let size = self.published().size;
        let seen = inner.shared.at_head(|head| {
            let ledger = head.state().ledger.as_ref();
            let vkey = ledger.map(|ledger| ledger.keys.at(size).vkey.as_str().to_owned());
            (head.time(), vkey.unwrap_or_default())
        });
        let (last, vkey) = seen.unwrap_or((Instant::MIN, String::new()));
        let clock = inner.clock.now();
        Ready {
            origin: inner.origin.clone(),
            vkey,
            size,
            time: clock.as_ref().map_or(last, |now| last.max(*now)),
            drill: is_drill(&inner.origin),
            quarantined: inner.unacknowledged(),
            clock: clock.err(),
            storage_full: !inner.gate.measure(),
            stopped: inner.shared.status.stop_reason(),
        }
    }

    /// What waits to be judged.
    pub fn waiting(&self) -> Room {
        self.inner.shared.used()
    }

    /// Waits until the ledger stops, and says why: after [`StopReason::Failed`] the process must end.
    pub async fn stopped(&self) -> StopReason {
        self.inner.shared.status.stopped().await
    }

    /// Lets nothing new in, finishes what has a ticket, writes the head and ends the threads. Blocks until that is done.
    pub fn stop(&self) -> StopReason {
        self.inner.stop();
        self.inner
            .shared
            .status
            .stop_reason()
            .unwrap_or(StopReason::Asked)
    }
}

impl Inner {
    fn stop(&self) {
        self.shared.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread that broke has said so in the status.
            thread.join().ok();
        }
    }

    /// What lay in quarantine at the start and has not been given the name of the acknowledged since.
    fn unacknowledged(&self) -> Vec<PathBuf> {
        let all = self.quarantined.iter();
        all.filter(|path| path.exists()).cloned().collect()
    }

    /// What is no longer as it was written is a doubt that stops the ledger.
    pub(super) fn entry(&self, n: u64) -> Result<Option<(Entry, Line)>, Stopped> {
        match self.reader.entry(n) {
            Ok(found) => Ok(Some(found)),
            Err(ReadError::Absent { .. }) => Ok(None),
            Err(error) => {
                self.shared.fail(&error.to_string());
                Err(Stopped)
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}
