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

serde_as_string!(Rate, "a rate, for example 0.0435");
