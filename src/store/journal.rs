//! The contract between the ledger and whatever keeps its entries.

use std::io;
use std::path::PathBuf;

use crate::chain::{Hash, Line, Note};

/// Keeps the lines of one ledger in order. One thread owns it; who else reads does so through an
/// [`EntryReader`](super::EntryReader).
///
/// Every error but [`JournalError::Conflict`], [`JournalError::Unlinked`] and [`JournalError::Head`] leaves unknown how much was
/// persisted. The journal then refuses all else, nobody retries, and the process ends: the next start finds out what is there.
pub trait Journal: Send {
    /// Number of entries that are durable.
    fn size(&self) -> u64;

    /// Leaf hash of the last durable entry; [`Hash::ZERO`] when there is none.
    fn last(&self) -> Hash;

    /// Adds `lines` after the first `expected_size` entries.
    ///
    /// *Durable*: when this returns `Ok`, all of them survive a loss of power. *Atomic*: no; after an error, or a crash before the
    /// return, the first few of them may be durable, and those count as committed. *Retried by*: nobody within this process.
    ///
    /// A journal of another size is [`JournalError::Conflict`], and lines that do not continue its chain are
    /// [`JournalError::Unlinked`]; then nothing was written, never is an entry overwritten, and the journal goes on.
    fn append(&mut self, expected_size: u64, lines: &[Line]) -> Result<(), JournalError>;

    /// The newest checkpoint that was given to [`Journal::publish_head`]; `None` only before the first.
    fn head(&self) -> Option<&super::Head>;

    /// Takes a newer signed checkpoint, of entries that are durable; refused with [`JournalError::Head`] when it is beyond them or
    /// older than the last. `now_ms` is a clock that never runs backwards.
    ///
    /// *Durable*: at the latest with the first call a second after the last write, or with [`Journal::flush_head`]. *Atomic*: yes; a
    /// crash leaves the old head or the new one. *Retried by*: nobody.
    fn publish_head(&mut self, note: Note, now_ms: u64) -> Result<(), JournalError>;

    /// Makes the last published head durable; to be called when the ledger stops. Does nothing when it is so already.
    fn flush_head(&mut self) -> Result<(), JournalError>;
}

/// Why a journal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The journal has another size than the caller thought; nothing was written.
    #[error("the journal has {actual} entries, not {expected}")]
    Conflict {
        /// The size that the caller named.
        expected: u64,
        /// The size that the journal has.
        actual: u64,
    },
    /// A line does not continue the chain; nothing was written.
    #[error("line {n} does not follow entry {size} of the journal")]
    Unlinked {
        /// Number in the line.
        n: u64,
        /// Number that the line should have; its `prev` should be the leaf hash before that.
        size: u64,
    },
    /// A checkpoint cannot be the head; nothing was written.
    #[error("not fit to be the head: {0}")]
    Head(String),
    /// Persisting failed; it is unknown how much was persisted.
    #[error("{path}: {source}; the journal stops, start again to recover", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the journal was changed by somebody else.
    #[error("{path} has {actual} bytes, not {expected}: somebody else writes it; the journal stops", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Bytes that this journal wrote.
        expected: u64,
        /// Bytes that are there.
        actual: u64,
    },
    /// Persisting failed before.
    #[error("the journal stopped after an earlier error; start again to recover")]
    Stopped,
}
