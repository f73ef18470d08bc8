//! `key.add`: a party brings in a key, live a day later unless an admin key vetoes it.

use serde::{Deserialize, Serialize};

use super::{ask, changeable, check_powers, check_room, effective, untaken};
use crate::domain::head::Head;
use crate::domain::objects::{KeyChange, Party};
use crate::domain::operation::{Asked, Consents, Operation};
use crate::domain::ops::ledger::create::KeyGrant;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The key, which signs this envelope too.
    pub key: KeyGrant,
}

impl Operation for Add {
    const NAME: &'static str = "key.add";
    const SUMMARY: &'static str = "A party adds a key, live after 24 hours unless vetoed";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            new_keys: vec![self.key.key],
            own: Asked::Highest,
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let party = changeable(at)?;
        untaken(at, self.key.key)?;
        let key = self.key.grant(effective(at))?;
        check_powers(party, &key)?;
        check_room(party, at.time)?;

        let mut draft = at.draft();
        ask(&mut draft, at.by, key.from, KeyChange::Add(key.key))?;
        draft.edit::<Party>(at.by).keys.push(key);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::key::revoke::Revoke;
    use crate::domain::ops::key::veto::Veto;
    use crate::domain::testing::keys::{ADMIN, CHECKER, MAKER, adding, named};
    use crate::domain::testing::{HOSPITAL, OPERATOR, STRANGER, SUPPLIER, World, id, key_of};
    use crate::domain::values::{Power, PublicKey};

    const LI: &str = "x:li";

    #[rstest]
    #[case::a_minute_before(-1, Err("key.unknown"))]
    #[case::a_day_later(0, Ok(()))]
    fn a_key_signs_24_hours_after_it_was_added(
        #[case] minutes: i64,
        #[case] expected: Result<(), &str>,
    ) {
        let mut world = World::new();
        world.act(SUPPLIER, adding(LI, ADMIN));
        world.time = world.time.plus_hours(24).plus_minutes(minutes);
        let next = world.signed(SUPPLIER, &[LI, "x:wang"], adding("x:wang", MAKER));
        assert_eq!(next.map(|_| ()), expected);
    }

    #[test]
    fn a_vetoed_key_never_signs() {
        let mut world = World::new();
        let operation = world.act(SUPPLIER, adding(LI, ADMIN));
        world.act(SUPPLIER, Veto { operation });
        world.later_by_hours(48);
        let refused = world.signed(SUPPLIER, &[LI], Veto { operation });
        assert_eq!(refused, Err("key.unknown"));
        assert_eq!(world.refusal(STRANGER, adding(LI, ADMIN)).rule, "key.taken");
    }

    #[rstest]
    #[case::own_key(SUPPLIER, |add: &mut Add| add.key.key = key_of(id(SUPPLIER)), "key.taken")]
    #[case::anothers_key(SUPPLIER, |add: &mut Add| add.key.key = key_of(id(HOSPITAL)), "key.taken")]
    #[case::the_ledgers_key(SUPPLIER, |add: &mut Add| add.key.key = PublicKey([7; 32]), "key.taken")]
    #[case::no_power(SUPPLIER, |add: &mut Add| add.key.powers = vec![], "key.powers")]
    #[case::seal(SUPPLIER, |add: &mut Add| add.key.powers = vec![Power::Seal], "key.powers")]
    #[case::the_operators_seal_and_more(
        OPERATOR, |add: &mut Add| add.key.powers = vec![Power::Maker, Power::Seal], "key.powers")]
    fn refused(#[case] by: &str, #[case] spoil: fn(&mut Add), #[case] rule: &str) {
        let mut body = adding(LI, MAKER);
        spoil(&mut body);
        assert_eq!(World::new().refusal(by, body).rule, rule);
    }

    #[test]
    fn the_operator_may_have_a_key_that_only_seals() {
        World::new().act(OPERATOR, adding(LI, &[Power::Seal]));
    }

    #[test]
    fn a_new_key_proves_possession() {
        let mut world = World::new();
        world.new_keys_sign = false;
        assert_eq!(
            world.refusal(SUPPLIER, adding(LI, MAKER)).rule,
            "key.possession"
        );
    }

    #[test]
    fn an_admin_key_adds_keys() {
        let mut world = World::new();
        world.keyed(SUPPLIER, &[(LI, MAKER)]);
        let refused = world.signed(SUPPLIER, &[LI], adding("x:wang", CHECKER));
        assert_eq!(refused, Err("signature.missing"));
    }

    #[test]
    fn sixteen_changes_wait_at_a_time_and_a_party_has_sixty_four_keys() {
        let mut world = World::new();
        let numbered = |n: usize| adding(&format!("x:k{n}"), MAKER);
        for n in 1..64 {
            if n > 1 && n % 16 == 1 {
                let refused = world.refusal(SUPPLIER, numbered(n)).rule;
                assert_eq!(refused, "key.many_changes", "after {n}");
                world.later_by_hours(24);
            }
            world.act(SUPPLIER, numbered(n));
        }
        world.later_by_hours(24);
        assert_eq!(world.refusal(SUPPLIER, numbered(64)).rule, "key.many");
        world.act(SUPPLIER, Revoke { key: named("x:k1") });
        world.later_by_hours(24);
        world.act(SUPPLIER, numbered(64));
    }
}
