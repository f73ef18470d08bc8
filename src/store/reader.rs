//! Reading entries that are durable, from any thread, while one thread appends.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use crate::chain::hash::leaf_hash;
use crate::chain::{Entry, Hash, Line};

use super::scan::{Damage, DamageKind};

/// Most bytes that an iteration reads ahead.
const READ_AHEAD_BYTES: u64 = 1024 * 1024;

/// A segment's file and where its lines end.
#[derive(Debug)]
pub(super) struct Segment {
    /// Number of its first entry.
    pub(super) first: u64,
    /// Its path, for messages.
    pub(super) path: PathBuf,
    /// Opened for reading.
    pub(super) file: Arc<File>,
    /// Offset after the newline of each of its lines: line i is from the end before it up to `ends[i] - 1`.
    pub(super) ends: Vec<u64>,
}

impl Segment {
    /// Bytes of its lines.
    pub(super) fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Number of the entry after its last.
    pub(super) fn end(&self) -> u64 {
        self.first + self.ends.len() as u64
    }

    /// Offset of entry `n`, which it holds or would hold next.
    pub(super) fn offset(&self, n: u64) -> u64 {
        match n - self.first {
            0 => 0,
            i => self.ends[i as usize - 1],
        }
    }
}

/// Why an entry could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such entry yet.
    #[error("there is no entry {n}: the ledger has {size}")]
    Absent {
        /// The number asked for.
        n: u64,
        /// How many entries there are.
        size: u64,
    },
    /// The file cannot be read.
    #[error("entry {n} in {path}: {source}", path = path.display())]
    Io {
        /// Number of the entry.
        n: u64,
        /// Its file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What stands there is no longer the entry that was verified at the start or written since.
    #[error("{0}")]
    Damaged(Damage),
}

/// A handle for reading entries; a clone reads the same journal. Sees exactly the entries that are durable.
#[derive(Debug, Clone, Default)]
pub struct EntryReader {
    // Held only to look up or push an offset, never across I/O.
    segments: Arc<RwLock<Vec<Segment>>>,
}

impl EntryReader {
    pub(super) fn new(segments: Vec<Segment>) -> EntryReader {
        EntryReader {
            segments: Arc::new(RwLock::new(segments)),
        }
    }

