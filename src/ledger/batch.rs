//! Group commit: while one batch is being made durable the next one fills.
//!
//! There is at most one open batch and one in flight. A lone operation is taken at once; under load a batch grows for as long as the
//! commit before it takes, and a little longer while many others are on their way.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::chain::{Hash, Line};
use crate::domain::state::ObjectId;
use crate::domain::values::PartyId;
use crate::store;

use super::pipeline::Due;
use super::sequencer::Entered;

/// What the index keeps of an entry. A party's feed has its id for a name. Nothing is written out before the index does it, on its
/// own thread.
pub(super) type Record = store::Record<PartyId, ObjectId>;

/// Most entries of a batch.
pub(super) const BATCH_ENTRIES_MAX: usize = 4_096;
/// A batch that has so many bytes takes no more entries.
pub(super) const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where so many are on their way, what was judged waits for some of them, to be synced together: where there are fewer, who sends
/// the next one may well wait for this answer.
pub(super) const GATHERED_OF: usize = 128;
/// How long it waits for them: some syncs long.
const GATHERED_FOR: Duration = Duration::from_millis(2);

/// An operation that was judged: the entry that it became, if it did, and the answer to it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) entered: Option<Entered>,
    pub(super) answer: Due,
}

/// Entries that become durable together, and the answers that wait for them or for earlier ones.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The entries' lines, in order.
    pub(super) lines: Vec<Line>,
    /// What the index keeps of them.
    pub(super) records: Vec<Record>,
    /// Whom to answer what.
    pub(super) answers: Vec<Due>,
    bytes: usize,
}

impl Batch {
    /// Whether it takes no more.
    fn is_full(&self) -> bool {
        self.answers.len() >= BATCH_ENTRIES_MAX || self.bytes >= BATCH_BYTES_MAX
    }

    fn push(&mut self, judged: Judged) {
        if let Some(entered) = judged.entered {
            self.bytes += entered.line.bytes().len() + 1;
            let (line, record) = record_of(entered);
            self.records.push(record);
            self.lines.push(line);
        }
        self.answers.push(judged.answer);
    }
}

