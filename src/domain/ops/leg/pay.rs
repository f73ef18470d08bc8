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
        let paid = settle(draft, leg, receivable, left)?;
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
fn settle(
    draft: &mut Draft<'_>,
    leg: &Leg,
    id: ReceivableId,
    most: Fen,
) -> Result<Vec<Run>, Refusal> {
    let time = draft.head.time;
    let lapsed = leg.has_lapsed(time);
    let takes = |run: &Run| !lapsed || run.lock_at(time).is_none();
    let paid = match draft.get::<Receivable>(id).runs() {
        Some(runs) => lowest_open(runs, leg.payee, most.get().unsigned_abs(), takes),
        None => Vec::new(),
    };
    let mut parts: Vec<(u64, u64)> = paid.iter().map(|run| (run.lo, run.hi)).collect();
    parts.sort_unstable();
    draft.change_fens(id, &parts, |run| {
        run.state = FenState::Settled(leg.id);
        run.lock = None;
    })?;
    let locks = paid.iter().filter_map(|run| run.lock_at(time));
    let pending: BTreeSet<Disposition> = locks.map(|lock| lock.by).collect();
    for disposition in pending {
        draft.end_as_changed(disposition);
    }
    Ok(paid)
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Basis, Bidding, FinancingState, RequestState, TransferState};
    use crate::domain::ops::leg::attest::Attest;
    use crate::domain::rulebook::Rulebook;
    use crate::domain::testing::money::{banked, banked_under};
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{
        HOSPITAL, MAKER, OTHER_BANK, SUPPLIER, fen, shipped_rulebook, wire,
    };
    use crate::domain::values::{MadeId, TransferId};

    fn pays(receivable: ReceivableId) -> [Discharge; 1] {
        [Discharge::Receivable(receivable)]
    }

    const LATE: ObligationKind = ObligationKind::LateInterest;
    const REFUND: ObligationKind = ObligationKind::Refund;

    #[rstest]
    #[case::a_fen("0.01", "149999.99", "0.00")]
    #[case::in_part("50000.00", "100000.00", "0.00")]
    #[case::exactly("150000.00", "0.00", "0.00")]
    #[case::too_much("150100.00", "0.00", "100.00")]
    fn a_payment_settles_what_it_pays(
        #[case] paid: &str,
        #[case] open: &str,
        #[case] refund: &str,
    ) {
        let (mut world, receivable) = banked();
        world.paid(HOSPITAL, SUPPLIER, paid, &pays(receivable));
        assert_eq!(world.open_of(receivable, SUPPLIER), fen(open));
        let owed = (REFUND, SUPPLIER, HOSPITAL, fen(refund));
        let owed: Vec<_> = [owed]
            .into_iter()
            .filter(|owed| !owed.3.is_zero())
            .collect();
        assert_eq!(world.owing(), owed);
    }

    #[test]
    fn the_payees_lowest_open_fens_go_first() {
        let (mut world, receivable) = banked();
        world.passed_on(fens_of(receivable, 0, 1_000_000));
        world.paid(HOSPITAL, SUPPLIER, "10000.00", &pays(receivable));
        let settled: Vec<_> = world
            .runs(receivable)
            .into_iter()
            .filter(|run| run.state != FenState::Open)
            .map(|run| (run.lo, run.hi))
            .collect();
        assert_eq!(settled, vec![(1_000_000, 2_000_000)]);
        assert_eq!(world.open_of(receivable, MAKER), fen("10000.00"));
    }

    #[test]
    fn what_was_paid_is_not_paid_again() {
        let (mut world, receivable) = banked();
        let announced =
            [(); 2].map(|()| world.announced(HOSPITAL, SUPPLIER, "150000.00", &pays(receivable)));
        for leg in announced {
            world.attested(leg);
        }
        let owed = (REFUND, SUPPLIER, HOSPITAL, fen("150000.00"));
        assert_eq!(world.owing(), vec![owed]);
        let third = world.announcing(SUPPLIER, "1.00", &pays(receivable));
        assert_eq!(world.refusal(HOSPITAL, third).rule, "leg.nothing_owed");
    }

    #[test]
    fn several_receivables_are_paid_in_the_order_named() {
        let (mut world, first) = banked();
        let second = world.confirmed("1000.00");
        let named = [Discharge::Receivable(second), Discharge::Receivable(first)];
        let leg = world.paid(HOSPITAL, SUPPLIER, "1500.00", &named);
        assert_eq!(world.open_of(second, SUPPLIER), fen("0.00"));
        assert_eq!(world.open_of(first, SUPPLIER), fen("149500.00"));
        let done = world.get::<Leg>(leg).attested().expect("attested").clone();
        assert_eq!(
            done.settled,
            vec![(second, fen("1000.00")), (first, fen("500.00"))]
        );
    }

    #[test]
    fn the_booked_amount_counts_and_not_the_announced_one() {
        let (mut world, receivable) = banked();
        let leg = world.announced(HOSPITAL, SUPPLIER, "150000.00", &pays(receivable));
        let booked = Attest {
            booked: wire("149000.00"),
            ..world.attesting(leg)
        };
        world.act(OTHER_BANK, booked);
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("1000.00"));
    }

    fn daily_rate(rate: &str) -> Rulebook {
        let mut rulebook = shipped_rulebook();
        rulebook.rules.sme_late_interest.params.default_daily_rate = wire(rate);
        rulebook
    }

    /// Due on Friday, 2026-08-07. 0.05 % a day × 150,000.00 × 12 = 900.00.
    #[rstest]
    #[case::on_the_due_day("2026-08-07", "0.0005", None)]
    #[case::a_day_late("2026-08-08", "0.0005", Some("75.00"))]
    #[case::twelve_days_late("2026-08-19", "0.0005", Some("900.00"))]
    #[case::at_another_rate("2026-08-19", "0.0001", Some("180.00"))]
    fn a_late_payment_owes_interest_to_its_payee(
        #[case] day: &str,
        #[case] rate: &str,
        #[case] interest: Option<&str>,
    ) {
        let (mut world, receivable) = banked_under(daily_rate(rate));
        world.on(day);
        world.paid(HOSPITAL, SUPPLIER, "150000.00", &pays(receivable));
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("0.00"));
        let owed = interest.map(|owed| (LATE, HOSPITAL, SUPPLIER, fen(owed)));
        assert_eq!(world.owing(), Vec::from_iter(owed));
    }

    #[rstest]
    #[case::agreed_rate(Some("0.001"), 0, "1800.00")]
    #[case::days_of_grace(None, 5, "525.00")]
    #[case::both(Some("0.001"), 5, "1050.00")]
    fn what_the_contract_agrees_counts(
        #[case] late_rate: Option<&str>,
        #[case] grace_days: u32,
        #[case] interest: &str,
    ) {
        let (mut world, receivable) = banked();
        let mut agreed = world.receivable(receivable).clone();
        agreed.terms.late_rate = late_rate.map(wire);
        agreed.terms.grace_days = grace_days;
        let mut effects = crate::domain::state::Effects::default();
        effects.receivables.insert(receivable, Box::new(agreed));
        world.state.apply(effects);
        world.on("2026-08-19");
        world.paid(HOSPITAL, SUPPLIER, "150000.00", &pays(receivable));
        let owed = (LATE, HOSPITAL, SUPPLIER, fen(interest));
        assert_eq!(world.owing(), vec![owed]);
    }

    /// What remains discharges first the late interest that the leg caused, then what it names, then is refunded.
    #[rstest]
    #[case("150900.00", &[])]
    #[case("150500.00", &[(LATE, HOSPITAL, SUPPLIER, "400.00")])]
    #[case("151000.00", &[(REFUND, SUPPLIER, HOSPITAL, "100.00")])]
    #[case("100000.00", &[(LATE, HOSPITAL, SUPPLIER, "600.00")])]
    fn what_remains_pays_late_interest_first(
        #[case] paid: &str,
        #[case] left: &[(ObligationKind, &str, &str, &str)],
    ) {
        let (mut world, receivable) = banked();
        world.on("2026-08-19");
        world.paid(HOSPITAL, SUPPLIER, paid, &pays(receivable));
        let left: Vec<_> = left
            .iter()
            .map(|(kind, from, to, amount)| (*kind, *from, *to, fen(amount)))
            .collect();
        assert_eq!(world.owing(), left);
    }

    #[test]
    fn late_interest_keeps_how_it_was_computed() {
        let (mut world, receivable) = banked();
        world.on("2026-08-19");
        world.paid(HOSPITAL, SUPPLIER, "150000.00", &pays(receivable));
        let owed = world.get::<Obligation>(world.owed(LATE));
        assert_eq!(owed.due, world.today());
        assert_eq!(owed.cause.receivable, Some(receivable));
        let computed = owed.computed.as_ref().expect("a formula gave it");
        assert_eq!(computed.formula, "late_interest");
        assert_eq!(computed.inputs[0].1, "15000000");
        assert_eq!(computed.inputs[2].1, "12");
    }

    #[test]
    fn late_interest_is_paid_by_a_leg_that_names_it() {
        let (mut world, receivable) = banked();
        world.on("2026-08-19");
        world.paid(HOSPITAL, SUPPLIER, "150000.00", &pays(receivable));
        let owed = [Discharge::Obligation(world.owed(LATE))];
        world.paid(HOSPITAL, SUPPLIER, "300.00", &owed);
        assert_eq!(
            world.owing(),
            vec![(LATE, HOSPITAL, SUPPLIER, fen("600.00"))]
        );
        world.paid(HOSPITAL, SUPPLIER, "601.00", &owed);
        assert_eq!(
            world.owing(),
            vec![(REFUND, SUPPLIER, HOSPITAL, fen("1.00"))]
        );
    }

    #[test]
    fn the_day_of_the_bank_counts_and_not_that_of_the_entry() {
        let (mut world, receivable) = banked();
        world.on("2026-08-07");
        let leg = world.announced(HOSPITAL, SUPPLIER, "150000.00", &pays(receivable));
        world.on("2026-08-11");
        world.attested(leg);
        assert_eq!(world.owing(), vec![]);
    }

    #[test]
    fn a_payment_on_locked_fens_ends_the_transfer() {
        let (mut world, receivable) = banked();
        let basis = Basis::Contract(world.owes_maker("M-1", "100000.00"));
        let body = world.passing(fens_of(receivable, 4_000_000, 6_000_000), basis);
        let transfer = TransferId::of(&world.act(SUPPLIER, body), 0);
        let mut short = world.clone();
        short.paid(HOSPITAL, SUPPLIER, "40000.00", &pays(receivable));
        let state = short.get_transfer(transfer).state;
        assert_eq!(state, TransferState::Proposed, "its fens were not reached");
        world.paid(HOSPITAL, SUPPLIER, "40000.01", &pays(receivable));
        let state = world.get_transfer(transfer).state;
        assert_eq!(state, TransferState::Changed(world.time));
        assert!(world.runs(receivable).iter().all(|run| run.lock.is_none()));
    }

    #[test]
    fn a_payment_on_locked_fens_ends_the_request() {
        let (mut world, receivable) = banked();
        let request = world.requested(fens_of(receivable, 0, 10), Bidding::Visible);
        world.paid(HOSPITAL, SUPPLIER, "0.01", &pays(receivable));
        let state = world.get_request(request).state;
        assert_eq!(state, RequestState::Changed(world.time));
    }

    #[test]
    fn a_payment_ends_an_unannounced_financing_and_frees_its_limit() {
        let (mut world, receivable) = banked();
        let financing = world.financing(fens_of(receivable, 0, 1_000_000));
        world.paid(HOSPITAL, SUPPLIER, "0.01", &pays(receivable));
        let ended = world.get_financing(financing);
        assert_eq!(ended.state, FinancingState::Changed(world.time));
        assert!(
            world
                .get_limit(crate::domain::testing::LENDER, None)
                .blocks
                .is_empty()
        );
    }

    #[test]
    fn a_lapsed_leg_attested_late_counts_on_unlocked_fens_alone() {
        let (mut world, receivable) = banked();
        let leg = world.announced(HOSPITAL, SUPPLIER, "150000.00", &pays(receivable));
        world.time = world.get::<Leg>(leg).lapses;
        let request = world.requested(fens_of(receivable, 0, 1_000_000), Bidding::Visible);
        world.attested(leg);
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("10000.00"));
        let state = world.get_request(request).state;
        assert_eq!(state, RequestState::Open);
        let owed = (REFUND, SUPPLIER, HOSPITAL, fen("10000.00"));
        assert_eq!(world.owing(), vec![owed]);
    }

    #[test]
    fn what_the_payee_passed_on_since_is_not_paid() {
        let (mut world, receivable) = banked();
        let leg = world.announced(HOSPITAL, SUPPLIER, "150000.00", &pays(receivable));
        world.passed_on(fens_of(receivable, 0, 15_000_000));
        world.attested(leg);
        assert_eq!(world.open_of(receivable, MAKER), fen("150000.00"));
        let owed = (REFUND, SUPPLIER, HOSPITAL, fen("150000.00"));
        assert_eq!(world.owing(), vec![owed]);
    }
}
