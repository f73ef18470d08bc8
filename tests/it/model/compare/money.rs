//! Legs and obligations, and that no leg makes or loses money.

use counterfoil::domain::objects::{self, Obligation};

use super::super::book::{FinancingState, Leg, LegState};
use super::super::days::Sum;
use super::super::fen::FenState;
use super::{Comparison, Same, each, same};

impl Comparison<'_> {
    pub(super) fn money(&self) -> Same {
        let (state, book) = (self.state, self.book);
        each(&state.legs, &book.legs, |one, record| {
            same(one.id, "state", self.leg(one), record.state)?;
            same(one.id, "lapses", one.lapses.millis(), record.lapses)?;
            same(one.id, "contested", one.contested, record.contested)?;
            self.conserved(record)
        })?;
        each(&state.obligations, &book.obligations, |one, record| {
            let says = (
                one.from,
                one.to,
                one.kind,
                one.amount.get(),
                one.discharged.get(),
                one.waived.get(),
            );
            let knows = (
                record.from,
                record.to,
                record.kind,
                record.amount,
                record.discharged,
                record.waived,
            );
            same(
                one.id,
                "from, to, kind, amount, discharged, waived",
                says,
                knows,
            )?;
            let says = (
                one.ended.is_some(),
                i64::from(one.due.number()),
                one.cause.leg,
            );
            same(
                one.id,
                "ended, due, leg",
                says,
                (record.ended, record.due, record.leg),
            )?;
            let outstanding = Obligation::outstanding(one).get();
            same(one.id, "outstanding", outstanding, record.outstanding())
        })
    }

    fn leg(&self, leg: &objects::Leg) -> LegState {
        match leg.state {
            objects::LegState::Announced if leg.lapses <= self.now => LegState::Lapsed,
            objects::LegState::Announced => LegState::Announced,
            objects::LegState::Attested(_) => LegState::Attested,
            objects::LegState::Reversed { .. } => LegState::Reversed,
        }
    }

    /// Of each attested leg: what was booked is settled, discharged, or owed back; what was not whole is owed back
    /// whole. A model that lost money would agree with a crate that did.
    fn conserved(&self, leg: &Leg) -> Same {
        if leg.state != LegState::Attested {
            return Ok(());
        }
        use objects::ObligationKind::{Rebate, Refund};
        let made = |kind| -> Sum {
            let made = leg.made.iter().map(|id| &self.book.obligations[id]);
            made.filter(|one| one.kind == kind)
                .map(|one| one.amount)
                .sum()
        };
        let id = self
            .book
            .legs
            .iter()
            .find(|(_, one)| std::ptr::eq(*one, leg))
            .map(|(id, _)| *id);
        let fens = self.book.receivables.values().flat_map(|one| &one.fens);
        let settled = fens.filter(|fen| id.is_some_and(|id| fen.state == FenState::Settled(id)));
        let discharged: Sum = leg.discharged.iter().map(|(_, amount)| amount).sum();
        let price = match leg.funded.map(|id| self.book.financings[&id].state) {
            Some(FinancingState::Funded { price, .. }) => price,
            _ => 0,
        };
        let did = settled.count() as Sum + discharged + price - made(Rebate) + made(Refund);
        same(id, "booked and done", leg.booked, did)
    }
}
