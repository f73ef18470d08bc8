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
