//! `receivable.decline`: the debtor does not owe it; everything registered is released.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Receivable, Stage};
use crate::domain::operation::Operation;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::{Reason, ReceivableId};

use super::by_debtor;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// The receivable.
    pub receivable: ReceivableId,
    /// Why.
    pub reason: Reason,
}

impl Operation for Decline {
    const NAME: &'static str = "receivable.decline";
    const SUMMARY: &'static str = "The debtor declines a registered receivable";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        by_debtor(at, receivable)?;
        receivable.registered()?;

        let mut draft = at.draft();
        draft.end_receivable(receivable.id, Stage::Declined(self.reason.clone()));
        draft.tell(receivable.supplier);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, World, fen, wire};

    fn decline(receivable: ReceivableId) -> Decline {
        Decline {
            receivable,
            reason: wire("nothing was ordered"),
        }
    }

    #[test]
    fn everything_registered_is_released() {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "100.00", "13.00");
        let receivable = world.registered(contract, &[(invoice, "113.00")]);
        world.act(HOSPITAL, decline(receivable));
        assert_eq!(world.get_invoice(invoice).unconsumed(), fen("113.00"));
        assert_eq!(world.get_contract(contract).registered, fen("0.00"));
        assert_eq!(
            world.refusal(HOSPITAL, decline(receivable)).rule,
            "receivable.not_registered"
        );
        world.registered(contract, &[(invoice, "113.00")]);
    }

    #[test]
    fn what_is_confirmed_is_not_declined() {
        let mut world = World::new();
        let receivable = world.confirmed("100.00");
        assert_eq!(
            world.refusal(HOSPITAL, decline(receivable)).rule,
            "receivable.not_registered"
        );
    }

    #[rstest]
    #[case::its_supplier(SUPPLIER, "receivable.not_debtor")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_the_debtors(#[case] by: &str, #[case] rule: &str) {
        let mut world = World::new();
        let receivable = world.confirmed("100.00");
        assert_eq!(world.refusal(by, decline(receivable)).rule, rule);
    }
}
