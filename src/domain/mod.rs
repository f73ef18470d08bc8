//! The pure state machine: what the ledger knows and which moves it allows.
