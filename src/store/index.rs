//! What is looked up quickly and can be rebuilt from the entries at any time: operations by id, feeds, objects.
//!
//! The newest entries are a tail in memory. When it has all entries of a run, which is a segment of the journal, it is written as rows
//! of some KB that never change, and the next tail begins. Of each run a filter stays in memory, so that a lookup reads rows of hardly any
//! run but those that hold what it looks for. What is in the tail is gone after a stop, and recorded again: a start judges every entry
//! anyway.
//!
//! Rows live in sled 0.34, which is not trusted with anything: each carries a checksum, a sum over all of them stands beside the size
//! that they cover, both are checked when the index is opened, and a panic inside sled is an error here. Whatever is wrong, the folder is
//! moved aside and the caller records the entries anew.

mod chunks;
mod feeds;
mod filter;
mod folder;
mod load;
mod rows;
mod run;
mod state;
mod tail;
mod touched;

use std::fmt::Display;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::chain::Hash;

use folder::{await_close, move_aside, remove_unfinished_snapshots};
use load::{load, put_meta};
use rows::Row;
use state::{State, Step};
use tail::Packed;

/// Most entries of a run, so that two bytes say which of them is meant.
pub const RUN_ENTRIES_MAX: u64 = 1 << 16;

/// Memory that sled may use for pages, in bytes.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// Rows that are written in one go: lookups that read rows wait so long.
const ROWS_AT_ONCE: usize = 64;

/// What the index keeps of one entry. Names of feeds and ids of objects are what they are written as; nobody writes them before the
/// index does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<F = String, O = String> {
    /// Number of the entry.
    pub n: u64,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Id of its operation; of two entries with one id the first is found.
    pub op_id: Hash,
    /// Feeds that grow with this entry, each with the number of the entry it shows next: this one, or an earlier one that the feed may
    /// show from now on. Those of one feed are in order of number.
    pub feeds: Vec<(F, u64)>,
    /// Ids of the objects that it touches.
    pub objects: Vec<O>,
}

/// A place of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Number of the entry that it shows.
    pub n: u64,
    /// Number of the entry with which the feed took it in: the same, or a later one.
    pub with: u64,
}

impl Shown {
    /// Places of a feed are in this order.
    fn order(&self) -> (u64, u64) {
        (self.with, self.n)
    }
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
    /// Entries of a run.
    run_entries: u64,
    /// One at a time records.
    recording: Mutex<()>,
    state: RwLock<State>,
    /// Same as in the state, to be read without waiting.
    size: AtomicU64,
    broken: AtomicBool,
}

impl Index {
    /// Opens the index in a folder, whole or not at all: a damaged one, or one of other entries, is moved aside for an empty one.
    /// A run is to have `run_entries`, at most [`RUN_ENTRIES_MAX`]; `leaf` gives the leaf hash of entry n, if there is one. Only for
    /// whoever holds the journal's lock.
    pub fn open(
        path: &Path,
        run_entries: u64,
        leaf: &dyn Fn(u64) -> Option<Hash>,
    ) -> Result<OpenedIndex, IndexError> {
        let run_entries = run_entries.clamp(1, RUN_ENTRIES_MAX);
        let reason = match Index::try_open(path, run_entries, leaf) {
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
        let index = Index::try_open(path, run_entries, leaf)?;
        Ok(OpenedIndex {
            index,
            rebuild: Some(Rebuild { reason, aside }),
        })
    }

    fn try_open(
        path: &Path,
        run_entries: u64,
        leaf: &dyn Fn(u64) -> Option<Hash>,
    ) -> Result<Index, IndexError> {
        remove_unfinished_snapshots(path)?;
        await_close(path)?;
        folder::create(path)?;
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES);
        let (db, state) = guarded(|| {
            let db = config.open().map_err(damaged)?;
            let state = load(&db)?;
            Ok((db, state))
        })?;
        let covers = state.covers;
        if covers.size > 0 && leaf(covers.size - 1) != Some(covers.leaf) {
            let size = covers.size;
            return Err(IndexError::Damaged(format!(
                "it is of other entries, {size} of them"
            )));
        }
        Ok(Index {
            db: Some(db),
            run_entries,
            recording: Mutex::new(()),
            state: RwLock::new(state),
            size: AtomicU64::new(covers.size),
            broken: AtomicBool::new(false),
        })
    }

