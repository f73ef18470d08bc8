//! An offer: its lender reads it always, its requester once it may know it; no other lender ever.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{Offer, OfferKey, OfferState, OfferTerms, Request};
use crate::domain::price;
use crate::domain::state::Stored;
use crate::domain::values::{
    Amount, Currency, Day, Digest, FinancingId, Instant, OfferId, PartyId, Rate, RequestId,
};
use crate::domain::visibility::{Seen, Viewer};

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
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
    pub comparison: Option<ComparisonRow>,
    /// What it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub financing: Option<FinancingId>,
}

/// What an offer costs: the same measure for every offer, by which they are ranked.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ComparisonRow {
    /// The value date that offers are compared at.
    pub on: Day,
    /// All that the requester would bear, whoever receives it.
    pub cost: Amount,
    /// What the lender would pay then.
    pub funds: Amount,
    /// From that day to the due day.
    pub days: i64,
    /// Cost for funds as a simple annual rate; absent where it is too large to be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apr: Option<Rate>,
    /// Its place among the offers of the request that the reader may see, 1 the cheapest: to the requester and to an
    /// auditor, never to a lender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
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
            comparison: self.comparison(viewer),
            financing,
        }
    }
}

impl Offer {
    /// "All-in cost, the same for every offer": a lender compares its own offer with no other.
    fn comparison(&self, viewer: &Viewer<'_>) -> Option<ComparisonRow> {
        let request = Request::table(viewer.state).get(self.request)?;
        let on = price::compared_on(viewer.ledger(), request);
        let ranks =
            viewer.party != self.lender && (viewer.party == self.requester || viewer.audits());
        let ranked = if ranks {
            let of_request = OfferKey::Request(request.id);
            let offers = Offer::table(viewer.state).by(&of_request);
            price::rank(request, on, offers.filter(|offer| offer.seen_by(viewer)))
        } else {
            price::rank(request, on, [self])
        };
        let at = ranked.iter().position(|one| one.offer.id == self.id)?;
        let own = &ranked[at];
        Some(ComparisonRow {
            on,
            cost: viewer.amount(own.all_in.cost, self.currency),
            funds: viewer.amount(own.all_in.funds, self.currency),
            days: own.all_in.days,
            apr: own.apr,
            rank: ranks.then_some(at + 1),
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
