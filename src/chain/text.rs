//! Hex and base64 in the one form that is accepted: what decodes here encodes to the same text again.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Decodes exactly `N` bytes of lower-case hex.
pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    // `hex` takes capitals too; an id has one spelling.
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut out = [0; N];
    hex::decode_to_slice(text, &mut out).ok()?;
    Some(out)
}

/// Writes bytes as lower-case hex.
pub(super) fn write_hex(bytes: &[u8; 32], to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let mut text = [0; 64];
    hex::encode_to_slice(bytes, &mut text).map_err(|_| std::fmt::Error)?;
    to.write_str(std::str::from_utf8(&text).map_err(|_| std::fmt::Error)?)
}

/// Writes 64 bytes in standard, padded base64.
pub(super) fn write_base64(bytes: &[u8; 64], to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let mut text = [0; 88];
    let written = STANDARD.encode_slice(bytes, &mut text);
    written.map_err(|_| std::fmt::Error)?;
    to.write_str(std::str::from_utf8(&text).map_err(|_| std::fmt::Error)?)
}

/// Encodes in standard, padded base64 (RFC 4648 §4).
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes standard base64; padding must be there and the unused bits of the last character zero.
pub(super) fn unbase64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Decodes standard, padded base64 of exactly `N` bytes.
pub(super) fn unbase64_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    // The decoder asks for room for whole groups of three bytes, of which the last may hold fewer.
    let mut room = [0; 3 * 24];
    let room = room.get_mut(..text.len().div_ceil(4) * 3)?;
    let len = STANDARD.decode_slice(text, room).ok()?;
    out.copy_from_slice(room.get(..len).filter(|decoded| decoded.len() == N)?);
    Some(out)
}

/// A decimal number in its only spelling: no sign, no leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if !digits || leading_zero {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::capitals("AB")]
    #[case::short("a")]
    #[case::long("abab")]
    #[case::not_hex("zz")]
    fn hex_has_one_spelling(#[case] text: &str) {
        assert_eq!(unhex::<1>("ab"), Some([0xab]));
        assert_eq!(unhex::<1>(text), None);
    }

    #[rstest]
    #[case::unpadded("/w")]
    #[case::url_safe("_w==")]
    #[case::trailing_bits("/x==")]
    #[case::white_space("/w==\n")]
    #[case::too_much_padding("/w===")]
    fn base64_has_one_spelling(#[case] text: &str) {
        assert_eq!(unbase64("/w=="), Some(vec![0xff]));
        assert_eq!(unbase64(text), None);
    }

    #[rstest]
    #[case("", None)]
    #[case("0", Some(0))]
    #[case("00", None)]
    #[case("01", None)]
    #[case("+1", None)]
    #[case("-1", None)]
    #[case("18446744073709551615", Some(u64::MAX))]
    #[case("18446744073709551616", None)]
    fn decimal_has_one_spelling(#[case] text: &str, #[case] value: Option<u64>) {
        assert_eq!(decimal(text), value);
    }
}
