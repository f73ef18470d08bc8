//! Money: whole numbers of a currency's smallest unit, and the decimal text they enter and leave as.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::currency::{Currency, CurrencyTable};
use crate::domain::wire::serde_as_string;

/// An amount has at most so many digits, before and after the point together.
const DIGITS_AT_MOST: usize = 18;

/// A number of smallest units of whatever currency: never negative, at most 18 digits, so that it
/// can always be written as an [`Amount`]. In JSON a whole number.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Fen(i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Fen = Fen(0);
    /// The most that 18 digits can say.
    pub const MAX: Fen = Fen(999_999_999_999_999_999);

    /// So many smallest units; `None` where negative or above [`Fen::MAX`].
    pub const fn new(units: i64) -> Option<Fen> {
        if 0 <= units && units <= Fen::MAX.0 {
            Some(Fen(units))
        } else {
            None
        }
    }

    /// The number of smallest units.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum; `None` above [`Fen::MAX`].
    pub const fn checked_add(self, other: Fen) -> Option<Fen> {
        Fen::new(self.0 + other.0)
    }

    /// The difference; `None` where it would be negative.
    pub const fn checked_sub(self, other: Fen) -> Option<Fen> {
        Fen::new(self.0 - other.0)
    }

    /// The sum, or [`Fen::MAX`] where it is more.
    pub fn saturating_add(self, other: Fen) -> Fen {
        self.checked_add(other).unwrap_or(Fen::MAX)
    }

    /// The sum of all; `None` above [`Fen::MAX`].
    pub fn sum(all: impl IntoIterator<Item = Fen>) -> Option<Fen> {
        all.into_iter().try_fold(Fen::ZERO, Fen::checked_add)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, to)
    }
}

impl fmt::Debug for Fen {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} fen", self.0)
    }
}

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let units = i64::deserialize(from)?;
        Fen::new(units).ok_or_else(|| D::Error::custom("fen are a whole number of 0 to 18 digits"))
    }
}

/// Why a text is no amount, or an amount none of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not of the one form.
    #[error(
        "an amount is digits, and a point and digits where its currency has decimals, without sign, leading zero, exponent or separators; for example 1250.00"
    )]
    Form,
    /// Not of the one form of an amount that may be negative.
    #[error(
        "an amount is digits, and a point and digits where its currency has decimals, with a - where it is below zero and without leading zero, exponent or separators; for example -0.05"
    )]
    SignedForm,
    /// Too long.
    #[error("an amount has at most 18 digits")]
    Digits,
    /// Not as many decimals as the currency has.
    #[error("an amount in {currency} has exactly {expected} decimals, not {found}")]
    Decimals {
        /// The currency.
        currency: Currency,
        /// What it has by the table.
        expected: u8,
        /// What was written.
        found: u8,
    },
    /// A currency without a row in the table.
    #[error("{0} is not among the rulebook's currencies")]
    Currency(Currency),
}

/// Reads `-?(0|[1-9][0-9]*)(\.[0-9]+)?` into smallest units and decimals. The grammar comes first:
/// rust_decimal by itself also takes `1E5`, `1_000.00`, `.5` and `+5.00`, and rounds what is too long.
fn parse_decimal(text: &str, form: AmountError) -> Result<(i64, u8), AmountError> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let canonical =
        digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits);
    if !canonical {
        return Err(form);
    }
    if whole.len() + fraction.map_or(0, str::len) > DIGITS_AT_MOST {
        return Err(AmountError::Digits);
    }
    let decimal = Decimal::from_str_exact(text).map_err(|_| form)?;
    let units = i64::try_from(decimal.mantissa()).map_err(|_| AmountError::Digits)?;
    let decimals = u8::try_from(decimal.scale()).map_err(|_| AmountError::Digits)?;
    Ok((units, decimals))
}

fn write_decimal(units: i64, decimals: u8, to: &mut fmt::Formatter<'_>) -> fmt::Result {
    let decimal = Decimal::try_new(units, decimals.into()).map_err(|_| fmt::Error)?;
    to.pad(&decimal.to_string())
}

