//! What an index knows: its runs and the tail behind them, asked one after the other.
//!
//! A lookup takes from the state what it needs, and reads the rows of runs, which never change, when it has let go of it:
//! so whoever records never waits for a disk.

use std::fmt::Display;
use std::sync::Arc;

use crate::chain::Hash;

use super::feeds::Feeds;
use super::rows::Covers;
use super::run::Run;
use super::tail::{Key, Packed, Tail, late_key, object_key};
use super::{IndexError, Record, Shown};

/// What is left of a lookup: to read rows.
pub(super) trait Step<T>: FnOnce(&sled::Db) -> Result<T, IndexError> {}

impl<T, F: FnOnce(&sled::Db) -> Result<T, IndexError>> Step<T> for F {}

pub(super) struct State {
    /// Of the runs alone.
    pub(super) covers: Covers,
    /// In order of entry, without gap.
    pub(super) runs: Arc<Vec<Arc<Run>>>,
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
        Arc::make_mut(&mut self.runs).push(Arc::new(packed.run));
        self.covers = covers;
    }

    /// The first entry of an operation.
    pub(super) fn find(&self, op_id: &Hash) -> impl Step<Option<u64>> + use<> {
        let (runs, newest, op_id) = (Arc::clone(&self.runs), self.tail.find(op_id), *op_id);
        move |db: &sled::Db| {
            for run in runs.iter() {
                if let Some(n) = run.find(db, &op_id)? {
                    return Ok(Some(n));
                }
            }
            Ok(newest)
        }
    }

    /// The places of a feed from place `from` on; at most `limit`.
    pub(super) fn feed(
        &self,
        feed: &str,
        from: u64,
        limit: usize,
    ) -> impl Step<Vec<Shown>> + use<> {
        let (mut parts, mut newest) = (Vec::new(), Vec::new());
        if let Some(feed) = self.feeds.number(feed) {
            let mut rest = limit;
            for (run, mut numbers) in self.feeds.from(feed, from) {
                let most = u32::try_from(rest).unwrap_or(u32::MAX);
                numbers.end = numbers.end.min(numbers.start.saturating_add(most));
                rest -= numbers.len();
                parts.push((Arc::clone(&self.runs[run]), numbers));
                if rest == 0 {
                    break;
                }
            }
            let before = from.saturating_sub(self.feeds.len(feed));
            newest = self.tail.places(feed, before, rest);
        }
        move |db: &sled::Db| {
            let mut places = Vec::new();
            for (run, numbers) in parts {
                places.extend(run.places(db, numbers)?);
            }
            places.extend(newest);
            Ok(places)
        }
    }

    pub(super) fn feed_len(&self, feed: &str) -> u64 {
        let feed = self.feeds.number(feed);
        feed.map_or(0, |feed| self.feeds.len(feed) + self.tail.len(feed))
    }

    /// Whether a feed has a place.
    pub(super) fn has_place(&self, feed: &str, place: Shown) -> impl Step<bool> + use<> {
        let feed = self.feeds.number(feed);
        let run = self.run_of(place.with);
        let newest = run.is_none() && feed.is_some_and(|feed| self.tail.has_place(feed, place));
        let within = feed.zip(run).and_then(|(feed, run)| {
            let numbers = self.feeds.within(feed, run)?;
            Some((Arc::clone(&self.runs[run]), numbers))
        });
        move |db: &sled::Db| match within {
            Some((run, numbers)) => run.has_place(db, numbers, place),
            None => Ok(newest),
        }
    }

    /// The entries with which a feed took in entry `n`, where those are later ones; perhaps others too.
    pub(super) fn taken_in(&self, feed: &str, n: u64) -> impl Step<Vec<u64>> + use<> {
        self.under(late_key(feed, n), n, usize::MAX)
    }

    /// The entries that touch an object, from entry `from` on; at most `limit`.
    pub(super) fn object(&self, id: &str, from: u64, limit: usize) -> impl Step<Vec<u64>> + use<> {
        self.under(object_key(id), from, limit)
    }

    fn under(&self, key: Key, from: u64, limit: usize) -> impl Step<Vec<u64>> + use<> {
        let first = self.run_of(from).unwrap_or(self.runs.len());
        let runs = Arc::clone(&self.runs);
        let newest = self.tail.under(&key, from, limit);
        move |db: &sled::Db| {
            let mut entries = Vec::new();
            for run in &runs[first..] {
                entries.extend(run.under(db, &key, from, limit - entries.len())?);
            }
            entries.extend(newest);
            entries.truncate(limit);
            Ok(entries)
        }
    }

    /// The ids of the objects that entry `n` touches.
    pub(super) fn touched(&self, n: u64) -> impl Step<Vec<String>> + use<> {
        let run = self.run_of(n).map(|run| Arc::clone(&self.runs[run]));
        let newest = match run {
            Some(_) => Vec::new(),
            None => self.tail.touched(n),
        };
        move |db: &sled::Db| run.map_or(Ok(newest), |run| run.touched(db, n))
    }

    /// Which run holds entry `n`; none when it is in the tail or to come.
    fn run_of(&self, n: u64) -> Option<usize> {
        (n < self.tail.first).then(|| self.runs.partition_point(|run| run.end <= n))
    }
}
