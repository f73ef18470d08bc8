//! Operations on legs: bank transfers that are announced, attested, contested and returned. All money uses them.

pub mod announce;
pub mod attest;
pub mod contest;
mod disburse;
mod pay;
pub mod reverse;

use crate::domain::draft::Draft;
use crate::domain::objects::{Cause, Leg, Obligation, ObligationKind};
use crate::domain::refusal::Refusal;
use crate::domain::values::{Calendar, Day, Fen, ObligationId, PartyId};

/// A leg may be announced this many business days after its value date.
const BUSINESS_DAYS_BACK: u32 = 5;

/// Makes an obligation that a leg causes, due on the day of its entry; none where nothing is owed.
fn owe(
    draft: &mut Draft<'_>,
    leg: &Leg,
    kind: ObligationKind,
    (from, to): (PartyId, PartyId),
    amount: Fen,
) -> Result<Option<ObligationId>, Refusal> {
    if amount.is_zero() {
        return Ok(None);
    }
    let (due, at) = (draft.head.today()?, draft.head.time);
    let id = draft.make_id();
    draft.put(Obligation {
        id,
        from,
        to,
        kind,
        currency: leg.currency,
        amount,
        discharged: Fen::ZERO,
        waived: Fen::ZERO,
        due,
        at,
        cause: Cause {
            leg: leg.id,
            receivable: None,
            financing: leg.disburses(),
        },
        computed: None,
        ended: None,
    });
    Ok(Some(id))
}

/// The earliest value date of a leg that is announced on a day.
fn earliest_value_date(calendar: &Calendar, announced: Day) -> Day {
    calendar.minus_business_days(announced, BUSINESS_DAYS_BACK)
}

/// Tells everybody whom a leg concerns: payer, payee and the bank of the account.
fn tell_all(draft: &mut Draft<'_>, leg: &Leg) {
    for party in [leg.payer, leg.payee, leg.bank] {
        draft.tell(party);
    }
}
