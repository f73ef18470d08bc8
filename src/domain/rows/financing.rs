//! A financing: its lender and its requester read the price; what the lender draws and still holds is its own.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{Financing, FinancingState, OfferTerms};
use crate::domain::values::{
    Addresses, Amount, Currency, Day, FinancingId, Instant, LegId, LimitId, OfferId, PartyId,
    RequestId,
};
use crate::domain::visibility::Viewer;

/// Where a financing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinancingWord {
    /// Waits for its disbursement.
    Accepted,
    /// Ended without a disbursement.
    Ended,
    /// The lender paid, and bought the fens.
    Funded,
    /// Cancelled before a leg was announced.
    Cancelled,
    /// A payment or a credit took one of its fens first.
    Changed,
    /// Its disbursement was returned by the bank.
    Reversed,
}

/// A financing.
#[derive(Debug, Clone, Serialize)]
pub struct FinancingRow {
    /// Its id.
    pub id: FinancingId,
    /// Where it stands.
    pub state: FinancingWord,
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
    /// What the fens are worth.
    pub face: Amount,
    /// When they are due.
    pub due: Day,
    /// What was agreed.
    pub terms: OfferTerms,
    /// When the offer was accepted.
    pub at: Instant,
    /// Without its money it ends here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Instant>,
    /// The leg announced for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leg: Option<LegId>,
    /// How its disbursement took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funding: Option<FundingRow>,
    /// Cancelled, changed or reversed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// The open fens that the lender bought by it and still holds: to the lender and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outstanding: Option<Amount>,
    /// The limits it draws on: to the lender and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Vec<LimitId>>,
}

/// How a disbursement took effect.
#[derive(Debug, Clone, Serialize)]
pub struct FundingRow {
    /// The leg that moved the money.
    pub leg: LegId,
    /// The booked value date.
    pub value_date: Day,
    /// The price at that day.
    pub price: Amount,
    /// When it took effect.
    pub at: Instant,
}

impl Shown for Financing {
    type Row = FinancingRow;

    fn row(&self, viewer: &Viewer<'_>) -> FinancingRow {
        let amount = |fen| viewer.amount(fen, self.currency);
        let lends = viewer.party == self.lender || viewer.audits();
        let (ends, leg) = match self.state {
            FinancingState::Accepted { ends, leg } => (Some(ends), leg),
            _ => (None, None),
        };
        let funding = match &self.state {
            FinancingState::Funded(funding) => Some(FundingRow {
                leg: funding.leg,
                value_date: funding.value_date,
                price: amount(funding.price),
                at: funding.at,
            }),
            _ => None,
        };
        let since = match self.state {
            FinancingState::Cancelled(at)
            | FinancingState::Changed(at)
            | FinancingState::Reversed(at) => Some(at),
            FinancingState::Accepted { .. } | FinancingState::Funded(_) => None,
        };
        FinancingRow {
            id: self.id,
            state: self.word(viewer.time),
            request: self.request,
            offer: self.offer,
            lender: self.lender,
            requester: self.requester,
            debtor: self.debtor,
            addresses: self.addresses.clone(),
            currency: self.currency,
            face: amount(self.face),
            due: self.due,
            terms: self.terms.clone(),
            at: self.at,
            ends,
            leg,
            funding,
            since,
            outstanding: lends.then(|| amount(self.outstanding)),
            limits: lends.then(|| self.limits.iter().map(|(limit, _)| *limit).collect()),
        }
    }
}

impl Financing {
    fn word(&self, time: Instant) -> FinancingWord {
        match self.state {
            FinancingState::Accepted { .. } if self.is_live(time) => FinancingWord::Accepted,
            FinancingState::Accepted { .. } => FinancingWord::Ended,
            FinancingState::Funded(_) => FinancingWord::Funded,
            FinancingState::Cancelled(_) => FinancingWord::Cancelled,
            FinancingState::Changed(_) => FinancingWord::Changed,
            FinancingState::Reversed(_) => FinancingWord::Reversed,
        }
    }
}
