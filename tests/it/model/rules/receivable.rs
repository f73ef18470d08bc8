//! Receivables, up to their fens.

use counterfoil::domain::ops::receivable::Item;
use counterfoil::domain::ops::receivable::confirm::Confirm;
use counterfoil::domain::ops::receivable::dispute::Dispute;
use counterfoil::domain::ops::receivable::register::Register;
use counterfoil::domain::ops::receivable::resolve::{Outcome, Resolve};
use counterfoil::domain::values::{Amount, InvoiceId, PartyId, ReceivableId, Scope};

use super::super::book::{
    Acceptance, Book, Contract, ContractState, LegState, Receivable, Share, Stage,
};
use super::super::days::{Day, Sum, plus_months};
use super::super::fen::{Fen, FenState};
use super::{Faults, Rule, Verdict, number, seen};

impl Book {
    /// Seen by its supplier, its debtor, and whoever holds or once held one of its fens.
    pub(super) fn receivable(
        &self,
        by: PartyId,
        id: ReceivableId,
    ) -> Result<&Receivable, Vec<Rule>> {
        let audits = self.has_scope(by, Scope::Audit);
        let held = |fen: &Fen| fen.holder == by || fen.hops.iter().any(|hop| hop.from == by);
        let receivable = self.receivables.get(&id).filter(|one| {
            audits || one.supplier == by || one.debtor == by || one.fens.iter().any(held)
        });
        seen(receivable)
    }

    /// What is registered under a contract and not released, and what accepted transfers pay of it.
    pub(in super::super) fn registered_under(
        &self,
        id: counterfoil::domain::values::ContractId,
    ) -> Sum {
        let receivables = self.receivables.values().filter(|one| one.contract == id);
        let shares = receivables.flat_map(|one| &one.shares);
        let used: Sum = shares
            .map(|share| share.registered + share.confirmed - share.cancelled)
            .sum();
        used + self.paid_by_transfer(counterfoil::domain::objects::Basis::Contract(id))
    }

    pub(super) fn fits_value(
        &self,
        id: counterfoil::domain::values::ContractId,
        more: Sum,
    ) -> bool {
        let value = self.contracts[&id].terms.value;
        value.is_none_or(|value| self.registered_under(id) + more <= value)
    }

    pub(super) fn receivable_register(
        &mut self,
        by: PartyId,
        body: &Register,
        id: ReceivableId,
    ) -> Verdict {
        let contract: Contract = self.contract(by, body.contract)?.clone();
        let mut faults = Faults::default();
        faults.unless(
            contract.state == ContractState::Active,
            "contract.not_active",
        );
        faults.unless(by == contract.supplier, "receivable.not_supplier");
        faults.unless(
            contract.terms.ends.is_none_or(|ends| self.today() <= ends),
            "contract.ended",
        );
        faults.take(self.takes_obligations(by));
        faults.take(self.takes_obligations(contract.debtor));
        check_items(&mut faults, body.shares.iter().map(|item| item.invoice));
        let mut shares = Vec::new();
        for item in &body.shares {
            let Ok(invoice) = self.invoice(by, item.invoice) else {
                faults.unless(false, "unknown_object");
                continue;
            };
            faults.unless(invoice.contract == body.contract, "invoice.contract");
            let registered = self.read_positive(&mut faults, &item.amount, contract.currency);
            faults.unless(!invoice.void, "invoice.void");
            faults.unless(invoice.flag.is_none(), "invoice.flagged");
            faults.unless(registered <= self.room(item.invoice), "invoice.consumed");
            shares.push(Share {
                invoice: item.invoice,
                registered,
                disputed: 0,
                confirmed: 0,
                cancelled: 0,
                diluted: 0,
            });
        }
        let total = shares.iter().map(|share| share.registered).sum();
        faults.unless(self.fits_value(body.contract, total), "contract.value");
        faults.verdict()?;
        let receivable = Receivable {
            contract: body.contract,
            supplier: contract.supplier,
            debtor: contract.debtor,
            currency: contract.currency,
            terms: contract.terms,
            at: self.now,
            shares,
            stage: Stage::Registered,
            due: 0,
            confirmed: 0,
            fens: Vec::new(),
        };
        self.receivables.insert(id, receivable);
        Ok(())
    }

