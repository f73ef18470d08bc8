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
            .policies
            .iter()
            .try_for_each(|dated| dated.policy.check_met_by(&left))?;

        let end = effective(at);
        let mut draft = at.draft();
        ask(&mut draft, at.by, end, KeyChange::Revoke(self.key))?;
        let keys = draft.edit::<Party>(at.by).keys.iter_mut();
        keys.filter(|key| key.key == self.key)
            .for_each(|key| key.until = Some(end));
        Ok(draft.done())
    }
}
