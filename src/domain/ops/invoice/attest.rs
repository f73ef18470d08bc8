//! `invoice.attest`: a tax authority says that the invoice is in its books.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Attestation, Invoice};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::InvoiceId;

use super::by_attester;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attest {
    /// The invoice.
    pub invoice: InvoiceId,
}

impl Operation for Attest {
    const NAME: &'static str = "invoice.attest";
    const SUMMARY: &'static str = "A tax authority attests that an invoice is in its books";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let invoice = by_attester(at, self.invoice)?.standing()?;
        ensure(invoice.attested.is_none(), || {
            Refusal::new("invoice.attested", "the invoice is attested already")
                .input("invoice", invoice.id)
        })?;

        let mut draft = at.draft();
        draft.edit::<Invoice>(invoice.id).attested = Some(Attestation {
            by: at.by,
            at: at.time,
        });
        draft.tell(invoice.supplier);
        draft.tell(invoice.debtor);
        Ok(draft.done())
    }
}
