//! Days, instants and interest by the model's own arithmetic: plain numbers, and nothing of the crate's.

use counterfoil::domain::values::DayCount;

/// Days since 1970-01-01, as the ledger's offset counts them.
pub(super) type Day = i64;
/// Milliseconds since 1970-01-01, UTC.
pub(super) type Time = i64;
/// So many fens.
pub(super) type Sum = i64;

pub(super) const MINUTE: Time = 60_000;
pub(super) const HOUR: Time = 60 * MINUTE;
pub(super) const DAY: Time = 24 * HOUR;
/// The ledger's days begin eight hours before those of UTC.
const OFFSET: Time = 8 * HOUR;
/// What a rate's numerator is divided by.
const RATE_SCALE: i128 = 1_000_000_000_000;

/// The legal day of an instant.
pub(super) fn day_of(time: Time) -> Day {
    (time + OFFSET).div_euclid(DAY)
}

/// 24:00 of a legal day.
pub(super) fn end_of(day: Day) -> Time {
    (day + 1) * DAY - OFFSET
}

/// Business days: the rulebook's own lists.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    pub(super) holidays: Vec<Day>,
    pub(super) workdays: Vec<Day>,
}

impl Calendar {
    fn is_business(&self, day: Day) -> bool {
        // 1970-01-01 was a Thursday; 0 is Sunday.
        let weekend = matches!((day + 4).rem_euclid(7), 0 | 6);
        if weekend {
            self.workdays.contains(&day)
        } else {
            !self.holidays.contains(&day)
        }
    }

    /// The day itself or the next business day.
    pub(super) fn roll(&self, mut day: Day) -> Day {
        while !self.is_business(day) {
            day += 1;
        }
        day
    }

    /// The `count`-th business day behind `day` (before it, where `count` is negative).
    pub(super) fn walk(&self, mut day: Day, count: i64) -> Day {
        let mut left = count.abs();
        while left > 0 {
            day += count.signum();
            left -= i64::from(self.is_business(day));
        }
        day
    }
}

/// Year, month and day of the proleptic Gregorian calendar.
fn date(day: Day) -> (i64, i64, i64) {
    let mut year = 1970;
    let mut left = day;
    while left >= year_length(year) {
        left -= year_length(year);
        year += 1;
    }
    let mut month = 1;
    while left >= month_length(year, month) {
        left -= month_length(year, month);
        month += 1;
    }
    (year, month, left + 1)
}

fn number((year, month, day): (i64, i64, i64)) -> Day {
    let years: i64 = (1970..year).map(year_length).sum();
    let months: i64 = (1..month).map(|month| month_length(year, month)).sum();
    years + months + day - 1
}

fn year_length(year: i64) -> i64 {
    (1..=12).map(|month| month_length(year, month)).sum()
}

fn month_length(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The same day of a later month, or that month's last.
pub(super) fn plus_months(day: Day, months: i64) -> Day {
    let (year, month, day) = date(day);
    let month = month - 1 + months;
    let (year, month) = (year + month / 12, month % 12 + 1);
    number((year, month, day.min(month_length(year, month))))
}

/// Days between two days, and of how many the year has.
fn day_count(rule: DayCount, from: Day, to: Day) -> (i64, i64) {
    let thirty = |cap: &dyn Fn(i64, i64) -> (i64, i64)| {
        let ((y1, m1, d1), (y2, m2, d2)) = (date(from), date(to));
        let (d1, d2) = cap(d1, d2);
        (360 * (y2 - y1) + 30 * (m2 - m1) + (d2 - d1), 360)
    };
    match rule {
        DayCount::Act360 => (to - from, 360),
        DayCount::Act365F => (to - from, 365),
        DayCount::Thirty360 => thirty(&|d1, d2| match (d1, d2) {
            (30 | 31, 31) => (30, 30),
            (31, _) => (30, d2),
            _ => (d1, d2),
        }),
        DayCount::Thirty360E => thirty(&|d1, d2| (d1.min(30), d2.min(30))),
    }
}

/// D = round(F·r·n/B) from a value date to the due day; none where no day is counted.
pub(super) fn discount(face: Sum, rate: i64, rule: DayCount, from: Day, due: Day) -> Option<Sum> {
    let (days, year) = day_count(rule, from, due);
    let product = i128::from(face) * i128::from(rate) * i128::from(days);
    (days >= 1).then(|| half_up(product, RATE_SCALE * i128::from(year)))
}

/// Late interest on fens that are each so many days late.
pub(super) fn late_interest(days_late: impl Iterator<Item = i64>, daily_rate: i64) -> Sum {
    let days: i64 = days_late.sum();
    half_up(i128::from(days) * i128::from(daily_rate), RATE_SCALE)
}

/// One fraction of whole numbers ≥ 0, rounded once, half away from zero.
fn half_up(numerator: i128, denominator: i128) -> Sum {
    Sum::try_from((2 * numerator + denominator) / (2 * denominator)).unwrap()
}

#[test]
fn the_models_days_agree_with_the_vectors() {
    let day = |year, month, day| number((year, month, day));
    for (from, to, act, bond, euro) in [
        (day(2026, 1, 31), day(2026, 7, 31), 181, 180, 180),
        (day(2028, 2, 29), day(2028, 8, 31), 184, 182, 181),
        (day(2026, 2, 28), day(2026, 8, 31), 184, 183, 182),
    ] {
        assert_eq!(day_count(DayCount::Act360, from, to), (act, 360));
        assert_eq!(day_count(DayCount::Thirty360, from, to), (bond, 360));
        assert_eq!(day_count(DayCount::Thirty360E, from, to), (euro, 360));
    }
    let (from, to) = (day(2026, 1, 31), day(2026, 7, 31));
    let rate = 43_500_000_000;
    assert_eq!(
        discount(100_000_000, rate, DayCount::Act360, from, to),
        Some(2_187_083)
    );
    assert_eq!(
        late_interest([12].into_iter().cycle().take(15_000), 500_000_000),
        90
    );
    assert_eq!(plus_months(day(2026, 8, 31), 6), day(2027, 2, 28));
}
