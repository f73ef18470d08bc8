//! Operations on receivables.

pub mod confirm;
pub mod decline;
pub mod dispute;
pub mod register;
pub mod resolve;
pub mod withdraw;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Receivable, Share};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::{Amount, Fen, InvoiceId};

/// A receivable has shares of at most this many invoices.
pub const SHARES_MOST: usize = 64;

/// So much of one invoice, in wire order.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The invoice.
    pub invoice: InvoiceId,
    /// How much of it.
    pub amount: Amount,
}

impl Item {
    /// The receivable's share of the invoice.
    fn share<'r>(&self, receivable: &'r Receivable) -> Result<&'r Share, Refusal> {
        receivable.share(self.invoice).ok_or_else(|| {
            Refusal::new(
                "receivable.share",
                "the receivable has no share of the invoice",
            )
            .input("receivable", receivable.id)
            .input("invoice", self.invoice)
        })
    }

    /// The amount, of what the debtor may still confirm or dispute: ≤ registered − disputed.
    fn undisputed(&self, at: &Head<'_>, receivable: &Receivable) -> Result<Fen, Refusal> {
        let left = self.share(receivable)?.confirmable();
        let amount = at.amount("amount", &self.amount, receivable.currency)?;
        ensure(amount <= left, || {
            Refusal::new(
                "receivable.confirmable",
                "that much of the invoice is not registered and undisputed",
            )
            .input("invoice", self.invoice)
            .input("asked_units", amount)
            .input("left_units", left)
        })?;
        Ok(amount)
    }
}

/// A list that goes by invoice names 1 to 64 of them, each once.
fn named_once(invoices: impl Iterator<Item = InvoiceId>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for invoice in invoices {
        ensure(seen.insert(invoice), || {
            Refusal::new("receivable.items", "an invoice is named once").input("invoice", invoice)
        })?;
    }
    ensure((1..=SHARES_MOST).contains(&seen.len()), || {
        Refusal::new(
            "receivable.items",
            format!("1 to {SHARES_MOST} invoices are named"),
        )
        .input("invoices", seen.len())
    })
}

/// Only the supplier does this.
fn by_supplier(at: &Head<'_>, receivable: &Receivable) -> Result<(), Refusal> {
    ensure(at.by == receivable.supplier, || {
        Refusal::new(
            "receivable.not_supplier",
            "this is for the receivable's supplier",
        )
        .input("receivable", receivable.id)
    })
}

/// Only the debtor does this.
fn by_debtor(at: &Head<'_>, receivable: &Receivable) -> Result<(), Refusal> {
    ensure(at.by == receivable.debtor, || {
        Refusal::new(
            "receivable.not_debtor",
            "this is for the receivable's debtor",
        )
        .input("receivable", receivable.id)
    })
}
