//! The account of a ledger in words and sums, computed from its state alone: what was confirmed, who was paid what,
//! and that it adds up.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rust_decimal::Decimal;

use crate::domain::objects::{
    Attested, FenState, Leg, LegState, OfferKey, Purpose, Receivable, Request, RequestState,
};
use crate::domain::price::{Ranked, compared_on, rank};
use crate::domain::state::State;
use crate::domain::values::{Amount, Currency, Fen, PartyId, Rate};

/// The account of everything on a ledger. It reads all, so it is for a drill or for an authority.
pub fn account(state: &State) -> String {
    let mut out = String::new();
    receivables(state, &mut out);
    auctions(state, &mut out);
    payments(state, &mut out);
    balances(state, &mut out);
    out
}

/// An amount with thousands set off: `650,000.00`.
fn grouped(state: &State, fen: Fen, currency: Currency) -> String {
    let book = state
        .ledger
        .as_ref()
        .and_then(|ledger| ledger.rulebooks.last());
    let decimals = book
        .and_then(|book| book.currencies.decimals(currency))
        .unwrap_or(0);
    let plain = Amount::of(fen, decimals).to_string();
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut set = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            set.push(',');
        }
        set.push(digit);
    }
    set + rest
}

fn name(state: &State, party: PartyId) -> String {
    state.parties.get(party).map_or_else(
        || party.to_string(),
        |record| record.name.as_str().to_owned(),
    )
}

fn receivables(state: &State, out: &mut String) {
    let confirmed = |receivable: &Receivable| receivable.confirmed().map(|said| said.at).ok();
    let mut receivables: Vec<_> = state.receivables.iter().collect();
    receivables.sort_by_key(|receivable| confirmed(receivable));
    for receivable in receivables {
        let Ok(confirmed) = receivable.confirmed() else {
            continue;
        };
        let money = |fen| grouped(state, fen, receivable.currency);
        let _ = writeln!(
            out,
            "{} owes {} {} {}, due {}:",
            name(state, receivable.debtor),
            name(state, receivable.supplier),
            receivable.currency,
            money(confirmed.face),
            confirmed.due,
        );
        let mut sum = Vec::new();
        for (what, units) in parts(state, receivable) {
            let _ = writeln!(out, "  {:>14}  {what}", money(units));
            sum.push(units);
        }
        let total = Fen::sum(sum).unwrap_or(Fen::ZERO);
        let _ = writeln!(
            out,
            "  {:>14}  together, of {} confirmed\n",
            money(total),
            money(confirmed.face)
        );
    }
}

/// The fens of a receivable by whose they are and what became of them.
fn parts(state: &State, receivable: &Receivable) -> BTreeMap<String, Fen> {
    let mut parts: BTreeMap<String, Fen> = BTreeMap::new();
    for run in receivable.runs().into_iter().flat_map(|runs| runs.iter()) {
        let holder = name(state, run.holder);
        let what = match run.state {
            FenState::Open => format!("still owed to {holder}"),
            FenState::Settled(_) => format!("paid to {holder}"),
            FenState::Cancelled(..) => format!("of {holder} cancelled"),
        };
        let part = parts.entry(what).or_insert(Fen::ZERO);
        *part = part
            .checked_add(crate::domain::fens::fens(run.len()))
            .unwrap_or(*part);
    }
    parts
}

fn auctions(state: &State, out: &mut String) {
    let mut requests: Vec<_> = state.requests.iter().collect();
    requests.sort_by_key(|request| request.at);
    for request in requests {
        let money = |fen| grouped(state, fen, request.currency);
        let _ = writeln!(
            out,
            "{} asked lenders for {} {}; their offers, the cheapest first:",
            name(state, request.requester),
            request.currency,
            money(request.face)
        );
        for line in offers(state, request) {
            let _ = writeln!(out, "  {line}");
        }
        out.push('\n');
    }
}

