//! The head: the last signed checkpoint that was written beside the entries. What it covers must be there at a start.

use std::fs;
use std::io;

use crate::chain::{Checkpoint, CheckpointError, Note};

use super::disk::Disk;
use super::journal::JournalError;
use super::layout::Layout;

/// The head is written at most once in this time, in milliseconds, and when the ledger rests or stops.
pub const HEAD_INTERVAL_MS: u64 = 1000;

/// A checkpoint and the signed note it was read from. Its signatures are the caller's to verify: this folder knows no keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The note as it stands in the file.
    pub note: Note,
    /// What its text says.
    pub checkpoint: Checkpoint,
}

/// Why there is no head to go by.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// There is no such file.
    #[error("it is missing")]
    Missing,
    /// The file cannot be read.
    #[error("{0}")]
    Io(io::Error),
    /// The file is no checkpoint.
    #[error("{0}")]
    Unreadable(#[from] CheckpointError),
}

impl TryFrom<Note> for Head {
    type Error = CheckpointError;

    fn try_from(note: Note) -> Result<Head, CheckpointError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        // Our checkpoints have no extension lines.
        if checkpoint.text() != note.text() {
            return Err(CheckpointError::Malformed(
                "more than origin, size and root",
            ));
        }
        Ok(Head { note, checkpoint })
    }
}

/// Reads the head. What is read must be exactly what is written for it, so that no changed byte goes unnoticed.
pub fn read_head(layout: &Layout) -> Result<Head, HeadError> {
    let bytes = fs::read(layout.head()).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => HeadError::Missing,
        _ => HeadError::Io(e),
    })?;
    let note = Note::decode(&bytes).map_err(CheckpointError::from)?;
    let head = Head::try_from(note)?;
    if head.note.encode().as_bytes() != bytes {
        return Err(CheckpointError::Malformed("not in the form it is written in").into());
    }
    Ok(head)
}

/// Writes the head in one step: temporary file, sync, rename, sync of the directory.
pub(super) fn write_head(
    disk: &dyn Disk,
    layout: &Layout,
    note: &Note,
) -> Result<(), JournalError> {
    let (temp, path) = (layout.head_temp(), layout.head());
    let failed = |source| JournalError::Io {
        path: path.clone(),
        source,
    };
    let file = disk
        .overwrite(&temp, note.encode().as_bytes())
        .map_err(failed)?;
    disk.sync_file(&file).map_err(failed)?;
    disk.rename(&temp, &path).map_err(failed)?;
    disk.sync_dir(layout.data()).map_err(failed)
}

/// The head of a running journal, which may be newer than the file.
pub(super) struct LiveHead {
    newest: Option<Head>,
    written: bool,
    written_at_ms: Option<u64>,
}

impl LiveHead {
    /// From the head that the file holds, if it holds one.
    pub(super) fn new(read: Option<Head>) -> LiveHead {
        LiveHead {
            newest: read,
            written: true,
            written_at_ms: None,
        }
    }

    pub(super) fn newest(&self) -> Option<&Head> {
        self.newest.as_ref()
    }

    /// Takes a newer checkpoint over the first entries of `size` durable ones.
    pub(super) fn publish(&mut self, note: Note, size: u64) -> Result<(), JournalError> {
        let head = Head::try_from(note).map_err(|e| JournalError::Head(e.to_string()))?;
        // "never ahead of durable entries"
        if head.checkpoint.size > size {
            let reason = format!(
                "it covers {} entries, but {size} are durable",
                head.checkpoint.size
            );
            return Err(JournalError::Head(reason));
        }
        let old = self.newest.as_ref().map_or(0, |h| h.checkpoint.size);
        if head.checkpoint.size < old {
            let reason = format!(
                "it covers {} entries, the one before {old}",
                head.checkpoint.size
            );
            return Err(JournalError::Head(reason));
        }
        self.newest = Some(head);
        self.written = false;
        Ok(())
    }

    /// Whether it is time to write: "at most once a second".
    pub(super) fn is_due(&self, now_ms: u64) -> bool {
        self.written_at_ms
            .is_none_or(|at| now_ms.saturating_sub(at) >= HEAD_INTERVAL_MS)
    }

    /// Writes what is not written yet.
    pub(super) fn flush(&mut self, disk: &dyn Disk, layout: &Layout) -> Result<(), JournalError> {
        if let (false, Some(head)) = (self.written, &self.newest) {
            write_head(disk, layout, &head.note)?;
            self.written = true;
        }
        Ok(())
    }

    /// Writes at `now_ms` when it is due.
    pub(super) fn flush_if_due(
        &mut self,
        disk: &dyn Disk,
        layout: &Layout,
        now_ms: u64,
    ) -> Result<(), JournalError> {
        if self.is_due(now_ms) {
            self.flush(disk, layout)?;
            self.written_at_ms = Some(now_ms);
        }
        Ok(())
    }
}
