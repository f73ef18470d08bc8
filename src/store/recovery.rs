//! Starting: what is on the disk is checked entry by entry before anything is served.
//!
//! A line that is unreadable or unlinked below the head, or after which a readable line follows, refuses the start, named by number,
//! file and offset. Only an unfinished tail above the head moves to `quarantine/`; it is never deleted.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chain::{Entry, Hash, Line, Note, Tree};

use super::disk::{Disk, RealDisk};
use super::head::{Head, HeadError, read_head, write_head};
use super::journal::JournalError;
use super::layout::Layout;
use super::quarantine::{self, Quarantined};
use super::reader::EntryReader;
use super::scan::{Damage, Scan, scan};
use super::segments::SegmentJournal;

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no store in the directory.
    #[error("{path} is missing: there is no ledger here", path = path.display())]
    NoStore {
        /// Where the entries should be.
        path: PathBuf,
    },
    /// There is a store already where one was to be made.
    #[error("{path} is there already: a ledger is never made over another", path = path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// Another process serves the store.
    #[error("{path} is locked: another process serves this ledger", path = path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A file or directory cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Among the segments lies something that is none.
    #[error("{path} is no segment of entries; move it elsewhere", path = path.display())]
    Foreign {
        /// What lies there.
        path: PathBuf,
    },
    /// The head is missing or unreadable.
    #[error(
        "head {path}: {error}; `fsck` says how far the entries verify, `serve --accept-head N` writes the head anew",
        path = path.display()
    )]
    Head {
        /// The head's file.
        path: PathBuf,
        /// What is wrong with it.
        error: HeadError,
    },
    /// An entry that the head covers is damaged.
    #[error("{damage}; the head covers {head_size} entries")]
    BelowHead {
        /// The first damage.
        damage: Damage,
        /// Entries that the head covers.
        head_size: u64,
    },
    /// An entry is damaged, and entries that can be read follow it: this is no unfinished write.
    #[error("{damage}; readable entries stand there or after it, so this is no unfinished write")]
    Followed {
        /// The first damage.
        damage: Damage,
    },
    /// A head was to be accepted beyond the entries that verify.
    #[error("only {verified} entries verify, a head over {size} cannot be accepted")]
    HeadBeyond {
        /// The size asked for.
        size: u64,
        /// Entries that verify.
        verified: u64,
    },
    /// A head was to be accepted, but the one there is good.
    #[error("the head is good and covers {head_size} entries: there is nothing to accept")]
    HeadGood {
        /// Entries that it covers.
        head_size: u64,
    },
    /// Writing a head failed, or the note is not what was asked for.
    #[error("{0}")]
    Journal(#[from] JournalError),
}

impl OpenError {
    pub(super) fn io(path: &Path, source: io::Error) -> OpenError {
        OpenError::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// The damage that refuses the start, if it is one of entries.
    pub fn damage(&self) -> Option<&Damage> {
        match self {
            OpenError::BelowHead { damage, .. } | OpenError::Followed { damage } => Some(damage),
            _ => None,
        }
    }
}

/// A store that was opened for serving.
pub struct Recovered {
    /// The journal, which holds the lock.
    pub journal: SegmentJournal,
    /// The tree over its entries.
    pub tree: Tree,
    /// What this start cut off.
    pub quarantined: Vec<Quarantined>,
}

impl SegmentJournal {
    /// Makes an empty store: directories and lock, all durable. The first append and the first head make it one that opens.
    pub fn create(layout: Layout) -> Result<SegmentJournal, OpenError> {
        SegmentJournal::create_on(Arc::new(RealDisk), layout)
    }

    /// Opens a store for serving: takes the lock, checks every entry and the head's root, cuts off an unfinished tail, and makes durable
    /// what an earlier process left unsynced. Each good entry is shown to `observe` in order, before it is known whether the start
    /// is refused.
    pub fn open(
        layout: Layout,
        observe: &mut dyn FnMut(&Entry, &Line),
    ) -> Result<Recovered, OpenError> {
        SegmentJournal::open_on(Arc::new(RealDisk), layout, observe)
    }