    pub(super) fn receivable_confirm(&mut self, by: PartyId, body: &Confirm) -> Verdict {
        let receivable = self.receivable(by, body.receivable)?.clone();
        let (today, due) = (self.today(), number(body.due));
        let mut faults = waits_for(by, &receivable);
        faults.take(self.takes_obligations(by));
        check_items(&mut faults, body.shares.iter().map(|item| item.invoice));
        for item in &body.shares {
            self.check_confirmable(&mut faults, &receivable, item);
        }
        let defences = &body.defences;
        let kinds: Vec<_> = defences
            .reserved
            .iter()
            .map(|reserved| reserved.kind)
            .collect();
        let ordered = defences.waived.windows(2).all(|pair| pair[0] < pair[1])
            && kinds.windows(2).all(|pair| pair[0] < pair[1])
            && !kinds.iter().any(|kind| defences.waived.contains(kind));
        faults.unless(ordered, "receivable.defences");
        for cap in defences.reserved.iter().filter_map(|reserved| reserved.cap) {
            self.read_positive(&mut faults, &cap, receivable.currency);
        }
        faults.unless(
            self.contracts[&receivable.contract].terms.vouchers,
            "sme.voucher",
        );
        faults.unless(today <= due, "receivable.due_past");
        let agreed = self.signed.contains(&receivable.supplier);
        faults.unless(
            agreed || due <= self.payment_day(&receivable),
            "receivable.due",
        );
        let reasoned = body.term_reason.is_some();
        self.check_beyond(&mut faults, &receivable, today, due, reasoned);
        self.check_voucher(&mut faults, today, due, reasoned);
        faults.verdict()?;
        let due = self.numbers_of(&receivable).calendar.roll(due);
        self.make_fens(body, receivable, due);
        Ok(())
    }

    /// Behind the payment day the two agree on a term of its own, since the confirmation or since what the payment
    /// days count from, if that is later.
    pub(super) fn check_beyond(
        &self,
        faults: &mut Faults,
        receivable: &Receivable,
        since: Day,
        due: Day,
        reasoned: bool,
    ) {
        let last = self.payment_day(receivable);
        if due > last {
            let contract = &self.contracts[&receivable.contract];
            let from = since.max(last - receivable.terms.payment_days);
            let (sizes, concluded) = (contract.sizes, contract.concluded);
            self.check_days(faults, sizes, due - from, reasoned, concluded);
        }
    }

    pub(super) fn check_voucher(&self, faults: &mut Faults, since: Day, due: Day, reasoned: bool) {
        let months = match reasoned {
            true => self.numbers_on(since).voucher_months_at_most,
            false => self.numbers_on(since).voucher_months,
        };
        faults.unless(due <= plus_months(since, months), "voucher.term");
    }

    /// `[0, C)` of the supplier; the rest is released, but a live dispute keeps its part.
    fn make_fens(&mut self, body: &Confirm, mut receivable: Receivable, due: Day) {
        for share in &mut receivable.shares {
            let mut items = body
                .shares
                .iter()
                .filter(|item| item.invoice == share.invoice);
            share.confirmed = items.next().map_or(0, |item| item.amount.units());
            share.registered = share.disputed;
        }
        let confirmed: Sum = receivable.shares.iter().map(|share| share.confirmed).sum();
        let fen = Fen {
            state: FenState::Open,
            holder: receivable.supplier,
            hops: Vec::new(),
            due,
            lock: None,
        };
        receivable.fens = vec![fen; usize::try_from(confirmed).unwrap()];
        receivable.stage = Stage::Confirmed;
        receivable.due = due;
        receivable.confirmed = self.today();
        let invoices = receivable.shares.iter().map(|share| share.invoice);
        let invoices: Vec<InvoiceId> = invoices.collect();
        self.receivables.insert(body.receivable, receivable);
        for invoice in invoices {
            self.absorb(invoice);
        }
    }

    /// The earliest of its invoices': the latest acceptance of the deliveries an invoice names, else its issue, and
    /// the payment days of its registration.
    pub(in super::super) fn payment_day(&self, receivable: &Receivable) -> Day {
        let of_invoice =
            |share: &Share| {
                let invoice = &self.invoices[&share.invoice];
                let accepted = invoice.deliveries.iter().filter_map(|id| {
                    match self.deliveries[id].acceptance {
                        Acceptance::Deemed(on) | Acceptance::Accepted(on) => Some(on),
                        Acceptance::Rejected => None,
                    }
                });
                accepted.max().unwrap_or(invoice.issued) + receivable.terms.payment_days
            };
        receivable.shares.iter().map(of_invoice).min().unwrap()
    }

    fn check_confirmable(&self, faults: &mut Faults, receivable: &Receivable, item: &Item) {
        let Some(share) = receivable
            .shares
            .iter()
            .find(|share| share.invoice == item.invoice)
        else {
            faults.unless(false, "receivable.share");
            return;
        };
        let amount = self.read_positive(faults, &item.amount, receivable.currency);
        faults.unless(
            amount <= share.registered - share.disputed,
            "receivable.confirmable",
        );
    }

    pub(super) fn receivable_decline(&mut self, by: PartyId, id: ReceivableId) -> Verdict {
        waits_for(by, self.receivable(by, id)?).verdict()?;
        self.end_receivable(id, Stage::Declined);
        Ok(())
    }

