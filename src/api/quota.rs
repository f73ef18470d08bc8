//! How often a party may ask for what costs the ledger a judgement and leaves no entry.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Moment};

use super::problem::Problem;
use crate::domain::values::PartyId;

/// Most checks of one party in a window.
pub(super) const CHECKS_MAX: u32 = 120;
/// The window.
const WINDOW: Duration = Duration::from_secs(60);

/// Counts by party; only admitted parties are counted, so it is bounded by their number.
#[derive(Debug, Default)]
pub(super) struct Quota(Mutex<HashMap<PartyId, (Moment, u32)>>);

impl Quota {
    /// Counts one more, or says that it is too many.
    pub(super) fn take(&self, party: PartyId) -> Result<(), Problem> {
        self.take_at(party, Moment::now())
    }

    fn take_at(&self, party: PartyId, now: Moment) -> Result<(), Problem> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, count) = counts.entry(party).or_insert((now, 0));
        if now.saturating_duration_since(*began) >= WINDOW {
            (*began, *count) = (now, 0);
        }
        if *count >= CHECKS_MAX {
            return Err(Problem::too_many(format!(
                "at most {CHECKS_MAX} checks a minute"
            )));
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_so_many_of_each_party() {
        let quota = Quota::default();
        let (one, other) = ("x:one".parse(), "x:other".parse());
        let (one, other) = (one.expect("a party"), other.expect("a party"));
        let now = Moment::now();
        for _ in 0..CHECKS_MAX {
            assert!(quota.take_at(one, now).is_ok());
        }
        assert_eq!(quota.take_at(one, now).unwrap_err().status.as_u16(), 429);
        assert!(quota.take_at(other, now).is_ok());
        assert!(quota.take_at(one, now + WINDOW).is_ok());
    }
}
