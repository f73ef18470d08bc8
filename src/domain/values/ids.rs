//! Object ids. They come from the id of the operation that makes the object, so a client knows them
//! before it sends.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::bytes::hex_bytes;
use crate::domain::table::Ranked;
use crate::domain::wire::serde_as_string;

/// Crockford's base 32 in lower case: digits and letters without i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The value of each byte that is a digit, 255 for any other.
const VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};
/// 128 bits in groups of five.
const DIGITS: usize = 26;

hex_bytes! {
    /// The id of an operation: SHA-256 of the bytes that were signed, 64 lower-case hex digits. It is
    /// the same whoever signs, and the operation's idempotency key.
    pub struct OpId([u8; 32]);
}

/// Why a text is no id of the kind that stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this id is written {prefix}_ and 26 characters of 0123456789abcdefghjkmnpqrstvwxyz, the first of them 0 to 7"
)]
pub struct IdError {
    /// The prefix of the kind.
    pub prefix: &'static str,
}

/// The bytes of the `k`-th further object of one kind that an operation makes; 0 is the first.
fn derive(op: &OpId, k: u32) -> [u8; 16] {
    let first_half = |bytes: [u8; 32]| {
        let mut half = [0; 16];
        half.copy_from_slice(&bytes[..16]);
        half
    };
    match k {
        0 => first_half(op.0),
        _ => {
            let hash = Sha256::new()
                .chain_update(op.0)
                .chain_update(k.to_be_bytes())
                .finalize();
            first_half(hash.into())
        }
    }
}

/// One big-endian number, most significant digit first, padded on the left (as ULID).
fn write_base32(number: u128, to: &mut fmt::Formatter<'_>) -> fmt::Result {
    // At once: ids are written several times an entry.
    let digits: [u8; DIGITS] = std::array::from_fn(|i| {
        let digit = (number >> (5 * (DIGITS - 1 - i))) & 31;
        ALPHABET[digit as usize]
    });
    to.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)
}

fn read_base32(text: &str) -> Option<u128> {
    // 26 digits hold 130 bits: the first may use only three of its five.
    if text.len() != DIGITS || text.as_bytes()[0] > b'7' {
        return None;
    }
    text.bytes().try_fold(0, |number, byte| {
        let digit = VALUES[usize::from(byte)];
        (digit < 32).then_some(number << 5 | u128::from(digit))
    })
}

/// An id that comes from the operation that makes its object.
pub trait MadeId: Copy {
    /// What stands before the underscore.
    const PREFIX: &'static str;

    /// The id of the object that an operation makes: `k` = 0 for the first of its kind, then 1, 2, … in
    /// order of creation.
    fn of(op: &OpId, k: u32) -> Self;
}

/// Kept as two numbers, the upper half first, which compare as the bytes do but at once: most of an index is ids.
macro_rules! ids {
    ($( $(#[$meta:meta])* $name:ident $prefix:literal; )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u64; 2]);

        impl MadeId for $name {
            const PREFIX: &'static str = $prefix;

            fn of(op: &OpId, k: u32) -> $name {
                $name::from_bytes(derive(op, k))
            }
        }

        impl Ranked for $name {
            const FIRST: $name = $name([0; 2]);
        }

        impl $name {
            /// The id of these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> $name {
                $name::of_number(u128::from_be_bytes(bytes))
            }

            /// Its bytes.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.number().to_be_bytes()
            }

            const fn of_number(number: u128) -> $name {
                $name([(number >> 64) as u64, number as u64])
            }

            const fn number(self) -> u128 {
                (self.0[0] as u128) << 64 | self.0[1] as u128
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<$name, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(read_base32)
                    .map($name::of_number)
                    .ok_or(IdError { prefix: $prefix })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str(concat!($prefix, "_"))?;
                write_base32(self.number(), to)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, to)
            }
        }

        serde_as_string!($name, concat!("an id, ", $prefix, "_ and 26 characters"), concat!("^", $prefix, "_[0-9a-hjkmnp-tv-z]{26}$"),
            concat!($prefix, "_2xa8k1ngwjhz13e7zgbs8ydn8q"));
    )+ };
}

