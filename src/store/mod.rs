//! Where entries are kept: segment files of record, and sled for what can be rebuilt.
//!
//! The store is the export: concatenated, the segment files are the lines of the ledger. A line counts once it is written and
//! synced; whoever reads from here sees only such lines. Any error while persisting stops the journal for good: the process ends, and
//! the next start, which checks everything, is the recovery.
//!
//! Knows no domain: what a payload says is nothing to this folder.

pub mod checkpoints;
mod disk;
pub mod head;
pub mod index;
pub mod journal;
pub mod layout;
pub mod quarantine;
mod raw;
pub mod reader;
pub mod recovery;
mod scan;
pub mod segments;
pub mod space;

#[cfg(test)]
mod testing;

pub use checkpoints::Checkpoints;
pub use head::Head;
pub use index::{Index, IndexError, OpenedIndex, Rebuild, Record, Shown};
pub use journal::{Journal, JournalError};
pub use layout::Layout;
pub use quarantine::Quarantined;
pub use reader::{EntryReader, ReadError};
pub use recovery::{FsckReport, OpenError, Recovered};
pub use scan::{Damage, DamageKind};
pub use segments::SegmentJournal;
pub use space::{SpaceGuard, free_space};
