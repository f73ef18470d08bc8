//! `key.recover`: a party that has lost its keys begins anew with one admin key, seven days later unless one of its
//! admin keys vetoes it.

use serde::{Deserialize, Serialize};

use super::{ask, recovers, untaken};
use crate::domain::head::Head;
use crate::domain::objects::{Account, AccountKey, AccountState, KeyChange, Party};
use crate::domain::operation::{Consents, Operation};
use crate::domain::ops::ledger::create::KeyGrant;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Digest, PartyId, Power, Role};

/// A recovery waits this many days for a veto.
const VETO_DAYS: i64 = 7;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recover {
    /// The party whose keys are lost.
    pub party: PartyId,
    /// Its new admin key, which signs this envelope too. When it becomes live every earlier key and policy ends.
    pub key: KeyGrant,
    /// Digest of what binds the key to the identifier.
    pub evidence: Digest,
    /// The authority, or the bank of an attested account of the party, that signs too.
    pub vouched_by: PartyId,
}

impl Operation for Recover {
    const NAME: &'static str = "key.recover";
    const SUMMARY: &'static str =
        "The operator gives a party that lost its keys a new one after 7 days unless vetoed";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            new_keys: vec![self.key.key],
            ..Consents::of(self.vouched_by)
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.with_role(Role::Operator)?;
        let party = at.party(self.party)?;
        self.check_voucher(at)?;
        ensure(!recovers(party, at.time), || {
            Refusal::new(
                "key.recovering",
                "the party's keys are being recovered already",
            )
            .input("party", party.id)
        })?;
        untaken(at, self.key.key)?;
        let key = self.key.grant(at.time.plus_days(VETO_DAYS))?;
        ensure(
            key.powers.contains(&Power::Admin) && !key.powers.contains(&Power::Seal),
            || {
                Refusal::new(
                    "key.powers",
                    "a recovered party's key has the power admin, and no seal",
                )
            },
        )?;

        let mut draft = at.draft();
        ask(&mut draft, party.id, key.from, KeyChange::Recover(key.key))?;
        let changed = draft.edit::<Party>(party.id);
        changed.recovered.push(key.from);
        changed.keys.push(key);
        changed.evidence = Some(self.evidence);
        draft.tell(party.id);
        draft.tell(self.vouched_by);
        Ok(draft.done())
    }
}

