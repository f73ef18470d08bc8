//! Counterfoil: procurement contracts and receivables, confirmed on a signed hash chain.

pub mod api;
pub mod bench;
pub mod chain;
pub mod cli;
pub mod client;
pub mod domain;
pub mod files;
pub mod gather;
pub mod interop;
pub mod ledger;
pub mod monitor;
pub mod outside;
pub mod proof;
pub mod store;
pub mod story;
pub mod witness;
