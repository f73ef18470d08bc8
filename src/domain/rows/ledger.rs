//! The ledger's own record and its rulebooks, which every admitted party reads alike.

use serde::Serialize;

use crate::domain::objects::Ledger;
use crate::domain::rulebook::Rulebook;
use crate::domain::values::{Day, Instant, Label, Name, PartyId, UtcOffset};
use crate::domain::visibility::Viewer;

/// The ledger.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LedgerRow {
    /// Its name in the world, which every payload repeats.
    pub origin: Name,
    /// Who puts operations in order.
    pub operator: PartyId,
    /// The C2SP verifier key of its checkpoints.
    pub vkey: Name,
    /// That key and those before it, in order.
    pub keys: Vec<LedgerKeyRow>,
    /// Where its legal days begin and end.
    pub utc_offset: UtcOffset,
    /// Which behaviour of the state machine judges.
    pub engine: u32,
    /// When it began.
    pub created: Instant,
    /// The time it is now.
    pub time: Instant,
    /// The legal day it is now.
    pub today: Day,
    /// The version of the rulebook that is in force today.
    pub rulebook: u32,
}

/// A key of the ledger's checkpoints.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LedgerKeyRow {
    /// It as a C2SP verifier key.
    pub vkey: Name,
    /// The least number of entries whose checkpoint it signs.
    pub from_size: u64,
}

/// A rulebook, in the list of all.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RulebookRow {
    /// Its version, by which objects name it.
    pub version: u32,
    /// What it is called.
    pub id: Label,
    /// The first day it may be used.
    pub valid_from: Day,
    /// Whether it is the one in force today.
    pub in_force: bool,
}

/// The ledger, as every admitted party reads it.
pub fn ledger(viewer: &Viewer<'_>) -> LedgerRow {
    let ledger: &Ledger = viewer.ledger();
    let keys = ledger.keys.iter().map(|(from_size, key)| LedgerKeyRow {
        vkey: key.vkey.clone(),
        from_size,
    });
    LedgerRow {
        origin: ledger.origin.clone(),
        operator: ledger.operator,
        vkey: ledger.keys.newest().vkey.clone(),
        keys: keys.collect(),
        utc_offset: ledger.utc_offset,
        engine: ledger.engine as u32,
        created: ledger.created,
        time: viewer.time,
        today: viewer.today(),
        rulebook: ledger.rulebook_on(viewer.today()).version,
    }
}

/// Every rulebook in order of version, those that are still to come among them.
pub fn rulebooks(viewer: &Viewer<'_>) -> Vec<RulebookRow> {
    let ledger = viewer.ledger();
    let in_force = ledger.rulebook_on(viewer.today()).version;
    let row = |book: &Rulebook| RulebookRow {
        version: book.version,
        id: book.id.clone(),
        valid_from: book.valid_from,
        in_force: book.version == in_force,
    };
    ledger.rulebooks.iter().map(|book| row(book)).collect()
}

/// The rulebook of a version, as it was published.
pub fn rulebook<'v>(viewer: &Viewer<'v>, version: u32) -> Option<&'v Rulebook> {
    let ledger = viewer.state.ledger.as_ref()?;
    let mut books = ledger.rulebooks.iter();
    let found = books.find(|book| book.version == version);
    found.map(|book| &**book)
}
