//! The pure state machine: what the ledger knows and which moves it allows.

pub mod rulebook;
pub mod values;
pub mod wire;
