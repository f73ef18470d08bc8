//! What is looked up quickly and can be rebuilt from the entries at any time: operations by id, feeds, objects.
//!
//! It lives in sled 0.34, which is not trusted with anything: each record carries a checksum, a sum over all of them stands beside
//! the size that they cover, both are checked when the index is opened, and a panic inside sled is an error here. Whatever is wrong, the
//! folder is moved aside and the caller records the entries anew.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::chain::Hash;
use crate::chain::hash::sha256;

/// Memory that sled may use for pages, in bytes.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// How long a dropped index may take to close.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// Key of the record that says what the index covers.
const META: &[u8] = b"m";

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

/// What the index covers, as its meta record says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Covers {
    /// Number of entries.
    size: u64,
    /// Leaf hash of the last.
    leaf: Hash,
    /// Number of records for them.
    records: u64,
    /// Sum of the records' checksums.
    sum: u64,
}

/// What the index covers, and how long each feed is.
struct State {
    covers: Covers,
    feeds: HashMap<String, u64>,
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

    /// The numbers of the entries that a feed shows at its places `from`, `from + 1`, …; at most `limit`, fewer at its end.
    pub fn feed(&self, feed: &str, from: u64, limit: usize) -> Result<Vec<u64>, IndexError> {
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
                entries.push(number(unsealed(&key, &value)?)?);
            }
            Ok(entries)
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

impl Covers {
    const NOTHING: Covers = Covers {
        size: 0,
        leaf: Hash::ZERO,
        records: 0,
        sum: 0,
    };

    fn encode(&self) -> Vec<u8> {
        let Covers {
            size,
            leaf,
            records,
            sum,
        } = self;
        [
            &size.to_be_bytes()[..],
            leaf.as_bytes(),
            &records.to_be_bytes(),
            &sum.to_be_bytes(),
        ]
        .concat()
    }

    /// Counts a record in.
    fn count(&mut self, key: &[u8], content: &[u8]) {
        self.records += 1;
        self.sum = self
            .sum
            .wrapping_add(u64::from_be_bytes(check(key, content)));
    }
}

/// A batch being put together.
struct Change<'a> {
    before: &'a State,
    covers: Covers,
    /// Length of each feed that changes.
    feeds: HashMap<String, u64>,
    puts: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Change<'_> {
    fn after(before: &State) -> Change<'_> {
        Change {
            before,
            covers: before.covers,
            feeds: HashMap::new(),
            puts: Vec::new(),
        }
    }

    fn take(&mut self, record: &Record, is_first: bool) {
        if is_first {
            self.put(op_key(&record.op_id), record.n.to_be_bytes().to_vec());
        }
        for (feed, n) in &record.feeds {
            let before = self.before.feeds.get(feed).copied().unwrap_or(0);
            let len = self.feeds.entry(feed.clone()).or_insert(before);
            let key = feed_key(feed, *len);
            *len += 1;
            self.put(key, n.to_be_bytes().to_vec());
        }
        for id in record.objects.iter().collect::<BTreeSet<_>>() {
            self.put(object_key(id, record.n), Vec::new());
        }
        self.covers.size = record.n + 1;
        self.covers.leaf = record.leaf;
    }

    fn put(&mut self, key: Vec<u8>, content: Vec<u8>) {
        self.covers.count(&key, &content);
        self.puts.push((key, content));
    }
}

/// Goes through all records and checks each, and all of them against what the index says of itself.
fn load(db: &sled::Db) -> Result<State, IndexError> {
    let (mut covers, mut feeds, mut meta) =
        (Covers::NOTHING, HashMap::new(), Covers::NOTHING.encode());
    for item in db.iter() {
        let (key, value) = item.map_err(damaged)?;
        let content = unsealed(&key, &value)?;
        if key == META {
            meta = content.to_vec();
            continue;
        }
        covers.count(&key, content);
        if let Some(feed) = feed_of(&key) {
            *feeds.entry(feed.to_owned()).or_insert(0) += 1;
        }
    }
    if let Some((size, rest)) = meta.split_first_chunk() {
        covers.size = u64::from_be_bytes(*size);
        covers.leaf = rest.first_chunk().copied().map_or(Hash::ZERO, Hash::new);
    }
    if covers.encode() != meta {
        return Err(IndexError::Damaged(
            "records are missing or too many".to_owned(),
        ));
    }
    Ok(State { covers, feeds })
}

