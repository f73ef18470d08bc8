//! The payoff list: whom a debtor pays for a receivable, to which account and how much. It is advice; legs decide.

use super::fens::fens;
use super::late::late_interest_on;
use super::objects::{Account, AccountKey, Receivable, Run, Runs};
use super::refusal::Refusal;
use super::state::State;
use super::values::{AccountId, Computed, Currency, Day, Fen, Instant, PartyId};

/// What one payee is to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payoff {
    /// Who holds the fens.
    pub payee: PartyId,
    /// Its default account on the day; none where it has no usable one.
    pub account: Option<AccountId>,
    /// How many of its fens are open.
    pub open: Fen,
    /// How much of them is to be paid: all, or its share of what is available.
    pub amount: Fen,
    /// The late interest that paying `amount` on the day causes.
    pub late_interest: Option<Computed>,
}

/// The account that what `party` is owed in `currency` is paid to at `time`: among its default accounts that its
/// bank attested and nobody closed, the one that became usable last. A new default counts from that instant.
pub fn usable_account(
    state: &State,
    party: PartyId,
    currency: Currency,
    time: Instant,
) -> Option<&Account> {
    state
        .accounts
        .by(&AccountKey::Of(party, currency))
        .filter(|account| account.default)
        .filter_map(|account| Some((account.usable_since(time)?, account)))
        .max_by_key(|(usable, account)| (*usable, account.id))
        .map(|(_, account)| account)
}

/// The payoff list of a receivable for a day: one row for every holder of open fens, by its lowest open address.
///
/// Where less than all is `available`, it is shared by payee over open fens, by largest remainder, ties going to
/// the lowest open address.
///
/// # Errors
/// `amount.overflow` where late interest is more than an amount can say.
pub fn payoff_list(
    state: &State,
    receivable: &Receivable,
    day: Day,
    time: Instant,
    available: Option<Fen>,
) -> Result<Vec<Payoff>, Refusal> {
    let Some(runs) = receivable.runs() else {
        return Ok(Vec::new());
    };
    let holders = open_by_holder(runs);
    let open: Vec<u64> = holders.iter().map(|(_, open)| *open).collect();
    let shares = shares(&open, available.map_or(u64::MAX, units));
    let then = state
        .ledger
        .as_ref()
        .map_or(time, |ledger| time.max(ledger.utc_offset.start_of(day)));
    let row = |((payee, open), share): ((PartyId, u64), u64)| {
        let paid = lowest_open(runs, payee, share, |_| true);
        let parts: Vec<(Day, Fen)> = paid.iter().map(|run| (run.due, fens(run.len()))).collect();
        Ok(Payoff {
            payee,
            account: usable_account(state, payee, receivable.currency, then).map(|found| found.id),
            open: fens(open),
            amount: fens(share),
            late_interest: late_interest_on(state, receivable, &parts, day)?,
        })
    };
    holders.into_iter().zip(shares).map(row).collect()
}

/// The lowest open fens of `payee`, by due day and then by address, `most` at most, of the runs that `takes` takes.
pub(super) fn lowest_open(
    runs: &Runs,
    payee: PartyId,
    most: u64,
    takes: impl Fn(&Run) -> bool,
) -> Vec<Run> {
    let mut open: Vec<Run> = runs
        .iter()
        .filter(|run| run.open_of(payee) && takes(run))
        .cloned()
        .collect();
    open.sort_by_key(|run| (run.due, run.lo));
    let mut left = most;
    for run in &mut open {
        run.hi = run.hi.min(run.lo.saturating_add(left));
        left -= run.len();
    }
    open.retain(|run| !run.is_empty());
    open
}

/// How many open fens each holder has, in order of the lowest.
fn open_by_holder(runs: &Runs) -> Vec<(PartyId, u64)> {
    let mut holders: Vec<(PartyId, u64)> = Vec::new();
    for run in runs.iter().filter(|run| run.open_of(run.holder)) {
        match holders.iter_mut().find(|(holder, _)| *holder == run.holder) {
            Some((_, open)) => *open += run.len(),
            None => holders.push((run.holder, run.len())),
        }
    }
    holders
}

/// Shares `available` over `weights` by largest remainder, ties going to the first; never more than the weights.
fn shares(weights: &[u64], available: u64) -> Vec<u64> {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let available = u128::from(available).min(total);
    let exact = |weight: &u64| u128::from(*weight) * available;
    let mut shares: Vec<u64> = weights
        .iter()
        .map(|weight| exact(weight).checked_div(total).unwrap_or(0) as u64)
        .collect();
    let given: u128 = shares.iter().map(|share| u128::from(*share)).sum();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|at| std::cmp::Reverse(exact(&weights[*at]).checked_rem(total)));
    for at in by_remainder.into_iter().take((available - given) as usize) {
        shares[at] += 1;
    }
    shares
}

