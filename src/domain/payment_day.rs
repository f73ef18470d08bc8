//! The payment day: when the debtor must have paid, by the contract and by what it accepted.

use super::draft::Draft;
use super::objects::{Contract, Delivery, Invoice, Receivable};
use super::refusal::Refusal;
use super::rules::PaymentTerm;
use super::values::Day;

/// The day from which an invoice's payment days count: the latest acceptance or deemed acceptance of the deliveries
/// it names, rejected ones left out, else its issue date.
fn starts(draft: &Draft<'_>, invoice: &Invoice) -> Day {
    let deliveries = invoice
        .deliveries
        .iter()
        .map(|id| draft.get::<Delivery>(*id));
    let accepted = deliveries.filter_map(Delivery::accepted_on).max();
    accepted.unwrap_or(invoice.issued)
}

/// The payment day of a receivable: the earliest of its invoices', as their deliveries stand now, by the payment days
/// of its registration.
pub fn of_receivable(draft: &Draft<'_>, receivable: &Receivable) -> Option<Day> {
    let of_share = |share: &super::objects::Share| {
        starts(draft, draft.get::<Invoice>(share.invoice))
            .plus_days(receivable.terms.payment_days.into())
    };
    receivable.shares.iter().map(of_share).min()
}

/// Applies `sme.term` to a due day behind the payment day, on a receivable that is confirmed on `since`: what supplier
/// and debtor agree on beyond it is a payment term of its own, from the confirmation or, if later, from the day that
/// the payment days count from. `reasoned`: a reason is given for more than the law allows in principle.
///
/// # Errors
/// `sme.term` where the rule blocks and does not hold.
pub fn agreed_beyond(
    draft: &mut Draft<'_>,
    receivable: &Receivable,
    since: Day,
    due: Day,
    reasoned: bool,
) -> Result<(), Refusal> {
    let last = of_receivable(draft, receivable);
    let contract = draft.get::<Contract>(receivable.contract);
    let clock = last.map(|last| last.plus_days(-i64::from(receivable.terms.payment_days)));
    let from = clock.map_or(since, |clock| clock.max(since));
    let term = PaymentTerm {
        supplier: contract.supplier_size,
        debtor: contract.debtor_size,
        days: from.days_until(due),
        reasoned,
    };
    let (concluded, version) = (contract.terms.concluded, contract.rulebook);
    term.enforce(draft, draft.head.rulebook_of(version)?, concluded)
}
