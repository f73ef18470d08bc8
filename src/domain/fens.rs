//! The fens an operation names: the guards that every voluntary disposition shares, and the one way to change them.

use std::sync::Arc;

use super::draft::Draft;
use super::head::Head;
use super::objects::{
    Disposition, FenState, Financing, FinancingState, Hop, Leg, LegKey, Limit, Lock, Receivable,
    Request, RequestState, Run, Stage, Transfer, TransferState,
};
use super::refusal::{Refusal, ensure};
use super::values::{Address, Addresses, Currency, Day, Fen, FinancingId, PartyId, ReceivableId};

/// No operation is unboundedly dear: a voluntary disposition leaves at most this many runs of a receivable.
pub const RUNS_MOST: usize = 1_024;

/// Fens that the actor may dispose of, with what its operation needs to know of them.
#[derive(Debug, Clone)]
pub struct Disposable {
    /// How many.
    pub face: Fen,
    /// Their currency: one.
    pub currency: Currency,
    /// The runs named, cut to the addresses, with the receivable of each.
    pub pieces: Vec<(ReceivableId, Run)>,
}

/// How an operation disposes of fens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Before the cut-off ahead of the due day, until this day.
    BeforeCutOff(Day),
    /// Expressly overdue.
    Overdue,
}

impl<'s> Head<'s> {
    /// The fens at `addresses`, if the actor may dispose of every one: its own, open, unlocked, in time, within
    /// depth and unit, on a receivable that no open dilution bars.
    pub fn disposable(&self, addresses: &Addresses, timing: Timing) -> Result<Disposable, Refusal> {
        let disposable = self.disposable_under(addresses, timing, None)?;
        self.check_run_count(addresses)?;
        Ok(disposable)
    }

    /// The same judged again, for fens that the disposition `own` has locked for what follows it.
    pub fn disposable_under(
        &self,
        addresses: &Addresses,
        timing: Timing,
        own: Option<Disposition>,
    ) -> Result<Disposable, Refusal> {
        self.gather(addresses, |receivable, address| {
            self.pieces(receivable, address, timing, own)
        })
    }

    /// The fens at `addresses`, if every one is the actor's own, open and unlocked, on a receivable that no open
    /// dilution bars: what is asked where title does not move.
    pub fn own_free(&self, addresses: &Addresses) -> Result<Disposable, Refusal> {
        let free = self.gather(addresses, |receivable, address| {
            receivable.undiluted()?;
            let runs = receivable.confirmed()?.runs.within(address.lo, address.hi);
            let free = |run| self.check_free(address, &run, None).map(|()| run);
            runs.map(free).collect()
        })?;
        self.check_run_count(addresses)?;
        Ok(free)
    }

    fn gather(
        &self,
        addresses: &Addresses,
        mut judged: impl FnMut(&'s Receivable, &Address) -> Result<Vec<Run>, Refusal>,
    ) -> Result<Disposable, Refusal> {
        let mut pieces = Vec::new();
        let mut currency = None;
        for address in addresses {
            let receivable = self.holding(address)?;
            let one = *currency.get_or_insert(receivable.currency);
            ensure(one == receivable.currency, || {
                Refusal::new(
                    "fens.currency",
                    "the addresses are of more than one currency",
                )
                .input("address", address)
            })?;
            let runs = judged(receivable, address)?.into_iter();
            pieces.extend(runs.map(|run| (receivable.id, run)));
        }
        let face = addresses
            .total()
            .ok_or_else(|| Refusal::new("amount.overflow", "the face is too large"))?;
        let currency =
            currency.ok_or_else(|| Refusal::new("fens.none", "at least one address is named"))?;
        Ok(Disposable {
            face,
            currency,
            pieces,
        })
    }

    /// The confirmed receivable of an address all of whose fens are the actor's: to everybody else, and beyond its
    /// face, it reads as an address that never was.
    pub(super) fn holding(&self, address: &Address) -> Result<&'s Receivable, Refusal> {
        let unknown = || Refusal::unknown_object("address", address);
        let receivable = self
            .named::<Receivable>(address.receivable)
            .map_err(|_| unknown())?;
        let runs = receivable
            .runs()
            .filter(|runs| address.hi <= runs.face())
            .ok_or_else(unknown)?;
        ensure(
            runs.within(address.lo, address.hi)
                .all(|run| run.holder == self.by),
            unknown,
        )?;
        Ok(receivable)
    }

