//! `contract.decline`: the other party does not agree to a proposed contract, or to a change of an active one.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Contract, ContractState};
use crate::domain::operation::Operation;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::{ContractId, OpId};

use super::answerable;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// The contract.
    pub contract: ContractId,
    /// The op id of its change; absent where the contract itself is proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<OpId>,
}

impl Operation for Decline {
    const NAME: &'static str = "contract.decline";
    const SUMMARY: &'static str = "The other party declines a proposed contract or a change of it";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let (contract, change) = answerable(at, self.contract, self.change)?;
        let mut draft = at.draft();
        draft.tell(contract.other(at.by));
        let declined = draft.edit::<Contract>(contract.id);
        match change {
            None => declined.state = ContractState::Declined,
            Some(_) => declined.drop_change(),
        }
        Ok(draft.done())
    }
}
