//! `invoice.book`: the debtor takes the invoice into its books, once; from then on it ends with its consent only.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Invoice, InvoiceState};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::InvoiceId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// The invoice.
    pub invoice: InvoiceId,
}

impl Operation for Book {
    const NAME: &'static str = "invoice.book";
    const SUMMARY: &'static str = "The debtor books an invoice";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let invoice = at.named::<Invoice>(self.invoice)?;
        ensure(at.by == invoice.debtor, || {
            Refusal::new("invoice.not_debtor", "an invoice is booked by its debtor")
                .input("invoice", invoice.id)
        })?;
        ensure(invoice.standing()?.state == InvoiceState::Issued, || {
            Refusal::new("invoice.booked", "the invoice is booked already")
                .input("invoice", invoice.id)
        })?;

        let mut draft = at.draft();
        draft.edit::<Invoice>(invoice.id).state = InvoiceState::Booked(at.time);
        draft.tell(invoice.supplier);
        Ok(draft.done())
    }
}
