//! `receivable.register`: the supplier puts shares of its invoices to the debtor.

use serde::{Deserialize, Serialize};

use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{Contract, Invoice, Receivable, ReceivableKey, Share, Stage};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{ContractId, Day, Fen};

use super::{Item, named_once};

/// At most this many receivables have a share of one invoice: a credit looks at each.
const RECEIVABLES_MOST: usize = 64;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The contract whose invoices these are.
    pub contract: ContractId,
    /// What it claims of which invoice.
    pub shares: Vec<Item>,
}

impl Operation for Register {
    const NAME: &'static str = "receivable.register";
    const SUMMARY: &'static str = "The supplier registers shares of its invoices as a receivable";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let contract = at.named::<Contract>(self.contract)?;
        at.stake(
            "amount",
            self.shares.iter().map(|item| &item.amount),
            contract.terms.currency,
        )
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let today = at.today()?;
        let contract = at.named::<Contract>(self.contract)?.active()?;
        self.check_contract(at, contract, today)?;
        named_once(self.shares.iter().map(|item| item.invoice))?;
        let shares = self.shares.iter().map(|item| share(at, contract, item));
        let shares: Vec<Share> = shares.collect::<Result<_, _>>()?;
        let total = check_value(contract, &shares)?;

        let mut draft = at.draft();
        self.register(at, &mut draft, contract, shares, total)?;
        draft.tell(contract.debtor);
        Ok(draft.done())
    }
}

impl Register {
    /// Contract active, between these two, and not ended.
    fn check_contract(
        &self,
        at: &Head<'_>,
        contract: &Contract,
        today: Day,
    ) -> Result<(), Refusal> {
        ensure(at.by == contract.supplier, || {
            Refusal::new(
                "receivable.not_supplier",
                "a receivable is registered by the contract's supplier",
            )
            .input("contract", contract.id)
        })?;
        ensure(contract.terms.ends.is_none_or(|ends| today <= ends), || {
            Refusal::new("contract.ended", "the contract has ended").input("contract", contract.id)
        })?;
        at.actor()?.may_take_obligations(at)?;
        at.party(contract.debtor)?.may_take_obligations(at)?;
        Ok(())
    }

    fn register(
        &self,
        at: &Head<'_>,
        draft: &mut Draft<'_>,
        contract: &Contract,
        shares: Vec<Share>,
        total: Fen,
    ) -> Result<(), Refusal> {
        for share in &shares {
            let invoice = draft.edit::<Invoice>(share.invoice);
            invoice.consumed = plus(invoice.consumed, share.registered)?;
        }
        let registered = plus(contract.registered, total)?;
        draft.edit::<Contract>(contract.id).registered = registered;
        let id = draft.make_id();
        draft.put(Receivable {
            id,
            contract: contract.id,
            supplier: contract.supplier,
            debtor: contract.debtor,
            currency: contract.terms.currency,
            rulebook: at.rulebook()?.version,
            terms: contract.terms.of_payment(),
            at: at.time,
            shares,
            disputes: Vec::new(),
            stage: Stage::Registered,
        });
        Ok(())
    }
}

/// A share ≤ payable − credits − consumed of a standing, unflagged invoice of the contract.
fn share(at: &Head<'_>, contract: &Contract, item: &Item) -> Result<Share, Refusal> {
    let invoice = at.named::<Invoice>(item.invoice)?;
    ensure(invoice.contract == contract.id, || {
        Refusal::new("invoice.contract", "the invoice is of another contract")
            .input("invoice", invoice.id)
    })?;
    let amount = at.amount("amount", &item.amount, contract.terms.currency)?;
    invoice
        .standing()?
        .unflagged(at.time)?
        .with_room_for(amount)?;
    let key = ReceivableKey::Invoice(invoice.id);
    ensure(
        at.state.receivables.by(&key).count() < RECEIVABLES_MOST,
        || {
            Refusal::new(
                "invoice.receivables",
                "the invoice is in too many receivables",
            )
            .input("invoice", invoice.id)
            .remedy(format!("at most {RECEIVABLES_MOST}: withdraw one"))
        },
    )?;
    Ok(Share {
        invoice: invoice.id,
        registered: amount,
        disputed: Fen::ZERO,
        confirmed: Fen::ZERO,
        cancelled: Fen::ZERO,
        diluted: Fen::ZERO,
    })
}

