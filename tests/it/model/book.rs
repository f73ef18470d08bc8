//! What the model knows: every object as a plain record, and of a confirmed receivable a record per fen.
//!
//! Nothing here is derived from the crate's state machine. What can be counted is counted anew each time (what an
//! invoice has consumed, what a limit has blocked), and what ends by time is ended as time passes.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::domain::objects::{
    Basis, Discharge, ObligationKind, OfferTerms, Purpose, Recourse,
};
use counterfoil::domain::policy::PolicyRule;
use counterfoil::domain::values::{
    AccountId, ContractId, Currency, DeliveryId, Digest, FinancingId, InvoiceId, LegId, LimitId,
    ObligationId, OfferId, OpId, PartyId, Power, PublicKey, ReceivableId, RequestId, Role, Scope,
    Size, TransferId,
};

use super::days::{Calendar, Day, Sum, Time};
use super::fen::{Address, Fen};

/// Everything the model knows.
#[derive(Debug, Clone)]
pub(super) struct Book {
    /// Every rulebook's numbers in order of publication, with the first day on which they count.
    pub(super) editions: Vec<(Day, Numbers)>,
    pub(super) engine: u32,
    /// The keys of the checkpoints that came after the first, each with the entry that brought it.
    pub(super) ledger_keys: Vec<(u64, PublicKey)>,
    /// How many entries there are.
    pub(super) entries: u64,
    pub(super) now: Time,
    /// The operation under judgement, and how many obligations it has made.
    pub(super) op: OpId,
    pub(super) obligations_made: u32,
    /// Whose consent stands on it beside the actor's.
    pub(super) signed: Vec<PartyId>,
    /// The receivables whose fens it has written.
    pub(super) touched: BTreeSet<ReceivableId>,
    pub(super) parties: BTreeMap<PartyId, Party>,
    pub(super) accounts: BTreeMap<AccountId, Account>,
    pub(super) contracts: BTreeMap<ContractId, Contract>,
    pub(super) deliveries: BTreeMap<DeliveryId, Delivery>,
    pub(super) invoices: BTreeMap<InvoiceId, Invoice>,
    pub(super) receivables: BTreeMap<ReceivableId, Receivable>,
    pub(super) transfers: BTreeMap<TransferId, Transfer>,
    pub(super) limits: BTreeMap<LimitId, Limit>,
    pub(super) requests: BTreeMap<RequestId, Request>,
    pub(super) offers: BTreeMap<OfferId, Offer>,
    pub(super) financings: BTreeMap<FinancingId, Financing>,
    pub(super) legs: BTreeMap<LegId, Leg>,
    pub(super) obligations: BTreeMap<ObligationId, Obligation>,
    /// Operations that a party has barred for itself.
    pub(super) barred: BTreeSet<(OpId, PartyId)>,
}

/// The rulebook's numbers.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    pub(super) calendar: Calendar,
    pub(super) decimals: BTreeMap<Currency, u8>,
    /// From which day, and the numerator of the yearly rate.
    pub(super) lpr: Vec<(Day, i64)>,
    pub(super) term_from: Day,
    pub(super) government_days: i64,
    pub(super) government_days_at_most: i64,
    pub(super) large_days: i64,
    pub(super) late_rate: i64,
    pub(super) voucher_months: i64,
    pub(super) voucher_months_at_most: i64,
    pub(super) unit: usize,
    pub(super) depth: usize,
    pub(super) cut_off_days: i64,
    pub(super) cooling_days: i64,
    pub(super) leg_days: i64,
    pub(super) reveal_hours: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) roles: BTreeSet<Role>,
    pub(super) scopes: BTreeSet<Scope>,
    pub(super) kyc_valid_to: Option<Day>,
    pub(super) suspension: Option<Suspension>,
    pub(super) keys: Keys,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Suspension {
    pub(super) from: Time,
    pub(super) ends: Time,
    /// What the operator may do alone counts from here.
    pub(super) counted_from: Time,
    pub(super) by_authority: bool,
}

