//! Hashes, signatures, hex, base64 and time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use curve25519_dalek::edwards::CompressedEdwardsY;
use sha2::{Digest, Sha256};

/// 32 bytes that SHA-256 gave.
pub(super) type Sha256Hash = [u8; 32];

pub(super) fn sha256(bytes: &[u8]) -> Sha256Hash {
    Sha256::digest(bytes).into()
}

/// SHA-256(0x00 ‖ line)
pub(super) fn leaf(line: &[u8]) -> Sha256Hash {
    sha256(&[&[0], line].concat())
}

/// SHA-256(0x01 ‖ left ‖ right)
pub(super) fn node(left: &Sha256Hash, right: &Sha256Hash) -> Sha256Hash {
    sha256(&[&[1], &left[..], right].concat())
}

/// What a signature covers.
pub(super) fn pae(kind: &str, payload: &str) -> Vec<u8> {
    format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len()).into_bytes()
}

pub(super) fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    ed25519_dalek::VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// Whether a key may be registered: a canonical point of the prime-order group, and not its neutral element.
pub(super) fn admitted(key: &[u8; 32]) -> bool {
    let point = CompressedEdwardsY(*key).decompress();
    point.is_some_and(|point| {
        point.compress().0 == *key && point.is_torsion_free() && !point.is_small_order()
    })
}

/// Exactly `N` bytes in lower-case hex.
pub(super) fn unhex<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let bytes = hex::decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes
        .filter(|bytes: &[u8; N]| hex::encode(bytes) == text)
        .ok_or_else(|| format!("{text:?} is not {N} bytes in lower-case hex"))
}

/// Standard, padded base64 in its one spelling.
pub(super) fn unbase64(text: &str) -> Result<Vec<u8>, String> {
    let bytes = STANDARD.decode(text).ok();
    bytes
        .filter(|bytes| STANDARD.encode(bytes) == text)
        .ok_or_else(|| format!("{text:?} is not padded base64"))
}

/// Exactly `N` bytes in base64.
pub(super) fn unbase64_exact<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let bytes = unbase64(text)?;
    bytes
        .try_into()
        .map_err(|_| format!("{text:?} is not {N} bytes"))
}

/// Milliseconds since 1970 of a text in the form `0000-00-00T00:00:00.000Z`, or without the fraction, as `form` has it.
pub(super) fn time_ms(text: &str, form: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no time of the form {form}");
    let fits = text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                _ => byte == like,
            });
    if !fits {
        return Err(wrong());
    }
    let field = |from: usize, to: usize| text[from..to].parse::<u64>().unwrap_or(u64::MAX);
    let (year, month, day) = (field(0, 4), field(5, 7), field(8, 10));
    let (hour, minute, second) = (field(11, 13), field(14, 16), field(17, 19));
    let millis = if form.len() == 24 { field(20, 23) } else { 0 };
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let february = if leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let real = year >= 1970
        && (1..=12).contains(&month)
        && (1..=months[month as usize - 1]).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !real {
        return Err(wrong());
    }
    let years: u64 = (1970..year)
        .map(|year| if leap(year) { 366 } else { 365 })
        .sum();
    let before: u64 = months[..month as usize - 1].iter().sum();
    let days = years + before + day - 1;
    Ok((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis)
}
