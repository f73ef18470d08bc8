//! `offer.commit`: a lender commits to a sealed offer, which nobody can read before it is revealed.

use serde::{Deserialize, Serialize};

use super::bidder;
use crate::domain::head::Head;
use crate::domain::objects::{Bidding, OfferState, Request};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::{Digest, RequestId};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// The request.
    pub request: RequestId,
    /// The digest of salt and terms, see [`commitment`](crate::domain::objects::commitment).
    pub commitment: Digest,
}

impl Operation for Commit {
    const NAME: &'static str = "offer.commit";
    const SUMMARY: &'static str = "A lender commits to a sealed offer before the close";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let request = at.named::<Request>(self.request)?;
        Ok(Some(Stake {
            currency: request.currency,
            fen: request.face,
        }))
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let request = bidder::asked(at, self.request, Bidding::Sealed)?.taking_offers(at.time)?;
        bidder::check_first(at, request)?;

        let draft = bidder::offered(at, request, OfferState::Committed(self.commitment));
        Ok(draft.done())
    }
}
