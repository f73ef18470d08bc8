//! `offer.withdraw`: a lender takes its offer back.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Bidding, Offer, OfferState, Request};
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::OfferId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::offer::accept::Accept;
    use crate::domain::ops::offer::commit::Commit;
    use crate::domain::testing::trade::{fens_of, terms_of};
    use crate::domain::testing::{FACTOR, LENDER, SUPPLIER, World, digest, id};
    use crate::domain::values::MadeId;

    fn offered() -> (World, OfferId) {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        let request = world.requested(fens_of(receivable, 0, 60_000_000), Bidding::Visible);
        world.limited(LENDER, "600000.00");
        let terms = terms_of(world.get_request(request));
        let offer = world.offered(LENDER, request, terms);
        (world, offer)
    }

    #[rstest]
    #[case::before_the_close(0)]
    #[case::behind_the_close(72)]
    fn a_visible_offer_is_free_until_it_is_accepted(#[case] hours: i64) {
        let (mut world, offer) = offered();
        world.later_by_hours(hours);
        let effects = world.effects(LENDER, Withdraw { offer });
        assert_eq!(effects.audience, [id(LENDER), id(SUPPLIER)].into());
        world.act(LENDER, Withdraw { offer });
        let refusal = world.refusal(SUPPLIER, Accept { offer });
        assert_eq!(refusal.rule, "offer.unavailable");
        let again = world.refusal(LENDER, Withdraw { offer });
        assert_eq!(again.rule, "offer.not_standing");
    }

    #[test]
    fn an_accepted_offer_binds() {
        let (mut world, offer) = offered();
        world.accepted(offer);
        let refusal = world.refusal(LENDER, Withdraw { offer });
        assert_eq!(refusal.rule, "request.ended");
    }

    /// What was committed to and taken back before the close was never a bid that the requester may know of.
    #[test]
    fn a_sealed_offer_that_was_withdrawn_stays_unknown_to_the_requester() {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        let request = world.requested(fens_of(receivable, 0, 60_000_000), Bidding::Sealed);
        let commit = Commit {
            request,
            commitment: digest("sealed"),
        };
        let offer = OfferId::of(&world.act(LENDER, commit), 0);
        world.act(LENDER, Withdraw { offer });
        world.time = world.get_request(request).revealed_by;
        let refusal = world.refusal(SUPPLIER, Accept { offer });
        assert_eq!(refusal.rule, "unknown_object");
    }

    #[rstest]
    #[case::the_requester(SUPPLIER, "offer.not_lender")]
    #[case::another_lender(FACTOR, "unknown_object")]
    fn only_its_lender_withdraws_it(#[case] by: &str, #[case] rule: &str) {
        let (mut world, offer) = offered();
        assert_eq!(world.refusal(by, Withdraw { offer }).rule, rule);
    }
}
