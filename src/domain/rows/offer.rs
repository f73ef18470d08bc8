//! An offer: its lender reads it always, its requester once it may know it; no other lender ever.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{Offer, OfferState, OfferTerms, Request};
use crate::domain::price;
use crate::domain::state::Stored;
use crate::domain::values::{
    Amount, Currency, Day, Digest, FinancingId, Instant, OfferId, PartyId, Rate, RequestId,
};
use crate::domain::visibility::Viewer;

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferWord {
    /// Committed to, and to be revealed.
    Committed,
    /// Committed to and not revealed in time.
    Void,
    /// Made, or revealed.
    Standing,
    /// Its time has passed.
    Expired,
    /// Its request ended without it.
    Lost,
    /// Withdrawn by its lender.
    Withdrawn,
    /// Accepted: it became a financing.
    Accepted,
}

/// An offer.
#[derive(Debug, Clone, Serialize)]
pub struct OfferRow {
    /// Its id.
    pub id: OfferId,
    /// Where it stands.
    pub state: OfferWord,
    /// The request it answers.
    pub request: RequestId,
    /// Who makes it.
    pub lender: PartyId,
    /// Who asked: to itself and to an auditor, and to the lender once it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<PartyId>,
    /// The request's currency.
    pub currency: Currency,
    /// When it was made or committed to.
    pub at: Instant,
    /// What was committed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Digest>,
    /// What it offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<OfferTerms>,
    /// What it costs in all, on the day that offers of the request are compared at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<CostRow>,
    /// What it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub financing: Option<FinancingId>,
}

/// What an offer costs: the same measure for every offer, by which they are ranked.
#[derive(Debug, Clone, Serialize)]
pub struct CostRow {
    /// The value date that offers are compared at.
    pub value_date: Day,
    /// What the lender would pay then.
    pub funds: Amount,
    /// All that the requester would bear, whoever receives it.
    pub cost: Amount,
    /// Cost for funds as a simple annual rate; absent where it is too large to be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apr: Option<Rate>,
}

impl Shown for Offer {
    type Row = OfferRow;

    fn row(&self, viewer: &Viewer<'_>) -> OfferRow {
        let (commitment, financing) = match &self.state {
            OfferState::Committed(digest) => (Some(*digest), None),
            OfferState::Accepted(_, financing) => (None, Some(*financing)),
            OfferState::Standing(_) | OfferState::Withdrawn => (None, None),
        };
        // A lender that bids reads no more of who asks than the request told it.
        let told = viewer.party != self.lender || financing.is_some() || viewer.audits();
        OfferRow {
            id: self.id,
            state: self.word(viewer),
            request: self.request,
            lender: self.lender,
            requester: told.then_some(self.requester),
            currency: self.currency,
            at: self.at,
            commitment,
            terms: self.terms().cloned(),
            cost: self.cost(viewer),
            financing,
        }
    }
}

impl Offer {
    fn cost(&self, viewer: &Viewer<'_>) -> Option<CostRow> {
        let request = Request::table(viewer.state).get(self.request)?;
        let value_date = price::compared_on(viewer.ledger(), request);
        let ranked = price::rank(request, value_date, [self]).pop()?;
        Some(CostRow {
            value_date,
            funds: viewer.amount(ranked.all_in.funds, self.currency),
            cost: viewer.amount(ranked.all_in.cost, self.currency),
            apr: ranked.apr,
        })
    }

    /// "Lost, by comparison, when its request ended without it."
    fn word(&self, viewer: &Viewer<'_>) -> OfferWord {
        let request = Request::table(viewer.state).get(self.request);
        let live = request.is_some_and(|request| request.is_live(viewer.time));
        let revealing = request.is_some_and(|request| request.revealed_by > viewer.time);
        match &self.state {
            OfferState::Withdrawn => OfferWord::Withdrawn,
            OfferState::Accepted(..) => OfferWord::Accepted,
            OfferState::Committed(_) if live && revealing => OfferWord::Committed,
            OfferState::Committed(_) => OfferWord::Void,
            OfferState::Standing(_) if !live => OfferWord::Lost,
            OfferState::Standing(terms) if terms.expires <= viewer.time => OfferWord::Expired,
            OfferState::Standing(_) => OfferWord::Standing,
        }
    }
}
