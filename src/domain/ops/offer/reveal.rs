//! `offer.reveal`: a lender opens the sealed offer that it committed to, in the window after the close.

use serde::{Deserialize, Serialize};

use super::{bidder, terms};
use crate::domain::head::Head;
use crate::domain::objects::{
    Bidding, Offer, OfferKey, OfferState, OfferTerms, Request, commitment,
};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{OfferId, RequestId, Salt};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    /// The request.
    pub request: RequestId,
    /// The salt of the commitment.
    pub salt: Salt,
    /// The terms committed to.
    pub offer: OfferTerms,
}

impl Operation for Reveal {
    const NAME: &'static str = "offer.reveal";
    const SUMMARY: &'static str = "A lender reveals its sealed offer after the close";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let request = bidder::asked(at, self.request, Bidding::Sealed)?;
        check_window(at, request)?;
        let offer = self.committed(at, request)?;
        terms::check(at, request, &self.offer)?;

        let mut draft = at.draft();
        draft.edit::<Offer>(offer).state = OfferState::Standing(self.offer.clone());
        // The requester sees reveals when the window ends.
        draft.tell_from(request.requester, request.revealed_by);
        Ok(draft.done())
    }
}

/// Revealed within the window after the close.
fn check_window(at: &Head<'_>, request: &Request) -> Result<(), Refusal> {
    let open = request.closes <= at.time && at.time < request.revealed_by;
    ensure(open, || {
        Refusal::new(
            "offer.reveal_window",
            "sealed offers are revealed in the window after the close",
        )
        .input("closes", request.closes)
        .input("revealed_by", request.revealed_by)
        .input("ledger_time", at.time)
    })
}

impl Reveal {
    /// The lender's offer of the request, if it committed to this salt and these terms.
    fn committed(&self, at: &Head<'_>, request: &Request) -> Result<OfferId, Refusal> {
        let own = OfferKey::RequestLender(request.id, at.by);
        let committed = at
            .state
            .offers
            .by(&own)
            .find_map(|offer| match offer.state {
                OfferState::Committed(digest) => Some((offer.id, digest)),
                _ => None,
            });
        let (offer, digest) = committed.ok_or_else(|| {
            Refusal::new(
                "offer.not_committed",
                "this lender has no commitment to reveal for the request",
            )
            .input("request", request.id)
        })?;
        let opened = commitment(request.id, at.by, &self.salt, &self.offer);
        ensure(opened == digest, || {
            Refusal::new(
                "offer.commitment",
                "the salt and the offer are not those committed to",
            )
            .input("committed", digest)
            .input("revealed", opened)
            .remedy("reveal the very salt and offer that were committed to")
        })?;
        Ok(offer)
    }
}
