//! What pending dispositions, limits and fens say of each other (domain invariants 2, 5 and 6).

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::objects::{
    Disposition, FenState, Financing, FinancingState, Limit, Lock, OfferState, Receivable, Request,
    RequestState, Run, Transfer, TransferState,
};
use crate::domain::state::{Effects, State, Stored};
use crate::domain::values::{
    Addresses, FinancingId, Instant, LimitId, OfferId, PartyId, ReceivableId, RequestId,
};

/// The state with the effects of an operation laid over it.
pub(super) struct View<'s> {
    pub(super) state: &'s State,
    pub(super) effects: Option<&'s Effects>,
}

/// What does not hold of the whole state.
pub(super) fn of_state(state: &State) -> Vec<String> {
    let view = View {
        state,
        effects: None,
    };
    let receivables = state.receivables.iter();
    let limits = state.limits.iter();
    let mut broken: Vec<String> = receivables.flat_map(|one| view.locks(one)).collect();
    broken.extend(limits.flat_map(|one| view.blocks(one)));
    broken.extend(utilisation(state));
    broken.extend(acceptances(state));
    broken
}

/// What would not hold of the receivables and limits that the effects touch.
pub(super) fn of_effects(state: &State, effects: &Effects) -> Vec<String> {
    let view = View {
        state,
        effects: Some(effects),
    };
    let touched = view.touched_receivables(effects);
    let receivables = touched.into_iter().filter_map(|id| view.find(id));
    let mut broken: Vec<String> = receivables.flat_map(|one| view.locks(one)).collect();
    broken.extend(effects.limits.values().flat_map(|one| view.blocks(one)));
    broken
}

impl<'s> View<'s> {
    pub(super) fn find<T: Stored>(&self, id: T::Id) -> Option<&'s T> {
        let written = self
            .effects
            .and_then(|effects| T::changed(effects).get(&id).map(Box::as_ref));
        written.or_else(|| T::table(self.state).get(id))
    }

    fn touched_receivables(&self, effects: &Effects) -> BTreeSet<ReceivableId> {
        let named = effects
            .transfers
            .values()
            .map(|one| &one.addresses)
            .chain(effects.requests.values().map(|one| &one.addresses))
            .chain(effects.financings.values().map(|one| &one.addresses));
        let named = named.flat_map(|all| all.iter().map(|address| address.receivable));
        named.chain(effects.receivables.keys().copied()).collect()
    }

    /// A lock sits on open fens only, one per fen (by its type), and names one live transfer, request or financing
    /// that names that fen. One that ended by comparison stands until the receivable is next touched.
    fn locks(&self, receivable: &Receivable) -> Vec<String> {
        let runs = receivable.runs().into_iter().flat_map(|runs| runs.iter());
        let locked = runs.filter_map(|run| run.lock.map(|lock| (run, lock)));
        let wrong = locked.filter(|(run, lock)| !self.lock_is_right(receivable.id, run, *lock));
        wrong
            .map(|(run, lock)| {
                format!(
                    "the lock {lock:?} on {}:{}-{} names no pending disposition of these open fens",
                    receivable.id, run.lo, run.hi
                )
            })
            .collect()
    }

    fn lock_is_right(&self, receivable: ReceivableId, run: &Run, lock: Lock) -> bool {
        let pending = self.pending(lock.by);
        run.state == FenState::Open
            && pending.is_some_and(|(by, addresses, ends)| {
                by == run.holder && ends == lock.ends && covers(addresses, receivable, run)
            })
    }

    /// Who disposes of what until when, if the disposition is neither answered nor ended by an operation.
    fn pending(&self, by: Disposition) -> Option<(PartyId, &'s Addresses, Instant)> {
        match by {
            Disposition::Transfer(id) => self
                .find::<Transfer>(id)
                .filter(|one| one.state == TransferState::Proposed)
                .map(|one| (one.from, &one.addresses, one.expires)),
            Disposition::Request(id) => self
                .find::<Request>(id)
                .filter(|one| one.state == RequestState::Open)
                .map(|one| (one.requester, &one.addresses, one.accept_by)),
            Disposition::Financing(id) => {
                let one = self.find::<Financing>(id)?;
                match one.state {
                    FinancingState::Accepted { ends, .. } => {
                        Some((one.requester, &one.addresses, ends))
                    }
                    _ => None,
                }
            }
        }
    }

    /// Blocked equals what the accepted financings say.
    fn blocks(&self, limit: &Limit) -> Vec<String> {
        let wrong = limit.blocks.iter().filter(|(id, block)| {
            let financing = self.find::<Financing>(**id);
            !financing.is_some_and(|one| {
                one.limits.contains(&(limit.id, block.amount))
                    && matches!(one.state, FinancingState::Accepted { ends, .. } if ends == block.ends)
            })
        });
        wrong
            .map(|(id, _)| format!("the block of {id} on {} is not what {id} says", limit.id))
            .collect()
    }
}

