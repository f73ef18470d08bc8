//! Operations on the ledger itself.

pub mod create;
pub mod upgrade;
