//! `invoice.flag`: a tax authority warns of an invoice for a time; it blocks new registration and financing only.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Flag as Warning, Invoice};
use crate::domain::refusal::Refusal;
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{Instant, InvoiceId, Reason};

use super::by_attester;

/// A flag ends within this many days; it may be raised again.
const FLAG_DAYS: i64 = 90;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// The invoice.
    pub invoice: InvoiceId,
    /// Why.
    pub reason: Reason,
    /// From here on it is no more: at most 90 days ahead.
    pub ends: Instant,
}

impl Operation for Flag {
    const NAME: &'static str = "invoice.flag";
    const SUMMARY: &'static str = "A tax authority flags an invoice for at most 90 days";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let invoice = by_attester(at, self.invoice)?.standing()?;
        let anothers = invoice.flag.as_ref().is_some_and(|flag| flag.by != at.by);
        if anothers {
            // A flag is shortened or replaced by nobody but who raised it.
            invoice.unflagged(at.time)?;
        }
        at.ends_within("ends", self.ends, FLAG_DAYS)?;

        let mut draft = at.draft();
        draft.edit::<Invoice>(invoice.id).flag = Some(Warning {
            by: at.by,
            reason: self.reason.clone(),
            ends: self.ends,
        });
        draft.tell(invoice.supplier);
        draft.tell(invoice.debtor);
        Ok(draft.done())
    }
}
