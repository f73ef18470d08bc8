//! Opening: every row is read and checked, each by itself and all of them against what the index says of itself.

use std::sync::Arc;

use sled::IVec;

use super::feeds::{FeedNo, Feeds};
use super::filter::Filter;
use super::rows::{Covers, META, Row, Section, parts, run_key};
use super::run::{Run, feed_count, malformed};
use super::state::State;
use super::tail::{Tail, hint};
use super::{IndexError, damaged};

/// What sled holds, or what is wrong with it.
pub(super) fn load(db: &sled::Db) -> Result<State, IndexError> {
    if db.is_empty() {
        put_meta(db, &Covers::NOTHING)?;
    }
    let value = db.get(META).map_err(damaged)?.ok_or_else(incomplete)?;
    let meta = Row { key: META, value };
    let covers = Covers::decode(meta.content()?).ok_or_else(malformed)?;
    remove_unfinished(db, covers.size)?;
    let mut loading = Loading::new();
    for row in db.iter() {
        let (key, value) = row.map_err(damaged)?;
        if key != META {
            loading.take(&Row { key, value })?;
        }
    }
    loading.finish(covers)
}

/// A run that a crash cut short is not covered; its entries are recorded again.
fn remove_unfinished(db: &sled::Db, size: u64) -> Result<(), IndexError> {
    let mut batch = sled::Batch::default();
    for row in db.range(run_key(size)..) {
        batch.remove(row.map_err(damaged)?.0);
    }
    db.apply_batch(batch).map_err(damaged)
}

pub(super) fn put_meta(db: &sled::Db, covers: &Covers) -> Result<(), IndexError> {
    let Row { key, value } = Row::sealed((META.to_vec(), covers.encode()));
    db.insert(key, value).map(drop).map_err(damaged)
}

fn incomplete() -> IndexError {
    IndexError::Damaged("rows are missing or too many".to_owned())
}

struct Loading {
    counted: Covers,
    runs: Vec<Run>,
    feeds: Feeds,
    /// Of the last run, in the making.
    keys: Vec<u64>,
    counts: Vec<(FeedNo, u32)>,
}

impl Loading {
    fn new() -> Loading {
        Loading {
            counted: Covers::NOTHING,
            runs: Vec::new(),
            feeds: Feeds::default(),
            keys: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Takes the next row in.
    fn take(&mut self, row: &Row<IVec, IVec>) -> Result<(), IndexError> {
        let mut content = row.content()?;
        self.counted.count(&row.value);
        let (run, section) = parts(&row.key).ok_or_else(incomplete)?;
        if self.runs.last().is_none_or(|last| last.first != run) {
            self.end_run(run);
            self.runs.push(Run {
                first: run,
                end: run,
                filter: Filter::default(),
            });
        }
        match section {
            Section::Feeds => {
                while !content.is_empty() {
                    let (name, count) = feed_count(&mut content).ok_or_else(malformed)?;
                    self.counts.push((self.feeds.number_of(name), count));
                }
            }
            Section::Ops => self.keys.extend(content.chunks_exact(34).map(hint)),
            Section::Hashes => self.keys.extend(content.chunks_exact(18).map(hint)),
            Section::Places | Section::Touched => {}
        }
        Ok(())
    }

    /// The last run ends before entry `end`.
    fn end_run(&mut self, end: u64) {
        let keys = std::mem::take(&mut self.keys);
        let counts = std::mem::take(&mut self.counts);
        if let Some(last) = self.runs.last_mut() {
            last.end = end;
            last.filter = Filter::new(&keys);
            self.feeds.add(self.runs.len() - 1, &counts);
        }
    }

    fn finish(mut self, covers: Covers) -> Result<State, IndexError> {
        self.end_run(covers.size);
        let counted = Covers {
            size: covers.size,
            leaf: covers.leaf,
            ..self.counted
        };
        if counted != covers {
            return Err(incomplete());
        }
        Ok(State {
            covers,
            runs: Arc::new(self.runs.into_iter().map(Arc::new).collect()),
            feeds: self.feeds,
            tail: Tail::new(covers.size),
        })
    }
}
