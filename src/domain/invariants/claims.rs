//! Invariants 1 and 3: fens partition what was confirmed, and nothing is used twice.

use std::collections::BTreeMap;

use crate::domain::objects::{
    Basis, Contract, EndReason, FenState, Invoice, Receivable, Stage, Transfer, TransferState,
};
use crate::domain::state::{Effects, State};
use crate::domain::values::{ContractId, Fen, InvoiceId};

/// What receivables and accepted transfers use, recomputed from them.
#[derive(Default)]
struct Used {
    invoices: BTreeMap<InvoiceId, i128>,
    contracts: BTreeMap<ContractId, i128>,
}

impl Used {
    fn add_receivable(&mut self, receivable: &Receivable, sign: i128) {
        let contract = self.contracts.entry(receivable.contract).or_default();
        for share in &receivable.shares {
            let consumed = sign * i128::from(share.consumed().get());
            *contract += consumed;
            *self.invoices.entry(share.invoice).or_default() += consumed;
        }
    }

    /// Both count the face of accepted transfers of which they are the basis.
    fn add_transfer(&mut self, transfer: &Transfer, sign: i128) {
        if !matches!(transfer.state, TransferState::Accepted(_)) {
            return;
        }
        let used = match transfer.basis {
            Basis::Contract(id) => self.contracts.entry(id).or_default(),
            Basis::Invoice(id) => self.invoices.entry(id).or_default(),
        };
        *used += sign * i128::from(transfer.face.get());
    }
}

/// What does not hold of the whole state.
pub(super) fn of_state(state: &State) -> Vec<String> {
    let mut used = Used::default();
    let mut diluted: BTreeMap<InvoiceId, i128> = BTreeMap::new();
    let mut broken = Vec::new();
    for receivable in state.receivables.iter() {
        used.add_receivable(receivable, 1);
        for share in &receivable.shares {
            *diluted.entry(share.invoice).or_default() += i128::from(share.diluted.get());
        }
        broken.extend(of_receivable(receivable));
    }
    state
        .transfers
        .iter()
        .for_each(|transfer| used.add_transfer(transfer, 1));
    for invoice in state.invoices.iter() {
        let consumed = used.invoices.remove(&invoice.id).unwrap_or_default();
        let of_shares = diluted.remove(&invoice.id).unwrap_or_default();
        if i128::from(invoice.consumed.get()) != consumed {
            broken.push(miscounted(invoice.id, "consumed"));
        }
        if i128::from(invoice.diluted.get()) < of_shares {
            broken.push(miscounted(invoice.id, "diluted"));
        }
        broken.extend(of_invoice(invoice));
    }
    for contract in state.contracts.iter() {
        let registered = used.contracts.remove(&contract.id).unwrap_or_default();
        if i128::from(contract.registered.get()) != registered {
            broken.push(miscounted(contract.id, "registered"));
        }
        broken.extend(of_contract(contract));
    }
    broken
}

/// What would not hold of the objects that the effects touch.
pub(super) fn of_effects(state: &State, effects: &Effects) -> Vec<String> {
    let mut moved = Used::default();
    let mut broken = Vec::new();
    for (id, receivable) in &effects.receivables {
        moved.add_receivable(receivable, 1);
        let before = state.receivables.get(*id);
        before
            .into_iter()
            .for_each(|before| moved.add_receivable(before, -1));
        broken.extend(of_receivable(receivable));
    }
    for (id, transfer) in &effects.transfers {
        moved.add_transfer(transfer, 1);
        let before = state.transfers.get(*id);
        before
            .into_iter()
            .for_each(|before| moved.add_transfer(before, -1));
    }
    for (id, invoice) in &effects.invoices {
        let before = state
            .invoices
            .get(*id)
            .map_or(0, |before| before.consumed.get());
        *moved.invoices.entry(*id).or_default() -= i128::from(invoice.consumed.get() - before);
        broken.extend(of_invoice(invoice));
    }
    for (id, contract) in &effects.contracts {
        let before = state
            .contracts
            .get(*id)
            .map_or(0, |before| before.registered.get());
        *moved.contracts.entry(*id).or_default() -= i128::from(contract.registered.get() - before);
        broken.extend(of_contract(contract));
    }
    let invoices = moved.invoices.iter().filter(|(_, rest)| **rest != 0);
    broken.extend(invoices.map(|(id, _)| miscounted(*id, "consumed")));
    let contracts = moved.contracts.iter().filter(|(_, rest)| **rest != 0);
    broken.extend(contracts.map(|(id, _)| miscounted(*id, "registered")));
    broken
}

fn miscounted(id: impl std::fmt::Display, what: &str) -> String {
    format!("{id}: {what} differs from what receivables and transfers say")
}

