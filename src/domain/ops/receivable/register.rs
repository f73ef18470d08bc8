//! `receivable.register`: the supplier puts shares of its invoices to the debtor.

use serde::{Deserialize, Serialize};

use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{Contract, Invoice, Receivable, ReceivableKey, Share, Stage};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{ContractId, Day, Fen};

use super::{Item, named_once};

/// At most this many receivables have a share of one invoice: a credit looks at each.
const RECEIVABLES_MOST: usize = 64;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
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
        at.actor()?.may_take_obligations(today)?;
        at.party(contract.debtor)?.may_take_obligations(today)?;
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
