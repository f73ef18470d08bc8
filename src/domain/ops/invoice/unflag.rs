//! `invoice.unflag`: the authority that flagged an invoice lifts its flag before it ends.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::Invoice;
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::InvoiceId;

use super::by_attester;

/// Body.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unflag {
    /// The invoice.
    pub invoice: InvoiceId,
}

impl Operation for Unflag {
    const NAME: &'static str = "invoice.unflag";
    const SUMMARY: &'static str = "A tax authority lifts the flag that it has raised";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let invoice = by_attester(at, self.invoice)?;
        let live = invoice.flag.as_ref().filter(|flag| flag.ends > at.time);
        // A flag is lifted by nobody but who raised it.
        ensure(live.is_some_and(|flag| flag.by == at.by), || {
            Refusal::new(
                "invoice.not_flagged",
                "no live flag of this authority is on the invoice",
            )
            .input("invoice", self.invoice)
        })?;

        let mut draft = at.draft();
        draft.edit::<Invoice>(invoice.id).flag = None;
        draft.tell(invoice.supplier);
        draft.tell(invoice.debtor);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ops::invoice::flag::Flag;
    use crate::domain::testing::{HOSPITAL, LENDER, SUPPLIER, TAX, World, wire};

    fn flagged() -> (World, InvoiceId) {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "100.00", "13.00");
        world.act(
            TAX,
            Flag {
                invoice,
                reason: wire("the seller's books are under inspection"),
                ends: wire("2026-08-30T02:00:00Z"),
            },
        );
        (world, invoice)
    }

    #[test]
    fn a_lifted_flag_bars_nothing_more() {
        let (mut world, invoice) = flagged();
        world.act(TAX, Unflag { invoice });
        let invoice = world.state.invoices.get(invoice).unwrap();
        assert!(invoice.unflagged(world.time).is_ok());
    }

    #[test]
    fn a_flag_is_lifted_once_and_by_who_raised_it() {
        let (mut world, invoice) = flagged();
        let refusal = |world: &mut World, by| world.refusal(by, Unflag { invoice }).rule;
        assert_eq!(refusal(&mut world, SUPPLIER), "authority.scope");
        assert_eq!(refusal(&mut world, HOSPITAL), "authority.scope");
        assert_eq!(refusal(&mut world, LENDER), "unknown_object");
        world.act(TAX, Unflag { invoice });
        assert_eq!(refusal(&mut world, TAX), "invoice.not_flagged");
    }

    #[test]
    fn a_flag_that_has_ended_is_none() {
        let (mut world, invoice) = flagged();
        world.time = wire("2026-08-30T02:00:00Z");
        let refusal = world.refusal(TAX, Unflag { invoice });
        assert_eq!(refusal.rule, "invoice.not_flagged");
    }
}