/// A party's keys by name, with their powers, and its policy.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Keys {
    pub(super) live: BTreeMap<PartyId, BTreeSet<Power>>,
    /// Every key that was ever brought in.
    pub(super) ever: Vec<PublicKey>,
    pub(super) rules: Vec<PolicyRule>,
    /// What will happen, in order of time.
    pub(super) pending: Vec<Pending>,
    /// When all that was asked for would have happened, the vetoed too, where that lies ahead.
    pub(super) asked: Vec<Time>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pending {
    pub(super) op: OpId,
    pub(super) at: Time,
    pub(super) change: Change,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Add(PartyId, BTreeSet<Power>),
    Revoke(PartyId),
    Policy(Vec<PolicyRule>),
    Recover(PartyId, BTreeSet<Power>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AccountState {
    Added(Time),
    /// Its bank was silent.
    Lapsed,
    Attested(Time),
    Closed,
}

#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) party: PartyId,
    pub(super) bank: PartyId,
    pub(super) currency: Currency,
    pub(super) state: AccountState,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ContractState {
    Proposed(Time),
    Lapsed,
    Active,
    Declined,
    Cancelled,
    Closed,
}

/// What an amendment puts in place of what a contract says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terms {
    pub(super) value: Option<Sum>,
    pub(super) ends: Option<Day>,
    pub(super) payment_days: i64,
    pub(super) inspection_days: i64,
    pub(super) late_rate: Option<i64>,
    pub(super) grace_days: i64,
    pub(super) vouchers: bool,
}

/// A change of a contract that was proposed and not answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ContractChange {
    pub(super) op: OpId,
    pub(super) by: PartyId,
    /// None to close it.
    pub(super) terms: Option<Terms>,
    pub(super) ends: Time,
    /// Its time has not come.
    pub(super) waits: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Contract {
    pub(super) supplier: PartyId,
    pub(super) debtor: PartyId,
    pub(super) proposer: PartyId,
    pub(super) number: String,
    pub(super) currency: Currency,
    pub(super) concluded: Day,
    pub(super) terms: Terms,
    /// Of the supplier and of the debtor, at signing.
    pub(super) sizes: (Size, Size),
    pub(super) state: ContractState,
    pub(super) change: Option<ContractChange>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Acceptance {
    Deemed(Day),
    Accepted(Day),
    Rejected,
}

#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) contract: ContractId,
    pub(super) supplier: PartyId,
    pub(super) debtor: PartyId,
    pub(super) acceptance: Acceptance,
}

#[derive(Debug, Clone)]
pub(super) struct Invoice {
    pub(super) contract: ContractId,
    pub(super) supplier: PartyId,
    pub(super) debtor: PartyId,
    pub(super) currency: Currency,
    /// Numbers as they are compared, and documents, of itself and of its credit notes.
    pub(super) numbers: Vec<String>,
    pub(super) documents: Vec<Digest>,
    pub(super) issued: Day,
    pub(super) deliveries: Vec<DeliveryId>,
    pub(super) gross: Sum,
    /// Below zero where more was prepaid than is due.
    pub(super) payable: Sum,
    pub(super) credited: Sum,
    pub(super) attested: bool,
    pub(super) flag: Option<(PartyId, Time)>,
    pub(super) booked: bool,
    pub(super) void: bool,
    /// Dilution that no receivable bears.
    pub(super) borne_by_none: Sum,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stage {
    Registered,
    Confirmed,
    Declined,
    Withdrawn,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    pub(super) invoice: InvoiceId,
    /// Waits for the debtor, disputed or not.
    pub(super) registered: Sum,
    pub(super) disputed: Sum,
    pub(super) confirmed: Sum,
    pub(super) cancelled: Sum,
    pub(super) diluted: Sum,
}

#[derive(Debug, Clone)]
pub(super) struct Receivable {
    pub(super) contract: ContractId,
    pub(super) supplier: PartyId,
    pub(super) debtor: PartyId,
    pub(super) currency: Currency,
    /// What its contract said when it was registered.
    pub(super) terms: Terms,
    pub(super) at: Time,
    pub(super) shares: Vec<Share>,
    pub(super) stage: Stage,
    /// The due day that its confirmation fixed.
    pub(super) due: Day,
    /// The day of the confirmation.
    pub(super) confirmed: Day,
    /// One record per fen of `[0, C)`.
    pub(super) fens: Vec<Fen>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum TransferState {
    Proposed,
    Expired,
    Accepted,
    Declined,
    Cancelled,
    Changed,
}

#[derive(Debug, Clone)]
pub(super) struct Transfer {
    pub(super) from: PartyId,
    pub(super) to: PartyId,
    pub(super) addresses: Vec<Address>,
    pub(super) currency: Currency,
    pub(super) recourse: Recourse,
    pub(super) basis: Basis,
    pub(super) at: Time,
    pub(super) expires: Time,
    pub(super) state: TransferState,
}

#[derive(Debug, Clone)]
pub(super) struct Limit {
    pub(super) lender: PartyId,
    pub(super) debtor: PartyId,
    pub(super) supplier: Option<PartyId>,
    pub(super) currency: Currency,
    pub(super) amount: Sum,
    pub(super) valid_to: Day,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum RequestState {
    Open,
    Expired,
    Accepted(OfferId),
    Withdrawn,
    Changed,
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) requester: PartyId,
    pub(super) debtor: PartyId,
    pub(super) currency: Currency,
    pub(super) addresses: Vec<Address>,
    pub(super) due: Day,
    pub(super) invited: Option<Vec<PartyId>>,
    pub(super) at: Time,
    pub(super) sealed: bool,
    pub(super) closes: Time,
    pub(super) revealed_by: Time,
    pub(super) accept_by: Time,
    pub(super) state: RequestState,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum OfferState {
    Committed(Digest),
    Standing(OfferTerms),
    Withdrawn,
    Accepted,
}

#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) request: RequestId,
    pub(super) lender: PartyId,
    pub(super) at: Time,
    pub(super) state: OfferState,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum FinancingState {
    /// For its money, until the instant.
    Waits(Time),
    /// It waited in vain.
    Expired,
    Funded {
        leg: LegId,
        price: Sum,
    },
    Cancelled,
    Changed,
    Reversed,
}

#[derive(Debug, Clone)]
pub(super) struct Financing {
    pub(super) request: RequestId,
    pub(super) lender: PartyId,
    pub(super) requester: PartyId,
    pub(super) addresses: Vec<Address>,
    pub(super) due: Day,
    pub(super) terms: OfferTerms,
    /// Which limits it draws on, and how much on each.
    pub(super) limits: Vec<(LimitId, Sum)>,
    pub(super) state: FinancingState,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum LegState {
    Announced,
    Lapsed,
    Attested,
    Reversed,
}

#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub(super) purpose: Purpose,
    pub(super) payer: PartyId,
    pub(super) payee: PartyId,
    pub(super) account: AccountId,
    pub(super) bank: PartyId,
    pub(super) amount: Sum,
    pub(super) currency: Currency,
    pub(super) value_date: Day,
    pub(super) end_to_end_id: String,
    pub(super) discharges: Vec<Discharge>,
    pub(super) at: Time,
    pub(super) lapses: Time,
    pub(super) contested: bool,
    pub(super) reference: Option<(PartyId, String)>,
    pub(super) state: LegState,
    /// What its attestation did.
    pub(super) booked: Sum,
    pub(super) discharged: Vec<(ObligationId, Sum)>,
    pub(super) made: Vec<ObligationId>,
    pub(super) funded: Option<FinancingId>,
    /// It lapsed before it was attested.
    pub(super) late: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Obligation {
    pub(super) from: PartyId,
    pub(super) to: PartyId,
    pub(super) kind: ObligationKind,
    pub(super) currency: Currency,
    pub(super) amount: Sum,
    pub(super) discharged: Sum,
    pub(super) waived: Sum,
    pub(super) due: Day,
    pub(super) leg: LegId,
    pub(super) ended: bool,
}

impl Obligation {
    pub(super) fn outstanding(&self) -> Sum {
        if self.ended {
            0
        } else {
            self.amount - self.discharged - self.waived
        }
    }
}
