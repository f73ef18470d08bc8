//! Fens passed on to pay debts.

use counterfoil::domain::objects::{Basis, Recourse};
use counterfoil::domain::ops::transfer::{accept, cancel, decline, propose};
use counterfoil::domain::values::{PartyId, TransferId};

use super::super::book::{ContractState, Transfer, TransferState};
use super::super::days::{DAY, Sum};
use super::{Generator, Move, alone, in_order, instant};

impl Generator<'_> {
    pub(super) fn transfer_propose(&mut self) -> Option<Move> {
        let early = self.rng.chance(70);
        let debtors: Vec<PartyId> = self.book.contracts.values().map(|one| one.debtor).collect();
        let (by, id, lo, mut hi) = self.piece(early, |holder| debtors.contains(&holder))?;
        let owes = self.book.receivables[&id].debtor;
        let (to, basis, room) = self.debt(by, owes)?;
        if !self.errs() {
            let most = lo + u64::try_from(room).unwrap();
            hi = hi.min(most).max(lo + 1);
        }
        let mut parts = vec![(id, lo, hi)];
        if self.rng.chance(15) {
            let more = self.piece(early, |holder| holder == by);
            parts.extend(more.map(|(_, id, lo, hi)| (id, lo, hi)));
        }
        let receivable = &self.book.receivables[&id];
        let late = receivable
            .fens
            .get(lo as usize)
            .is_some_and(|fen| fen.due < self.today());
        let recourse = self
            .rng
            .pick([Recourse::None, Recourse::Last, Recourse::Chain])?;
        let days = if self.errs() {
            11
        } else {
            self.rng.between(1, 9)
        };
        let body = propose::Propose {
            addresses: in_order(parts),
            to: if self.errs() { self.anybody() } else { to },
            recourse,
            basis,
            overdue: late != self.errs(),
            expires: instant(self.book.now + days * DAY),
        };
        alone(by, body)
    }

    /// Whom the party owes by which contract or invoice, and how much of it may be paid.
    fn debt(&mut self, by: PartyId, not: PartyId) -> Option<(PartyId, Basis, Sum)> {
        let book = self.book;
        let careless = self.rng.chance(5);
        let mut debts = Vec::new();
        for (id, one) in &book.contracts {
            let fits = one.debtor == by && one.state == ContractState::Active;
            if careless || fits {
                let left = one
                    .terms
                    .value
                    .map_or(1_000, |value| value - book.registered_under(*id));
                debts.push((one.supplier, Basis::Contract(*id), left));
            }
        }
        for (id, one) in &book.invoices {
            if careless || one.debtor == by && !one.void {
                debts.push((one.supplier, Basis::Invoice(*id), book.room(*id)));
            }
        }
        debts.retain(|(to, _, left)| *left >= 0 && (careless || *left > 0 && *to != not));
        self.rng.pick(debts)
    }

    fn proposed_transfer(&mut self) -> Option<(TransferId, &Transfer)> {
        let careless = self.strays();
        let transfers = self.book.transfers.iter();
        let waiting = transfers.filter(|(_, one)| careless || one.state == TransferState::Proposed);
        self.rng.pick(waiting).map(|(id, one)| (*id, one))
    }

    pub(super) fn transfer_accept(&mut self) -> Option<Move> {
        let (transfer, one) = self.proposed_transfer()?;
        alone(one.to, accept::Accept { transfer })
    }

    pub(super) fn transfer_decline(&mut self) -> Option<Move> {
        let (transfer, one) = self.proposed_transfer()?;
        alone(one.to, decline::Decline { transfer })
    }

    pub(super) fn transfer_cancel(&mut self) -> Option<Move> {
        let (transfer, one) = self.proposed_transfer()?;
        alone(one.from, cancel::Cancel { transfer })
    }
}
