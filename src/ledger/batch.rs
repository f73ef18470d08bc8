//! Group commit without a timer: while one batch is being made durable the next one fills.
//!
//! There is at most one open batch and one in flight. A lone operation is taken at once; under load a batch grows for as long as the
//! commit before it takes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::chain::{Hash, Line};
use crate::domain::state::ObjectId;
use crate::domain::values::PartyId;
use crate::store;

use super::sequencer::Entered;

/// What the index keeps of an entry. A party's feed has its id for a name. Nothing is written out before the index does it, on its
/// own thread.
pub type Record = store::Record<PartyId, ObjectId>;

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
        let (line, record) = record_of(entered);
        self.records.push(record);
        self.lines.push(line);
    }
}

/// The line of an entry, and what the index keeps of it.
pub fn record_of(entered: Entered) -> (Line, Record) {
    let record = Record {
        n: entered.line.n(),
        leaf: *entered.line.leaf(),
        op_id: Hash::new(*entered.op.as_bytes()),
        feeds: entered.told,
        objects: entered.objects,
    };
    (entered.line, record)
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

impl Open {
    /// Whether there is nothing to take, and may be yet.
    fn waits(&self) -> bool {
        self.batch.lines.is_empty() && !self.finished && !self.abandoned
    }
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

    /// Waits until entries come or nothing more does, at most so long; whether it was in vain.
    pub fn is_quiet_for(&self, long: Duration) -> bool {
        let open = self.lock();
        let waited = self
            .changed
            .wait_timeout_while(open, long, |open| open.waits());
        let (open, _) = waited.unwrap_or_else(PoisonError::into_inner);
        open.waits()
    }

    /// Waits for entries and takes all there are; `None` when nothing more comes.
    pub fn take(&self) -> Option<Batch> {
        let mut open = self.wait_while(|open| open.waits());
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::chain::{Entry, Envelope, SigningKey};
    use crate::domain::values::{Instant, OpId};

    fn entered(n: u64, payload_len: usize) -> Entered {
        let mut envelope = Envelope::new("text/plain", "x".repeat(payload_len)).unwrap();
        envelope.sign(&SigningKey::from_seed(&[1; 32])).unwrap();
        let entry = Entry::new(n, 0, Hash::ZERO, envelope).unwrap();
        Entered {
            op: OpId([0; 32]),
            time: Instant::MIN,
            line: entry.encode(),
            told: Vec::new(),
            objects: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn pushes_until_full(payload_len: usize) -> usize {
        let mut batch = Batch::default();
        let one = entered(0, payload_len);
        let Entered { line, .. } = &one;
        while !batch.is_full() {
            batch.push(Entered {
                line: line.clone(),
                ..entered(0, 1)
            });
        }
        batch.lines.len()
    }

    #[test]
    fn batch_ends_at_4096_entries_or_4_mib() {
        assert_eq!(pushes_until_full(1), BATCH_ENTRIES_MAX);
        let large = entered(0, 40_000).line.bytes().len() + 1;
        assert_eq!(pushes_until_full(40_000), BATCH_BYTES_MAX.div_ceil(large));
    }

    #[test]
    fn full_batch_has_room_again_when_it_is_taken() {
        let slot = Arc::new(Slot::default());
        let line = entered(0, 40_000);
        while !slot.lock().batch.is_full() {
            slot.push(Entered {
                line: line.line.clone(),
                ..entered(0, 1)
            });
        }
        let waiting = Arc::clone(&slot);
        let waiting = std::thread::spawn(move || waiting.await_room());
        assert!(slot.take().is_some_and(|batch| batch.is_full()));
        assert_eq!(waiting.join().ok(), Some(true));
    }

    #[test]
    fn lone_entry_is_taken_at_once_and_the_rest_before_the_end() {
        let slot = Slot::default();
        slot.push(entered(0, 1));
        assert_eq!(slot.take().map(|batch| batch.lines.len()), Some(1));
        slot.push(entered(1, 1));
        slot.finish();
        assert_eq!(slot.take().map(|batch| batch.lines.len()), Some(1));
        assert!(slot.take().is_none());
    }

    #[test]
    fn abandoned_slot_gives_nothing_and_takes_nothing() {
        let slot = Slot::default();
        slot.push(entered(0, 1));
        slot.abandon();
        assert!(!slot.await_room());
        assert!(slot.take().is_none());
    }
}
