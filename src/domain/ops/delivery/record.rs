//! `delivery.record`: the supplier says what it delivered; the inspection period runs from that day.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Acceptance, Contract, Delivery};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Amount, ContractId, Day, Reference};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The contract it fulfils.
    pub contract: ContractId,
    /// The delivery note's number.
    pub number: Reference,
    /// The day of delivery.
    pub delivered: Day,
    /// What was delivered is worth, in the contract's currency.
    pub amount: Amount,
}

impl Operation for Record {
    const NAME: &'static str = "delivery.record";
    const SUMMARY: &'static str = "The supplier records a delivery under a contract";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let contract = at.named::<Contract>(self.contract)?;
        at.stake("amount", [&self.amount], contract.terms.currency)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let contract = at.named::<Contract>(self.contract)?.active()?;
        ensure(at.by == contract.supplier, || {
            Refusal::new(
                "delivery.not_supplier",
                "a delivery is recorded by the contract's supplier",
            )
            .input("contract", contract.id)
        })?;
        self.check_day(contract, at.today()?)?;
        let amount = at.amount("amount", &self.amount, contract.terms.currency)?;

        let mut draft = at.draft();
        let id = draft.make_id();
        draft.put(Delivery {
            id,
            contract: contract.id,
            supplier: contract.supplier,
            debtor: contract.debtor,
            number: self.number.clone(),
            delivered: self.delivered,
            amount,
            // Silence is acceptance on the day the inspection period ends.
            acceptance: Acceptance::Deemed {
                on: self
                    .delivered
                    .plus_days(contract.terms.inspection_days.into()),
            },
        });
        draft.tell(contract.debtor);
        Ok(draft.done())
    }
}

impl Record {
    fn check_day(&self, contract: &Contract, today: Day) -> Result<(), Refusal> {
        let concluded = contract.terms.concluded;
        ensure((concluded..=today).contains(&self.delivered), || {
            Refusal::new(
                "delivery.day",
                "a delivery lies between the contract's conclusion and today",
            )
            .input("delivered", self.delivered)
            .input("concluded", concluded)
            .input("today", today)
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, World, proposal, wire};
    use crate::domain::values::{DeliveryId, MadeId};

    fn note(contract: ContractId) -> Record {
        Record {
            contract,
            number: wire("DN-1"),
            delivered: wire("2026-05-28"),
            amount: wire("100.00"),
        }
    }

    #[test]
    fn silence_accepts_a_delivery_when_the_inspection_period_ends() {
        let mut world = World::new();
        let contract = world.contract();
        let op = world.act(SUPPLIER, note(contract));
        let delivery: &Delivery = world.get(DeliveryId::of(&op, 0));
        assert_eq!(delivery.accepted_on(), Some(wire("2026-06-04")));
    }

    #[rstest]
    #[case::of_tomorrow(|body: &mut Record| { body.delivered = wire("2026-06-02"); }, "delivery.day")]
    #[case::before_the_contract(|body: &mut Record| { body.delivered = wire("2026-05-19"); }, "delivery.day")]
    #[case::of_nothing(|body: &mut Record| { body.amount = wire("0.00"); }, "amount.zero")]
    #[case::of_half_a_fen(|body: &mut Record| { body.amount = wire("1.005"); }, "amount.decimals")]
    fn refused(#[case] spoil: fn(&mut Record), #[case] rule: &str) {
        let mut world = World::new();
        let mut body = note(world.contract());
        spoil(&mut body);
        assert_eq!(world.refusal(SUPPLIER, body).rule, rule);
    }

    #[rstest]
    #[case::its_debtor(HOSPITAL, "delivery.not_supplier")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_the_suppliers(#[case] by: &str, #[case] rule: &str) {
        let mut world = World::new();
        let contract = world.contract();
        assert_eq!(world.refusal(by, note(contract)).rule, rule);
    }

    #[test]
    fn the_contract_is_active() {
        let mut world = World::new();
        let contract = ContractId::of(&world.act(SUPPLIER, proposal()), 0);
        assert_eq!(
            world.refusal(SUPPLIER, note(contract)).rule,
            "contract.not_active"
        );
    }
}
