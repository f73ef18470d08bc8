//! Transfers: fens passed on to pay a debt.

use counterfoil::domain::objects::Basis;
use counterfoil::domain::ops::transfer::propose::Propose;
use counterfoil::domain::values::{PartyId, Scope, TransferId};

use super::super::book::{Book, ContractState, Transfer, TransferState};
use super::super::days::day_of;
use super::super::fen::{Act, Hop, addresses, face};
use super::{Faults, Rule, Verdict, seen};

impl Book {
    pub(super) fn transfer(&self, by: PartyId, id: TransferId) -> Result<&Transfer, Vec<Rule>> {
        let audits = self.has_scope(by, Scope::Audit);
        let transfer = self.transfers.get(&id);
        seen(transfer.filter(|one| audits || one.from == by || one.to == by))
    }

    pub(super) fn transfer_propose(
        &mut self,
        by: PartyId,
        body: &Propose,
        id: TransferId,
    ) -> Verdict {
        let mut faults = Faults::default();
        faults.take(self.takes_obligations(by));
        faults.take(self.takes_obligations(body.to));
        faults.unless(body.to != by, "transfer.to_self");
        let expires = body.expires.millis();
        faults.unless(self.ends_within(expires, 10), "end.range");
        let named = addresses(&body.addresses);
        // From engine 2 on the cut-off binds the acceptance.
        let accepted_by = match self.engine {
            1 => self.today(),
            _ => day_of(expires - 1).max(self.today()),
        };
        let last = (!body.overdue).then_some(accepted_by);
        let Some(fens) = self.disposable(&mut faults, by, &named, last, None) else {
            return faults.verdict();
        };
        faults.unless(!fens.debtors.contains(&body.to), "transfer.to_debtor");
        let transfer = Transfer {
            from: by,
            to: body.to,
            addresses: named,
            currency: fens.currency,
            recourse: body.recourse,
            basis: body.basis,
            at: self.now,
            expires,
            state: TransferState::Proposed,
        };
        self.check_basis(&mut faults, by, &transfer);
        faults.verdict()?;
        self.lock(&transfer.addresses, Act::Transfer(id), expires);
        self.transfers.insert(id, transfer);
        Ok(())
    }

    /// A contract or an invoice by which the assignor owes the assignee that much in that currency.
    fn check_basis(&self, faults: &mut Faults, by: PartyId, transfer: &Transfer) {
        let pair = (transfer.to, transfer.from, transfer.currency);
        let face = face(&transfer.addresses);
        match transfer.basis {
            Basis::Contract(id) => match self.contract(by, id) {
                Ok(contract) => {
                    let owed = (contract.supplier, contract.debtor, contract.currency) == pair;
                    faults.unless(owed, "transfer.basis");
                    let active = contract.state == ContractState::Active;
                    faults.unless(active, "contract.not_active");
                    faults.unless(self.fits_value(id, face), "contract.value");
                }
                Err(unknown) => faults.take(Err(unknown)),
            },
            Basis::Invoice(id) => match self.invoice(by, id) {
                Ok(invoice) => {
                    let owed = (invoice.supplier, invoice.debtor, invoice.currency) == pair;
                    faults.unless(owed, "transfer.basis");
                    faults.unless(!invoice.void, "invoice.void");
                    faults.unless(face <= self.room(id), "invoice.consumed");
                }
                Err(unknown) => faults.take(Err(unknown)),
            },
        }
    }

    /// It waits for an answer.
    fn pending(&self, by: PartyId, id: TransferId) -> Result<(Transfer, Faults), Vec<Rule>> {
        let transfer = self.transfer(by, id)?.clone();
        let mut faults = Faults::default();
        let waits = transfer.state == TransferState::Proposed;
        faults.unless(waits, "transfer.not_proposed");
        Ok((transfer, faults))
    }

    pub(super) fn transfer_accept(&mut self, by: PartyId, id: TransferId) -> Verdict {
        let (transfer, mut faults) = self.pending(by, id)?;
        faults.unless(by == transfer.to, "transfer.not_assignee");
        faults.take(self.goes_on(by, transfer.at));
        self.check_basis(&mut faults, by, &transfer);
        faults.verdict()?;
        let hop = Hop {
            by: Act::Transfer(id),
            from: transfer.from,
            to: transfer.to,
            recourse: transfer.recourse,
        };
        self.change_fens(&transfer.addresses, |fen| {
            fen.holder = transfer.to;
            fen.hops.push(hop.clone());
            fen.lock = None;
        });
        self.transfers.get_mut(&id).unwrap().state = TransferState::Accepted;
        self.absorb_again();
        Ok(())
    }

    pub(super) fn transfer_decline(&mut self, by: PartyId, id: TransferId) -> Verdict {
        let (transfer, mut faults) = self.pending(by, id)?;
        faults.unless(by == transfer.to, "transfer.not_assignee");
        faults.verdict()?;
        self.end_transfer(id, &transfer, TransferState::Declined);
        Ok(())
    }

    pub(super) fn transfer_cancel(&mut self, by: PartyId, id: TransferId) -> Verdict {
        let (transfer, mut faults) = self.pending(by, id)?;
        faults.unless(by == transfer.from, "transfer.not_assignor");
        faults.verdict()?;
        self.end_transfer(id, &transfer, TransferState::Cancelled);
        Ok(())
    }

    fn end_transfer(&mut self, id: TransferId, transfer: &Transfer, state: TransferState) {
        self.unlock(&transfer.addresses, Act::Transfer(id));
        self.transfers.get_mut(&id).unwrap().state = state;
    }
}
