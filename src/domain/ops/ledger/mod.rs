//! Operations on the ledger itself.

pub mod create;
