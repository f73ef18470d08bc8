//! Operations on legs: bank transfers that are announced, attested, contested and returned. All money uses them.

pub mod announce;
pub mod attest;
pub mod contest;
mod disburse;
mod pay;
pub mod reverse;

use std::collections::BTreeSet;

use crate::domain::absorb::absorb;
use crate::domain::draft::Draft;
use crate::domain::objects::{Cause, Leg, Obligation, ObligationKind, Receivable};
use crate::domain::refusal::Refusal;
use crate::domain::values::{Fen, InvoiceId, ObligationId, PartyId};

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

/// A credit that could not be absorbed is absorbed again whenever fens reopen or come free.
fn absorb_again(draft: &mut Draft<'_>) {
    let diluted: BTreeSet<InvoiceId> = draft
        .written::<Receivable>()
        .flat_map(|receivable| &receivable.shares)
        .filter(|share| share.diluted > Fen::ZERO)
        .map(|share| share.invoice)
        .collect();
    for invoice in diluted {
        absorb(draft, invoice);
    }
}

/// Tells everybody whom a leg concerns: payer, payee and the bank of the account.
fn tell_all(draft: &mut Draft<'_>, leg: &Leg) {
    for party in [leg.payer, leg.payee, leg.bank] {
        draft.tell(party);
    }
}
