//! The payment day: when the debtor must have paid, by the contract and by what it accepted.

use super::draft::Draft;
use super::objects::{Contract, Delivery, Invoice, Receivable};
use super::values::Day;

/// The payment day of an invoice: the latest acceptance or deemed acceptance of the deliveries it names, rejected
/// ones left out, else its issue date; and the contract's payment days.
pub fn of_invoice<'a>(
    contract: &Contract,
    invoice: &Invoice,
    deliveries: impl Iterator<Item = &'a Delivery>,
) -> Day {
    let accepted = deliveries.filter_map(Delivery::accepted_on).max();
    let starts = accepted.unwrap_or(invoice.issued);
    starts.plus_days(contract.terms.payment_days.into())
}

/// The payment day of a receivable: the earliest of its invoices', as their deliveries stand now.
pub fn of_receivable(draft: &Draft<'_>, receivable: &Receivable) -> Option<Day> {
    let contract = draft.get::<Contract>(receivable.contract);
    let of_share = |share: &super::objects::Share| {
        let invoice = draft.get::<Invoice>(share.invoice);
        let deliveries = invoice.deliveries.iter();
        of_invoice(
            contract,
            invoice,
            deliveries.map(|id| draft.get::<Delivery>(*id)),
        )
    };
    receivable.shares.iter().map(of_share).min()
}
