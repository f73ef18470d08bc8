//! `delivery.accept`: the debtor accepts a delivery before silence does.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Acceptance, Delivery};
use crate::domain::refusal::Refusal;
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::DeliveryId;

use super::answerable;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The delivery.
    pub delivery: DeliveryId,
}

impl Operation for Accept {
    const NAME: &'static str = "delivery.accept";
    const SUMMARY: &'static str = "The debtor accepts a delivery";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let delivery = answerable(at, self.delivery)?;

        let mut draft = at.draft();
        draft.tell(delivery.supplier);
        draft.edit::<Delivery>(delivery.id).acceptance = Acceptance::Accepted { on: at.today()? };
        Ok(draft.done())
    }
}
