//! Addresses: named intervals of a receivable's fens.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::ids::ReceivableId;
use super::money::Fen;
use crate::domain::wire::serde_as_string;

/// The fens `lo` to `hi` of a receivable, `hi` not among them; written `rcv_…:0-500000`. `lo` is
/// below `hi`, which [`Address::new`] and reading check; both are at most [`Fen::MAX`].
///
/// An address is valid for ever: it names fens, whatever becomes of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Whose fens.
    pub receivable: ReceivableId,
    /// The first fen.
    pub lo: u64,
    /// The fen after the last.
    pub hi: u64,
}

/// Why a text is no address, or some addresses are no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not of the one form.
    #[error(
        "an address is a receivable, a colon and two whole numbers without leading zero, for example rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:0-500000"
    )]
    Form,
    /// Nothing in it, or more than there can be.
    #[error(
        "{lo}-{hi} names no fen: the first number is the first fen, the second the one after the last, of at most 18 digits"
    )]
    Bounds {
        /// The first number.
        lo: u64,
        /// The second number.
        hi: u64,
    },
    /// Too few or too many.
    #[error("{0} addresses: 1 to {at_most} may stand here", at_most = Addresses::AT_MOST)]
    Count(usize),
    /// Not ascending and apart.
    #[error(
        "{second} stands after {first}: addresses ascend by receivable and first fen, and no fen is named twice"
    )]
    Order {
        /// The address before.
        first: Address,
        /// The one that may not follow it.
        second: Address,
    },
}

impl Address {
    /// The fens `lo` to `hi` of a receivable, `hi` not among them.
    pub const fn new(receivable: ReceivableId, lo: u64, hi: u64) -> Result<Address, AddressError> {
        if lo < hi && hi <= Fen::MAX.get() as u64 {
            Ok(Address { receivable, lo, hi })
        } else {
            Err(AddressError::Bounds { lo, hi })
        }
    }

    /// How many fens it names.
    #[expect(clippy::len_without_is_empty, reason = "an address is never empty")]
    pub const fn len(&self) -> u64 {
        self.hi.saturating_sub(self.lo)
    }

    /// Whether some fen is named by both.
    pub fn overlaps(&self, other: &Address) -> bool {
        self.receivable == other.receivable && self.lo < other.hi && other.lo < self.hi
    }
}

/// A whole number in its one spelling.
fn read_number(text: &str) -> Result<u64, AddressError> {
    let canonical =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    match canonical {
        true => text.parse().map_err(|_| AddressError::Form),
        false => Err(AddressError::Form),
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let (receivable, interval) = text.split_once(':').ok_or(AddressError::Form)?;
        let (lo, hi) = interval.split_once('-').ok_or(AddressError::Form)?;
        let receivable = receivable.parse().map_err(|_| AddressError::Form)?;
        Address::new(receivable, read_number(lo)?, read_number(hi)?)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}-{}", self.receivable, self.lo, self.hi)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, to)
    }
}

serde_as_string!(
    Address,
    "an address, for example rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:0-500000",
    r"^rcv_[0-9a-hjkmnp-tv-z]{26}:(0|[1-9][0-9]*)-[1-9][0-9]*$",
    "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q:0-500000"
);

/// What one operation names: 1 to 256 addresses that ascend by receivable and first fen and have no fen
/// in common. Two that touch may both stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Addresses(Vec<Address>);

impl Addresses {
    /// No operation is unboundedly dear.
    pub const AT_MOST: usize = 256;

    /// These addresses, if they may stand together.
    pub fn new(addresses: Vec<Address>) -> Result<Addresses, AddressError> {
        if addresses.is_empty() || addresses.len() > Addresses::AT_MOST {
            return Err(AddressError::Count(addresses.len()));
        }
        for address in &addresses {
            Address::new(address.receivable, address.lo, address.hi)?;
        }
        for pair in addresses.windows(2) {
            let (first, second) = (pair[0], pair[1]);
            if (first.receivable, first.hi) > (second.receivable, second.lo) {
                return Err(AddressError::Order { first, second });
            }
        }
        Ok(Addresses(addresses))
    }

    /// The addresses, in order.
    pub fn as_slice(&self) -> &[Address] {
        &self.0
    }

    /// The addresses, those of one receivable together.
    pub fn by_receivable(&self) -> impl Iterator<Item = &[Address]> {
        self.0.chunk_by(|a, b| a.receivable == b.receivable)
    }

    /// The addresses, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Address> {
        self.0.iter()
    }

    /// How many fens they name together; `None` above [`Fen::MAX`].
    pub fn total(&self) -> Option<Fen> {
        let fens = |address: &Address| i64::try_from(address.len()).ok().and_then(Fen::new);
        self.0
            .iter()
            .try_fold(Fen::ZERO, |sum, address| sum.checked_add(fens(address)?))
    }
}

