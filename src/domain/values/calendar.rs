//! The business-day calendar that a rulebook carries.

use serde::{Deserialize, Serialize};

use super::day::{Day, Weekday};

/// Which days are business days: Monday to Friday without the holidays, and the make-up days on
/// which a weekend is worked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Days on which nobody works, ascending; a weekend among them may be named or not.
    pub holidays: Vec<Day>,
    /// Saturdays and Sundays on which work is made up, ascending.
    pub workdays: Vec<Day>,
}

impl Calendar {
    /// Whether banks work on this day.
    pub fn is_business(&self, day: Day) -> bool {
        match day.weekday() {
            Weekday::Sat | Weekday::Sun => self.workdays.binary_search(&day).is_ok(),
            _ => self.holidays.binary_search(&day).is_err(),
        }
    }

    /// The day itself where it is a business day, else the next one.
    pub fn roll(&self, day: Day) -> Day {
        self.seek(day, 1)
    }

    /// The `n`-th business day after `day`; `n` = 0 is the day itself, whatever it is.
    pub fn plus_business_days(&self, day: Day, n: u32) -> Day {
        self.walk(day, n, 1)
    }

    /// The `n`-th business day before `day`; `n` = 0 is the day itself, whatever it is.
    pub fn minus_business_days(&self, day: Day, n: u32) -> Day {
        self.walk(day, n, -1)
    }

    fn walk(&self, day: Day, n: u32, step: i64) -> Day {
        let mut at = day;
        for _ in 0..n {
            let next = self.seek(at.plus_days(step), step);
            if next == at {
                break;
            }
            at = next;
        }
        at
    }

    /// The first business day from `day` on in one direction, or the end of the calendar.
    fn seek(&self, day: Day, step: i64) -> Day {
        let mut at = day;
        while !self.is_business(at) && at.plus_days(step) != at {
            at = at.plus_days(step);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// China's National Day of 2025, worked for on the Sunday before and the Saturday after.
    fn october() -> Calendar {
        let day = |text: &str| text.parse::<Day>().unwrap();
        Calendar {
            holidays: (1..=8)
                .map(|d| Day::from_ymd(2025, 10, d).unwrap())
                .collect(),
            workdays: vec![day("2025-09-28"), day("2025-10-11")],
        }
    }

    #[rstest]
    #[case::friday("2025-09-26", "2025-09-26")]
    #[case::saturday_before_make_up_sunday("2025-09-27", "2025-09-28")]
    #[case::make_up_sunday("2025-09-28", "2025-09-28")]
    #[case::holiday("2025-10-01", "2025-10-09")]
    #[case::make_up_saturday("2025-10-11", "2025-10-11")]
    #[case::sunday("2025-10-12", "2025-10-13")]
    fn a_day_without_business_moves_to_the_next(#[case] day: Day, #[case] moved: Day) {
        assert_eq!(october().roll(day), moved);
        assert_eq!(october().is_business(day), day == moved);
    }

    #[rstest]
    #[case("2025-09-29", 0, "2025-09-29")]
    #[case("2025-09-29", 1, "2025-09-30")]
    #[case("2025-09-29", 3, "2025-10-10")]
    #[case("2025-10-10", 2, "2025-10-13")]
    #[case::from_a_holiday("2025-10-04", 1, "2025-10-09")]
    fn business_days_are_counted(#[case] from: Day, #[case] n: u32, #[case] to: Day) {
        assert_eq!(october().plus_business_days(from, n), to);
    }

    #[rstest]
    #[case("2025-10-10", 0, "2025-10-10")]
    #[case("2025-10-10", 3, "2025-09-29")]
    #[case("2025-10-09", 3, "2025-09-28")]
    #[case::from_a_holiday("2025-10-04", 1, "2025-09-30")]
    fn business_days_are_counted_back(#[case] from: Day, #[case] n: u32, #[case] to: Day) {
        assert_eq!(october().minus_business_days(from, n), to);
    }

    #[test]
    fn counting_stops_at_the_ends() {
        let end = Calendar {
            holidays: vec![Day::MAX],
            workdays: vec![],
        };
        assert_eq!(end.roll(Day::MAX), Day::MAX);
        assert_eq!(
            end.plus_business_days(Day::MAX.plus_days(-3), u32::MAX),
            Day::MAX
        );
        assert_eq!(
            end.minus_business_days(Day::MIN.plus_days(3), u32::MAX),
            Day::MIN
        );
    }
}
