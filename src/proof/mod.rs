//! What a stranger verifies offline: a receipt, a tree of tiles, an export, each against a policy (C2SP tlog-policy).
//!
//! A [`Report`] says step by step what was checked and which step failed. Every step has a stable code. Nothing here needs
//! the ledger, its data or the network, nothing panics on any bytes, and no file is read further than its kind may be long.

mod chain;
mod export;
mod receipt;
mod report;
mod tiles;
mod under;

pub use export::{Lines, check_export};
pub use receipt::{RECEIPT_LEN_MAX, Receipt, ReceiptError, check_receipt};
pub use report::{Outcome, Report, Step};
pub use tiles::{Files, Folder, Unreadable, check_tiles};

#[cfg(test)]
mod tests;
