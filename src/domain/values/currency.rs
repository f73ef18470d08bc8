//! Currencies, and the table that says how many decimals each has.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::wire::serde_as_string;

/// An ISO 4217 code: three upper-case letters. Whether it is in use, its [`CurrencyTable`] says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Why a text is no currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is an ISO 4217 code of three upper-case letters, for example CNY")]
pub struct CurrencyError;

impl Currency {
    /// Renminbi.
    pub const CNY: Currency = Currency(*b"CNY");

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters")
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Currency, CurrencyError> {
        match *text.as_bytes() {
            [a @ b'A'..=b'Z', b @ b'A'..=b'Z', c @ b'A'..=b'Z'] => Ok(Currency([a, b, c])),
            _ => Err(CurrencyError),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.as_str())
    }
}

serde_as_string!(
    Currency,
    "a currency code, three upper-case letters",
    r"^[A-Z]{3}$",
    "CNY"
);

/// How many decimals the smallest unit of each currency has (ISO 4217 "minor unit"), pinned in the
/// rulebook: an object in code order, `{"CNY":2,"JPY":0}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct CurrencyTable(BTreeMap<Currency, u8>);

impl CurrencyTable {
    /// More than any currency has (four, the Unidad de Fomento).
    pub const DECIMALS_AT_MOST: u8 = 6;

    /// A table of these rows; `None` where one names more than [`Self::DECIMALS_AT_MOST`] decimals.
    pub fn new(rows: impl IntoIterator<Item = (Currency, u8)>) -> Option<CurrencyTable> {
        let rows: BTreeMap<_, _> = rows.into_iter().collect();
        rows.values()
            .all(|decimals| *decimals <= Self::DECIMALS_AT_MOST)
            .then_some(CurrencyTable(rows))
    }

    /// The decimals of a currency; `None` where it is not in the table and so not in use here.
    pub fn decimals(&self, currency: Currency) -> Option<u8> {
        self.0.get(&currency).copied()
    }

    /// The rows, in order of code.
    pub fn iter(&self) -> impl Iterator<Item = (Currency, u8)> + '_ {
        self.0
            .iter()
            .map(|(currency, decimals)| (*currency, *decimals))
    }

    /// How many currencies there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no currency at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for CurrencyTable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let rows = BTreeMap::<Currency, u8>::deserialize(from)?;
        CurrencyTable::new(rows)
            .ok_or_else(|| D::Error::custom("a currency has at most 6 decimals"))
    }
}

impl utoipa::PartialSchema for CurrencyTable {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let decimals = utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Integer)
            .description(Some("digits behind the point"))
            .minimum(Some(0))
            .maximum(Some(CurrencyTable::DECIMALS_AT_MOST));
        utoipa::openapi::ObjectBuilder::new()
            .additional_properties(Some(decimals))
            .description(Some("decimals by currency, in order of code"))
            .into()
    }
}

impl utoipa::ToSchema for CurrencyTable {}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_currency_is_three_upper_case_letters() {
        assert_eq!("CNY".parse(), Ok(Currency::CNY));
        assert_eq!(serde_json::to_string(&Currency::CNY).unwrap(), r#""CNY""#);
    }

    #[rstest]
    fn any_other_form_is_refused(
        #[values("cny", "CN", "CNYX", "CN1", " CNY", "", "元")] text: &str,
    ) {
        assert_eq!(text.parse::<Currency>(), Err(CurrencyError));
    }

    #[test]
    fn a_table_is_an_object_in_order_of_code() {
        let table: CurrencyTable = serde_json::from_str(r#"{"JPY":0,"CNY":2}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&table).unwrap(),
            r#"{"CNY":2,"JPY":0}"#
        );
        assert_eq!(table.decimals(Currency::CNY), Some(2));
        assert_eq!(table.decimals("EUR".parse().unwrap()), None);
    }

    #[test]
    fn a_currency_of_seven_decimals_is_refused() {
        assert!(serde_json::from_str::<CurrencyTable>(r#"{"CNY":7}"#).is_err());
        assert_eq!(CurrencyTable::new([(Currency::CNY, 7)]), None);
    }
}
