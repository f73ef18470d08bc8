//! Between every two parties, what each has earned of the other and not been paid is what stands owed between them:
//! no sequence of payments, returns and repairs makes money or loses it (domain invariant 4, over all legs at once).

use std::collections::BTreeMap;

use crate::domain::objects::{
    Attested, Disposition, FenState, Financing, LegState, ObligationKind, Receivable,
};
use crate::domain::price;
use crate::domain::state::State;
use crate::domain::values::{Fen, PartyId};

/// What the second party is to have of the first, less what the first is to have of the second.
#[derive(Default)]
struct Net(BTreeMap<(PartyId, PartyId), i128>);

impl Net {
    fn add(&mut self, from: PartyId, to: PartyId, amount: i128) {
        let (pair, amount) = if from < to {
            ((from, to), amount)
        } else {
            ((to, from), -amount)
        };
        *self.0.entry(pair).or_default() += amount;
    }
}

/// What does not hold of the whole state.
pub(super) fn of_state(state: &State) -> Vec<String> {
    let mut net = Net::default();
    earned_by_fens(state, &mut net);
    earned_by_sales(state, &mut net);
    for owed in state.obligations.iter() {
        let kinds = [ObligationKind::LateInterest, ObligationKind::Fee];
        // The other kinds settle a difference; these are earned.
        if kinds.contains(&owed.kind) && owed.ended.is_none() {
            net.add(owed.from, owed.to, units(owed.amount));
        }
        net.add(owed.from, owed.to, -units(owed.outstanding()));
        // What was waived is a gift, until the obligation itself is undone.
        if owed.ended.is_none() {
            net.add(owed.from, owed.to, -units(owed.waived));
        }
    }
    for leg in state.legs.iter() {
        if let LegState::Attested(done) = &leg.state {
            net.add(leg.payer, leg.payee, -units(done.booked));
        }
    }
    let apart = net.0.into_iter().filter(|(_, rest)| *rest != 0);
    apart
        .map(|((one, other), rest)| {
            format!("{rest} between {one} and {other} is not accounted for")
        })
        .collect()
}

fn units(amount: Fen) -> i128 {
    amount.get().into()
}

/// Settled fens were their holder's to have of the debtor.
fn earned_by_fens(state: &State, net: &mut Net) {
    for receivable in state.receivables.iter() {
        let runs = receivable.runs().into_iter().flat_map(|runs| runs.iter());
        for run in runs.filter(|run| matches!(run.state, FenState::Settled(_))) {
            net.add(receivable.debtor, run.holder, run.len().into());
        }
    }
}

/// The price of a sale that stands was its requester's to have of the lender.
fn earned_by_sales(state: &State, net: &mut Net) {
    for leg in state.legs.iter() {
        let (LegState::Attested(done) | LegState::Reversed { attested: done, .. }) = &leg.state
        else {
            continue;
        };
        let sold = done.funded.and_then(|id| state.financings.get(id));
        if let Some(sold) = sold.filter(|sold| stands(state, sold)) {
            net.add(sold.lender, sold.requester, price_of(sold, done));
        }
    }
}

/// Whether its hop is still on its fens: a returned disbursement that could be undone took it off them.
fn stands(state: &State, financing: &Financing) -> bool {
    let by = Disposition::Financing(financing.id);
    financing.addresses.iter().any(|address| {
        let receivable = state.receivables.get(address.receivable);
        let runs = receivable.and_then(Receivable::runs);
        runs.is_some_and(|runs| {
            let mut named = runs.within(address.lo, address.hi);
            named.any(|run| run.hops.iter().any(|hop| hop.by == by))
        })
    })
}

fn price_of(sold: &Financing, done: &Attested) -> i128 {
    let price = price::amount(sold.face, &sold.terms, sold.due, done.value_date);
    price.map_or(0, |price| units(price.amount.result))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Discharge, Leg, Obligation};
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{HOSPITAL, LENDER, SUPPLIER, fen};

    /// A sale, and a payment of the rest that was too much: a refund is owed.
    fn traded() -> State {
        let (mut world, receivable) = banked();
        let financing = world.financing(fens_of(receivable, 0, 12_000_000));
        let pays = [Discharge::Financing(financing)];
        world.paid(LENDER, SUPPLIER, "119072.00", &pays);
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "30100.00", &pays);
        world.state
    }

    #[rstest]
    #[case::right(|_: &mut State| (), 0)]
    #[case::a_refund_forgotten(
        |state: &mut State| {
            let mut owed = state.obligations.iter().next().expect("the refund").clone();
            owed.amount = fen("99.99");
            put::<Obligation>(state, owed);
        },
        1
    )]
    #[case::a_booking_counted_twice(
        |state: &mut State| {
            for mut leg in state.legs.iter().cloned().collect::<Vec<_>>() {
                if let LegState::Attested(done) = &mut leg.state {
                    done.booked = done.booked.checked_add(done.booked).expect("twice");
                }
                put::<Leg>(state, leg);
            }
        },
        2
    )]
    fn every_fen_between_two_parties_is_accounted_for(
        #[case] spoil: fn(&mut State),
        #[case] pairs: usize,
    ) {
        let mut state = traded();
        spoil(&mut state);
        assert_eq!(of_state(&state).len(), pairs, "{:?}", of_state(&state));
    }

    fn put<T: crate::domain::state::Stored>(state: &mut State, object: T) {
        let mut effects = crate::domain::state::Effects::default();
        T::changed_mut(&mut effects).insert(object.id(), Box::new(object));
        state.apply(effects);
    }
}
