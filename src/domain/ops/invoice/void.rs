//! `invoice.void`: the supplier takes back an invoice of which nothing is used.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Invoice, InvoiceState};
use crate::domain::operation::{Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::InvoiceId;

use super::{agreed_by_debtor, debtor_or_attester};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Void {
    /// The invoice.
    pub invoice: InvoiceId,
}

impl Operation for Void {
    const NAME: &'static str = "invoice.void";
    const SUMMARY: &'static str =
        "The supplier voids an unused invoice; once booked, with its debtor";

    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        debtor_or_attester(at, self.invoice)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let invoice = agreed_by_debtor(at, self.invoice)?;
        ensure(invoice.consumed.is_zero(), || {
            Refusal::new(
                "invoice.consumed",
                "receivables or transfers use the invoice",
            )
            .input("invoice", invoice.id)
            .input("consumed_units", invoice.consumed)
            .remedy("credit it, or withdraw what uses it")
        })?;

        let mut draft = at.draft();
        draft.edit::<Invoice>(invoice.id).state = InvoiceState::Void(at.time);
        draft.tell(invoice.debtor);
        at.signed.iter().for_each(|party| draft.tell(*party));
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::Basis;
    use crate::domain::ops::invoice::book::Book;
    use crate::domain::ops::receivable::withdraw::Withdraw;
    use crate::domain::ops::transfer::accept;
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{
        HOSPITAL, LENDER, MAKER, STRANGER, SUPPLIER, TAX, World, id, proposal,
    };
    use crate::domain::values::{ContractId, MadeId, TransferId};

    fn given() -> (World, ContractId, InvoiceId) {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "100.00", "13.00");
        (world, contract, invoice)
    }

    #[test]
    fn the_supplier_alone_voids_what_nobody_booked() {
        let (mut world, _, invoice) = given();
        world.act(SUPPLIER, Void { invoice });
        let void = InvoiceState::Void(world.time);
        assert_eq!(world.get_invoice(invoice).state, void);
        assert_eq!(
            world.refusal(SUPPLIER, Void { invoice }).rule,
            "invoice.void"
        );
    }

    #[rstest]
    #[case::alone(&[], Some("invoice.booked"))]
    #[case::with_its_debtor(&[HOSPITAL], None)]
    #[case::with_the_tax_bureau(&[TAX], None)]
    #[case::with_somebody(&[LENDER], Some("signature.not_asked"))]
    fn once_booked_it_takes_another_word(#[case] also: &[&str], #[case] rule: Option<&str>) {
        let (mut world, _, invoice) = given();
        world.act(HOSPITAL, Book { invoice });
        let also: Vec<_> = also.iter().map(|party| id(party)).collect();
        match rule {
            Some(rule) => {
                let refusal = world.refusal_with(SUPPLIER, &also, Void { invoice });
                assert_eq!(refusal.rule, rule);
            }
            None => _ = world.act_with(SUPPLIER, &also, Void { invoice }),
        }
    }

    #[test]
    fn what_is_used_is_not_voided() {
        let (mut world, contract, invoice) = given();
        let receivable = world.registered(contract, &[(invoice, "0.01")]);
        let refusal = world.refusal(SUPPLIER, Void { invoice });
        assert_eq!(refusal.rule, "invoice.consumed");
        assert!(refusal.remedy.unwrap().contains("credit it"));
        world.act(SUPPLIER, Withdraw { receivable });
        world.act(SUPPLIER, Void { invoice });
    }

    #[test]
    fn what_a_transfer_pays_is_used() {
        let mut world = World::new();
        let receivable = world.confirmed("500.00");
        let contract = world.contract_of(MAKER, SUPPLIER, proposal());
        let invoice = world.invoice(contract, "M-1", "300.00", "0.00");
        let body = world.passing(fens_of(receivable, 0, 30_000), Basis::Invoice(invoice));
        let transfer = TransferId::of(&world.act(SUPPLIER, body), 0);
        world.act(MAKER, accept::Accept { transfer });
        assert_eq!(
            world.refusal(MAKER, Void { invoice }).rule,
            "invoice.consumed"
        );
    }

    #[rstest]
    #[case::its_debtor(HOSPITAL, "invoice.not_supplier")]
    #[case::the_tax_bureau(TAX, "invoice.not_supplier")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_the_suppliers(#[case] by: &str, #[case] rule: &str) {
        let (mut world, _, invoice) = given();
        assert_eq!(world.refusal(by, Void { invoice }).rule, rule);
    }
}
