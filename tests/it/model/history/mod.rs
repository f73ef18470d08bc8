//! Random histories that go somewhere: what comes next is drawn from what the model says is possible, most of it
//! valid, some of it wrong on purpose, at times that fall on, before and behind every end.

mod claim;
mod clock;
mod contract;
mod finance;
mod key;
mod money;
mod pass;
mod register;
mod registration;
mod trade;

pub(super) use clock::{Moment, next_moment};

use std::sync::OnceLock;

use counterfoil::domain::values::{
    Address, Addresses, Amount, Currency, Day as WireDay, Fen, Instant, PartyId, ReceivableId,
};

use super::book::Book;
use super::days::{DAY, Day, HOUR, Sum, Time};
use super::step::{Body, ELSEWHERE, ORIGIN, Step};
use super::world::Cast;

/// A generator of numbers that a seed fixes (splitmix64).
#[derive(Debug, Clone)]
pub(super) struct Rng(pub(super) u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From `lo` to `hi`, both included.
    pub(super) fn between(&mut self, lo: i64, hi: i64) -> i64 {
        let width = u64::try_from(hi - lo).unwrap() + 1;
        lo + (self.next() % width) as i64
    }

    fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    fn pick<T>(&mut self, all: impl IntoIterator<Item = T>) -> Option<T> {
        let mut all: Vec<T> = all.into_iter().collect();
        if all.is_empty() {
            return None;
        }
        let at = self.next() as usize % all.len();
        Some(all.swap_remove(at))
    }
}

/// Who does what, with whose consent.
struct Move {
    by: PartyId,
    also: Vec<PartyId>,
    body: Body,
}

/// A party's move, alone.
fn alone(by: PartyId, body: impl Into<Body>) -> Option<Move> {
    Some(Move {
        by,
        also: Vec::new(),
        body: body.into(),
    })
}

/// A party's move that others sign too.
fn with(by: PartyId, also: PartyId, body: impl Into<Body>) -> Option<Move> {
    Some(Move {
        by,
        also: vec![also],
        body: body.into(),
    })
}

/// Draws the next step from what the model knows.
pub(super) struct Generator<'h> {
    rng: &'h mut Rng,
    book: &'h Book,
    cast: &'h Cast,
    number: u64,
    on_an_end: bool,
}

/// A way to go on, where there is one.
type Idea<'h> = fn(&mut Generator<'h>) -> Option<Move>;

impl<'h> Generator<'h> {
    /// What somebody waits for, tried first most often.
    const ANSWERS: [Idea<'h>; 13] = [
        Generator::contract_accept,
        Generator::transfer_accept,
        Generator::limit_for_request,
        Generator::offer_make,
        Generator::offer_commit,
        Generator::offer_reveal,
        Generator::offer_reveal,
        Generator::offer_accept,
        Generator::offer_accept,
        Generator::announce_disbursement,
        Generator::receivable_confirm,
        Generator::leg_attest,
        Generator::leg_attest,
    ];

    /// How often each kind of move is tried.
    const MOVES: [(i64, Idea<'h>); 59] = [
        (1, Generator::ledger_upgrade),
        (1, Generator::ledger_rekey),
        (2, Generator::rulebook_publish),
        (1, Generator::party_admit),
        (2, Generator::party_amend),
        (3, Generator::party_suspend),
        (2, Generator::party_reinstate),
        (3, Generator::key_add),
        (2, Generator::key_revoke),
        (1, Generator::key_recover),
        (2, Generator::key_veto),
        (2, Generator::policy_set),
        (1, Generator::account_add),
        (2, Generator::account_attest),
        (1, Generator::account_close),
        (6, Generator::contract_propose),
        (6, Generator::contract_accept),
        (1, Generator::contract_decline),
        (3, Generator::contract_amend),
        (1, Generator::contract_close),
        (5, Generator::delivery_record),
        (2, Generator::delivery_accept),
        (1, Generator::delivery_reject),
        (10, Generator::invoice_issue),
        (2, Generator::invoice_attest),
        (1, Generator::invoice_flag),
        (1, Generator::invoice_unflag),
        (2, Generator::invoice_book),
        (1, Generator::invoice_void),
        (4, Generator::invoice_credit),
        (16, Generator::receivable_register),
        (20, Generator::receivable_confirm),
        (1, Generator::receivable_decline),
        (5, Generator::receivable_dispute),
        (5, Generator::receivable_resolve),
        (2, Generator::receivable_withdraw),
        (6, Generator::claim_extend),
        (2, Generator::claim_waive),
        (34, Generator::transfer_propose),
        (6, Generator::transfer_accept),
        (3, Generator::transfer_decline),
        (4, Generator::transfer_cancel),
        (8, Generator::limit_set),
        (60, Generator::request_open),
        (2, Generator::request_withdraw),
        (6, Generator::offer_make),
        (6, Generator::offer_commit),
        (4, Generator::offer_reveal),
        (3, Generator::offer_withdraw),
        (6, Generator::offer_accept),
        (2, Generator::financing_cancel),
        (8, Generator::announce_disbursement),
        (12, Generator::announce_payment),
        (8, Generator::announce_discharge),
        (16, Generator::leg_attest),
        (3, Generator::leg_contest),
        (5, Generator::leg_reverse),
        (1, Generator::obligation_waive),
        (2, Generator::operation_cancel),
    ];
}

/// The next step at a moment that the model has reached.
pub(super) fn next_step(
    rng: &mut Rng,
    moment: Moment,
    book: &Book,
    cast: &Cast,
    number: u64,
) -> Step {
    let mut generator = Generator {
        rng,
        book,
        cast,
        number,
        on_an_end: moment.on_an_end,
    };
    let made = generator.draw();
    generator.sign(made)
}

impl Generator<'_> {
    fn draw(&mut self) -> Move {
        for _ in 0..self.rng.between(0, 12) {
            let answer = self.rng.pick(Self::ANSWERS).unwrap();
            if let Some(made) = answer(self) {
                return made;
            }
        }
        let total = Self::MOVES.iter().map(|(weight, _)| weight).sum();
        loop {
            let mut at = self.rng.between(1, total);
            let drawn = Self::MOVES.iter().find(|(weight, _)| {
                at -= weight;
                at <= 0
            });
            let (_, propose) = drawn.unwrap();
            if let Some(made) = propose(self) {
                return made;
            }
        }
    }

