//! `financing.cancel`: lender or requester gives a financing up before its money is announced.

use serde::{Deserialize, Serialize};

use crate::domain::absorb::absorb_again;
use crate::domain::head::Head;
use crate::domain::objects::{Financing, FinancingState, Leg};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::FinancingId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The financing.
    pub financing: FinancingId,
}

impl Operation for Cancel {
    const NAME: &'static str = "financing.cancel";
    const SUMMARY: &'static str =
        "Lender or requester cancels a financing before a leg is announced";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let financing = at.named::<Financing>(self.financing)?.unfunded(at.time)?;
        ensure(
            [financing.lender, financing.requester].contains(&at.by),
            || {
                Refusal::new(
                    "financing.not_party",
                    "a financing is cancelled by its lender or its requester",
                )
                .input("financing", financing.id)
            },
        )?;
        check_unannounced(at, financing)?;

        let mut draft = at.draft();
        draft.end_financing(financing.id, FinancingState::Cancelled(at.time));
        // A leg that lapsed may have kept a credit from the fens.
        absorb_again(&mut draft);
        draft.tell(financing.lender);
        draft.tell(financing.requester);
        Ok(draft.done())
    }
}

/// A leg that has lapsed holds the financing no longer.
fn check_unannounced(at: &Head<'_>, financing: &Financing) -> Result<(), Refusal> {
    let FinancingState::Accepted { leg: Some(leg), .. } = financing.state else {
        return Ok(());
    };
    let live = at
        .state
        .legs
        .get(leg)
        .is_some_and(|leg: &Leg| leg.is_live(at.time));
    ensure(!live, || {
        Refusal::new(
            "financing.announced",
            "a leg is announced for the financing",
        )
        .input("leg", leg)
        .remedy("the leg is attested, or lapses")
    })
}