fn units(amount: Fen) -> u64 {
    amount.get().unsigned_abs()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::Discharge;
    use crate::domain::testing::money::{account, banked};
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{
        BANK, HOSPITAL, MAKER, OTHER_BANK, SUPPLIER, World, fen, id, wire,
    };

    fn list(world: &World, receivable: crate::domain::values::ReceivableId) -> Vec<Payoff> {
        list_of(world, receivable, "2026-08-07", None)
    }

    fn list_of(
        world: &World,
        receivable: crate::domain::values::ReceivableId,
        day: &str,
        available: Option<&str>,
    ) -> Vec<Payoff> {
        payoff_list(
            &world.state,
            world.receivable(receivable),
            wire(day),
            world.time,
            available.map(fen),
        )
        .expect("amounts of a test")
    }

    #[test]
    fn every_holder_of_open_fens_has_a_row() {
        let (mut world, receivable) = banked();
        world.passed_on(fens_of(receivable, 0, 3_000_000));
        let rows = list(&world, receivable);
        let said: Vec<_> = rows.iter().map(|row| (row.payee, row.amount)).collect();
        assert_eq!(
            said,
            vec![
                (id(MAKER), fen("30000.00")),
                (id(SUPPLIER), fen("120000.00"))
            ]
        );
        assert_eq!(rows[0].account, Some(world.account_of(id(MAKER))));
        assert!(rows.iter().all(|row| row.late_interest.is_none()));
    }

    #[test]
    fn what_is_paid_is_no_longer_listed() {
        let (mut world, receivable) = banked();
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "50000.00", &pays);
        assert_eq!(list(&world, receivable)[0].amount, fen("100000.00"));
        world.paid(HOSPITAL, SUPPLIER, "100000.00", &pays);
        assert_eq!(list(&world, receivable), vec![]);
    }

    /// 0.05 % a day × 150,000.00 × 12.
    #[rstest]
    #[case("2026-08-07", None)]
    #[case("2026-08-08", Some("75.00"))]
    #[case("2026-08-19", Some("900.00"))]
    fn late_interest_runs_to_the_day(#[case] day: &str, #[case] interest: Option<&str>) {
        let (world, receivable) = banked();
        let rows = list_of(&world, receivable, day, None);
        let said = rows[0].late_interest.as_ref().map(|said| said.result);
        assert_eq!(said, interest.map(fen));
    }

    #[rstest]
    #[case::by_weight(&[300, 100, 100], 10, &[6, 2, 2])]
    #[case::largest_remainder(&[50, 30, 20], 9, &[4, 3, 2])]
    #[case::a_tie_goes_to_the_first(&[100, 100, 100], 10, &[4, 3, 3])]
    #[case::two_ties(&[100, 100, 100], 11, &[4, 4, 3])]
    #[case::nothing(&[100, 100], 0, &[0, 0])]
    #[case::more_than_all(&[100, 50], 1_000, &[100, 50])]
    #[case::nobody(&[], 10, &[])]
    #[case::the_largest(&[u64::MAX, u64::MAX], u64::MAX, &[u64::MAX / 2 + 1, u64::MAX / 2])]
    fn less_than_all_is_shared(
        #[case] open: &[u64],
        #[case] available: u64,
        #[case] expected: &[u64],
    ) {
        assert_eq!(shares(open, available), expected);
    }

    #[test]
    fn a_share_is_of_what_is_available() {
        let (mut world, receivable) = banked();
        world.passed_on(fens_of(receivable, 0, 5_000_000));
        let rows = list_of(&world, receivable, "2026-08-07", Some("0.10"));
        let said: Vec<_> = rows.iter().map(|row| row.amount).collect();
        assert_eq!(said, vec![fen("0.03"), fen("0.07")]);
    }

    #[test]
    fn a_new_default_counts_from_the_instant_it_becomes_usable() {
        let (mut world, receivable) = banked();
        let old = world.account_of(id(SUPPLIER));
        let new = world.account_at(SUPPLIER, BANK);
        assert_eq!(world.account_of(id(SUPPLIER)), old);
        let ahead = list(&world, receivable);
        assert_eq!(
            ahead[0].account,
            Some(new),
            "by the day, it will have cooled"
        );
        world.later_by_hours(3 * 24);
        assert_eq!(world.account_of(id(SUPPLIER)), new);
    }

    #[test]
    fn an_account_that_is_no_default_is_not_listed() {
        let (mut world, receivable) = banked();
        let mut body = account(OTHER_BANK);
        body.default = false;
        let op = world.act(SUPPLIER, body);
        let attest = crate::domain::ops::account::attest::Attest {
            account: crate::domain::values::MadeId::of(&op, 0),
        };
        world.act(OTHER_BANK, attest);
        world.later_by_hours(3 * 24);
        let usual = world.account_of(id(SUPPLIER));
        assert_eq!(list(&world, receivable)[0].account, Some(usual));
        assert_ne!(usual, crate::domain::values::MadeId::of(&op, 0));
    }
}