/// The units of an amount that has exactly its currency's decimals.
fn units_of(
    (units, found): (i64, u8),
    currency: Currency,
    table: &CurrencyTable,
) -> Result<i64, AmountError> {
    match table.decimals(currency) {
        None => Err(AmountError::Currency(currency)),
        Some(expected) if expected == found => Ok(units),
        Some(expected) => Err(AmountError::Decimals {
            currency,
            expected,
            found,
        }),
    }
}

/// An amount as it is written: `(0|[1-9][0-9]*)(\.[0-9]+)?`, at most 18 digits. It becomes [`Fen`]
/// once its currency is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    units: i64,
    decimals: u8,
}

impl Amount {
    /// This many fen of a currency with this many decimals (of a [`CurrencyTable`]: 6 at most).
    pub const fn of(fen: Fen, decimals: u8) -> Amount {
        let most = CurrencyTable::DECIMALS_AT_MOST;
        let decimals = if decimals > most { most } else { decimals };
        Amount {
            units: fen.get(),
            decimals,
        }
    }

    /// The fen that are written here, where the decimals are exactly the currency's.
    pub fn fen(self, currency: Currency, table: &CurrencyTable) -> Result<Fen, AmountError> {
        let units = units_of((self.units, self.decimals), currency, table)?;
        Fen::new(units).ok_or(AmountError::Digits)
    }

    /// The digits without their point.
    pub const fn units(self) -> i64 {
        self.units
    }

    /// How many of them stand after the point.
    pub const fn decimals(self) -> u8 {
        self.decimals
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Amount, AmountError> {
        if text.starts_with('-') {
            return Err(AmountError::Form);
        }
        let (units, decimals) = parse_decimal(text, AmountError::Form)?;
        Ok(Amount { units, decimals })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(self.units, self.decimals, to)
    }
}

serde_as_string!(
    Amount,
    "an amount, for example 1250.00",
    r"^(0|[1-9][0-9]*)(\.[0-9]+)?$",
    "1250.00"
);

/// An amount that may be below zero, such as an invoice's rounding (BT-114): like [`Amount`] with a
/// leading `-`, and never `-0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignedAmount {
    units: i64,
    decimals: u8,
}

impl SignedAmount {
    /// The smallest units that are written here, where the decimals are exactly the currency's.
    pub fn fen(self, currency: Currency, table: &CurrencyTable) -> Result<i64, AmountError> {
        units_of((self.units, self.decimals), currency, table)
    }

    /// The digits without their point, with their sign.
    pub const fn units(self) -> i64 {
        self.units
    }

    /// How many of them stand after the point.
    pub const fn decimals(self) -> u8 {
        self.decimals
    }
}

impl FromStr for SignedAmount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<SignedAmount, AmountError> {
        let (units, decimals) = parse_decimal(text, AmountError::SignedForm)?;
        if units == 0 && text.starts_with('-') {
            return Err(AmountError::SignedForm);
        }
        Ok(SignedAmount { units, decimals })
    }
}

impl fmt::Display for SignedAmount {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(self.units, self.decimals, to)
    }
}

