//! The core: puts operations in order. State in, outcome out; no clock, no I/O, no thread.

use std::collections::{BTreeMap, HashMap};

use crate::chain::{self, Hash, Line};
use crate::domain::Refusal;
use crate::domain::judge::judge;
use crate::domain::objects::PartyLink;
use crate::domain::payload::Payload;
use crate::domain::state::{Effects, ObjectId, State};
use crate::domain::values::{Instant, OpId, PartyId, PublicKey};

use super::verify::Verified;

/// Everything that the next entry depends on.
#[derive(Debug)]
pub struct Sequencer {
    state: State,
    last: Hash,
    time: Instant,
    recent: Recent,
    later: Later,
}

/// What became of an operation.
#[derive(Debug)]
pub enum Outcome {
    /// It is entry `n` from now on; whoever is told must wait until that is durable.
    Entered(Entered),
    /// It is entry `n` already.
    Repeat {
        /// Number of the first entry.
        n: u64,
    },
    /// Its time has passed and it is not remembered. If it is an entry, that is older than memory reaches.
    Expired(Refusal),
    /// A rule does not let it in. Nothing has changed.
    Refused(Refusal),
    /// Nothing is entered at present, for a reason that is not the operation's.
    Closed(Refusal),
}

/// A new entry.
#[derive(Debug)]
pub struct Entered {
    /// The operation.
    pub op: OpId,
    /// The ledger's time of the entry.
    pub time: Instant,
    /// Its line, with number and leaf hash.
    pub line: Line,
    /// Who is told of which entry with it: its audience of this one, and of earlier ones those whose instant has come.
    pub told: Vec<(PartyId, u64)>,
    /// The ids of the objects it touches.
    pub objects: Vec<ObjectId>,
    /// Rules of severity `warn` that did not hold.
    pub warnings: Vec<Refusal>,
}

impl Sequencer {
    /// Before entry 0.
    pub fn new() -> Sequencer {
        Sequencer {
            state: State::default(),
            last: Hash::ZERO,
            time: Instant::MIN,
            recent: Recent::default(),
            later: Later::default(),
        }
    }

    /// What the entries have led to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.state.size
    }

    /// Leaf hash of the last entry; zeros before the first.
    pub fn last(&self) -> &Hash {
        &self.last
    }

    /// Time of the last entry; the beginning of time before the first.
    pub fn time(&self) -> Instant {
        self.time
    }

    /// "`time`: max(clock, last entry)"
    pub fn time_at(&self, clock: Instant) -> Instant {
        clock.max(self.time)
    }

    /// Judges one operation and, where nothing speaks against it, enters it. `clock` is what the clock shows, or why nothing is
    /// entered at present; a repeat is answered even then.
    pub fn step(&mut self, verified: &Verified, clock: Result<Instant, Refusal>) -> Outcome {
        let Verified {
            op, payload, keys, ..
        } = verified;
        // An id is looked up before "expired" is said.
        if let Some(n) = self.recent.find(op) {
            return Outcome::Repeat { n };
        }
        let time = match clock {
            Ok(clock) => self.time_at(clock),
            Err(closed) => return Outcome::Closed(closed),
        };
        let effects = match self.decide(payload, keys, *op, time) {
            Ok(effects) => effects,
            Err(refusal) if time > payload.not_after => return Outcome::Expired(refusal),
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let line = verified.line.place(self.size(), time.millis(), self.last);
        let line = line.expect("an instant can be written");
        Outcome::Entered(self.enter(*op, payload, time, line, effects))
    }

    /// What the operation would do at `time`, or the rule against it. The same for the live path and for replay.
    pub(super) fn decide(
        &self,
        payload: &Payload,
        keys: &[PublicKey],
        op: OpId,
        time: Instant,
    ) -> Result<Effects, Refusal> {
        let effects = judge(&self.state, payload, keys, op, time)?;
        // Every key that an operation brings in signs its envelope, and stands in a party or the ledger that it changes.
        if !effects.parties.is_empty() || effects.ledger.is_some() {
            self.check_new_keys(keys)?;
        }
        Ok(effects)
    }

    /// Number of the entry that the operation is, if it could still be sent again.
    pub(super) fn recall(&self, op: &OpId) -> Option<u64> {
        self.recent.find(op)
    }

    /// Whether the party is to be told of entry `n` from an instant that has come, and was told of no entry since.
    pub fn is_due(&self, party: PartyId, n: u64, time: Instant) -> bool {
        self.later.is_due(party, n, time)
    }

    /// Takes in an entry that was decided.
    pub(super) fn enter(
        &mut self,
        op: OpId,
        payload: &Payload,
        time: Instant,
        line: Line,
        mut effects: Effects,
    ) -> Entered {
        let n = self.size();
        let mut told = Vec::new();
        for party in &effects.audience {
            let due = self.later.take_due(*party, time).into_iter();
            told.extend(due.chain([n]).map(|n| (*party, n)));
        }
        for (party, from) in std::mem::take(&mut effects.audience_later) {
            self.later.put(party, n, from);
        }
        let entered = Entered {
            op,
            time,
            told,
            objects: effects.objects(),
            warnings: std::mem::take(&mut effects.warnings),
            line,
        };
        self.state.apply(effects);
        self.recent.remember(op, n, payload.not_after);
        self.recent.forget_before(time);
        self.last = *entered.line.leaf();
        self.time = time;
        entered
    }

    /// Keys are "checked at registration to be canonical, torsion-free and not weak": the signers that belong to nobody yet.
    fn check_new_keys(&self, keys: &[PublicKey]) -> Result<(), Refusal> {
        let is_new = |key: &&PublicKey| {
            let link = PartyLink::Key(**key);
            self.state.parties.by(&link).next().is_none()
        };
        for key in keys.iter().filter(is_new) {
            chain::PublicKey::admit(*key.as_bytes()).map_err(|error| {
                Refusal::new(error.code(), error.to_string()).input("keyid", key)
            })?;
        }
        Ok(())
    }
}

