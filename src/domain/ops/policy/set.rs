//! `policy.set`: a party says which of its persons must sign what, a day later unless an admin key vetoes it.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{DatedPolicy, KeyChange, Party};
use crate::domain::operation::{Asked, Consents, Operation};
use crate::domain::ops::key::{ask, changeable, effective, lasting};
use crate::domain::policy::{Policy, PolicyRule};
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The rules, which replace all earlier ones; with none, a maker or admin key signs again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<PolicyRule>,
}

impl Operation for Set {
    const NAME: &'static str = "policy.set";
    const SUMMARY: &'static str =
        "A party sets which of its persons sign what, after 24 hours unless vetoed";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            own: Asked::Highest,
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let party = changeable(at)?;
        let policy = Policy::new(at, self.rules.clone(), &lasting(party, at.time))?;
        let from = effective(at);

        let mut draft = at.draft();
        ask(&mut draft, at.by, from, KeyChange::Policy)?;
        let policies = &mut draft.edit::<Party>(at.by).policies;
        let in_force = policies.iter().rposition(|dated| dated.from <= at.time);
        policies.drain(..in_force.unwrap_or(0));
        policies.push(DatedPolicy {
            from,
            op: at.op,
            policy,
        });
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::key::veto::Veto;
    use crate::domain::testing::keys::{ADMIN, CHECKER, MAKER, rules};
    use crate::domain::testing::{SUPPLIER, World};

    const LI: &str = "x:li";
    const WANG: &str = "x:wang";
    const TWO: &str =
        r#"[{"bands":[{"keys":[{"power":"maker","count":1},{"power":"checker","count":1}]}]}]"#;

    fn given() -> World {
        let mut world = World::new();
        world.keyed(SUPPLIER, &[(LI, MAKER), (WANG, CHECKER)]);
        world
    }

    fn set(json: &str) -> Set {
        Set { rules: rules(json) }
    }

    #[rstest]
    #[case::a_minute_before(-1, Ok(()))]
    #[case::a_day_later(0, Err("signature.missing"))]
    fn a_policy_binds_24_hours_after_it_was_set(
        #[case] minutes: i64,
        #[case] expected: Result<(), &str>,
    ) {
        let mut world = given();
        world.act(SUPPLIER, set(TWO));
        world.time = world.time.plus_hours(24).plus_minutes(minutes);
        assert_eq!(
            world.signed(SUPPLIER, &[SUPPLIER], set("[]")).map(|_| ()),
            expected
        );
    }

    /// Key and policy changes satisfy the old policy's highest band.
    #[rstest]
    #[case::maker_and_checker_without_admin(&[LI, WANG], Err("signature.missing"))]
    #[case::admin_and_maker(&[SUPPLIER, LI], Err("signature.missing"))]
    #[case::admin_maker_and_checker(&[SUPPLIER, LI, WANG], Ok(()))]
    #[case::an_admin_who_also_makes_and_a_checker(&[SUPPLIER, WANG], Ok(()))]
    fn a_change_takes_an_admin_and_what_the_old_policy_asks_at_most(
        #[case] names: &[&str],
        #[case] expected: Result<(), &str>,
    ) {
        let mut world = given();
        world.ruled(SUPPLIER, TWO);
        assert_eq!(
            world.signed(SUPPLIER, names, set("[]")).map(|_| ()),
            expected
        );
    }

    #[test]
    fn a_vetoed_policy_never_binds() {
        let mut world = given();
        let operation = world.act(SUPPLIER, set(TWO));
        world.act(SUPPLIER, Veto { operation });
        world.later_by_hours(48);
        world.act(SUPPLIER, set(TWO));
    }

    #[test]
    fn a_later_policy_takes_the_place_of_an_earlier_one() {
        let mut world = given();
        world.ruled(SUPPLIER, TWO);
        let names = [SUPPLIER, WANG];
        assert!(world.signed(SUPPLIER, &names, set("[]")).is_ok());
        world.later_by_hours(24);
        world.act(SUPPLIER, set(TWO));
        assert_eq!(world.party(SUPPLIER).policies.len(), 2);
    }

