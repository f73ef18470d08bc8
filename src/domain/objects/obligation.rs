//! An obligation: money owed outside the face of a receivable.

use serde::{Deserialize, Serialize};

use crate::domain::table::Object;
use crate::domain::values::{
    Computed, Currency, Day, Fen, FinancingId, Instant, LegId, ObligationId, PartyId, ReceivableId,
};

/// What kind of money is owed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ObligationKind {
    /// A debtor's late interest to the payee of the settling day.
    LateInterest,
    /// A lender's to a requester, for a price that rose with the booked day.
    Rebate,
    /// A lender's to a fee's payee.
    Fee,
    /// What was paid beyond what was owed.
    Refund,
    /// What is owed back because a leg was reversed.
    Reversal,
}

/// What an obligation came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The leg whose attestation or reversal made it.
    pub leg: LegId,
    /// The receivable whose fens were late.
    pub receivable: Option<ReceivableId>,
    /// The financing whose price or fee it is.
    pub financing: Option<FinancingId>,
}

/// An obligation.
#[derive(Debug, Clone, PartialEq)]
pub struct Obligation {
    /// Its id.
    pub id: ObligationId,
    /// Who owes.
    pub from: PartyId,
    /// Whom.
    pub to: PartyId,
    /// What kind of money.
    pub kind: ObligationKind,
    /// Its currency.
    pub currency: Currency,
    /// How much at first.
    pub amount: Fen,
    /// What legs have discharged of it.
    pub discharged: Fen,
    /// What its creditor has waived of it.
    pub waived: Fen,
    /// When it is due.
    pub due: Day,
    /// When it arose.
    pub at: Instant,
    /// What it came from.
    pub cause: Cause,
    /// How its amount was computed, where a formula gave it.
    pub computed: Option<Computed>,
    /// It ended unpaid with the reversal of the leg that made it.
    pub ended: Option<Instant>,
}

/// What an obligation is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObligationKey {
    /// Its debtor or its creditor.
    Party(PartyId),
}

impl Object for Obligation {
    type Id = ObligationId;
    type Key = ObligationKey;

    fn id(&self) -> ObligationId {
        self.id
    }

    fn keys(&self) -> Vec<ObligationKey> {
        vec![
            ObligationKey::Party(self.from),
            ObligationKey::Party(self.to),
        ]
    }
}

impl Obligation {
    /// What is still owed.
    pub fn outstanding(&self) -> Fen {
        if self.ended.is_some() {
            return Fen::ZERO;
        }
        self.amount
            .checked_sub(self.discharged)
            .and_then(|left| left.checked_sub(self.waived))
            .unwrap_or(Fen::ZERO)
    }
}
