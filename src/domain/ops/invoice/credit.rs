//! `invoice.credit`: a credit note lowers what is owed. It is an outside fact and always recorded; what has been
//! registered or confirmed absorbs it.

use serde::{Deserialize, Serialize};

use crate::domain::absorb::absorb;
use crate::domain::head::Head;
use crate::domain::objects::{Credit as Note, Invoice};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::{Consents, Operation};
use crate::domain::state::Effects;
use crate::domain::values::{Amount, Digest, Fen, InvoiceId, Reference};

use super::{agreed_by_debtor, debtor_or_attester, new_document, new_fingerprint};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
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
