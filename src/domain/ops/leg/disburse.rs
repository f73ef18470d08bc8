//! What an announced and an attested disbursement do to their financing. It takes effect only whole.

use super::owe;
use super::pay::refund;
use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{
    Attested, Block, Disposition, Financing, FinancingState, Funding, Hop, Leg, Limit, Lock,
    ObligationKind, Receivable, Run,
};
use crate::domain::price::{self, PriceError};
use crate::domain::refusal::Refusal;
use crate::domain::values::{Day, Fen, FinancingId, Instant, LegId};

/// Whether every fen of an unfunded financing is open, the requester's, and without another's lock.
pub(super) fn is_whole(draft: &Draft<'_>, financing: &Financing) -> bool {
    let own = Disposition::Financing(financing.id);
    let free = |run: &Run| {
        let lock = run.lock_at(draft.head.time);
        run.open_of(financing.requester) && lock.is_none_or(|lock| lock.by == own)
    };
    financing.addresses.iter().all(|address| {
        let receivable = draft.get::<Receivable>(address.receivable);
        let runs = receivable.runs();
        runs.is_some_and(|runs| runs.within(address.lo, address.hi).all(|run| free(&run)))
    })
}

/// Whether a leg of the financing is announced and has not lapsed.
pub(super) fn has_live_leg(at: &Head<'_>, financing: &Financing) -> bool {
    let FinancingState::Accepted { leg: Some(leg), .. } = financing.state else {
        return false;
    };
    let leg = at.state.legs.get(leg);
    leg.is_some_and(|leg| leg.is_live(at.time))
}

/// Moves the end of an unfunded financing, and with it that of its locks and of what it blocks on limits.
pub(super) fn wait_until(
    draft: &mut Draft<'_>,
    id: FinancingId,
    ends: Instant,
    leg: Option<LegId>,
) {
    let financing = draft.edit::<Financing>(id);
    financing.state = FinancingState::Accepted { ends, leg };
    let (addresses, limits) = (financing.addresses.clone(), financing.limits.clone());
    let by = Disposition::Financing(id);
    draft.lock(&addresses, Lock { by, ends });
    for (limit, amount) in limits {
        let limit = draft.edit::<Limit>(limit);
        limit.blocks.insert(id, Block { ends, amount });
    }
}

/// The price of a financing on a value date.
pub(super) fn price_on(financing: &Financing, value_date: Day) -> Result<Fen, Refusal> {
    let Financing {
        face, terms, due, ..
    } = financing;
    let price = price::amount(*face, terms, *due, value_date).map_err(PriceError::refusal)?;
    Ok(price.amount.result)
}

/// Books a disbursement of `done.booked` and writes what it did into `done`.
pub(super) fn fund(draft: &mut Draft<'_>, leg: &Leg, done: &mut Attested) -> Result<(), Refusal> {
    let Some(id) = leg.disburses() else {
        return refund(draft, leg, done.booked, done);
    };
    let financing = draft.get::<Financing>(id).clone();
    if !takes_effect(draft, &financing, leg, done) {
        // Nothing moves, and the whole is owed back.
        refund(draft, leg, done.booked, done)?;
        return wait_again(draft, &financing, leg);
    }
    let price = price_on(&financing, done.value_date)?;
    draft.edit::<Financing>(id).state = FinancingState::Funded(Funding {
        leg: leg.id,
        value_date: done.value_date,
        price,
        at: draft.head.time,
    });
    for (limit, _) in &financing.limits {
        draft.edit::<Limit>(*limit).blocks.remove(&id);
    }
    let hop = Hop {
        by: Disposition::Financing(id),
        from: financing.requester,
        to: financing.lender,
        recourse: financing.terms.recourse,
        at: draft.head.time,
    };
    draft.pass_on(&financing.addresses, &hop);
    done.funded = Some(id);
    owe_the_difference(draft, leg, &financing, price, done)
}