/// 1. The runs of a confirmed receivable partition `[0, C)`, and its shares say the same of them.
fn of_receivable(receivable: &Receivable) -> Vec<String> {
    let mut broken = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            broken.push(format!("{}: {what}", receivable.id));
        }
    };
    for share in &receivable.shares {
        let disputes = receivable.disputes.iter();
        let disputes = disputes.filter(|dispute| dispute.invoice == share.invoice);
        let disputed = Fen::sum(disputes.map(|dispute| dispute.amount));
        check(disputed == Some(share.disputed), "disputes do not add up");
        check(
            share.disputed <= share.registered,
            "more is disputed than is registered",
        );
        let live = share.confirmed.checked_sub(share.cancelled);
        check(
            live.is_some_and(|live| share.diluted <= live),
            "more is cancelled and diluted than was confirmed",
        );
    }
    if let Stage::Confirmed(confirmed) = &receivable.stage {
        let face = confirmed.face.get().unsigned_abs();
        check(
            confirmed.runs.partition(face),
            "the runs do not partition its face",
        );
        let shares = Fen::sum(receivable.shares.iter().map(|share| share.confirmed));
        check(
            shares == Some(confirmed.face),
            "the shares do not add up to its face",
        );
        let cancelled = receivable.shares.iter().map(|share| share.cancelled);
        let by_credit = confirmed.runs.iter();
        let by_credit = by_credit
            .filter(|run| matches!(run.state, FenState::Cancelled(_, EndReason::Diluted)))
            .map(|run| run.len());
        let cancelled = Fen::sum(cancelled).map(|sum| sum.get().unsigned_abs());
        check(
            cancelled == Some(by_credit.sum()),
            "the shares miscount what credits cancelled",
        );
    }
    broken
}

/// 3. Σ consumed ≤ payable − credits + Σ dilution not absorbed.
fn of_invoice(invoice: &Invoice) -> Option<String> {
    let over = invoice.overconsumed();
    (!over.is_zero()).then(|| format!("{}: {over} too much is consumed", invoice.id))
}

/// 3. Every contract with a value: Σ registered ≤ value.
fn of_contract(contract: &Contract) -> Option<String> {
    let over = contract
        .terms
        .value
        .is_some_and(|value| contract.registered > value);
    over.then(|| format!("{}: more is registered than it is worth", contract.id))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::{World, fen};
    use crate::domain::values::ReceivableId;

    /// What a wrong change of the objects of a confirmed receivable would be caught as, in effects and in the state.
    fn caught(change: fn(&mut Effects, ReceivableId)) -> [Vec<String>; 2] {
        let mut world = World::new();
        let id = world.confirmed("100.00");
        let receivable = world.receivable(id).clone();
        let invoice = world.get_invoice(receivable.shares[0].invoice).clone();
        let contract = world.get_contract(receivable.contract).clone();
        let mut effects = Effects::default();
        effects.receivables.insert(id, Box::new(receivable));
        effects.invoices.insert(invoice.id, Box::new(invoice));
        effects.contracts.insert(contract.id, Box::new(contract));
        assert_eq!(of_effects(&world.state, &effects), Vec::<String>::new());
        change(&mut effects, id);
        let early = of_effects(&world.state, &effects);
        world.state.apply(effects);
        [early, of_state(&world.state)]
    }

    fn receivable(effects: &mut Effects, id: ReceivableId) -> &mut Receivable {
        effects.receivables.get_mut(&id).unwrap()
    }

    #[rstest]
    #[case::consumed_and_not_claimed(
        |effects: &mut Effects, _| { effects.invoices.iter_mut().for_each(|(_, it)| it.consumed = fen("99.00")); },
        "consumed differs"
    )]
    #[case::registered_and_not_claimed(
        |effects: &mut Effects, _| { effects.contracts.iter_mut().for_each(|(_, it)| it.registered = fen("99.00")); },
        "registered differs"
    )]
    #[case::claimed_and_not_consumed(
        |effects: &mut Effects, id| { receivable(effects, id).shares[0].registered = fen("1.00"); },
        "consumed differs"
    )]
    #[case::consumed_beyond_the_payable(
        |effects: &mut Effects, _| { effects.invoices.iter_mut().for_each(|(_, it)| it.payable = fen("99.00")); },
        "too much is consumed"
    )]
    #[case::registered_beyond_the_value(
        |effects: &mut Effects, _| { effects.contracts.iter_mut().for_each(|(_, it)| it.terms.value = Some(fen("99.00"))); },
        "more is registered than it is worth"
    )]
    #[case::disputed_without_dispute(
        |effects: &mut Effects, id| { receivable(effects, id).shares[0].disputed = fen("1.00"); },
        "disputes do not add up"
    )]
    #[case::a_fen_too_few(
        |effects: &mut Effects, id| {
            if let Stage::Confirmed(confirmed) = &mut receivable(effects, id).stage {
                confirmed.face = fen("99.99");
            }
        },
        "the runs do not partition its face"
    )]
    fn a_wrong_change_is_caught(
        #[case] change: fn(&mut Effects, ReceivableId),
        #[case] sentence: &str,
    ) {
        for broken in caught(change) {
            assert!(
                broken.iter().any(|said| said.contains(sentence)),
                "{broken:?}"
            );
        }
    }
}
