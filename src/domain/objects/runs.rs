//! The fens of a confirmed receivable: `[0, C)` as a sorted list of maximal runs of equal fens.
//!
//! There is no split and no merge operation: [`Runs::change`] cuts where it must and joins what has become
//! equal, so conservation holds by construction.

use std::sync::Arc;

use crate::domain::values::{
    Day, FinancingId, Instant, LegId, OpId, PartyId, RequestId, TransferId,
};

use super::transfer::Recourse;

/// Why a fen ended without being paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// A credit note absorbed it.
    Diluted,
    /// Its holder gave it up.
    Waived,
}

/// What became of a fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenState {
    /// Owed.
    Open,
    /// Paid by the leg.
    Settled(LegId),
    /// Ended by the operation.
    Cancelled(OpId, EndReason),
}

/// What a pending disposition is, that locks a fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// A proposed transfer.
    Transfer(TransferId),
    /// An open request.
    Request(RequestId),
    /// An accepted, unfunded financing.
    Financing(FinancingId),
}

/// A disposition pending: it stops its holder's own new ones, until it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// What is pending.
    pub by: Disposition,
    /// From here on the lock is absent.
    pub ends: Instant,
}

/// One step of title from a holder to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The transfer or the financing that moved it.
    pub by: Disposition,
    /// The assignor.
    pub from: PartyId,
    /// The assignee.
    pub to: PartyId,
    /// What the assignor still answers for.
    pub recourse: Recourse,
    /// When title moved.
    pub at: Instant,
}

/// A run of fens that are equal in everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its first fen.
    pub lo: u64,
    /// The fen behind its last.
    pub hi: u64,
    /// What became of it.
    pub state: FenState,
    /// Whose it is.
    pub holder: PartyId,
    /// How it came to its holder, oldest first.
    pub hops: Arc<[Hop]>,
    /// When it is due.
    pub due: Day,
    /// The disposition pending on it.
    pub lock: Option<Lock>,
}

impl Run {
    /// How many fens it has.
    pub fn len(&self) -> u64 {
        self.hi - self.lo
    }

    /// A run always has a fen.
    pub fn is_empty(&self) -> bool {
        self.lo >= self.hi
    }

    /// The lock that is live at `time`.
    pub fn lock_at(&self, time: Instant) -> Option<Lock> {
        self.lock.filter(|lock| lock.ends > time)
    }

    /// Whether it is open and held by `holder`.
    pub fn open_of(&self, holder: PartyId) -> bool {
        self.state == FenState::Open && self.holder == holder
    }

    /// Whether it is owed and past its due day on `today`.
    pub fn is_overdue(&self, today: Day) -> bool {
        self.state == FenState::Open && self.due < today
    }

    /// Whether an assignor still answers to its holder if the debtor does not pay: the last one, or by `chain` any.
    pub fn has_recourse(&self) -> bool {
        let last = self.hops.last().map(|hop| hop.recourse);
        last.is_some_and(|recourse| recourse != Recourse::None)
            || self.hops.iter().any(|hop| hop.recourse == Recourse::Chain)
    }

    /// The financing by which its present holder bought it, if it did.
    pub fn bought_by(&self) -> Option<FinancingId> {
        match self.hops.last() {
            Some(Hop {
                by: Disposition::Financing(financing),
                to,
                ..
            }) if *to == self.holder => Some(*financing),
            _ => None,
        }
    }

    /// The financing that it is outstanding of: open face that its holder bought and still holds.
    pub fn outstanding_of(&self) -> Option<FinancingId> {
        self.bought_by().filter(|_| self.state == FenState::Open)
    }

    /// Whether another run has the same holder, by the same way.
    pub fn came_as(&self, other: &Run) -> bool {
        self.holder == other.holder
            && (Arc::ptr_eq(&self.hops, &other.hops) || self.hops == other.hops)
    }

    fn joins(&self, next: &Run) -> bool {
        self.hi == next.lo
            && self.state == next.state
            && self.due == next.due
            && self.lock == next.lock
            && self.came_as(next)
    }

    fn cut(&self, lo: u64, hi: u64) -> Run {
        Run {
            lo: lo.max(self.lo),
            hi: hi.min(self.hi),
            ..self.clone()
        }
    }

    /// Cuts off the part behind fen `at`, if there is one.
    fn split_off(&mut self, at: u64) -> Option<Run> {
        let rest = (at < self.hi).then(|| self.cut(at, self.hi))?;
        self.hi = at;
        Some(rest)
    }
}

/// The runs of a confirmed receivable, sorted, without gap or overlap, neighbours unequal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs(Box<[Run]>);

impl Runs {
    /// All of `[0, face)` open and the supplier's.
    pub fn of_supplier(face: u64, supplier: PartyId, due: Day) -> Runs {
        let hops: Arc<[Hop]> = Arc::new([]);
        Runs(Box::new([Run {
            lo: 0,
            hi: face,
            state: FenState::Open,
            holder: supplier,
            hops,
            due,
            lock: None,
        }]))
    }

