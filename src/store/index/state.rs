//! What an index knows: its runs and the tail behind them, asked one after the other.

use std::fmt::Display;

use crate::chain::Hash;

use super::feeds::{FeedNo, Feeds};
use super::rows::Covers;
use super::run::Run;
use super::tail::{Key, Packed, Tail, late_key, object_key};
use super::{IndexError, Record, Shown};

pub(super) struct State {
    /// Of the runs alone.
    pub(super) covers: Covers,
    /// In order of entry, without gap.
    pub(super) runs: Vec<Run>,
    pub(super) feeds: Feeds,
    pub(super) tail: Tail,
}

impl State {
    /// Takes the next entry in.
    pub(super) fn take<F: Display, O: Display>(&mut self, record: &Record<F, O>) {
        self.tail.take(record, &mut self.feeds);
    }

    /// The tail in the form of a run.
    pub(super) fn pack(&self) -> Packed {
        self.tail.pack(&self.feeds)
    }

    /// The tail that was packed is a run now, and its rows are written.
    pub(super) fn settle(&mut self, packed: Packed, covers: Covers) {
        self.feeds.add(self.runs.len(), &packed.feeds);
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
        let Some(feed) = self.feeds.number(feed) else {
            return Ok(places);
        };
        for (run, mut numbers) in self.feeds.from(feed, from) {
            let rest = u32::try_from(limit - places.len()).unwrap_or(u32::MAX);
            if rest == 0 {
                return Ok(places);
            }
            numbers.end = numbers.end.min(numbers.start.saturating_add(rest));
            places.extend(self.runs[run].places(db, numbers)?);
        }
        let before = from.saturating_sub(self.feeds.len(feed));
        places.extend(self.tail.places(feed, before, limit - places.len()));
        Ok(places)
    }

    pub(super) fn feed_len(&self, feed: &str) -> u64 {
        let feed = self.feeds.number(feed);
        feed.map_or(0, |feed| self.feeds.len(feed) + self.tail.len(feed))
    }

    pub(super) fn shows(&self, db: &sled::Db, feed: &str, n: u64) -> Result<bool, IndexError> {
        let Some(number) = self.feeds.number(feed) else {
            return Ok(false);
        };
        if self.has_place(db, number, Shown { n, with: n })? {
            return Ok(true);
        }
        for with in self.under(db, &late_key(feed, n), n, usize::MAX)? {
            if self.has_place(db, number, Shown { n, with })? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_place(&self, db: &sled::Db, feed: FeedNo, place: Shown) -> Result<bool, IndexError> {
        let Some(run) = self.run_of(place.with) else {
            return Ok(self.tail.has_place(feed, place));
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
        entries.extend(self.tail.under(key, from, limit - entries.len()));
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