/// The line of an entry, and what the index keeps of it.
pub(super) fn record_of(entered: Entered) -> (Line, Record) {
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
pub(super) struct Slot {
    open: Mutex<Open>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    batch: Batch,
    /// Many others are on their way.
    more: bool,
    /// Somebody waits for the others.
    gathers: bool,
    /// Nothing more comes.
    finished: bool,
    /// Nothing more is taken.
    abandoned: bool,
}

impl Open {
    /// Whether there is nothing to take, and may be yet.
    fn waits(&self) -> bool {
        self.batch.answers.is_empty() && !self.finished && !self.abandoned
    }

    /// Whether what there is had better be taken with others.
    fn grows(&self) -> bool {
        self.more && !self.batch.is_full() && !self.finished && !self.abandoned
    }
}

impl Slot {
    /// Waits until the open batch has room; `false` when nobody commits any more.
    pub(super) fn await_room(&self) -> bool {
        let open = self.wait_while(|open| open.batch.is_full() && !open.abandoned);
        !open.abandoned
    }

    /// Adds what was judged to the open batch, and says whether much more is on its way.
    pub(super) fn push(&self, judged: Vec<Judged>, more: bool) {
        let mut open = self.lock();
        let waits = open.waits();
        judged
            .into_iter()
            .for_each(|judged| open.batch.push(judged));
        open.more = more;
        let waited_for = waits || (open.gathers && !open.grows());
        drop(open);
        if waited_for {
            self.changed.notify_all();
        }
    }

    /// Says that nothing more comes.
    pub(super) fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_all();
    }

    /// Says that nothing more is taken. Who waits for an answer hears that there is none.
    pub(super) fn abandon(&self) {
        let mut open = self.lock();
        open.abandoned = true;
        open.batch = Batch::default();
        drop(open);
        self.changed.notify_all();
    }

    /// Waits until entries come or nothing more does, at most so long; whether it was in vain.
    pub(super) fn is_quiet_for(&self, long: Duration) -> bool {
        let open = self.lock();
        let waited = self
            .changed
            .wait_timeout_while(open, long, |open| open.waits());
        let (open, _) = waited.unwrap_or_else(PoisonError::into_inner);
        open.waits()
    }

    /// Waits for entries and takes all there are, with those that follow soon; `None` when nothing more comes.
    pub(super) fn take(&self) -> Option<Batch> {
        let mut open = self.wait_while(|open| open.waits());
        open.gathers = true;
        let gathered = self
            .changed
            .wait_timeout_while(open, GATHERED_FOR, |open| open.grows());
        let (mut open, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        open.gathers = false;
        let batch = std::mem::take(&mut open.batch);
        let taken = !batch.answers.is_empty() && !open.abandoned;
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
    use crate::ledger::pipeline::{Asked, Judgement};

    fn entered(payload_len: usize) -> Judged {
        let mut envelope = Envelope::new("text/plain", "x".repeat(payload_len)).unwrap();
        envelope.sign(&SigningKey::from_seed(&[1; 32])).unwrap();
        let entry = Entry::new(0, 0, Hash::ZERO, envelope).unwrap();
        let entered = Entered {
            op: OpId([0; 32]),
            time: Instant::MIN,
            line: entry.encode(),
            told: Vec::new(),
            objects: Vec::new(),
            warnings: Vec::new(),
        };
        Judged {
            entered: Some(entered),
            ..repeat()
        }
    }

    fn repeat() -> Judged {
        Judged {
            entered: None,
            answer: Due {
                reply: tokio::sync::oneshot::channel().0,
                asked: Asked {
                    op_id: OpId([0; 32]),
                    not_after: Instant::MIN,
                    keys: Vec::new(),
                },
                judgement: Judgement::Repeat { n: 0 },
            },
        }
    }

    fn pushes_until_full(one: impl Fn() -> Judged) -> usize {
        let mut batch = Batch::default();
        while !batch.is_full() {
            batch.push(one());
        }
        batch.answers.len()
    }

    #[test]
    fn batch_ends_at_4096_answers_or_4_mib() {
        assert_eq!(pushes_until_full(repeat), BATCH_ENTRIES_MAX);
        let large = entered(40_000).entered.unwrap().line.bytes().len() + 1;
        assert_eq!(
            pushes_until_full(|| entered(40_000)),
            BATCH_BYTES_MAX.div_ceil(large)
        );
    }

    #[test]
    fn full_batch_has_room_again_when_it_is_taken() {
        let slot = Arc::new(Slot::default());
        while !slot.lock().batch.is_full() {
            slot.push(vec![entered(40_000)], true);
        }
        let waiting = Arc::clone(&slot);
        let waiting = std::thread::spawn(move || waiting.await_room());
        assert!(slot.take().is_some_and(|batch| batch.is_full()));
        assert_eq!(waiting.join().ok(), Some(true));
    }

    #[test]
    fn lone_entry_is_taken_at_once_and_the_rest_before_the_end() {
        let slot = Slot::default();
        slot.push(vec![entered(1)], false);
        assert_eq!(slot.take().map(|batch| batch.lines.len()), Some(1));
        slot.push(vec![entered(1), repeat(), entered(1)], true);
        slot.finish();
        let rest = slot.take().unwrap();
        assert_eq!((rest.lines.len(), rest.answers.len()), (2, 3));
        assert!(slot.take().is_none());
    }

    #[test]
    fn a_batch_grows_while_more_is_on_its_way_and_it_has_room() {
        let slot = Slot::default();
        slot.push(vec![entered(40_000)], true);
        assert!(slot.lock().grows());
        slot.push(vec![repeat()], false);
        assert!(!slot.lock().grows());
        while !slot.lock().batch.is_full() {
            slot.push(vec![entered(40_000)], true);
        }
        assert!(!slot.lock().grows());
    }

    /// Who takes is told by the last that comes; a machine that is too busy has it end before.
    #[test]
    fn what_comes_meanwhile_is_taken_with_what_there_is() {
        let gathered = || {
            let slot = Arc::new(Slot::default());
            slot.push(vec![entered(1)], true);
            let taking = Arc::clone(&slot);
            let taking = std::thread::spawn(move || taking.take().map(|batch| batch.lines.len()));
            while !slot.lock().gathers && !taking.is_finished() {
                std::thread::yield_now();
            }
            slot.push(vec![entered(1)], false);
            taking.join().ok().flatten() == Some(2)
        };
        assert!((0..1_000).any(|_| gathered()));
    }

    #[test]
    fn what_does_not_come_is_not_waited_for_for_long() {
        let slot = Slot::default();
        slot.push(vec![entered(1)], true);
        assert_eq!(slot.take().map(|batch| batch.lines.len()), Some(1));
    }

    #[test]
    fn abandoned_slot_gives_nothing_and_takes_nothing() {
        let slot = Slot::default();
        slot.push(vec![entered(1)], true);
        slot.abandon();
        assert!(!slot.await_room());
        assert!(slot.take().is_none());
    }
}
