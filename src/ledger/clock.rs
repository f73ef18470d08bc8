//! What time it is, and when the clock may not be believed.
//!
//! One forward step of the clock would expire every operation that is on its way, so a step stops sequencing until the operator has
//! looked at the machine.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;

use crate::domain::Refusal;
use crate::domain::values::Instant;

/// The largest step of the wall clock against the boot clock that is believed, in milliseconds.
pub const STEP_MS_MAX: i64 = 2_000;
/// The longest time between the last entry and a start that is believed, in milliseconds.
pub const IDLE_MS_MAX: i64 = 24 * 60 * 60 * 1_000;

/// Where the ledger's time comes from.
#[derive(Debug)]
pub enum Clock {
    /// The machine's clock, watched for steps.
    System(Mutex<StepGuard>),
    /// A hand-moved clock, on a drill ledger only.
    Manual(watch::Sender<Instant>),
}

/// Which clock a ledger is opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockChoice {
    /// The machine's.
    System {
        /// The operator's word that the clock is right although the last entry is far from it.
        confirmed: bool,
    },
    /// Hand-moved; it begins at the last entry.
    Manual,
}

impl Clock {
    /// The clock for a ledger whose last entry has this time.
    pub fn start(choice: ClockChoice, last_entry: Instant) -> Clock {
        match choice {
            ClockChoice::System { confirmed } => Clock::System(Mutex::new(StepGuard::start(
                Reading::take(),
                last_entry,
                confirmed,
            ))),
            ClockChoice::Manual => Clock::Manual(watch::Sender::new(last_entry)),
        }
    }

    /// What it shows, or why it is not believed.
    pub fn now(&self) -> Result<Instant, Refusal> {
        match self {
            Clock::System(guard) => lock(guard).observe(Reading::take()),
            Clock::Manual(now) => Ok(*now.borrow()),
        }
    }

    /// Moves a hand-moved clock forward to `to`; refused backwards, and for the machine's clock.
    pub fn advance(&self, to: Instant) -> Result<(), Refusal> {
        let Clock::Manual(now) = self else {
            return Err(Refusal::new(
                "clock.not_manual",
                "only a drill ledger served with `--clock manual` has a clock that is moved by hand",
            ));
        };
        let mut before = None;
        now.send_if_modified(|now| {
            before = (to < *now).then_some(*now);
            before.is_none() && std::mem::replace(now, to) != to
        });
        match before {
            None => Ok(()),
            Some(now) => Err(Refusal::new(
                "clock.backwards",
                "the ledger's time only moves forward",
            )
            .input("now", to)
            .input("ledger_time", now)),
        }
    }

    /// Waits until it shows that instant; for ever while it is not believed.
    pub async fn reaches(&self, at: Instant) {
        match (self, self.now()) {
            (Clock::Manual(now), _) => {
                let mut now = now.subscribe();
                now.wait_for(|now| *now >= at).await.ok();
            }
            (Clock::System(_), Ok(now)) => {
                let left = at.millis().saturating_sub(now.millis());
                tokio::time::sleep(Duration::from_millis(left.try_into().unwrap_or(0))).await;
            }
            (Clock::System(_), Err(_)) => std::future::pending().await,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the wall clock and the boot clock show at one moment, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Since 1970-01-01T00:00:00Z.
    pub wall_ms: i64,
    /// Since the machine started, sleep included; nobody sets it.
    pub boot_ms: i64,
}

impl Reading {
    fn take() -> Reading {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let boot = clock_gettime(ClockId::Boottime);
        Reading {
            wall_ms: wall.map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }),
            boot_ms: boot
                .tv_sec
                .saturating_mul(1_000)
                .saturating_add(boot.tv_nsec / 1_000_000),
        }
    }

    /// Wall clock less boot clock: constant while nobody sets the wall clock.
    fn offset_ms(self) -> i64 {
        self.wall_ms.saturating_sub(self.boot_ms)
    }
}

/// Notices steps of the wall clock. Once it has noticed one it stays closed: only a start with `--confirm-clock` goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepGuard {
    offset_ms: i64,
    closed: Option<Refusal>,
}

impl StepGuard {
    /// "over 24 h since the last entry at start-up, stops sequencing until the operator confirms it"
    pub fn start(reading: Reading, last_entry: Instant, confirmed: bool) -> StepGuard {
        let away_ms = reading.wall_ms.saturating_sub(last_entry.millis());
        let believed = confirmed || away_ms.saturating_abs() <= IDLE_MS_MAX;
        StepGuard {
            offset_ms: reading.offset_ms(),
            closed: (!believed).then(|| {
                unconfirmed("the clock is over 24 h away from the last entry")
                    .input("clock", Instant::from_millis(reading.wall_ms))
                    .input("last_entry", last_entry)
            }),
        }
    }