/// Every fen open and the requester's, booked value date ≤ `disburse_by`, booked ≥ the amount announced. A leg that
/// lapsed still counts where nobody else has the fens by now.
fn takes_effect(draft: &Draft<'_>, financing: &Financing, leg: &Leg, done: &Attested) -> bool {
    matches!(financing.state, FinancingState::Accepted { .. })
        && done.value_date <= financing.terms.disburse_by
        && done.booked >= leg.amount
        && is_whole(draft, financing)
}

/// The lender may announce again until `disburse_by`, if the fens are still there.
fn wait_again(draft: &mut Draft<'_>, financing: &Financing, leg: &Leg) -> Result<(), Refusal> {
    let (id, time) = (financing.id, draft.head.time);
    let announced = matches!(financing.state, FinancingState::Accepted { leg: Some(announced), .. }
        if announced == leg.id);
    if !announced || !financing.is_live(time) {
        return Ok(());
    }
    let ends = draft.head.end_of(financing.terms.disburse_by)?;
    if !is_whole(draft, financing) {
        draft.end_financing(id, FinancingState::Changed(time));
    } else if ends <= time {
        draft.end_financing(id, FinancingState::Accepted { ends, leg: None });
    } else {
        wait_until(draft, id, ends, None);
    }
    Ok(())
}

/// What the price exceeds the booking by is owed by the lender, the excess is refunded, and fees to third parties
/// are the lender's obligations to them.
fn owe_the_difference(
    draft: &mut Draft<'_>,
    leg: &Leg,
    financing: &Financing,
    price: Fen,
    done: &mut Attested,
) -> Result<(), Refusal> {
    let (lender, requester) = (financing.lender, financing.requester);
    let short = price.checked_sub(done.booked).unwrap_or(Fen::ZERO);
    let rebate = (lender, requester);
    done.made
        .extend(owe(draft, leg, ObligationKind::Rebate, rebate, short)?);
    let excess = done.booked.checked_sub(price).unwrap_or(Fen::ZERO);
    refund(draft, leg, excess, done)?;
    let fees = &financing.terms.fees;
    for fee in fees.iter().filter(|fee| fee.payee != lender) {
        let amount = draft
            .head
            .amount_or_zero("fees", &fee.amount, leg.currency)?;
        let kind = ObligationKind::Fee;
        done.made
            .extend(owe(draft, leg, kind, (lender, fee.payee), amount)?);
    }
    Ok(())
}

/// Undoes a sale whose money was returned: the fens go back, the hop removed, where the lender still holds them all
/// open and free. Where it does not, the sale stands, and the lender, who has its money again, owes the price.
/// Returns whether the fens went back.
pub(super) fn unwind(draft: &mut Draft<'_>, leg: &Leg, id: FinancingId) -> Result<bool, Refusal> {
    let financing = draft.get::<Financing>(id).clone();
    let returns = is_still_held(draft, &financing);
    if returns {
        for address in &financing.addresses {
            draft.change_fens(address.receivable, address.lo, address.hi, |run| {
                let kept = run.hops.len().saturating_sub(1);
                run.hops = run.hops[..kept].into();
                run.holder = financing.requester;
            });
        }
    } else if let FinancingState::Funded(funding) = &financing.state {
        let back = (financing.lender, financing.requester);
        owe(draft, leg, ObligationKind::Reversal, back, funding.price)?;
    }
    draft.edit::<Financing>(id).state = FinancingState::Reversed(draft.head.time);
    Ok(returns)
}

/// Whether the lender still holds every fen it bought by the financing, open and without a lock.
fn is_still_held(draft: &Draft<'_>, financing: &Financing) -> bool {
    let free = |run: &Run| {
        run.open_of(financing.lender)
            && run.bought_by() == Some(financing.id)
            && run.lock_at(draft.head.time).is_none()
    };
    financing.addresses.iter().all(|address| {
        let receivable = draft.get::<Receivable>(address.receivable);
        let runs = receivable.runs();
        runs.is_some_and(|runs| runs.within(address.lo, address.hi).all(|run| free(&run)))
    })
}