/// Whether the addresses, of which two may touch, name every fen of the run.
fn covers(addresses: &Addresses, receivable: ReceivableId, run: &Run) -> bool {
    let own = addresses
        .iter()
        .filter(|address| address.receivable == receivable && address.lo < run.hi);
    let reached = own.fold(run.lo, |reached, address| {
        if address.lo <= reached {
            reached.max(address.hi)
        } else {
            reached
        }
    });
    reached >= run.hi
}

/// Utilised, and each financing's outstanding, equal the open face that the lender bought by it and holds.
fn utilisation(state: &State) -> Vec<String> {
    let mut outstanding: BTreeMap<FinancingId, i64> = BTreeMap::new();
    let mut utilised: BTreeMap<LimitId, i64> = BTreeMap::new();
    for receivable in state.receivables.iter() {
        let runs = receivable.runs().into_iter().flat_map(|runs| runs.iter());
        for run in runs.filter(|run| run.state == FenState::Open) {
            let financing = run.bought_by().and_then(|id| state.financings.get(id));
            let Some(financing) = financing else { continue };
            let len = i64::try_from(run.len()).unwrap_or(i64::MAX);
            *outstanding.entry(financing.id).or_default() += len;
            for (limit, _) in &financing.limits {
                let counts = state.limits.get(*limit).is_some_and(|limit| {
                    limit
                        .supplier
                        .is_none_or(|only| only == receivable.supplier)
                });
                if counts {
                    *utilised.entry(*limit).or_default() += len;
                }
            }
        }
    }
    let financings = state.financings.iter();
    let limits = state.limits.iter();
    let financings = financings
        .filter(|one| outstanding.get(&one.id).copied().unwrap_or(0) != one.outstanding.get())
        .map(|one| format!("{} has not {:?} outstanding", one.id, one.outstanding));
    let limits = limits
        .filter(|one| utilised.get(&one.id).copied().unwrap_or(0) != one.utilised.get())
        .map(|one| format!("{} is not utilised by {:?}", one.id, one.utilised));
    financings.chain(limits).collect()
}

/// At most one accepted offer a request. (At most one accepted financing holds a fen, as it has one lock.)
fn acceptances(state: &State) -> Vec<String> {
    let mut accepted: BTreeMap<RequestId, Vec<OfferId>> = BTreeMap::new();
    for offer in state.offers.iter() {
        if matches!(offer.state, OfferState::Accepted(..)) {
            accepted.entry(offer.request).or_default().push(offer.id);
        }
    }
    let said = |request: &Request| match request.state {
        RequestState::Accepted(offer, _) => vec![offer],
        _ => Vec::new(),
    };
    state
        .requests
        .iter()
        .filter(|request| accepted.get(&request.id).cloned().unwrap_or_default() != said(request))
        .map(|request| format!("{} and its accepted offers differ", request.id))
        .collect()
}
