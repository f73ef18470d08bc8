//! Operations on contracts.

pub mod accept;
pub mod amend;
pub mod close;
pub mod decline;
pub mod propose;
mod terms;

use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{Change, ChangeKind, Contract, ContractState};
use crate::domain::operation::Consents;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::{ContractId, OpId};

/// A proposal, of a contract or of its change, waits this many days.
const ANSWER_DAYS: i64 = 30;

/// A contract that waits for the acting party's answer, with the change that does, where one was named.
fn answerable<'s>(
    at: &Head<'s>,
    id: ContractId,
    change: Option<OpId>,
) -> Result<(&'s Contract, Option<&'s Change>), Refusal> {
    let contract = at.named::<Contract>(id)?;
    let (asker, change) = match change {
        None => (contract.proposed(at.time)?.proposer, None),
        Some(op) => {
            let change = named_change(at, contract, op)?;
            (change.by, Some(change))
        }
    };
    ensure(
        contract.is_between(at.by) && contract.other(asker) == at.by,
        || {
            Refusal::new(
                "contract.not_counterparty",
                "a contract is answered by the party it was proposed to",
            )
            .input("contract", id)
        },
    )?;
    Ok((contract, change))
}

/// Who answers names the change, and so answers no other than it saw.
fn named_change<'s>(
    at: &Head<'s>,
    contract: &'s Contract,
    op: OpId,
) -> Result<&'s Change, Refusal> {
    let waiting = contract.waiting_change(at.time);
    waiting.filter(|change| change.op == op).ok_or_else(|| {
        Refusal::new(
            "contract.no_change",
            "no change of that op id waits for an answer",
        )
        .input("contract", contract.id)
        .input("change", op)
        .remedy("read the contract again: its change may be another by now, or have ended")
    })
}

/// A change asks for the other side: at once where it signs too, else by its answer.
fn other_side(at: &Head<'_>, id: ContractId) -> Result<Consents, Refusal> {
    let contract = at.named::<Contract>(id)?;
    Ok(Consents::perhaps(contract.other(at.by)))
}

/// An active contract of the acting party of which no change waits.
fn changeable<'s>(at: &Head<'s>, id: ContractId) -> Result<&'s Contract, Refusal> {
    let contract = at.named::<Contract>(id)?;
    ensure(contract.is_between(at.by), || {
        Refusal::new(
            "contract.not_party",
            "only its supplier or its debtor proposes a contract, or a change of it",
        )
    })?;
    contract.active()?;
    match contract.waiting_change(at.time) {
        None => Ok(contract),
        Some(change) => Err(Refusal::new(
            "contract.change_waits",
            "a change of the contract waits for an answer already",
        )
        .input("contract", id)
        .input("change", change.op)
        .input("ends", change.ends)
        .remedy("it is accepted, declined or cancelled, or ends")),
    }
}

/// The change is done at once where the other side signed too; else it waits for its answer.
fn agree_or_ask(draft: &mut Draft<'_>, contract: &Contract, kind: ChangeKind) {
    let at = draft.head;
    let other = contract.other(at.by);
    draft.tell(other);
    let changed = draft.edit::<Contract>(contract.id);
    if at.also_signed(other) {
        changed.apply(kind, at.time);
    } else if let ContractState::Active { change, .. } = &mut changed.state {
        *change = Some(Change {
            op: at.op,
            by: at.by,
            kind,
            ends: at.time.plus_days(ANSWER_DAYS),
        });
    }
}
