//! The pure state machine: what the ledger knows and which moves it allows. It imports no other folder, reads no
//! clock and no randomness, and does no I/O: time is an argument.

pub mod absorb;
mod consent;
pub mod draft;
pub mod fens;
pub mod financeable;
pub mod head;
pub mod invariants;
pub mod judge;
pub mod late;
pub mod limits;
pub mod notices;
pub mod objects;
pub mod operation;
pub mod ops;
pub mod payload;
pub mod payment_day;
pub mod payoff;
pub mod policy;
pub mod price;
pub mod refusal;
pub mod registry;
pub mod rows;
pub mod rulebook;
pub mod rules;
pub mod schema;
pub mod state;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
pub mod values;
pub mod visibility;
pub mod wire;

pub use refusal::Refusal;
