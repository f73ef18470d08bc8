//! An entry's time: milliseconds since 1970-01-01T00:00:00Z, written `YYYY-MM-DDThh:mm:ss.mmmZ`, without leap seconds.

use chrono::{DateTime, Datelike, NaiveDate, Timelike};

/// The last time that can be written: 9999-12-31T23:59:59.999Z, in milliseconds.
pub const TIME_MS_MAX: i64 = 253_402_300_799_999;

/// Writes a time; `None` when it is before 1970 or above [`TIME_MS_MAX`].
pub fn format_time(time_ms: i64) -> Option<String> {
    if !(0..=TIME_MS_MAX).contains(&time_ms) {
        return None;
    }
    let time = DateTime::from_timestamp_millis(time_ms)?;
    let mut text = *b"0000-00-00T00:00:00.000Z";
    // Written digit by digit: every entry has one, and formatting costs as much as hashing its line.
    let fields = [
        (0..4, u32::try_from(time.year()).ok()?),
        (5..7, time.month()),
        (8..10, time.day()),
        (11..13, time.hour()),
        (14..16, time.minute()),
        (17..19, time.second()),
        (20..23, time.timestamp_subsec_millis()),
    ];
    for (place, mut value) in fields {
        for digit in text[place].iter_mut().rev() {
            *digit += (value % 10) as u8;
            value /= 10;
        }
    }
    std::str::from_utf8(&text).ok().map(str::to_owned)
}

/// Reads a time that [`format_time`] wrote; `None` for every other text.
pub fn parse_time(text: &str) -> Option<i64> {
    let field = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        if digits.bytes().all(|b| b.is_ascii_digit()) {
            digits.parse().ok()
        } else {
            None
        }
    };
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(field(0, 4)?).ok()?,
        field(5, 7)?,
        field(8, 10)?,
    )?;
    let time = date.and_hms_milli_opt(
        field(11, 13)?,
        field(14, 16)?,
        field(17, 19)?,
        field(20, 23)?,
    )?;
    let time_ms = time.and_utc().timestamp_millis();
    (format_time(time_ms)? == text).then_some(time_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("1970-01-01T00:00:00.000Z", Some(0))]
    #[case("2026-11-23T07:22:22.123Z", Some(1_795_418_542_123))]
    #[case("9999-12-31T23:59:59.999Z", Some(TIME_MS_MAX))]
    #[case::before("1969-12-31T23:59:59.999Z", None)]
    #[case::leap_second("2016-12-31T23:59:60.000Z", None)]
    #[case::no_such_day("2026-02-29T00:00:00.000Z", None)]
    #[case::lower_case("2026-11-23t07:22:22.123z", None)]
    #[case::offset("2026-11-23T07:22:22.123+00:00", None)]
    #[case::no_millis("2026-11-23T07:22:22Z", None)]
    #[case::micros("2026-11-23T07:22:22.123456Z", None)]
    #[case::sign("+026-11-23T07:22:22.123Z", None)]
    #[case::multibyte("202é-11-23T07:22:22.123Z", None)]
    #[case::empty("", None)]
    fn time_has_one_spelling(#[case] text: &str, #[case] time_ms: Option<i64>) {
        assert_eq!(parse_time(text), time_ms);
    }

    #[rstest]
    #[case(-1)]
    #[case(TIME_MS_MAX + 1)]
    #[case(i64::MIN)]
    #[case(i64::MAX)]
    fn time_out_of_range_is_not_written(#[case] time_ms: i64) {
        assert_eq!(format_time(time_ms), None);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(time_ms in 0..=TIME_MS_MAX) {
            prop_assert_eq!(parse_time(&format_time(time_ms).unwrap()), Some(time_ms));
        }
    }
}
