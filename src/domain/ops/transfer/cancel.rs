//! `transfer.cancel`: the assignor takes its proposal back, and the fens are free again.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Disposition, Transfer, TransferState};
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::TransferId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The transfer.
    pub transfer: TransferId,
}

impl Operation for Cancel {
    const NAME: &'static str = "transfer.cancel";
    const SUMMARY: &'static str = "The assignor cancels a transfer that waits for its answer";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let transfer = at.named::<Transfer>(self.transfer)?.proposed(at.time)?;
        ensure(transfer.from == at.by, || {
            Refusal::new(
                "transfer.not_assignor",
                "a transfer is cancelled by its assignor",
            )
            .input("transfer", transfer.id)
        })?;
        let mut draft = at.draft();
        draft.edit::<Transfer>(transfer.id).state = TransferState::Cancelled;
        draft.unlock(&transfer.addresses, Disposition::Transfer(transfer.id));
        draft.tell(transfer.to);
        Ok(draft.done())
    }
}
