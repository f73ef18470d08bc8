//! A delivery: it starts the payment clock and never creates a fen.

use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::table::Object;
use crate::domain::values::{
    ContractId, Day, DeliveryId, Fen, PartyId, Reason, Reference, UtcOffset,
};

/// What the debtor said of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Acceptance {
    /// Nothing: it counts as accepted on the day its inspection period ends.
    Deemed {
        /// That day.
        on: Day,
    },
    /// Accepted by the debtor.
    Accepted {
        /// The day it accepted.
        on: Day,
    },
    /// Rejected by the debtor, with its reason.
    Rejected {
        /// Why.
        reason: Reason,
    },
}

/// A delivery under a contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
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
    /// What was delivered is worth, in the contract's currency.
    pub amount: Fen,
    /// What the debtor said of it.
    pub acceptance: Acceptance,
}

/// What a delivery is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryKey {
    /// Its supplier or its debtor.
    Party(PartyId),
    /// Its contract.
    Contract(ContractId),
}

impl Object for Delivery {
    type Id = DeliveryId;
    type Key = DeliveryKey;

    fn id(&self) -> DeliveryId {
        self.id
    }

    fn keys(&self) -> Vec<DeliveryKey> {
        vec![
            DeliveryKey::Party(self.supplier),
            DeliveryKey::Party(self.debtor),
            DeliveryKey::Contract(self.contract),
        ]
    }

    fn notices(&self, offset: UtcOffset) -> Vec<Notice> {
        match self.acceptance {
            Acceptance::Deemed { on } => {
                let parties = [self.supplier, self.debtor];
                vec![Notice::to(offset.end_of(on), NoticeWord::Deemed, parties)]
            }
            Acceptance::Accepted { .. } | Acceptance::Rejected { .. } => Vec::new(),
        }
    }
}

impl Delivery {
    /// The day it is accepted or counts as accepted; none where it was rejected.
    pub fn accepted_on(&self) -> Option<Day> {
        match self.acceptance {
            Acceptance::Deemed { on } | Acceptance::Accepted { on } => Some(on),
            Acceptance::Rejected { .. } => None,
        }
    }
}
