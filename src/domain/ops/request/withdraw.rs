//! `request.withdraw`: the requester asks no more, and the fens are free again.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Disposition, Request, RequestState};
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::RequestId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The request.
    pub request: RequestId,
}

impl Operation for Withdraw {
    const NAME: &'static str = "request.withdraw";
    const SUMMARY: &'static str = "The requester withdraws its request";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let request = at.named::<Request>(self.request)?.live(at.time)?;
        ensure(request.requester == at.by, || {
            Refusal::new(
                "request.not_requester",
                "a request is withdrawn by its requester",
            )
            .input("request", request.id)
        })?;
        let mut draft = at.draft();
        draft.edit::<Request>(request.id).state = RequestState::Withdrawn(at.time);
        draft.unlock(&request.addresses, Disposition::Request(request.id));
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::Bidding;
    use crate::domain::testing::trade::{fens_of, terms_of};
    use crate::domain::testing::{LENDER, MAKER, SUPPLIER, World};
    use crate::domain::values::ReceivableId;

    fn given() -> (World, ReceivableId, RequestId) {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        let fens = fens_of(receivable, 0, 60_000_000);
        let request = world.requested(fens, Bidding::Visible);
        (world, receivable, request)
    }

    #[test]
    fn the_fens_are_free_again() {
        let (mut world, receivable, request) = given();
        world.act(SUPPLIER, Withdraw { request });
        assert_eq!(world.runs(receivable).len(), 1);
        world.requested(fens_of(receivable, 0, 60_000_000), Bidding::Sealed);
    }

    #[test]
    fn an_offer_of_it_is_lost() {
        let (mut world, _, request) = given();
        world.limited(LENDER, "1000000.00");
        let terms = terms_of(world.get_request(request));
        let offer = world.offered(LENDER, request, terms);
        world.act(SUPPLIER, Withdraw { request });
        let accept = crate::domain::ops::offer::accept::Accept { offer };
        assert_eq!(world.refusal(SUPPLIER, accept).rule, "request.ended");
    }

    #[rstest]
    #[case::a_lender_that_reads_it(LENDER, "request.not_requester")]
    #[case::a_stranger(MAKER, "unknown_object")]
    fn only_its_requester_withdraws_it(#[case] by: &str, #[case] rule: &str) {
        let (mut world, _, request) = given();
        assert_eq!(world.refusal(by, Withdraw { request }).rule, rule);
    }

    #[rstest]
    #[case::withdrawn(|world: &mut World, request| _ = world.act(SUPPLIER, Withdraw { request }))]
    #[case::ended(|world: &mut World, _| _ = world.later_by_hours(4 * 24))]
    fn an_ended_request_is_not_withdrawn(#[case] end: fn(&mut World, RequestId)) {
        let (mut world, _, request) = given();
        end(&mut world, request);
        let refusal = world.refusal(SUPPLIER, Withdraw { request });
        assert_eq!(refusal.rule, "request.ended");
    }
}
