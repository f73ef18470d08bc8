//! `contract.close`: one of the two proposes that nothing new comes under an active contract. What exists runs on.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::ChangeKind;
use crate::domain::operation::{Consents, Operation};
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::ContractId;

use super::{agree_or_ask, changeable, other_side};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// The contract.
    pub contract: ContractId,
}

impl Operation for Close {
    const NAME: &'static str = "contract.close";
    const SUMMARY: &'static str = "A supplier or debtor proposes to close a contract";

    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        other_side(at, self.contract)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let contract = changeable(at, self.contract)?;
        let mut draft = at.draft();
        agree_or_ask(&mut draft, contract, ChangeKind::Close);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Basis, Contract, ContractState};
    use crate::domain::ops::contract::accept::Accept;
    use crate::domain::ops::contract::amend::Amend;
    use crate::domain::ops::contract::decline::Decline;
    use crate::domain::ops::delivery;
    use crate::domain::ops::invoice::book::Book;
    use crate::domain::ops::receivable::confirm::Confirm;
    use crate::domain::ops::receivable::register::Register;
    use crate::domain::testing::trade::{amendment, fens_of};
    use crate::domain::testing::{
        HOSPITAL, STRANGER, SUPPLIER, TAX, World, id, item, proposal, wire,
    };
    use crate::domain::values::{DeliveryId, InvoiceId, ReceivableId};

    fn accept(contract: ContractId, op: crate::domain::values::OpId) -> Accept {
        Accept {
            contract,
            change: Some(op),
        }
    }

    fn is_closed(world: &World, contract: ContractId) -> bool {
        matches!(
            world.get::<Contract>(contract).state,
            ContractState::Closed(_)
        )
    }

    /// Of a contract that both close: a delivery, an invoice half of which is registered, and that receivable.
    fn closed() -> (World, ContractId, DeliveryId, InvoiceId, ReceivableId) {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "1000.00", "0.00");
        let delivery = world.get_invoice(invoice).deliveries[0];
        let receivable = world.registered(contract, &[(invoice, "500.00")]);
        world.changed(contract, Close { contract });
        assert!(is_closed(&world, contract));
        (world, contract, delivery, invoice, receivable)
    }

    #[test]
    fn it_closes_when_the_other_accepts_or_signs_too() {
        let mut world = World::new();
        let contract = world.contract();
        let op = world.act(HOSPITAL, Close { contract });
        assert!(!is_closed(&world, contract));
        let mut declined = world.clone();
        declined.act(
            SUPPLIER,
            Decline {
                contract,
                change: Some(op),
            },
        );
        assert!(declined.get_contract(contract).active().is_ok());
        declined.act_with(SUPPLIER, &[id(HOSPITAL)], Close { contract });
        assert!(is_closed(&declined, contract));
        world.act(SUPPLIER, accept(contract, op));
        assert!(is_closed(&world, contract));
    }

    /// It is no new obligation.
    #[test]
    fn lapsed_identification_does_not_stop_it() {
        let mut world = World::new();
        let contract = world.contract();
        world.on("2031-01-01");
        world.changed(contract, Close { contract });
        assert!(is_closed(&world, contract));
    }

    #[test]
    fn it_ends_at_its_instant_by_comparison() {
        let mut world = World::new();
        let contract = world.contract();
        let op = world.act(HOSPITAL, Close { contract });
        world.later_by_hours(30 * 24);
        assert_eq!(
            world.refusal(SUPPLIER, accept(contract, op)).rule,
            "contract.no_change"
        );
        assert!(world.get_contract(contract).active().is_ok());
    }

    #[rstest]
    #[case::an_auditor(TAX, "contract.not_party")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_for_the_two(#[case] by: &str, #[case] rule: &str) {
        let mut world = World::new();
        let contract = world.contract();
        assert_eq!(world.refusal(by, Close { contract }).rule, rule);
    }

    #[test]
    fn nothing_new_comes_under_a_closed_contract() {
        let (mut world, contract, delivery, invoice, _) = closed();
        let bill = crate::domain::ops::invoice::issue::Issue {
            contract,
            number: wire("INV-2"),
            type_code: 380,
            issued: world.today(),
            currency: wire("CNY"),
            net: wire("1.00"),
            tax: wire("0.00"),
            gross: wire("1.00"),
            prepaid: None,
            rounding: None,
            deliveries: vec![delivery],
            preceding: None,
            document: crate::domain::testing::digest("INV-2"),
        };
        let record = delivery::record::Record {
            contract,
            number: wire("DN-2"),
            delivered: world.today(),
            amount: wire("1.00"),
        };
        let shares = vec![item(invoice, "1.00")];
        let amend: Amend = amendment(contract);
        let rules = [
            world.refusal(SUPPLIER, record).rule,
            world.refusal(SUPPLIER, bill).rule,
            world.refusal(SUPPLIER, Register { contract, shares }).rule,
            world.refusal(SUPPLIER, amend).rule,
            world.refusal(HOSPITAL, Close { contract }).rule,
        ];
        assert_eq!(rules, ["contract.not_active"; 5]);
        assert_eq!(world.refusal(SUPPLIER, proposal()).rule, "contract.number");
    }

    #[test]
    fn what_exists_under_it_runs_on() {
        let (mut world, _, delivery, invoice, receivable) = closed();
        world.act(HOSPITAL, delivery::accept::Accept { delivery });
        world.act(HOSPITAL, Book { invoice });
        // Accepted today, it is to be paid in sixty days.
        let confirm = Confirm {
            due: world.today().plus_days(60),
            ..world.confirmation(receivable)
        };
        world.act(HOSPITAL, confirm);
        world.passed_on(fens_of(receivable, 0, 100));
        world.requested(
            fens_of(receivable, 100, 50_000),
            crate::domain::objects::Bidding::Visible,
        );
    }

    /// Accepted, a transfer would use the contract like a registration; an invoice under it is still paid so.
    #[test]
    fn no_transfer_pays_a_closed_contract_but_one_pays_its_invoice() {
        let mut world = World::new();
        let receivable = world.confirmed("1000.00");
        let contract = world.owes_maker("M-1", "500.00");
        let invoice = world.invoice(contract, "M-INV-1", "100.00", "0.00");
        world.changed(contract, Close { contract });
        let pays = |basis| world.passing(fens_of(receivable, 0, 100), basis);
        let (by_contract, by_invoice) = (
            pays(Basis::Contract(contract)),
            pays(Basis::Invoice(invoice)),
        );
        assert_eq!(
            world.rule_against(SUPPLIER, by_contract),
            Some("contract.not_active")
        );
        assert_eq!(world.rule_against(SUPPLIER, by_invoice), None);
    }
}
