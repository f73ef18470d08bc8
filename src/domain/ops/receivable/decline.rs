//! `receivable.decline`: the debtor does not owe it; everything registered is released.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Receivable, Stage};
use crate::domain::refusal::Refusal;
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{Reason, ReceivableId};

use super::by_debtor;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// The receivable.
    pub receivable: ReceivableId,
    /// Why.
    pub reason: Reason,
}

impl Operation for Decline {
    const NAME: &'static str = "receivable.decline";
    const SUMMARY: &'static str = "The debtor declines a registered receivable";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        by_debtor(at, receivable)?;
        receivable.registered()?;

        let mut draft = at.draft();
        draft.end_receivable(receivable.id, Stage::Declined(self.reason.clone()));
        draft.tell(receivable.supplier);
        Ok(draft.done())
    }
}