ids! {
    /// A contract.
    ContractId "ctr";
    /// A delivery.
    DeliveryId "dlv";
    /// An invoice.
    InvoiceId "inv";
    /// A receivable.
    ReceivableId "rcv";
    /// A transfer.
    TransferId "trf";
    /// A request for financing.
    RequestId "req";
    /// A lender's offer.
    OfferId "ofr";
    /// A financing.
    FinancingId "fin";
    /// A bank transfer.
    LegId "leg";
    /// Money owed outside the face.
    ObligationId "obl";
    /// A lender's limit.
    LimitId "lim";
    /// A bank account.
    AccountId "acc";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const OP: &str = "5d52261ac3928fc2371ff05e51e6d517c6ad9526bd1d0527cf3b2412c6918bd0";

    fn op() -> OpId {
        OP.parse().unwrap()
    }

    #[rstest]
    #[case(0, "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q")]
    #[case(1, "rcv_12ap2tn0b0czsdvy2tb1b39rf2")]
    #[case(2, "rcv_5n3ygsgjvv8ca6d27ezrwq2s4y")]
    #[case(256, "rcv_5rkgerp3rfn0qgwdz686b63z1r")]
    fn an_object_id_comes_from_the_op_id(#[case] k: u32, #[case] id: &str) {
        assert_eq!(ReceivableId::of(&op(), k).to_string(), id);
        assert_eq!(id.parse(), Ok(ReceivableId::of(&op(), k)));
    }

    #[rstest]
    #[case([0; 16], "rcv_00000000000000000000000000")]
    #[case([255; 16], "rcv_7zzzzzzzzzzzzzzzzzzzzzzzzz")]
    fn an_id_is_one_padded_number(#[case] bytes: [u8; 16], #[case] id: &str) {
        assert_eq!(ReceivableId::from_bytes(bytes).to_string(), id);
        assert_eq!(id.parse(), Ok(ReceivableId::from_bytes(bytes)));
    }

    #[rstest]
    #[case::of_another_kind("inv_2xa8k1ngwjhz13e7zgbs8ydn8q")]
    #[case::upper_case("rcv_2XA8K1NGWJHZ13E7ZGBS8YDN8Q")]
    #[case::crockfords_alias_of_1("rcv_2xa8kingwjhz13e7zgbs8ydn8q")]
    #[case::the_letter_u("rcv_2xa8k1ngwjhz13e7zgbs8ydn8u")]
    #[case::more_than_128_bits("rcv_80000000000000000000000000")]
    #[case::short("rcv_2xa8k1ngwjhz13e7zgbs8ydn8")]
    #[case::long("rcv_02xa8k1ngwjhz13e7zgbs8ydn8q")]
    #[case::no_prefix("2xa8k1ngwjhz13e7zgbs8ydn8q")]
    #[case::hyphen("rcv-2xa8k1ngwjhz13e7zgbs8ydn8q")]
    #[case::multi_byte("rcv_2xa8k1ngwjhz13e7zgbs8ydné")]
    #[case::nothing_after_the_prefix("rcv_")]
    #[case::empty("")]
    fn any_other_form_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<ReceivableId>(), Err(IdError { prefix: "rcv" }));
    }

    #[test]
    fn each_kind_has_its_prefix() {
        let prefixes = [
            ContractId::PREFIX,
            DeliveryId::PREFIX,
            InvoiceId::PREFIX,
            ReceivableId::PREFIX,
            TransferId::PREFIX,
            RequestId::PREFIX,
            OfferId::PREFIX,
            FinancingId::PREFIX,
            LegId::PREFIX,
            ObligationId::PREFIX,
            LimitId::PREFIX,
            AccountId::PREFIX,
        ];
        let expected = "ctr dlv inv rcv trf req ofr fin leg obl lim acc";
        assert_eq!(prefixes.join(" "), expected);
    }

    #[test]
    fn an_op_id_is_lower_case_hex() {
        assert_eq!(op().to_string(), OP);
        assert!(OP.to_uppercase().parse::<OpId>().is_err());
        assert!(OP[2..].parse::<OpId>().is_err());
    }

    proptest! {
        #[test]
        fn every_id_is_read_as_it_is_written(bytes: [u8; 16]) {
            let id = LegId::from_bytes(bytes);
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<LegId>(&json).unwrap(), id);
        }

        #[test]
        fn ids_sort_as_they_are_written(a: [u8; 16], b: [u8; 16]) {
            let (a, b) = (LegId::from_bytes(a), LegId::from_bytes(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
