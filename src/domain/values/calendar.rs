//! The business-day calendar that a rulebook carries.

use serde::{Deserialize, Serialize};

use super::day::{Day, Weekday};

/// Which days are business days: Monday to Friday without the holidays, and the make-up days on
/// which a weekend is worked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
