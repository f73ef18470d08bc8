//! `transfer.decline`: the assignee does not take the fens, and they are free again.

use serde::{Deserialize, Serialize};

use super::accept::answerable;
use crate::domain::head::Head;
use crate::domain::objects::{Disposition, Transfer, TransferState};
use crate::domain::operation::Operation;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::TransferId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// The transfer.
    pub transfer: TransferId,
}

impl Operation for Decline {
    const NAME: &'static str = "transfer.decline";
    const SUMMARY: &'static str = "The assignee declines a transfer";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let transfer = answerable(at, self.transfer)?;
        let mut draft = at.draft();
        draft.edit::<Transfer>(transfer.id).state = TransferState::Declined;
        draft.unlock(&transfer.addresses, Disposition::Transfer(transfer.id));
        draft.tell(transfer.from);
        Ok(draft.done())
    }
}
