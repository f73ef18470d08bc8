//! `contract.amend`: one of the two proposes other terms of an active contract. They hold when the other agrees, for
//! what comes under the contract from then on.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{ChangeKind, Contract, ContractTerms};
use crate::domain::operation::{Consents, Operation};
use crate::domain::policy::Stake;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::{Amount, ContractId, Day, Digest, Rate, Reason};

use super::terms::check_terms;
use super::{agree_or_ask, changeable, other_side};

/// Body, in wire order. It says the terms whole, as they are to stand; parties, their size classes, number, currency
/// and conclusion are fixed.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amend {
    /// The contract.
    pub contract: ContractId,
    /// The most that is ever registered under it; absent for a framework.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Amount>,
    /// Its last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Day>,
    /// Days from acceptance (or invoice) to payment, for receivables registered from then on.
    pub payment_days: u32,
    /// Why the payment term exceeds what the law allows in principle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_reason: Option<Reason>,
    /// Days after delivery until it counts as accepted, for deliveries recorded from then on.
    pub inspection_days: u32,
    /// Late interest a day, where agreed, for receivables registered from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_rate: Option<Rate>,
    /// Days after the due day before late interest runs, for receivables registered from then on.
    pub grace_days: u32,
    /// Whether the supplier agrees to be paid by vouchers.
    pub vouchers: bool,
    /// Digest of the signed amendment.
    pub document: Digest,
}

impl Operation for Amend {
    const NAME: &'static str = "contract.amend";
    const SUMMARY: &'static str = "A supplier or debtor proposes other terms of a contract";

    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        other_side(at, self.contract)
    }

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let currency = at.named::<Contract>(self.contract)?.terms.currency;
        at.stake("value", &self.value, currency)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let contract = changeable(at, self.contract)?;
        at.party(contract.supplier)?.may_take_obligations(at)?;
        at.party(contract.debtor)?.may_take_obligations(at)?;

        let mut draft = at.draft();
        let amended = Contract {
            terms: self.terms(at, contract)?,
            ..contract.clone()
        };
        check_terms(&mut draft, &amended, self.term_reason.is_some())?;
        amended.worth_what_is_registered()?;
        let kind = ChangeKind::Amend(Box::new(amended.terms));
        agree_or_ask(&mut draft, contract, kind);
        Ok(draft.done())
    }
}

