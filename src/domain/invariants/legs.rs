//! Money is neither made nor lost in a leg (domain invariant 4).

use super::pending::View;
use crate::domain::fens::fens;
use crate::domain::objects::{
    Attested, FenState, Financing, FinancingState, Leg, LegState, Obligation, ObligationKind,
    Purpose, Receivable,
};
use crate::domain::state::{Effects, State};
use crate::domain::values::{Fen, ReceivableId};

/// What does not hold of the whole state.
pub(super) fn of_state(state: &State) -> Vec<String> {
    let view = View {
        state,
        effects: None,
    };
    let legs = state.legs.iter();
    legs.flat_map(|leg| view.leg(leg)).collect()
}

/// What would not hold of the legs that the effects touch.
pub(super) fn of_effects(state: &State, effects: &Effects) -> Vec<String> {
    let view = View {
        state,
        effects: Some(effects),
    };
    let legs = effects.legs.values();
    legs.flat_map(|leg| view.leg(leg)).collect()
}

impl View<'_> {
    fn leg(&self, leg: &Leg) -> Vec<String> {
        let LegState::Attested(done) = &leg.state else {
            return Vec::new();
        };
        let adds_up = match leg.purpose {
            Purpose::Payment => self.payment_adds_up(done),
            Purpose::Disbursement => self.disbursement_adds_up(done),
        };
        let settled = done.settled.iter();
        let wrong = settled.filter(|(id, amount)| self.settled_by(leg, *id) != *amount);
        let mut broken: Vec<String> = wrong
            .map(|(id, amount)| format!("{} settled not {amount:?} of {id}", leg.id))
            .collect();
        if !adds_up {
            broken.push(format!("what {} booked is not what it did", leg.id));
        }
        broken
    }

    /// Every attested payment leg: booked = settled + discharged + refund owed.
    fn payment_adds_up(&self, done: &Attested) -> bool {
        let settled = done.settled.iter().map(|(_, amount)| *amount);
        let discharged = done.discharged.iter().map(|(_, amount)| *amount);
        let refund = self.made(done, ObligationKind::Refund);
        Fen::sum(settled.chain(discharged).chain([refund])) == Some(done.booked)
    }

    /// Every disbursement: booked + rebate = price + refund owed, or the whole is owed back.
    fn disbursement_adds_up(&self, done: &Attested) -> bool {
        let refund = self.made(done, ObligationKind::Refund);
        let Some(id) = done.funded else {
            return refund == done.booked;
        };
        let financing = self.find::<Financing>(id);
        let Some(FinancingState::Funded(funding)) = financing.map(|one| &one.state) else {
            return false;
        };
        let rebate = self.made(done, ObligationKind::Rebate);
        let paid = done.booked.checked_add(rebate);
        paid.is_some() && paid == funding.price.checked_add(refund)
    }

    /// The obligations of a kind that the attestation made.
    fn made(&self, done: &Attested, kind: ObligationKind) -> Fen {
        let made = done
            .made
            .iter()
            .filter_map(|id| self.find::<Obligation>(*id));
        let amounts = made
            .filter(|owed| owed.kind == kind)
            .map(|owed| owed.amount);
        Fen::sum(amounts).unwrap_or(Fen::MAX)
    }

    /// How many fens of the receivable read as settled by the leg.
    fn settled_by(&self, leg: &Leg, id: ReceivableId) -> Fen {
        let runs = self.find::<Receivable>(id).and_then(Receivable::runs);
        let runs = runs.into_iter().flat_map(|runs| runs.iter());
        let settled = runs.filter(|run| run.state == FenState::Settled(leg.id));
        fens(settled.map(|run| run.len()).sum())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::Discharge;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{HOSPITAL, LENDER, SUPPLIER, fen};
    use crate::domain::values::LegId;

    type Spoil = fn(&mut Attested);

    /// The state with one thing of an attested leg told wrong.
    fn broken(mut state: State, leg: LegId, spoil: Spoil) -> Vec<String> {
        let mut leg = state.legs.get(leg).expect("the test made it").clone();
        if let LegState::Attested(done) = &mut leg.state {
            spoil(done);
        }
        let mut effects = Effects::default();
        effects.legs.insert(leg.id, Box::new(leg));
        let told = of_effects(&state, &effects);
        state.apply(effects);
        assert_eq!(of_state(&state), told);
        told
    }

    #[rstest]
    #[case::right(|_: &mut Attested| (), true)]
    #[case::booked_more(|done: &mut Attested| done.booked = fen("150101.00"), false)]
    #[case::settled_less(|done: &mut Attested| done.settled[0].1 = fen("149999.99"), false)]
    #[case::settled_nothing(|done: &mut Attested| done.settled.clear(), false)]
    #[case::no_refund(|done: &mut Attested| done.made.clear(), false)]
    fn a_payment_is_all_of_what_it_did(#[case] spoil: Spoil, #[case] holds: bool) {
        let (mut world, receivable) = banked();
        let pays = [Discharge::Receivable(receivable)];
        let leg = world.paid(HOSPITAL, SUPPLIER, "150100.00", &pays);
        assert_eq!(broken(world.state, leg, spoil).is_empty(), holds);
    }

    #[rstest]
    #[case::right(|_: &mut Attested| (), true)]
    #[case::booked_more(|done: &mut Attested| done.booked = fen("119072.01"), false)]
    #[case::funded_nothing(|done: &mut Attested| done.funded = None, false)]
    fn a_disbursement_is_the_price(#[case] spoil: Spoil, #[case] holds: bool) {
        let (mut world, receivable) = banked();
        let financing = world.financing(fens_of(receivable, 0, 12_000_000));
        let pays = [Discharge::Financing(financing)];
        let leg = world.paid(LENDER, SUPPLIER, "119072.00", &pays);
        assert_eq!(broken(world.state, leg, spoil).is_empty(), holds);
    }
}
