//! Fens that their holders forgo.

use counterfoil::domain::ops::claim::waive::Waive;

use super::{Generator, Move, alone, in_order};

impl Generator<'_> {
    pub(super) fn claim_waive(&mut self) -> Option<Move> {
        let (by, id, lo, hi) = self.piece(false, |_| true)?;
        let mut parts = vec![(id, lo, hi)];
        if self.rng.chance(15) {
            let more = self.piece(false, |holder| holder == by);
            parts.extend(more.map(|(_, id, lo, hi)| (id, lo, hi)));
        }
        let addresses = in_order(parts);
        alone(by, Waive { addresses })
    }
}
