//! What is looked up quickly and can be rebuilt from the entries at any time: operations by id, feeds, objects.
//!
//! It lives in sled 0.34, which is not trusted with anything: each record carries a checksum, a sum over all of them stands beside
//! the size that they cover, both are checked when the index is opened, and a panic inside sled is an error here. Whatever is wrong, the
//! folder is moved aside and the caller records the entries anew.

mod folder;
mod records;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::chain::Hash;

use folder::{await_close, move_aside, remove_unfinished_snapshots};
use records::{
    Change, Covers, META, State, feed_key, last_number, load, number, object_key, op_key, sealed,
    shown_key, touched_key, unsealed,
};

/// Memory that sled may use for pages, in bytes.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// What the index keeps of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Number of the entry.
    pub n: u64,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Id of its operation; of two entries with one id the first is found.
    pub op_id: Hash,
    /// Feeds that grow with this entry (`party:<id>`, `authority`, …), each with the number of the entry it shows next: this one,
    /// or an earlier one that the feed may show from now on.
    pub feeds: Vec<(String, u64)>,
    /// Ids of the objects that it touches.
    pub objects: Vec<String>,
}

/// A place of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Number of the entry that it shows.
    pub n: u64,
    /// Number of the entry with which the feed took it in: the same, or a later one.
    pub with: u64,
}

/// Why the index did not answer.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It is damaged; close it and open it again, which rebuilds it. Entries are not affected.
    #[error("the index is damaged: {0}; it can be rebuilt from the entries")]
    Damaged(String),
    /// Records come in order, without gap.
    #[error("entry {n} cannot be recorded: the index covers {size} entries")]
    OutOfOrder {
        /// Number of the record.
        n: u64,
        /// Entries that the index covers.
        size: u64,
    },
    /// Somebody has it open. It is not damaged, and nothing was moved.
    #[error("{path} is open elsewhere: only whoever serves the ledger may open its index", path = path.display())]
    Open {
        /// Its folder.
        path: PathBuf,
    },
    /// A folder or file cannot be changed.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An index that was opened.
pub struct OpenedIndex {
    /// The index; the caller records the entries from [`Index::size`] on.
    pub index: Index,
    /// Why it begins anew, when an earlier one could not be used.
    pub rebuild: Option<Rebuild>,
}

/// An index that was not fit for use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuild {
    /// What was wrong with it.
    pub reason: String,
    /// Where it was moved.
    pub aside: PathBuf,
}

/// Lookups over the entries of one journal. Lookups and [`Index::record`] may run at the same time.
pub struct Index {
    /// Always there but while it is being dropped.
    db: Option<sled::Db>,
    state: Mutex<State>,
    /// Same as in the state, to be read without waiting.
    size: AtomicU64,
    broken: AtomicBool,
}

impl Index {
    /// Opens the index in a folder, whole or not at all: a damaged one, or one of other entries, is moved aside for an empty one.
    /// `leaf` gives the leaf hash of entry n, if there is one. Only for whoever holds the journal's lock.
    pub fn open(
        path: &Path,
        leaf: &dyn Fn(u64) -> Option<Hash>,
    ) -> Result<OpenedIndex, IndexError> {
        let reason = match Index::try_open(path, leaf) {
            Ok(index) => {
                return Ok(OpenedIndex {
                    index,
                    rebuild: None,
                });
            }
            Err(IndexError::Damaged(reason)) => reason,
            Err(error) => return Err(error),
        };
        let aside = move_aside(path)?;
        let index = Index::try_open(path, leaf)?;
        Ok(OpenedIndex {
            index,
            rebuild: Some(Rebuild { reason, aside }),
        })
    }

