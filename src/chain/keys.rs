//! Ed25519 keys and signatures (RFC 8032), and what counts as a valid one.
//!
//! A signature is valid when `verify_strict` of ed25519-dalek says so, and never by any other rule: batch verification reaches
//! other verdicts, so an operation accepted by it could later be disowned.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signer, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::text::{unbase64_exact, unhex, write_base64, write_hex};

/// An ed25519 public key as it is written: any 32 bytes. As text, 64 lower-case hex digits.
///
/// A key that a party registers must pass [`PublicKey::admit`]; a key that merely stands in an envelope need not, as its
/// signature is refused when no party registered it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// Why a public key may not be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes are no point of the curve.
    #[error("the public key is not a point of the curve")]
    NotAPoint,
    /// The point has another, shorter spelling (RFC 8032 §5.1.3 asks for y < p).
    #[error("the public key is not canonically encoded")]
    NotCanonical,
    /// The point has small order: almost any message verifies under it.
    #[error("the public key is weak: its point has small order")]
    Weak,
    /// The point has a component outside the prime-order group.
    #[error("the public key is not in the prime-order group")]
    Torsion,
    /// The text is not 64 lower-case hex digits.
    #[error("not a public key: 64 lower-case hex digits are asked for")]
    NotHex,
}

impl KeyError {
    /// Stable code of the error.
    pub fn code(self) -> &'static str {
        match self {
            KeyError::NotAPoint => "key.not_a_point",
            KeyError::NotCanonical => "key.not_canonical",
            KeyError::Weak => "key.weak",
            KeyError::Torsion => "key.torsion",
            KeyError::NotHex => "key.not_hex",
        }
    }
}

impl PublicKey {
    /// These bytes as a key, unchecked.
    pub const fn new(bytes: [u8; 32]) -> PublicKey {
        PublicKey(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key fit to be registered: a canonically encoded point of the prime-order group that is not weak.
    pub fn admit(bytes: [u8; 32]) -> Result<PublicKey, KeyError> {
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::NotAPoint)?;
        let point = key.to_edwards();
        // `from_bytes` takes other encodings of a point too: compare the recompressed one.
        if point.compress().to_bytes() != bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        if !point.is_torsion_free() {
            return Err(KeyError::Torsion);
        }
        Ok(PublicKey(bytes))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        unhex(text).map(PublicKey).ok_or(KeyError::NotHex)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// An ed25519 signature as it is written: any 64 bytes. As text, standard padded base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature([u8; 64]);

/// A text that is not standard padded base64 of 64 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signature: standard padded base64 of 64 bytes is asked for")]
pub struct SignatureError;

impl Signature {
    /// These bytes as a signature, unchecked.
    pub const fn new(bytes: [u8; 64]) -> Signature {
        Signature(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// R and S (RFC 8032 §5.1.6).
    pub(super) fn halves(&self) -> (&[u8; 32], &[u8; 32]) {
        let halves = self.0.split_first_chunk::<32>();
        let (r, s) = halves.expect("a signature has 64 bytes");
        (r, s.try_into().expect("a signature has 64 bytes"))
    }
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Signature, SignatureError> {
        unbase64_exact(text).map(Signature).ok_or(SignatureError)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base64(&self.0, f)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signature, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Whether `signature` is `key`'s on `message`: exactly the verdict of ed25519-dalek's `verify_strict`.
pub fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else {
        return false;
    };
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    key.verify_strict(message, &signature).is_ok()
}

/// A private key; wiped from memory when dropped, never printed.
///
/// There is no way to sign bytes that came from outside: an envelope signs its PAE
/// ([`Envelope::sign`](super::Envelope::sign)), a note its own text.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a 32-byte seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> SigningKey {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// A new key from the system's random numbers; fails only when the system has none.
    pub fn generate() -> Result<SigningKey, getrandom::Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice())?;
        Ok(SigningKey::from_seed(&seed))
    }

    /// The seed, to be kept in a key file.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes that this folder itself built.
    pub(super) fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    // No point has y = 2; y = 1 is the identity, and p + 1 another spelling of it; the last has order 8.
    #[case::not_a_point(
        "0200000000000000000000000000000000000000000000000000000000000000",
        KeyError::NotAPoint
    )]
    #[case::identity(
        "0100000000000000000000000000000000000000000000000000000000000000",
        KeyError::Weak
    )]
    #[case::p_plus_1(
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        KeyError::NotCanonical
    )]
    #[case::order_8(
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        KeyError::Weak
    )]
    fn bad_keys_are_not_admitted(#[case] key: &str, #[case] error: KeyError) {
        assert_eq!(PublicKey::admit(unhex(key).unwrap()), Err(error));
    }

    #[test]
    fn key_with_a_torsion_component_is_not_admitted() {
        let good = SigningKey::from_seed(&[1; 32])
            .0
            .verifying_key()
            .to_edwards();
        for torsion in &curve25519_dalek::constants::EIGHT_TORSION[1..] {
            let mixed = (good + torsion).compress().to_bytes();
            assert_eq!(PublicKey::admit(mixed), Err(KeyError::Torsion));
        }
        assert!(PublicKey::admit(good.compress().to_bytes()).is_ok());
    }

    #[test]
    fn generated_keys_sign_what_verifies_and_differ() {
        let (a, b) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        assert_ne!(a.public_key(), b.public_key());
        assert!(PublicKey::admit(*a.public_key().as_bytes()).is_ok());
        let signature = a.sign(b"text");
        assert!(verify(&a.public_key(), b"text", &signature));
        assert!(!verify(&a.public_key(), b"texT", &signature));
        assert!(!verify(&b.public_key(), b"text", &signature));
        assert_eq!(
            SigningKey::from_seed(&a.seed()).public_key(),
            a.public_key()
        );
    }

    #[test]
    fn private_key_is_not_printed() {
        let key = SigningKey::from_seed(&[7; 32]);
        assert!(!format!("{key:?}").contains("0707"));
    }

    #[test]
    fn key_and_signature_have_one_spelling() {
        let key = SigningKey::from_seed(&[1; 32]);
        let text = key.public_key().to_string();
        assert_eq!(text.parse(), Ok(key.public_key()));
        assert_eq!(
            text.to_uppercase().parse::<PublicKey>(),
            Err(KeyError::NotHex)
        );
        let signature = key.sign(b"").to_string();
        assert_eq!(signature.parse(), Ok(key.sign(b"")));
        assert_eq!(
            signature.trim_end_matches('=').parse::<Signature>(),
            Err(SignatureError)
        );
        assert_eq!("AA==".parse::<Signature>(), Err(SignatureError));
    }
}
