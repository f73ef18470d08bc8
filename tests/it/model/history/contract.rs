//! Contracts: proposed, answered, amended, closed, and what a proposer takes back.

use counterfoil::domain::ops::{contract, operation};
use counterfoil::domain::values::{ContractId, OpId, PartyId, Rate, Size};

use super::super::book::{AccountState, Contract, ContractState};
use super::super::step::{Body, Step};
use super::super::world::{digest, wire};
use super::{Generator, Move, alone, day, with};

impl Generator<'_> {
    pub(super) fn contract_propose(&mut self) -> Option<Move> {
        let live = self.book.contracts.values();
        let live = live
            .filter(|one| one.state == ContractState::Active)
            .count() as i64;
        if live > 3 && self.rng.between(1, live * live) > 5 {
            return None;
        }
        let cast = self.cast;
        let (sme, clinic, large) = (Size::Small, Size::PublicBody, Size::Large);
        let main = (cast.supplier, cast.hospital, sme, clinic);
        let pairs = [
            main,
            main,
            main,
            (cast.maker, cast.supplier, sme, sme),
            (cast.maker, cast.supplier, sme, sme),
            (cast.maker, cast.supplier, sme, sme),
            (cast.trader, cast.supplier, large, sme),
            (cast.trader, cast.maker, large, sme),
            (cast.supplier, cast.trader, sme, large),
            (cast.supplier, cast.maker, sme, sme),
            (cast.maker, cast.trader, sme, large),
            (cast.maker, cast.hospital, sme, clinic),
        ];
        let (supplier, debtor, supplier_size, debtor_size) = self.rng.pick(pairs)?;
        let (supplier, debtor) = if self.errs() {
            (debtor, supplier)
        } else {
            (supplier, debtor)
        };
        let debtor = if self.errs() { self.anybody() } else { debtor };
        let by = if self.rng.chance(70) {
            supplier
        } else {
            debtor
        };
        let body = self.proposal(supplier, debtor, (supplier_size, debtor_size));
        alone(by, body)
    }

    fn proposal(
        &mut self,
        supplier: PartyId,
        debtor: PartyId,
        (supplier_size, debtor_size): (Size, Size),
    ) -> contract::propose::Propose {
        let today = self.today();
        let errs = self.errs();
        let days = if errs { [4_000, 90, 200] } else { [20, 30, 30] };
        let payment_days = self
            .rng
            .pick([days[0], days[1], days[2], days[2], 45, 60])
            .unwrap();
        let payment_days = u32::try_from(payment_days).unwrap();
        let reason = payment_days > 30 || self.rng.chance(40);
        let reason = reason && !self.errs();
        let rate: Option<&str> = self
            .rng
            .pick([None, None, Some("0.01"), Some("0.004")])
            .unwrap();
        let rate = match self.errs() {
            true => self.rng.pick([Some("0.00001"), Some("0.03")]).unwrap(),
            false => rate,
        };
        let units = self.rng.between(60, 260);
        let value = self.rng.chance(60).then(|| self.money(units));
        let ends = self.rng.between(60, 300);
        let ends = if self.errs() { -1 } else { ends };
        let back = if self.errs() {
            -1
        } else {
            self.rng.between(0, 25)
        };
        let back = if self.errs() { 460 } else { back };
        contract::propose::Propose {
            supplier,
            debtor,
            number: wire(&format!("HT-{}", self.rng.between(1, 12))),
            currency: self.currency(),
            value,
            concluded: day(today - back),
            ends: self.rng.chance(15).then(|| day(today + ends)),
            payment_days,
            term_reason: reason.then(|| wire("after the acceptance test")),
            inspection_days: self.rng.pick([0, 2, 7]).unwrap(),
            supplier_size,
            debtor_size,
            late_rate: rate.map(wire::<Rate>),
            grace_days: self.rng.pick([0, 0, 3]).unwrap(),
            vouchers: !self.errs(),
            document: digest("contract"),
        }
    }

    /// What waits for an answer: a contract, or a change of one; and whose answer.
    fn asked(&mut self) -> Option<(ContractId, Option<OpId>, PartyId)> {
        let careless = self.strays();
        let mut waiting = Vec::new();
        for (id, one) in &self.book.contracts {
            if careless || matches!(one.state, ContractState::Proposed(_)) {
                waiting.push((*id, None, other(one, one.proposer)));
            }
            let change = one.change.as_ref();
            let change = change.filter(|change| careless || change.waits);
            waiting.extend(change.map(|it| (*id, Some(it.op), other(one, it.by))));
        }
        self.rng.pick(waiting)
    }

    pub(super) fn contract_accept(&mut self) -> Option<Move> {
        let (contract, change, other) = self.asked()?;
        alone(other, contract::accept::Accept { contract, change })
    }

    pub(super) fn contract_decline(&mut self) -> Option<Move> {
        let (contract, change, other) = self.asked()?;
        alone(other, contract::decline::Decline { contract, change })
    }

    /// One of the two; the other signs too, now and then.
    fn one_of(&mut self, terms: &Contract, body: impl Into<Body>) -> Option<Move> {
        let by = self.rng.pick([terms.supplier, terms.debtor])?;
        if self.rng.chance(30) {
            with(by, other(terms, by), body)
        } else {
            alone(by, body)
        }
    }

    pub(super) fn contract_amend(&mut self) -> Option<Move> {
        let (contract, now) = self.active()?;
        let registered = self.book.registered_under(contract);
        let least = if self.errs() { -1 } else { 0 };
        let units = (registered + self.rng.between(least, 90)).max(1);
        let terms = self.proposal(now.supplier, now.debtor, now.sizes);
        let body = contract::amend::Amend {
            contract,
            value: self.rng.chance(70).then(|| self.money(units)),
            ends: terms.ends,
            payment_days: terms.payment_days,
            term_reason: terms.term_reason,
            inspection_days: terms.inspection_days,
            late_rate: terms.late_rate,
            grace_days: terms.grace_days,
            vouchers: terms.vouchers,
            document: digest("amendment"),
        };
        self.one_of(&now, body)
    }

    pub(super) fn contract_close(&mut self) -> Option<Move> {
        let (contract, now) = self.active()?;
        let live = self.book.contracts.values();
        let live = live.filter(|one| one.state == ContractState::Active);
        if live.count() < 4 && self.rng.chance(80) {
            return None;
        }
        self.one_of(&now, contract::close::Close { contract })
    }

    pub(super) fn operation_cancel(&mut self) -> Option<Move> {
        let careless = self.rng.chance(50);
        let mut mine = Vec::new();
        for number in self.number.saturating_sub(60)..self.number {
            let operation = Step::op_of(number);
            let of = |op: OpId| counterfoil::domain::values::MadeId::of(&op, 0);
            let contract = self.book.contracts.get(&of(operation));
            let proposed = contract.filter(|one| matches!(one.state, ContractState::Proposed(_)));
            mine.extend(proposed.map(|one| (operation, one.proposer)));
            let account = counterfoil::domain::values::MadeId::of(&operation, 0);
            let account = self.book.accounts.get(&account);
            let added = account.filter(|one| matches!(one.state, AccountState::Added(_)));
            mine.extend(added.map(|one| (operation, one.party)));
        }
        let changes = self.book.contracts.values();
        let changes = changes.filter_map(|one| one.change.as_ref());
        mine.extend(changes.map(|change| (change.op, change.by)));
        if careless {
            // What is still to come can be barred.
            let any = self.rng.between(0, self.number as i64 + 9) as u64;
            mine = vec![(Step::op_of(any), self.anybody())];
        }
        let (operation, by) = self.rng.pick(mine)?;
        alone(by, operation::cancel::Cancel { operation })
    }
}

/// The other of the two.
fn other(contract: &Contract, party: PartyId) -> PartyId {
    if party == contract.supplier {
        contract.debtor
    } else {
        contract.supplier
    }
}
