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