    pub(super) fn create_on(
        disk: Arc<dyn Disk>,
        layout: Layout,
    ) -> Result<SegmentJournal, OpenError> {
        let entries = layout.entries();
        create_durably(&*disk, &entries)?;
        let lock = lock(&layout)?;
        let mut listing = fs::read_dir(&entries).map_err(|e| OpenError::io(&entries, e))?;
        if listing.next().is_some() {
            return Err(OpenError::Exists { path: entries });
        }
        if layout.head().exists() {
            return Err(OpenError::Exists {
                path: layout.head(),
            });
        }
        let scan = scan(&layout, None, &mut |_, _| ())?;
        Ok(SegmentJournal::new(
            disk,
            layout,
            scan.position,
            scan.segments,
            None,
            lock,
        ))
    }

    pub(super) fn open_on(
        disk: Arc<dyn Disk>,
        layout: Layout,
        observe: &mut dyn FnMut(&Entry, &Line),
    ) -> Result<Recovered, OpenError> {
        let lock = lock(&layout)?;
        let head = head_of(&layout)?;
        let scan = scan(&layout, Some(&head.checkpoint), observe)?;
        let quarantined = match verdict(&layout, &scan, &head)? {
            Some(damage) => quarantine::cut(&*disk, &layout, &damage, &scan.files)?,
            None => Vec::new(),
        };
        // "An entry that was persisted but not acknowledged is committed": once it is served it must survive a loss of power.
        if let Some(last) = scan.segments.last() {
            disk.sync_file(&last.file)
                .map_err(|e| OpenError::io(&last.path, e))?;
        }
        let entries = layout.entries();
        disk.sync_dir(&entries)
            .map_err(|e| OpenError::io(&entries, e))?;
        let journal =
            SegmentJournal::new(disk, layout, scan.position, scan.segments, Some(head), lock);
        Ok(Recovered {
            journal,
            tree: scan.tree,
            quarantined,
        })
    }
}

/// A store that is only read, without lock; a server may append to it meanwhile.
pub struct ReadOnly {
    /// Reads the entries that were there when it was opened.
    pub reader: EntryReader,
    /// The tree over them.
    pub tree: Tree,
    /// The head as it was before the entries were read.
    pub head: Head,
    /// An unfinished line after them, which a running server may be writing.
    pub tail: Option<Damage>,
}

/// Opens a store for reading, with the checks of [`SegmentJournal::open`]; never writes.
pub fn read_only(
    layout: &Layout,
    observe: &mut dyn FnMut(&Entry, &Line),
) -> Result<ReadOnly, OpenError> {
    check_there(layout)?;
    let head = head_of(layout)?;
    let scan = scan(layout, Some(&head.checkpoint), observe)?;
    let tail = verdict(layout, &scan, &head)?;
    Ok(ReadOnly {
        reader: EntryReader::new(scan.segments),
        tree: scan.tree,
        head,
        tail,
    })
}

/// How far a store verifies.
#[derive(Debug)]
pub struct FsckReport {
    /// Entries from 0 on that are readable and linked: the largest N that `--accept-head N` takes.
    pub verified: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// The head, if it can be read.
    pub head: Option<Head>,
    /// What a start would do: open, cut off this tail, or refuse.
    pub verdict: Result<Option<Damage>, OpenError>,
    /// What earlier starts cut off and nobody acknowledged.
    pub quarantined: Vec<PathBuf>,
}

/// Says how far a store verifies; without lock, never writes. The error is one that kept it from looking.
pub fn fsck(
    layout: &Layout,
    observe: &mut dyn FnMut(&Entry, &Line),
) -> Result<FsckReport, OpenError> {
    let head = head_of(layout);
    let scan = scan(layout, head.as_ref().ok().map(|h| &h.checkpoint), observe)?;
    let (head, verdict) = match head {
        Ok(head) => {
            let verdict = verdict(layout, &scan, &head);
            (Some(head), verdict)
        }
        Err(error) => (None, Err(error)),
    };
    let quarantined = quarantine::unacknowledged(layout)?;
    Ok(FsckReport {
        verified: scan.position.size,
        root: scan.tree.root(),
        head,
        verdict,
        quarantined,
    })
}

/// A head to be written anew, on the operator's word, because the one there is missing, unreadable or contradicts the entries.
pub struct NewHead {
    layout: Layout,
    size: u64,
    root: Hash,
    _lock: File,
}

impl NewHead {
    /// Takes the lock and checks that the first `size` entries verify and that the head there is not a good one.
    pub fn prepare(layout: Layout, size: u64) -> Result<NewHead, OpenError> {
        let lock = lock(&layout)?;
        if let Ok(head) = head_of(&layout) {
            let scan = scan(&layout, Some(&head.checkpoint), &mut |_, _| ())?;
            if scan.head_root == Some(head.checkpoint.root) {
                return Err(OpenError::HeadGood {
                    head_size: head.checkpoint.size,
                });
            }
        }
        let mut tree = Tree::new();
        let mut keep = |_: &Entry, line: &Line| {
            if tree.size() < size {
                tree.append(*line.leaf());
            }
        };
        let verified = scan(&layout, None, &mut keep)?.position.size;
        if tree.size() != size {
            return Err(OpenError::HeadBeyond { size, verified });
        }
        Ok(NewHead {
            root: tree.root(),
            layout,
            size,
            _lock: lock,
        })
    }

