//! Strict verification of many signatures by few signers: what a key costs is paid once.
//!
//! The verdict is that of [`verify`](super::keys::verify), which is `verify_strict` of ed25519-dalek, on every input. That
//! one decompresses key and R and refuses either of small order, then computes R' = s·B − k·A and compares its encoding
//! with R's bytes. Here R is not decompressed: bytes that equal an encoding that was just made are one, so they decode to R',
//! and whether R' has small order says the same of R. The key is decompressed and looked at once for all its signatures,
//! and for a key that signs often the multiples of −A are kept in a table, as they are of B. Of signatures that are checked
//! together the points R' are encoded together, at the price of one inversion for all; each is compared by itself.

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
/// tenth of each: so a key has been used as often as its table takes to pay, and keys that take each other's place lose no more
/// than that tenth.
const TABLE_AFTER: u32 = 320;

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

/// What a check needs of its key.
#[derive(Clone, Debug)]
struct Key {
    /// −A.
    negated: EdwardsPoint,
    table: Option<Table>,
}

/// A signature, with what it must be of and by.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// Who signed.
    pub key: &'a PublicKey,
    /// The message, in parts that follow one another.
    pub message: [&'a [u8]; 2],
    /// The signature.
    pub signature: &'a Signature,
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

    /// Whether each signature is its key's on its message.
    pub fn verify(&self, checks: &[Check<'_>]) -> Vec<bool> {
        let known = self.look_up(checks);
        let points: Vec<Option<EdwardsPoint>> = checks
            .iter()
            .zip(&known)
            .map(|(check, known)| check.point(known.as_ref()?))
            .collect();
        let made: Vec<EdwardsPoint> = points.iter().flatten().copied().collect();
        let mut encodings = EdwardsPoint::compress_batch_alloc(&made).into_iter();
        let encodings = points
            .iter()
            .map(|point| point.and_then(|_| encodings.next()));
        let verdicts: Vec<bool> = checks
            .iter()
            .zip(encodings)
            .map(|(check, encoding)| encoding.is_some_and(|made| check.is_by(&made)))
            .collect();
        self.count(checks, &known, &verdicts);
        verdicts
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
            let known = self.kept().keys.get(&key).map(|known| known.negated);
            if let Some(negated) = known {
                let table = Arc::new(EdwardsBasepointTable::create(&negated));
                self.kept().tables.put(key, table);
            }
        }
    }

    /// What is needed of each check's key, where that is a point and not weak.
    fn look_up(&self, checks: &[Check<'_>]) -> Vec<Option<Key>> {
        let mut kept = self.kept();
        let known: Vec<_> = checks.iter().map(|check| kept.key(check.key)).collect();
        drop(kept);
        let known = checks.iter().zip(known);
        known
            .map(|(check, known)| known.or_else(|| sound(check.key)))
            .collect()
    }

    /// Counts the good signatures. Only those make a key known: made-up ones displace nobody.
    fn count(&self, checks: &[Check<'_>], known: &[Option<Key>], verdicts: &[bool]) {
        let mut kept = self.kept();
        let judged = checks.iter().zip(known).zip(verdicts);
        for ((check, known), _) in judged.filter(|(_, good)| **good) {
            if let Some(known) = known
                && kept.count(check.key, known)
            {
                self.is_due.store(true, Ordering::Relaxed);
            }
        }
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

impl Kept {
    fn key(&mut self, key: &PublicKey) -> Option<Key> {
        let negated = self.keys.get(key)?.negated;
        let table = self.tables.get(key).cloned();
        Some(Key { negated, table })
    }

    /// Counts a good signature, and says whether its key's table is due now.
    fn count(&mut self, key: &PublicKey, known: &Key) -> bool {
        let first = || Known {
            negated: known.negated,
            good: 0,
        };
        let kept = self.keys.get_or_insert_mut(*key, first);
        kept.good = kept.good.wrapping_add(1);
        let is_due = kept.good.is_multiple_of(TABLE_AFTER) && known.table.is_none();
        if is_due {
            self.due.push(*key);
        }
        is_due
    }
}

/// −A, where the key is a point and not weak.
fn sound(key: &PublicKey) -> Option<Key> {
    let point = CompressedEdwardsY(*key.as_bytes()).decompress()?;
    let negated = -point;
    (!point.is_small_order()).then_some(Key {
        negated,
        table: None,
    })
}

impl Check<'_> {
    /// R' = s·B − k·A (RFC 8032 §5.1.7, without the cofactor), where S is in its range.
    fn point(&self, key: &Key) -> Option<EdwardsPoint> {
        let (r, s) = self.signature.halves();
        // "0 <= S < L"
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(*s))?;
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(self.key.as_bytes());
        let hash = self.message.iter().fold(hash, Digest::chain_update);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        Some(match &key.table {
            Some(table) => EdwardsPoint::mul_base(&s) + &**table * &k,
            None => EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &key.negated, &s),
        })
    }

    /// Whether the encoding of R' is R, and R not of small order.
    fn is_by(&self, made: &CompressedEdwardsY) -> bool {
        let (r, _) = self.signature.halves();
        made.as_bytes() == r && !is_small_order(r)
    }
}

/// Whether an encoding that was just made is of a point of small order: there are eight of them.
fn is_small_order(encoding: &[u8; 32]) -> bool {
    static ALL: LazyLock<[CompressedEdwardsY; 8]> =
        LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress()));
    ALL.iter().any(|one| one.as_bytes() == encoding)
}

#[cfg(test)]
pub(super) mod tests;
