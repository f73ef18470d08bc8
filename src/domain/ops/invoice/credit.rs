//! `invoice.credit`: a credit note lowers what is owed. It is an outside fact and always recorded; what has been
//! registered or confirmed absorbs it.

use serde::{Deserialize, Serialize};

use crate::domain::absorb::absorb;
use crate::domain::head::Head;
use crate::domain::objects::{Credit as Note, Invoice};
use crate::domain::operation::{Consents, Operation};
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Amount, Digest, Fen, InvoiceId, Reference};

use super::{agreed_by_debtor, debtor_or_attester, new_document, new_fingerprint};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credit {
    /// The invoice.
    pub invoice: InvoiceId,
    /// The credit note's number.
    pub number: Reference,
    /// By how much it lowers what is owed.
    pub amount: Amount,
    /// Digest of the document.
    pub document: Digest,
}

impl Operation for Credit {
    const NAME: &'static str = "invoice.credit";
    const SUMMARY: &'static str = "The supplier credits an invoice; once booked, with its debtor";

    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        debtor_or_attester(at, self.invoice)
    }
    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let invoice = at.named::<Invoice>(self.invoice)?;
        at.stake("amount", [&self.amount], invoice.currency)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let invoice = agreed_by_debtor(at, self.invoice)?;
        let amount = at.amount("amount", &self.amount, invoice.currency)?;
        check_gross(invoice, amount)?;
        let fingerprint = new_fingerprint(at, invoice.supplier, &self.number)?;
        new_document(at, invoice.supplier, self.document)?;

        let mut draft = at.draft();
        draft.edit::<Invoice>(invoice.id).credits.push(Note {
            number: self.number.clone(),
            fingerprint,
            document: self.document,
            amount,
            at: at.time,
        });
        absorb(&mut draft, invoice.id);
        draft.tell(invoice.debtor);
        at.signed.iter().for_each(|party| draft.tell(*party));
        Ok(draft.done())
    }
}

/// Σ credits ≤ gross.
fn check_gross(invoice: &Invoice, amount: Fen) -> Result<(), Refusal> {
    let credited = invoice.credited().checked_add(amount);
    ensure(credited.is_some_and(|sum| sum <= invoice.gross), || {
        Refusal::new(
            "invoice.credited",
            "the credit notes would exceed the invoice",
        )
        .input("invoice", invoice.id)
        .input("credited_units", invoice.credited())
        .input("asked_units", amount)
        .input("gross_units", invoice.gross)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::invoice::book::Book;
    use crate::domain::ops::invoice::void::Void;
    use crate::domain::testing::{
        HOSPITAL, LENDER, STRANGER, SUPPLIER, TAX, World, digest, fen, id, wire,
    };

    /// An invoice of 113.00, and a credit note of 13.00.
    fn given() -> (World, Credit) {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "100.00", "13.00");
        let body = Credit {
            invoice,
            number: wire("CN-1"),
            amount: wire("13.00"),
            document: digest("CN-1"),
        };
        (world, body)
    }

    #[test]
    fn it_lowers_what_is_owed() {
        let (mut world, body) = given();
        let invoice = body.invoice;
        world.act(SUPPLIER, body);
        assert_eq!(world.get_invoice(invoice).owed(), fen("100.00"));
        assert_eq!(world.get_invoice(invoice).unconsumed(), fen("100.00"));
    }

    #[rstest]
    #[case::of_nothing(|body: &mut Credit| { body.amount = wire("0.00"); }, "amount.zero")]
    #[case::above_the_gross(|body: &mut Credit| { body.amount = wire("113.01"); }, "invoice.credited")]
    #[case::numbered_as_the_invoice(|body: &mut Credit| { body.number = wire("INV\u{2013}1"); }, "invoice.duplicate")]
    #[case::of_the_invoices_document(|body: &mut Credit| { body.document = digest("INV-1"); }, "invoice.document")]
    fn refused(#[case] spoil: fn(&mut Credit), #[case] rule: &str) {
        let (mut world, mut body) = given();
        spoil(&mut body);
        assert_eq!(world.refusal(SUPPLIER, body).rule, rule);
    }

    #[test]
    fn credits_sum_to_the_gross_at_most_and_each_counts_once() {
        let (mut world, body) = given();
        let invoice = body.invoice;
        world.act(SUPPLIER, body);
        let another = |number: &str, document: &str, amount: &str| Credit {
            invoice,
            number: wire(number),
            amount: wire(amount),
            document: digest(document),
        };
        let rules = [
            another("cn-1", "CN-2", "1.00"),
            another("CN-2", "CN-1", "1.00"),
            another("CN-2", "CN-2", "100.01"),
        ]
        .map(|body| world.refusal(SUPPLIER, body).rule);
        assert_eq!(
            rules,
            ["invoice.duplicate", "invoice.document", "invoice.credited"]
        );
        world.act(SUPPLIER, another("CN-2", "CN-2", "100.00"));
        assert_eq!(world.get_invoice(invoice).owed(), fen("0.00"));
    }

    #[test]
    fn its_number_and_document_are_no_invoices_any_more() {
        let (mut world, body) = given();
        let contract = world.get_invoice(body.invoice).contract;
        world.act(SUPPLIER, body);
        let mut invoice = world.billing(contract, "CN-1", "5.00", "0.00");
        invoice.document = digest("new");
        assert_eq!(world.refusal(SUPPLIER, invoice).rule, "invoice.duplicate");
    }

    #[rstest]
    #[case::alone(&[], Some("invoice.booked"))]
    #[case::with_its_debtor(&[HOSPITAL], None)]
    #[case::with_the_tax_bureau(&[TAX], None)]
    #[case::with_somebody(&[LENDER], Some("signature.not_asked"))]
    fn once_booked_it_takes_another_word(#[case] also: &[&str], #[case] rule: Option<&str>) {
        let (mut world, body) = given();
        let invoice = body.invoice;
        world.act(HOSPITAL, Book { invoice });
        let also: Vec<_> = also.iter().map(|party| id(party)).collect();
        match rule {
            Some(rule) => assert_eq!(world.refusal_with(SUPPLIER, &also, body).rule, rule),
            None => _ = world.act_with(SUPPLIER, &also, body),
        }
    }

    #[test]
    fn a_void_invoice_takes_no_credit() {
        let (mut world, body) = given();
        let invoice = body.invoice;
        world.act(SUPPLIER, Void { invoice });
        assert_eq!(world.refusal(SUPPLIER, body).rule, "invoice.void");
    }

    #[rstest]
    #[case::its_debtor(HOSPITAL, "invoice.not_supplier")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_the_suppliers(#[case] by: &str, #[case] rule: &str) {
        let (mut world, body) = given();
        assert_eq!(world.refusal(by, body).rule, rule);
    }
}
