//! Operations on invoices.

pub mod attest;
pub mod book;
pub mod credit;
pub mod flag;
pub mod issue;
pub mod unflag;
pub mod void;

use crate::domain::head::Head;
use crate::domain::objects::{Invoice, InvoiceKey, InvoiceState, PartyLink};
use crate::domain::operation::Consents;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::{
    Digest, Fingerprint, InvoiceId, PartyId, Reference, Role, Scope, fingerprint,
};

/// The fingerprint of a number, new among the seller's invoices and credit notes.
fn new_fingerprint(
    at: &Head<'_>,
    seller: PartyId,
    number: &Reference,
) -> Result<Fingerprint, Refusal> {
    let unreadable = |error: crate::domain::values::FingerprintError| {
        Refusal::new("invoice.number", error.to_string()).input("number", number)
    };
    let fingerprint = fingerprint(seller, number.as_str()).map_err(unreadable)?;
    let known = at
        .state
        .invoices
        .by(&InvoiceKey::Fingerprint(fingerprint))
        .next();
    ensure(known.is_none(), || {
        let refusal = Refusal::new(
            "invoice.duplicate",
            "an invoice or credit note of this seller has that number already, however it is typed",
        )
        .input("number", number);
        known_as(refusal, known)
    })?;
    Ok(fingerprint)
}

/// A document counts once per seller.
fn new_document(at: &Head<'_>, seller: PartyId, document: Digest) -> Result<(), Refusal> {
    let known = at
        .state
        .invoices
        .by(&InvoiceKey::Document(seller, document))
        .next();
    ensure(known.is_none(), || {
        let refusal = Refusal::new("invoice.document", "the document is on the ledger already")
            .input("document", document);
        known_as(refusal, known)
    })
}

/// The invoice that stands in the way is its seller's fact.
fn known_as(refusal: Refusal, known: Option<&Invoice>) -> Refusal {
    known.iter().fold(refusal, |refusal, invoice| {
        refusal.input_of(invoice.supplier, "invoice", invoice.id)
    })
}

/// An invoice that the acting authority may attest or flag: never one of its own.
fn by_attester<'s>(at: &Head<'s>, id: InvoiceId) -> Result<&'s Invoice, Refusal> {
    let invoice = at.named::<Invoice>(id)?;
    ensure(at.actor()?.has_scope(Scope::Attest), || {
        Refusal::new(
            "authority.scope",
            "this is for an authority that attests invoices",
        )
        .input("scope", Scope::Attest)
    })?;
    ensure(at.by != invoice.supplier && at.by != invoice.debtor, || {
        Refusal::new(
            "authority.own",
            "an authority attests and flags the invoices of others alone",
        )
        .input("invoice", id)
    })?;
    Ok(invoice)
}

/// The debtor, or an authority that attests invoices, may sign with the supplier.
fn debtor_or_attester(at: &Head<'_>, id: InvoiceId) -> Result<Consents, Refusal> {
    let debtor = at.named::<Invoice>(id)?.debtor;
    let authorities = at.state.parties.by(&PartyLink::Role(Role::Authority));
    let attesters = authorities.filter(|party| party.has_scope(Scope::Attest));
    Ok(Consents {
        optional: attesters.map(|party| party.id).chain([debtor]).collect(),
        ..Consents::none()
    })
}

/// A standing invoice of the acting supplier; once booked it also needs the debtor's signature, or an authority's.
fn agreed_by_debtor<'s>(at: &Head<'s>, id: InvoiceId) -> Result<&'s Invoice, Refusal> {
    let invoice = at.named::<Invoice>(id)?;
    ensure(at.by == invoice.supplier, || {
        Refusal::new("invoice.not_supplier", "this is for the invoice's supplier")
            .input("invoice", id)
    })?;
    let booked = matches!(invoice.standing()?.state, InvoiceState::Booked(_));
    ensure(!booked || !at.signed.is_empty(), || {
        Refusal::new("invoice.booked", "the debtor has booked the invoice")
            .input("invoice", id)
            .remedy("the signature of the debtor, or of an authority that attests invoices")
    })?;
    Ok(invoice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::objects::InvoiceState;
    use crate::domain::ops::invoice::attest::Attest;
    use crate::domain::ops::invoice::book::Book;
    use crate::domain::ops::invoice::void::Void;
    use crate::domain::testing::{HOSPITAL, TAX, World, admission, id, proposal};
    use crate::domain::values::Size;

    /// A supplier that attests invoices too: of its own, nobody's word but others' counts.
    const BUREAU: &str = "lei:5493001KJTIIGC8Y1R12";

    #[test]
    fn an_authority_neither_agrees_with_itself_nor_attests_its_own_invoice() {
        let mut world = World::new();
        let roles = [Role::Supplier, Role::Authority];
        let (supplier, scopes) = (BUREAU, [Scope::Attest]);
        let admission = admission(supplier, &roles, &scopes, Some(Size::Small), Some(TAX));
        world.act_with(crate::domain::testing::OPERATOR, &[id(TAX)], admission);
        let contract = world.contract_of(supplier, HOSPITAL, proposal());
        let invoice = world.invoice(contract, "INV-1", "100.00", "0.00");
        world.act(HOSPITAL, Book { invoice });

        let refusal = world.refusal(supplier, Void { invoice });
        assert_eq!(refusal.rule, "invoice.booked");
        let refusal = world.refusal(supplier, Attest { invoice });
        assert_eq!(refusal.rule, "authority.own");

        world.act(TAX, Attest { invoice });
        world.act_with(supplier, &[id(TAX)], Void { invoice });
        let state = world.get_invoice(invoice).state;
        assert!(matches!(state, InvoiceState::Void(_)));
    }
}