    fn pieces(
        &self,
        receivable: &Receivable,
        address: &Address,
        timing: Timing,
        own: Option<Disposition>,
    ) -> Result<Vec<Run>, Refusal> {
        receivable.undiluted()?;
        self.check_unit(receivable, address)?;
        let rules = &self.rulebook_of(receivable.rulebook)?.rules;
        let confirmed = receivable.confirmed()?;
        let mut pieces = Vec::new();
        for run in confirmed.runs.within(address.lo, address.hi) {
            self.check_free(address, &run, own)?;
            self.check_timing(receivable, &run, timing)?;
            ensure(
                run.hops.len() < rules.claim_depth.params.hops_at_most as usize,
                || {
                    Refusal::new(
                        "claim.depth",
                        "the fens have been passed on as often as they may be",
                    )
                    .input("address", address)
                    .input("hops", run.hops.len())
                    .remedy(format!(
                        "at most {} hops",
                        rules.claim_depth.params.hops_at_most
                    ))
                },
            )?;
            pieces.push(run);
        }
        Ok(pieces)
    }

    /// `claim.unit`: what goes on as a claim of its own is no smaller than the smallest run that may.
    pub(super) fn check_unit(
        &self,
        receivable: &Receivable,
        address: &Address,
    ) -> Result<(), Refusal> {
        let least = self
            .rulebook_of(receivable.rulebook)?
            .rules
            .claim_unit
            .params
            .fen;
        ensure(address.len() >= least, || {
            Refusal::new(
                "claim.unit",
                "the address is smaller than the smallest run that may be disposed of",
            )
            .input("address", address)
            .input("fen_at_least", least)
        })
    }

    fn check_free(
        &self,
        address: &Address,
        run: &Run,
        own: Option<Disposition>,
    ) -> Result<(), Refusal> {
        ensure(run.state == FenState::Open, || {
            Refusal::new("fens.ended", "some of the fens are settled or cancelled")
                .input("address", address)
        })?;
        ensure(run.lock_at(self.time).map(|lock| lock.by) == own, || {
            Refusal::new(
                "fens.locked",
                "another disposition of some of the fens is pending",
            )
            .input("address", address)
            .remedy("that disposition ends, is declined or is cancelled")
        })
    }

    /// `claim.cutoff`: before the cut-off or expressly overdue.
    fn check_timing(
        &self,
        receivable: &Receivable,
        run: &Run,
        timing: Timing,
    ) -> Result<(), Refusal> {
        let rulebook = self.rulebook_of(receivable.rulebook)?;
        match timing {
            Timing::BeforeCutOff(last) => {
                let days = rulebook.rules.claim_cutoff.params.business_days_before_due;
                let cut_off = rulebook.calendar.minus_business_days(run.due, days);
                ensure(last < cut_off, || {
                    Refusal::new(
                        "claim.cutoff",
                        "the fens are too near their due day, or past it",
                    )
                    .input("due", run.due)
                    .input("cut_off", cut_off)
                    .remedy("dispose of them before the cut-off, or expressly as overdue")
                })
            }
            Timing::Overdue => {
                ensure(self.today()? > run.due, || {
                    Refusal::new("claim.not_overdue", "the fens are not overdue")
                        .input("due", run.due)
                })?;
                self.check_no_live_leg(receivable)
            }
        }
    }

