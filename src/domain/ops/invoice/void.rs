//! `invoice.void`: the supplier takes back an invoice of which nothing is used.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Invoice, InvoiceState};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::{Consents, Operation};
use crate::domain::state::Effects;
use crate::domain::values::InvoiceId;

use super::{agreed_by_debtor, debtor_or_attester};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
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
