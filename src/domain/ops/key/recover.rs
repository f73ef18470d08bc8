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
            Refusal::new("key.recovering", "the party's keys are being recovered already")
                .input("party", party.id)
        })?;
        untaken(at, self.key.key)?;
        let key = self.key.grant(at.time.plus_days(VETO_DAYS))?;
        ensure(
            key.powers.contains(&Power::Admin) && !key.powers.contains(&Power::Seal),
            || Refusal::new("key.powers", "a recovered party's key has the power admin, and no seal"),
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
