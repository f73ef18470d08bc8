//! Legal days, and the fixed offset that says when a day begins and ends.

use std::fmt;
use std::str::FromStr;

pub use chrono::Weekday;
use chrono::{Datelike, Months, NaiveDate};

use super::instant::{self, Instant};
use crate::domain::wire::serde_as_string;

/// A legal day at the ledger's offset, from 1970-01-01 to 9999-12-31; written `YYYY-MM-DD`.
/// Arithmetic stops at these two ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// Why a text is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
    /// Not of the one form.
    #[error("a day is written YYYY-MM-DD, for example 2026-07-31")]
    Form,
    /// Of the form, but in no calendar.
    #[error("there is no such day: check the month and its length (years 1970 to 9999)")]
    NoSuch,
}

impl Day {
    /// 1970-01-01.
    pub const MIN: Day = Day(0);
    /// 9999-12-31.
    pub const MAX: Day = Day(2_932_896);

    /// The day so many days after 1970-01-01, or the nearer end of the range.
    pub const fn from_number(days: i64) -> Day {
        if days < 0 {
            Day::MIN
        } else if days > Day::MAX.0 as i64 {
            Day::MAX
        } else {
            Day(days as i32)
        }
    }

    /// The day of this year, month (1–12) and day of the month, if there is one.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Day> {
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        let number = i64::from(date.to_epoch_days());
        let found = Day::from_number(number);
        (i64::from(found.0) == number).then_some(found)
    }

    /// Days since 1970-01-01.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// `n` days later (earlier where negative).
    pub const fn plus_days(self, n: i64) -> Day {
        Day::from_number((self.0 as i64).saturating_add(n))
    }

    /// The same day of the month `n` months later, or that month's last day if it is shorter.
    pub fn plus_months(self, n: u32) -> Day {
        self.date()
            .checked_add_months(Months::new(n))
            .map_or(Day::MAX, |date| {
                Day::from_number(date.to_epoch_days().into())
            })
    }

    /// How many days `other` lies after this day: negative where it lies before.
    pub const fn days_until(self, other: Day) -> i64 {
        other.0 as i64 - self.0 as i64
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        self.date().weekday()
    }

    /// Year, month (1–12) and day of the month.
    pub fn ymd(self) -> (i32, u32, u32) {
        let date = self.date();
        (date.year(), date.month(), date.day())
    }

    fn date(self) -> NaiveDate {
        NaiveDate::from_epoch_days(self.0).expect("a Day lies between 1970 and 9999")
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Day, DayError> {
        let number = |from: usize, to: usize| -> Result<u32, DayError> {
            let digits = text.get(from..to).ok_or(DayError::Form)?;
            match digits.bytes().all(|byte| byte.is_ascii_digit()) {
                true => digits.parse().map_err(|_| DayError::Form),
                false => Err(DayError::Form),
            }
        };
        if text.len() != 10 || text.get(4..5) != Some("-") || text.get(7..8) != Some("-") {
            return Err(DayError::Form);
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let year = i32::try_from(year).map_err(|_| DayError::Form)?;
        Day::from_ymd(year, month, day).ok_or(DayError::NoSuch)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(to, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, to)
    }
}

serde_as_string!(
    Day,
    "a day, YYYY-MM-DD, 1970 to 9999",
    r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    "2026-07-31",
    Date
);

/// The fixed distance of the ledger's legal time from UTC, in minutes; written `+08:00`.
/// No time-zone database: its updates would change old verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcOffset(i16);

/// Why a text is no offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an offset is written +hh:mm or -hh:mm, from -12:00 to +14:00 and never -00:00; for example +08:00"
)]
pub struct OffsetError;

impl UtcOffset {
    /// `+00:00`.
    pub const UTC: UtcOffset = UtcOffset(0);
    /// `+08:00`, the legal time of China.
    pub const CHINA: UtcOffset = UtcOffset(8 * 60);

    /// The offset of so many minutes east of Greenwich, from −12 to +14 hours.
    pub const fn from_minutes(minutes: i16) -> Option<UtcOffset> {
        match minutes {
            -720..=840 => Some(UtcOffset(minutes)),
            _ => None,
        }
    }

    /// Minutes east of Greenwich.
    pub const fn minutes(self) -> i16 {
        self.0
    }

    /// The legal day in which an instant lies.
    pub const fn day_of(self, at: Instant) -> Day {
        Day::from_number((at.millis() + self.millis()).div_euclid(instant::DAY))
    }

    /// The first instant of a day, 00:00.
    pub const fn start_of(self, day: Day) -> Instant {
        Instant::from_millis(day.number() as i64 * instant::DAY - self.millis())
    }

    /// 24:00 of a day, the first instant after it: what must be done "by day d" is done before this.
    pub const fn end_of(self, day: Day) -> Instant {
        Instant::from_millis((day.number() as i64 + 1) * instant::DAY - self.millis())
    }

    const fn millis(self) -> i64 {
        self.0 as i64 * 60_000
    }
}

