//! A financing: an accepted offer, until its money has moved and after.

use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::table::Object;
use crate::domain::values::{
    Addresses, Currency, Day, Fen, FinancingId, Instant, LegId, LimitId, OfferId, PartyId,
    ReceivableId, RequestId, UtcOffset,
};

use super::offer::OfferTerms;

/// How a disbursement took effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Funding {
    /// The leg that moved the money.
    pub leg: LegId,
    /// The booked value date, from which the price counts.
    pub value_date: Day,
    /// The price at that day: `amount(value_date)`.
    pub price: Fen,
    /// When it took effect.
    pub at: Instant,
}

/// Where a financing stands.
#[derive(Debug, Clone, PartialEq)]
pub enum FinancingState {
    /// Accepted, not funded: its fens are locked and its limit blocked until `ends`.
    Accepted {
        /// The end of `disburse_by` or, if later, of its live leg.
        ends: Instant,
        /// The leg that was announced for it and neither attested nor, by comparison with its end, lapsed.
        leg: Option<LegId>,
    },
    /// The lender paid, and holds the fens.
    Funded(Funding),
    /// Cancelled before a leg was announced.
    Cancelled(Instant),
    /// A payment or a credit took one of its fens first.
    Changed(Instant),
    /// Its disbursement was returned by the bank.
    Reversed(Instant),
}

/// A financing. The one kind there is yet is the purchase.
#[derive(Debug, Clone, PartialEq)]
pub struct Financing {
    /// Its id.
    pub id: FinancingId,
    /// The request.
    pub request: RequestId,
    /// The offer.
    pub offer: OfferId,
    /// Who pays.
    pub lender: PartyId,
    /// Who is paid.
    pub requester: PartyId,
    /// Who owes the fens.
    pub debtor: PartyId,
    /// What is bought.
    pub addresses: Addresses,
    /// Its currency.
    pub currency: Currency,
    /// How many fens.
    pub face: Fen,
    /// When they are due.
    pub due: Day,
    /// What was agreed.
    pub terms: OfferTerms,
    /// When the offer was accepted.
    pub at: Instant,
    /// The limits it draws on, with how much on each.
    pub limits: Vec<(LimitId, Fen)>,
    /// The open fens that the lender bought by it and still holds: what it draws on its limits once funded.
    pub outstanding: Fen,
    /// Where it stands.
    pub state: FinancingState,
}

/// What a financing is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FinancingKey {
    /// Its lender or its requester.
    Party(PartyId),
    /// A receivable whose fens it names.
    Receivable(ReceivableId),
    /// Its request.
    Request(RequestId),
}

impl Object for Financing {
    type Id = FinancingId;
    type Key = FinancingKey;

    fn id(&self) -> FinancingId {
        self.id
    }

    fn keys(&self) -> Vec<FinancingKey> {
        let mut keys = vec![
            FinancingKey::Party(self.lender),
            FinancingKey::Party(self.requester),
            FinancingKey::Request(self.request),
        ];
        let receivables = self.addresses.by_receivable();
        keys.extend(receivables.map(|named| FinancingKey::Receivable(named[0].receivable)));
        keys
    }

    fn notices(&self, _: UtcOffset) -> Vec<Notice> {
        let parties = [self.lender, self.requester];
        match self.state {
            FinancingState::Accepted { ends, .. } => {
                vec![Notice::to(ends, NoticeWord::Expired, parties)]
            }
            FinancingState::Changed(at) => vec![Notice::to(at, NoticeWord::Changed, parties)],
            FinancingState::Funded(_)
            | FinancingState::Cancelled(_)
            | FinancingState::Reversed(_) => Vec::new(),
        }
    }
}

impl Financing {
    /// Whether it is accepted and not ended at `time`.
    pub fn is_live(&self, time: Instant) -> bool {
        matches!(self.state, FinancingState::Accepted { ends, .. } if ends > time)
    }

    /// The financing, if it waits for its money at `time`.
    pub fn unfunded(&self, time: Instant) -> Result<&Financing, Refusal> {
        ensure(self.is_live(time), || {
            Refusal::new(
                "financing.not_open",
                "the financing does not wait for its disbursement",
            )
            .input("financing", self.id)
        })?;
        Ok(self)
    }
}
