//! The ledger: takes signed envelopes, judges them, writes the hash chain durably and answers.
//!
//! The way of one operation is its types: bytes with a [`Ticket`](queue::Ticket) → [`Decoded`](intake::Decoded) →
//! [`Verified`](verify::Verified) → [`Outcome`](sequencer::Outcome) → [`Batch`](batch::Batch) →
//! [`Published`](committer::Published) → [`Answer`]. Signatures are verified on a pool of threads; one thread sequences, one persists,
//! one keeps the index. What those threads run, the [`sequencer`] above all, reads no clock and does no I/O of its own.
//!
//! Every answer waits until the entries that it was computed from are durable.

mod answer;
pub mod audit;
mod batch;
mod check;
pub mod clock;
pub mod committer;
mod gate;
mod handle;
mod history;
mod indexer;
pub mod init;
pub mod intake;
pub mod keyfile;
mod lookup;
mod open;
mod past;
mod pending;
mod pipeline;
mod prove;
pub mod queue;
pub mod replay;
mod secrets;
pub mod sequencer;
mod status;
pub mod verify;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Receipt};
pub use check::Checked;
pub use clock::ClockChoice;
pub use handle::{At, Ledger, Ready};
pub use history::HistoryError;
pub use init::{InitError, InitOptions, init};
pub use lookup::{Feed, LookupError};
pub use open::{Config, StartError, accept_head};
pub use past::{Past, PastError};
pub use pending::Pending;
pub use secrets::SecretsError;
pub use status::{StopReason, Stopped};
pub use verify::VERIFIED_AT_ONCE;
