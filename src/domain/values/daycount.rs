//! Day counts: how many days a formula sees between two days, and of how many a year has.

use super::day::Day;
use crate::domain::wire::words;

words! {
    /// A day-count convention (ISO 20022 `InterestComputationMethod`).
    pub enum DayCount {
        /// Actual days over 360 (A004).
        Act360 = "ACT/360",
        /// Actual days over 365, leap year or not (A005).
        Act365F = "ACT/365F",
        /// Months of 30 days over 360, the bond basis (A001): a 31st counts as the 30th, at the end only
        /// where the beginning is the 30th or 31st too.
        Thirty360 = "30/360",
        /// Months of 30 days over 360, the eurobond basis (A007): every 31st counts as the 30th.
        Thirty360E = "30E/360",
    }
}

impl DayCount {
    /// The days from one day to another, the first counted and the last not.
    pub fn days(self, from: Day, to: Day) -> i64 {
        let capped_last = |first: u32, last: u32| match self {
            DayCount::Thirty360E => last.min(30),
            _ if first >= 30 => last.min(30),
            _ => last,
        };
        match self {
            DayCount::Act360 | DayCount::Act365F => from.days_until(to),
            DayCount::Thirty360 | DayCount::Thirty360E => {
                let ((year1, month1, day1), (year2, month2, day2)) = (from.ymd(), to.ymd());
                360 * i64::from(year2 - year1)
                    + 30 * (i64::from(month2) - i64::from(month1))
                    + (i64::from(capped_last(day1, day2)) - i64::from(day1.min(30)))
            }
        }
    }

    /// The days of the year in the denominator.
    pub const fn base(self) -> i64 {
        match self {
            DayCount::Act365F => 365,
            DayCount::Act360 | DayCount::Thirty360 | DayCount::Thirty360E => 360,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-01-31", "2026-07-31", 181, 180, 180)]
    #[case("2028-02-29", "2028-08-31", 184, 182, 181)]
    #[case("2026-02-28", "2026-08-31", 184, 183, 182)]
    #[case("2026-01-30", "2026-03-31", 60, 60, 60)]
    #[case("2026-01-15", "2027-01-15", 365, 360, 360)]
    #[case("2026-01-15", "2026-01-15", 0, 0, 0)]
    #[case::backwards("2026-03-15", "2026-01-15", -59, -60, -60)]
    fn days_are_counted_by_each_convention(
        #[case] from: Day,
        #[case] to: Day,
        #[case] actual: i64,
        #[case] bond: i64,
        #[case] eurobond: i64,
    ) {
        assert_eq!(DayCount::Act360.days(from, to), actual);
        assert_eq!(DayCount::Act365F.days(from, to), actual);
        assert_eq!(DayCount::Thirty360.days(from, to), bond);
        assert_eq!(DayCount::Thirty360E.days(from, to), eurobond);
    }

    #[rstest]
    #[case("ACT/360", DayCount::Act360, 360)]
    #[case("ACT/365F", DayCount::Act365F, 365)]
    #[case("30/360", DayCount::Thirty360, 360)]
    #[case("30E/360", DayCount::Thirty360E, 360)]
    fn a_convention_has_one_name(#[case] name: &str, #[case] count: DayCount, #[case] base: i64) {
        assert_eq!(
            (name.parse(), count.as_str(), count.base()),
            (Ok(count), name, base)
        );
    }

    #[rstest]
    fn other_names_are_refused(#[values("act/360", "ACT/365", "A004", "30E/360 ", "")] name: &str) {
        assert!(name.parse::<DayCount>().is_err());
    }
}
