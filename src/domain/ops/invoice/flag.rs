//! `invoice.flag`: a tax authority warns of an invoice for a time; it blocks new registration and financing only.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Flag as Warning, Invoice};
use crate::domain::operation::Operation;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::{Instant, InvoiceId, Reason};

use super::by_attester;

/// A flag ends within this many days; it may be raised again.
const FLAG_DAYS: i64 = 90;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::receivable::register::Register;
    use crate::domain::testing::{HOSPITAL, LENDER, SUPPLIER, TAX, World, item, wire};
    use crate::domain::values::ContractId;

    fn given() -> (World, ContractId, Flag) {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "100.00", "13.00");
        let body = Flag {
            invoice,
            reason: wire("the seller's books are under inspection"),
            ends: wire("2026-08-30T02:00:00Z"),
        };
        (world, contract, body)
    }

    #[test]
    fn a_flag_bars_registration_until_it_ends() {
        let (mut world, contract, body) = given();
        let invoice = body.invoice;
        world.act(TAX, body);
        let registering = || Register {
            contract,
            shares: vec![item(invoice, "113.00")],
        };
        assert_eq!(
            world.refusal(SUPPLIER, registering()).rule,
            "invoice.flagged"
        );
        world.later_by_hours(90 * 24);
        world.act(SUPPLIER, registering());
    }

    #[test]
    fn a_flag_does_not_bar_a_confirmation() {
        let (mut world, contract, body) = given();
        let receivable = world.registered(contract, &[(body.invoice, "113.00")]);
        world.act(TAX, body);
        world.act(HOSPITAL, world.confirmation(receivable));
    }

    #[test]
    fn it_is_replaced_by_whom_it_was_raised() {
        let (mut world, _, body) = given();
        let invoice = body.invoice;
        world.act(TAX, body);
        let shorter = Flag {
            invoice,
            reason: wire("nearly through"),
            ends: world.time.plus_days(2),
        };
        world.act(TAX, shorter);
        let flag = world.get_invoice(invoice).flag.as_ref().unwrap();
        assert_eq!(flag.ends, world.time.plus_days(2));
    }

    #[rstest]
    #[case::too_long("2026-08-30T02:00:01Z")]
    #[case::in_the_past("2026-06-01T02:00:00Z")]
    fn it_ends_ahead_within_ninety_days(#[case] ends: &str) {
        let (mut world, _, mut body) = given();
        body.ends = wire(ends);
        assert_eq!(world.refusal(TAX, body).rule, "end.range");
    }

    #[rstest]
    #[case::its_debtor(HOSPITAL, "authority.scope")]
    #[case::a_lender(LENDER, "unknown_object")]
    fn nobody_else_flags_it(#[case] by: &str, #[case] rule: &str) {
        let (mut world, _, body) = given();
        assert_eq!(world.refusal(by, body).rule, rule);
    }
}