impl Amend {
    fn terms(&self, at: &Head<'_>, contract: &Contract) -> Result<ContractTerms, Refusal> {
        let fixed = &contract.terms;
        let value = self
            .value
            .map(|value| at.amount("value", &value, fixed.currency))
            .transpose()?;
        Ok(ContractTerms {
            number: fixed.number.clone(),
            currency: fixed.currency,
            value,
            concluded: fixed.concluded,
            ends: self.ends,
            payment_days: self.payment_days,
            inspection_days: self.inspection_days,
            late_rate: self.late_rate,
            grace_days: self.grace_days,
            vouchers: self.vouchers,
            document: self.document,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Change, TermsOfPayment};
    use crate::domain::ops::contract::accept::Accept;
    use crate::domain::ops::contract::decline::Decline;
    use crate::domain::ops::contract::propose::Propose;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::amendment;
    use crate::domain::testing::{
        HOSPITAL, STRANGER, SUPPLIER, TAX, World, fen, id, item, proposal, wire,
    };
    use crate::domain::values::{Fen, OpId};

    /// A contract of 1,000,000.00 with 600,000.00 registered under it.
    fn given() -> (World, ContractId) {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "600000.00", "0.00");
        world.registered(contract, &[(invoice, "600000.00")]);
        (world, contract)
    }

    fn waiting(world: &World, contract: ContractId) -> Option<&Change> {
        world.get_contract(contract).waiting_change(world.time)
    }

    /// What changes a proposal, in a body that amends.
    fn worth(contract: ContractId, value: Option<&str>) -> Amend {
        Amend {
            value: value.map(wire),
            ..amendment(contract)
        }
    }

    fn accept(contract: ContractId, op: OpId) -> Accept {
        Accept {
            contract,
            change: Some(op),
        }
    }

    #[test]
    fn it_waits_thirty_days_for_the_other_and_holds_when_accepted() {
        let (mut world, contract) = given();
        let before = world.terms(contract).clone();
        let op = world.act(SUPPLIER, amendment(contract));
        let change = waiting(&world, contract).expect("it waits");
        assert_eq!((change.op, change.by), (op, id(SUPPLIER)));
        assert_eq!(change.ends, world.time.plus_days(30));
        assert_eq!(*world.terms(contract), before);

        world.act(HOSPITAL, accept(contract, op));
        let after = world.terms(contract);
        assert_eq!(after.value, Some(fen("1500000.00")));
        assert_eq!((after.payment_days, after.inspection_days), (30, 3));
        assert_eq!(
            (&after.number, after.currency),
            (&before.number, before.currency)
        );
        assert_eq!(waiting(&world, contract), None);
    }

    #[test]
    fn signed_by_both_it_holds_at_once() {
        let (mut world, contract) = given();
        world.act_with(HOSPITAL, &[id(SUPPLIER)], amendment(contract));
        assert_eq!(world.terms(contract).payment_days, 30);
        assert_eq!(waiting(&world, contract), None);
    }

    #[rstest]
    #[case::ended_yesterday(|body: &mut Amend| body.ends = Some(wire("2026-05-31")), "contract.ends")]
    #[case::of_half_a_fen(|body: &mut Amend| body.value = Some(wire("1000000.005")), "amount.decimals")]
    #[case::of_nothing(|body: &mut Amend| body.value = Some(wire("0.00")), "amount.zero")]
    #[case::below_what_is_registered(|body: &mut Amend| body.value = Some(wire("599999.99")), "contract.below_registered")]
    #[case::public_body_above_30_without_reason(|body: &mut Amend| body.payment_days = 31, "sme.term")]
    #[case::late_rate_below_lpr(|body: &mut Amend| body.late_rate = Some(wire("0.00008")), "sme.late_interest")]
    #[case::late_rate_that_nobody_can_pay(|body: &mut Amend| body.late_rate = Some(wire("0.010000000001")), "contract.late_rate")]
    #[case::endless_inspection(|body: &mut Amend| body.inspection_days = 3_661, "contract.days")]
    fn refused(#[case] spoil: fn(&mut Amend), #[case] rule: &str) {
        let (mut world, contract) = given();
        let mut body = amendment(contract);
        spoil(&mut body);
        assert_eq!(world.refusal(SUPPLIER, body).rule, rule);
    }

    #[rstest]
    #[case::an_auditor(TAX, "contract.not_party")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_for_the_two(#[case] by: &str, #[case] rule: &str) {
        let (mut world, contract) = given();
        assert_eq!(world.refusal(by, amendment(contract)).rule, rule);
    }

    #[test]
    fn lapsed_identification_stops_it() {
        let (mut world, contract) = given();
        let body = amendment(contract);
        let refusal = world.on("2031-01-01").refusal(SUPPLIER, body);
        assert_eq!(refusal.rule, "party.kyc_lapsed");
    }

    #[test]
    fn what_is_registered_meanwhile_counts_when_it_is_accepted() {
        let (mut world, contract) = given();
        let op = world.act(HOSPITAL, worth(contract, Some("600000.00")));
        let invoice = world.invoice(contract, "INV-2", "0.01", "0.00");
        world.registered(contract, &[(invoice, "0.01")]);
        assert_eq!(
            world.refusal(SUPPLIER, accept(contract, op)).rule,
            "contract.below_registered"
        );
        world.act(
            SUPPLIER,
            Decline {
                contract,
                change: Some(op),
            },
        );
        assert_eq!(world.terms(contract).value, Some(fen("1000000.00")));
    }

    #[test]
    fn one_change_waits_at_a_time() {
        let (mut world, contract) = given();
        let first = world.act(SUPPLIER, amendment(contract));
        for by in [SUPPLIER, HOSPITAL] {
            assert_eq!(
                world.refusal(by, amendment(contract)).rule,
                "contract.change_waits"
            );
        }
        world.act(
            HOSPITAL,
            Decline {
                contract,
                change: Some(first),
            },
        );
        world.act(HOSPITAL, amendment(contract));
    }

