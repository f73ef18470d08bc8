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
    draft.pass_on(&financing.addresses, &hop)?;
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
        draft.change_all(&financing.addresses, |run| {
            let kept = run.hops.len().saturating_sub(1);
            run.hops = run.hops[..kept].into();
            run.holder = financing.requester;
        })?;
    } else if let FinancingState::Funded(funding) = &financing.state {
        let back = (financing.lender, financing.requester);
        owe(draft, leg, ObligationKind::Reversal, back, funding.price)?;
    }
    draft.edit::<Financing>(id).state = FinancingState::Reversed(draft.head.time);
    Ok(returns)
}

/// Whether the lender still holds every fen it bought by the financing as it bought it: open, without a lock, and
/// not put off to a due day that the requester had no say in.
fn is_still_held(draft: &Draft<'_>, financing: &Financing) -> bool {
    let free = |run: &Run| {
        run.open_of(financing.lender)
            && run.due == financing.due
            && run.bought_by() == Some(financing.id)
            && run.lock_at(draft.head.time).is_none()
    };
    financing.addresses.iter().all(|address| {
        let receivable = draft.get::<Receivable>(address.receivable);
        let runs = receivable.runs();
        runs.is_some_and(|runs| runs.within(address.lo, address.hi).all(|run| free(&run)))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Bearer, Bidding, Discharge, Fee, RequestState};
    use crate::domain::ops::leg::attest::Attest;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::{fens_of, terms_of};
    use crate::domain::testing::{
        FACTOR, HOSPITAL, LENDER, OTHER_BANK, SUPPLIER, World, fen, id, wire,
    };
    use crate::domain::values::ReceivableId;

    const REBATE: ObligationKind = ObligationKind::Rebate;
    const REFUND: ObligationKind = ObligationKind::Refund;

    /// The lender finances 120,000.00 of 150,000.00 at 4.35 % on ACT/360, which is 14.50 a day, due on 2026-08-07:
    /// 119,072.00 on Thursday, 2026-06-04; the last value date is 2026-06-13. A fee goes to each of these.
    fn accepted(fees: &[(&str, Bearer)]) -> (World, ReceivableId, FinancingId) {
        let (mut world, receivable) = banked();
        world.limited(LENDER, "1000000.00");
        let request = world.requested(fens_of(receivable, 0, 12_000_000), Bidding::Visible);
        let mut terms = terms_of(world.get_request(request));
        let fee = |(payee, bearer): &(&str, Bearer)| Fee {
            payee: id(payee),
            bearer: *bearer,
            amount: wire("72.00"),
        };
        terms.fees = fees.iter().map(fee).collect();
        let offer = world.offered(LENDER, request, terms);
        let financing = world.accepted(offer);
        (world, receivable, financing)
    }

    fn announced() -> (World, ReceivableId, FinancingId, LegId) {
        let (mut world, receivable, financing) = accepted(&[]);
        let pays = [Discharge::Financing(financing)];
        let leg = world.announced(LENDER, SUPPLIER, "119072.00", &pays);
        (world, receivable, financing, leg)
    }

    fn booked(world: &mut World, leg: LegId, amount: &str, value_date: &str) {
        let body = Attest {
            booked: wire(amount),
            value_date: wire(value_date),
            ..world.attesting(leg)
        };
        world.act(OTHER_BANK, body);
    }

    #[test]
    fn an_attested_disbursement_moves_the_fens_by_a_hop() {
        let (mut world, receivable, financing, leg) = announced();
        assert_eq!(world.available(LENDER), fen("880000.00"));
        world.attested(leg);
        let run = world.runs(receivable)[0].clone();
        assert_eq!((run.lo, run.hi, run.holder), (0, 12_000_000, id(LENDER)));
        assert_eq!((run.lock, run.hops.len()), (None, 1));
        assert_eq!(run.bought_by(), Some(financing));
        let funded = world.get_financing(financing);
        assert_eq!(funded.outstanding, fen("120000.00"));
        let FinancingState::Funded(funding) = &funded.state else {
            panic!("it is funded")
        };
        assert_eq!((funding.leg, funding.price), (leg, fen("119072.00")));
        let limit = world.get_limit(LENDER, None);
        assert_eq!((limit.utilised, limit.blocks.len()), (fen("120000.00"), 0));
        assert_eq!(world.owing(), vec![]);
    }

    /// `amount(booked date) − booked`, if positive, is owed by the lender; the excess is refunded.
    #[rstest]
    #[case::as_announced("119072.00", "2026-06-04", &[])]
    #[case::a_day_later("119072.00", "2026-06-05", &[(REBATE, LENDER, SUPPLIER, "14.50")])]
    #[case::a_day_later_in_part("119080.00", "2026-06-05", &[(REBATE, LENDER, SUPPLIER, "6.50")])]
    #[case::a_day_later_at_that_price("119086.50", "2026-06-05", &[])]
    #[case::too_much("119100.00", "2026-06-04", &[(REFUND, SUPPLIER, LENDER, "28.00")])]
    #[case::a_day_earlier("119072.00", "2026-06-03", &[(REFUND, SUPPLIER, LENDER, "14.50")])]
    #[case::on_the_last_day("119072.00", "2026-06-13", &[(REBATE, LENDER, SUPPLIER, "130.50")])]
    fn the_price_counts_from_the_booked_date(
        #[case] amount: &str,
        #[case] value_date: &str,
        #[case] owing: &[(ObligationKind, &str, &str, &str)],
    ) {
        let (mut world, receivable, _, leg) = announced();
        world.on("2026-06-15");
        booked(&mut world, leg, amount, value_date);
        assert_eq!(world.open_of(receivable, LENDER), fen("120000.00"));
        let owing: Vec<_> = owing
            .iter()
            .map(|(kind, from, to, amount)| (*kind, *from, *to, fen(amount)))
            .collect();
        assert_eq!(world.owing(), owing);
    }

    #[rstest]
    #[case::a_fen_short("119071.99", "2026-06-04")]
    #[case::after_the_last_day("119500.00", "2026-06-14")]
    fn otherwise_nothing_moves_and_the_whole_is_owed_back(
        #[case] amount: &str,
        #[case] value_date: &str,
    ) {
        let (mut world, receivable, financing, leg) = announced();
        let before = world.receivable(receivable).clone();
        if value_date > "2026-06-04" {
            world.on(value_date);
        }
        booked(&mut world, leg, amount, value_date);
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("150000.00"));
        let owed = (REFUND, SUPPLIER, LENDER, fen(amount));
        assert_eq!(world.owing(), vec![owed]);
        assert_eq!(world.get_financing(financing).outstanding, Fen::ZERO);
        assert_eq!(before.runs().map(|runs| runs.count()), Some(2));
    }

    #[test]
    fn after_a_short_booking_the_lender_may_announce_again_until_disburse_by() {
        let (mut world, receivable, financing, leg) = announced();
        booked(&mut world, leg, "100000.00", "2026-06-04");
        let accepted = FinancingState::Accepted {
            ends: wire("2026-06-13T16:00:00Z"),
            leg: None,
        };
        assert_eq!(world.get_financing(financing).state, accepted);
        let pays = [Discharge::Financing(financing)];
        world.paid(LENDER, SUPPLIER, "119072.00", &pays);
        assert_eq!(world.open_of(receivable, LENDER), fen("120000.00"));
    }

    #[test]
    fn a_short_booking_after_disburse_by_ends_the_financing() {
        let (mut world, receivable, financing) = accepted(&[]);
        world.on("2026-06-12");
        let pays = [Discharge::Financing(financing)];
        let leg = world.announced(LENDER, SUPPLIER, "119188.00", &pays);
        world.on("2026-06-14");
        assert!(world.get_financing(financing).is_live(world.time));
        booked(&mut world, leg, "1.00", "2026-06-12");
        assert!(!world.get_financing(financing).is_live(world.time));
        assert!(world.runs(receivable)[0].lock.is_none());
        assert_eq!(world.available(LENDER), fen("1000000.00"));
    }

    #[test]
    fn fens_paid_while_the_leg_was_announced_make_it_owed_back() {
        let (mut world, receivable, financing, leg) = announced();
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "0.01", &pays);
        assert!(world.get_financing(financing).is_live(world.time));
        world.attested(leg);
        let owed = (REFUND, SUPPLIER, LENDER, fen("119072.00"));
        assert_eq!(world.owing(), vec![owed]);
        let state = &world.get_financing(financing).state;
        assert_eq!(*state, FinancingState::Changed(world.time));
        assert!(world.runs(receivable).iter().all(|run| run.lock.is_none()));
        assert_eq!(world.available(LENDER), fen("1000000.00"));
    }

    #[test]
    fn fens_paid_while_the_leg_was_announced_bar_the_next_leg() {
        let (mut world, receivable, financing, leg) = announced();
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "0.01", &pays);
        world.time = world.get::<Leg>(leg).lapses;
        let again = world.announcing(SUPPLIER, "119159.00", &[Discharge::Financing(financing)]);
        assert_eq!(world.refusal(LENDER, again).rule, "financing.changed");
    }

    #[test]
    fn a_payment_after_the_leg_lapsed_ends_the_financing() {
        let (mut world, receivable, financing, leg) = announced();
        world.time = world.get::<Leg>(leg).lapses;
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "0.01", &pays);
        let state = &world.get_financing(financing).state;
        assert_eq!(*state, FinancingState::Changed(world.time));
    }

    #[test]
    fn fens_that_come_free_absorb_what_was_credited_since() {
        let (mut world, receivable, _, leg) = announced();
        let invoice = world.receivable(receivable).shares[0].invoice;
        let credit = crate::domain::ops::invoice::credit::Credit {
            invoice,
            number: wire("CN-1"),
            amount: wire("50000.00"),
            document: crate::domain::testing::digest("CN-1"),
        };
        world.act(SUPPLIER, credit);
        assert_eq!(
            world.open_of(receivable, SUPPLIER),
            fen("120000.00"),
            "an announced disbursement keeps its fens"
        );
        booked(&mut world, leg, "1.00", "2026-06-04");
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("100000.00"));
    }

    /// The leg lapsed and the financing ended; the money came all the same.
    fn lapsed() -> (World, ReceivableId, FinancingId, LegId) {
        let (mut world, receivable, financing, leg) = announced();
        world.on("2026-06-20");
        assert!(!world.get_financing(financing).is_live(world.time));
        (world, receivable, financing, leg)
    }

    #[test]
    fn a_lapsed_disbursement_still_counts_where_the_fens_are_free() {
        let (mut world, receivable, financing, leg) = lapsed();
        world.attested(leg);
        assert_eq!(world.open_of(receivable, LENDER), fen("120000.00"));
        assert_eq!(world.get_financing(financing).outstanding, fen("120000.00"));
    }

    #[test]
    fn a_lapsed_disbursement_is_owed_back_where_the_fens_are_locked() {
        let (mut world, receivable, financing, leg) = lapsed();
        let request = world.requested(fens_of(receivable, 0, 1), Bidding::Visible);
        world.attested(leg);
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("150000.00"));
        assert_eq!(world.get_request(request).state, RequestState::Open);
        assert!(!world.get_financing(financing).is_live(world.time));
        let owed = (REFUND, SUPPLIER, LENDER, fen("119072.00"));
        assert_eq!(world.owing(), vec![owed]);
    }

    #[test]
    fn a_financing_is_funded_once() {
        let (mut world, receivable, financing, first) = announced();
        world.time = world.get::<Leg>(first).lapses;
        let pays = [Discharge::Financing(financing)];
        let second = world.announced(LENDER, SUPPLIER, "119159.00", &pays);
        world.attested(first);
        assert_eq!(world.open_of(receivable, LENDER), fen("120000.00"));
        world.attested(second);
        assert_eq!(world.open_of(receivable, LENDER), fen("120000.00"));
        let owed = (REFUND, SUPPLIER, LENDER, fen("119159.00"));
        assert_eq!(world.owing(), vec![owed]);
    }

    /// 72.00 a fee: what the requester bears lowers the price, and what a third party receives is owed to it.
    #[rstest]
    #[case::to_the_lender(&[(LENDER, Bearer::Requester)], "119000.00", &[])]
    #[case::to_another(&[(FACTOR, Bearer::Requester)], "119000.00", &[FACTOR])]
    #[case::at_the_lenders_cost(&[(FACTOR, Bearer::Lender)], "119072.00", &[FACTOR])]
    fn fees_to_third_parties_are_the_lenders_obligations(
        #[case] fees: &[(&str, Bearer)],
        #[case] price: &str,
        #[case] owed_to: &[&str],
    ) {
        let (mut world, _, financing) = accepted(fees);
        let pays = [Discharge::Financing(financing)];
        world.paid(LENDER, SUPPLIER, price, &pays);
        let owed = |to: &&'static str| (ObligationKind::Fee, LENDER, *to, fen("72.00"));
        let fee: Vec<_> = [FACTOR]
            .iter()
            .filter(|to| owed_to.contains(to))
            .map(owed)
            .collect();
        assert_eq!(world.owing(), fee);
    }
}
