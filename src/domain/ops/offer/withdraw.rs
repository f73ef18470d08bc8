//! `offer.withdraw`: a lender takes its offer back.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Bidding, Offer, OfferState, Request};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::OfferId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The offer.
    pub offer: OfferId,
}

impl Operation for Withdraw {
    const NAME: &'static str = "offer.withdraw";
    const SUMMARY: &'static str = "A lender withdraws its offer";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let offer = at.named::<Offer>(self.offer)?;
        ensure(offer.lender == at.by, || {
            Refusal::new("offer.not_lender", "an offer is withdrawn by its lender")
                .input("offer", offer.id)
        })?;
        let mut draft = at.draft();
        let request = draft.get::<Request>(offer.request).live(at.time)?;
        // A sealed offer binds from the close on; a visible one is free until it is accepted.
        match request.bidding {
            Bidding::Sealed => _ = request.taking_offers(at.time)?,
            Bidding::Visible => draft.tell(offer.requester),
        }
        let stands = matches!(
            offer.state,
            OfferState::Committed(_) | OfferState::Standing(_)
        );
        ensure(stands, || {
            Refusal::new("offer.not_standing", "the offer does not stand").input("offer", offer.id)
        })?;
        draft.edit::<Offer>(offer.id).state = OfferState::Withdrawn;
        Ok(draft.done())
    }
}
