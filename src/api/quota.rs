//! How often a party may ask for what leaves no entry and costs the ledger something: a judgement, a place for a session.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Moment};

use super::problem::Problem;
use crate::domain::values::PartyId;

/// The window in which requests are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// Counts by party; only admitted parties are counted, so it is bounded by their number.
#[derive(Debug)]
pub(super) struct Quota {
    /// What is counted, in the plural.
    what: &'static str,
    /// Most of them in a window.
    most: u32,
    counts: Mutex<HashMap<PartyId, (Moment, u32)>>,
}

impl Quota {
    /// So many of these for each party in a minute.
    pub(super) fn new(what: &'static str, most: u32) -> Quota {
        Quota {
            what,
            most,
            counts: Mutex::default(),
        }
    }

    /// Counts one more, or says that it is too many.
    pub(super) fn take(&self, party: PartyId) -> Result<(), Problem> {
        self.take_at(party, Moment::now())
    }

    fn take_at(&self, party: PartyId, now: Moment) -> Result<(), Problem> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, count) = counts.entry(party).or_insert((now, 0));
        if now.saturating_duration_since(*began) >= WINDOW {
            (*began, *count) = (now, 0);
        }
        if *count >= self.most {
            return Err(Problem::too_many(format!(
                "at most {} {} a minute",
                self.most, self.what
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
        let quota = Quota::new("checks", 3);
        let (one, other) = ("x:one".parse(), "x:other".parse());
        let (one, other) = (one.expect("a party"), other.expect("a party"));
        let now = Moment::now();
        for _ in 0..3 {
            assert!(quota.take_at(one, now).is_ok());
        }
        assert_eq!(quota.take_at(one, now).unwrap_err().status.as_u16(), 429);
        assert!(quota.take_at(other, now).is_ok());
        assert!(quota.take_at(one, now + WINDOW).is_ok());
    }
}
