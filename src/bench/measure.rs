//! The limit, and what is measured against it.

use std::time::{Duration, Instant};

use ed25519_dalek::{Signature, VerifyingKey};
use rayon::prelude::*;

use crate::chain::pae::{OP_TYPE, pae};
use crate::chain::verifier::Check;
use crate::chain::{self, Envelope, Verifier};
use crate::ledger::VERIFIED_AT_ONCE;
use crate::store::EntryReader;

use super::deal::Deal;
use super::report::Percentiles;
use super::{BenchError, Result};

/// Signatures that a limit is measured on.
const SAMPLE: usize = 4_000;

/// A signature, with what it is checked against.
pub(super) struct Signed {
    pub(super) key: chain::PublicKey,
    pub(super) message: Vec<u8>,
    pub(super) signature: chain::Signature,
}

/// The signatures of some envelopes, in their order.
pub(super) fn signed(deals: &[Deal]) -> Result<Vec<Signed>> {
    let envelopes = deals.iter().flatten().take(SAMPLE);
    let decoded: std::result::Result<Vec<_>, _> =
        envelopes.map(|one| Envelope::decode(one)).collect();
    let decoded = decoded.map_err(|error| BenchError::of("an envelope", error.code()))?;
    let each = decoded.iter().flat_map(|envelope| {
        envelope.signatures().iter().map(|(key, signature)| Signed {
            key: *key,
            message: envelope.signed_bytes(),
            signature: *signature,
        })
    });
    Ok(each.collect())
}

/// The check that every ledger of this kind has to make: from the bytes of key, message and signature, nothing kept
/// between two of them.
pub(super) fn plain(some: &[Signed]) -> bool {
    some.iter().all(|one| {
        let Ok(key) = VerifyingKey::from_bytes(one.key.as_bytes()) else {
            return false;
        };
        let signature = Signature::from_bytes(one.signature.as_bytes());
        key.verify_strict(&one.message, &signature).is_ok()
    })
}

/// The check that the ledger makes, of as many as it checks together.
pub(super) fn of_the_ledger(verifier: &Verifier, some: &[Signed]) -> bool {
    let checks = some.iter().map(|one| Check {
        key: &one.key,
        message: [&one.message, b""],
        signature: &one.signature,
    });
    let good = verifier.verify(&checks.collect::<Vec<_>>());
    if verifier.is_due() {
        verifier.prepare();
    }
    good.into_iter().all(|good| good)
}

/// How many signatures are checked in a second, on all cores, all of which must be good.
pub(super) fn verified_per_second(
    signed: &[Signed],
    at_least: Duration,
    verify: impl Fn(&[Signed]) -> bool + Sync,
) -> Result<f64> {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < at_least {
        if !signed.par_chunks(VERIFIED_AT_ONCE).all(&verify) {
            return Err(BenchError::of("a signature", "it does not verify"));
        }
        count += signed.len();
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

/// What bounds every rate: how many signatures of these envelopes are plainly checked in a second.
pub(super) struct Limit {
    signed: Vec<Signed>,
    at_least: Duration,
}

/// So many a second, beside the limit at that time.
pub(super) struct Rate {
    pub(super) count: usize,
    pub(super) per_second: f64,
    pub(super) limit: f64,
}

impl Rate {
    pub(super) fn ratio(&self) -> f64 {
        self.per_second / self.limit
    }
}

impl Limit {
    pub(super) fn of(deals: &[Deal], ms: u64) -> Result<Limit> {
        Ok(Limit {
            signed: signed(deals)?,
            at_least: Duration::from_millis(ms),
        })
    }

    /// The same of the entries of a ledger.
    pub(super) fn of_entries(reader: &EntryReader, ms: u64) -> Result<Limit> {
        let mut all = Vec::new();
        for entry in reader.entries(0..reader.size().min(SAMPLE as u64)) {
            let (entry, _) = entry.map_err(|error| BenchError::of("an entry", error))?;
            let message = pae(OP_TYPE, entry.payload().as_bytes());
            all.extend(entry.sigs().iter().map(|(key, signature)| Signed {
                key: *key,
                message: message.clone(),
                signature: *signature,
            }));
        }
        Ok(Limit {
            signed: all,
            at_least: Duration::from_millis(ms),
        })
    }

    fn now(&self) -> Result<f64> {
        verified_per_second(&self.signed, self.at_least, plain)
    }

    /// How many of `count` are done in a second by `work`, with the limit right before and after it.
    pub(super) fn around(&self, count: usize, work: impl FnOnce() -> Result<()>) -> Result<Rate> {
        let before = self.now()?;
        let start = Instant::now();
        work()?;
        let per_second = count as f64 / start.elapsed().as_secs_f64();
        Ok(Rate {
            count,
            per_second,
            limit: (before + self.now()?) / 2.0,
        })
    }
}

/// How long each of several took, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Latencies(Vec<f64>);

impl Latencies {
    /// Notes what began then and ends now.
    pub(super) fn since(&mut self, start: Instant) {
        self.0.push(start.elapsed().as_secs_f64() * 1_000.0);
    }

    pub(super) fn time<T>(&mut self, one: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = one();
        self.since(start);
        done
    }

    pub(super) fn append(&mut self, mut more: Latencies) {
        self.0.append(&mut more.0);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Zero where nothing was timed.
    pub(super) fn percentiles(&self) -> Percentiles {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |permille: usize| {
            let last = sorted.len().saturating_sub(1);
            sorted
                .get((last * permille).div_ceil(1_000))
                .copied()
                .unwrap_or(0.0)
        };
        Percentiles {
            p50_ms: at(500),
            p99_ms: at(990),
            p999_ms: at(999),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_no_less_than_that_share_of_all() {
        let mut latencies = Latencies((1..=1_000).rev().map(f64::from).collect());
        let found = latencies.percentiles();
        assert_eq!(
            (found.p50_ms, found.p99_ms, found.p999_ms),
            (501.0, 991.0, 1_000.0)
        );
        latencies.append(Latencies(vec![5_000.0]));
        assert_eq!(latencies.percentiles().p999_ms, 1_000.0);
        assert_eq!(latencies.count(), 1_001);
        assert_eq!(Latencies(vec![7.0]).percentiles().p99_ms, 7.0);
    }
}
