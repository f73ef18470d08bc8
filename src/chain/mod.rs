//! Bytes and hashes: what an entry is made of and how it is signed. Knows no domain.
//!
//! The way of an operation through this folder: bytes → [`envelope::Envelope`] → signatures checked with
//! [`keys::verify`] → [`line::Entry`] → [`line::Line`] with its leaf hash → [`tree::Tree`] → [`checkpoint::Checkpoint`].
//!
//! Nothing here reads a clock, opens a file or starts a thread, and nothing panics on any input.

pub mod envelope;
mod escape;
pub mod hash;
pub mod instant;
pub mod keys;
pub mod line;
pub mod pae;
mod text;

pub use envelope::{Envelope, EnvelopeError};
pub use hash::Hash;
pub use keys::{PublicKey, Signature, SigningKey, verify};
pub use line::{Entry, Line, LineError};
