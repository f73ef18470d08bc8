//! The operations, one file each: its body in wire order, who signs, the guards, the effects, the refusals.

pub mod account;
pub mod claim;
pub mod contract;
pub mod delivery;
pub mod financing;
pub mod invoice;
pub mod key;
pub mod ledger;
pub mod leg;
pub mod limit;
pub mod obligation;
pub mod offer;
pub mod operation;
pub mod party;
pub mod policy;
pub mod receivable;
pub mod request;
pub mod rulebook;
pub mod transfer;
