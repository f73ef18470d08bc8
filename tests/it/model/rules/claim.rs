//! What holders do with their own fens without passing them on.

use counterfoil::domain::ops::claim::waive::Waive;
use counterfoil::domain::values::PartyId;

use super::super::book::Book;
use super::super::fen::{FenState, addresses};
use super::fens::Named;
use super::{Faults, Verdict};

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
}

fn one_debtor(named: Option<&Named>) -> Verdict {
    let debtors = named.map_or(&[][..], |named| &named.debtors);
    let mut faults = Faults::default();
    let one = debtors.windows(2).all(|pair| pair[0] == pair[1]);
    faults.unless(one, "claim.mixed");
    faults.verdict()
}
