//! What every disposition of fens asks of each fen it names.

use counterfoil::domain::objects::Discharge;
use counterfoil::domain::values::{Currency, PartyId, ReceivableId};

use super::super::book::{Book, LegState};
use super::super::days::Day;
use super::super::fen::{Act, Address, FenState};
use super::Faults;

/// What an operation needs to know of the fens it names.
pub(super) struct Named {
    pub(super) currency: Currency,
    /// Of each receivable named.
    pub(super) debtors: Vec<PartyId>,
    /// Of each fen named.
    pub(super) dues: Vec<Day>,
}

impl Book {
    /// The fens at addresses that the party holds, if any; what stands in the way goes to the faults. `own`
    /// is the disposition whose lock they carry. `last`: the day until which it goes on, unless it is expressly overdue.
    pub(super) fn disposable(
        &self,
        faults: &mut Faults,
        by: PartyId,
        addresses: &[Address],
        last: Option<Day>,
        own: Option<Act>,
    ) -> Option<Named> {
        let (addresses, named) = self.own_free(faults, by, addresses, own);
        for address in &addresses {
            let unit = self.numbers_of(&self.receivables[&address.receivable]).unit;
            faults.unless(address.hi - address.lo >= unit, "claim.unit");
            self.check_each(faults, by, address, last);
        }
        named
    }

    /// What every disposition and a waiver ask: the party's own fens, open, unlocked, of one currency, undiluted.
    /// Those addresses that are the party's, and what is known of them, if there is any.
    pub(super) fn own_free(
        &self,
        faults: &mut Faults,
        by: PartyId,
        addresses: &[Address],
        own: Option<Act>,
    ) -> (Vec<Address>, Option<Named>) {
        let known: Vec<Address> = addresses
            .iter()
            .copied()
            .filter(|one| self.holds_all(by, one))
            .collect();
        faults.unless(known.len() == addresses.len(), "unknown_object");
        let receivables = || known.iter().map(|one| &self.receivables[&one.receivable]);
        let mut currencies: Vec<Currency> = receivables().map(|one| one.currency).collect();
        currencies.dedup();
        faults.unless(currencies.len() <= 1, "fens.currency");
        for receivable in receivables() {
            let diluted = receivable.has_open_fens()
                && receivable.shares.iter().any(|share| share.diluted > 0);
            faults.unless(!diluted, "receivable.diluted");
        }
        let fens = self.fens(&known);
        for fen in &fens {
            faults.unless(fen.state == FenState::Open, "fens.ended");
            faults.unless(fen.lock.map(|lock| lock.by) == own, "fens.locked");
        }
        faults.unless(!currencies.is_empty(), "fens.none");
        let named = currencies.first().map(|currency| Named {
            currency: *currency,
            debtors: receivables().map(|one| one.debtor).collect(),
            dues: fens.iter().map(|fen| fen.due).collect(),
        });
        (known, named)
    }

    /// To everybody else an address reads as one that never was, and so it does beyond the face.
    pub(super) fn holds_all(&self, by: PartyId, address: &Address) -> bool {
        let receivable = self.receivable(by, address.receivable);
        let fens = receivable.map(|one| one.fens.get(address.lo..address.hi));
        fens.is_ok_and(|fens| fens.is_some_and(|fens| fens.iter().all(|fen| fen.holder == by)))
    }

    fn check_each(&self, faults: &mut Faults, by: PartyId, address: &Address, last: Option<Day>) {
        let numbers = self.numbers_of(&self.receivables[&address.receivable]);
        for fen in self.fens(&[*address]) {
            faults.unless(fen.hops.len() < numbers.depth, "claim.depth");
            match last {
                None => faults.unless(self.today() > fen.due, "claim.not_overdue"),
                Some(last) => {
                    let cut_off = numbers.calendar.walk(fen.due, -numbers.cut_off_days);
                    faults.unless(last < cut_off, "claim.cutoff");
                }
            }
        }
        if last.is_none() {
            faults.unless(!self.payment_bars(address.receivable, by), "leg.pending");
        }
    }

    /// Fens of a payee whom a live debtor leg on that receivable names take no new lock after the cut-off; once a
    /// leg of that payer to that payee on that receivable has lapsed, its later ones do not bar.
    fn payment_bars(&self, id: ReceivableId, payee: PartyId) -> bool {
        let debtor = self.receivables[&id].debtor;
        let legs = || {
            self.legs.values().filter(|leg| {
                let pays = leg.discharges.contains(&Discharge::Receivable(id));
                pays && leg.payer == debtor && leg.payee == payee
            })
        };
        let lapsed = |live_at| legs().any(|leg| leg.state == LegState::Lapsed && leg.at < live_at);
        legs().any(|leg| leg.state == LegState::Announced && !lapsed(leg.at))
    }
}