    /// "A clock step of over 2 s against the boot clock"; a slow correction between two readings is followed.
    pub fn observe(&mut self, reading: Reading) -> Result<Instant, Refusal> {
        let step_ms = reading.offset_ms().saturating_sub(self.offset_ms);
        if self.closed.is_none() && step_ms.saturating_abs() > STEP_MS_MAX {
            self.closed = Some(
                unconfirmed("the clock was set by over 2 s while the ledger ran")
                    .input("clock", Instant::from_millis(reading.wall_ms))
                    .input("step_ms", step_ms),
            );
        }
        match &self.closed {
            Some(refusal) => Err(refusal.clone()),
            None => {
                self.offset_ms = reading.offset_ms();
                Ok(Instant::from_millis(reading.wall_ms))
            }
        }
    }
}

fn unconfirmed(message: &str) -> Refusal {
    Refusal::new("clock.unconfirmed", message)
        .remedy("the operator checks the machine's clock and starts with `serve --confirm-clock`")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tokio::time::timeout;

    use super::*;

    const WALL: i64 = 1_800_000_000_000;

    fn at(wall_ms: i64, boot_ms: i64) -> Reading {
        Reading { wall_ms, boot_ms }
    }

    fn guard() -> StepGuard {
        StepGuard::start(at(WALL, 5_000), Instant::from_millis(WALL), false)
    }

    #[rstest]
    #[case::as_the_boot_clock(1_000, 1_000, true)]
    #[case::two_seconds_forward(3_000, 1_000, true)]
    #[case::more_forward(3_001, 1_000, false)]
    #[case::two_seconds_back(-1_000, 1_000, true)]
    #[case::more_back(-1_001, 1_000, false)]
    #[case::a_long_sleep_is_no_step(90_000_000, 90_000_000, true)]
    fn step_over_two_seconds_stops(
        #[case] wall_later: i64,
        #[case] boot_later: i64,
        #[case] believed: bool,
    ) {
        let seen = guard().observe(at(WALL + wall_later, 5_000 + boot_later));
        match seen {
            Ok(now) => assert!(believed && now == Instant::from_millis(WALL + wall_later)),
            Err(refusal) => assert!(!believed && refusal.rule == "clock.unconfirmed"),
        }
    }

    #[test]
    fn a_noticed_step_stays_until_confirmed() {
        let mut guard = guard();
        let refusal = guard.observe(at(WALL + 10_000, 5_000)).unwrap_err();
        assert!(refusal.remedy.unwrap().contains("--confirm-clock"));
        assert!(guard.observe(at(WALL, 5_000)).is_err());
    }

    #[test]
    fn slow_corrections_are_followed() {
        let mut guard = guard();
        for second in 1..10 {
            assert!(
                guard
                    .observe(at(WALL + second * 1_500, 5_000 + second))
                    .is_ok()
            );
        }
    }

    #[rstest]
    #[case::a_day(IDLE_MS_MAX, false, true)]
    #[case::over_a_day(IDLE_MS_MAX + 1, false, false)]
    #[case::over_a_day_before(-IDLE_MS_MAX - 1, false, false)]
    #[case::confirmed(IDLE_MS_MAX + 1, true, true)]
    fn start_over_a_day_after_the_last_entry_asks(
        #[case] away_ms: i64,
        #[case] confirmed: bool,
        #[case] believed: bool,
    ) {
        let last = Instant::from_millis(WALL - away_ms);
        let mut guard = StepGuard::start(at(WALL, 0), last, confirmed);
        assert_eq!(guard.observe(at(WALL, 0)).is_ok(), believed);
    }

    #[test]
    fn manual_clock_moves_forward_only() {
        let at = Instant::from_millis;
        let clock = Clock::start(ClockChoice::Manual, at(10));
        assert_eq!(clock.now(), Ok(at(10)));
        assert!(clock.advance(at(20)).is_ok());
        assert_eq!(clock.advance(at(19)).unwrap_err().rule, "clock.backwards");
        assert_eq!(clock.now(), Ok(at(20)));
    }

    #[tokio::test]
    async fn whoever_waits_for_an_instant_is_woken_when_the_clock_shows_it() {
        let at = Instant::from_millis;
        let clock = Clock::start(ClockChoice::Manual, at(10));
        let mut waits = Box::pin(clock.reaches(at(20)));
        assert!(timeout(Duration::ZERO, &mut waits).await.is_err());
        clock.advance(at(19)).unwrap();
        assert!(timeout(Duration::ZERO, &mut waits).await.is_err());
        clock.advance(at(21)).unwrap();
        waits.await;
        let clock = Clock::start(ClockChoice::System { confirmed: true }, Instant::MIN);
        clock.reaches(clock.now().unwrap()).await;
        // One that is not believed shows nothing.
        let doubted = Clock::start(ClockChoice::System { confirmed: false }, at(10));
        let mut waits = Box::pin(doubted.reaches(Instant::MIN));
        assert!(timeout(Duration::ZERO, &mut waits).await.is_err());
    }

    #[test]
    fn system_clock_is_not_moved() {
        let clock = Clock::start(ClockChoice::System { confirmed: true }, Instant::MIN);
        assert!(clock.now().is_ok());
        let refused = clock.advance(Instant::MAX).unwrap_err();
        assert_eq!(refused.rule, "clock.not_manual");
    }
}
