//! When things happen: soon after one another, and on, before and behind every end.

use super::super::book::{
    AccountState, Book, ContractState, FinancingState, LegState, OfferState, RequestState,
    TransferState,
};
use super::super::days::{DAY, Day, HOUR, MINUTE, Time, end_of};
use super::Rng;

/// When a step happens.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Moment {
    pub(in super::super) time: Time,
    /// Something ends at this very instant: whether it can still be answered is worth trying.
    pub(in super::super) on_an_end: bool,
}

/// When the next step happens.
pub(in super::super) fn next_moment(rng: &mut Rng, book: &Book) -> Moment {
    let time = next_time(rng, book);
    let on_an_end = time > book.now && ends_ahead(book).contains(&time);
    Moment { time, on_an_end }
}

/// Soon while something waits for an answer, else now and then much later.
fn next_time(rng: &mut Rng, book: &Book) -> Time {
    let now = book.now;
    if let Some(next) = sealed_bids(book).filter(|_| rng.chance(25)) {
        return now.max(next + rng.pick([-1, 0, 1, MINUTE, MINUTE]).unwrap());
    }
    let (days, reach) = match (waits(book), rng.between(1, 100)) {
        (true, 1..=62) | (false, 1..=45) => return now + rng.between(0, 10) * MINUTE,
        (true, 63..=76) | (false, 46..=62) => return now + rng.between(1, 9) * HOUR,
        (true, 77..=78) | (false, 63..=72) => (rng.between(1, 3), 0),
        (false, 73..=74) => (rng.between(7, 25), 0),
        (true, _) => (0, 2),
        (false, 75..=88) => (0, 15),
        (false, _) => (0, 120),
    };
    // Just before an end, at it, or behind it.
    let ends = ends_ahead(book).into_iter();
    let end = rng.pick(ends.filter(|end| *end <= now + reach * DAY));
    let near = [-1, 0, 0, 1, HOUR, 5 * HOUR];
    let at = end.unwrap_or(now + HOUR) + rng.pick(near).unwrap();
    now.max(if days > 0 { now + days * DAY } else { at })
}

/// When the next sealed offers are to be revealed, or revealed ones can be accepted.
fn sealed_bids(book: &Book) -> Option<Time> {
    let next = book.offers.values().filter_map(|offer| {
        let request = &book.requests[&offer.request];
        let open = request.state == RequestState::Open;
        match offer.state {
            OfferState::Committed(_) => {
                (open && request.closes > book.now).then_some(request.closes)
            }
            OfferState::Standing(_) => {
                Some(request.revealed_by).filter(|at| open && *at > book.now)
            }
            _ => None,
        }
    });
    next.min()
}

/// Whether somebody is to answer or to pay.
fn waits(book: &Book) -> bool {
    let open = |state| state == RequestState::Open;
    let waiting = |state| matches!(state, FinancingState::Waits(_));
    book.requests.values().any(|one| open(one.state))
        || book.financings.values().any(|one| waiting(one.state))
        || book
            .transfers
            .values()
            .any(|one| one.state == TransferState::Proposed)
        || book
            .legs
            .values()
            .any(|one| one.state == LegState::Announced)
}

/// Every instant ahead at which something ends or begins.
fn ends_ahead(book: &Book) -> Vec<Time> {
    let mut ends = Vec::new();
    for request in book
        .requests
        .values()
        .filter(|one| one.state == RequestState::Open)
    {
        ends.extend([request.closes, request.revealed_by, request.accept_by]);
    }
    let transfers = book.transfers.values();
    let proposed = transfers.filter(|one| one.state == TransferState::Proposed);
    ends.extend(proposed.map(|one| one.expires));
    for financing in book.financings.values() {
        if let FinancingState::Waits(until) = financing.state {
            ends.push(until);
        }
    }
    for leg in book
        .legs
        .values()
        .filter(|one| one.state == LegState::Announced)
    {
        ends.extend([leg.lapses, end_of(leg.value_date)]);
    }
    for account in book.accounts.values() {
        if let AccountState::Attested(usable) = account.state {
            ends.push(usable);
        }
    }
    for receivable in book.receivables.values().filter(|one| one.has_open_fens()) {
        let mut dues: Vec<Day> = receivable.fens.iter().map(|fen| fen.due).collect();
        dues.dedup();
        for due in dues {
            ends.extend([end_of(due), end_of(due + 4)]);
            let numbers = book.numbers_of(receivable);
            let cut_off = numbers.calendar.walk(due, -numbers.cut_off_days);
            ends.push(end_of(cut_off) - DAY);
        }
    }
    for contract in book.contracts.values() {
        if let ContractState::Proposed(until) = contract.state {
            ends.push(until);
        }
        ends.extend(contract.change.iter().map(|change| change.ends));
    }
    let keys = book.parties.values().flat_map(|one| &one.keys.pending);
    ends.extend(keys.map(|change| change.at));
    let flags = book.invoices.values().filter_map(|one| one.flag);
    ends.extend(flags.map(|(_, ends)| ends));
    ends.retain(|end| *end > book.now);
    ends
}
