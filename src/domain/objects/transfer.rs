//! A transfer: fens passed on to pay a debt between the two, never for money.

use serde::{Deserialize, Serialize};

use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::table::Object;
use crate::domain::values::{
    Addresses, ContractId, Currency, Fen, Instant, InvoiceId, PartyId, ReceivableId, TransferId,
    UtcOffset,
};

/// What an assignor still answers for if the debtor does not pay.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Recourse {
    /// Nothing.
    None,
    /// The last assignor alone answers.
    Last,
    /// Every assignor of the chain answers.
    Chain,
}

/// The debt between the two that a transfer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A contract in which the assignee supplies the assignor.
    Contract(ContractId),
    /// An invoice of the assignee to the assignor.
    Invoice(InvoiceId),
}

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferState {
    /// Waits for the assignee until `expires`.
    Proposed,
    /// Title moved.
    Accepted(Instant),
    /// The assignee declined.
    Declined,
    /// The assignor cancelled.
    Cancelled,
    /// A payment or a credit took one of its fens first.
    Changed(Instant),
}

/// A transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer {
    /// Its id.
    pub id: TransferId,
    /// The assignor.
    pub from: PartyId,
    /// The assignee.
    pub to: PartyId,
    /// What is passed on.
    pub addresses: Addresses,
    /// The currency of the fens.
    pub currency: Currency,
    /// How many fens.
    pub face: Fen,
    /// What the assignor still answers for.
    pub recourse: Recourse,
    /// The debt it pays.
    pub basis: Basis,
    /// From here on the proposal is no more.
    pub expires: Instant,
    /// When it was proposed.
    pub at: Instant,
    /// Where it stands.
    pub state: TransferState,
}

/// What a transfer is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TransferKey {
    /// Its assignor or its assignee.
    Party(PartyId),
    /// A receivable whose fens it names.
    Receivable(ReceivableId),
}

impl Object for Transfer {
    type Id = TransferId;
    type Key = TransferKey;

    fn id(&self) -> TransferId {
        self.id
    }

    fn keys(&self) -> Vec<TransferKey> {
        let mut keys = vec![TransferKey::Party(self.from), TransferKey::Party(self.to)];
        let receivables = self.addresses.by_receivable();
        keys.extend(receivables.map(|named| TransferKey::Receivable(named[0].receivable)));
        keys
    }

    fn notices(&self, _: UtcOffset) -> Vec<Notice> {
        let parties = [self.from, self.to];
        match self.state {
            TransferState::Proposed => {
                vec![Notice::to(self.expires, NoticeWord::Expired, parties)]
            }
            TransferState::Changed(at) => vec![Notice::to(at, NoticeWord::Changed, parties)],
            TransferState::Accepted(_) | TransferState::Declined | TransferState::Cancelled => {
                Vec::new()
            }
        }
    }
}

impl Transfer {
    /// The transfer, if it still waits for its assignee at `time`.
    pub fn proposed(&self, time: Instant) -> Result<&Transfer, Refusal> {
        ensure(
            self.state == TransferState::Proposed && self.expires > time,
            || {
                Refusal::new(
                    "transfer.not_proposed",
                    "the transfer does not wait for an answer",
                )
                .input("transfer", self.id)
            },
        )?;
        Ok(self)
    }
}
