//! Strict verification of many signatures by few signers: what a key costs is paid once.
//!
//! The verdict is that of [`verify`](super::keys::verify), which is `verify_strict` of ed25519-dalek, on every input. That
//! one decompresses key and R and refuses either of small order, then computes R' = s·B − k·A and compares its encoding
//! with R's bytes. Here R is not decompressed: bytes that equal an encoding that was just made are one, so they decode to R',
//! and whether R' has small order says the same of R. The key is decompressed and looked at once for all its signatures,
//! and for a key that signs often the multiples of −A are kept in a table, as they are of B.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsBasepointTable, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::BasepointTable;
use lru::LruCache;
use sha2::{Digest, Sha512};

use super::keys::{PublicKey, Signature};

/// Keys whose point is kept, 300 bytes each.
const KEYS: NonZeroUsize = NonZeroUsize::new(8_192).expect("8,192 is not 0");
/// Keys whose table is kept, 30 KiB each.
const TABLES: NonZeroUsize = NonZeroUsize::new(256).expect("256 is not 0");
/// Good signatures of a key after which a table is due. Making one costs as much as some thirty verifications and saves a
/// tenth of each, so that keys that take each other's place cost little even in vain.
const TABLE_AFTER: u32 = 512;

/// Verifies signatures and keeps what it learns of their keys. Shared by threads.
#[derive(Debug)]
pub struct Verifier {
    kept: Mutex<Kept>,
    /// Whether a table is due.
    is_due: AtomicBool,
}

#[derive(Debug)]
struct Kept {
    keys: LruCache<PublicKey, Known>,
    tables: LruCache<PublicKey, Table>,
    /// Keys that sign often and have no table.
    due: Vec<PublicKey>,
}

type Table = Arc<EdwardsBasepointTable>;

/// What is kept of a key that is a point and not weak.
#[derive(Clone, Debug)]
struct Known {
    /// −A.
    negated: EdwardsPoint,
    /// Good signatures since the key has been kept.
    good: u32,
}

impl Verifier {
    /// Knows no key yet.
    pub fn new() -> Verifier {
        Verifier {
            kept: Mutex::new(Kept {
                keys: LruCache::new(KEYS),
                tables: LruCache::new(TABLES),
                due: Vec::new(),
            }),
            is_due: AtomicBool::new(false),
        }
    }

    /// Whether `signature` is `key`'s on the message whose parts these are.
    pub fn verify(&self, key: &PublicKey, message: &[&[u8]], signature: &Signature) -> bool {
        let (known, table) = self.look_up(key);
        let Some(negated) = known.or_else(|| sound(key)) else {
            return false;
        };
        let good = matches(key, &negated, table.as_deref(), message, signature);
        // Only a good signature makes a key known: made-up ones displace nobody.
        if good {
            self.count(*key, negated, table.is_some());
        }
        good
    }

    /// Whether some key signs so often that [`Verifier::prepare`] pays.
    pub fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Relaxed)
    }

    /// Makes the tables of keys that sign often: some 1.5 ms each, to be spent off the way of any operation.
    pub fn prepare(&self) {
        self.is_due.store(false, Ordering::Relaxed);
        let due = std::mem::take(&mut self.kept().due);
        for key in due {
            if let Some(negated) = self.look_up(&key).0 {
                let table = Arc::new(EdwardsBasepointTable::create(&negated));
                self.kept().tables.put(key, table);
            }
        }
    }

    /// Counts a good signature.
    fn count(&self, key: PublicKey, negated: EdwardsPoint, has_table: bool) {
        let mut kept = self.kept();
        let known = kept
            .keys
            .get_or_insert_mut(key, || Known { negated, good: 0 });
        known.good = known.good.wrapping_add(1);
        if known.good.is_multiple_of(TABLE_AFTER) && !has_table {
            kept.due.push(key);
            self.is_due.store(true, Ordering::Relaxed);
        }
    }

    fn look_up(&self, key: &PublicKey) -> (Option<EdwardsPoint>, Option<Table>) {
        let mut kept = self.kept();
        let known = kept.keys.get(key).map(|known| known.negated);
        (known, kept.tables.get(key).cloned())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Whatever broke while it held the lock, both caches hold only what is true of their keys.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Verifier {
    fn default() -> Verifier {
        Verifier::new()
    }
}

/// −A, where the key is a point and not weak.
fn sound(key: &PublicKey) -> Option<EdwardsPoint> {
    let point = CompressedEdwardsY(*key.as_bytes()).decompress()?;
    (!point.is_small_order()).then_some(-point)
}

/// RFC 8032 §5.1.7 without the cofactor: whether the encoding of s·B − k·A is R, and R not of small order.
fn matches(
    key: &PublicKey,
    negated: &EdwardsPoint,
    table: Option<&EdwardsBasepointTable>,
    message: &[&[u8]],
    signature: &Signature,
) -> bool {
    let (r, s) = signature.halves();
    // "0 <= S < L"
    let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(*s)) else {
        return false;
    };
    let hash = Sha512::new().chain_update(r).chain_update(key.as_bytes());
    let hash = message.iter().fold(hash, Digest::chain_update);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let point = match table {
        Some(table) => EdwardsPoint::mul_base(&s) + table * &k,
        None => EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, negated, &s),
    };
    point.compress().as_bytes() == r && !is_small_order(r)
}

/// Whether an encoding that was just made is of a point of small order: there are eight of them.
fn is_small_order(encoding: &[u8; 32]) -> bool {
    static ALL: LazyLock<[CompressedEdwardsY; 8]> =
        LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress()));
    ALL.iter().any(|one| one.as_bytes() == encoding)
}

#[cfg(test)]
pub(super) mod tests;
