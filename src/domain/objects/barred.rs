//! A barred operation: a party has taken back its signature on what is not on the ledger yet.

use std::fmt;

use crate::domain::table::{Object, Ranked};
use crate::domain::values::{OpId, PartyId};

/// Which operation, and for whom: a bar binds nobody but the party that set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BarredId {
    /// The operation.
    pub op: OpId,
    /// The party that signs it no more.
    pub party: PartyId,
}

impl Ranked for BarredId {
    const FIRST: BarredId = BarredId {
        op: OpId([0; 32]),
        party: PartyId::FIRST,
    };
}

impl fmt::Display for BarredId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} {}", self.op, self.party)
    }
}

/// An operation that its party barred, for ever: how far ahead a signed envelope's `not_after` lies, the ledger
/// does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barred {
    /// Which, and for whom.
    pub id: BarredId,
}

impl Object for Barred {
    type Id = BarredId;
    type Key = ();

    fn id(&self) -> BarredId {
        self.id
    }

    fn keys(&self) -> Vec<()> {
        Vec::new()
    }
}
