//! A fen, and what happens to fens: each is looked at and written by itself.

use std::collections::BTreeSet;

use counterfoil::domain::objects::{Basis, Discharge, Recourse};
use counterfoil::domain::values::{
    Addresses, FinancingId, InvoiceId, LegId, PartyId, ReceivableId, RequestId, TransferId,
};

use super::book::{Book, FinancingState, LegState, Receivable, RequestState, Stage, TransferState};
use super::days::{Day, Sum, Time};

/// What is pending on a fen, or moved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Transfer(TransferId),
    Request(RequestId),
    Financing(FinancingId),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum FenState {
    Open,
    Settled(LegId),
    /// Against a credit.
    Cancelled,
    /// Its holder forwent it.
    Waived,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lock {
    pub(super) by: Act,
    pub(super) ends: Time,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hop {
    pub(super) by: Act,
    pub(super) from: PartyId,
    pub(super) to: PartyId,
    pub(super) recourse: Recourse,
}

/// One fen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fen {
    pub(super) state: FenState,
    pub(super) holder: PartyId,
    pub(super) hops: Vec<Hop>,
    pub(super) due: Day,
    pub(super) lock: Option<Lock>,
}

impl Fen {
    pub(super) fn open_of(&self, holder: PartyId) -> bool {
        self.state == FenState::Open && self.holder == holder
    }

    pub(super) fn locked_by_none_but(&self, own: Act) -> bool {
        self.lock.is_none_or(|lock| lock.by == own)
    }

    /// The financing by which its present holder bought it, if it did.
    pub(super) fn bought_by(&self) -> Option<FinancingId> {
        match self.hops.last() {
            Some(Hop {
                by: Act::Financing(id),
                to,
                ..
            }) if *to == self.holder => Some(*id),
            _ => None,
        }
    }
}

/// The fens `lo` to `hi` of a receivable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) receivable: ReceivableId,
    pub(super) lo: usize,
    pub(super) hi: usize,
}

/// The addresses of a body.
pub(super) fn addresses(named: &Addresses) -> Vec<Address> {
    let address = |named: &counterfoil::domain::values::Address| Address {
        receivable: named.receivable,
        lo: named.lo as usize,
        hi: named.hi as usize,
    };
    named.iter().map(address).collect()
}

pub(super) fn face(addresses: &[Address]) -> Sum {
    addresses
        .iter()
        .map(|address| (address.hi - address.lo) as Sum)
        .sum()
}

impl Receivable {
    pub(super) fn has_open_fens(&self) -> bool {
        self.fens.iter().any(|fen| fen.state == FenState::Open)
    }

    pub(super) fn stands(&self) -> bool {
        matches!(self.stage, Stage::Registered | Stage::Confirmed)
    }
}

impl Book {
    /// The fens at addresses that lie within their receivables.
    pub(super) fn fens(&self, addresses: &[Address]) -> Vec<&Fen> {
        let mut fens = Vec::new();
        for address in addresses {
            fens.extend(&self.receivables[&address.receivable].fens[address.lo..address.hi]);
        }
        fens
    }

    pub(super) fn change_fens(&mut self, addresses: &[Address], mut change: impl FnMut(&mut Fen)) {
        for address in addresses {
            self.touched.insert(address.receivable);
            let receivable = self.receivables.get_mut(&address.receivable).unwrap();
            receivable.fens[address.lo..address.hi]
                .iter_mut()
                .for_each(&mut change);
        }
    }

    pub(super) fn lock(&mut self, addresses: &[Address], by: Act, ends: Time) {
        self.change_fens(addresses, |fen| fen.lock = Some(Lock { by, ends }));
    }

    pub(super) fn unlock(&mut self, addresses: &[Address], by: Act) {
        self.change_fens(addresses, |fen| {
            fen.lock = fen.lock.filter(|lock| lock.by != by)
        });
    }

    /// Whether a leg of the financing is announced and has not lapsed.
    pub(super) fn has_live_leg(&self, financing: FinancingId) -> bool {
        let pays = Discharge::Financing(financing);
        let mut legs = self.legs.values();
        legs.any(|leg| leg.state == LegState::Announced && leg.discharges.contains(&pays))
    }