impl<'a> IntoIterator for &'a Addresses {
    type Item = &'a Address;
    type IntoIter = std::slice::Iter<'a, Address>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Addresses::new(Vec::deserialize(from)?).map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Addresses {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ArrayBuilder::new()
            .items(Address::schema())
            .min_items(Some(1))
            .max_items(Some(Addresses::AT_MOST))
            .description(Some("addresses that ascend and have no fen in common"))
            .into()
    }
}

impl utoipa::ToSchema for Addresses {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const A: &str = "rcv_2xa8k1ngwjhz13e7zgbs8ydn8q";
    const B: &str = "rcv_7zzzzzzzzzzzzzzzzzzzzzzzzz";

    fn addresses(texts: &[String]) -> Result<Addresses, AddressError> {
        Addresses::new(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[rstest]
    #[case("0-500000", 500_000)]
    #[case("0-1", 1)]
    #[case("999999999999999998-999999999999999999", 1)]
    fn an_address_is_read(#[case] interval: &str, #[case] len: u64) {
        let text = format!("{A}:{interval}");
        let address: Address = text.parse().unwrap();
        assert_eq!((address.len(), address.to_string()), (len, text));
    }

    #[rstest]
    #[case::leading_zero("00-5")]
    #[case::leading_zero_of_the_end("0-05")]
    #[case::plus("+0-5")]
    #[case::no_beginning("-5")]
    #[case::no_end("0-")]
    #[case::three("0-5-9")]
    #[case::en_dash("0–5")]
    #[case::space("0- 5")]
    #[case::separators("0-500,000")]
    #[case::above_64_bits("0-99999999999999999999")]
    #[case::empty("")]
    fn any_other_form_is_refused(#[case] interval: &str) {
        assert_eq!(
            format!("{A}:{interval}").parse::<Address>(),
            Err(AddressError::Form)
        );
    }

    #[rstest]
    #[case::empty(5, 5)]
    #[case::backwards(6, 5)]
    #[case::more_than_there_can_be(0, 1_000_000_000_000_000_000)]
    fn an_address_names_at_least_one_fen(#[case] lo: u64, #[case] hi: u64) {
        let refused = format!("{A}:{lo}-{hi}").parse::<Address>();
        assert_eq!(refused, Err(AddressError::Bounds { lo, hi }));
    }

    #[test]
    fn an_address_is_of_a_receivable() {
        assert!(
            "inv_2xa8k1ngwjhz13e7zgbs8ydn8q:0-5"
                .parse::<Address>()
                .is_err()
        );
    }

    #[rstest]
    #[case::touching(&["a:0-5", "a:5-9"], true)]
    #[case::apart(&["a:0-5", "a:7-9", "b:0-5"], true)]
    #[case::twice(&["a:0-5", "a:0-5"], false)]
    #[case::overlapping(&["a:0-5", "a:4-9"], false)]
    #[case::within(&["a:0-9", "a:4-5"], false)]
    #[case::descending(&["a:5-9", "a:0-5"], false)]
    #[case::receivables_descending(&["b:0-5", "a:0-5"], false)]
    fn addresses_ascend_and_share_no_fen(#[case] short: &[&str], #[case] together: bool) {
        let texts: Vec<_> = short
            .iter()
            .map(|text| {
                text.replace("a:", &format!("{A}:"))
                    .replace("b:", &format!("{B}:"))
            })
            .collect();
        assert_eq!(addresses(&texts).is_ok(), together);
        let json = serde_json::to_string(&texts).unwrap();
        assert_eq!(serde_json::from_str::<Addresses>(&json).is_ok(), together);
    }

    #[rstest]
    #[case(0, false)]
    #[case(1, true)]
    #[case(256, true)]
    #[case(257, false)]
    fn one_to_256_addresses_may_stand_together(#[case] count: usize, #[case] together: bool) {
        let texts: Vec<_> = (0..count).map(|n| format!("{A}:{n}-{}", n + 1)).collect();
        assert_eq!(addresses(&texts).is_ok(), together);
    }

    #[test]
    fn the_total_is_of_all_or_none() {
        let all = [format!("{A}:0-5"), format!("{A}:7-9"), format!("{B}:10-20")];
        assert_eq!(addresses(&all).unwrap().total(), Fen::new(17));
        let most = [format!("{A}:0-999999999999999999"), format!("{B}:0-1")];
        assert_eq!(addresses(&most).unwrap().total(), None);
    }

    #[test]
    fn a_list_checks_what_it_is_given() {
        let receivable = A.parse().unwrap();
        let backwards = Address {
            receivable,
            lo: 5,
            hi: 5,
        };
        assert_eq!(
            Addresses::new(vec![backwards]),
            Err(AddressError::Bounds { lo: 5, hi: 5 })
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(interval in ".{0,12}") {
            let _ = format!("{A}:{interval}").parse::<Address>();
        }
    }
}