impl Default for Sequencer {
    fn default() -> Sequencer {
        Sequencer::new()
    }
}

/// The operations that are entries and have not expired, so that each is entered once. "Duplicates are remembered until then, so the
/// memory is bounded."
#[derive(Debug, Default)]
struct Recent {
    entries: HashMap<OpId, u64>,
    /// By `not_after`, which many share.
    ends: BTreeMap<Instant, Vec<OpId>>,
}

impl Recent {
    fn find(&self, op: &OpId) -> Option<u64> {
        self.entries.get(op).copied()
    }

    fn remember(&mut self, op: OpId, n: u64, not_after: Instant) {
        self.entries.insert(op, n);
        self.ends.entry(not_after).or_default().push(op);
    }

    /// Forgets what has expired at `time`: "expired means ledger time > `not_after`".
    fn forget_before(&mut self, time: Instant) {
        while let Some(first) = self.ends.first_entry().filter(|end| *end.key() < time) {
            for op in first.remove() {
                self.entries.remove(&op);
            }
        }
    }
}

/// Who is told of which entry only from an instant on. "Its feed takes the entry in with its first position at or after
/// that instant, in order of n": so an entry stays here until the party is told of another at that instant or later, and
/// a feed grows by what concerns its party alone.
#[derive(Debug, Default)]
struct Later(BTreeMap<(PartyId, u64), Instant>);

impl Later {
    fn put(&mut self, party: PartyId, n: u64, from: Instant) {
        self.0.insert((party, n), from);
    }

    fn is_due(&self, party: PartyId, n: u64, time: Instant) -> bool {
        self.0.get(&(party, n)).is_some_and(|from| *from <= time)
    }

    /// Takes out what is due to the party at `time`, in order of number.
    fn take_due(&mut self, party: PartyId, time: Instant) -> Vec<u64> {
        let own = self.0.range((party, 0)..=(party, u64::MAX));
        let due = own.filter(|(_, from)| **from <= time);
        let due: Vec<u64> = due.map(|((_, n), _)| *n).collect();
        for n in &due {
            self.0.remove(&(party, *n));
        }
        due
    }
}

#[cfg(test)]
mod tests;
