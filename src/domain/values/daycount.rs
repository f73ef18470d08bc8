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
