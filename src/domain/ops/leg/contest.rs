//! `leg.contest`: a payee says that an announced transfer is not what it seems; from then on only its bank attests it.

use serde::{Deserialize, Serialize};

use super::tell_all;
use crate::domain::head::Head;
use crate::domain::objects::Leg;
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::LegId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contest {
    /// The leg.
    pub leg: LegId,
}

impl Operation for Contest {
    const NAME: &'static str = "leg.contest";
    const SUMMARY: &'static str = "A payee contests an announced transfer";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let leg = at.named::<Leg>(self.leg)?;
        ensure(at.by == leg.payee, || {
            Refusal::new("leg.not_payee", "only its payee contests a leg").input("leg", leg.id)
        })?;
        leg.announced()?;
        ensure(leg.is_live(at.time), || {
            Refusal::new("leg.lapsed", "the leg has lapsed").input("leg", leg.id)
        })?;
        ensure(!leg.contested, || {
            Refusal::new("leg.contested", "the leg is contested already").input("leg", leg.id)
        })?;

        let mut draft = at.draft();
        tell_all(&mut draft, leg);
        draft.edit::<Leg>(leg.id).contested = true;
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::Discharge;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::{HOSPITAL, OTHER_BANK, STRANGER, SUPPLIER, World, id};

    fn announced() -> (World, LegId) {
        let (mut world, receivable) = banked();
        let pays = [Discharge::Receivable(receivable)];
        let leg = world.announced(HOSPITAL, SUPPLIER, "50000.00", &pays);
        (world, leg)
    }

    #[test]
    fn all_whom_the_leg_concerns_are_told() {
        let (mut world, leg) = announced();
        let told = world.effects(SUPPLIER, Contest { leg }).audience;
        assert_eq!(told, [HOSPITAL, SUPPLIER, OTHER_BANK].map(id).into());
    }

    #[rstest]
    #[case::its_payer(HOSPITAL, "leg.not_payee")]
    #[case::its_bank(OTHER_BANK, "leg.not_payee")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn only_its_payee_contests_a_leg(#[case] by: &str, #[case] rule: &str) {
        let (mut world, leg) = announced();
        assert_eq!(world.refusal(by, Contest { leg }).rule, rule);
    }

    #[test]
    fn it_is_contested_once_while_it_is_live() {
        let (mut world, leg) = announced();
        let mut contested = world.clone();
        contested.act(SUPPLIER, Contest { leg });
        assert_eq!(
            contested.refusal(SUPPLIER, Contest { leg }).rule,
            "leg.contested"
        );
        let mut attested = world.clone();
        attested.attested(leg);
        assert_eq!(
            attested.refusal(SUPPLIER, Contest { leg }).rule,
            "leg.not_announced"
        );
        world.time = world.get::<Leg>(leg).lapses;
        assert_eq!(world.refusal(SUPPLIER, Contest { leg }).rule, "leg.lapsed");
    }
}
