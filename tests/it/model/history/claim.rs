//! Fens that their holders put off with the debtor, or forgo.

use counterfoil::domain::ops::claim::extend::Extend;
use counterfoil::domain::ops::claim::waive::Waive;
use counterfoil::domain::values::{Addresses, PartyId, ReceivableId};

use super::super::world::wire;
use super::{Generator, Move, alone, day, in_order, with};

impl Generator<'_> {
    /// Fens of one party, most often of one receivable.
    fn pieces(&mut self, early: bool) -> Option<(PartyId, ReceivableId, Addresses)> {
        let (by, id, lo, hi) = self.piece(early, |_| true)?;
        let mut parts = vec![(id, lo, hi)];
        if self.rng.chance(15) {
            let more = self.piece(early, |holder| holder == by);
            parts.extend(more.map(|(_, id, lo, hi)| (id, lo, hi)));
        }
        Some((by, id, in_order(parts)))
    }

    pub(super) fn claim_extend(&mut self) -> Option<Move> {
        let early = self.rng.chance(80);
        let (by, id, addresses) = self.pieces(early)?;
        let receivable = &self.book.receivables[&id];
        let last = receivable.fens.iter().map(|fen| fen.due).max()?;
        let days = match self.rng.between(1, 20) {
            1 => self.rng.between(-10, 0),
            2 => 150,
            3 => 330,
            _ => self.rng.between(1, 20),
        };
        let body = Extend {
            addresses,
            due: day(last + days),
            term_reason: self.rng.chance(70).then(|| wire("as agreed")),
        };
        with(by, receivable.debtor, body)
    }

    pub(super) fn claim_waive(&mut self) -> Option<Move> {
        let (by, _, addresses) = self.pieces(false)?;
        alone(by, Waive { addresses })
    }
}
