//! Signatures: checked on a pool of threads, as a pure function of key bytes, message and signature.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::chain::{Unplaced, Verifier};
use crate::domain::Refusal;
use crate::domain::payload::Payload;
use crate::domain::values::{OpId, PublicKey};

use super::intake::Decoded;

/// An operation all of whose signatures verify, with all that can be made of it before its place in the chain is known.
/// Whose keys they are is judged at the head.
#[derive(Debug)]
pub struct Verified {
    /// Its id.
    pub op: OpId,
    /// What was signed.
    pub payload: Payload,
    /// The distinct keys that signed it, sorted.
    pub keys: Vec<PublicKey>,
    /// Its entry's line but for the place.
    pub line: Unplaced,
}

impl Verified {
    /// "Every signature present must verify."
    pub fn check(decoded: Decoded, verifier: &Verifier) -> Result<Verified, Refusal> {
        if let Some(key) = decoded.envelope.forged(verifier) {
            return Err(forged(key));
        }
        Ok(Verified {
            op: decoded.op,
            keys: decoded.keys(),
            line: Unplaced::of(&decoded.envelope)
                .expect("an envelope without signature is not decoded"),
            payload: decoded.payload,
        })
    }
}

/// The refusal of an envelope on which `key`'s signature does not verify.
pub fn forged(key: crate::chain::PublicKey) -> Refusal {
    Refusal::new(
        "signature.invalid",
        "a signature on the envelope does not verify",
    )
    .input("keyid", key)
}

/// The threads that verify; `None` takes one for each core.
pub fn pool(threads: Option<usize>) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .thread_name(|i| format!("verify-{i}"))
        .build()
}
