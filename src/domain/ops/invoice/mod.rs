//! Operations on invoices.

pub mod issue;

use crate::domain::head::Head;
use crate::domain::objects::{Invoice, InvoiceKey};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::{Digest, Fingerprint, PartyId, Reference, fingerprint};

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
