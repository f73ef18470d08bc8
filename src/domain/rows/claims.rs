//! The claims of a receivable: its fens as the reader may know them.
//!
//! A holder reads its own runs, and of the earlier hops the parties and the recourse class; a former holder what it
//! passed on, as it passed it on; the debtor payees and amounts; an auditor everything. What the reader may not know
//! does not show as a cut either: neighbours that read alike are one.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use super::receivable::Standing;
use super::{By, Totals};
use crate::domain::fens::fens;
use crate::domain::objects::{EndReason, FenState, Hop, Leg, Receivable, Recourse, Run};
use crate::domain::values::{
    Address, Amount, Currency, Day, Instant, LegId, PartyId, ReceivableId,
};
use crate::domain::visibility::Viewer;

/// The claims of a receivable as one party reads them.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClaimsRow {
    /// The receivable.
    pub receivable: ReceivableId,
    /// Its currency.
    pub currency: Currency,
    /// What was confirmed; absent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub face: Option<Amount>,
    /// What became of all its fens: to debtor, holders and auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    /// What the reader holds; to an auditor, everybody's.
    pub claims: Vec<PlacedRow<ClaimRow>>,
    /// What the reader once held and passed on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<PlacedRow<PassedRow>>,
    /// Whom the debtor owes and has paid: to debtor and auditor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub payees: Vec<PayeeRow>,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimWord {
    /// Owed.
    Open,
    /// Owed, and past its due day.
    Overdue,
    /// Paid.
    Settled,
    /// Ended because a credit absorbed it.
    Diluted,
    /// Ended because its holder gave it up.
    Waived,
}

/// Fens that read alike, with what is read of them.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PlacedRow<T> {
    /// Which fens.
    pub address: Address,
    /// What they are worth.
    pub face: Amount,
    /// What is read of them.
    #[serde(flatten)]
    pub facts: T,
}

/// What is read of a claim.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ClaimRow {
    /// What became of it.
    pub state: ClaimWord,
    /// Whose it is.
    pub holder: PartyId,
    /// When it is due.
    pub due: Day,
    /// The leg that paid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leg: Option<LegId>,
    /// The disposition pending on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockRow>,
    /// How it came to its holder, oldest first.
    pub hops: Vec<HopRow>,
}

/// A disposition pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LockRow {
    /// What is pending.
    pub by: By,
    /// From here on it is no more.
    pub ends: Instant,
}

/// One step of title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct HopRow {
    /// The assignor.
    pub from: PartyId,
    /// The assignee.
    pub to: PartyId,
    /// What the assignor still answers for.
    pub recourse: Recourse,
    /// What moved title: of the reader's own hops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
    /// When: of the reader's own hops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
}

/// What a former holder reads of fens that it passed on.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PassedRow {
    /// The hops up to its own.
    pub hops: Vec<HopRow>,
}

/// What the debtor owes and has paid one payee.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PayeeRow {
    /// Who is paid.
    pub payee: PartyId,
    /// The due day.
    pub due: Day,
    /// What became of its fens.
    #[serde(flatten)]
    pub totals: Totals,
}

/// A claim in the list of all that a party holds.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HeldRow {
    /// Of which receivable.
    pub receivable: ReceivableId,
    /// Who owes it.
    pub debtor: PartyId,
    /// Its currency.
    pub currency: Currency,
    /// Which fens, and what is read of them.
    #[serde(flatten)]
    pub claim: PlacedRow<ClaimRow>,
}

/// What the viewer holds of a receivable, in whatever state; to an auditor, what everybody does.
pub fn held(receivable: &Receivable, viewer: &Viewer<'_>) -> Vec<HeldRow> {
    let row = |claim| HeldRow {
        receivable: receivable.id,
        debtor: receivable.debtor,
        currency: receivable.currency,
        claim,
    };
    let claims = claims(receivable, viewer).claims.into_iter();
    claims.map(row).collect()
}

/// The claims of a receivable, which the viewer may see, as it reads them.
pub fn claims(receivable: &Receivable, viewer: &Viewer<'_>) -> ClaimsRow {
    let standing = Standing::of(viewer, receivable);
    let confirmed = receivable.confirmed().ok();
    let runs = confirmed.map(|confirmed| confirmed.runs.at(viewer.time));
    let runs: Vec<&Run> = runs.iter().flat_map(|runs| runs.iter()).collect();
    let reader = Reader {
        receivable,
        viewer,
        audits: standing.audits,
    };
    let totals = || Totals::of(runs.iter().copied(), receivable.currency, viewer);
    ClaimsRow {
        receivable: receivable.id,
        currency: receivable.currency,
        face: confirmed.map(|confirmed| viewer.amount(confirmed.face, receivable.currency)),
        totals: (!runs.is_empty() && (standing.owes || standing.holds)).then(totals),
        claims: reader.claims(&runs),
        passed: reader.passed(&runs),
        payees: if standing.owes {
            reader.payees(&runs)
        } else {
            Vec::new()
        },
    }
}