    /// Looks into the segments.
    pub(super) fn with_segments<T>(&self, look: impl FnOnce(&[Segment]) -> T) -> T {
        look(&self.segments.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes in lines that became durable at the end of the last segment, by their lengths without newline.
    pub(super) fn extend(&self, line_lens: impl IntoIterator<Item = usize>) {
        let mut segments = self
            .segments
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let last = segments
            .last_mut()
            .expect("a segment is pushed before its lines");
        let mut end = last.len();
        for len in line_lens {
            end += len as u64 + 1;
            last.ends.push(end);
        }
    }

    /// Takes in a new segment.
    pub(super) fn push(&self, segment: Segment) {
        self.segments
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(segment);
    }

    /// Number of entries that can be read: those that are durable.
    pub fn size(&self) -> u64 {
        self.with_segments(|segments| segments.last().map_or(0, Segment::end))
    }

    /// Entry `n` and its line, verified to be canonical and to have this number.
    pub fn entry(&self, n: u64) -> Result<(Entry, Line), ReadError> {
        let absent = ReadError::Absent {
            n,
            size: self.size(),
        };
        let block = self.block(n, n.saturating_add(1))?;
        block.read()?.next_entry().unwrap_or(Err(absent))
    }

    /// Leaf hash of entry `n`.
    pub fn leaf(&self, n: u64) -> Result<Hash, ReadError> {
        self.entry(n).map(|(_, line)| *line.leaf())
    }

    /// The leaf hashes of the lines of `range` as they stand, which nobody has read: to be compared with a hash above them.
    /// Beyond [`EntryReader::size`] is an error.
    pub fn leaves(&self, range: Range<u64>) -> Result<Vec<Hash>, ReadError> {
        let mut leaves = Vec::new();
        let mut from = range.start;
        while from < range.end {
            let mut block = self.block(from, range.end)?.read()?;
            while let Some(line) = block.next_line() {
                leaves.push(leaf_hash(line?.1));
                from += 1;
            }
        }
        Ok(leaves)
    }

    /// The entries of `range` in order; the first error is the last item. Beyond [`EntryReader::size`] is an error.
    pub fn entries(&self, range: Range<u64>) -> Walk<(Entry, Line)> {
        self.walk(range, LoadedBlock::next_entry)
    }

    /// The lines of `range` in the same way, without newline and as they stand: for who reads them on several threads.
    pub fn lines(&self, range: Range<u64>) -> Walk<Vec<u8>> {
        self.walk(range, |block| {
            let line = block.next_line()?;
            Some(line.map(|(_, line)| line.to_vec()))
        })
    }

    fn walk<T>(&self, range: Range<u64>, next: Next<T>) -> Walk<T> {
        Walk {
            reader: self.clone(),
            range,
            block: None,
            next,
        }
    }

    /// Where the entries from `from` on are: at most up to `to`, of one segment, and not too many for one read.
    fn block(&self, from: u64, to: u64) -> Result<Block, ReadError> {
        self.with_segments(|segments| {
            let absent = || ReadError::Absent {
                n: from,
                size: segments.last().map_or(0, Segment::end),
            };
            let after = segments.partition_point(|s| s.first <= from);
            let segment = after
                .checked_sub(1)
                .map(|i| &segments[i])
                .filter(|s| from < s.end())
                .ok_or_else(absent)?;
            let offset = segment.offset(from);
            let index = (from - segment.first) as usize;
            let most = to.min(segment.end()) - from;
            let ends = segment.ends[index..index + most as usize].iter();
            let ends = ends
                .enumerate()
                .take_while(|(i, end)| *i == 0 || **end - offset <= READ_AHEAD_BYTES);
            let ends = ends.map(|(_, end)| end - offset).collect();
            Ok(Block {
                first: from,
                path: segment.path.clone(),
                file: Arc::clone(&segment.file),
                offset,
                ends,
            })
        })
    }
}

/// Neighbouring lines of one file.
struct Block {
    first: u64,
    path: PathBuf,
    file: Arc<File>,
    offset: u64,
    /// Where each line ends, newline included, from `offset` on.
    ends: Vec<u64>,
}

impl Block {
    /// Reads all lines in one go.
    fn read(self) -> Result<LoadedBlock, ReadError> {
        let mut bytes = vec![0; self.ends.last().copied().unwrap_or(0) as usize];
        self.file
            .read_exact_at(&mut bytes, self.offset)
            .map_err(|source| ReadError::Io {
                n: self.first,
                path: self.path.clone(),
                source,
            })?;
        Ok(LoadedBlock {
            block: self,
            bytes,
            at: 0,
        })
    }
}

/// The lines of a block, one after the other.
struct LoadedBlock {
    block: Block,
    bytes: Vec<u8>,
    at: usize,
}

impl LoadedBlock {
    /// The next line, without newline, with the number that its place gives it.
    fn next_line(&mut self) -> Option<Result<(u64, &[u8]), ReadError>> {
        let end = *self.block.ends.get(self.at)? as usize;
        let (n, start) = (self.block.first + self.at as u64, self.start(self.at));
        self.at += 1;
        Some(match self.bytes[start..end].split_last() {
            Some((b'\n', line)) => Ok((n, line)),
            _ => Err(self.damaged(n, DamageKind::NotEnded)),
        })
    }

    /// Where the block's line `at` begins.
    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |i| self.block.ends[i] as usize)
    }

    fn next_entry(&mut self) -> Option<Result<(Entry, Line), ReadError>> {
        let (n, read) = match self.next_line()? {
            Ok((n, line)) => (n, Line::decode(line)),
            Err(error) => return Some(Err(error)),
        };
        Some(match read {
            Ok((entry, line)) if entry.n() == n => Ok((entry, line)),
            Ok(_) => Err(self.damaged(n, DamageKind::Unlinked)),
            Err(error) => Err(self.damaged(n, DamageKind::Unreadable(error))),
        })
    }

    fn damaged(&self, n: u64, kind: DamageKind) -> ReadError {
        let start = self.start((n - self.block.first) as usize);
        ReadError::Damaged(Damage {
            n,
            file: self.block.path.clone(),
            offset: self.block.offset + start as u64,
            kind,
        })
    }
}

/// Reads on in a block.
type Next<T> = fn(&mut LoadedBlock) -> Option<Result<T, ReadError>>;

/// Neighbouring entries in order: see [`EntryReader::entries`].
pub struct Walk<T> {
    reader: EntryReader,
    range: Range<u64>,
    block: Option<LoadedBlock>,
    next: Next<T>,
}

impl<T> Walk<T> {
    fn load(&mut self) -> Result<(), ReadError> {
        self.block = Some(
            self.reader
                .block(self.range.start, self.range.end)?
                .read()?,
        );
        Ok(())
    }
}

impl<T> Iterator for Walk<T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.range.is_empty() {
            return None;
        }
        let mut item = self.block.as_mut().and_then(self.next);
        if item.is_none() {
            item = match self.load() {
                Ok(()) => self.block.as_mut().and_then(self.next),
                Err(error) => Some(Err(error)),
            };
        }
        self.range.start = if matches!(item, Some(Ok(_))) {
            self.range.start + 1
        } else {
            self.range.end
        };
        item
    }
}