fn op_key(op_id: &Hash) -> Vec<u8> {
    [b"i", &op_id.as_bytes()[..]].concat()
}

/// A kind, the text's length in 8 bytes so that no text begins with another's key, the text, a number.
fn text_key(kind: u8, text: &str, number: u64) -> Vec<u8> {
    let len = (text.len() as u64).to_be_bytes();
    [&[kind], &len[..], text.as_bytes(), &number.to_be_bytes()].concat()
}

fn feed_key(feed: &str, place: u64) -> Vec<u8> {
    text_key(b'f', feed, place)
}

fn object_key(id: &str, n: u64) -> Vec<u8> {
    text_key(b'o', id, n)
}

/// The feed in a feed's key.
fn feed_of(key: &[u8]) -> Option<&str> {
    let text = key.strip_prefix(b"f")?.get(8..)?;
    std::str::from_utf8(text.get(..text.len().checked_sub(8)?)?).ok()
}

fn number(content: &[u8]) -> Result<u64, IndexError> {
    let bytes = content
        .try_into()
        .map_err(|_| IndexError::Damaged("a record has a wrong length".to_owned()))?;
    Ok(u64::from_be_bytes(bytes))
}

fn last_number(key: &[u8]) -> Result<u64, IndexError> {
    number(&key[key.len().saturating_sub(8)..])
}

/// First 8 bytes of SHA-256(key ‖ content).
fn check(key: &[u8], content: &[u8]) -> [u8; 8] {
    let hash = sha256(&[key, content].concat());
    std::array::from_fn(|i| hash.as_bytes()[i])
}

/// The content with its checksum behind.
fn sealed(key: &[u8], content: &[u8]) -> Vec<u8> {
    [content, &check(key, content)].concat()
}

/// The content, if the checksum behind it holds.
fn unsealed<'a>(key: &[u8], value: &'a [u8]) -> Result<&'a [u8], IndexError> {
    match value.split_last_chunk() {
        Some((content, found)) if *found == check(key, content) => Ok(content),
        _ => Err(IndexError::Damaged(
            "a record's checksum does not hold".to_owned(),
        )),
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

/// "Before opening delete `snap.*.generating`": one left by a kill can make sled unopenable.
fn remove_unfinished_snapshots(path: &Path) -> Result<(), IndexError> {
    let failed = |source| IndexError::Io {
        path: path.to_owned(),
        source,
    };
    let listing = match fs::read_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            return Err(IndexError::Damaged("it is no directory".to_owned()));
        }
        other => other.map_err(failed)?,
    };
    for file in listing {
        let file = file.map_err(failed)?;
        let name = file.file_name().to_string_lossy().into_owned();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(file.path()).map_err(failed)?;
        }
    }
    Ok(())
}

/// Waits until an index of this process that was dropped is closed: sled's threads let go of the file's lock a little later.
fn await_close(path: &Path) -> Result<(), IndexError> {
    let Ok(file) = fs::File::open(path.join("db")) else {
        return Ok(());
    };
    let deadline = Instant::now() + CLOSE_WAIT;
    while file.try_lock().is_err() {
        if Instant::now() > deadline {
            return Err(IndexError::Open {
                path: path.to_owned(),
            });
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Moves a folder to `<path>.aside`, in the place of the one before: all of it can be rebuilt.
fn move_aside(path: &Path) -> Result<PathBuf, IndexError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".aside");
    let aside = PathBuf::from(aside);
    let failed = |source| IndexError::Io {
        path: aside.clone(),
        source,
    };
    if aside.is_dir() {
        fs::remove_dir_all(&aside).map_err(failed)?;
    }
    fs::rename(path, &aside).map_err(failed)?;
    Ok(aside)
}

#[cfg(test)]
mod tests;