    /// Number of entries that are recorded: entries 0 up to this, without gap.
    pub fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Records entries from [`Index::size`] on, all or none. They are found when this returns. The next start may ask for the last of
    /// them again.
    pub fn record<F: Display, O: Display>(
        &self,
        records: &[Record<F, O>],
    ) -> Result<(), IndexError> {
        let _one = self
            .recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.check_unbroken()?;
        for (record, size) in records.iter().zip(self.size()..) {
            if record.n != size {
                let n = record.n;
                return Err(IndexError::OutOfOrder { n, size });
            }
        }
        let run = |record: &Record<F, O>| record.n / self.run_entries;
        for records in records.chunk_by(|one, next| run(one) == run(next)) {
            let mut state = self.write();
            records.iter().for_each(|record| state.take(record));
            let size = state.tail.end;
            drop(state);
            self.size.store(size, Ordering::Release);
            if size.is_multiple_of(self.run_entries) {
                self.write_run()?;
            }
        }
        Ok(())
    }

    /// Makes a run of the tail. Until it is written lookups go on finding in the tail what is there; what a crash leaves half-written
    /// the next start removes.
    fn write_run(&self) -> Result<(), IndexError> {
        let (packed, mut covers) = {
            let state = self.read();
            (state.pack(), state.covers)
        };
        let Packed { run, leaf, .. } = &packed;
        (covers.size, covers.leaf) = (run.end, *leaf);
        for rows in packed.rows.chunks(ROWS_AT_ONCE) {
            let mut batch = sled::Batch::default();
            for Row { key, value } in rows {
                covers.count(value);
                batch.insert(key.as_slice(), value.as_slice());
            }
            self.call(|db| db.apply_batch(batch).map_err(damaged))?;
        }
        self.call(|db| put_meta(db, &covers))?;
        self.write().settle(packed, covers);
        Ok(())
    }

    /// Number of the entry that an operation became.
    pub fn find(&self, op_id: &Hash) -> Result<Option<u64>, IndexError> {
        let step = self.read().find(op_id);
        self.call(step)
    }

    /// What a feed shows at its places `from`, `from + 1`, …; at most `limit`, fewer at its end.
    pub fn feed(&self, feed: &str, from: u64, limit: usize) -> Result<Vec<Shown>, IndexError> {
        let step = self.read().feed(feed, from, limit);
        self.call(step)
    }

    /// Whether a feed shows entry `n`.
    pub fn shows(&self, feed: &str, n: u64) -> Result<bool, IndexError> {
        let own = self.read().has_place(feed, Shown { n, with: n });
        if self.call(own)? {
            return Ok(true);
        }
        let later = self.read().taken_in(feed, n);
        for with in self.call(later)? {
            let place = self.read().has_place(feed, Shown { n, with });
            if self.call(place)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many entries a feed shows.
    pub fn feed_len(&self, feed: &str) -> u64 {
        self.read().feed_len(feed)
    }

    /// The numbers of the entries that touch an object, from entry `from` on; at most `limit`.
    pub fn object(&self, id: &str, from: u64, limit: usize) -> Result<Vec<u64>, IndexError> {
        let step = self.read().object(id, from, limit);
        self.call(step)
    }

    /// The ids of the objects that entry `n` touches, in order; none where it is not recorded.
    pub fn touched(&self, n: u64) -> Result<Vec<String>, IndexError> {
        let step = self.read().touched(n);
        self.call(step)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_unbroken(&self) -> Result<(), IndexError> {
        match self.broken.load(Ordering::Acquire) {
            true => Err(IndexError::Damaged("an earlier call found so".to_owned())),
            false => Ok(()),
        }
    }

    /// Runs a step on sled; damage it finds, or a panic in it, is the end of this index.
    fn call<T>(&self, step: impl Step<T>) -> Result<T, IndexError> {
        self.check_unbroken()?;
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
