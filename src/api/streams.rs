//! Streams of events that are open: how many there may be, and their end with the server's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::problem::Problem;
use crate::domain::values::PartyId;

/// Most streams of one party.
const STREAMS_PER_PARTY: usize = 4;
/// Most streams in all.
const STREAMS_MAX: usize = 256;

/// The streams that are open.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: Mutex<HashMap<PartyId, usize>>,
    stopped: watch::Sender<bool>,
}

/// One open stream; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Streams>,
    party: PartyId,
}

impl Streams {
    /// A place for one more stream of the party, or that there is none.
    pub(super) fn place(streams: &Arc<Streams>, party: PartyId) -> Result<Place, Problem> {
        let mut open = streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= STREAMS_MAX {
            let detail = "there are too many streams of events";
            return Err(Problem::unavailable("streams.full", detail, 60));
        }
        let own = open.entry(party).or_default();
        if *own >= STREAMS_PER_PARTY {
            return Err(Problem::too_many(format!(
                "at most {STREAMS_PER_PARTY} streams of events at once"
            )));
        }
        *own += 1;
        Ok(Place {
            streams: Arc::clone(streams),
            party,
        })
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.values().sum()
    }

    /// Ends all of them.
    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Waits until they are to end.
    pub(super) async fn stopped(&self) {
        let mut stopped = self.stopped.subscribe();
        stopped.wait_for(|stopped| *stopped).await.ok();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let open = &self.streams.open;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.party) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.party);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_has_so_many_streams_and_gets_them_back() {
        let streams = Arc::new(Streams::default());
        let party = |name: String| name.parse::<PartyId>().unwrap();
        let place = |name: &str| Streams::place(&streams, party(name.to_owned()));
        let mut own: Vec<Place> = (0..STREAMS_PER_PARTY)
            .map(|_| place("x:one").unwrap())
            .collect();
        assert_eq!(place("x:one").unwrap_err().status.as_u16(), 429);
        assert!(place("x:other").is_ok());
        own.pop();
        assert!(place("x:one").is_ok());
        let parties = (0..STREAMS_MAX).map(|at| place(&format!("x:p{at}")));
        let held: Vec<Place> = parties.filter_map(Result::ok).collect();
        assert_eq!(held.len() + own.len(), STREAMS_MAX);
        assert_eq!(place("x:two").unwrap_err().code, "streams.full");
    }
}
