//! Operations on deliveries.

pub mod accept;
pub mod record;
pub mod reject;

use crate::domain::head::Head;
use crate::domain::objects::{Acceptance, Delivery};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::DeliveryId;

/// A delivery that waits for the acting debtor's answer: once the day of deemed acceptance has passed it can be
/// neither accepted nor rejected.
fn answerable<'s>(at: &Head<'s>, id: DeliveryId) -> Result<&'s Delivery, Refusal> {
    let delivery = at.named::<Delivery>(id)?;
    ensure(at.by == delivery.debtor, || {
        Refusal::new(
            "delivery.not_debtor",
            "a delivery is answered by its debtor",
        )
        .input("delivery", id)
    })?;
    let Acceptance::Deemed { on } = delivery.acceptance else {
        return Err(Refusal::new(
            "delivery.answered",
            "the delivery is accepted or rejected already",
        )
        .input("delivery", id));
    };
    let today = at.today()?;
    ensure(today <= on, || {
        Refusal::new(
            "delivery.deemed",
            "the inspection period has passed: the delivery counts as accepted",
        )
        .input("delivery", id)
        .input("accepted_on", on)
        .input("today", today)
    })?;
    Ok(delivery)
}