/// Σ on the contract ≤ its value.
fn check_value(contract: &Contract, shares: &[Share]) -> Result<Fen, Refusal> {
    let total = Fen::sum(shares.iter().map(|share| share.registered)).ok_or_else(overflow)?;
    let room = contract.room();
    ensure(room.is_none_or(|room| total <= room), || {
        let refusal = Refusal::new(
            "contract.value",
            "more would be registered than the contract is worth",
        )
        .input("contract", contract.id)
        .input("asked_units", total);
        room.iter()
            .fold(refusal, |refusal, room| refusal.input("left_units", room))
    })?;
    Ok(total)
}

fn plus(a: Fen, b: Fen) -> Result<Fen, Refusal> {
    a.checked_add(b).ok_or_else(overflow)
}

fn overflow() -> Refusal {
    Refusal::new("amount.overflow", "the sum is too large")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::contract::propose::Propose;
    use crate::domain::ops::invoice::issue::Issue;
    use crate::domain::ops::invoice::void::Void;
    use crate::domain::ops::receivable::withdraw::Withdraw;
    use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, World, fen, item, proposal, wire};
    use crate::domain::values::{InvoiceId, MadeId, ReceivableId};

    /// Two invoices of 600,000.00 under a contract of 1,000,000.00.
    struct Given {
        world: World,
        contract: ContractId,
        first: InvoiceId,
        second: InvoiceId,
    }

    fn given() -> Given {
        let mut world = World::new();
        let contract = world.contract();
        Given {
            first: world.invoice(contract, "INV-1", "600000.00", "0.00"),
            second: world.invoice(contract, "INV-2", "600000.00", "0.00"),
            world,
            contract,
        }
    }

    impl Given {
        fn body(&self, shares: &[(InvoiceId, &str)]) -> Register {
            let items = shares
                .iter()
                .map(|(invoice, amount)| item(*invoice, amount));
            Register {
                contract: self.contract,
                shares: items.collect(),
            }
        }
    }

    #[test]
    fn it_consumes_its_invoices_and_its_contracts_value() {
        let mut given = given();
        let body = given.body(&[(given.first, "600000.00"), (given.second, "0.01")]);
        let op = given.world.act(SUPPLIER, body);
        let receivable = given.world.receivable(ReceivableId::of(&op, 0));
        assert_eq!(receivable.stage, Stage::Registered);
        assert_eq!(receivable.consumed(), fen("600000.01"));
        let world = &given.world;
        assert_eq!(world.get_invoice(given.first).unconsumed(), fen("0.00"));
        assert_eq!(world.get_invoice(given.second).consumed, fen("0.01"));
        let contract = world.get_contract(given.contract);
        assert_eq!(contract.room(), Some(fen("399999.99")));
    }

    #[rstest]
    #[case::of_nothing(&[(1, "0.00")], "amount.zero")]
    #[case::of_half_a_fen(&[(1, "0.001")], "amount.decimals")]
    #[case::of_no_invoice(&[], "receivable.items")]
    #[case::of_one_twice(&[(1, "1.00"), (1, "1.00")], "receivable.items")]
    #[case::of_no_such_invoice(&[(0, "1.00")], "unknown_object")]
    #[case::above_the_invoice(&[(1, "600000.01")], "invoice.consumed")]
    #[case::above_the_contract(&[(1, "500000.00"), (2, "500000.01")], "contract.value")]
    fn refused(#[case] shares: &[(u8, &str)], #[case] rule: &str) {
        let mut given = given();
        let invoices = [InvoiceId::from_bytes([0; 16]), given.first, given.second];
        let shares: Vec<_> = shares
            .iter()
            .map(|(which, amount)| (invoices[usize::from(*which)], *amount))
            .collect();
        let body = given.body(&shares);
        assert_eq!(given.world.refusal(SUPPLIER, body).rule, rule);
    }

    #[test]
    fn the_same_fen_of_an_invoice_is_not_registered_twice() {
        let mut given = given();
        let body = given.body(&[(given.first, "599999.99")]);
        given.world.act(SUPPLIER, body);
        let body = given.body(&[(given.first, "0.02")]);
        let refusal = given.world.refusal(SUPPLIER, body);
        assert_eq!(refusal.rule, "invoice.consumed");
        let left = refusal
            .inputs
            .iter()
            .find(|input| input.name == "left_units");
        assert_eq!(left.unwrap().value, "1");
    }

    #[test]
    fn a_framework_contract_sets_no_bound() {
        let mut world = World::new();
        let terms = Propose {
            value: None,
            ..proposal()
        };
        let contract = world.contract_of(SUPPLIER, HOSPITAL, terms);
        let invoice = world.invoice(contract, "INV-1", "9000000.00", "0.00");
        world.registered(contract, &[(invoice, "9000000.00")]);
    }

    #[test]
    fn a_payable_of_nothing_is_never_registered() {
        let mut given = given();
        let body = Issue {
            prepaid: Some(wire("100.00")),
            ..given
                .world
                .billing(given.contract, "INV-3", "100.00", "0.00")
        };
        let invoice = InvoiceId::of(&given.world.act(SUPPLIER, body), 0);
        let body = given.body(&[(invoice, "0.01")]);
        assert_eq!(given.world.refusal(SUPPLIER, body).rule, "invoice.consumed");
    }

    #[test]
    fn a_void_invoice_and_one_of_another_contract_are_not_registered() {
        let mut given = given();
        given.world.act(
            SUPPLIER,
            Void {
                invoice: given.first,
            },
        );
        let body = given.body(&[(given.first, "1.00")]);
        assert_eq!(given.world.refusal(SUPPLIER, body).rule, "invoice.void");
        let other = given.world.contract_of(SUPPLIER, STRANGER, proposal());
        let body = Register {
            contract: other,
            ..given.body(&[(given.second, "1.00")])
        };
        assert_eq!(given.world.refusal(SUPPLIER, body).rule, "invoice.contract");
    }

    #[test]
    fn nothing_is_registered_under_a_contract_that_has_ended() {
        let mut world = World::new();
        let terms = Propose {
            ends: Some(wire("2026-06-30")),
            ..proposal()
        };
        let contract = world.contract_of(SUPPLIER, HOSPITAL, terms);
        let invoice = world.invoice(contract, "INV-1", "100.00", "0.00");
        world.on("2026-06-30");
        world.registered(contract, &[(invoice, "1.00")]);
        world.on("2026-07-01");
        let shares = vec![item(invoice, "1.00")];
        let refusal = world.refusal(SUPPLIER, Register { contract, shares });
        assert_eq!(refusal.rule, "contract.ended");
    }

    #[test]
    fn an_invoice_is_in_at_most_64_receivables_that_stand() {
        let mut given = given();
        let share = [(given.first, "1.00")];
        let receivable = given.world.registered(given.contract, &share);
        for _ in 1..64 {
            given.world.registered(given.contract, &share);
        }
        let body = given.body(&share);
        assert_eq!(
            given.world.refusal(SUPPLIER, body).rule,
            "invoice.receivables"
        );
        given.world.act(SUPPLIER, Withdraw { receivable });
        given.world.registered(given.contract, &share);
    }

    #[test]
    fn lapsed_identification_stops_it() {
        let mut given = given();
        let body = given.body(&[(given.first, "1.00")]);
        let refusal = given.world.on("2031-01-01").refusal(SUPPLIER, body);
        assert_eq!(refusal.rule, "party.kyc_lapsed");
    }

    #[rstest]
    #[case::its_debtor(HOSPITAL, "receivable.not_supplier")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_the_suppliers(#[case] by: &str, #[case] rule: &str) {
        let mut given = given();
        let body = given.body(&[(given.first, "1.00")]);
        assert_eq!(given.world.refusal(by, body).rule, rule);
    }
}
