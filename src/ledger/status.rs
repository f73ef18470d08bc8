//! How far the ledger is durable, and whether it has stopped: what every answer waits for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::committer::Published;

/// Why the ledger stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// It was asked to; all that was accepted is durable.
    #[error("the ledger was stopped")]
    Asked,
    /// Persisting failed or is in doubt, or a thread broke. The process must end; the next start finds out what is durable.
    #[error("{0}")]
    Failed(Arc<str>),
}

/// The ledger has stopped before it could answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ledger has stopped")]
pub struct Stopped;

/// The newest word on durability.
#[derive(Debug)]
pub(super) struct Status {
    published: watch::Sender<Published>,
    stopped: watch::Sender<Option<StopReason>>,
    /// The last checkpoint behind a change of key since the start.
    crossing: Mutex<Option<Published>>,
    /// Since when a quorum of witnesses has not followed: it last did, or something was entered that it has not cosigned.
    unwitnessed: Mutex<Option<Instant>>,
}

impl Status {
    pub(super) fn new(published: Published) -> Status {
        let crossing = published.is_crossing.then(|| published.clone());
        Status {
            crossing: Mutex::new(crossing),
            published: watch::Sender::new(published),
            stopped: watch::Sender::new(None),
            unwitnessed: Mutex::new(Some(Instant::now())),
        }
    }

    pub(super) fn publish(&self, published: Published) {
        if published.is_crossing {
            *self.kept_crossing() = Some(published.clone());
        }
        self.published.send_replace(published);
        self.unwitnessed().get_or_insert_with(Instant::now);
    }

    /// The last checkpoint behind a change of key since the start.
    pub(super) fn crossing(&self) -> Option<Published> {
        self.kept_crossing().clone()
    }

    fn kept_crossing(&self) -> MutexGuard<'_, Option<Published>> {
        self.crossing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A quorum of witnesses has cosigned the first `size` entries.
    pub(super) fn witnessed(&self, size: u64) {
        let mut since = self.unwitnessed();
        let all = size >= self.published.borrow().size;
        *since = (!all).then(Instant::now);
    }

    /// For how long a quorum of witnesses has not followed; nothing where it has cosigned all.
    pub(super) fn unwitnessed_for(&self) -> Duration {
        self.unwitnessed()
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn unwitnessed(&self) -> MutexGuard<'_, Option<Instant>> {
        self.unwitnessed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn published(&self) -> Published {
        self.published.borrow().clone()
    }

    /// Records why the ledger stops; the first reason stands.
    pub(super) fn stop(&self, reason: StopReason) {
        self.stopped.send_if_modified(|stopped| {
            let first = stopped.is_none();
            stopped.get_or_insert(reason);
            first
        });
    }

    /// Whether it goes on; for work of its own that would outlast it.
    pub(super) fn running(&self) -> Result<(), Stopped> {
        match *self.stopped.borrow() {
            None => Ok(()),
            Some(_) => Err(Stopped),
        }
    }

    pub(super) fn stop_reason(&self) -> Option<StopReason> {
        self.stopped.borrow().clone()
    }

    /// Waits until the first `size` entries are durable.
    pub(super) async fn durable(&self, size: u64) -> Result<Published, Stopped> {
        let mut published = self.published.subscribe();
        let covers = async {
            let seen = published.wait_for(|published| published.size >= size).await;
            seen.map(|published| published.clone())
        };
        tokio::select! {
            // What is durable is told even after a stop.
            biased;
            published = covers => published.map_err(|_| Stopped),
            _ = self.stopped() => Err(Stopped),
        }
    }

    /// Waits until the ledger stops, and says why.
    pub(super) async fn stopped(&self) -> StopReason {
        let mut stopped = self.stopped.subscribe();
        let seen = stopped.wait_for(Option::is_some).await;
        seen.ok()
            .and_then(|reason| reason.clone())
            .unwrap_or(StopReason::Asked)
    }
}
