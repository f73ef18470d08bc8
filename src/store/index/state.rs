//! What an index knows: its runs and the tail behind them, asked one after the other.

use crate::chain::Hash;

use super::feeds::Feeds;
use super::rows::Covers;
use super::run::Run;
use super::tail::{Key, Packed, Tail, late_key, object_key};
use super::{IndexError, Shown};

pub(super) struct State {
    /// Of the runs alone.
    pub(super) covers: Covers,
    /// In order of entry, without gap.
    pub(super) runs: Vec<Run>,
    pub(super) feeds: Feeds,
    pub(super) tail: Tail,
}

impl State {
    /// The tail that was packed is a run now, and its rows are written.
    pub(super) fn settle(&mut self, packed: Packed, covers: Covers) {
        self.feeds.add(self.runs.len(), packed.feeds);
        self.tail.clear();
        self.runs.push(packed.run);
        self.covers = covers;
    }

    pub(super) fn find(&self, db: &sled::Db, op_id: &Hash) -> Result<Option<u64>, IndexError> {
        for run in &self.runs {
            if let Some(n) = run.find(db, op_id)? {
                return Ok(Some(n));
            }
        }
        Ok(self.tail.find(op_id))
    }

    pub(super) fn feed(
        &self,
        db: &sled::Db,
        feed: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Shown>, IndexError> {
        let mut places = Vec::new();
        for (run, mut numbers) in self.feeds.from(feed, from) {
            let rest = u32::try_from(limit - places.len()).unwrap_or(u32::MAX);
            if rest == 0 {
                break;
            }
            numbers.end = numbers.end.min(numbers.start.saturating_add(rest));
            places.extend(self.runs[run].places(db, numbers)?);
        }
        let before = from.saturating_sub(self.feeds.len(feed));
        let tail = self.tail.places(feed).iter();
        let tail = tail.skip(usize::try_from(before).unwrap_or(usize::MAX));
        places.extend(tail.take(limit - places.len()));
        Ok(places)
    }

    pub(super) fn feed_len(&self, feed: &str) -> u64 {
        self.feeds.len(feed) + self.tail.places(feed).len() as u64
    }

    pub(super) fn shows(&self, db: &sled::Db, feed: &str, n: u64) -> Result<bool, IndexError> {
        if self.has_place(db, feed, Shown { n, with: n })? {
            return Ok(true);
        }
        for with in self.under(db, &late_key(feed, n), n, usize::MAX)? {
            if self.has_place(db, feed, Shown { n, with })? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_place(&self, db: &sled::Db, feed: &str, place: Shown) -> Result<bool, IndexError> {
        let Some(run) = self.run_of(place.with) else {
            let places = self.tail.places(feed);
            let found = places.binary_search_by_key(&place.order(), Shown::order);
            return Ok(found.is_ok());
        };
        match self.feeds.within(feed, run) {
            Some(numbers) => self.runs[run].has_place(db, numbers, place),
            None => Ok(false),
        }
    }

    pub(super) fn object(
        &self,
        db: &sled::Db,
        id: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, IndexError> {
        self.under(db, &object_key(id), from, limit)
    }

    fn under(
        &self,
        db: &sled::Db,
        key: &Key,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, IndexError> {
        let mut entries = Vec::new();
        let runs = self.run_of(from).unwrap_or(self.runs.len());
        for run in &self.runs[runs..] {
            entries.extend(run.under(db, key, from, limit - entries.len())?);
        }
        let tail = self.tail.under(key, from).into_iter();
        entries.extend(tail.take(limit - entries.len()));
        Ok(entries)
    }

    pub(super) fn touched(&self, db: &sled::Db, n: u64) -> Result<Vec<String>, IndexError> {
        match self.run_of(n) {
            Some(run) => self.runs[run].touched(db, n),
            None => Ok(self.tail.touched(n)),
        }
    }

    /// Which run holds entry `n`; none when it is in the tail or to come.
    fn run_of(&self, n: u64) -> Option<usize> {
        (n < self.tail.first).then(|| self.runs.partition_point(|run| run.end <= n))
    }
}
