//! Signatures: checked on a pool of threads, as a pure function of key bytes, message and signature.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::chain::{self, Envelope, Unplaced, Verifier};
use crate::domain::Refusal;
use crate::domain::payload::Payload;
use crate::domain::values::{OpId, PublicKey};

use super::intake::Decoded;

/// Operations that one thread verifies together: so many share one inversion, and are judged that much later.
pub const VERIFIED_AT_ONCE: usize = 16;

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

/// Why an envelope comes to nothing, whatever the state.
#[derive(Debug)]
pub enum Unfit {
    /// It is no envelope of a canonical operation.
    Malformed(Refusal),
    /// A signature on it does not verify.
    Forged {
        /// The operation's id.
        op: OpId,
        /// Whose signature.
        refusal: Refusal,
    },
}

impl Verified {
    /// Reads encoded envelopes and verifies them together. "Every signature present must verify."
    pub fn read_all<'e>(
        envelopes: impl Iterator<Item = &'e [u8]>,
        verifier: &Verifier,
    ) -> Vec<Result<Verified, Unfit>> {
        let decode = |envelope| Decoded::read(envelope).map_err(Unfit::Malformed);
        let decoded = envelopes.map(decode).collect();
        let verified = with_forged(decoded, |decoded| &decoded.envelope, verifier);
        verified
            .map(|verified| match verified? {
                (decoded, None) => Ok(Verified::of(decoded)),
                (decoded, Some(key)) => Err(Unfit::Forged {
                    op: decoded.op,
                    refusal: forged(key),
                }),
            })
            .collect()
    }

    /// Verifies one operation that was decoded.
    pub fn check(decoded: Decoded, verifier: &Verifier) -> Result<Verified, Refusal> {
        match decoded.envelope.forged(verifier) {
            Some(key) => Err(forged(key)),
            None => Ok(Verified::of(decoded)),
        }
    }

    fn of(decoded: Decoded) -> Verified {
        Verified {
            op: decoded.op,
            keys: decoded.keys(),
            line: Unplaced::of(&decoded.envelope)
                .expect("an envelope without signature is not decoded"),
            payload: decoded.payload,
        }
    }
}

/// Verifies the envelopes of all that could be read, together: each with the first key whose signature does not verify.
pub fn with_forged<T, E>(
    read: Vec<Result<T, E>>,
    envelope: impl Fn(&T) -> &Envelope,
    verifier: &Verifier,
) -> impl Iterator<Item = Result<(T, Option<chain::PublicKey>), E>> {
    let envelopes: Vec<&Envelope> = read.iter().flatten().map(envelope).collect();
    let mut forged = Envelope::forged_in(&envelopes, verifier).into_iter();
    read.into_iter()
        .map(move |one| one.map(|one| (one, forged.next().flatten())))
}

/// The refusal of an envelope on which `key`'s signature does not verify.
pub fn forged(key: chain::PublicKey) -> Refusal {
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
        .start_handler(|_| step_back())
        .build()
}

/// Where all cores are taken, who waits for an answer goes before what waits to be verified: verifying takes most of the time, and
/// a reader would stand behind several turns of it. Elsewhere than on Linux this would be of the whole process.
fn step_back() {
    if cfg!(target_os = "linux") {
        // Where it is not allowed, readers wait longer.
        rustix::process::nice(1).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn verifying_threads_step_back_and_nobody_else() {
        let nice = || rustix::process::nice(0).unwrap();
        let own = nice();
        let verifying = pool(Some(1)).unwrap().install(nice);
        // 19 is as far as it goes.
        assert_eq!((verifying, nice()), ((own + 1).min(19), own));
    }
}
