//! A delivery, which its two parties read alike.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{Acceptance, Contract, Delivery};
use crate::domain::state::Stored;
use crate::domain::values::{Amount, ContractId, Day, DeliveryId, PartyId, Reason, Reference};
use crate::domain::visibility::Viewer;

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryWord {
    /// Its inspection period runs.
    Inspected,
    /// Its inspection period ended and it counts as accepted.
    Deemed,
    /// The debtor accepted it.
    Accepted,
    /// The debtor rejected it.
    Rejected,
}

/// A delivery.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// Where it stands.
    pub state: DeliveryWord,
    /// The contract it fulfils.
    pub contract: ContractId,
    /// Who delivered.
    pub supplier: PartyId,
    /// To whom.
    pub debtor: PartyId,
    /// The delivery note's number.
    pub number: Reference,
    /// The day of delivery.
    pub delivered: Day,
    /// What it is worth, in the contract's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// The day it was accepted or counts as accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_on: Option<Day>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Shown for Delivery {
    type Row = DeliveryRow;

    fn row(&self, viewer: &Viewer<'_>) -> DeliveryRow {
        let (state, reason) = match &self.acceptance {
            Acceptance::Deemed { on } if *on > viewer.today() => (DeliveryWord::Inspected, None),
            Acceptance::Deemed { .. } => (DeliveryWord::Deemed, None),
            Acceptance::Accepted { .. } => (DeliveryWord::Accepted, None),
            Acceptance::Rejected { reason } => (DeliveryWord::Rejected, Some(reason.clone())),
        };
        let contract = Contract::table(viewer.state).get(self.contract);
        DeliveryRow {
            id: self.id,
            state,
            contract: self.contract,
            supplier: self.supplier,
            debtor: self.debtor,
            number: self.number.clone(),
            delivered: self.delivered,
            amount: contract.map(|contract| viewer.amount(self.amount, contract.terms.currency)),
            accepted_on: self.accepted_on(),
            reason,
        }
    }
}
