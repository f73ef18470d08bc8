//! What holders do with their own fens without passing them on.

use counterfoil::domain::objects::Recourse;
use counterfoil::domain::ops::claim::extend::Extend;
use counterfoil::domain::ops::claim::waive::Waive;
use counterfoil::domain::values::PartyId;

use super::super::book::Book;
use super::super::fen::{FenState, addresses};
use super::fens::Named;
use super::{Faults, Verdict, number};

impl Book {
    pub(super) fn claim_waive(&mut self, by: PartyId, body: &Waive) -> Verdict {
        let addresses = addresses(&body.addresses);
        let mut faults = Faults::default();
        let (_, named) = self.own_free(&mut faults, by, &addresses, None);
        faults.take(one_debtor(named.as_ref()));
        faults.verdict()?;
        self.change_fens(&addresses, |fen| fen.state = FenState::Waived);
        Ok(())
    }

    pub(super) fn claim_extend(&mut self, by: PartyId, body: &Extend) -> Verdict {
        let addresses = addresses(&body.addresses);
        let mut faults = Faults::default();
        let (known, named) = self.own_free(&mut faults, by, &addresses, None);
        faults.take(one_debtor(named.as_ref()));
        let (asked, reasoned) = (number(body.due), body.term_reason.is_some());
        let mut due = asked;
        for address in &known {
            let numbers = self.numbers_of(&self.receivables[&address.receivable]);
            due = numbers.calendar.roll(asked);
            faults.unless(address.hi - address.lo >= numbers.unit, "claim.unit");
            for fen in self.fens(&[*address]) {
                faults.unless(self.today() <= fen.due, "claim.overdue");
                faults.unless(fen.due < due, "claim.not_later");
                let answers = |at: usize, recourse: Recourse| match recourse {
                    Recourse::None => false,
                    Recourse::Last => at + 1 == fen.hops.len(),
                    Recourse::Chain => true,
                };
                let mut hops = fen.hops.iter().enumerate();
                let answered = hops.any(|(at, hop)| answers(at, hop.recourse));
                faults.unless(!answered, "claim.recourse");
            }
            let receivable = &self.receivables[&address.receivable];
            let confirmed = receivable.confirmed;
            if by == receivable.supplier {
                self.check_beyond(&mut faults, receivable, confirmed, asked, reasoned);
            }
            self.check_voucher(&mut faults, confirmed, asked, reasoned);
        }
        faults.verdict()?;
        self.change_fens(&addresses, |fen| fen.due = due);
        Ok(())
    }
}

fn one_debtor(named: Option<&Named>) -> Verdict {
    let debtors = named.map_or(&[][..], |named| &named.debtors);
    let mut faults = Faults::default();
    let one = debtors.windows(2).all(|pair| pair[0] == pair[1]);
    faults.unless(one, "claim.mixed");
    faults.verdict()
}
