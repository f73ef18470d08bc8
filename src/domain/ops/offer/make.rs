//! `offer.make`: a lender offers to finance a request whose requester sees offers as they arrive.

use serde::{Deserialize, Serialize};

use super::{bidder, terms};
use crate::domain::head::Head;
use crate::domain::objects::{Bidding, Offer, OfferState, OfferTerms};
use crate::domain::refusal::Refusal;
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::RequestId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Make {
    /// The request: all of it.
    pub request: RequestId,
    /// The terms.
    pub offer: OfferTerms,
}

impl Operation for Make {
    const NAME: &'static str = "offer.make";
    const SUMMARY: &'static str = "A lender makes an offer that the requester sees at once";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let request = bidder::asked(at, self.request, Bidding::Visible)?.taking_offers(at.time)?;
        bidder::check_first(at, request)?;
        terms::check(at, request, &self.offer)?;

        let mut draft = at.draft();
        let id = draft.make_id();
        draft.put(Offer {
            id,
            request: request.id,
            lender: at.by,
            requester: request.requester,
            currency: request.currency,
            at: at.time,
            state: OfferState::Standing(self.offer.clone()),
        });
        draft.tell(request.requester);
        Ok(draft.done())
    }
}
