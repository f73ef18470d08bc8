//! A request: its requester reads it whole; a lender that may bid reads who owes what, and how it came there.

use serde::Serialize;

use super::{DefencesRow, Shown};
use crate::domain::fens::fens;
use crate::domain::objects::{Bidding, Receivable, Recourse, Request, RequestState, Run};
use crate::domain::state::Stored;
use crate::domain::values::{
    Address, Addresses, Amount, Currency, Day, Instant, OfferId, PartyId, RequestId,
};
use crate::domain::visibility::Viewer;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestWord {
    /// Takes offers.
    Open,
    /// Takes no more offers; sealed ones are revealed.
    Revealing,
    /// Waits for the requester to accept an offer.
    Closed,
    /// Ended without an acceptance.
    Expired,
    /// The requester accepted an offer.
    Accepted,
    /// The requester withdrew it.
    Withdrawn,
    /// A payment or a credit took one of its fens first.
    Changed,
}

/// A request.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RequestRow {
    /// Its id.
    pub id: RequestId,
    /// Where it stands.
    pub state: RequestWord,
    /// Who owes every fen of it.
    pub debtor: PartyId,
    /// The suppliers the fens come from.
    pub suppliers: Vec<SupplierPart>,
    /// The currency of the fens.
    pub currency: Currency,
    /// What they are worth.
    pub face: Amount,
    /// When every one of them is due.
    pub due: Day,
    /// How lenders bid.
    pub bidding: Bidding,
    /// When it was opened.
    pub at: Instant,
    /// No offer from here on.
    pub closes: Instant,
    /// Sealed offers are revealed before this instant.
    pub revealed_by: Instant,
    /// From here on the request is no more.
    pub accept_by: Instant,
    /// What is offered, while the request is live.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartRow>,
    /// Who asks: to itself and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<PartyId>,
    /// What is offered, by address: to the requester and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Addresses>,
    /// The lenders asked, where it names them: to the requester and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited: Option<Vec<PartyId>>,
    /// The offer that was accepted: to the requester and to an auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<OfferId>,
}

/// A supplier's part of a request.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SupplierPart {
    /// The supplier.
    pub supplier: PartyId,
    /// Its part of the face.
    pub face: Amount,
}

/// Fens of a request that read alike.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PartRow {
    /// What they are worth.
    pub face: Amount,
    /// The debtor's defences.
    pub defences: DefencesRow,
    /// What each earlier assignor still answers for, oldest first.
    pub recourse: Vec<Recourse>,
}

impl Shown for Request {
    type Row = RequestRow;

    /// A lender reads debtor, supplier, face, due, defences, recourse class of the hops; no invoice numbers, no
    /// addresses, and not who asks or whom else.
    fn row(&self, viewer: &Viewer<'_>) -> RequestRow {
        let whole = viewer.party == self.requester || viewer.audits();
        let amount = |fen| viewer.amount(fen, self.currency);
        let suppliers = self.suppliers.iter().map(|(supplier, face)| SupplierPart {
            supplier: *supplier,
            face: amount(*face),
        });
        let accepted = match self.state {
            RequestState::Accepted(offer, _) => Some(offer),
            _ => None,
        };
        RequestRow {
            id: self.id,
            state: self.word(viewer.time),
            debtor: self.debtor,
            suppliers: suppliers.collect(),
            currency: self.currency,
            face: amount(self.face),
            due: self.due,
            bidding: self.bidding,
            at: self.at,
            closes: self.closes,
            revealed_by: self.revealed_by,
            accept_by: self.accept_by,
            parts: self.parts(viewer),
            requester: whole.then_some(self.requester),
            addresses: whole.then(|| self.addresses.clone()),
            invited: self.invited.clone().filter(|_| whole),
            accepted: accepted.filter(|_| whole),
        }
    }
}

impl Request {
    fn word(&self, time: Instant) -> RequestWord {
        match self.state {
            RequestState::Open if self.closes > time => RequestWord::Open,
            RequestState::Open if self.revealed_by > time => RequestWord::Revealing,
            RequestState::Open if self.accept_by > time => RequestWord::Closed,
            RequestState::Open => RequestWord::Expired,
            RequestState::Accepted(..) => RequestWord::Accepted,
            RequestState::Withdrawn(_) => RequestWord::Withdrawn,
            RequestState::Changed(_) => RequestWord::Changed,
        }
    }

    /// Once the request has ended its fens go their own way, and their later hops are not for its readers.
    fn parts(&self, viewer: &Viewer<'_>) -> Vec<PartRow> {
        if !self.is_live(viewer.time) {
            return Vec::new();
        }
        let mut parts: Vec<(u64, DefencesRow, Vec<Recourse>)> = Vec::new();
        for (units, defences, recourse) in self
            .addresses
            .iter()
            .flat_map(|address| pieces(address, viewer))
        {
            match parts.last_mut() {
                Some(last) if last.1 == defences && last.2 == recourse => last.0 += units,
                _ => parts.push((units, defences, recourse)),
            }
        }
        let row = |(units, defences, recourse)| PartRow {
            face: viewer.amount(fens(units), self.currency),
            defences,
            recourse,
        };
        parts.into_iter().map(row).collect()
    }
}

fn pieces(address: &Address, viewer: &Viewer<'_>) -> Vec<(u64, DefencesRow, Vec<Recourse>)> {
    let receivable = Receivable::table(viewer.state).get(address.receivable);
    let Some((receivable, confirmed)) =
        receivable.and_then(|receivable| Some((receivable, receivable.confirmed().ok()?)))
    else {
        return Vec::new();
    };
    let defences = DefencesRow::of(&confirmed.defences, receivable.currency, viewer);
    let runs = confirmed.runs.within(address.lo, address.hi);
    let piece = |run: Run| {
        let recourse = run.hops.iter().map(|hop| hop.recourse).collect();
        (run.len(), defences.clone(), recourse)
    };
    runs.map(piece).collect()
}