    /// A payment or a credit took a fen of what was pending: its other fens are free again. A financing whose leg
    /// is announced stands.
    fn end_as_changed(&mut self, by: Act) {
        let addresses = match by {
            Act::Transfer(id) => {
                let transfer = self.transfers.get_mut(&id).unwrap();
                transfer.state = TransferState::Changed;
                transfer.addresses.clone()
            }
            Act::Request(id) => {
                let request = self.requests.get_mut(&id).unwrap();
                request.state = RequestState::Changed;
                request.addresses.clone()
            }
            Act::Financing(id) if self.has_live_leg(id) => return,
            Act::Financing(id) => {
                let financing = self.financings.get_mut(&id).unwrap();
                financing.state = FinancingState::Changed;
                financing.addresses.clone()
            }
        };
        self.unlock(&addresses, by);
    }

    /// Settles the payee's lowest open fens, by due day and then by address, `most` at most; returns their due
    /// days. A leg that lapsed and is attested late counts on unlocked fens alone.
    pub(super) fn settle(&mut self, leg: LegId, receivable: ReceivableId, most: Sum) -> Vec<Day> {
        let (payee, late) = (self.legs[&leg].payee, self.legs[&leg].late);
        let fens = &self.receivables[&receivable].fens;
        let mut open: Vec<(Day, usize)> = fens
            .iter()
            .enumerate()
            .filter(|(_, fen)| fen.open_of(payee) && !(late && fen.lock.is_some()))
            .map(|(at, fen)| (fen.due, at))
            .collect();
        open.sort_unstable();
        open.truncate(usize::try_from(most).unwrap());
        let mut pending = BTreeSet::new();
        for (_, at) in &open {
            let address = Address {
                receivable,
                lo: *at,
                hi: *at + 1,
            };
            self.change_fens(&[address], |fen| {
                fen.state = FenState::Settled(leg);
                pending.extend(fen.lock.take().map(|lock| lock.by));
            });
        }
        for by in pending {
            self.end_as_changed(by);
        }
        open.into_iter().map(|(due, _)| due).collect()
    }

    /// What registered and confirmed shares, and accepted transfers that pay it, use of an invoice.
    pub(super) fn consumed(&self, invoice: InvoiceId) -> Sum {
        let shares = self
            .receivables
            .values()
            .flat_map(|receivable| &receivable.shares);
        let shares = shares.filter(|share| share.invoice == invoice);
        let used: Sum = shares
            .map(|share| share.registered + share.confirmed - share.cancelled)
            .sum();
        used + self.paid_by_transfer(Basis::Invoice(invoice))
    }

    pub(super) fn paid_by_transfer(&self, basis: Basis) -> Sum {
        let accepted = self.transfers.values().filter(|transfer| {
            transfer.state == TransferState::Accepted && transfer.basis == basis
        });
        accepted.map(|transfer| face(&transfer.addresses)).sum()
    }

    pub(super) fn owed(&self, invoice: InvoiceId) -> Sum {
        let invoice = &self.invoices[&invoice];
        (invoice.payable.max(0) - invoice.credited).max(0)
    }

    pub(super) fn diluted(&self, invoice: InvoiceId) -> Sum {
        let shares = self
            .receivables
            .values()
            .flat_map(|receivable| &receivable.shares);
        let shares = shares.filter(|share| share.invoice == invoice);
        shares.map(|share| share.diluted).sum::<Sum>() + self.invoices[&invoice].borne_by_none
    }

    /// What of an invoice may still be registered or paid by transfer.
    pub(super) fn room(&self, invoice: InvoiceId) -> Sum {
        (self.owed(invoice) + self.diluted(invoice) - self.consumed(invoice)).max(0)
    }

