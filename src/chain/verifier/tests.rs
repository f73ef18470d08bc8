use proptest::prelude::*;

use super::*;
use crate::chain::keys::{SigningKey, verify};

/// What a verifier says without a table and with one; both must be what `verify_strict` says.
pub(in crate::chain) fn verdict(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    let strict = verify(key, message, signature);
    let (head, rest) = message.split_at(message.len() / 3);
    let verifier = Verifier::new();
    for _ in 0..2 {
        let check = Check {
            key,
            message: [head, rest],
            signature,
        };
        assert_eq!(verifier.verify(&[check]), [strict], "{key} {signature}");
        prepare_now(&verifier, key);
    }
    strict
}

/// Makes a key's table, however seldom it has signed.
fn prepare_now(verifier: &Verifier, key: &PublicKey) {
    let Some(Key { negated, .. }) = sound(key) else {
        return;
    };
    let mut kept = verifier.kept();
    kept.keys.put(*key, Known { negated, good: 0 });
    kept.due.push(*key);
    drop(kept);
    verifier.prepare();
    assert!(has_table(verifier, key));
}

fn has_table(verifier: &Verifier, key: &PublicKey) -> bool {
    verifier.kept().tables.contains(key)
}

/// What a verifier says of one signature.
fn says(verifier: &Verifier, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    let check = Check {
        key,
        message: [message, b""],
        signature,
    };
    verifier.verify(&[check]) == [true]
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

#[test]
fn good_and_forged_signatures() {
    let (signer, other) = (key(1), key(2));
    let signature = signer.sign(b"text");
    assert!(verdict(&signer.public_key(), b"text", &signature));
    assert!(!verdict(&signer.public_key(), b"texT", &signature));
    assert!(!verdict(&other.public_key(), b"text", &signature));
}

#[test]
fn every_flipped_bit_is_forged() {
    let signer = key(1);
    let signature = signer.sign(b"text");
    let verifier = Verifier::new();
    prepare_now(&verifier, &signer.public_key());
    for bit in 0..512 {
        let mut bytes = *signature.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let flipped = Signature::new(bytes);
        assert!(!says(&verifier, &signer.public_key(), b"text", &flipped));
        assert!(!verify(&signer.public_key(), b"text", &flipped));
    }
}

#[test]
fn points_of_small_order_are_refused_as_key_and_as_r() {
    let signature = |r: &EdwardsPoint, s: Scalar| {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(r.compress().as_bytes());
        bytes[32..].copy_from_slice(s.as_bytes());
        Signature::new(bytes)
    };
    for weak in &EIGHT_TORSION {
        let weak_key = PublicKey::new(weak.compress().to_bytes());
        for r in &EIGHT_TORSION {
            assert!(!verdict(&weak_key, b"text", &signature(r, Scalar::ZERO)));
            assert!(!verdict(
                &key(1).public_key(),
                b"text",
                &signature(r, Scalar::ZERO)
            ));
        }
    }
}

#[test]
fn table_is_due_once_a_key_signs_often_and_only_good_signatures_count() {
    let (signer, verifier) = (key(1), Verifier::new());
    let (by, signature) = (signer.public_key(), signer.sign(b"text"));
    for _ in 0..TABLE_AFTER {
        assert!(!verifier.is_due());
        assert!(!says(&verifier, &by, b"other", &signature));
        assert!(says(&verifier, &by, b"text", &signature));
    }
    assert!(verifier.is_due() && !has_table(&verifier, &by));
    verifier.prepare();
    assert!(!verifier.is_due() && has_table(&verifier, &by));
    assert!(says(&verifier, &by, b"text", &signature));
    assert!(!says(&verifier, &by, b"other", &signature));
}

#[test]
fn made_up_keys_are_not_kept() {
    let verifier = Verifier::new();
    let signature = key(1).sign(b"text");
    for seed in 2..40 {
        assert!(!says(
            &verifier,
            &key(seed).public_key(),
            b"text",
            &signature
        ));
    }
    assert_eq!(verifier.kept().keys.len(), 0);
}

/// A key and a signature that differ from honest ones in ways that reach every branch: any torsion in the key and in R,
/// S beyond the order, other encodings, random bytes.
fn odd() -> impl Strategy<Value = ([u8; 32], [u8; 64], Vec<u8>)> {
    let message = proptest::collection::vec(any::<u8>(), 0..80);
    (
        any::<[u8; 32]>(),
        any::<[u8; 32]>(),
        0..8_usize,
        0..8_usize,
        0..7_u8,
        message,
    )
        .prop_map(|(secret, nonce, in_key, in_r, kind, message)| {
            let (a, r) = (
                Scalar::from_bytes_mod_order(secret),
                Scalar::from_bytes_mod_order(nonce),
            );
            let key = (EdwardsPoint::mul_base(&a) + EIGHT_TORSION[in_key]).compress();
            let big_r = (EdwardsPoint::mul_base(&r) + EIGHT_TORSION[in_r]).compress();
            let hash = Sha512::new()
                .chain_update(big_r.as_bytes())
                .chain_update(key.as_bytes())
                .chain_update(&message);
            let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
            let mut s = (r + k * a).to_bytes();
            let (mut key, mut big_r) = (key.to_bytes(), big_r.to_bytes());
            match kind {
                0 => s = nonce,
                1 => s[31] |= 0x10,
                2 => key = secret,
                3 => big_r = nonce,
                // y = p + something small: another encoding of a point whose y is below 19.
                4 => {
                    big_r = [
                        [0xed_u8.wrapping_add(nonce[0] % 19)].as_slice(),
                        &[0xff; 30],
                        &[0x7f | (nonce[1] & 0x80)],
                    ]
                    .concat()
                    .try_into()
                    .unwrap_or(big_r)
                }
                _ => {}
            }
            let signature: [u8; 64] =
                std::array::from_fn(|i| if i < 32 { big_r[i] } else { s[i - 32] });
            (key, signature, message)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn what_is_checked_together_is_judged_one_by_one(
        odd in proptest::collection::vec(odd(), 0..6),
        good in proptest::collection::vec(any::<u8>(), 0..6),
        seed in any::<u64>(),
    ) {
        let mut all: Vec<(PublicKey, Vec<u8>, Signature)> = odd
            .into_iter()
            .map(|(key, signature, message)| {
                (PublicKey::new(key), message, Signature::new(signature))
            })
            .collect();
        for by in good {
            let at = usize::try_from(seed % 7).unwrap().min(all.len());
            let message = vec![by; usize::from(by)];
            all.insert(at, (key(by).public_key(), message.clone(), key(by).sign(&message)));
        }
        let checks: Vec<Check<'_>> = all
            .iter()
            .map(|(key, message, signature)| Check { key, message: [message, b""], signature })
            .collect();
        let each: Vec<bool> = all
            .iter()
            .map(|(key, message, signature)| verify(key, message, signature))
            .collect();
        prop_assert_eq!(Verifier::new().verify(&checks), each);
    }

    #[test]
    fn verdict_is_that_of_verify_strict((key, signature, message) in odd()) {
        verdict(&PublicKey::new(key), &message, &Signature::new(signature));
    }
}

/// `COUNTERFOIL_SIGNATURES` asks for a longer run.
fn cases() -> u32 {
    let asked = std::env::var("COUNTERFOIL_SIGNATURES").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(256)
}
