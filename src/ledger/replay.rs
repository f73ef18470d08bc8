//! Going through entries again: the one function for starts, audits and tests.

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::chain::pae::OP_TYPE;
use crate::chain::{Entry, Line, LineError, PublicKey, Tree, Verifier};
use crate::domain::payload::Payload;
use crate::domain::values::{Instant, OpId};
use crate::domain::{self, Refusal, invariants};

use super::intake::Decoded;
use super::sequencer::{Entered, Sequencer};
use super::verify::with_forged;

/// Entries that are read while as many are judged.
const READ_AT_ONCE: usize = 1_024;

/// What is checked beside the chain and the rules. Signatures are for whoever reads: see [`ReadEntry::verified`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// Nothing more.
    Rules,
    /// The invariants of what each entry touches, and of the whole state at the end.
    Invariants,
}

/// The first entry that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {n}: {why}")]
pub struct BadEntry {
    /// Its number, or the number that should be there.
    pub n: u64,
    /// What is wrong with it.
    pub why: Why,
}

/// What can be wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Its line is not canonical.
    #[error("{0}")]
    Line(#[from] LineError),
    /// It has another number.
    #[error("it says that it is entry {found}")]
    Number {
        /// The number that it has.
        found: u64,
    },
    /// Its `prev` is not the leaf hash of the entry before it.
    #[error("its prev is not the leaf hash of the entry before it")]
    Prev,
    /// It is earlier than the entry before it.
    #[error("its time {time} is before that of the entry before it")]
    Time {
        /// Its time.
        time: Instant,
    },
    /// It is no operation.
    #[error("its type is not {OP_TYPE}")]
    Type,
    /// A signature does not verify.
    #[error("the signature of {0} does not verify")]
    Forged(PublicKey),
    /// The same operation is an earlier entry.
    #[error("its operation is entry {0} already")]
    Repeat(u64),
    /// Its payload is not canonical, or a rule does not allow it at its time.
    #[error("{0}")]
    Refused(Refusal),
    /// The state after it breaks an invariant.
    #[error("after it, {0}")]
    Invariant(String),
}

/// An entry as it was read, with all that can be told of it by itself: which any thread can do.
#[derive(Debug)]
pub struct ReadEntry {
    time: Instant,
    op: OpId,
    payload: Payload,
    keys: Vec<domain::values::PublicKey>,
    line: Line,
}

impl ReadEntry {
    /// Reads what an entry says, whoever signed it.
    pub fn of(entry: Entry, line: Line) -> Result<ReadEntry, Why> {
        if entry.payload_type() != OP_TYPE {
            return Err(Why::Type);
        }
        let time = Instant::from_millis(entry.time_ms());
        let decoded = Decoded::of(entry.into_envelope()).map_err(Why::Refused)?;
        Ok(ReadEntry {
            time,
            op: decoded.op,
            keys: decoded.keys(),
            payload: decoded.payload,
            line,
        })
    }

    /// Reads what some entries say and verifies their signatures together. "Every signature present must verify."
    pub fn verified(
        entries: Vec<Result<(Entry, Line), Why>>,
        verifier: &Verifier,
    ) -> Vec<Result<ReadEntry, Why>> {
        let verified = with_forged(entries, |(entry, _)| entry.envelope(), verifier);
        verified
            .map(|verified| match verified? {
                ((entry, line), None) => ReadEntry::of(entry, line),
                (_, Some(key)) => Err(Why::Forged(key)),
            })
            .collect()
    }
}

/// Takes entries in again, one after the other.
#[derive(Debug)]
pub struct Replay {
    sequencer: Sequencer,
    tree: Tree,
    checks: Checks,
}

impl Replay {
    /// From before entry 0.
    pub fn new(checks: Checks) -> Replay {
        Replay {
            sequencer: Sequencer::new(),
            tree: Tree::new(),
            checks,
        }
    }

    /// Takes the next entry in, or says what is wrong with it; then nothing has changed.
    pub fn take(&mut self, entry: ReadEntry) -> Result<Entered, BadEntry> {
        let n = self.sequencer.size();
        let leaf = *entry.line.leaf();
        let entered = self.judge(entry).map_err(|why| BadEntry { n, why })?;
        self.tree.append(leaf);
        Ok(entered)
    }

    /// Takes in all that comes. What needs no state is done for the next entries by `read` while these are judged; `took` is
    /// told of each that was taken in, `progress` now and then how many are done.
    pub fn take_all<T: Send, E: From<BadEntry> + Send>(
        &mut self,
        mut items: impl Iterator<Item = Result<T, E>> + Send,
        read: impl Fn(Vec<T>) -> Vec<Result<ReadEntry, Why>> + Sync,
        mut took: impl FnMut(Entered) -> Result<(), E> + Send,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), E> {
        let mut next = || -> Result<_, E> {
            let some = items.by_ref().take(READ_AT_ONCE);
            Ok(read(some.collect::<Result<_, E>>()?))
        };
        let mut entries = next()?;
        while !entries.is_empty() {
            let judge = || {
                entries.into_iter().try_for_each(|entry| {
                    let n = self.sequencer.size();
                    took(self.take(entry.map_err(|why| BadEntry { n, why })?)?)
                })
            };
            let (judged, following) = rayon::join(judge, &mut next);
            judged?;
            progress(self.sequencer.size());
            entries = following?;
        }
        Ok(())
    }

    fn judge(&mut self, entry: ReadEntry) -> Result<Entered, Why> {
        let time = self.check_place(&entry)?;
        let ReadEntry {
            op,
            payload,
            keys,
            line,
            ..
        } = entry;
        if let Some(n) = self.sequencer.recall(&op) {
            return Err(Why::Repeat(n));
        }
        let effects = self
            .sequencer
            .decide(&payload, &keys, op, time)
            .map_err(Why::Refused)?;
        if self.checks == Checks::Invariants {
            holds(invariants::of_effects(self.sequencer.state(), &effects))?;
        }
        Ok(self.sequencer.enter(op, &payload, time, line, effects))
    }

    fn check_place(&self, entry: &ReadEntry) -> Result<Instant, Why> {
        let n = entry.line.n();
        if n != self.sequencer.size() {
            return Err(Why::Number { found: n });
        }
        if entry.line.prev() != self.sequencer.last() {
            return Err(Why::Prev);
        }
        let time = entry.time;
        if time < self.sequencer.time() {
            return Err(Why::Time { time });
        }
        Ok(time)
    }

    /// What the entries have led to so far.
    pub fn sequencer(&self) -> &Sequencer {
        &self.sequencer
    }

    /// The tree over the entries so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The end: where invariants are checked, every invariant is checked of the whole state.
    pub fn finish(self) -> Result<(Sequencer, Tree), BadEntry> {
        if self.checks == Checks::Invariants {
            let n = self.sequencer.size().saturating_sub(1);
            let state = self.sequencer.state();
            let parts = invariants::OF_STATE.par_iter();
            let broken = parts.flat_map_iter(|part| part(state)).collect();
            holds(broken).map_err(|why| BadEntry { n, why })?;
        }
        Ok((self.sequencer, self.tree))
    }
}

fn holds(broken: Vec<String>) -> Result<(), Why> {
    match broken.into_iter().next() {
        Some(sentence) => Err(Why::Invariant(sentence)),
        None => Ok(()),
    }
}
