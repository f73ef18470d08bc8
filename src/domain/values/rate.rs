//! Rates: exact decimals with at most twelve places.

use std::fmt;
use std::str::FromStr;

use crate::domain::wire::serde_as_string;

const DECIMALS: usize = 12;

/// A rate that is never negative, exact to 10⁻¹² (0.0435 is 4.35 %). Whether it is a year's or a
/// day's, the field that holds it says. Written as a decimal with at most 12 places and no trailing zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(i64);

/// Why a text is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Not of the one form.
    #[error(
        "a rate is a decimal of at least 0 with at most 12 places, without trailing zero, sign or exponent; for example 0.0435 for 4.35 %"
    )]
    Form,
    /// Out of range.
    #[error("a rate is below 9223372")]
    TooLarge,
}

impl Rate {
    /// The denominator of every rate, 10¹².
    pub const SCALE: i64 = 1_000_000_000_000;
    /// 0 %.
    pub const ZERO: Rate = Rate(0);
    /// 100 %.
    pub const ONE: Rate = Rate(Rate::SCALE);

    /// The rate of so many parts in 10¹²; `None` where negative.
    pub const fn from_numerator(numerator: i64) -> Option<Rate> {
        if numerator < 0 {
            None
        } else {
            Some(Rate(numerator))
        }
    }

    /// Parts in 10¹².
    pub const fn numerator(self) -> i64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Rate, RateError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let canonical = digits(whole)
            && digits(fraction)
            && !whole.is_empty()
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.len() <= DECIMALS
            && !fraction.ends_with('0')
            && fraction.is_empty() != text.contains('.');
        if !canonical {
            return Err(RateError::Form);
        }
        format!("{whole}{fraction:0<DECIMALS$}")
            .parse()
            .map(Rate)
            .map_err(|_| RateError::TooLarge)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / Rate::SCALE, self.0 % Rate::SCALE);
        if fraction == 0 {
            return to.pad(&whole.to_string());
        }
        let padded = format!("{whole}.{fraction:0DECIMALS$}");
        to.pad(padded.trim_end_matches('0'))
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, to)
    }
}

serde_as_string!(
    Rate,
    "a rate, for example 0.0435",
    r"^(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$",
    "0.0435"
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", 0)]
    #[case("1", Rate::SCALE)]
    #[case("10", 10 * Rate::SCALE)]
    #[case("0.0435", 43_500_000_000)]
    #[case("0.000000000001", 1)]
    #[case("9223372.036854775807", i64::MAX)]
    fn a_rate_is_read(#[case] text: &str, #[case] numerator: i64) {
        let rate: Rate = text.parse().unwrap();
        assert_eq!(rate.numerator(), numerator);
        assert_eq!(serde_json::to_value(rate).unwrap(), text);
    }

    #[rstest]
    #[case::trailing_zero("0.04350", RateError::Form)]
    #[case::trailing_zeros("1.00", RateError::Form)]
    #[case::thirteen_places("0.0000000000001", RateError::Form)]
    #[case::minus("-0.01", RateError::Form)]
    #[case::plus("+0.01", RateError::Form)]
    #[case::per_cent("4.35%", RateError::Form)]
    #[case::no_whole(".5", RateError::Form)]
    #[case::no_fraction("1.", RateError::Form)]
    #[case::leading_zero("01", RateError::Form)]
    #[case::exponent("1e-2", RateError::Form)]
    #[case::two_points("1.1.1", RateError::Form)]
    #[case::empty("", RateError::Form)]
    #[case::too_large("9223372.036854775808", RateError::TooLarge)]
    #[case::far_too_large("99999999999999999999", RateError::TooLarge)]
    fn any_other_form_is_refused(#[case] text: &str, #[case] error: RateError) {
        assert_eq!(text.parse::<Rate>(), Err(error));
    }

    proptest! {
        #[test]
        fn every_rate_is_read_as_it_is_written(numerator in 0..=i64::MAX) {
            let rate = Rate::from_numerator(numerator).unwrap();
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "[0-9]{1,7}\\.?[0-9]{0,13}") {
            if let Ok(rate) = text.parse::<Rate>() {
                prop_assert_eq!(rate.to_string(), text);
            }
        }
    }
}
