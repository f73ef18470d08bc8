//! The ledger's own record: what entry 0 fixed.

use std::sync::Arc;

use crate::domain::refusal::Refusal;
use crate::domain::rulebook::Rulebook;
use crate::domain::values::{Day, Instant, Name, PartyId, PublicKey, Succession, UtcOffset};

/// A behaviour of the state machine. An entry is judged by the engine that the ledger had when it came; what an older
/// one did stays in the code for as long as there are entries that it judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// The first.
    First = 1,
    /// A transfer that is proposed before the cut-off from then on can be accepted only before it.
    CutOffBindsAcceptance = 2,
}

impl Engine {
    /// The engine of that number, if this code has it.
    pub fn of(number: u32) -> Result<Engine, Refusal> {
        match number {
            1 => Ok(Engine::First),
            2 => Ok(Engine::CutOffBindsAcceptance),
            _ => Err(
                Refusal::new("ledger.engine", "this code has no such behaviour")
                    .input("engine", number)
                    .remedy("engines 1 and 2 are known; a newer program may know more"),
            ),
        }
    }
}

/// A key that signs checkpoints of the ledger, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerKey {
    /// It as a C2SP verifier key.
    pub vkey: Name,
    /// The public key in that, which is never a party's.
    pub key: PublicKey,
}

/// What the ledger is: made by `ledger.create`.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// Its name in the world, which every payload repeats.
    pub origin: Name,
    /// Who puts operations in order.
    pub operator: PartyId,
    /// The keys of its checkpoints, one after the other.
    pub keys: Succession<LedgerKey>,
    /// Where its legal days begin and end.
    pub utc_offset: UtcOffset,
    /// Which behaviour of the state machine judges from here on.
    pub engine: Engine,
    /// When it began.
    pub created: Instant,
    /// Every rulebook, in order of version; an object names the one it was made under.
    pub rulebooks: Vec<Arc<Rulebook>>,
}

impl Ledger {
    /// Whether that is a key of its checkpoints, of today or of an earlier day.
    pub fn has_signed_by(&self, key: PublicKey) -> bool {
        self.keys.iter().any(|(_, own)| own.key == key)
    }

    /// The rulebook in force on `day`: the newest that is valid from that day or an earlier one.
    pub fn rulebook_on(&self, day: Day) -> &Rulebook {
        let newest = self
            .rulebooks
            .iter()
            .rev()
            .find(|book| book.valid_from <= day);
        newest
            .or(self.rulebooks.first())
            .expect("ledger.create brings the first rulebook")
    }

    /// The last legal day before `end`: what ends at 24:00 of a day can still be done on that day.
    pub fn last_day_before(&self, end: Instant) -> Day {
        self.utc_offset
            .day_of(Instant::from_millis(end.millis() - 1))
    }

    /// The last rulebook that was brought, in force or to come.
    pub fn newest_rulebook(&self) -> &Rulebook {
        self.rulebooks
            .last()
            .expect("ledger.create brings the first rulebook")
    }

    /// The rulebook of that version.
    pub fn rulebook(&self, version: u32) -> &Rulebook {
        let found = self.rulebooks.iter().find(|book| book.version == version);
        found.expect("an object names a rulebook that the ledger has")
    }
}
