//! `delivery.reject`: the debtor rejects a delivery, which then starts no payment clock.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Acceptance, Delivery};
use crate::domain::operation::Operation;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::{DeliveryId, Reason};

use super::answerable;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Why.
    pub reason: Reason,
}

impl Operation for Reject {
    const NAME: &'static str = "delivery.reject";
    const SUMMARY: &'static str = "The debtor rejects a delivery";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let delivery = answerable(at, self.delivery)?;

        let mut draft = at.draft();
        draft.tell(delivery.supplier);
        draft.edit::<Delivery>(delivery.id).acceptance = Acceptance::Rejected {
            reason: self.reason.clone(),
        };
        Ok(draft.done())
    }
}