struct Reader<'v> {
    receivable: &'v Receivable,
    viewer: &'v Viewer<'v>,
    audits: bool,
}

impl Reader<'_> {
    fn claims(&self, runs: &[&Run]) -> Vec<PlacedRow<ClaimRow>> {
        let own = runs
            .iter()
            .filter(|run| self.audits || run.holder == self.viewer.party);
        self.placed(own.map(|run| (run.lo..run.hi, self.facts(run))))
    }

    /// A run as the reader reads it, but for its place.
    fn facts(&self, run: &Run) -> ClaimRow {
        let state = match run.state {
            FenState::Open if run.is_overdue(self.viewer.today()) => ClaimWord::Overdue,
            FenState::Open => ClaimWord::Open,
            FenState::Settled(_) => ClaimWord::Settled,
            FenState::Cancelled(_, EndReason::Diluted) => ClaimWord::Diluted,
            FenState::Cancelled(_, EndReason::Waived) => ClaimWord::Waived,
        };
        let leg = match run.state {
            FenState::Settled(leg) => self.viewer.id::<Leg>(leg),
            _ => None,
        };
        ClaimRow {
            state,
            holder: run.holder,
            due: run.due,
            leg,
            lock: run.lock.map(|lock| LockRow {
                by: lock.by.into(),
                ends: lock.ends,
            }),
            hops: self.hops(&run.hops),
        }
    }

    /// Earlier hops reach later holders as from, to and recourse class, never as entries.
    fn hops(&self, hops: &[Hop]) -> Vec<HopRow> {
        let row = |hop: &Hop| {
            let own = self.audits || [hop.from, hop.to].contains(&self.viewer.party);
            HopRow {
                from: hop.from,
                to: hop.to,
                recourse: hop.recourse,
                by: own.then(|| hop.by.into()),
                at: own.then_some(hop.at),
            }
        };
        hops.iter().map(row).collect()
    }

    /// A former holder sees the view at its exit: what became of the fens since is not in it.
    fn passed(&self, runs: &[&Run]) -> Vec<PlacedRow<PassedRow>> {
        let mut exits = Vec::new();
        for run in runs {
            for (last, hop) in run.hops.iter().enumerate() {
                if hop.from == self.viewer.party {
                    let hops = self.hops(&run.hops[..=last]);
                    exits.push((run.lo..run.hi, PassedRow { hops }));
                }
            }
        }
        exits.sort_by_key(|(fens, exit)| (exit.hops.len(), fens.start));
        self.placed(exits.into_iter())
    }

    /// The debtor sees payees and amounts.
    fn payees(&self, runs: &[&Run]) -> Vec<PayeeRow> {
        let mut payees: BTreeMap<(PartyId, Day), Vec<&Run>> = BTreeMap::new();
        for run in runs {
            payees.entry((run.holder, run.due)).or_default().push(run);
        }
        let rows = payees.into_iter().map(|((payee, due), runs)| PayeeRow {
            payee,
            due,
            totals: Totals::of(runs.into_iter(), self.receivable.currency, self.viewer),
        });
        rows.collect()
    }

    /// Pieces in order of address as rows; neighbours that read alike are one.
    fn placed<T: PartialEq>(
        &self,
        pieces: impl Iterator<Item = (Range<u64>, T)>,
    ) -> Vec<PlacedRow<T>> {
        let mut rows: Vec<PlacedRow<T>> = Vec::new();
        for (place, facts) in pieces {
            let lo = match rows.last() {
                Some(last) if last.address.hi == place.start && last.facts == facts => {
                    rows.pop().map_or(place.start, |last| last.address.lo)
                }
                _ => place.start,
            };
            let address = Address {
                receivable: self.receivable.id,
                lo,
                hi: place.end,
            };
            rows.push(PlacedRow {
                address,
                face: self
                    .viewer
                    .amount(fens(address.len()), self.receivable.currency),
                facts,
            });
        }
        rows
    }
}