serde_as_string!(
    SignedAmount,
    "an amount that may be below zero, for example -0.05",
    r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$",
    "-0.05"
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn table() -> CurrencyTable {
        let row = |code: &str, decimals| (code.parse().unwrap(), decimals);
        CurrencyTable::new([row("CNY", 2), row("JPY", 0), row("KWD", 3)]).unwrap()
    }

    #[rstest]
    #[case("0", 0, 0)]
    #[case("0.00", 0, 2)]
    #[case("0.05", 5, 2)]
    #[case("1250.00", 125_000, 2)]
    #[case("7", 7, 0)]
    #[case("9999999999999999.99", 999_999_999_999_999_999, 2)]
    #[case("999999999999999999", 999_999_999_999_999_999, 0)]
    #[case("0.00000000000000001", 1, 17)]
    fn an_amount_is_read(#[case] text: &str, #[case] units: i64, #[case] decimals: u8) {
        let amount: Amount = text.parse().unwrap();
        assert_eq!(amount, Amount { units, decimals });
        assert_eq!(serde_json::to_value(amount).unwrap(), text);
    }

    #[rstest]
    #[case::exponent("1E5")]
    #[case::small_exponent("1e2")]
    #[case::underscore("1_000.00")]
    #[case::no_whole(".5")]
    #[case::no_fraction("5.")]
    #[case::plus("+5.00")]
    #[case::minus("-5.00")]
    #[case::minus_zero("-0")]
    #[case::leading_zero("05.00")]
    #[case::two_zeros("00")]
    #[case::comma("12,00")]
    #[case::thousands("1,000.00")]
    #[case::two_points("1.0.0")]
    #[case::space(" 1.00")]
    #[case::full_width("１.00")]
    #[case::empty("")]
    #[case::nan("NaN")]
    #[case::hex("0x10")]
    fn any_other_form_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Amount>(), Err(AmountError::Form));
    }

    #[rstest]
    #[case("1000000000000000000")]
    #[case("10000000000000000.00")]
    #[case("0.000000000000000000")]
    #[case("1.0000000000000000000000000000000000000000001")]
    fn nineteen_digits_are_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Amount>(), Err(AmountError::Digits));
    }

    #[test]
    fn a_number_is_no_amount() {
        assert!(serde_json::from_str::<Amount>("5").is_err());
        assert!(serde_json::from_str::<Amount>("5.00").is_err());
    }

    #[rstest]
    #[case("CNY", "1.50", Ok(150))]
    #[case("JPY", "150", Ok(150))]
    #[case("KWD", "0.150", Ok(150))]
    #[case("CNY", "1.5", Err((2, 1)))]
    #[case("CNY", "1.500", Err((2, 3)))]
    #[case("CNY", "1", Err((2, 0)))]
    #[case("JPY", "1.00", Err((0, 2)))]
    fn an_amount_has_exactly_its_currencys_decimals(
        #[case] currency: Currency,
        #[case] amount: Amount,
        #[case] fen: Result<i64, (u8, u8)>,
    ) {
        let expected = fen
            .map(|units| Fen::new(units).unwrap())
            .map_err(|(expected, found)| AmountError::Decimals {
                currency,
                expected,
                found,
            });
        assert_eq!(amount.fen(currency, &table()), expected);
    }

    #[test]
    fn a_currency_that_is_not_in_the_table_has_no_amounts() {
        let (euro, one): (Currency, Amount) = ("EUR".parse().unwrap(), "1.00".parse().unwrap());
        assert_eq!(one.fen(euro, &table()), Err(AmountError::Currency(euro)));
    }

    #[rstest]
    #[case("-0.05", -5)]
    #[case("0.05", 5)]
    #[case("0.00", 0)]
    #[case("-9999999999999999.99", -999_999_999_999_999_999)]
    fn a_signed_amount_may_be_below_zero(#[case] text: &str, #[case] units: i64) {
        let amount: SignedAmount = text.parse().unwrap();
        assert_eq!(amount.fen(Currency::CNY, &table()), Ok(units));
        assert_eq!(amount.to_string(), text);
    }

    #[rstest]
    fn a_signed_amount_has_one_zero(
        #[values("-0", "-0.00", "--1", "- 1", "+1", "-", "-.5", "−1")] text: &str,
    ) {
        assert_eq!(text.parse::<SignedAmount>(), Err(AmountError::SignedForm));
    }

    #[test]
    fn fen_are_never_negative_and_never_too_many() {
        let one = Fen::new(1).unwrap();
        assert_eq!(Fen::new(-1), None);
        assert_eq!(Fen::new(Fen::MAX.get() + 1), None);
        assert_eq!(Fen::MAX.checked_add(one), None);
        assert_eq!(Fen::ZERO.checked_sub(one), None);
        assert_eq!(Fen::sum([Fen::MAX, one]), None);
        assert_eq!(Fen::sum([one, one, Fen::ZERO]), Fen::new(2));
        assert!(serde_json::from_str::<Fen>("-1").is_err());
        assert_eq!(serde_json::from_str::<Fen>("12").ok(), Fen::new(12));
    }

    proptest! {
        #[test]
        fn every_amount_is_read_as_it_is_written(units in 0..=Fen::MAX.get(), decimals in 0..=6_u8) {
            let amount = Amount::of(Fen::new(units).unwrap(), decimals);
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "-?[0-9_E]{0,12}[.,]?[0-9]{0,8}") {
            if let Ok(amount) = text.parse::<SignedAmount>() {
                prop_assert_eq!(amount.to_string(), text.clone());
            }
            if let Ok(amount) = text.parse::<Amount>() {
                prop_assert_eq!(amount.to_string(), text);
            }
        }
    }
}