    /// Fens of a payee whom a live debtor leg on that receivable names take no new lock after the cut-off; once a
    /// leg of that payer to that payee on that receivable has lapsed, its later ones do not bar.
    fn check_no_live_leg(&self, receivable: &Receivable) -> Result<(), Refusal> {
        let key = LegKey::Pays(receivable.id, self.by);
        let legs = || {
            self.state
                .legs
                .by(&key)
                .filter(|leg| leg.payer == receivable.debtor)
        };
        let lapsed = legs().filter(|leg| leg.has_lapsed(self.time));
        let first_lapsed = lapsed.map(|leg| leg.at).min();
        let barred = legs().any(|leg| {
            let later = first_lapsed.is_some_and(|first| leg.at > first);
            leg.is_live(self.time) && !later
        });
        ensure(!barred, || {
            Refusal::new(
                "leg.pending",
                "the debtor has announced a payment to this holder on the receivable",
            )
            .input("receivable", receivable.id)
            .remedy("the payment is attested, or lapses")
        })
    }

    fn check_run_count(&self, addresses: &Addresses) -> Result<(), Refusal> {
        for group in addresses.by_receivable() {
            let receivable = self.named::<Receivable>(group[0].receivable)?;
            let after = receivable.confirmed()?.runs.count() + 2 * group.len();
            ensure(after <= RUNS_MOST, || {
                Refusal::new(
                    "receivable.runs",
                    "the receivable would be cut into too many runs",
                )
                .input("receivable", receivable.id)
                .input("runs_at_most", RUNS_MOST)
            })?;
        }
        Ok(())
    }
}

/// The open fens of a receivable that are past their due day on `today`.
pub fn overdue(receivable: &Receivable, today: Day) -> Fen {
    let late = |run: &&Run| run.is_overdue(today);
    let units: u64 = receivable
        .runs()
        .map_or(0, |runs| runs.iter().filter(late).map(Run::len).sum());
    fens(units)
}

/// So many fens as an amount.
pub fn fens(count: u64) -> Fen {
    let fen = i64::try_from(count).ok().and_then(Fen::new);
    fen.expect("a receivable's face is an amount, and so is every part of it")
}

