//! The objects of the ledger: their states as types, and what they can say of themselves alone.

mod account;
mod barred;
mod contract;
mod delivery;
mod financing;
mod invoice;
mod ledger;
mod leg;
mod limit;
mod obligation;
mod offer;
mod party;
mod receivable;
mod request;
mod runs;
mod transfer;

#[cfg(test)]
mod waiting;

pub use account::{Account, AccountKey, AccountState};
pub use barred::{Barred, BarredId};
pub use contract::{
    Change, ChangeKind, Contract, ContractKey, ContractState, ContractTerms, TermsOfPayment,
};
pub use delivery::{Acceptance, Delivery, DeliveryKey};
pub use financing::{Financing, FinancingKey, FinancingState, Funding};
pub use invoice::{Attestation, Credit, Flag, Invoice, InvoiceKey, InvoiceState};
pub use ledger::{Engine, Ledger, LedgerKey};
pub use leg::{Attested, Discharge, Leg, LegKey, LegState, Purpose};
pub use limit::{Block, Limit, LimitKey};
pub use obligation::{Cause, Obligation, ObligationKey, ObligationKind};
pub use offer::{
    Bearer, Fee, Interest, Offer, OfferKey, OfferKind, OfferState, OfferTerms, commitment,
};
pub use party::{
    DatedPolicy, DayTotal, KeyChange, Party, PartyKey, PartyLink, PendingChange, Suspension,
};
pub use receivable::{
    Confirmed, DefenceKind, Defences, Dispute, Receivable, ReceivableKey, ReservedDefence, Share,
    Stage,
};
pub use request::{Bidding, Request, RequestKey, RequestState};
pub use runs::{Disposition, EndReason, FenState, Hop, Lock, Run, Runs};
pub use transfer::{Basis, Recourse, Transfer, TransferKey, TransferState};
