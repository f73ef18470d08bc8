//! Instants: points in time, in milliseconds, UTC.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Timelike};

use super::day::Day;
use crate::domain::wire::serde_as_string;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, from there to the end of the year 9999.
/// Arithmetic stops at these two ends, so that an instant can always be written.
///
/// Written `YYYY-MM-DDThh:mm:ssZ`, with `.mmm` before the `Z` where it is no whole second; read from
/// a signed operation only in the form of whole seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// Why a text is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    /// Not of the one form.
    #[error(
        "an instant is written YYYY-MM-DDThh:mm:ssZ: whole seconds, upper case, UTC; for example 2026-11-24T00:00:00Z"
    )]
    Form,
    /// Of the form, but there is no such point in time.
    #[error(
        "there is no such instant: check month, day, hour, minute and second (a leap second is not read; years 1970 to 9999)"
    )]
    NoSuch,
}

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Instant = Instant(0);
    /// 9999-12-31T23:59:59.999Z.
    pub const MAX: Instant = Instant((Day::MAX.number() as i64 + 1) * DAY - 1);

    /// The instant so many milliseconds after 1970-01-01T00:00:00Z, or the nearer end of the range.
    pub const fn from_millis(millis: i64) -> Instant {
        if millis < Instant::MIN.0 {
            Instant::MIN
        } else if millis > Instant::MAX.0 {
            Instant::MAX
        } else {
            Instant(millis)
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// `n` hours later (earlier where negative).
    pub const fn plus_hours(self, n: i64) -> Instant {
        self.plus(n, HOUR)
    }

    /// `n` minutes later (earlier where negative).
    pub const fn plus_minutes(self, n: i64) -> Instant {
        self.plus(n, MINUTE)
    }

    /// `n` times 24 hours later (earlier where negative).
    pub const fn plus_days(self, n: i64) -> Instant {
        self.plus(n, DAY)
    }

    const fn plus(self, n: i64, unit: i64) -> Instant {
        Instant::from_millis(self.0.saturating_add(n.saturating_mul(unit)))
    }

    /// Reads the one form of a signed operation, `YYYY-MM-DDThh:mm:ssZ`.
    pub fn parse_strict(text: &str) -> Result<Instant, InstantError> {
        let bytes = text.as_bytes();
        let form = b"0000-00-00T00:00:00Z";
        let fits = bytes.len() == form.len()
            && bytes.iter().zip(form).all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            });
        if !fits {
            return Err(InstantError::Form);
        }
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| InstantError::NoSuch)?;
        let millis = time.timestamp_millis();
        // chrono reads `:60` and keeps it as a second of two thousand milliseconds.
        if time.nanosecond() != 0 || !(Instant::MIN.0..=Instant::MAX.0).contains(&millis) {
            return Err(InstantError::NoSuch);
        }
        Ok(Instant(millis))
    }
}

impl FromStr for Instant {
    type Err = InstantError;

    fn from_str(text: &str) -> Result<Instant, InstantError> {
        Instant::parse_strict(text)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::from_timestamp_millis(self.0).ok_or(fmt::Error)?;
        let precision = match self.0 % SECOND {
            0 => SecondsFormat::Secs,
            _ => SecondsFormat::Millis,
        };
        to.write_str(&time.to_rfc3339_opts(precision, true))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, to)
    }
}

serde_as_string!(
    Instant,
    "an instant, YYYY-MM-DDThh:mm:ssZ, 1970 to 9999",
    r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$",
    "2026-07-31T08:00:00Z",
    DateTime
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1970-01-01T00:00:00Z", 0)]
    #[case("2026-11-24T00:00:00Z", 1_795_478_400_000)]
    #[case("2028-02-29T23:59:59Z", 1_835_481_599_000)]
    #[case("9999-12-31T23:59:59Z", 253_402_300_799_000)]
    fn whole_seconds_are_read(#[case] text: &str, #[case] millis: i64) {
        let instant = Instant::parse_strict(text).unwrap();
        assert_eq!(instant.millis(), millis);
        assert_eq!(instant.to_string(), text);
    }

    #[rstest]
    #[case::milliseconds("2026-11-24T00:00:00.000Z", InstantError::Form)]
    #[case::lower_case("2026-11-24t00:00:00z", InstantError::Form)]
    #[case::offset("2026-11-24T00:00:00+00:00", InstantError::Form)]
    #[case::no_zone("2026-11-24T00:00:00", InstantError::Form)]
    #[case::space("2026-11-24 00:00:00Z", InstantError::Form)]
    #[case::padding(" 2026-11-24T00:00:00Z", InstantError::Form)]
    #[case::five_digit_year("12026-11-24T00:00:00Z", InstantError::Form)]
    #[case::other_digits("２026-11-24T00:00:00Z", InstantError::Form)]
    #[case::empty("", InstantError::Form)]
    #[case::leap_second("2016-12-31T23:59:60Z", InstantError::NoSuch)]
    #[case::hour_24("2026-11-24T24:00:00Z", InstantError::NoSuch)]
    #[case::february_31("2026-02-31T00:00:00Z", InstantError::NoSuch)]
    #[case::before_the_epoch("1969-12-31T23:59:59Z", InstantError::NoSuch)]
    fn any_other_form_is_refused(#[case] text: &str, #[case] error: InstantError) {
        assert_eq!(Instant::parse_strict(text), Err(error));
        assert!(serde_json::from_value::<Instant>(text.into()).is_err());
    }

    #[test]
    fn milliseconds_are_written_and_not_read() {
        let instant = Instant::from_millis(1_795_478_400_123);
        let json = serde_json::to_string(&instant).unwrap();
        assert_eq!(json, r#""2026-11-24T00:00:00.123Z""#);
        assert!(serde_json::from_str::<Instant>(&json).is_err());
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let noon = Instant::parse_strict("2026-11-24T12:00:00Z").unwrap();
        assert_eq!(noon.plus_days(-1).to_string(), "2026-11-23T12:00:00Z");
        assert_eq!(noon.plus_hours(13).to_string(), "2026-11-25T01:00:00Z");
        assert_eq!(noon.plus_minutes(10).to_string(), "2026-11-24T12:10:00Z");
        assert_eq!(noon.plus_days(i64::MAX), Instant::MAX);
        assert_eq!(noon.plus_hours(i64::MIN), Instant::MIN);
        assert_eq!(Instant::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn every_whole_second_is_read_as_it_is_written(second in 0..=253_402_300_799_i64) {
            let instant = Instant::from_millis(second * SECOND);
            prop_assert_eq!(Instant::parse_strict(&instant.to_string()), Ok(instant));
        }

        #[test]
        fn no_text_panics(text in ".{0,30}") {
            let _ = Instant::parse_strict(&text);
        }
    }
}
