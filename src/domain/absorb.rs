//! What a credit note takes of an invoice, and what comes free again: an invoice's use is kept in step here.
//!
//! A credit is an outside fact. It is absorbed by (a) the unconsumed amount; (b) unconfirmed shares, disputed before
//! registered; (c) the supplier's own open fens; (d) the rest is open dilution, absorbed again whenever (a)–(c) come
//! free, ended with the receivable's last open fen.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::fens::fens;
use super::objects::{
    Contract, Disposition, EndReason, FenState, Invoice, Receivable, ReceivableKey, Run, Share,
    Stage,
};
use super::values::{ContractId, Fen, InvoiceId, ReceivableId};

/// Absorbs what credits took of the invoice, as far as something is free to take it. It judges all of it afresh, so
/// it is called where a credit is recorded and again wherever something of the invoice has come free.
pub fn absorb(draft: &mut Draft<'_>, invoice: InvoiceId) {
    let credited = draft.get::<Invoice>(invoice);
    if credited.overconsumed().is_zero() && credited.diluted.is_zero() {
        return;
    }
    let receivables = newest_first(draft, invoice);
    let open = |id: &ReceivableId| draft.get::<Receivable>(*id).has_open_fens();
    let (open, ended): (Vec<_>, Vec<_>) = receivables.iter().copied().partition(open);
    let ended = Fen::sum(ended.iter().map(|id| share(draft, *id, invoice).diluted))
        .expect("the shares' dilution is part of the invoice's");
    let credited = draft.get::<Invoice>(invoice);
    if credited.overconsumed().is_zero() && credited.diluted <= ended {
        return;
    }
    // (a): what is unconsumed takes its part as soon as the dilution no longer stands in for it.
    draft.edit::<Invoice>(invoice).diluted = ended;
    for id in &open {
        draft.edit_share(*id, invoice).diluted = Fen::ZERO;
    }
    for id in &receivables {
        let amount = share(draft, *id, invoice)
            .disputed
            .min(over(draft, invoice));
        draft.release_disputed(*id, invoice, amount);
    }
    for id in &receivables {
        let amount = share(draft, *id, invoice)
            .confirmable()
            .min(over(draft, invoice));
        draft.release_undisputed(*id, invoice, amount);
    }
    for lock in [Locked::No, Locked::Yes] {
        cancel(draft, invoice, &open, lock);
    }
    dilute(draft, invoice, &open);
}

/// Absorbs again on every invoice of the receivables that the operation has written: for whoever ends a lock, hands
/// fens back to their supplier or opens them again.
pub fn absorb_again(draft: &mut Draft<'_>) {
    let shares = draft
        .written::<Receivable>()
        .flat_map(|written| &written.shares);
    let invoices: BTreeSet<InvoiceId> = shares.map(|share| share.invoice).collect();
    for invoice in invoices {
        absorb(draft, invoice);
    }
}

/// The receivables that claim something of the invoice; at most 64, which `receivable.register` sees to.
fn newest_first(draft: &Draft<'_>, invoice: InvoiceId) -> Vec<ReceivableId> {
    let key = ReceivableKey::Invoice(invoice);
    let mut claiming: Vec<&Receivable> = draft
        .head
        .state
        .receivables
        .by(&key)
        .map(|receivable| draft.get::<Receivable>(receivable.id))
        .filter(|receivable| receivable.stands())
        .collect();
    claiming.sort_unstable_by_key(|receivable| (receivable.at, receivable.id));
    claiming
        .iter()
        .rev()
        .map(|receivable| receivable.id)
        .collect()
}

fn share<'d>(draft: &'d Draft<'_>, id: ReceivableId, invoice: InvoiceId) -> &'d Share {
    let share = draft.get::<Receivable>(id).share(invoice);
    share.expect("the index goes by the shares")
}

/// What is still to be absorbed.
fn over(draft: &Draft<'_>, invoice: InvoiceId) -> Fen {
    draft.get::<Invoice>(invoice).overconsumed()
}

/// `a − b`, where what is taken away was added before.
pub(super) fn less(a: Fen, b: Fen) -> Fen {
    a.checked_sub(b)
        .expect("what is taken away was added before")
}

/// Which of the supplier's fens a pass takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locked {
    No,
    Yes,
}

/// (c): the supplier's own open fens without announced disbursement, newest receivable first, highest address first,
/// per receivable at most that invoice's share → cancelled and no longer consumed; locks on them end (`changed`).
fn cancel(draft: &mut Draft<'_>, invoice: InvoiceId, open: &[ReceivableId], locked: Locked) {
    let op = draft.head.op;
    let mut ended = BTreeSet::new();
    for id in open {
        let share = share(draft, *id, invoice);
        let most = less(share.confirmed, share.cancelled).min(over(draft, invoice));
        let free = free_runs(draft, *id, locked);
        let Some((from, count)) = highest(&free, most) else {
            continue;
        };
        let taken = || free.iter().filter(|run| run.hi > from);
        let parts: Vec<(u64, u64)> = taken().map(|run| (run.lo.max(from), run.hi)).collect();
        draft
            .change_fens(*id, &parts, |run| {
                run.state = FenState::Cancelled(op, EndReason::Diluted);
                run.lock = None;
            })
            .expect("fens that end add nothing to what is outstanding");
        ended.extend(taken().filter_map(|run| run.lock.map(|lock| lock.by)));
        let contract = draft.get::<Receivable>(*id).contract;
        let share = draft.edit_share(*id, invoice);
        share.cancelled = share
            .cancelled
            .checked_add(count)
            .expect("no more is cancelled than was confirmed");
        draft.give_back(contract, invoice, count);
    }
    for disposition in ended {
        draft.end_as_changed(disposition);
    }
}

