//! Group commit without a timer: while one batch is being made durable the next one fills.
//!
//! There is at most one open batch and one in flight. A lone operation is taken at once; under load a batch grows for as long as the
//! commit before it takes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::chain::{Hash, Line};
use crate::store::Record;

use super::sequencer::Entered;

/// Most entries of a batch.
pub const BATCH_ENTRIES_MAX: usize = 4_096;
/// A batch that has so many bytes takes no more entries.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Entries that become durable together.
#[derive(Debug, Default)]
pub struct Batch {
    /// Their lines, in order.
    pub lines: Vec<Line>,
    /// What the index keeps of them.
    pub records: Vec<Record>,
    bytes: usize,
}

impl Batch {
    /// Whether it takes no more entries.
    pub fn is_full(&self) -> bool {
        self.lines.len() >= BATCH_ENTRIES_MAX || self.bytes >= BATCH_BYTES_MAX
    }

    /// Adds the next entry.
    pub fn push(&mut self, entered: Entered) {
        self.bytes += entered.line.bytes().len() + 1;
        self.records.push(record_of(&entered));
        self.lines.push(entered.line);
    }
}

/// What the index keeps of an entry.
pub fn record_of(entered: &Entered) -> Record {
    let n = entered.line.n();
    let feeds = entered.audience.iter();
    Record {
        n,
        leaf: *entered.line.leaf(),
        op_id: Hash::new(*entered.op.as_bytes()),
        feeds: feeds.map(|party| (feed_of(party), n)).collect(),
        objects: entered.objects.clone(),
    }
}

/// The name of a party's feed.
pub fn feed_of(party: &crate::domain::values::PartyId) -> String {
    format!("party:{party}")
}

/// Where the open batch is handed from the thread that sequences to the one that commits.
#[derive(Debug, Default)]
pub struct Slot {
    open: Mutex<Open>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    batch: Batch,
    /// Nothing more comes.
    finished: bool,
    /// Nothing more is taken.
    abandoned: bool,
}

impl Slot {
    /// Waits until the open batch has room; `false` when nobody commits any more.
    pub fn await_room(&self) -> bool {
        let open = self.wait_while(|open| open.batch.is_full() && !open.abandoned);
        !open.abandoned
    }

    /// Adds an entry to the open batch.
    pub fn push(&self, entered: Entered) {
        self.lock().batch.push(entered);
        self.changed.notify_all();
    }

    /// Says that nothing more comes.
    pub fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_all();
    }

    /// Says that nothing more is taken.
    pub fn abandon(&self) {
        self.lock().abandoned = true;
        self.changed.notify_all();
    }

    /// Waits for entries and takes all there are; `None` when nothing more comes.
    pub fn take(&self) -> Option<Batch> {
        let more = |open: &Open| !open.finished && !open.abandoned;
        let mut open = self.wait_while(|open| open.batch.lines.is_empty() && more(open));
        let batch = std::mem::take(&mut open.batch);
        let taken = !batch.lines.is_empty() && !open.abandoned;
        drop(open);
        self.changed.notify_all();
        taken.then_some(batch)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, mut condition: impl FnMut(&mut Open) -> bool) -> MutexGuard<'_, Open> {
        self.changed
            .wait_while(self.lock(), |open| condition(open))
            .unwrap_or_else(PoisonError::into_inner)
    }
}
