//! Signatures on which implementations of ed25519 differ, with the one verdict that counts.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as BASE, EIGHT_TORSION};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use curve25519_dalek::traits::Identity;
use serde::Serialize;
use sha2::{Digest, Sha512};

use counterfoil::chain::{PublicKey, Signature, verify};

/// The order of the base point, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[derive(Serialize)]
pub(super) struct SignatureVector {
    what: &'static str,
    key: String,
    message: String,
    signature: String,
    /// Whether the signature is valid.
    valid: bool,
    /// Whether the key may be registered.
    admitted: bool,
}

/// What signs: a secret scalar and the point that stands for it, which need not belong together.
struct Signer {
    secret: Scalar,
    point: EdwardsPoint,
}

impl Signer {
    /// The key of 32 times 0x05, with something added to its point.
    fn plus(added: EdwardsPoint) -> Signer {
        let mut half = [0; 32];
        half.copy_from_slice(&Sha512::digest([5; 32])[..32]);
        let secret = Scalar::from_bytes_mod_order(clamp_integer(half));
        Signer {
            secret,
            point: BASE * secret + added,
        }
    }

    /// S = r + k·secret, where k is over this R, this key and the message.
    fn sign(&self, r: Scalar, commitment: EdwardsPoint, message: &str) -> [u8; 64] {
        let commitment = commitment.compress().to_bytes();
        let hash = Sha512::new()
            .chain_update(commitment)
            .chain_update(self.point.compress().to_bytes())
            .chain_update(message);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&commitment);
        signature[32..].copy_from_slice(&(r + k * self.secret).to_bytes());
        signature
    }
}

fn vector(
    what: &'static str,
    key: [u8; 32],
    message: &str,
    signature: [u8; 64],
) -> SignatureVector {
    SignatureVector {
        what,
        key: hex::encode(key),
        message: message.to_owned(),
        signature: hex::encode(signature),
        valid: verify(
            &PublicKey::new(key),
            message.as_bytes(),
            &Signature::new(signature),
        ),
        admitted: PublicKey::admit(key).is_ok(),
    }
}

/// S + order: the same number to whoever does not check its range.
fn unreduced(mut signature: [u8; 64]) -> [u8; 64] {
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    signature
}

pub(super) fn vectors() -> Vec<SignatureVector> {
    let r = Scalar::from(1_234_567_u64);
    let (honest, torsion) = (Signer::plus(EdwardsPoint::identity()), EIGHT_TORSION[1]);
    let key = honest.point.compress().to_bytes();
    let good = honest.sign(r, BASE * r, "text");
    let mixed = Signer::plus(torsion);
    let mixed_key = mixed.point.compress().to_bytes();
    // One message in eight has a k that is a multiple of eight, so that the torsion vanishes.
    let lucky = (0..).map(|i| format!("text {i}"));
    let (message, lucky) = lucky
        .map(|message| (message.clone(), mixed.sign(r, BASE * r, &message)))
        .find(|(message, signature)| {
            verify(
                &PublicKey::new(mixed_key),
                message.as_bytes(),
                &Signature::new(*signature),
            )
        })
        .unwrap();
    let weak = Signer {
        secret: Scalar::ZERO,
        point: EdwardsPoint::identity(),
    };
    let weak_key = weak.point.compress().to_bytes();
    let mut not_canonical = [0xff; 32];
    (not_canonical[0], not_canonical[31]) = (0xee, 0x7f);
    let mut no_point = [0; 32];
    no_point[0] = 2;
    vec![
        vector("good", key, "text", good),
        vector("another message", key, "texT", good),
        vector("S not below the group order", key, "text", unreduced(good)),
        vector(
            "R of small order",
            key,
            "text",
            honest.sign(Scalar::ZERO, EdwardsPoint::identity(), "text"),
        ),
        vector(
            "R with a component of small order, which a check times the cofactor lets through",
            key,
            "text",
            honest.sign(r, BASE * r + torsion, "text"),
        ),
        vector(
            "key of small order",
            weak_key,
            "text",
            weak.sign(r, BASE * r, "text"),
        ),
        vector(
            "key with a component of small order: valid on some messages, so never registered",
            mixed_key,
            &message,
            lucky,
        ),
        vector("key not canonical: y = p + 1", not_canonical, "text", good),
        vector("key that is no point: y = 2", no_point, "text", good),
    ]
}
