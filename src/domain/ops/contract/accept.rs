//! `contract.accept`: the other party agrees.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Contract, ContractState};
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::ContractId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
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
        Refusal::new(
            "contract.not_counterparty",
            "a contract is answered by the party it was proposed to",
        )
        .input("contract", id)
    })?;
    Ok(contract)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ops::contract::decline::Decline;
    use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, World, proposal};
    use crate::domain::values::MadeId;

    fn proposed() -> (World, ContractId) {
        let mut world = World::new();
        let op = world.act(SUPPLIER, proposal());
        (world, ContractId::of(&op, 0))
    }

    #[test]
    fn the_other_party_makes_it_active() {
        let (mut world, contract) = proposed();
        world.act(HOSPITAL, Accept { contract });
        assert!(world.get_contract(contract).active().is_ok());
    }

    #[test]
    fn its_proposer_cannot_accept_it() {
        let (mut world, contract) = proposed();
        assert_eq!(
            world.refusal(SUPPLIER, Accept { contract }).rule,
            "contract.not_counterparty"
        );
    }

    #[test]
    fn a_stranger_gets_the_answer_of_an_id_that_never_was() {
        let (mut world, contract) = proposed();
        let never = ContractId::from_bytes([0; 16]);
        let mut unseen = world.refusal(STRANGER, Accept { contract });
        let absent = world.refusal(STRANGER, Accept { contract: never });
        unseen.inputs[0].value = never.to_string();
        assert_eq!(unseen, absent);
    }

    #[test]
    fn it_is_answered_once() {
        let (mut world, contract) = proposed();
        world.act(HOSPITAL, Decline { contract });
        assert_eq!(
            world.refusal(HOSPITAL, Accept { contract }).rule,
            "contract.not_proposed"
        );
        let (mut world, contract) = proposed();
        world.act(HOSPITAL, Accept { contract });
        assert_eq!(
            world.refusal(HOSPITAL, Decline { contract }).rule,
            "contract.not_proposed"
        );
    }

    #[test]
    fn a_proposal_ends_at_its_instant_by_comparison() {
        let (mut world, contract) = proposed();
        world.later_by_hours(30 * 24);
        assert_eq!(
            world.refusal(HOSPITAL, Accept { contract }).rule,
            "contract.not_proposed"
        );
    }
}
