//! `contract.accept`: the other party agrees.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Contract, ContractState};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::ContractId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The contract.
    pub contract: ContractId,
}

impl Operation for Accept {
    const NAME: &'static str = "contract.accept";
    const SUMMARY: &'static str = "The other party accepts a proposed contract";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let contract = answerable(at, self.contract)?;
        at.actor()?.may_take_obligations(at.today()?)?;

        let mut draft = at.draft();
        draft.tell(contract.proposer);
        draft.edit::<Contract>(contract.id).state = ContractState::Active { since: at.time };
        Ok(draft.done())
    }
}

/// A contract that waits for the acting party's answer.
pub(super) fn answerable<'s>(at: &Head<'s>, id: ContractId) -> Result<&'s Contract, Refusal> {
    let contract = at.named::<Contract>(id)?.proposed(at.time)?;
    ensure(contract.counterparty() == at.by, || {
        Refusal::new("contract.not_counterparty", "a contract is answered by the party it was proposed to")
            .input("contract", id)
    })?;
    Ok(contract)
}