    /// Root of the tree over the entries to be covered.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// Writes the signed checkpoint, after moving what was there to `quarantine/`. Refused when it has another size or root.
    pub fn write(self, note: &Note) -> Result<(), OpenError> {
        let head = Head::try_from(note.clone()).map_err(|e| JournalError::Head(e.to_string()))?;
        if (head.checkpoint.size, head.checkpoint.root) != (self.size, self.root) {
            return Err(JournalError::Head("it has another size or root".to_owned()).into());
        }
        if self.layout.head().exists() {
            quarantine::keep(&RealDisk, &self.layout, &self.layout.head())?;
        }
        Ok(write_head(&RealDisk, &self.layout, note)?)
    }
}

/// What is to be done about what a scan found: nothing, cut off a tail, or refuse.
fn verdict(layout: &Layout, scan: &Scan, head: &Head) -> Result<Option<Damage>, OpenError> {
    let head = &head.checkpoint;
    match scan.head_root {
        None => {
            return Err(OpenError::BelowHead {
                damage: scan.end(layout),
                head_size: head.size,
            });
        }
        Some(found) if found != head.root => {
            let damage = scan.root_damage(head, found, layout);
            return Err(OpenError::BelowHead {
                damage,
                head_size: head.size,
            });
        }
        Some(_) => {}
    }
    match &scan.damage {
        Some(damage) if scan.readable_after => Err(OpenError::Followed {
            damage: damage.clone(),
        }),
        tail => Ok(tail.clone()),
    }
}

/// The head, without which nothing opens.
fn head_of(layout: &Layout) -> Result<Head, OpenError> {
    read_head(layout).map_err(|error| OpenError::Head {
        path: layout.head(),
        error,
    })
}

fn check_there(layout: &Layout) -> Result<(), OpenError> {
    let path = layout.entries();
    if path.is_dir() {
        Ok(())
    } else {
        Err(OpenError::NoStore { path })
    }
}

/// Takes the store's lock, so that two servers never open it.
fn lock(layout: &Layout) -> Result<File, OpenError> {
    check_there(layout)?;
    let path = layout.lock();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = file.map_err(|e| OpenError::io(&path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path }),
        Err(TryLockError::Error(source)) => Err(OpenError::Io { path, source }),
    }
}

/// Makes a directory with its parents, and makes every name on the way durable.
pub(super) fn create_durably(disk: &dyn Disk, path: &Path) -> Result<(), OpenError> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    if !path.is_dir() {
        if let Some(parent) = parent {
            create_durably(disk, parent)?;
        }
        disk.create_dir(path).map_err(|e| OpenError::io(path, e))?;
    }
    // Also when it was there: whoever made it may have died before this.
    let parent = parent.unwrap_or(Path::new("."));
    disk.sync_dir(parent).map_err(|e| OpenError::io(parent, e))
}

#[cfg(test)]
mod kill_tests;
#[cfg(test)]
mod tests;
