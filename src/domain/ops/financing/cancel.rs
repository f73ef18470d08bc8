//! `financing.cancel`: lender or requester gives a financing up before its money is announced.

use serde::{Deserialize, Serialize};

use crate::domain::absorb::absorb_again;
use crate::domain::head::Head;
use crate::domain::objects::{Financing, FinancingState};
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::FinancingId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The financing.
    pub financing: FinancingId,
}

impl Operation for Cancel {
    const NAME: &'static str = "financing.cancel";
    const SUMMARY: &'static str =
        "Lender or requester cancels a financing before a leg is announced";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let financing = at.named::<Financing>(self.financing)?.unfunded(at.time)?;
        ensure(
            [financing.lender, financing.requester].contains(&at.by),
            || {
                Refusal::new(
                    "financing.not_party",
                    "a financing is cancelled by its lender or its requester",
                )
                .input("financing", financing.id)
            },
        )?;
        let mut draft = at.draft();
        ensure(draft.waits_for_a_leg(financing.id), || {
            Refusal::new(
                "financing.announced",
                "a leg is announced for the financing",
            )
            .input("financing", financing.id)
            .remedy("the leg is attested, or lapses")
        })?;
        draft.end_financing(financing.id, FinancingState::Cancelled(at.time));
        // A leg that lapsed may have kept a credit from the fens.
        absorb_again(&mut draft);
        draft.tell(financing.lender);
        draft.tell(financing.requester);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Discharge, Leg};
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{FACTOR, HOSPITAL, LENDER, SUPPLIER, TAX, World, id, wire};
    use crate::domain::values::ReceivableId;

    fn accepted() -> (World, ReceivableId, FinancingId) {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        let financing = world.financing(fens_of(receivable, 0, 60_000_000));
        (world, receivable, financing)
    }

    #[rstest]
    #[case::by_its_lender(LENDER)]
    #[case::by_its_requester(SUPPLIER)]
    fn lock_and_limit_are_free_again(#[case] by: &str) {
        let (mut world, receivable, financing) = accepted();
        let effects = world.effects(by, Cancel { financing });
        assert_eq!(effects.audience, [id(LENDER), id(SUPPLIER)].into());
        world.act(by, Cancel { financing });
        assert_eq!(world.runs(receivable).len(), 1);
        assert!(world.get_limit(LENDER, None).blocks.is_empty());
        world.financing(fens_of(receivable, 0, 60_000_000));
    }

    #[test]
    fn an_announced_leg_holds_it_until_it_lapses() {
        let (mut world, receivable) = banked();
        let financing = world.financing(fens_of(receivable, 0, 5_000_000));
        let disbursement = Discharge::Financing(financing);
        let leg = world.announced(LENDER, SUPPLIER, "49613.33", &[disbursement]);
        let refusal = world.refusal(SUPPLIER, Cancel { financing });
        assert_eq!(refusal.rule, "financing.announced");
        world.time = world.get::<Leg>(leg).lapses;
        world.act(SUPPLIER, Cancel { financing });
    }

    #[rstest]
    #[case::another_lender(FACTOR, "unknown_object")]
    #[case::the_debtor(HOSPITAL, "unknown_object")]
    #[case::an_auditor(TAX, "financing.not_party")]
    fn nobody_else_cancels(#[case] by: &str, #[case] rule: &str) {
        let (mut world, _, financing) = accepted();
        assert_eq!(world.refusal(by, Cancel { financing }).rule, rule);
    }

    #[rstest]
    #[case::cancelled(|world: &mut World, financing| _ = world.act(LENDER, Cancel { financing }))]
    #[case::ended(|world: &mut World, _| world.time = wire("2026-06-10T16:00:00Z"))]
    fn an_ended_financing_is_not_cancelled(#[case] end: fn(&mut World, FinancingId)) {
        let (mut world, _, financing) = accepted();
        end(&mut world, financing);
        let refusal = world.refusal(SUPPLIER, Cancel { financing });
        assert_eq!(refusal.rule, "financing.not_open");
    }
}