    /// The runs in order of address.
    pub fn iter(&self) -> impl Iterator<Item = &Run> {
        self.0.iter()
    }

    /// How many runs there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// How many fens there are: C.
    pub fn face(&self) -> u64 {
        self.0.last().map_or(0, |run| run.hi)
    }

    /// The parts of runs that lie in `[lo, hi)`.
    pub fn within(&self, lo: u64, hi: u64) -> impl Iterator<Item = Run> + '_ {
        let first = self.0.partition_point(|run| run.hi <= lo);
        self.0[first..]
            .iter()
            .take_while(move |run| run.lo < hi)
            .map(move |run| run.cut(lo, hi))
    }

    /// The runs as they read at `time`: an ended lock is absent, and what it alone kept apart is one run.
    pub fn at(&self, time: Instant) -> Runs {
        let mut runs = self.0.to_vec();
        for run in &mut runs {
            run.lock = run.lock_at(time);
        }
        Runs::joined(runs)
    }

    /// Drops the locks that have ended at `time`.
    pub fn end_locks(&mut self, time: Instant) {
        if self.0.iter().any(|run| run.lock != run.lock_at(time)) {
            *self = self.at(time);
        }
    }

    /// Changes the fens in `parts`, intervals `[lo, hi)` that ascend and are disjoint, in one pass: cuts at their
    /// ends and joins what has become equal.
    pub fn change(&mut self, parts: &[(u64, u64)], mut change: impl FnMut(&mut Run)) {
        let runs = std::mem::take(&mut self.0).into_vec();
        let mut next = Vec::with_capacity(runs.len() + 2 * parts.len());
        let mut parts = parts.iter().peekable();
        for run in runs {
            let mut left = Some(run);
            while let Some(mut piece) = left {
                while parts.next_if(|(_, hi)| *hi <= piece.lo).is_some() {}
                let (named, to) = match parts.peek() {
                    Some((lo, hi)) if *lo <= piece.lo => (true, *hi),
                    Some((lo, _)) => (false, *lo),
                    None => (false, piece.hi),
                };
                left = piece.split_off(to);
                if named {
                    change(&mut piece);
                }
                next.push(piece);
            }
        }
        *self = Runs::joined(next);
    }

    /// Neighbours that have become equal are one run.
    fn joined(mut runs: Vec<Run>) -> Runs {
        runs.dedup_by(|next, kept| {
            let joins = kept.joins(next);
            if joins {
                kept.hi = next.hi;
            }
            joins
        });
        Runs(runs.into_boxed_slice())
    }

    /// Whether the runs partition `[0, face)`, in order, and neighbours differ (invariant 1).
    pub fn partition(&self, face: u64) -> bool {
        let bounds = self.0.first().is_some_and(|run| run.lo == 0) && self.face() == face;
        let gapless = self
            .0
            .windows(2)
            .all(|pair| pair[0].hi == pair[1].lo && !pair[0].joins(&pair[1]));
        bounds && gapless && self.0.iter().all(|run| !run.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::{MAKER, SUPPLIER, id, wire};

    /// The maker's fens of a hundred, after these intervals were passed on to it and those back again.
    #[rstest]
    #[case::none(&[], &[], &[])]
    #[case::all(&[(0, 100)], &[], &[(0, 100)])]
    #[case::several(&[(0, 10), (20, 30), (90, 100)], &[], &[(0, 10), (20, 30), (90, 100)])]
    #[case::touching_ones_join(&[(10, 20), (20, 30)], &[], &[(10, 30)])]
    #[case::across_what_was_cut(&[(0, 10), (20, 30)], &[(5, 25)], &[(0, 5), (25, 30)])]
    #[case::several_within_one_run(&[(0, 50)], &[(10, 20), (30, 40)], &[(0, 10), (20, 30), (40, 50)])]
    #[case::what_is_undone_joins_again(&[(10, 20), (40, 50)], &[(10, 20), (40, 50)], &[])]
    fn a_change_cuts_where_it_must_and_joins_what_it_can(
        #[case] on: &[(u64, u64)],
        #[case] back: &[(u64, u64)],
        #[case] held: &[(u64, u64)],
    ) {
        let mut runs = Runs::of_supplier(100, id(SUPPLIER), wire("2026-08-07"));
        runs.change(on, |run| run.holder = id(MAKER));
        runs.change(back, |run| run.holder = id(SUPPLIER));
        assert!(runs.partition(100), "{runs:?}");
        let maker = runs.iter().filter(|run| run.holder == id(MAKER));
        let found: Vec<_> = maker.map(|run| (run.lo, run.hi)).collect();
        assert_eq!(found, held);
    }
}
