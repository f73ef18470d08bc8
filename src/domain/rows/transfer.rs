//! A transfer, which its assignor and its assignee read alike.

use serde::Serialize;

use super::{DefencesRow, Shown};
use crate::domain::objects::{Basis, Receivable, Recourse, Transfer, TransferState};
use crate::domain::state::Stored;
use crate::domain::values::{
    Addresses, Amount, Currency, Day, Instant, PartyId, ReceivableId, TransferId,
};
use crate::domain::visibility::Viewer;

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferWord {
    /// Waits for the assignee.
    Proposed,
    /// The assignee did not answer in time.
    Expired,
    /// Title moved.
    Accepted,
    /// The assignee declined.
    Declined,
    /// The assignor cancelled.
    Cancelled,
    /// A payment or a credit took one of its fens first.
    Changed,
}

/// A transfer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TransferRow {
    /// Its id.
    pub id: TransferId,
    /// Where it stands.
    pub state: TransferWord,
    /// The assignor.
    pub from: PartyId,
    /// The assignee.
    pub to: PartyId,
    /// What is passed on.
    pub addresses: Addresses,
    /// The currency of the fens.
    pub currency: Currency,
    /// What they are worth.
    pub face: Amount,
    /// What the assignor still answers for.
    pub recourse: Recourse,
    /// The debt it pays.
    pub basis: Basis,
    /// When it was proposed.
    pub at: Instant,
    /// From here on the proposal is no more.
    pub expires: Instant,
    /// Accepted or changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// Who owes what is passed on, and how.
    pub offered: Vec<OfferedRow>,
}

/// What an assignee is offered of one receivable.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct OfferedRow {
    /// The receivable.
    pub receivable: ReceivableId,
    /// Who owes it.
    pub debtor: PartyId,
    /// When it is due.
    pub due: Day,
    /// The debtor's defences.
    pub defences: DefencesRow,
}

impl Shown for Transfer {
    type Row = TransferRow;

    fn row(&self, viewer: &Viewer<'_>) -> TransferRow {
        let (state, since) = match self.state {
            TransferState::Proposed if self.expires > viewer.time => (TransferWord::Proposed, None),
            TransferState::Proposed => (TransferWord::Expired, None),
            TransferState::Accepted(at) => (TransferWord::Accepted, Some(at)),
            TransferState::Declined => (TransferWord::Declined, None),
            TransferState::Cancelled => (TransferWord::Cancelled, None),
            TransferState::Changed(at) => (TransferWord::Changed, Some(at)),
        };
        let mut offered: Vec<OfferedRow> = self
            .addresses
            .iter()
            .filter_map(|address| OfferedRow::of(address.receivable, viewer))
            .collect();
        offered.dedup();
        TransferRow {
            id: self.id,
            state,
            from: self.from,
            to: self.to,
            addresses: self.addresses.clone(),
            currency: self.currency,
            face: viewer.amount(self.face, self.currency),
            recourse: self.recourse,
            basis: self.basis,
            at: self.at,
            expires: self.expires,
            since,
            offered,
        }
    }
}

impl OfferedRow {
    /// The terms of a receivable's confirmation, which nothing changes: so an old transfer tells nothing new.
    fn of(id: ReceivableId, viewer: &Viewer<'_>) -> Option<OfferedRow> {
        let receivable = Receivable::table(viewer.state).get(id)?;
        let confirmed = receivable.confirmed().ok()?;
        Some(OfferedRow {
            receivable: id,
            debtor: receivable.debtor,
            due: confirmed.due,
            defences: DefencesRow::of(&confirmed.defences, receivable.currency, viewer),
        })
    }
}
