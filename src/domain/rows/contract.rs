//! A contract, which its two parties read alike.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{Contract, ContractState};
use crate::domain::values::{
    Amount, ContractId, Currency, Day, Digest, Instant, PartyId, Rate, Reference, Size,
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
}

impl Shown for Contract {
    type Row = ContractRow;

    fn row(&self, viewer: &Viewer<'_>) -> ContractRow {
        let (state, answer_by, since) = match self.state {
            ContractState::Proposed { ends } if ends > viewer.time => {
                (ContractWord::Proposed, Some(ends), None)
            }
            ContractState::Proposed { ends } => (ContractWord::Expired, Some(ends), None),
            ContractState::Active { since } => (ContractWord::Active, None, Some(since)),
            ContractState::Declined => (ContractWord::Declined, None, None),
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
        }
    }
}
