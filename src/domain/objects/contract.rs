//! A contract between a supplier and a debtor, from which deliveries, invoices and receivables come.

use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::table::Object;
use crate::domain::values::{
    ContractId, Currency, Day, Digest, Fen, Instant, OpId, PartyId, Rate, Reference, Size,
    UtcOffset,
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

/// How and when what is registered is to be paid. A receivable keeps those of its registration, so that no later
/// amendment harms whoever holds its fens (Civil Code art. 765).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TermsOfPayment {
    /// Days from acceptance (or invoice) to payment.
    pub payment_days: u32,
    /// Late interest a day where the two agreed one; else the rulebook's.
    pub late_rate: Option<Rate>,
    /// Days after the due day before late interest runs.
    pub grace_days: u32,
}

impl ContractTerms {
    /// What a receivable that is registered now keeps of them.
    pub fn of_payment(&self) -> TermsOfPayment {
        TermsOfPayment {
            payment_days: self.payment_days,
            late_rate: self.late_rate,
            grace_days: self.grace_days,
        }
    }
}

/// What a change of an active contract does.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeKind {
    /// These terms take the place of the present ones.
    Amend(Box<ContractTerms>),
    /// Nothing new comes under the contract any more.
    Close,
}

/// A change of an active contract that one of the two proposed and the other has not answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The operation that proposed it: whoever answers names it, and so answers no other than it saw.
    pub op: OpId,
    /// Which of the two proposed it.
    pub by: PartyId,
    /// What it does.
    pub kind: ChangeKind,
    /// From here on it is no more.
    pub ends: Instant,
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
        /// The change that waits for the other party, if one does; one that has ended reads as none.
        change: Option<Change>,
    },
    /// The other party declined.
    Declined,
    /// Its proposer took it back before it was answered.
    Cancelled,
    /// Both closed it at the instant: what exists under it runs on, nothing new comes under it.
    Closed(Instant),
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
    /// The operation that proposed its change.
    Change(OpId),
}

impl Object for Contract {
    type Id = ContractId;
    type Key = ContractKey;

    fn id(&self) -> ContractId {
        self.id
    }

    fn keys(&self) -> Vec<ContractKey> {
        let mut keys = vec![
            ContractKey::Party(self.supplier),
            ContractKey::Party(self.debtor),
            ContractKey::Number(
                self.proposer,
                self.counterparty(),
                self.terms.number.clone(),
            ),
        ];
        keys.extend(self.change().map(|change| ContractKey::Change(change.op)));
        keys
    }

    fn notices(&self, _: UtcOffset) -> Vec<Notice> {
        let ends = match &self.state {
            ContractState::Proposed { ends } => Some(*ends),
            _ => self.change().map(|change| change.ends),
        };
        let expired = |ends| Notice::to(ends, NoticeWord::Expired, [self.supplier, self.debtor]);
        ends.map(expired).into_iter().collect()
    }
}

impl Contract {
    /// Who was asked to accept it.
    pub fn counterparty(&self) -> PartyId {
        self.other(self.proposer)
    }

    /// The other of the two.
    pub fn other(&self, party: PartyId) -> PartyId {
        if party == self.supplier {
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
            .remedy("the change of an active contract is named by its op id, as `change`")
        })?;
        Ok(self)
    }

    /// Its latest change that was neither answered nor taken back, though it may have ended.
    pub fn change(&self) -> Option<&Change> {
        match &self.state {
            ContractState::Active { change, .. } => change.as_ref(),
            _ => None,
        }
    }

    /// Its change that waits for the other party at `time`.
    pub fn waiting_change(&self, time: Instant) -> Option<&Change> {
        self.change().filter(|change| change.ends > time)
    }

    /// Ends its change: answered, taken back or done.
    pub fn drop_change(&mut self) {
        if let ContractState::Active { change, .. } = &mut self.state {
            *change = None;
        }
    }

    /// Does to it, at `time`, what both agreed on.
    pub fn apply(&mut self, kind: ChangeKind, time: Instant) {
        self.drop_change();
        match kind {
            ChangeKind::Amend(terms) => self.terms = *terms,
            ChangeKind::Close => self.state = ContractState::Closed(time),
        }
    }

    /// The contract, if its value is not below what is registered under it.
    pub fn worth_what_is_registered(&self) -> Result<&Contract, Refusal> {
        let value = self.terms.value.filter(|value| *value < self.registered);
        match value {
            None => Ok(self),
            Some(value) => Err(Refusal::new(
                "contract.below_registered",
                "the value would fall below what is registered under the contract",
            )
            .input("contract", self.id)
            .input("value_units", value)
            .input("registered_units", self.registered)
            .remedy("a value of at least what is registered, or none")),
        }
    }

    /// Whether its number is taken at `time`: by a contract that is or was active or may become so.
    pub fn takes_number(&self, time: Instant) -> bool {
        match self.state {
            ContractState::Proposed { ends } => ends > time,
            ContractState::Active { .. } | ContractState::Closed(_) => true,
            ContractState::Declined | ContractState::Cancelled => false,
        }
    }

    /// What may still be registered under it; `None` where a framework sets no bound.
    pub fn room(&self) -> Option<Fen> {
        self.terms
            .value
            .map(|value| value.checked_sub(self.registered).unwrap_or(Fen::ZERO))
    }
}