impl Recover {
    /// Operator + authority or account bank, and neither for itself.
    fn check_voucher(&self, at: &Head<'_>) -> Result<(), Refusal> {
        let voucher = at.party(self.vouched_by)?;
        let of_bank = AccountKey::Party(self.party);
        let mut accounts = at.state.accounts.by(&of_bank);
        let services = |account: &Account| {
            account.bank == voucher.id && matches!(account.state, AccountState::Attested { .. })
        };
        let vouches = voucher.is(Role::Authority) || accounts.any(services);
        let others = self.party != at.by && ![at.by, self.party].contains(&voucher.id);
        ensure(vouches && others, || {
            Refusal::new(
                "key.voucher",
                "an authority, or the bank of an attested account, vouches for another party's recovery",
            )
            .input("vouched_by", voucher.id)
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::key::revoke::Revoke;
    use crate::domain::ops::key::veto::Veto;
    use crate::domain::ops::policy::set::Set;
    use crate::domain::testing::keys::{ADMIN, MAKER, adding};
    use crate::domain::testing::money::banked;
    use crate::domain::testing::{
        BANK, OPERATOR, OTHER_BANK, STRANGER, SUPPLIER, TAX, World, digest, id, key_of,
    };
    use crate::domain::values::OpId;

    const NEW: &str = "x:new";

    fn recovery() -> Recover {
        Recover {
            party: id(SUPPLIER),
            key: adding(NEW, ADMIN).key,
            evidence: digest("a licence shown again"),
            vouched_by: id(TAX),
        }
    }

    fn given() -> (World, OpId) {
        let mut world = World::new();
        world.ruled(
            SUPPLIER,
            r#"[{"bands":[{"keys":[{"power":"maker","count":1}]}]}]"#,
        );
        let op = world.act_with(OPERATOR, &[id(TAX)], recovery());
        (world, op)
    }

    #[test]
    fn after_seven_days_the_new_key_alone_acts_and_no_policy_binds_it() {
        let (mut world, _) = given();
        world.time = world.time.plus_days(7).plus_minutes(-1);
        assert_eq!(
            world.signed(SUPPLIER, &[NEW], Set { rules: Vec::new() }),
            Err("key.unknown")
        );
        world.time = world.time.plus_minutes(1);
        assert_eq!(
            world.signed(SUPPLIER, &[SUPPLIER], Set { rules: Vec::new() }),
            Err("key.unknown")
        );
        assert!(world.party(SUPPLIER).policy(world.time).is_none());
        let acted = world.signed(SUPPLIER, &[NEW, "x:li"], adding("x:li", MAKER));
        assert!(acted.is_ok());
        let evidence = world.party(SUPPLIER).evidence;
        assert_eq!(evidence, Some(digest("a licence shown again")));
    }

    #[test]
    fn a_party_that_still_has_an_admin_key_vetoes_it() {
        let (mut world, operation) = given();
        world.act(SUPPLIER, Veto { operation });
        world.time = world.time.plus_days(8);
        world.act(SUPPLIER, Set { rules: Vec::new() });
        let refused = world.signed(SUPPLIER, &[NEW], Set { rules: Vec::new() });
        assert_eq!(refused, Err("key.unknown"));
    }

    #[test]
    fn nothing_else_changes_while_it_waits() {
        let (mut world, _) = given();
        let add = world.refusal(SUPPLIER, adding("x:li", ADMIN));
        let revoke = world.refusal(
            SUPPLIER,
            Revoke {
                key: key_of(id(SUPPLIER)),
            },
        );
        let set = world.refusal(SUPPLIER, Set { rules: Vec::new() });
        let again = Recover {
            key: adding("x:newer", ADMIN).key,
            ..recovery()
        };
        let again = world.refusal_with(OPERATOR, &[id(TAX)], again);
        for refusal in [add, revoke, set, again] {
            assert_eq!(refusal.rule, "key.recovering");
        }
    }

    #[test]
    fn a_policy_that_waits_when_it_takes_effect_is_gone_too() {
        let mut world = World::new();
        world.act_with(OPERATOR, &[id(TAX)], recovery());
        world.later_by_hours(7 * 24);
        assert!(
            world
                .party(SUPPLIER)
                .policies
                .iter()
                .all(|dated| dated.from < world.time)
        );
        assert!(
            world
                .signed(SUPPLIER, &[NEW], Set { rules: Vec::new() })
                .is_ok()
        );
    }

    #[rstest]
    #[case::by_another_party(STRANGER, TAX, |_: &mut Recover| (), "party.role")]
    #[case::of_nobody(OPERATOR, TAX, |body: &mut Recover| body.party = id("x:nobody"), "unknown_object")]
    #[case::vouched_by_a_stranger(OPERATOR, STRANGER, |_: &mut Recover| (), "key.voucher")]
    #[case::vouched_by_a_bank_without_its_account(OPERATOR, BANK, |_: &mut Recover| (), "key.voucher")]
    #[case::vouched_by_itself(OPERATOR, TAX, |body: &mut Recover| body.party = id(TAX), "key.voucher")]
    #[case::of_the_operator(OPERATOR, TAX, |body: &mut Recover| body.party = id(OPERATOR), "key.voucher")]
    #[case::a_key_that_does_not_administer(
        OPERATOR, TAX, |body: &mut Recover| body.key.powers = MAKER.to_vec(), "key.powers")]
    #[case::a_key_in_use(
        OPERATOR, TAX, |body: &mut Recover| body.key.key = key_of(id(SUPPLIER)), "key.taken")]
    fn refused(
        #[case] by: &str,
        #[case] vouched_by: &str,
        #[case] spoil: fn(&mut Recover),
        #[case] rule: &str,
    ) {
        let mut body = Recover {
            vouched_by: id(vouched_by),
            ..recovery()
        };
        spoil(&mut body);
        let refusal = World::new().refusal_with(by, &[id(vouched_by)], body);
        assert_eq!(refusal.rule, rule);
    }

    #[test]
    fn the_bank_of_an_attested_account_vouches() {
        let (mut world, _) = banked();
        let body = Recover {
            vouched_by: id(OTHER_BANK),
            ..recovery()
        };
        world.act_with(OPERATOR, &[id(OTHER_BANK)], body);
    }

    #[test]
    fn whoever_vouches_signs_and_so_does_the_new_key() {
        let mut world = World::new();
        assert_eq!(
            world.refusal(OPERATOR, recovery()).rule,
            "signature.missing"
        );
        world.new_keys_sign = false;
        let names = [OPERATOR, TAX];
        assert_eq!(
            world.signed(OPERATOR, &names, recovery()),
            Err("key.possession")
        );
    }
}
