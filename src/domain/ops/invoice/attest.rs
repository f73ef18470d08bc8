//! `invoice.attest`: a tax authority says that the invoice is in its books.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Attestation, Invoice};
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::InvoiceId;

use super::by_attester;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::invoice::void::Void;
    use crate::domain::testing::{HOSPITAL, LENDER, SUPPLIER, TAX, World, id};

    fn given() -> (World, InvoiceId) {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "100.00", "13.00");
        (world, invoice)
    }

    #[test]
    fn an_authority_attests_it_once() {
        let (mut world, invoice) = given();
        let effects = world.effects(TAX, Attest { invoice });
        assert!(
            [SUPPLIER, HOSPITAL]
                .map(id)
                .iter()
                .all(|party| effects.audience.contains(party))
        );
        world.act(TAX, Attest { invoice });
        let attested = world.get_invoice(invoice).attested.as_ref();
        assert_eq!(attested.map(|word| word.by), Some(id(TAX)));
        assert_eq!(
            world.refusal(TAX, Attest { invoice }).rule,
            "invoice.attested"
        );
    }

    #[rstest]
    #[case::its_supplier(SUPPLIER, "authority.scope")]
    #[case::its_debtor(HOSPITAL, "authority.scope")]
    #[case::a_lender(LENDER, "unknown_object")]
    fn nobody_else_does(#[case] by: &str, #[case] rule: &str) {
        let (mut world, invoice) = given();
        assert_eq!(world.refusal(by, Attest { invoice }).rule, rule);
    }

    #[test]
    fn a_void_invoice_is_in_no_books() {
        let (mut world, invoice) = given();
        world.act(SUPPLIER, Void { invoice });
        assert_eq!(world.refusal(TAX, Attest { invoice }).rule, "invoice.void");
    }
}
