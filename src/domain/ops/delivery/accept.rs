//! `delivery.accept`: the debtor accepts a delivery before silence does.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Acceptance, Delivery};
use crate::domain::operation::Operation;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::DeliveryId;

use super::answerable;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The delivery.
    pub delivery: DeliveryId,
}

impl Operation for Accept {
    const NAME: &'static str = "delivery.accept";
    const SUMMARY: &'static str = "The debtor accepts a delivery";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let delivery = answerable(at, self.delivery)?;

        let mut draft = at.draft();
        draft.tell(delivery.supplier);
        draft.edit::<Delivery>(delivery.id).acceptance = Acceptance::Accepted { on: at.today()? };
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::delivery::reject::Reject;
    use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, World, wire};

    /// Delivered on 2026-06-01: it counts as accepted on 2026-06-08.
    fn delivered() -> (World, DeliveryId) {
        let mut world = World::new();
        let contract = world.contract();
        let delivery = world.delivery(contract, "100.00");
        (world, delivery)
    }

    fn reject(delivery: DeliveryId) -> Reject {
        Reject {
            delivery,
            reason: wire("two of ten pumps leak"),
        }
    }

    #[test]
    fn the_debtor_accepts_on_the_day_it_says_so() {
        let (mut world, delivery) = delivered();
        world.on("2026-06-03").act(HOSPITAL, Accept { delivery });
        let accepted = world.get::<Delivery>(delivery).accepted_on();
        assert_eq!(accepted, Some(wire("2026-06-03")));
    }

    #[test]
    fn a_rejected_delivery_starts_no_clock() {
        let (mut world, delivery) = delivered();
        world.act(HOSPITAL, reject(delivery));
        assert_eq!(world.get::<Delivery>(delivery).accepted_on(), None);
    }

    #[test]
    fn it_is_answered_until_the_inspection_period_has_passed() {
        let (mut world, delivery) = delivered();
        world.on("2026-06-08");
        world.effects(HOSPITAL, Accept { delivery });
        world.effects(HOSPITAL, reject(delivery));
        world.on("2026-06-09");
        let accepting = world.refusal(HOSPITAL, Accept { delivery });
        let rejecting = world.refusal(HOSPITAL, reject(delivery));
        assert_eq!(
            [accepting.rule, rejecting.rule],
            ["delivery.deemed", "delivery.deemed"]
        );
    }

    #[test]
    fn it_is_answered_once() {
        let (mut world, delivery) = delivered();
        world.act(HOSPITAL, reject(delivery));
        assert_eq!(
            world.refusal(HOSPITAL, Accept { delivery }).rule,
            "delivery.answered"
        );
        let (mut world, delivery) = delivered();
        world.act(HOSPITAL, Accept { delivery });
        assert_eq!(
            world.refusal(HOSPITAL, reject(delivery)).rule,
            "delivery.answered"
        );
    }

    #[rstest]
    #[case::its_supplier(SUPPLIER, "delivery.not_debtor")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_the_debtors(#[case] by: &str, #[case] rule: &str) {
        let (mut world, delivery) = delivered();
        assert_eq!(world.refusal(by, Accept { delivery }).rule, rule);
        assert_eq!(world.refusal(by, reject(delivery)).rule, rule);
    }
}
