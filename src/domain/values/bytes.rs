//! Byte strings of a fixed length, lower-case hex on the wire.

/// Why a text is no such byte string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected exactly {digits} lower-case hex digits")]
pub struct HexError {
    /// Two for each byte.
    pub digits: usize,
}

/// Reads lower-case hex of exactly the right length.
pub(super) fn read_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let error = HexError { digits: 2 * N };
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(error);
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| error)?;
    Ok(bytes)
}

/// Writes at most 32 bytes as lower-case hex.
pub(super) fn write_hex(bytes: &[u8], to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let mut text = [0; 64];
    let text = text.get_mut(..2 * bytes.len()).ok_or(std::fmt::Error)?;
    hex::encode_to_slice(bytes, text).map_err(|_| std::fmt::Error)?;
    to.pad(std::str::from_utf8(text).map_err(|_| std::fmt::Error)?)
}

macro_rules! hex_bytes {
    ($( $(#[$meta:meta])* pub struct $name:ident([u8; $length:literal]); )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::values::HexError;

            fn from_str(text: &str) -> Result<$name, Self::Err> {
                $crate::domain::values::bytes::read_hex(text).map($name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::domain::values::bytes::write_hex(&self.0, to)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, to)
            }
        }

        $crate::domain::wire::serde_as_string!(
            $name,
            concat!(stringify!($length), " bytes in lower-case hex"),
            concat!("^([0-9a-f]{2}){", stringify!($length), "}$"),
            &$crate::domain::values::bytes::EXAMPLE[..2 * $length]
        );
    )+ };
}

pub(super) use hex_bytes;

/// Bytes in hex to show in schemas.
pub(super) const EXAMPLE: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

hex_bytes! {
    /// The SHA-256 of a document that stays with its owner, or of some evidence.
    pub struct Digest([u8; 32]);

    /// An ed25519 public key: the bytes alone. Whether they are a sound key is checked where it is registered.
    pub struct PublicKey([u8; 32]);

    /// Sixteen random bytes that make an operation unique and its hash unguessable.
    pub struct Nonce([u8; 16]);

    /// Thirty-two random bytes that keep a committed value unguessable.
    pub struct Salt([u8; 32]);
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn bytes_are_lower_case_hex() {
        let nonce = Nonce([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        let json = r#""000102030405060708090a0b0c0d0eff""#;
        assert_eq!(serde_json::to_string(&nonce).unwrap(), json);
        assert_eq!(serde_json::from_str::<Nonce>(json).unwrap(), nonce);
    }

    #[rstest]
    #[case::upper_case("000102030405060708090A0b0c0d0eff")]
    #[case::short("000102030405060708090a0b0c0d0e")]
    #[case::odd("000102030405060708090a0b0c0d0ef")]
    #[case::long("000102030405060708090a0b0c0d0eff00")]
    #[case::prefix("0x0102030405060708090a0b0c0d0eff")]
    #[case::no_digit("000102030405060708090a0b0c0d0efg")]
    #[case::multi_byte("000102030405060708090a0b0c0d0eé")]
    #[case::empty("")]
    fn any_other_form_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Nonce>(), Err(HexError { digits: 32 }));
    }

    #[test]
    fn each_kind_has_its_length() {
        let hex = "ab".repeat(32);
        assert!(hex.parse::<Digest>().is_ok());
        assert!(hex.parse::<PublicKey>().is_ok());
        assert!(hex.parse::<Salt>().is_ok());
        assert!(hex.parse::<Nonce>().is_err());
    }
}
