//! What an attested payment does: it settles fens, then late interest, then obligations; the rest is owed back.

use std::collections::BTreeSet;

use super::owe;
use crate::domain::draft::Draft;
use crate::domain::fens::fens;
use crate::domain::late::late_interest_on;
use crate::domain::objects::{
    Attested, Discharge, Disposition, FenState, Leg, Obligation, ObligationKind, Receivable, Run,
};
use crate::domain::payoff::lowest_open;
use crate::domain::refusal::Refusal;
use crate::domain::values::{Day, Fen, ObligationId, ReceivableId};

/// Books a payment of `done.booked` and writes what it did into `done`.
pub(super) fn pay(draft: &mut Draft<'_>, leg: &Leg, done: &mut Attested) -> Result<(), Refusal> {
    let mut left = done.booked;
    let mut owed = Vec::new();
    for receivable in leg.discharges.iter().filter_map(receivable) {
        let paid = settle(draft, leg, receivable, left);
        let settled = fens(paid.iter().map(Run::len).sum());
        left = minus(left, settled);
        if !settled.is_zero() {
            done.settled.push((receivable, settled));
        }
        owed.extend(late(draft, leg, receivable, &paid, done.value_date)?);
    }
    // What remains first discharges the late interest the leg has just caused, then the obligations it names,
    // and only then is owed back.
    done.made.extend(&owed);
    owed.extend(leg.discharges.iter().filter_map(obligation));
    for id in owed {
        let discharged = discharge(draft, id, left);
        left = minus(left, discharged);
        if !discharged.is_zero() {
            done.discharged.push((id, discharged));
        }
    }
    refund(draft, leg, left, done)
}

/// The payee owes back what was paid beyond what it was owed.
pub(super) fn refund(
    draft: &mut Draft<'_>,
    leg: &Leg,
    amount: Fen,
    done: &mut Attested,
) -> Result<(), Refusal> {
    let back = (leg.payee, leg.payer);
    done.made
        .extend(owe(draft, leg, ObligationKind::Refund, back, amount)?);
    Ok(())
}

fn receivable(discharge: &Discharge) -> Option<ReceivableId> {
    match discharge {
        Discharge::Receivable(id) => Some(*id),
        Discharge::Obligation(_) | Discharge::Financing(_) => None,
    }
}

fn obligation(discharge: &Discharge) -> Option<ObligationId> {
    match discharge {
        Discharge::Obligation(id) => Some(*id),
        Discharge::Receivable(_) | Discharge::Financing(_) => None,
    }
}

/// Settles the payee's lowest open fens, up to `most`, and returns them. A payment on locked fens goes through, and
/// what was pending on them ends; but a leg that lapsed, and is attested late, counts on unlocked fens alone.
fn settle(draft: &mut Draft<'_>, leg: &Leg, id: ReceivableId, most: Fen) -> Vec<Run> {
    let time = draft.head.time;
    let lapsed = leg.has_lapsed(time);
    let takes = |run: &Run| !lapsed || run.lock_at(time).is_none();
    let paid = match draft.get::<Receivable>(id).runs() {
        Some(runs) => lowest_open(runs, leg.payee, most.get().unsigned_abs(), takes),
        None => Vec::new(),
    };
    let mut pending: BTreeSet<Disposition> = BTreeSet::new();
    for run in &paid {
        pending.extend(run.lock_at(time).map(|lock| lock.by));
        draft.change_fens(id, run.lo, run.hi, |run| {
            run.state = FenState::Settled(leg.id);
            run.lock = None;
        });
    }
    for disposition in pending {
        draft.end_as_changed(disposition);
    }
    paid
}

/// The debtor owes late interest to the payee of the settling day, once per payee, receivable and leg.
fn late(
    draft: &mut Draft<'_>,
    leg: &Leg,
    id: ReceivableId,
    paid: &[Run],
    value_date: Day,
) -> Result<Option<ObligationId>, Refusal> {
    let parts: Vec<(Day, Fen)> = paid.iter().map(|run| (run.due, fens(run.len()))).collect();
    let receivable = draft.get::<Receivable>(id);
    let Some(computed) = late_interest_on(draft.head.state, receivable, &parts, value_date)? else {
        return Ok(None);
    };
    let kind = ObligationKind::LateInterest;
    let owed = owe(draft, leg, kind, (leg.payer, leg.payee), computed.result)?;
    if let Some(owed) = owed {
        let owed = draft.edit::<Obligation>(owed);
        owed.cause.receivable = Some(id);
        owed.computed = Some(computed);
    }
    Ok(owed)
}

/// Discharges an obligation with at most `most`; returns how much.
fn discharge(draft: &mut Draft<'_>, id: ObligationId, most: Fen) -> Fen {
    let owed = draft.edit::<Obligation>(id);
    let paid = owed.outstanding().min(most);
    owed.discharged = plus(owed.discharged, paid);
    paid
}

fn minus(all: Fen, part: Fen) -> Fen {
    all.checked_sub(part)
        .expect("a part that was taken of it is no larger")
}

fn plus(discharged: Fen, paid: Fen) -> Fen {
    discharged
        .checked_add(paid)
        .expect("together they are at most what was owed")
}
