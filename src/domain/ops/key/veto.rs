//! `key.veto`: an admin key stops a change of its party's keys or policy that has not taken effect.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{KeyChange, Party, PartyKey};
use crate::domain::operation::{Asked, Consents, Operation};
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::{Instant, OpId, PublicKey};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Veto {
    /// The operation that asked for the change: `key.add`, `key.revoke`, `key.recover` or `policy.set`.
    pub operation: OpId,
}

impl Operation for Veto {
    const NAME: &'static str = "key.veto";
    const SUMMARY: &'static str = "An admin key stops a change of keys or policy that still waits";

    /// Any admin key, whatever the policy: a veto must not wait for those whose keys are in question.
    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            own: Asked::OneAdmin,
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let mut pending = at.actor()?.pending(at.time);
        let waits = pending.find(|change| change.op == self.operation);
        let change = *waits.ok_or_else(|| {
            Refusal::new(
                "key.not_pending",
                "no change of this party's keys or policy by that operation waits for its effect",
            )
            .input("operation", self.operation)
        })?;

        let mut draft = at.draft();
        let party = draft.edit::<Party>(at.by);
        match change.change {
            KeyChange::Add(key) => end(party, key, Some(change.effective)),
            KeyChange::Revoke(key) => end(party, key, None),
            KeyChange::Policy => party.policies.retain(|dated| dated.op != change.op),
            KeyChange::Recover(key) => {
                party.recovered.retain(|at| *at != change.effective);
                end(party, key, Some(change.effective));
            }
        }
        let changes = party.changes.iter_mut();
        changes
            .filter(|asked| asked.op == change.op)
            .for_each(|asked| asked.vetoed = true);
        Ok(draft.done())
    }
}

fn end(party: &mut Party, key: PublicKey, until: Option<Instant>) {
    let keys = party.keys.iter_mut();
    keys.filter(|own: &&mut PartyKey| own.key == key)
        .for_each(|own| own.until = until);
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::keys::{ADMIN, MAKER, adding};
    use crate::domain::testing::{HOSPITAL, SUPPLIER, World};

    const LI: &str = "x:li";
    const WANG: &str = "x:wang";
    const XU: &str = "x:xu";

    /// The supplier, with a second admin and a maker, has asked for another key.
    fn given() -> (World, Veto) {
        let mut world = World::new();
        world.keyed(SUPPLIER, &[(LI, ADMIN), (WANG, MAKER)]);
        let operation = world.act(SUPPLIER, adding(XU, ADMIN));
        (world, Veto { operation })
    }

    #[rstest]
    #[case::another_admin(0, SUPPLIER, LI, Ok(()))]
    #[case::who_asked(0, SUPPLIER, SUPPLIER, Ok(()))]
    #[case::a_minute_before_the_effect(24 * 60 - 1, SUPPLIER, LI, Ok(()))]
    #[case::at_the_effect(24 * 60, SUPPLIER, LI, Err("key.not_pending"))]
    #[case::a_maker(0, SUPPLIER, WANG, Err("signature.missing"))]
    #[case::the_new_key(0, SUPPLIER, XU, Err("key.unknown"))]
    #[case::another_party(0, HOSPITAL, HOSPITAL, Err("key.not_pending"))]
    fn an_admin_key_of_the_party_stops_a_change_before_its_effect(
        #[case] minutes: i64,
        #[case] by: &str,
        #[case] key: &str,
        #[case] expected: Result<(), &str>,
    ) {
        let (mut world, veto) = given();
        world.time = world.time.plus_minutes(minutes);
        assert_eq!(world.signed(by, &[key], veto).map(|_| ()), expected);
    }

    #[test]
    fn a_change_is_vetoed_once() {
        let (mut world, veto) = given();
        let operation = veto.operation;
        world.act(SUPPLIER, veto);
        let again = world.refusal(SUPPLIER, Veto { operation });
        assert_eq!(again.rule, "key.not_pending");
    }
}