    /// Absorbs what credits took of an invoice: (a) the unconsumed; (b) unconfirmed shares, disputed before
    /// registered; (c) the supplier's own open fens; (d) the rest is dilution.
    pub(super) fn absorb(&mut self, invoice: InvoiceId) {
        let newest = self.newest_first(invoice);
        let (open, ended): (Vec<_>, Vec<_>) = newest
            .iter()
            .copied()
            .partition(|(id, _)| self.receivables[id].has_open_fens());
        let ended: Sum = ended
            .iter()
            .map(|(id, at)| self.receivables[id].shares[*at].diluted)
            .sum();
        for (id, at) in &open {
            self.receivables.get_mut(id).unwrap().shares[*at].diluted = 0;
        }
        let mut left = (self.consumed(invoice) - self.owed(invoice) - ended).max(0);
        for disputed in [true, false] {
            for (id, at) in &newest {
                let share = &mut self.receivables.get_mut(id).unwrap().shares[*at];
                let free = share.registered - share.disputed;
                let taken = left.min(if disputed { share.disputed } else { free });
                share.registered -= taken;
                share.disputed -= if disputed { taken } else { 0 };
                left -= taken;
            }
        }
        for locked in [false, true] {
            let mut pending = BTreeSet::new();
            for (id, at) in &open {
                left -= self.cancel_highest((*id, *at), left, locked, &mut pending);
            }
            for by in pending {
                self.end_as_changed(by);
            }
        }
        for (id, at) in &open {
            let share = &mut self.receivables.get_mut(id).unwrap().shares[*at];
            share.diluted = left.min(share.confirmed - share.cancelled);
            left -= share.diluted;
        }
        self.invoices.get_mut(&invoice).unwrap().borne_by_none = left;
    }

    /// The receivables with a share of the invoice, and which share, the newest first.
    fn newest_first(&self, invoice: InvoiceId) -> Vec<(ReceivableId, usize)> {
        let mut found: Vec<_> = self
            .receivables
            .iter()
            .filter(|(_, receivable)| receivable.stands())
            .filter_map(|(id, receivable)| {
                let at = receivable
                    .shares
                    .iter()
                    .position(|share| share.invoice == invoice)?;
                Some((receivable.at, *id, at))
            })
            .collect();
        found.sort_unstable();
        found
            .into_iter()
            .rev()
            .map(|(_, id, at)| (id, at))
            .collect()
    }

    /// Cancels the supplier's own open fens of one receivable from the top, `left` and the invoice's share at most.
    fn cancel_highest(
        &mut self,
        (id, at): (ReceivableId, usize),
        left: Sum,
        locked: bool,
        pending: &mut BTreeSet<Act>,
    ) -> Sum {
        let receivable = &self.receivables[&id];
        let share = &receivable.shares[at];
        let most = left.min(share.confirmed - share.cancelled);
        let takes = |fen: &Fen| match fen.lock.map(|lock| lock.by) {
            None => !locked,
            Some(Act::Financing(id)) => locked && !self.has_live_leg(id),
            Some(_) => locked,
        };
        let own = |fen: &Fen| fen.open_of(receivable.supplier) && takes(fen);
        let fens = receivable.fens.iter().enumerate().rev();
        let taken: Vec<usize> = fens
            .filter(|(_, fen)| own(fen))
            .map(|(at, _)| at)
            .take(usize::try_from(most).unwrap())
            .collect();
        for lo in &taken {
            let address = Address {
                receivable: id,
                lo: *lo,
                hi: *lo + 1,
            };
            self.change_fens(&[address], |fen| {
                fen.state = FenState::Cancelled;
                pending.extend(fen.lock.take().map(|lock| lock.by));
            });
        }
        let count = taken.len() as Sum;
        self.receivables.get_mut(&id).unwrap().shares[at].cancelled += count;
        count
    }

    /// Absorbs again on every invoice of the receivables that the operation has written.
    pub(super) fn absorb_again(&mut self) {
        let shares = self
            .touched
            .iter()
            .flat_map(|id| &self.receivables[id].shares);
        let invoices: BTreeSet<InvoiceId> = shares.map(|share| share.invoice).collect();
        for invoice in invoices {
            self.absorb(invoice);
        }
    }
}
