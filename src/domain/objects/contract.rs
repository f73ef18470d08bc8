//! A contract between a supplier and a debtor, from which deliveries, invoices and receivables come.

use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::table::Object;
use crate::domain::values::{
    ContractId, Currency, Day, Digest, Fen, Instant, PartyId, Rate, Reference, Size, UtcOffset,
};

/// What the two agreed.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractTerms {
    /// The contract's own number: unique per proposer and pair.
    pub number: Reference,
    /// The currency of everything under it.
    pub currency: Currency,
    /// The most that is ever registered under it; none for a framework.
    pub value: Option<Fen>,
    /// The day it was concluded, which its rules are compared with.
    pub concluded: Day,
    /// Its last day, where it has one.
    pub ends: Option<Day>,
    /// Days from acceptance (or invoice) to payment.
    pub payment_days: u32,
    /// Days after delivery until it counts as accepted.
    pub inspection_days: u32,
    /// Late interest a day where the two agreed one; else the rulebook's.
    pub late_rate: Option<Rate>,
    /// Days after the due day before late interest runs.
    pub grace_days: u32,
    /// Whether the supplier agrees to be paid by vouchers.
    pub vouchers: bool,
    /// Digest of the signed document.
    pub document: Digest,
}

/// Where a contract stands.
#[derive(Debug, Clone, PartialEq)]
pub enum ContractState {
    /// Waits for the other party until the instant.
    Proposed {
        /// From here on the proposal is no more.
        ends: Instant,
    },
    /// Both agreed.
    Active {
        /// Since when.
        since: Instant,
    },
    /// The other party declined.
    Declined,
}

/// A contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// Who delivers.
    pub supplier: PartyId,
    /// Who owes.
    pub debtor: PartyId,
    /// Which of the two proposed it.
    pub proposer: PartyId,
    /// The supplier's size class at signing.
    pub supplier_size: Size,
    /// The debtor's size class at signing.
    pub debtor_size: Size,
    /// What they agreed.
    pub terms: ContractTerms,
    /// The version of the rulebook in force when it was concluded.
    pub rulebook: u32,
    /// Where it stands.
    pub state: ContractState,
    /// What is registered under it and not released, with the face of accepted transfers that it is the basis of.
    pub registered: Fen,
}

/// What a contract is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContractKey {
    /// Its supplier or its debtor.
    Party(PartyId),
    /// Its number: proposer, counterparty, number.
    Number(PartyId, PartyId, Reference),
}

impl Object for Contract {
    type Id = ContractId;
    type Key = ContractKey;

    fn id(&self) -> ContractId {
        self.id
    }

    fn keys(&self) -> Vec<ContractKey> {
        vec![
            ContractKey::Party(self.supplier),
            ContractKey::Party(self.debtor),
            ContractKey::Number(
                self.proposer,
                self.counterparty(),
                self.terms.number.clone(),
            ),
        ]
    }

    fn notices(&self, _: UtcOffset) -> Vec<Notice> {
        match self.state {
            ContractState::Proposed { ends } => {
                let parties = [self.supplier, self.debtor];
                vec![Notice::to(ends, NoticeWord::Expired, parties)]
            }
            ContractState::Active { .. } | ContractState::Declined => Vec::new(),
        }
    }
}

impl Contract {
    /// Who was asked to accept it.
    pub fn counterparty(&self) -> PartyId {
        if self.proposer == self.supplier {
            self.debtor
        } else {
            self.supplier
        }
    }

    /// Whether `party` is one of the two.
    pub fn is_between(&self, party: PartyId) -> bool {
        party == self.supplier || party == self.debtor
    }

    /// The contract, if both agreed to it.
    pub fn active(&self) -> Result<&Contract, Refusal> {
        ensure(matches!(self.state, ContractState::Active { .. }), || {
            Refusal::new("contract.not_active", "the contract is not active")
                .input("contract", self.id)
        })?;
        Ok(self)
    }

    /// The contract, if its proposal still waits at `time`.
    pub fn proposed(&self, time: Instant) -> Result<&Contract, Refusal> {
        let waits = matches!(self.state, ContractState::Proposed { ends } if ends > time);
        ensure(waits, || {
            Refusal::new(
                "contract.not_proposed",
                "the contract does not wait for an answer",
            )
            .input("contract", self.id)
        })?;
        Ok(self)
    }

    /// Whether its number is taken at `time`: by a contract that is active or may become so.
    pub fn takes_number(&self, time: Instant) -> bool {
        match self.state {
            ContractState::Proposed { ends } => ends > time,
            ContractState::Active { .. } => true,
            ContractState::Declined => false,
        }
    }

    /// What may still be registered under it; `None` where a framework sets no bound.
    pub fn room(&self) -> Option<Fen> {
        self.terms
            .value
            .map(|value| value.checked_sub(self.registered).unwrap_or(Fen::ZERO))
    }
}
