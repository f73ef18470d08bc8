//! Legs: announced, attested in part, over, late, by the wrong one; contested and reversed.

use counterfoil::domain::objects::{Discharge, Purpose};
use counterfoil::domain::ops::leg::{announce, attest, contest, reverse};
use counterfoil::domain::ops::obligation::waive;
use counterfoil::domain::values::{AccountId, Currency, PartyId};

use super::super::book::{AccountState, FinancingState, LegState};
use super::super::days::{Day, Sum};
use super::super::fen::{FenState, face};
use super::super::rules::price;
use super::super::world::{digest, wire};
use super::{Generator, Move, alone, day, with};

/// What a leg is to pay.
struct Payment {
    purpose: Purpose,
    payer: PartyId,
    payee: PartyId,
    currency: Currency,
    units: Sum,
    value_date: Day,
    discharges: Vec<Discharge>,
}

impl Generator<'_> {
    fn announce(&mut self, payment: Payment) -> Option<Move> {
        let account = self.account_of(payment.payee, payment.currency)?;
        let old = self.errs() && !self.book.legs.is_empty();
        let legs = self.book.legs.values();
        let end_to_end_id = match old {
            true => self.rng.pick(legs.map(|leg| leg.end_to_end_id.clone()))?,
            false => format!("E2E-{}", self.number),
        };
        let back = self.rng.between(6, 12);
        let value_date = match self.rng.between(1, 80) {
            1 => payment.value_date - back,
            2 => payment.value_date + 31,
            _ => payment.value_date,
        };
        let body = announce::Announce {
            purpose: payment.purpose,
            payee: if self.errs() {
                self.anybody()
            } else {
                payment.payee
            },
            account,
            amount: self.money(payment.units),
            value_date: day(value_date),
            end_to_end_id: wire(&end_to_end_id),
            currency: if self.errs() {
                self.currency()
            } else {
                payment.currency
            },
            discharges: payment.discharges,
        };
        alone(payment.payer, body)
    }

    /// An account of the party that may be paid to, most often a usable one.
    fn account_of(&mut self, party: PartyId, currency: Currency) -> Option<AccountId> {
        let (careless, now) = (self.errs(), self.book.now);
        let young = self.rng.chance(10);
        let fits = |state| match state {
            AccountState::Attested(usable) => young || usable <= now,
            _ => careless,
        };
        let accounts = self.book.accounts.iter().filter(|(_, one)| {
            careless || one.party == party && one.currency == currency && fits(one.state)
        });
        self.rng.pick(accounts.map(|(id, _)| *id))
    }

    pub(super) fn announce_disbursement(&mut self) -> Option<Move> {
        let careless = self.strays();
        let waiting = self.book.financings.iter().filter(|(id, one)| {
            let waits = matches!(one.state, FinancingState::Waits(_));
            careless || waits && !self.book.has_live_leg(**id)
        });
        let (id, one) = self.rng.pick(waiting)?;
        let (today, last) = (self.today(), i64::from(one.terms.disburse_by.number()));
        let value_date = if last <= today {
            last
        } else {
            self.rng.between(today, last.min(today + 4))
        };
        let units = price(face(&one.addresses), &one.terms, one.due, value_date).unwrap_or(1);
        let also = self
            .errs()
            .then(|| self.book.receivables.keys().next().copied())
            .flatten();
        let discharges = [Discharge::Financing(*id)].into_iter();
        let wrong = (self.errs(), self.errs());
        let payment = Payment {
            purpose: if wrong.0 {
                Purpose::Payment
            } else {
                Purpose::Disbursement
            },
            payer: one.lender,
            payee: one.requester,
            currency: self.book.requests[&one.request].currency,
            units: units + i64::from(wrong.1),
            value_date,
            discharges: discharges.chain(also.map(Discharge::Receivable)).collect(),
        };
        self.announce(payment)
    }

    pub(super) fn announce_payment(&mut self) -> Option<Move> {
        let mut owed = Vec::new();
        for (id, one) in &self.book.receivables {
            for fen in one.fens.iter().filter(|fen| fen.state == FenState::Open) {
                owed.push((*id, one.debtor, fen.holder, one.currency));
            }
        }
        let (first, payer, payee, currency) = self.rng.pick(owed.iter().copied())?;
        let mut named = vec![first];
        if self.rng.chance(30) {
            let all = self.rng.chance(5);
            let others = owed.iter().filter(|(id, debtor, holder, _)| {
                *id != first && (all || *debtor == payer && *holder == payee)
            });
            let others: Vec<_> = others.map(|(id, ..)| *id).collect();
            named.extend(self.rng.pick(others));
        }
        let total = owed
            .iter()
            .filter(|(id, _, holder, _)| *holder == payee && named.contains(id));
        let total = total.count() as Sum;
        let mut discharges: Vec<_> = named.into_iter().map(Discharge::Receivable).collect();
        if self.rng.chance(40) {
            discharges.extend(self.debts(payer, payee).into_iter().take(2));
        }
        if self.errs() {
            discharges.push(discharges[0]);
        }
        let units = match self.rng.between(1, 10) {
            1..=4 => total,
            5..=7 => self.rng.between(1, total.max(1)),
            _ => total + self.rng.between(1, 9),
        };
        let value_date = self.payment_day_of_leg();
        let purpose = Purpose::Payment;
        self.announce(Payment {
            purpose,
            payer,
            payee,
            currency,
            units,
            value_date,
            discharges,
        })
    }

    fn payment_day_of_leg(&mut self) -> Day {
        let days = match self.rng.between(1, 10) {
            1..=6 => 0,
            7..=8 => self.rng.between(1, 5),
            _ => -self.rng.between(1, 4),
        };
        self.today() + days
    }

    /// What the payer owes the payee outside faces.
    fn debts(&self, payer: PartyId, payee: PartyId) -> Vec<Discharge> {
        let owed = self.book.obligations.iter();
        let owed = owed.filter(|(_, one)| one.from == payer && one.to == payee);
        let open = owed.filter(|(_, one)| one.outstanding() > 0);
        open.map(|(id, _)| Discharge::Obligation(*id)).collect()
    }

    pub(super) fn announce_discharge(&mut self) -> Option<Move> {
        let careless = self.strays();
        let open = self.book.obligations.values();
        let open = open.filter(|one| careless || one.outstanding() > 0);
        let one = self.rng.pick(open)?;
        let (payer, payee, currency) = (one.from, one.to, one.currency);
        let discharges = self.debts(payer, payee);
        let outstanding = self.book.obligations.values();
        let outstanding = outstanding.filter(|one| one.from == payer && one.to == payee);
        let total: Sum = outstanding.map(|one| one.outstanding()).sum();
        let units = match self.rng.between(1, 10) {
            1..=6 => total.max(1),
            7..=8 => self.rng.between(1, total.max(1)),
            _ => total + self.rng.between(1, 4),
        };
        let value_date = self.payment_day_of_leg();
        let purpose = Purpose::Payment;
        self.announce(Payment {
            purpose,
            payer,
            payee,
            currency,
            units,
            value_date,
            discharges,
        })
    }

    pub(super) fn leg_attest(&mut self) -> Option<Move> {
        let careless = self.strays();
        let waiting = self.book.legs.iter().filter(|(_, leg)| match leg.state {
            LegState::Announced => true,
            LegState::Lapsed => careless || leg.lapses > self.book.now - 20 * super::DAY,
            _ => careless,
        });
        let waiting: Vec<_> = waiting.collect();
        let (id, leg) = self.rng.pick(waiting)?;
        let today = self.today();
        let disburses = leg.purpose == Purpose::Disbursement;
        let early = leg.value_date > today || disburses && leg.value_date == today;
        if early && self.rng.chance(if disburses { 85 } else { 60 }) {
            return None;
        }
        let share = if disburses { 25 } else { 50 };
        let as_payee = !leg.contested && leg.value_date <= today && self.rng.chance(share);
        let interested = leg.bank == leg.payer || leg.bank == leg.payee;
        let by = match (as_payee != self.errs(), interested) {
            (true, _) => leg.payee,
            (false, true) => self.cast.auditor,
            (false, false) => leg.bank,
        };
        let (mut booked, mut value_date) = (leg.amount, leg.value_date);
        if !as_payee {
            booked = match self.rng.between(1, 10) {
                1 => (leg.amount - self.rng.between(1, 6)).max(1),
                2..=3 => leg.amount + self.rng.between(1, 6),
                _ => leg.amount,
            };
            let days = match leg.purpose {
                Purpose::Disbursement => [0, 0, 2, 4, 6, 9],
                Purpose::Payment => [-1, 0, 0, 0, 1, 2],
            };
            value_date = (leg.value_date + self.rng.pick(days)?).min(today);
        }
        if self.errs() {
            value_date = self.rng.pick([today + 1, leg.value_date - 9]).unwrap();
        }
        let known = self
            .book
            .legs
            .values()
            .filter_map(|leg| leg.reference.clone());
        let known: Vec<_> = known.map(|(_, reference)| reference).collect();
        let reference = match self.errs() && !known.is_empty() {
            true => self.rng.pick(known)?,
            false => format!("B-{}", self.number),
        };
        let body = attest::Attest {
            leg: *id,
            booked: self.money(booked),
            value_date: day(value_date),
            reference: wire(&reference),
            evidence: self.rng.chance(30).then(|| digest("statement")),
        };
        alone(by, body)
    }

    pub(super) fn leg_contest(&mut self) -> Option<Move> {
        let careless = self.rng.chance(8);
        let live = self.book.legs.iter();
        let live = live.filter(|(_, leg)| careless || leg.state == LegState::Announced);
        let (id, leg) = self.rng.pick(live)?;
        alone(leg.payee, contest::Contest { leg: *id })
    }

    pub(super) fn leg_reverse(&mut self) -> Option<Move> {
        let careless = self.rng.chance(5);
        let legs = self.book.legs.iter();
        let attested = legs.filter(|(_, leg)| careless || leg.state == LegState::Attested);
        let (id, leg) = self.rng.pick(attested)?;
        let body = reverse::Reverse { leg: *id };
        match self.rng.between(1, 4) {
            1 => with(leg.payee, leg.payer, body),
            2 => with(leg.payer, leg.payee, body),
            _ => alone(leg.bank, body),
        }
    }

    pub(super) fn obligation_waive(&mut self) -> Option<Move> {
        let careless = self.rng.chance(10);
        let owed = self.book.obligations.iter();
        let owed = owed.filter(|(_, one)| careless || one.outstanding() > 0);
        let (id, one) = self.rng.pick(owed)?;
        let by = if self.errs() { one.from } else { one.to };
        alone(by, waive::Waive { obligation: *id })
    }
}
