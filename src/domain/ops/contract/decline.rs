//! `contract.decline`: the other party does not agree.

use serde::{Deserialize, Serialize};

use super::accept::answerable;
use crate::domain::head::Head;
use crate::domain::objects::{Contract, ContractState};
use crate::domain::operation::Operation;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::ContractId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// The contract.
    pub contract: ContractId,
}

impl Operation for Decline {
    const NAME: &'static str = "contract.decline";
    const SUMMARY: &'static str = "The other party declines a proposed contract";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let contract = answerable(at, self.contract)?;
        let mut draft = at.draft();
        draft.tell(contract.proposer);
        draft.edit::<Contract>(contract.id).state = ContractState::Declined;
        Ok(draft.done())
    }
}
