//! `leg.contest`: a payee says that an announced transfer is not what it seems; from then on only its bank attests it.

use serde::{Deserialize, Serialize};

use super::tell_all;
use crate::domain::head::Head;
use crate::domain::objects::Leg;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::LegId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contest {
    /// The leg.
    pub leg: LegId,
}

impl Operation for Contest {
    const NAME: &'static str = "leg.contest";
    const SUMMARY: &'static str = "A payee contests an announced transfer";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let leg = at.named::<Leg>(self.leg)?;
        ensure(at.by == leg.payee, || {
            Refusal::new("leg.not_payee", "only its payee contests a leg").input("leg", leg.id)
        })?;
        leg.announced()?;
        ensure(leg.is_live(at.time), || {
            Refusal::new("leg.lapsed", "the leg has lapsed").input("leg", leg.id)
        })?;
        ensure(!leg.contested, || {
            Refusal::new("leg.contested", "the leg is contested already").input("leg", leg.id)
        })?;

        let mut draft = at.draft();
        tell_all(&mut draft, leg);
        draft.edit::<Leg>(leg.id).contested = true;
        Ok(draft.done())
    }
}
