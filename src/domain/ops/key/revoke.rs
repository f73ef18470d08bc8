//! `key.revoke`: a party ends one of its keys, a day later unless an admin key vetoes it.

use serde::{Deserialize, Serialize};

use super::{ask, changeable, effective, lasting};
use crate::domain::head::Head;
use crate::domain::objects::{KeyChange, Party};
use crate::domain::operation::{Asked, Consents, Operation};
use crate::domain::policy::Policy;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::PublicKey;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The key.
    pub key: PublicKey,
}

impl Operation for Revoke {
    const NAME: &'static str = "key.revoke";
    const SUMMARY: &'static str = "A party ends one of its keys after 24 hours unless vetoed";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            own: Asked::Highest,
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let party = changeable(at)?;
        let mut left = lasting(party, at.time);
        let before = left.len();
        left.retain(|key| key.key != self.key);
        ensure(left.len() < before, || {
            Refusal::new(
                "key.not_live",
                "the party has no such live key that is not ending already",
            )
            .input("keyid", self.key)
            .remedy("a key that is not live yet is stopped by key.veto")
        })?;
        // None may leave a policy that live keys cannot meet: neither the one in force nor one that waits.
        Policy::default().check_met_by(&left)?;
        party
            .policies_from(at.time)
            .try_for_each(|policy| policy.check_met_by(&left))?;

        let end = effective(at);
        let mut draft = at.draft();
        ask(&mut draft, at.by, end, KeyChange::Revoke(self.key))?;
        let keys = draft.edit::<Party>(at.by).keys.iter_mut();
        keys.filter(|key| key.key == self.key)
            .for_each(|key| key.until = Some(end));
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::key::veto::Veto;
    use crate::domain::ops::policy::set::Set;
    use crate::domain::testing::keys::{ADMIN, CHECKER, MAKER, adding, named, rules};
    use crate::domain::testing::{HOSPITAL, SUPPLIER, World, id, key_of};

    const LI: &str = "x:li";
    const WANG: &str = "x:wang";
    const CHECKED: &str = r#"[{"bands":[{"keys":[{"power":"checker","count":1}]}]}]"#;

    /// The supplier with a second admin key and one that checks.
    fn given() -> World {
        let mut world = World::new();
        world.keyed(SUPPLIER, &[(LI, ADMIN), (WANG, CHECKER)]);
        world
    }

    #[rstest]
    #[case::a_minute_before(-1, Ok(()))]
    #[case::a_day_later(0, Err("key.unknown"))]
    fn a_key_signs_until_24_hours_after_it_was_revoked(
        #[case] minutes: i64,
        #[case] expected: Result<(), &str>,
    ) {
        let mut world = given();
        world.act(SUPPLIER, Revoke { key: named(LI) });
        world.time = world.time.plus_hours(24).plus_minutes(minutes);
        let next = world.signed(SUPPLIER, &[LI, "x:xu"], adding("x:xu", MAKER));
        assert_eq!(next.map(|_| ()), expected);
    }

    #[test]
    fn a_vetoed_revocation_does_nothing() {
        let mut world = given();
        let operation = world.act(SUPPLIER, Revoke { key: named(LI) });
        assert!(world.signed(SUPPLIER, &[LI], Veto { operation }).is_ok());
        world.later_by_hours(48);
        let next = world.signed(SUPPLIER, &[LI, "x:xu"], adding("x:xu", MAKER));
        assert!(next.is_ok());
    }

    #[rstest]
    #[case::of_another_party(|_: &mut World| (), key_of(id(HOSPITAL)), "key.not_live")]
    #[case::unknown(|_: &mut World| (), named("x:nobody"), "key.not_live")]
    #[case::not_live_yet(
        |world: &mut World| { world.act(SUPPLIER, adding("x:xu", MAKER)); }, named("x:xu"), "key.not_live")]
    #[case::ending_already(
        |world: &mut World| { world.act(SUPPLIER, Revoke { key: named(LI) }); }, named(LI), "key.not_live")]
    #[case::the_last_admin_key(
        |world: &mut World| { world.act(SUPPLIER, Revoke { key: named(LI) }); },
        key_of(id(SUPPLIER)), "policy.unmeetable")]
    #[case::that_the_policy_to_come_needs(
        |world: &mut World| { world.act(SUPPLIER, Set { rules: rules(CHECKED) }); }, named(WANG), "policy.unmeetable")]
    fn refused(#[case] before: fn(&mut World), #[case] key: PublicKey, #[case] rule: &str) {
        let mut world = given();
        before(&mut world);
        assert_eq!(world.refusal(SUPPLIER, Revoke { key }).rule, rule);
    }

    #[test]
    fn no_key_goes_that_the_policy_in_force_needs() {
        let mut world = given();
        world.ruled(SUPPLIER, CHECKED);
        let names = [SUPPLIER, WANG];
        let refused = world.signed(SUPPLIER, &names, Revoke { key: named(WANG) });
        assert_eq!(refused, Err("policy.unmeetable"));
        assert!(
            world
                .signed(SUPPLIER, &names, Revoke { key: named(LI) })
                .is_ok()
        );
    }
}
