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
