//! A lender's limit on a debtor, or on a debtor's debts to one supplier.

use std::collections::BTreeMap;

use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::table::Object;
use crate::domain::values::{
    Currency, Day, Fen, FinancingId, Instant, LimitId, PartyId, UtcOffset,
};

/// What an accepted, unfunded financing keeps free for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// From here on the block is absent.
    pub ends: Instant,
    /// How much.
    pub amount: Fen,
}

/// A limit. Its measure for purchases is open face.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Its id.
    pub id: LimitId,
    /// Whose.
    pub lender: PartyId,
    /// On whom.
    pub debtor: PartyId,
    /// On debts to that supplier only, where named.
    pub supplier: Option<PartyId>,
    /// Its currency.
    pub currency: Currency,
    /// At most this much at once.
    pub amount: Fen,
    /// Its last day.
    pub valid_to: Day,
    /// What accepted financings keep free.
    pub blocks: BTreeMap<FinancingId, Block>,
    /// The open face that funded financings hold.
    pub utilised: Fen,
}

/// What a limit is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitKey {
    /// Its lender.
    Lender(PartyId),
    /// Its lender, debtor, supplier and currency: one limit each.
    For(PartyId, PartyId, Option<PartyId>, Currency),
}

impl Object for Limit {
    type Id = LimitId;
    type Key = LimitKey;

    fn id(&self) -> LimitId {
        self.id
    }

    fn keys(&self) -> Vec<LimitKey> {
        vec![
            LimitKey::Lender(self.lender),
            LimitKey::For(self.lender, self.debtor, self.supplier, self.currency),
        ]
    }

    fn notices(&self, offset: UtcOffset) -> Vec<Notice> {
        let end = offset.end_of(self.valid_to);
        vec![Notice::to(end, NoticeWord::Expired, [self.lender])]
    }
}

impl Limit {
    /// What live financings keep free at `time`.
    pub fn blocked(&self, time: Instant) -> Fen {
        let live = self.blocks.values().filter(|block| block.ends > time);
        Fen::sum(live.map(|block| block.amount))
            .expect("each block was within the amount when it was made")
    }

    /// max(0, amount − blocked − utilised), and nothing behind its last day.
    pub fn available(&self, time: Instant, today: Day) -> Fen {
        if today > self.valid_to {
            return Fen::ZERO;
        }
        let left = self
            .amount
            .checked_sub(self.utilised)
            .and_then(|left| left.checked_sub(self.blocked(time)));
        left.unwrap_or(Fen::ZERO)
    }
}
