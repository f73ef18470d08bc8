//! Bytes and hashes: what an entry is made of and how it is signed. Knows no domain.
//!
//! The way of an operation through this folder: bytes → [`envelope::Envelope`] → signatures checked with
//! [`verifier::Verifier`] → [`line::Entry`] → [`line::Line`] with its leaf hash → [`tree::Tree`] → [`checkpoint::Checkpoint`].
//!
//! Nothing here reads a clock, opens a file or starts a thread, and nothing panics on any input.

pub mod add_checkpoint;
pub mod checkpoint;
pub mod cosignature;
pub mod envelope;
mod escape;
pub mod hash;
pub mod instant;
pub mod keys;
pub mod levels;
pub mod line;
mod lines;
pub mod note;
pub mod pae;
pub mod pem;
pub mod policy;
mod scanner;
mod text;
pub mod tiles;
pub mod tlog_proof;
pub mod tree;
pub mod verifier;

#[cfg(test)]
mod corpus_tests;

pub use add_checkpoint::AddCheckpoint;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use envelope::{Envelope, EnvelopeError};
pub use hash::Hash;
pub use keys::{PublicKey, Signature, SigningKey, verify};
pub use levels::Levels;
pub use line::{Entry, Line, LineError, Unplaced};
pub use lines::ProofTextError;
pub use note::{Note, NoteError, VerifierKey};
pub use policy::Policy;
pub use tlog_proof::TlogProof;
pub use tree::Tree;
pub use verifier::Verifier;
