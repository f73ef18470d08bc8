//! The journal in segment files: `entries/<first n, 20 digits>.jsonl`, append-only, one write and one fdatasync a commit.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chain::{Hash, Line, Note};

use super::disk::Disk;
use super::head::{Head, LiveHead};
use super::journal::{Journal, JournalError};
use super::layout::Layout;
use super::reader::{EntryReader, Segment};
use super::scan::Position;

/// The journal of a data directory. It holds the directory's lock as long as it lives.
pub struct SegmentJournal {
    disk: Arc<dyn Disk>,
    layout: Layout,
    position: Position,
    reader: EntryReader,
    /// The last segment, opened for appending once there is something to append.
    writer: Option<Writer>,
    head: LiveHead,
    /// What one write writes; kept, so that it is not asked of the system each time.
    buffer: Vec<u8>,
    /// An earlier error: from then on it is unknown what is on the disk.
    stopped: bool,
    _lock: File,
}

/// A segment opened for appending.
struct Writer {
    first: u64,
    path: PathBuf,
    file: File,
}

impl SegmentJournal {
    /// A journal over what recovery found and made durable.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        layout: Layout,
        position: Position,
        segments: Vec<Segment>,
        head: Option<Head>,
        lock: File,
    ) -> SegmentJournal {
        let reader = EntryReader::new(segments);
        SegmentJournal {
            disk,
            layout,
            position,
            reader,
            writer: None,
            head: LiveHead::new(head),
            buffer: Vec::new(),
            stopped: false,
            _lock: lock,
        }
    }

    /// A handle for reading, for other threads; it sees each entry as soon as it is durable.
    pub fn reader(&self) -> EntryReader {
        self.reader.clone()
    }

    /// Where the journal lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Runs a step that persists; whatever fails stops the journal.
    fn persist(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped);
        }
        let done = step(self);
        let nothing_written = matches!(
            done,
            Ok(())
                | Err(JournalError::Conflict { .. }
                    | JournalError::Unlinked { .. }
                    | JournalError::Head(_))
        );
        self.stopped = !nothing_written;
        done
    }

    /// Where the chain is after `lines`.
    fn follow(&self, lines: &[Line]) -> Result<Position, JournalError> {
        lines.iter().try_fold(self.position, |position, line| {
            position.after(line).ok_or(JournalError::Unlinked {
                n: line.n(),
                size: position.size,
            })
        })
    }

    /// Writes lines that fit in one segment, makes them durable and shows them to readers.
    fn write(&mut self, lines: &[Line]) -> Result<(), JournalError> {
        let first = self.layout.first_of(self.position.size);
        let after = self.follow(lines)?;
        self.buffer.clear();
        for line in lines {
            self.buffer.extend_from_slice(line.bytes());
            self.buffer.push(b'\n');
        }
        if self.writer.as_ref().is_none_or(|w| w.first != first) {
            self.open_segment(first)?;
        }
        let writer = self.writer.as_ref().expect("the segment was just opened");
        let expected = self
            .reader
            .with_segments(|s| s.last().map_or(0, Segment::len));
        let actual = writer
            .file
            .metadata()
            .map_err(io_error(&writer.path))?
            .len();
        if actual != expected {
            return Err(JournalError::Foreign {
                path: writer.path.clone(),
                expected,
                actual,
            });
        }
        // "A commit is one write and one fdatasync."
        self.disk
            .append(&writer.file, &self.buffer)
            .map_err(io_error(&writer.path))?;
        self.disk
            .sync_file(&writer.file)
            .map_err(io_error(&writer.path))?;
        if actual == 0 {
            // "a new segment also fsyncs its directory"
            let folder = self.layout.entries();
            self.disk.sync_dir(&folder).map_err(io_error(&folder))?;
        }
        self.position = after;
        self.reader.extend(lines.iter().map(|l| l.bytes().len()));
        Ok(())
    }

    /// Opens the segment that begins with entry `first` for appending, and makes it when it is not there.
    fn open_segment(&mut self, first: u64) -> Result<(), JournalError> {
        let path = self.layout.segment(first);
        let is_known = self
            .reader
            .with_segments(|s| s.last().is_some_and(|s| s.first == first));
        let file = if is_known {
            OpenOptions::new()
                .append(true)
                .open(&path)
                .map_err(io_error(&path))?
        } else {
            let file = self.disk.create(&path, b"").map_err(io_error(&path))?;
            let read = Arc::new(File::open(&path).map_err(io_error(&path))?);
            self.reader.push(Segment {
                first,
                path: path.clone(),
                file: read,
                ends: Vec::new(),
            });
            file
        };
        self.writer = Some(Writer { first, path, file });
        Ok(())
    }
}

impl Journal for SegmentJournal {
    fn size(&self) -> u64 {
        self.position.size
    }

    fn last(&self) -> Hash {
        self.position.last
    }

    fn append(&mut self, expected_size: u64, lines: &[Line]) -> Result<(), JournalError> {
        self.persist(|journal| {
            let actual = journal.position.size;
            if expected_size != actual {
                return Err(JournalError::Conflict {
                    expected: expected_size,
                    actual,
                });
            }
            // Nothing is written of lines that do not follow one another.
            journal.follow(lines)?;
            let mut rest = lines;
            while !rest.is_empty() {
                // A segment is durable before the next one begins, so only the last can be unfinished.
                let position = journal.position.size;
                let room = journal.layout.first_of(position) + journal.layout.lines_per_segment()
                    - position;
                let now;
                (now, rest) = rest.split_at(rest.len().min(room as usize));
                journal.write(now)?;
            }
            Ok(())
        })
    }

    fn head(&self) -> Option<&Head> {
        self.head.newest()
    }

    fn publish_head(&mut self, note: Note, now_ms: u64) -> Result<(), JournalError> {
        self.persist(|journal| {
            journal.head.publish(note, journal.position.size)?;
            journal
                .head
                .flush_if_due(&*journal.disk, &journal.layout, now_ms)
        })
    }

    fn flush_head(&mut self) -> Result<(), JournalError> {
        self.persist(|journal| journal.head.flush(&*journal.disk, &journal.layout))
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    move |source| JournalError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
