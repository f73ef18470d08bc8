//! A limit, which its lender alone reads.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::Limit;
use crate::domain::values::{Amount, Currency, Day, FinancingId, Instant, LimitId, PartyId};
use crate::domain::visibility::Viewer;

/// A limit.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LimitRow {
    /// Its id.
    pub id: LimitId,
    /// Whose.
    pub lender: PartyId,
    /// On whom.
    pub debtor: PartyId,
    /// On debts to that supplier only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier: Option<PartyId>,
    /// Its currency.
    pub currency: Currency,
    /// At most this much at once.
    pub amount: Amount,
    /// Its last day.
    pub valid_to: Day,
    /// What accepted financings keep free.
    pub blocked: Amount,
    /// The open face that funded financings hold.
    pub utilised: Amount,
    /// What is left.
    pub available: Amount,
    /// The live blocks.
    pub blocks: Vec<BlockRow>,
}

/// What an accepted financing keeps free.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BlockRow {
    /// The financing.
    pub financing: FinancingId,
    /// How much.
    pub amount: Amount,
    /// From here on it is no more.
    pub ends: Instant,
}

impl Shown for Limit {
    type Row = LimitRow;

    fn row(&self, viewer: &Viewer<'_>) -> LimitRow {
        let amount = |fen| viewer.amount(fen, self.currency);
        let live = self
            .blocks
            .iter()
            .filter(|(_, block)| block.ends > viewer.time);
        let blocks = live.map(|(financing, block)| BlockRow {
            financing: *financing,
            amount: amount(block.amount),
            ends: block.ends,
        });
        LimitRow {
            id: self.id,
            lender: self.lender,
            debtor: self.debtor,
            supplier: self.supplier,
            currency: self.currency,
            amount: amount(self.amount),
            valid_to: self.valid_to,
            blocked: amount(self.blocked(viewer.time)),
            utilised: amount(self.utilised),
            available: amount(self.available(viewer.time, viewer.today())),
            blocks: blocks.collect(),
        }
    }
}
