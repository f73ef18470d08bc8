//! `obligation.waive`: a creditor gives up what is still owed to it.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::Obligation;
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Fen, ObligationId};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Waive {
    /// The obligation.
    pub obligation: ObligationId,
}

impl Operation for Waive {
    const NAME: &'static str = "obligation.waive";
    const SUMMARY: &'static str = "A creditor waives what an obligation still owes it";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let owed = at.named::<Obligation>(self.obligation)?;
        Ok(Some(Stake {
            currency: owed.currency,
            fen: owed.outstanding(),
        }))
    }

    /// An announced leg does not bar it: what comes in on it is owed back, as whenever nothing is owed any more.
    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let owed = at.named::<Obligation>(self.obligation)?;
        ensure(at.by == owed.to, || {
            Refusal::new(
                "obligation.not_creditor",
                "only its creditor waives an obligation",
            )
            .input("obligation", owed.id)
        })?;
        let outstanding = owed.outstanding();
        ensure(outstanding > Fen::ZERO, || {
            Refusal::new(
                "obligation.nothing_owed",
                "nothing is owed on the obligation any more",
            )
            .input("obligation", owed.id)
        })?;

        let mut draft = at.draft();
        let waived = owed
            .waived
            .checked_add(outstanding)
            .expect("what is waived is part of the amount");
        draft.edit::<Obligation>(owed.id).waived = waived;
        draft.tell(owed.from);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Discharge, ObligationKind};
    use crate::domain::testing::money::banked;
    use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, TAX, World, fen, id};
    use crate::domain::values::LegId;

    const LATE: ObligationKind = ObligationKind::LateInterest;
    const REFUND: ObligationKind = ObligationKind::Refund;

    /// Paid twelve days late, whole: the hospital owes the supplier 900.00 of interest.
    fn owing() -> (World, LegId, ObligationId) {
        let (mut world, receivable) = banked();
        world.on("2026-08-19");
        let pays = [Discharge::Receivable(receivable)];
        let leg = world.paid(HOSPITAL, SUPPLIER, "150000.00", &pays);
        let obligation = world.owed(LATE);
        (world, leg, obligation)
    }

    #[test]
    fn nothing_is_owed_and_its_two_parties_are_told() {
        let (mut world, _, obligation) = owing();
        let effects = world.effects(SUPPLIER, Waive { obligation });
        assert_eq!(effects.audience, [HOSPITAL, SUPPLIER].map(id).into());
        world.act(SUPPLIER, Waive { obligation });
        assert_eq!(world.owing(), vec![]);
        let again = world.refusal(SUPPLIER, Waive { obligation });
        assert_eq!(again.rule, "obligation.nothing_owed");
    }

    #[rstest]
    #[case::its_debtor(HOSPITAL, "obligation.not_creditor")]
    #[case::an_authority(TAX, "obligation.not_creditor")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn only_its_creditor_waives_it(#[case] by: &str, #[case] rule: &str) {
        let (mut world, _, obligation) = owing();
        assert_eq!(world.refusal(by, Waive { obligation }).rule, rule);
    }

    #[test]
    fn what_was_paid_on_it_stays_paid_and_revives_when_it_is_returned() {
        let (mut world, _, obligation) = owing();
        let pays = [Discharge::Obligation(obligation)];
        let part = world.paid(HOSPITAL, SUPPLIER, "400.00", &pays);
        world.act(SUPPLIER, Waive { obligation });
        assert_eq!(world.owing(), vec![]);
        world.returned(part);
        let revived = (LATE, HOSPITAL, SUPPLIER, fen("400.00"));
        assert_eq!(world.owing(), vec![revived]);
        world.act(SUPPLIER, Waive { obligation });
        assert_eq!(world.owing(), vec![]);
    }

    #[test]
    fn a_payment_announced_before_is_owed_back() {
        let (mut world, _, obligation) = owing();
        let pays = [Discharge::Obligation(obligation)];
        let leg = world.announced(HOSPITAL, SUPPLIER, "900.00", &pays);
        world.act(SUPPLIER, Waive { obligation });
        world.attested(leg);
        let refund = (REFUND, SUPPLIER, HOSPITAL, fen("900.00"));
        assert_eq!(world.owing(), vec![refund]);
    }

    #[test]
    fn it_ends_with_the_leg_that_made_it() {
        let (mut world, leg, obligation) = owing();
        world.act(SUPPLIER, Waive { obligation });
        world.returned(leg);
        assert_eq!(world.owing(), vec![]);
    }
}