    /// Signed as it must be, or now and then as it must not.
    fn sign(&mut self, made: Move) -> Step {
        let now = self.book.now;
        let mut step = Step {
            number: self.number,
            time: now,
            ledger: ORIGIN,
            by: made.by,
            signers: [vec![self.a_key(made.by)], made.also].concat(),
            not_after: (now + self.rng.between(0, 20) * HOUR) / 1_000 * 1_000 + 1_000,
            body: made.body,
            read: OnceLock::new(),
        };
        match self.rng.between(1, 160) {
            1..=7 => {
                let other = self.anybody();
                step.signers[0] = other;
                step.by = other;
            }
            8 => step.signers[0] = self.anybody(),
            9..=10 => step.signers.truncate(1),
            11 => step.signers.clear(),
            12..=13 => step.signers.push(self.anybody()),
            14 => step.not_after = now / 1_000 * 1_000 - 1_000,
            15 => step.not_after += 3 * DAY,
            16 => step.not_after += 8 * DAY,
            17 => step.ledger = ELSEWHERE,
            _ => {}
        }
        step
    }

    /// Whether to do something wrong here.
    fn errs(&mut self) -> bool {
        self.rng.between(1, 40) == 1
    }

    /// Whether to answer what waits for no answer.
    fn strays(&mut self) -> bool {
        let often = if self.on_an_end { 3 } else { 150 };
        self.rng.between(1, often) == 1
    }

    fn anybody(&mut self) -> PartyId {
        let all = self.cast.all();
        self.rng.pick(all).unwrap()
    }

    fn today(&self) -> Day {
        self.book.today()
    }

    /// So much of a currency; now and then with the wrong decimals, or nothing.
    fn money(&mut self, units: Sum) -> Amount {
        let (units, decimals) = match self.rng.between(1, 300) {
            1 => (0, 2),
            2 => (units, 3),
            3 => (units + 1, 2),
            _ => (units, 2),
        };
        amount(units, decimals)
    }

    fn currency(&mut self) -> Currency {
        let code = match self.rng.between(1, 60) {
            1..=3 => "USD",
            4 => "ZZZ",
            _ => "CNY",
        };
        code.parse().unwrap()
    }

    /// A run of fens that one party holds, most often open and free: whose, and which. `early`: before the cut-off.
    fn piece(
        &mut self,
        early: bool,
        wanted: impl Fn(PartyId) -> bool,
    ) -> Option<(PartyId, ReceivableId, u64, u64)> {
        let careless = self.rng.chance(5);
        let mut runs = Vec::new();
        for (id, receivable) in &self.book.receivables {
            let mut lo = 0;
            while lo < receivable.fens.len() {
                let first = &receivable.fens[lo];
                let alike = receivable.fens[lo..].iter().take_while(|fen| {
                    fen.holder == first.holder
                        && (careless || fen.state == first.state && fen.lock == first.lock)
                });
                let hi = lo + alike.count();
                let numbers = self.book.numbers_of(receivable);
                let cut_off = numbers.calendar.walk(first.due, -numbers.cut_off_days);
                let in_time = (!early || self.today() < cut_off) && hi - lo >= numbers.unit;
                let free = first.open_of(first.holder) && first.lock.is_none() && in_time;
                if (careless || free) && wanted(first.holder) {
                    runs.push((first.holder, *id, lo as i64, hi as i64));
                }
                lo = hi;
            }
        }
        let (holder, id, lo, hi) = self.rng.pick(runs)?;
        let unit = self.book.numbers_of(&self.book.receivables[&id]).unit;
        let unit = (unit as i64).min(hi - lo);
        let unit = if self.errs() { 1 } else { unit };
        let from = if self.rng.chance(65) {
            lo
        } else {
            self.rng.between(lo, hi - unit)
        };
        let to = if self.rng.chance(60) {
            hi
        } else {
            self.rng.between(from + unit, hi)
        };
        let beyond = if self.errs() {
            self.rng.between(0, 3)
        } else {
            0
        };
        Some((holder, id, from as u64, (to + beyond) as u64))
    }
}

fn amount(units: Sum, decimals: u8) -> Amount {
    Amount::of(Fen::new(units.max(0)).unwrap(), decimals)
}

fn day(number: Day) -> WireDay {
    WireDay::from_number(number)
}

fn instant(time: Time) -> Instant {
    // Instants on the wire are whole seconds.
    Instant::from_millis(time / 1_000 * 1_000)
}

/// Addresses in their order, overlapping ones left out.
fn in_order(mut parts: Vec<(ReceivableId, u64, u64)>) -> Addresses {
    parts.sort_unstable();
    let mut kept: Vec<Address> = Vec::new();
    for (id, lo, hi) in parts {
        let address = Address::new(id, lo, hi).unwrap();
        if kept.last().is_none_or(|last| !last.overlaps(&address)) {
            kept.push(address);
        }
    }
    Addresses::new(kept).unwrap()
}
