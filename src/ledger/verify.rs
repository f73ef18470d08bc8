//! Signatures: checked on a pool of threads, as a pure function of key bytes, message and signature.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::domain::Refusal;
use crate::domain::values::PublicKey;

use super::intake::Decoded;

/// An operation all of whose signatures verify. Whose keys they are is judged at the head.
#[derive(Debug)]
pub struct Verified {
    decoded: Decoded,
    keys: Vec<PublicKey>,
}

impl Verified {
    /// "Every signature present must verify."
    pub fn check(decoded: Decoded) -> Result<Verified, Refusal> {
        match decoded.envelope.forged() {
            Some(key) => Err(forged(key)),
            None => Ok(Verified {
                keys: decoded.keys(),
                decoded,
            }),
        }
    }

    /// The operation.
    pub fn operation(&self) -> &Decoded {
        &self.decoded
    }

    /// The distinct keys that signed it, sorted.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
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
