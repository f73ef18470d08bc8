//! A financing: its lender and its requester read the price; what the lender draws and still holds is its own.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{Financing, FinancingState, Funding, OfferTerms};
use crate::domain::price;
use crate::domain::values::{
    AccountId, Addresses, Amount, Computed, Currency, Day, FinancingId, Instant, LegId, LimitId,
    OfferId, PartyId, RequestId,
};
use crate::domain::visibility::Viewer;

/// Where a financing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
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
    /// What is paid on each value date to `disburse_by`, while it waits for its money.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<PriceRow>,
    /// Where the requester is to be paid, while it waits for its money: to the lender and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_to: Option<AccountId>,
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
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FundingRow {
    /// The leg that moved the money.
    pub leg: LegId,
    /// The price at the booked value date, and how it is computed.
    #[serde(flatten)]
    pub price: PriceRow,
    /// When it took effect.
    pub at: Instant,
}

/// The price on one value date: `amount(v)` = face − discount − fees that the requester bears.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PriceRow {
    /// The value date.
    pub value_date: Day,
    /// What the lender pays on it.
    pub price: Amount,
    /// How it is computed: the discount, then what is left of the face.
    pub computed: [Computed; 2],
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
            FinancingState::Funded(funding) => self.funded(funding, viewer),
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
            schedule: self.schedule(viewer),
            pay_to: (lends && self.is_live(viewer.time))
                .then(|| viewer.pay_to(self.requester, self.currency))
                .flatten(),
            leg,
            funding,
            since,
            outstanding: lends.then(|| amount(self.outstanding)),
            limits: lends.then(|| self.limits.iter().map(|(limit, _)| *limit).collect()),
        }
    }
}

impl Financing {
    /// "`offer.accept` fixes `amount(v)` for every value date v to `disburse_by`."
    fn schedule(&self, viewer: &Viewer<'_>) -> Vec<PriceRow> {
        if !self.is_live(viewer.time) {
            return Vec::new();
        }
        let accepted = viewer.ledger().utc_offset.day_of(self.at);
        let days = 0..=accepted.days_until(self.terms.disburse_by);
        days.filter_map(|n| self.price_on(accepted.plus_days(n), viewer))
            .collect()
    }

    fn funded(&self, funding: &Funding, viewer: &Viewer<'_>) -> Option<FundingRow> {
        Some(FundingRow {
            leg: funding.leg,
            price: self.price_on(funding.value_date, viewer)?,
            at: funding.at,
        })
    }

    /// The price on a value date; its acceptance has checked that there is one for every date that counts.
    fn price_on(&self, value_date: Day, viewer: &Viewer<'_>) -> Option<PriceRow> {
        let price = price::amount(self.face, &self.terms, self.due, value_date).ok()?;
        Some(PriceRow {
            value_date,
            price: viewer.amount(price.amount.result, self.currency),
            computed: [price.discount, price.amount],
        })
    }

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
