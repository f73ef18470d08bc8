//! `invoice.book`: the debtor takes the invoice into its books, once; from then on it ends with its consent only.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Invoice, InvoiceState};
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::InvoiceId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::invoice::void::Void;
    use crate::domain::testing::{HOSPITAL, LENDER, SUPPLIER, World};

    fn given() -> (World, InvoiceId) {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "100.00", "13.00");
        (world, invoice)
    }

    #[test]
    fn the_debtor_books_it_once() {
        let (mut world, invoice) = given();
        world.act(HOSPITAL, Book { invoice });
        let booked = InvoiceState::Booked(world.time);
        assert_eq!(world.get_invoice(invoice).state, booked);
        assert_eq!(
            world.refusal(HOSPITAL, Book { invoice }).rule,
            "invoice.booked"
        );
    }

    #[rstest]
    #[case::its_supplier(SUPPLIER, "invoice.not_debtor")]
    #[case::a_lender(LENDER, "unknown_object")]
    fn nobody_else_does(#[case] by: &str, #[case] rule: &str) {
        let (mut world, invoice) = given();
        assert_eq!(world.refusal(by, Book { invoice }).rule, rule);
    }

    #[test]
    fn a_void_invoice_is_not_booked() {
        let (mut world, invoice) = given();
        world.act(SUPPLIER, Void { invoice });
        assert_eq!(
            world.refusal(HOSPITAL, Book { invoice }).rule,
            "invoice.void"
        );
    }
}