/// The offers of a request whose terms are known, in order of their whole cost.
fn offers(state: &State, request: &Request) -> Vec<String> {
    let Some(ledger) = &state.ledger else {
        return Vec::new();
    };
    let key = OfferKey::Request(request.id);
    let ranked = rank(request, compared_on(ledger, request), state.offers.by(&key));
    let line = |ranked: &Ranked<'_>| {
        let terms = ranked.offer.terms()?;
        let apr = ranked
            .apr
            .map_or_else(String::new, |apr| format!("{:.4} %", percent(apr)));
        let taken = matches!(request.state, RequestState::Accepted(id, _) if id == ranked.offer.id);
        Some(format!(
            "{:<26} {:>5.2} % {:<8} costs {:>9}, pays {:>11}: {apr} a year{}",
            name(state, ranked.offer.lender),
            percent(terms.rate),
            terms.day_count.as_str(),
            grouped(state, ranked.all_in.cost, request.currency),
            grouped(state, ranked.all_in.funds, request.currency),
            if taken { "  <- accepted" } else { "" },
        ))
    };
    ranked.iter().filter_map(line).collect()
}

/// A rate in hundredths, for showing.
fn percent(rate: Rate) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(rate.numerator()), 10)
}

fn payments(state: &State, out: &mut String) {
    let _ = writeln!(out, "What the banks attested:");
    let mut legs: Vec<(&Leg, &Attested, bool)> = state
        .legs
        .iter()
        .filter_map(|leg| match &leg.state {
            LegState::Announced => None,
            LegState::Attested(attested) => Some((leg, attested, false)),
            LegState::Reversed { attested, .. } => Some((leg, attested, true)),
        })
        .collect();
    legs.sort_by_key(|(leg, attested, _)| (attested.at, leg.id));
    for (leg, attested, reversed) in legs {
        let what = match leg.purpose {
            Purpose::Disbursement => "price of the fens bought",
            Purpose::Payment if attested.settled.is_empty() => "obligations",
            Purpose::Payment => "fens settled",
        };
        let _ = writeln!(
            out,
            "  {}  {:>14}  {} -> {}: {what}{}",
            attested.value_date,
            grouped(state, attested.booked, leg.currency),
            name(state, leg.payer),
            name(state, leg.payee),
            if reversed {
                ", returned by the bank"
            } else {
                ""
            },
        );
    }
    out.push('\n');
}

/// What every party has paid and received in the end; the two sides are equal, because no money is kept here.
fn balances(state: &State, out: &mut String) {
    let mut paid: BTreeMap<(String, Currency), i128> = BTreeMap::new();
    let mut received = paid.clone();
    for leg in state.legs.iter() {
        let LegState::Attested(attested) = &leg.state else {
            continue;
        };
        let units = i128::from(attested.booked.get());
        *paid
            .entry((name(state, leg.payer), leg.currency))
            .or_default() += units;
        *received
            .entry((name(state, leg.payee), leg.currency))
            .or_default() += units;
    }
    let _ = writeln!(
        out,
        "{:<48} {:>14} {:>14}",
        "In the end", "paid", "received"
    );
    let names: std::collections::BTreeSet<_> =
        paid.keys().chain(received.keys()).cloned().collect();
    let side = |sums: &BTreeMap<(String, Currency), i128>, key: &(String, Currency)| {
        let units = sums.get(key).copied().unwrap_or_default();
        grouped(
            state,
            i64::try_from(units)
                .ok()
                .and_then(Fen::new)
                .unwrap_or(Fen::MAX),
            key.1,
        )
    };
    for key in &names {
        let _ = writeln!(
            out,
            "  {:<46} {:>14} {:>14}",
            key.0,
            side(&paid, key),
            side(&received, key)
        );
    }
    let total = |sums: &BTreeMap<(String, Currency), i128>| {
        let units: i128 = sums.values().sum();
        let currency = names
            .first()
            .map_or(Currency::CNY, |(_, currency)| *currency);
        grouped(
            state,
            i64::try_from(units)
                .ok()
                .and_then(Fen::new)
                .unwrap_or(Fen::MAX),
            currency,
        )
    };
    let _ = writeln!(
        out,
        "  {:<46} {:>14} {:>14}",
        "together",
        total(&paid),
        total(&received)
    );
}