/// The runs that a pass may take, in order of address, as they read now.
fn free_runs(draft: &Draft<'_>, id: ReceivableId, locked: Locked) -> Vec<Run> {
    let receivable = draft.get::<Receivable>(id);
    let takes = |run: &&Run| match run.lock.map(|lock| lock.by) {
        None => locked == Locked::No,
        Some(Disposition::Financing(id)) => locked == Locked::Yes && draft.waits_for_a_leg(id),
        Some(_) => locked == Locked::Yes,
    };
    let runs = receivable.runs().map(|runs| runs.at(draft.head.time));
    let all = runs.iter().flat_map(|runs| runs.iter());
    all.filter(|run| run.open_of(receivable.supplier))
        .filter(takes)
        .cloned()
        .collect()
}

/// The address from which on these runs hold `most` fens, or all where they hold fewer, and how many that is.
fn highest(free: &[Run], most: Fen) -> Option<(u64, Fen)> {
    let mut left = most.get().unsigned_abs();
    let mut from = None;
    for run in free.iter().rev() {
        if left == 0 {
            break;
        }
        let take = run.len().min(left);
        from = Some(run.hi - take);
        left -= take;
    }
    from.map(|from| (from, less(most, fens(left))))
}

/// (d): newest receivable first, per receivable at most the share still live. What no receivable with an open fen can
/// bear is dilution of the invoice alone.
fn dilute(draft: &mut Draft<'_>, invoice: InvoiceId, open: &[ReceivableId]) {
    let rest = over(draft, invoice);
    let mut left = rest;
    for id in open {
        let share = draft.edit_share(*id, invoice);
        share.diluted = less(share.confirmed, share.cancelled).min(left);
        left = less(left, share.diluted);
    }
    let invoice = draft.edit::<Invoice>(invoice);
    let diluted = invoice.diluted.checked_add(rest);
    invoice.diluted = diluted.expect("no more is diluted than is consumed");
}

impl Draft<'_> {
    /// The receivable's share of an invoice, to be changed.
    pub(super) fn edit_share(&mut self, id: ReceivableId, invoice: InvoiceId) -> &mut Share {
        let shares = &mut self.edit::<Receivable>(id).shares;
        let share = shares.iter_mut().find(|share| share.invoice == invoice);
        share.expect("the share was found before")
    }

    /// Releases a part of a share that waits for the debtor and is not disputed.
    pub(super) fn release_undisputed(&mut self, id: ReceivableId, invoice: InvoiceId, amount: Fen) {
        if amount.is_zero() {
            return;
        }
        let share = self.edit_share(id, invoice);
        share.registered = less(share.registered, amount);
        let contract = self.get::<Receivable>(id).contract;
        self.give_back(contract, invoice, amount);
    }

    /// Releases a disputed part of a share, oldest dispute first.
    pub(super) fn release_disputed(&mut self, id: ReceivableId, invoice: InvoiceId, amount: Fen) {
        if amount.is_zero() {
            return;
        }
        self.edit::<Receivable>(id).lower_dispute(invoice, amount);
        self.release_undisputed(id, invoice, amount);
    }

    /// Ends a receivable as a whole, declined or withdrawn: everything it claimed is free again.
    pub(super) fn end_receivable(&mut self, id: ReceivableId, stage: Stage) {
        let before = self.get::<Receivable>(id).clone();
        for share in &before.shares {
            let ended = self.edit_share(id, share.invoice);
            ended.registered = Fen::ZERO;
            ended.disputed = Fen::ZERO;
            ended.cancelled = ended.confirmed;
            ended.diluted = Fen::ZERO;
            let invoice = self.edit::<Invoice>(share.invoice);
            invoice.diluted = less(invoice.diluted, share.diluted);
            self.give_back(before.contract, share.invoice, share.consumed());
        }
        let receivable = self.edit::<Receivable>(id);
        receivable.disputes.clear();
        receivable.stage = stage;
        for share in &before.shares {
            absorb(self, share.invoice);
        }
    }

    /// What a receivable no longer claims of an invoice is free again, on the invoice and on the contract.
    fn give_back(&mut self, contract: ContractId, invoice: InvoiceId, amount: Fen) {
        let invoice = self.edit::<Invoice>(invoice);
        invoice.consumed = less(invoice.consumed, amount);
        let contract = self.edit::<Contract>(contract);
        contract.registered = less(contract.registered, amount);
    }
}

#[cfg(test)]
mod tests;
