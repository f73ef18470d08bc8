//! `contract.accept`: the other party agrees to a proposed contract, or to a change of an active one.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Change, ChangeKind, Contract, ContractState};
use crate::domain::operation::Operation;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::{ContractId, OpId};

use super::answerable;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The contract.
    pub contract: ContractId,
    /// The op id of its change; absent where the contract itself is proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<OpId>,
}

impl Operation for Accept {
    const NAME: &'static str = "contract.accept";
    const SUMMARY: &'static str = "The other party accepts a proposed contract or a change of it";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let (contract, change) = answerable(at, self.contract, self.change)?;
        let accepted = match change {
            None => accept_proposal(at, contract)?,
            Some(change) => accept_change(at, contract, change)?,
        };
        let mut draft = at.draft();
        draft.tell(contract.other(at.by));
        draft.put(accepted);
        Ok(draft.done())
    }
}

fn accept_proposal(at: &Head<'_>, contract: &Contract) -> Result<Contract, Refusal> {
    at.actor()?.may_take_obligations(at)?;
    let state = ContractState::Active {
        since: at.time,
        change: None,
    };
    Ok(Contract {
        state,
        ..contract.clone()
    })
}

/// What is registered may have grown since the amendment was proposed, so it is compared again.
fn accept_change(at: &Head<'_>, contract: &Contract, change: &Change) -> Result<Contract, Refusal> {
    if let ChangeKind::Amend(_) = change.kind {
        at.actor()?.may_take_obligations(at)?;
    }
    let mut changed = contract.clone();
    changed.apply(change.kind.clone(), at.time);
    changed.worth_what_is_registered()?;
    Ok(changed)
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
        world.act(
            HOSPITAL,
            Accept {
                contract,
                change: None,
            },
        );
        assert!(world.get_contract(contract).active().is_ok());
    }

    #[test]
    fn its_proposer_cannot_accept_it() {
        let (mut world, contract) = proposed();
        assert_eq!(
            world
                .refusal(
                    SUPPLIER,
                    Accept {
                        contract,
                        change: None
                    }
                )
                .rule,
            "contract.not_counterparty"
        );
    }

    #[test]
    fn a_stranger_gets_the_answer_of_an_id_that_never_was() {
        let (mut world, contract) = proposed();
        let never = ContractId::from_bytes([0; 16]);
        let mut unseen = world.refusal(
            STRANGER,
            Accept {
                contract,
                change: None,
            },
        );
        let absent = world.refusal(
            STRANGER,
            Accept {
                contract: never,
                change: None,
            },
        );
        unseen.inputs[0].value = never.to_string();
        assert_eq!(unseen, absent);
    }

    #[test]
    fn it_is_answered_once() {
        let (mut world, contract) = proposed();
        world.act(
            HOSPITAL,
            Decline {
                contract,
                change: None,
            },
        );
        assert_eq!(
            world
                .refusal(
                    HOSPITAL,
                    Accept {
                        contract,
                        change: None
                    }
                )
                .rule,
            "contract.not_proposed"
        );
        let (mut world, contract) = proposed();
        world.act(
            HOSPITAL,
            Accept {
                contract,
                change: None,
            },
        );
        assert_eq!(
            world
                .refusal(
                    HOSPITAL,
                    Decline {
                        contract,
                        change: None
                    }
                )
                .rule,
            "contract.not_proposed"
        );
    }

    #[test]
    fn a_proposal_ends_at_its_instant_by_comparison() {
        let (mut world, contract) = proposed();
        world.later_by_hours(30 * 24);
        assert_eq!(
            world
                .refusal(
                    HOSPITAL,
                    Accept {
                        contract,
                        change: None
                    }
                )
                .rule,
            "contract.not_proposed"
        );
    }
}
