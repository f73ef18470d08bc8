//! `transfer.accept`: the assignee accepts, and title moves.

use serde::{Deserialize, Serialize};

use super::basis::Payment;
use crate::domain::absorb::absorb_again;
use crate::domain::head::Head;
use crate::domain::objects::{Disposition, Hop, Transfer, TransferState};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::TransferId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The transfer.
    pub transfer: TransferId,
}

impl Operation for Accept {
    const NAME: &'static str = "transfer.accept";
    const SUMMARY: &'static str = "The assignee accepts a transfer, and title moves";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let transfer = answerable(at, self.transfer)?;
        at.actor()?.may_take_obligations(at.today()?)?;
        let payment = Payment::of(transfer);
        payment.check(at, transfer.basis)?;

        let mut draft = at.draft();
        draft.edit::<Transfer>(transfer.id).state = TransferState::Accepted(at.time);
        payment.consume(&mut draft, transfer.basis);
        let hop = Hop {
            by: Disposition::Transfer(transfer.id),
            from: transfer.from,
            to: transfer.to,
            recourse: transfer.recourse,
            at: at.time,
        };
        draft.pass_on(&transfer.addresses, &hop);
        // Fens may have come back to their supplier.
        absorb_again(&mut draft);
        draft.tell(transfer.from);
        Ok(draft.done())
    }
}

/// A transfer that waits for the acting party's answer.
pub(super) fn answerable<'s>(at: &Head<'s>, id: TransferId) -> Result<&'s Transfer, Refusal> {
    let transfer = at.named::<Transfer>(id)?.proposed(at.time)?;
    ensure(transfer.to == at.by, || {
        Refusal::new(
            "transfer.not_assignee",
            "a transfer is answered by its assignee",
        )
        .input("transfer", id)
    })?;
    Ok(transfer)
}