    fn try_open(path: &Path, leaf: &dyn Fn(u64) -> Option<Hash>) -> Result<Index, IndexError> {
        remove_unfinished_snapshots(path)?;
        await_close(path)?;
        folder::create(path)?;
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES);
        let db = guarded(|| config.open().map_err(damaged))?;
        let mut index = Index {
            db: Some(db),
            state: Mutex::new(State {
                covers: Covers::NOTHING,
                feeds: HashMap::new(),
            }),
            size: AtomicU64::new(0),
            broken: AtomicBool::new(false),
        };
        let state = index.call(load)?;
        let Covers {
            size, leaf: last, ..
        } = state.covers;
        if size > 0 && leaf(size - 1) != Some(last) {
            return Err(IndexError::Damaged(format!(
                "it is of other entries, {size} of them"
            )));
        }
        index.size = AtomicU64::new(size);
        index.state = Mutex::new(state);
        Ok(index)
    }

    /// Number of entries that are recorded: entries 0 up to this, without gap.
    pub fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Records entries from [`Index::size`] on, all or none. They are found when this returns; they need not survive a crash, as the
    /// next start records them again.
    pub fn record(&self, records: &[Record]) -> Result<(), IndexError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Change::after(&state);
        let mut ids = BTreeSet::new();
        for record in records {
            if record.n != next.covers.size {
                return Err(IndexError::OutOfOrder {
                    n: record.n,
                    size: next.covers.size,
                });
            }
            let is_first = ids.insert(record.op_id) && self.find(&record.op_id)?.is_none();
            next.take(record, is_first);
        }
        self.call(|db| {
            let mut batch = sled::Batch::default();
            for (key, value) in &next.puts {
                batch.insert(key.as_slice(), sealed(key, value));
            }
            batch.insert(META, sealed(META, &next.covers.encode()));
            db.apply_batch(batch).map_err(damaged)
        })?;
        let Change { covers, feeds, .. } = next;
        state.covers = covers;
        state.feeds.extend(feeds);
        self.size.store(state.covers.size, Ordering::Release);
        Ok(())
    }

    /// Number of the entry that an operation became.
    pub fn find(&self, op_id: &Hash) -> Result<Option<u64>, IndexError> {
        let key = op_key(op_id);
        self.call(|db| match db.get(&key).map_err(damaged)? {
            None => Ok(None),
            Some(value) => Ok(Some(number(unsealed(&key, &value)?)?)),
        })
    }

    /// What a feed shows at its places `from`, `from + 1`, …; at most `limit`, fewer at its end.
    pub fn feed(&self, feed: &str, from: u64, limit: usize) -> Result<Vec<Shown>, IndexError> {
        self.call(|db| {
            let mut entries = Vec::new();
            for item in db
                .range(feed_key(feed, from)..=feed_key(feed, u64::MAX))
                .take(limit)
            {
                let (key, value) = item.map_err(damaged)?;
                if key != feed_key(feed, from + entries.len() as u64) {
                    return Err(IndexError::Damaged(format!("feed {feed} has a gap")));
                }
                entries.push(Shown::decode(unsealed(&key, &value)?)?);
            }
            Ok(entries)
        })
    }

    /// Whether a feed shows entry `n`.
    pub fn shows(&self, feed: &str, n: u64) -> Result<bool, IndexError> {
        let key = shown_key(feed, n);
        self.call(|db| match db.get(&key).map_err(damaged)? {
            None => Ok(false),
            Some(value) => unsealed(&key, &value).map(|_| true),
        })
    }

    /// How many entries a feed shows.
    pub fn feed_len(&self, feed: &str) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.feeds.get(feed).copied().unwrap_or(0)
    }

    /// The numbers of the entries that touch an object, from entry `from` on; at most `limit`.
    pub fn object(&self, id: &str, from: u64, limit: usize) -> Result<Vec<u64>, IndexError> {
        self.call(|db| {
            let range = object_key(id, from)..=object_key(id, u64::MAX);
            let found = db.range(range).take(limit).map(|item| {
                let (key, value) = item.map_err(damaged)?;
                unsealed(&key, &value)?;
                last_number(&key)
            });
            found.collect()
        })
    }

    /// The ids of the objects that entry `n` touches, in order; none where it is not recorded.
    pub fn touched(&self, n: u64) -> Result<Vec<String>, IndexError> {
        let key = touched_key(n);
        self.call(|db| {
            let Some(value) = db.get(&key).map_err(damaged)? else {
                return Ok(Vec::new());
            };
            let ids = std::str::from_utf8(unsealed(&key, &value)?)
                .map_err(|error| IndexError::Damaged(error.to_string()))?;
            Ok(ids.lines().map(str::to_owned).collect())
        })
    }

    /// Writes out what sled holds back, so that the next start has less to record again.
    pub fn flush(&self) -> Result<(), IndexError> {
        self.call(|db| db.flush().map(drop).map_err(damaged))
    }

    /// Runs a step on sled; damage it finds, or a panic in it, is the end of this index.
    fn call<T>(
        &self,
        step: impl FnOnce(&sled::Db) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        if self.broken.load(Ordering::Acquire) {
            return Err(IndexError::Damaged("an earlier call found so".to_owned()));
        }
        let db = self.db.as_ref().expect("taken only in drop");
        let done = guarded(|| step(db));
        if matches!(done, Err(IndexError::Damaged(_))) {
            self.broken.store(true, Ordering::Release);
        }
        done
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // Closing flushes, and what is damaged panics there too; nothing is lost that cannot be rebuilt.
        let db = self.db.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
    }
}

fn damaged(error: sled::Error) -> IndexError {
    IndexError::Damaged(error.to_string())
}

/// Runs a step in which sled may panic.
fn guarded<T>(step: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(IndexError::Damaged(format!("sled panicked: {text}")))
    })
}

#[cfg(test)]
mod tests;