impl Draft<'_> {
    /// Changes the fens of a confirmed receivable in `parts`, as [`Runs::change`]; the one way to do it. Ended locks
    /// on the receivable are dropped on the way, and what lenders have outstanding on their limits is kept in step.
    ///
    /// # Errors
    /// `amount.overflow` where a lender would have more outstanding than an amount can say: fens that are opened
    /// again or pass to a lender are counted whether or not its limit has room.
    pub fn change_fens(
        &mut self,
        id: ReceivableId,
        parts: &[(u64, u64)],
        mut change: impl FnMut(&mut Run),
    ) -> Result<(), Refusal> {
        // A payment that settles nothing changes no receivable, and nothing is absorbed on it again.
        if parts.is_empty() {
            return Ok(());
        }
        let time = self.head.time;
        let receivable = self.edit::<Receivable>(id);
        let supplier = receivable.supplier;
        let Stage::Confirmed(confirmed) = &mut receivable.stage else {
            return Ok(());
        };
        confirmed.runs.end_locks(time);
        let (mut given, mut taken) = (Vec::new(), Vec::new());
        confirmed.runs.change(parts, |run| {
            let before = run.outstanding_of();
            change(run);
            let after = run.outstanding_of();
            if before != after {
                given.extend(before.map(|financing| (financing, run.len())));
                taken.extend(after.map(|financing| (financing, run.len())));
            }
        });
        for (financing, len) in given {
            self.count_outstanding(supplier, financing, len, Fen::checked_sub)?;
        }
        for (financing, len) in taken {
            self.count_outstanding(supplier, financing, len, Fen::checked_add)?;
        }
        Ok(())
    }

    /// Measure of a purchase: open face that the lender bought and still holds.
    fn count_outstanding(
        &mut self,
        supplier: PartyId,
        id: FinancingId,
        count: u64,
        step: fn(Fen, Fen) -> Option<Fen>,
    ) -> Result<(), Refusal> {
        let amount = fens(count);
        let overflow = || {
            let message = "more would be outstanding on a limit than an amount can say";
            Refusal::new("amount.overflow", message)
        };
        let financing = self.edit::<Financing>(id);
        financing.outstanding = step(financing.outstanding, amount).ok_or_else(overflow)?;
        for (limit, _) in financing.limits.clone() {
            let limit = self.edit::<Limit>(limit);
            if limit.supplier.is_none_or(|only| only == supplier) {
                limit.utilised = step(limit.utilised, amount).ok_or_else(overflow)?;
            }
        }
        Ok(())
    }

    /// The same for the fens at `addresses`, one pass a receivable.
    ///
    /// # Errors
    /// As [`Draft::change_fens`].
    pub fn change_all(
        &mut self,
        addresses: &Addresses,
        mut change: impl FnMut(&mut Run),
    ) -> Result<(), Refusal> {
        for group in addresses.by_receivable() {
            let parts: Vec<(u64, u64)> = group
                .iter()
                .map(|address| (address.lo, address.hi))
                .collect();
            self.change_fens(group[0].receivable, &parts, &mut change)?;
        }
        Ok(())
    }

    /// Passes the fens at `addresses` on by a hop: its assignee holds them, and the lock that led to it is gone.
    ///
    /// # Errors
    /// As [`Draft::change_fens`].
    pub fn pass_on(&mut self, addresses: &Addresses, hop: &Hop) -> Result<(), Refusal> {
        let mut last: Option<[Arc<[Hop]>; 2]> = None;
        self.change_all(addresses, |run| {
            run.holder = hop.to;
            run.lock = None;
            // Runs that came the same way share it.
            let [_, longer] = match last.take() {
                Some(known) if Arc::ptr_eq(&known[0], &run.hops) => known,
                _ => {
                    let longer = run.hops.iter().chain([hop]).cloned().collect();
                    [Arc::clone(&run.hops), longer]
                }
            };
            let before = std::mem::replace(&mut run.hops, Arc::clone(&longer));
            last = Some([before, longer]);
        })
    }

    /// Locks the fens at `addresses`, or moves the end of the lock that the same disposition has on them.
    pub fn lock(&mut self, addresses: &Addresses, lock: Lock) {
        self.change_all(addresses, |run| run.lock = Some(lock))
            .expect("a lock adds nothing to what is outstanding");
    }

    /// Takes a disposition's lock off the fens at `addresses` that still carry it.
    pub fn unlock(&mut self, addresses: &Addresses, by: Disposition) {
        self.change_all(addresses, |run| {
            run.lock = run.lock.filter(|lock| lock.by != by);
        })
        .expect("a lock that goes adds nothing to what is outstanding");
    }

    /// Ends a pending disposition because a payment or a credit took one of its fens (`changed`): its other fens
    /// are free again. A financing whose leg is announced stands: only the leg's attestation decides it.
    pub fn end_as_changed(&mut self, by: Disposition) {
        let at = self.head.time;
        let addresses = match by {
            Disposition::Transfer(id) => {
                let transfer = self.edit::<Transfer>(id);
                transfer.state = TransferState::Changed(at);
                transfer.addresses.clone()
            }
            Disposition::Request(id) => {
                let request = self.edit::<Request>(id);
                request.state = RequestState::Changed(at);
                request.addresses.clone()
            }
            Disposition::Financing(id) => {
                if self.waits_for_a_leg(id) {
                    self.end_financing(id, FinancingState::Changed(at));
                }
                return;
            }
        };
        self.unlock(&addresses, by);
    }

    /// Whether a financing is accepted and no live leg is announced for it: one that lapsed holds it no longer.
    pub(super) fn waits_for_a_leg(&self, id: FinancingId) -> bool {
        let FinancingState::Accepted { leg, .. } = self.get::<Financing>(id).state else {
            return false;
        };
        let announced = leg.and_then(|leg| self.find::<Leg>(leg));
        !announced.is_some_and(|leg| leg.is_live(self.head.time))
    }

    /// Ends an unfunded financing: its fens and its limits are free again.
    pub fn end_financing(&mut self, id: FinancingId, state: FinancingState) {
        let financing = self.edit::<Financing>(id);
        financing.state = state;
        let (addresses, limits) = (financing.addresses.clone(), financing.limits.clone());
        for (limit, _) in limits {
            self.edit::<Limit>(limit).blocks.remove(&id);
        }
        self.unlock(&addresses, Disposition::Financing(id));
    }
}