    #[test]
    fn it_is_answered_by_its_op_id_and_by_the_other_alone() {
        let (mut world, contract) = given();
        let first = world.act(SUPPLIER, amendment(contract));
        world.later_by_hours(30 * 24);
        let second = world.act(SUPPLIER, worth(contract, Some("600000.00")));
        let mut rule = |by, change| world.refusal(by, Accept { contract, change }).rule;
        assert_eq!(rule(HOSPITAL, Some(first)), "contract.no_change");
        assert_eq!(rule(HOSPITAL, None), "contract.not_proposed");
        assert_eq!(rule(SUPPLIER, Some(second)), "contract.not_counterparty");
        assert_eq!(rule(TAX, Some(second)), "contract.not_counterparty");
        world.act(HOSPITAL, accept(contract, second));
        assert_eq!(world.terms(contract).value, Some(fen("600000.00")));
    }

    #[test]
    fn it_ends_at_its_instant_by_comparison() {
        let (mut world, contract) = given();
        let op = world.act(SUPPLIER, amendment(contract));
        world.later_by_hours(30 * 24);
        assert_eq!(
            world.refusal(HOSPITAL, accept(contract, op)).rule,
            "contract.no_change"
        );
        assert_eq!(waiting(&world, contract), None);
    }

    #[test]
    fn a_proposed_contract_is_not_amended() {
        let mut world = World::new();
        let op = world.act(SUPPLIER, proposal());
        let contract = crate::domain::values::MadeId::of(&op, 0);
        assert_eq!(
            world.refusal(SUPPLIER, amendment(contract)).rule,
            "contract.not_active"
        );
    }

    /// Civil Code art. 765: what the two agree on later does no harm to whoever holds the fens.
    #[test]
    fn what_is_registered_keeps_its_terms_of_payment() {
        let (mut world, before) = banked();
        let contract = world.receivable(before).contract;
        let amended = Amend {
            late_rate: Some(wire("0.002")),
            ..amendment(contract)
        };
        world.changed(contract, amended);
        let invoice = world.invoice(contract, "INV-9", "1000.00", "0.00");
        let after = world.registered(contract, &[(invoice, "1000.00")]);

        let terms = |receivable| world.receivable(receivable).terms;
        let old = TermsOfPayment {
            payment_days: 60,
            late_rate: None,
            grace_days: 0,
        };
        let new = TermsOfPayment {
            payment_days: 30,
            late_rate: Some(wire("0.002")),
            grace_days: 3,
        };
        assert_eq!((terms(before), terms(after)), (old, new));
        // Delivered today: three days of inspection, then thirty to pay.
        let due = |days| crate::domain::ops::receivable::confirm::Confirm {
            due: world.today().plus_days(days),
            ..world.confirmation(after)
        };
        assert_eq!(world.rule_against(HOSPITAL, due(33)), None);
        assert_eq!(
            world.rule_against(HOSPITAL, due(34)),
            Some("receivable.due")
        );
        // Due on 2026-08-07: twelve days at 0.05 % on 150,000.00, without grace.
        let late = crate::domain::late::late_interest_on(
            &world.state,
            world.receivable(before),
            &[(wire("2026-08-07"), fen("150000.00"))],
            wire("2026-08-19"),
        );
        assert_eq!(late.unwrap().unwrap().result, fen("900.00"));
    }

    /// A framework sets no bound; a value that is agreed on later, or taken away, holds from then on.
    #[test]
    fn a_framework_gets_a_value_and_a_contract_becomes_a_framework() {
        let mut world = World::new();
        let framework = Propose {
            value: None,
            ..proposal()
        };
        let contract = world.contract_of(SUPPLIER, HOSPITAL, framework);
        let invoice = world.invoice(contract, "INV-1", "900.00", "0.00");
        world.registered(contract, &[(invoice, "800.00")]);
        let room = |world: &World| world.get_contract(contract).room();
        assert_eq!(room(&world), None);
        assert_eq!(
            world
                .refusal(HOSPITAL, worth(contract, Some("799.99")))
                .rule,
            "contract.below_registered"
        );
        world.changed(contract, worth(contract, Some("800.00")));
        assert_eq!(room(&world), Some(Fen::ZERO));
        let register = |world: &mut World| {
            let shares = vec![item(invoice, "0.01")];
            let body = crate::domain::ops::receivable::register::Register { contract, shares };
            world.rule_against(SUPPLIER, body)
        };
        assert_eq!(register(&mut world), Some("contract.value"));
        world.changed(contract, worth(contract, None));
        assert_eq!(register(&mut world), None);
    }
}