    #[rstest]
    #[case::two_checkers_where_there_is_one(
        r#"[{"bands":[{"keys":[{"power":"checker","count":2}]}]}]"#,
        "policy.unmeetable"
    )]
    #[case::a_low_band_that_nobody_meets(
        r#"[{"bands":[{"up_to":{"currency":"CNY","amount":"1.00"},"keys":[{"power":"checker","count":2}]},
                      {"keys":[{"power":"maker","count":1}]}]}]"#, "policy.unmeetable")]
    #[case::no_band(r#"[{"bands":[]}]"#, "policy.bands")]
    #[case::bounded_above(
        r#"[{"bands":[{"up_to":{"currency":"CNY","amount":"1.00"},"keys":[{"power":"maker","count":1}]}]}]"#,
        "policy.bands")]
    #[case::unbounded_before_the_last(
        r#"[{"bands":[{"keys":[{"power":"maker","count":1}]},{"keys":[{"power":"maker","count":1}]}]}]"#,
        "policy.bands")]
    #[case::falling(
        r#"[{"bands":[{"up_to":{"currency":"CNY","amount":"2.00"},"keys":[{"power":"maker","count":1}]},
                      {"up_to":{"currency":"CNY","amount":"2.00"},"keys":[{"power":"maker","count":1}]},
                      {"keys":[{"power":"maker","count":1}]}]}]"#, "policy.bands")]
    #[case::too_fine(
        r#"[{"bands":[{"up_to":{"currency":"CNY","amount":"2.001"},"keys":[{"power":"maker","count":1}]},
                      {"keys":[{"power":"maker","count":1}]}]}]"#, "amount.decimals")]
    #[case::nobody(r#"[{"bands":[{"keys":[]}]}]"#, "policy.keys")]
    #[case::none_of_a_power(
        r#"[{"bands":[{"keys":[{"power":"maker","count":0}]}]}]"#,
        "policy.keys"
    )]
    #[case::sealers(
        r#"[{"bands":[{"keys":[{"power":"seal","count":1}]}]}]"#,
        "policy.keys"
    )]
    #[case::a_power_twice(
        r#"[{"bands":[{"keys":[{"power":"maker","count":1},{"power":"maker","count":1}]}]}]"#,
        "policy.keys"
    )]
    #[case::nine(
        r#"[{"bands":[{"keys":[{"power":"maker","count":9}]}]}]"#,
        "policy.keys"
    )]
    #[case::an_operation_twice(
        r#"[{"operations":["limit.set"],"bands":[{"keys":[{"power":"maker","count":1}]}]},
            {"operations":["limit.set"],"bands":[{"keys":[{"power":"maker","count":1}]}]}]"#,
        "policy.rules"
    )]
    #[case::unsorted(
        r#"[{"operations":["limit.set","leg.attest"],"bands":[{"keys":[{"power":"maker","count":1}]}]}]"#,
        "policy.rules")]
    #[case::the_general_rule_first(
        r#"[{"bands":[{"keys":[{"power":"maker","count":1}]}]},
            {"operations":["limit.set"],"bands":[{"keys":[{"power":"maker","count":1}]}]}]"#,
        "policy.rules"
    )]
    fn refused(#[case] json: &str, #[case] rule: &str) {
        assert_eq!(given().refusal(SUPPLIER, set(json)).rule, rule);
    }

    #[test]
    fn an_operation_that_there_is_not_cannot_be_named() {
        let json = r#"[{"operations":["limit.sett"],"bands":[]}]"#;
        assert!(serde_json::from_str::<Vec<PolicyRule>>(json).is_err());
    }

    #[test]
    fn an_admin_key_is_no_part_of_what_may_be_missing() {
        let mut world = given();
        world.keyed(SUPPLIER, &[("x:xu", ADMIN)]);
        assert_eq!(
            world.signed(SUPPLIER, &[LI], set("[]")),
            Err("signature.missing")
        );
    }
}