    pub(super) fn receivable_dispute(&mut self, by: PartyId, body: &Dispute) -> Verdict {
        let receivable = self.receivable(by, body.receivable)?;
        let mut faults = waits_for(by, receivable);
        check_items(
            &mut faults,
            body.disputes.iter().map(|disputing| disputing.invoice),
        );
        let item = |invoice: InvoiceId, amount: Amount| Item { invoice, amount };
        for disputing in &body.disputes {
            let item = item(disputing.invoice, disputing.amount);
            self.check_confirmable(&mut faults, receivable, &item);
        }
        faults.verdict()?;
        for disputing in &body.disputes {
            let receivable = self.receivables.get_mut(&body.receivable).unwrap();
            let shares = receivable.shares.iter_mut();
            for share in shares.filter(|share| share.invoice == disputing.invoice) {
                share.disputed += disputing.amount.units();
            }
        }
        Ok(())
    }

    pub(super) fn receivable_resolve(&mut self, by: PartyId, body: &Resolve) -> Verdict {
        let receivable = self.receivable(by, body.receivable)?;
        let released = body.outcome == Outcome::Released;
        let mut faults = Faults::default();
        let between = [receivable.supplier, receivable.debtor].contains(&by);
        faults.unless(between, "receivable.not_party");
        // By the supplier alone it only releases the shares.
        let alone = by == receivable.supplier && released;
        faults.unless(alone || !self.signed.is_empty(), "receivable.agreement");
        let at = receivable
            .shares
            .iter()
            .position(|share| share.invoice == body.invoice);
        faults.unless(at.is_some(), "receivable.share");
        let amount = self.read_positive(&mut faults, &body.amount, receivable.currency);
        let disputed = at.map_or(0, |at| receivable.shares[at].disputed);
        faults.unless(amount <= disputed, "receivable.disputed");
        let registered = receivable.stage == Stage::Registered;
        faults.unless(released || registered, "receivable.not_registered");
        faults.verdict()?;
        let receivable = self.receivables.get_mut(&body.receivable).unwrap();
        let share = &mut receivable.shares[at.unwrap()];
        share.disputed -= amount;
        if released {
            share.registered -= amount;
            self.absorb(body.invoice);
        }
        Ok(())
    }

    pub(super) fn receivable_withdraw(&mut self, by: PartyId, id: ReceivableId) -> Verdict {
        let receivable = self.receivable(by, id)?;
        let mut faults = Faults::default();
        faults.unless(by == receivable.supplier, "receivable.not_supplier");
        faults.unless(receivable.stands(), "receivable.not_registered");
        for fen in &receivable.fens {
            let own = fen.holder == receivable.supplier && fen.hops.is_empty();
            faults.unless(own, "receivable.passed_on");
            faults.unless(fen.state == FenState::Open, "fens.ended");
            faults.unless(fen.lock.is_none(), "fens.locked");
        }
        let pays = counterfoil::domain::objects::Discharge::Receivable(id);
        let paid = self.legs.values().any(|leg| {
            leg.state == LegState::Announced && leg.discharges.contains(&pays) && leg.payee == by
        });
        faults.unless(
            !paid || receivable.stage == Stage::Registered,
            "leg.pending",
        );
        faults.verdict()?;
        self.end_receivable(id, Stage::Withdrawn);
        Ok(())
    }

    /// Everything it claimed is free again.
    fn end_receivable(&mut self, id: ReceivableId, stage: Stage) {
        let receivable = self.receivables.get_mut(&id).unwrap();
        receivable.stage = stage;
        receivable.fens.clear();
        for share in &mut receivable.shares {
            share.registered = 0;
            share.disputed = 0;
            share.cancelled = share.confirmed;
            share.diluted = 0;
        }
        let invoices: Vec<_> = receivable
            .shares
            .iter()
            .map(|share| share.invoice)
            .collect();
        for invoice in invoices {
            self.absorb(invoice);
        }
    }
}

/// It waits for its debtor, who acts.
fn waits_for(by: PartyId, receivable: &Receivable) -> Faults {
    let mut faults = Faults::default();
    faults.unless(by == receivable.debtor, "receivable.not_debtor");
    faults.unless(
        receivable.stage == Stage::Registered,
        "receivable.not_registered",
    );
    faults
}

/// At least one invoice, each named once.
fn check_items(faults: &mut Faults, invoices: impl Iterator<Item = InvoiceId>) {
    let invoices: Vec<_> = invoices.collect();
    faults.unless(!invoices.is_empty(), "receivable.items");
    for (at, invoice) in invoices.iter().enumerate() {
        faults.unless(!invoices[..at].contains(invoice), "receivable.items");
    }
}
