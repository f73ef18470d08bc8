//! A contract, which its two parties read alike.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{Change, ChangeKind, Contract, ContractState, ContractTerms};
use crate::domain::values::{
    Amount, ContractId, Currency, Day, Digest, Instant, OpId, PartyId, Rate, Reference, Size,
};
use crate::domain::visibility::Viewer;

/// Where a contract stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContractWord {
    /// Waits for the other party.
    Proposed,
    /// The other party did not answer in time.
    Expired,
    /// Both agreed.
    Active,
    /// The other party declined.
    Declined,
    /// Its proposer took it back.
    Cancelled,
    /// Closed: nothing new comes under it.
    Closed,
}

/// What a change of a contract does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeWord {
    /// Puts other terms in place of the present ones.
    Amend,
    /// Closes the contract.
    Close,
}

/// The terms that an amendment puts in place of the present ones.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AmendedRow {
    /// The most that is ever registered under it; absent for a framework.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Amount>,
    /// Its last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Day>,
    /// Days from acceptance (or invoice) to payment.
    pub payment_days: u32,
    /// Days after delivery until it counts as accepted.
    pub inspection_days: u32,
    /// Late interest a day, where agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_rate: Option<Rate>,
    /// Days after the due day before late interest runs.
    pub grace_days: u32,
    /// Whether the supplier agrees to be paid by vouchers.
    pub vouchers: bool,
    /// Digest of the signed amendment.
    pub document: Digest,
}

/// A change that waits for the other party.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ChangeRow {
    /// The op id by which it is answered and cancelled.
    pub op: OpId,
    /// Which of the two proposed it.
    pub by: PartyId,
    /// What it does.
    pub kind: ChangeWord,
    /// From here on it is no more.
    pub answer_by: Instant,
    /// The terms of an amendment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<AmendedRow>,
}

/// A contract.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ContractRow {
    /// Its id.
    pub id: ContractId,
    /// Where it stands.
    pub state: ContractWord,
    /// Who delivers.
    pub supplier: PartyId,
    /// Who owes.
    pub debtor: PartyId,
    /// Which of the two proposed it.
    pub proposer: PartyId,
    /// The contract's own number.
    pub number: Reference,
    /// The currency of everything under it.
    pub currency: Currency,
    /// The most that is ever registered under it; absent for a framework.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Amount>,
    /// What is registered under it and not released.
    pub registered: Amount,
    /// The day it was concluded.
    pub concluded: Day,
    /// Its last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Day>,
    /// Days from acceptance (or invoice) to payment.
    pub payment_days: u32,
    /// Days after delivery until it counts as accepted.
    pub inspection_days: u32,
    /// The supplier's size class at signing.
    pub supplier_size: Size,
    /// The debtor's size class at signing.
    pub debtor_size: Size,
    /// Late interest a day, where the two agreed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_rate: Option<Rate>,
    /// Days after the due day before late interest runs.
    pub grace_days: u32,
    /// Whether the supplier agrees to be paid by vouchers.
    pub vouchers: bool,
    /// Digest of the signed document.
    pub document: Digest,
    /// The version of the rulebook it is under.
    pub rulebook: u32,
    /// From here on the proposal is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<Instant>,
    /// Active since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// Closed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Instant>,
    /// The change of it that waits for the other party.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeRow>,
}

impl Shown for Contract {
    type Row = ContractRow;

    fn row(&self, viewer: &Viewer<'_>) -> ContractRow {
        let (mut answer_by, mut since, mut closed) = (None, None, None);
        let state = match self.state {
            ContractState::Proposed { ends } => {
                answer_by = Some(ends);
                if ends > viewer.time {
                    ContractWord::Proposed
                } else {
                    ContractWord::Expired
                }
            }
            ContractState::Active { since: at, .. } => {
                since = Some(at);
                ContractWord::Active
            }
            ContractState::Declined => ContractWord::Declined,
            ContractState::Cancelled => ContractWord::Cancelled,
            ContractState::Closed(at) => {
                closed = Some(at);
                ContractWord::Closed
            }
        };
        let terms = &self.terms;
        ContractRow {
            id: self.id,
            state,
            supplier: self.supplier,
            debtor: self.debtor,
            proposer: self.proposer,
            number: terms.number.clone(),
            currency: terms.currency,
            value: terms.value.map(|fen| viewer.amount(fen, terms.currency)),
            registered: viewer.amount(self.registered, terms.currency),
            concluded: terms.concluded,
            ends: terms.ends,
            payment_days: terms.payment_days,
            inspection_days: terms.inspection_days,
            supplier_size: self.supplier_size,
            debtor_size: self.debtor_size,
            late_rate: terms.late_rate,
            grace_days: terms.grace_days,
            vouchers: terms.vouchers,
            document: terms.document,
            rulebook: self.rulebook,
            answer_by,
            since,
            closed,
            change: self
                .waiting_change(viewer.time)
                .map(|change| change_row(change, viewer)),
        }
    }
}

fn change_row(change: &Change, viewer: &Viewer<'_>) -> ChangeRow {
    let (kind, terms) = match &change.kind {
        ChangeKind::Amend(terms) => (ChangeWord::Amend, Some(amended_row(terms, viewer))),
        ChangeKind::Close => (ChangeWord::Close, None),
    };
    ChangeRow {
        op: change.op,
        by: change.by,
        kind,
        answer_by: change.ends,
        terms,
    }
}

fn amended_row(terms: &ContractTerms, viewer: &Viewer<'_>) -> AmendedRow {
    AmendedRow {
        value: terms.value.map(|fen| viewer.amount(fen, terms.currency)),
        ends: terms.ends,
        payment_days: terms.payment_days,
        inspection_days: terms.inspection_days,
        late_rate: terms.late_rate,
        grace_days: terms.grace_days,
        vouchers: terms.vouchers,
        document: terms.document,
    }
}
