//! `ledger.rekey`: another key signs the ledger's checkpoints, from this entry on.

use serde::{Deserialize, Serialize};

use super::ledger_key;
use crate::domain::head::Head;
use crate::domain::operation::{Asked, Consents, Operation};
use crate::domain::ops::key::untaken;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::{Name, Role};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rekey {
    /// The C2SP verifier key of the checkpoints that cover this entry, named as the origin; its key signs this envelope too.
    pub new_vkey: Name,
}

impl Operation for Rekey {
    const NAME: &'static str = "ledger.rekey";
    const SUMMARY: &'static str =
        "The operator changes the key of the checkpoints, from this entry on";

    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            new_keys: vec![ledger_key(&self.new_vkey, at.origin)?.key],
            own: Asked::Highest,
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.with_role(Role::Operator)?;
        let ledger = at.ledger()?;
        let key = ledger_key(&self.new_vkey, &ledger.origin)?;
        untaken(at, key.key)?;

        let mut draft = at.draft();
        let mut changed = ledger.clone();
        // The entry of this number is the first that the new key covers.
        changed.keys.push(at.state.size + 1, key);
        draft.put_ledger(changed);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::keys::{MAKER, adding, named, vkey_of};
    use crate::domain::testing::{HOSPITAL, OPERATOR, SUPPLIER, World, id, key_of, wire};

    const NEXT: &str = "x:next";

    fn to(name: &str) -> Rekey {
        Rekey {
            new_vkey: vkey_of(named(name)),
        }
    }

    #[test]
    fn the_new_key_counts_for_what_covers_the_entry() {
        let mut world = World::new();
        let n = world.state.size;
        world.act(OPERATOR, to(NEXT));
        let keys = &world.state.ledger.as_ref().unwrap().keys;
        assert_eq!(keys.at(n).vkey.as_str(), crate::domain::testing::VKEY);
        assert_eq!(keys.at(n + 1).key, named(NEXT));
        let both: Vec<_> = keys.between(n, n + 1).map(|(_, key)| &key.vkey).collect();
        assert_eq!(both, [&keys.at(0).vkey, &keys.newest().vkey]);
    }

    #[rstest]
    #[case::by_another(HOSPITAL, to(NEXT), "party.role")]
    #[case::the_present_one(OPERATOR, Rekey { new_vkey: wire(crate::domain::testing::VKEY) }, "key.taken")]
    #[case::an_operators_key(OPERATOR, Rekey { new_vkey: vkey_of(key_of(id(OPERATOR))) }, "key.taken")]
    #[case::a_partys_key(OPERATOR, Rekey { new_vkey: vkey_of(key_of(id(SUPPLIER))) }, "key.taken")]
    #[case::of_another_name(OPERATOR, Rekey { new_vkey: wire("x+e8663b0f+AQcH") }, "ledger.vkey")]
    #[case::no_vkey(OPERATOR, Rekey { new_vkey: wire("drill.test/0123456789abcdef") }, "ledger.vkey")]
    fn refused(#[case] by: &str, #[case] body: Rekey, #[case] rule: &str) {
        assert_eq!(World::new().refusal(by, body).rule, rule);
    }

    #[test]
    fn an_earlier_key_never_comes_back() {
        let mut world = World::new();
        world.act(OPERATOR, to(NEXT));
        world.act(OPERATOR, to("x:third"));
        assert_eq!(world.refusal(OPERATOR, to(NEXT)).rule, "key.taken");
    }

    #[test]
    fn no_party_takes_a_key_of_the_ledger_old_or_new() {
        let mut world = World::new();
        world.act(OPERATOR, to(NEXT));
        for key in [crate::domain::values::PublicKey([7; 32]), named(NEXT)] {
            let mut body = adding("x:li", MAKER);
            body.key.key = key;
            assert_eq!(world.refusal(SUPPLIER, body).rule, "key.taken");
        }
    }

    #[test]
    fn the_new_key_proves_possession() {
        let mut world = World::new();
        world.new_keys_sign = false;
        assert_eq!(world.refusal(OPERATOR, to(NEXT)).rule, "key.possession");
    }

    #[rstest]
    #[case::the_new_key_alone(&[NEXT], "key.unknown")]
    #[case::with_anothers(&[OPERATOR, NEXT, HOSPITAL], "signature.not_asked")]
    fn who_signs(#[case] names: &[&str], #[case] rule: &str) {
        let judged = World::new().signed(OPERATOR, names, to(NEXT));
        assert_eq!(judged, Err(rule));
    }
}
