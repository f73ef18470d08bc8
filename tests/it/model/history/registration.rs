//! Receivables: registered, confirmed in part, disputed, resolved, declined and withdrawn.

use counterfoil::domain::objects::DefenceKind;
use counterfoil::domain::ops::receivable::Item;
use counterfoil::domain::ops::receivable::confirm::{Confirm, DefenceTerms, Notice, Reserved};
use counterfoil::domain::ops::receivable::decline::Decline;
use counterfoil::domain::ops::receivable::dispute::{Dispute, Disputing};
use counterfoil::domain::ops::receivable::register::Register;
use counterfoil::domain::ops::receivable::resolve::{Outcome, Resolve};
use counterfoil::domain::ops::receivable::withdraw::Withdraw;
use counterfoil::domain::values::{InvoiceId, ReceivableId};

use super::super::book::{ContractState, Receivable, Stage};
use super::super::days::{DAY, Sum};
use super::super::world::wire;
use super::{Generator, Move, alone, day, with};

impl Generator<'_> {
    /// All of it, or a part.
    fn part(&mut self, all: Sum) -> Sum {
        if self.errs() {
            return all + 1;
        }
        if all <= 1 || self.rng.chance(50) {
            all
        } else {
            self.rng.between(1, all)
        }
    }

    fn item(&mut self, invoice: InvoiceId, all: Sum) -> Item {
        let units = self.part(all);
        Item {
            invoice,
            amount: self.money(units),
        }
    }

    pub(super) fn receivable_register(&mut self) -> Option<Move> {
        let careless = self.strays();
        let usable = self.book.invoices.iter().filter(|(id, one)| {
            let active = self.book.contracts[&one.contract].state == ContractState::Active;
            careless || active && !one.void && one.flag.is_none() && self.book.room(**id) > 0
        });
        let usable: Vec<InvoiceId> = usable.map(|(id, _)| *id).collect();
        let first = self.rng.pick(usable.iter().copied())?;
        let contract = self.book.invoices[&first].contract;
        let mut invoices = vec![first];
        let other = usable
            .iter()
            .copied()
            .filter(|id| *id != first && (careless || self.book.invoices[id].contract == contract));
        let other: Vec<_> = other.collect();
        if self.rng.chance(50) {
            invoices.extend(self.rng.pick(other));
        }
        if self.errs() {
            invoices.push(first);
        }
        let shares = invoices.into_iter();
        let shares = shares.map(|id| self.item(id, self.book.room(id))).collect();
        let supplier = self.book.contracts[&contract].supplier;
        alone(supplier, Register { contract, shares })
    }

    fn a_receivable(
        &mut self,
        wanted: impl Fn(&Receivable) -> bool,
    ) -> Option<(ReceivableId, Receivable)> {
        let careless = self.strays();
        let receivables = self.book.receivables.iter();
        let receivables = receivables.filter(|(_, one)| careless || wanted(one));
        self.rng
            .pick(receivables)
            .map(|(id, one)| (*id, one.clone()))
    }

    pub(super) fn receivable_confirm(&mut self) -> Option<Move> {
        let book = self.book;
        let today = self.today();
        let (receivable, one) = self.a_receivable(|one| {
            let live = book.parties[&one.debtor]
                .kyc_valid_to
                .is_none_or(|last| today <= last);
            let agreed = book.contracts[&one.contract].terms.vouchers;
            one.stage == Stage::Registered && (live && agreed || one.at + DAY > book.now)
        })?;
        let open = one
            .shares
            .iter()
            .filter(|share| share.registered > share.disputed);
        let open: Vec<_> = open.collect();
        let mut shares = Vec::new();
        for share in &open {
            if open.len() == 1 || self.rng.chance(85) {
                shares.push(self.item(share.invoice, share.registered - share.disputed));
            }
        }
        if shares.is_empty() && !self.errs() {
            return None;
        }
        let (today, last) = (self.today(), self.book.payment_day(&one));
        let soonest = (today + 15).min(last);
        let due = match self.rng.between(1, 60) {
            1 => today - 1,
            2..=4 => last + 1,
            5 => last + 150,
            6 => last + 250,
            _ if soonest >= last || self.rng.chance(50) => last,
            _ => self.rng.between(soonest, last),
        };
        let due = if self.errs() { due } else { due.max(today) };
        let body = Confirm {
            receivable,
            shares,
            due: day(due),
            term_reason: self.rng.chance(50).then(|| wire("as agreed")),
            defences: self.defences(),
            notice: Notice::Ledger,
        };
        let agreed = due > last && !self.errs() || self.rng.chance(5);
        if agreed {
            with(one.debtor, one.supplier, body)
        } else {
            alone(one.debtor, body)
        }
    }

    fn defences(&mut self) -> DefenceTerms {
        let mut terms = DefenceTerms::default();
        if self.rng.chance(20) {
            terms.waived.push(DefenceKind::SetOff);
        }
        if self.rng.chance(20) {
            let kind = if self.errs() {
                DefenceKind::SetOff
            } else {
                DefenceKind::Quality
            };
            let cap = Some(self.money(5));
            terms.reserved.push(Reserved {
                kind,
                cap,
                until: None,
            });
        }
        terms
    }

    pub(super) fn receivable_decline(&mut self) -> Option<Move> {
        let (receivable, one) = self.a_receivable(|one| one.stage == Stage::Registered)?;
        alone(
            one.debtor,
            Decline {
                receivable,
                reason: wire("not ours"),
            },
        )
    }

    pub(super) fn receivable_dispute(&mut self) -> Option<Move> {
        let (receivable, one) = self.a_receivable(|one| one.stage == Stage::Registered)?;
        let mut disputes = Vec::new();
        for share in one
            .shares
            .iter()
            .filter(|share| share.registered > share.disputed)
        {
            let Item { invoice, amount } =
                self.item(share.invoice, share.registered - share.disputed);
            disputes.push(Disputing {
                invoice,
                amount,
                code: wire("quality"),
                text: None,
            });
        }
        if disputes.is_empty() && !self.errs() {
            return None;
        }
        alone(
            one.debtor,
            Dispute {
                receivable,
                disputes,
            },
        )
    }

    pub(super) fn receivable_resolve(&mut self) -> Option<Move> {
        let disputed = |one: &Receivable| one.shares.iter().any(|share| share.disputed > 0);
        let (receivable, one) = self.a_receivable(disputed)?;
        let shares = one.shares.iter().filter(|share| share.disputed > 0);
        let share = self.rng.pick(shares).or(one.shares.first())?;
        let Item { invoice, amount } = self.item(share.invoice, share.disputed);
        let outcome = self.rng.pick([Outcome::Released, Outcome::Lifted])?;
        let body = Resolve {
            receivable,
            invoice,
            amount,
            outcome,
        };
        match self.rng.between(1, 10) {
            1..=5 if outcome == Outcome::Released => alone(one.supplier, body),
            1 => alone(one.debtor, body),
            2..=6 => with(one.supplier, one.debtor, body),
            _ => with(one.debtor, one.supplier, body),
        }
    }

    pub(super) fn receivable_withdraw(&mut self) -> Option<Move> {
        let untouched = |one: &Receivable| {
            one.stands()
                && one
                    .fens
                    .iter()
                    .all(|fen| fen.hops.is_empty() && fen.lock.is_none())
        };
        let (receivable, one) = self.a_receivable(untouched)?;
        let body = Withdraw { receivable };
        match one.stage {
            Stage::Confirmed => with(one.supplier, one.debtor, body),
            _ => alone(one.supplier, body),
        }
    }
}