impl FromStr for UtcOffset {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<UtcOffset, OffsetError> {
        let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = *text.as_bytes() else {
            return Err(OffsetError);
        };
        let digits = [h1, h2, m1, m2];
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(OffsetError);
        }
        let [h1, h2, m1, m2] = digits.map(|digit| i16::from(digit - b'0'));
        let (hours, minutes) = (10 * h1 + h2, 10 * m1 + m2);
        if minutes > 59 || (sign == b'-' && hours == 0 && minutes == 0) {
            return Err(OffsetError);
        }
        let east = 60 * hours + minutes;
        UtcOffset::from_minutes(if sign == b'-' { -east } else { east }).ok_or(OffsetError)
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let minutes = self.0.unsigned_abs();
        write!(to, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

serde_as_string!(
    UtcOffset,
    "an offset from UTC, +hh:mm or -hh:mm",
    r"^[+-][0-9]{2}:[0-9]{2}$",
    "+08:00"
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("1970-01-01", 0)]
    #[case("2026-07-31", 20_665)]
    #[case("2028-02-29", 21_243)]
    #[case("9999-12-31", 2_932_896)]
    fn a_day_is_read(#[case] text: &str, #[case] number: i32) {
        assert_eq!(day(text).number(), number);
        assert_eq!(day(text).to_string(), text);
    }

    #[rstest]
    #[case::short("2026-7-31", DayError::Form)]
    #[case::compact("20260731", DayError::Form)]
    #[case::slashes("2026/07/31", DayError::Form)]
    #[case::sign("+026-07-31", DayError::Form)]
    #[case::zone("2026-07-31+01:00", DayError::Form)]
    #[case::padding("2026-07-31 ", DayError::Form)]
    #[case::multi_byte("２26-07-31", DayError::Form)]
    #[case::february_29("2026-02-29", DayError::NoSuch)]
    #[case::february_31("2026-02-31", DayError::NoSuch)]
    #[case::month_13("2026-13-01", DayError::NoSuch)]
    #[case::day_0("2026-07-00", DayError::NoSuch)]
    #[case::before_the_epoch("1969-12-31", DayError::NoSuch)]
    fn any_other_form_is_refused(#[case] text: &str, #[case] error: DayError) {
        assert_eq!(text.parse::<Day>(), Err(error));
    }

    #[rstest]
    #[case("2026-01-31", 1, "2026-02-28")]
    #[case("2028-01-31", 1, "2028-02-29")]
    #[case("2026-01-31", 6, "2026-07-31")]
    #[case("2026-08-31", 6, "2027-02-28")]
    #[case("2026-11-24", 12, "2027-11-24")]
    #[case("9999-12-01", 1, "9999-12-31")]
    fn months_end_where_the_month_does(#[case] from: &str, #[case] n: u32, #[case] to: &str) {
        assert_eq!(day(from).plus_months(n), day(to));
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(day("2026-07-31").plus_days(1), day("2026-08-01"));
        assert_eq!(day("2026-07-31").plus_days(i64::MAX), Day::MAX);
        assert_eq!(day("2026-07-31").plus_days(i64::MIN), Day::MIN);
        assert_eq!(day("2026-07-31").plus_months(u32::MAX), Day::MAX);
        assert_eq!(day("2026-07-31").days_until(day("2026-01-31")), -181);
    }

    #[rstest]
    #[case("+08:00", "2026-07-30T16:00:00Z", "2026-07-31")]
    #[case("+08:00", "2026-07-31T15:59:59Z", "2026-07-31")]
    #[case("+08:00", "2026-07-31T16:00:00Z", "2026-08-01")]
    #[case("+00:00", "2026-07-31T23:59:59Z", "2026-07-31")]
    #[case("-03:30", "2026-08-01T03:29:59Z", "2026-07-31")]
    fn a_day_begins_and_ends_at_the_offset(
        #[case] offset: UtcOffset,
        #[case] at: Instant,
        #[case] legal: Day,
    ) {
        assert_eq!(offset.day_of(at), legal);
        assert!(offset.start_of(legal) <= at && at < offset.end_of(legal));
    }

    #[rstest]
    #[case("+08:00", 480)]
    #[case("+00:00", 0)]
    #[case("-12:00", -720)]
    #[case("+14:00", 840)]
    #[case("+05:45", 345)]
    fn an_offset_is_read(#[case] text: &str, #[case] minutes: i16) {
        let offset: UtcOffset = text.parse().unwrap();
        assert_eq!(
            (offset.minutes(), offset.to_string()),
            (minutes, text.to_owned())
        );
    }

    #[rstest]
    fn any_other_offset_is_refused(
        #[values(
            "-00:00", "+8:00", "08:00", "+08:60", "+14:01", "-12:01", "+0800", "Z", ""
        )]
        text: &str,
    ) {
        assert_eq!(text.parse::<UtcOffset>(), Err(OffsetError));
    }

    proptest! {
        #[test]
        fn every_day_is_read_as_it_is_written(number in 0..=2_932_896_i64) {
            let day = Day::from_number(number);
            prop_assert_eq!(day.to_string().parse(), Ok(day));
        }

        #[test]
        fn a_day_ends_where_the_next_begins(number in 1..2_932_895_i64, minutes in -720..=840_i16) {
            let (day, offset) = (Day::from_number(number), UtcOffset::from_minutes(minutes).unwrap());
            prop_assert_eq!(offset.end_of(day), offset.start_of(day.plus_days(1)));
            prop_assert_eq!(offset.day_of(offset.start_of(day)), day);
        }

        #[test]
        fn no_text_panics(text in ".{0,12}") {
            let _ = text.parse::<Day>();
            let _ = text.parse::<UtcOffset>();
        }
    }
}
