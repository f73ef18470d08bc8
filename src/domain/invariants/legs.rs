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
