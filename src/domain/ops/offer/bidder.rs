//! Who may bid on a request, and how often.

use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{Bidding, Offer, OfferKey, OfferState, Request};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::{Instant, RequestId, Role};

/// The live request, if its bidding is `bidding` and the actor is a lender whom it asks.
pub(super) fn asked<'s>(
    at: &Head<'s>,
    id: RequestId,
    bidding: Bidding,
) -> Result<&'s Request, Refusal> {
    let request = at.named::<Request>(id)?.live(at.time)?;
    ensure(request.requester != at.by, || {
        Refusal::new("offer.own_request", "nobody bids on its own request").input("request", id)
    })?;
    // Whoever reads it for another reason than being asked does not bid either.
    ensure(request.asks(at.by) && request.debtor != at.by, || {
        Refusal::unknown_object("request", id)
    })?;
    let begun = committed_at(at, id).unwrap_or(at.time);
    at.actor()?.with_role(Role::Lender)?.may_go_on(at, begun)?;
    request.bidding(bidding)
}

/// Since when the actor has had a commitment that waits to be revealed.
fn committed_at(at: &Head<'_>, request: RequestId) -> Option<Instant> {
    let own = OfferKey::RequestLender(request, at.by);
    let mut offers = at.state.offers.by(&own);
    let committed = offers.find(|offer| matches!(offer.state, OfferState::Committed(_)));
    committed.map(|offer| offer.at)
}

/// One live offer a lender and request.
pub(super) fn check_first(at: &Head<'_>, request: &Request) -> Result<(), Refusal> {
    let own = OfferKey::RequestLender(request.id, at.by);
    let live = at
        .state
        .offers
        .by(&own)
        .find(|offer| is_live(offer, at.time));
    match live {
        None => Ok(()),
        Some(offer) => Err(Refusal::new(
            "offer.exists",
            "this lender has a live offer for the request",
        )
        .input("offer", offer.id)
        .remedy("withdraw it first")),
    }
}

/// The effects of the actor's new offer for the request.
pub(super) fn offered<'h>(at: &'h Head<'_>, request: &Request, state: OfferState) -> Draft<'h> {
    let mut draft = at.draft();
    let id = draft.make_id();
    draft.put(Offer {
        id,
        request: request.id,
        lender: at.by,
        requester: request.requester,
        currency: request.currency,
        at: at.time,
        state,
    });
    draft
}

fn is_live(offer: &Offer, time: Instant) -> bool {
    match &offer.state {
        OfferState::Committed(_) | OfferState::Accepted(..) => true,
        OfferState::Standing(terms) => terms.expires > time,
        OfferState::Withdrawn => false,
    }
}
