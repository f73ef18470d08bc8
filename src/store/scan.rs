//! Going through all entries: what a start, `fsck` and every reader of a whole store have in common.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chain::{Checkpoint, Entry, Hash, Line, LineError, Tree};

use super::layout::{Layout, segment_first};
use super::raw::{RawLine, RawLines};
use super::reader::Segment;
use super::recovery::OpenError;

/// The first place where the entries are not as they must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Number of the entry that should be there.
    pub n: u64,
    /// The file.
    pub file: PathBuf,
    /// Where the entry's line begins, or should, in bytes from the start of the file.
    pub offset: u64,
    /// What is wrong.
    pub kind: DamageKind,
}

/// What can be wrong with a line in its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DamageKind {
    /// The line is not the canonical line of an entry.
    #[error("the line is unreadable: {0}")]
    Unreadable(LineError),
    /// The line stops without a newline.
    #[error("the line is unfinished: no newline ends it")]
    NotEnded,
    /// The line has another number, or its `prev` is not the leaf hash of the entry before it.
    #[error("the line does not follow the one before it")]
    Unlinked,
    /// The segment is full, and yet there is more.
    #[error("the segment has more lines than it may hold")]
    Surplus,
    /// There is nothing more, and there should be.
    #[error("the entries end here")]
    Ends,
    /// The segment's file is missing, and a later one is there.
    #[error("the file is missing")]
    Missing,
    /// All lines are linked, but the tree over them up to this one has another root than the head says.
    #[error(
        "the tree up to this entry has root {found}, but the head says {expected}: the entry or the head was changed"
    )]
    Root {
        /// Root in the head.
        expected: Hash,
        /// Root over the entries.
        found: Hash,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "entry {} in {} at byte {}: {}",
            self.n,
            self.file.display(),
            self.offset,
            self.kind
        )
    }
}

/// How far a chain goes. The live path and recovery advance it by the same step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Number of entries.
    pub(super) size: u64,
    /// Leaf hash of the last; zeros when there is none.
    pub(super) last: Hash,
}

impl Position {
    pub(super) const START: Position = Position {
        size: 0,
        last: Hash::ZERO,
    };

    /// The position after `line`; `None` when the line does not continue the chain.
    pub(super) fn after(self, line: &Line) -> Option<Position> {
        let follows = line.n() == self.size && *line.prev() == self.last;
        follows.then(|| Position {
            size: self.size + 1,
            last: *line.leaf(),
        })
    }
}

/// What a scan found.
pub(super) struct Scan {
    /// The segments with their good lines.
    pub(super) segments: Vec<Segment>,
    /// Where the good lines end.
    pub(super) position: Position,
    /// The tree over them.
    pub(super) tree: Tree,
    /// Root over the first entries up to the head's size, if they go that far.
    pub(super) head_root: Option<Hash>,
    /// What ended them before the end of the files.
    pub(super) damage: Option<Damage>,
    /// Whether a line that reads as an entry stands there or after it.
    pub(super) readable_after: bool,
    /// All segment files, by first entry.
    pub(super) files: Vec<(u64, PathBuf)>,
}

/// Goes through the entries in order up to the first that is damaged, showing each good one to `observe`.
pub(super) fn scan(
    layout: &Layout,
    head: Option<&Checkpoint>,
    observe: &mut dyn FnMut(&Entry, &Line),
) -> Result<Scan, OpenError> {
    let files = segment_files(layout)?;
    let tree = Tree::new();
    let head_root = head.filter(|h| h.size == 0).map(|_| tree.root());
    let mut scan = Scan {
        segments: Vec::new(),
        position: Position::START,
        tree,
        head_root,
        damage: None,
        readable_after: false,
        files,
    };
    let files = scan.files.clone();
    for (i, (first, path)) in files.iter().enumerate() {
        let n = scan.position.size;
        if *first != n {
            let damage = Damage {
                n,
                file: layout.segment(n),
                offset: 0,
                kind: DamageKind::Missing,
            };
            scan.readable_after = any_readable_file(&files[i..])?;
            scan.damage = Some(damage);
            break;
        }
        let mut lines = RawLines::new(open_buffered(path)?);
        let file = File::open(path).map_err(|e| OpenError::io(path, e))?;
        scan.segments.push(Segment {
            first: *first,
            path: path.clone(),
            file: Arc::new(file),
            ends: Vec::new(),
        });
        let full = first + layout.lines_per_segment();
        scan.segment(&mut lines, full, head, observe)
            .map_err(|e| OpenError::io(path, e))?;
        if scan.damage.is_none() && scan.position.size < full && i + 1 < files.len() {
            scan.damage = Some(scan.here(DamageKind::Ends));
        }
        if scan.damage.is_some() {
            scan.readable_after = scan.readable_after || any_readable_file(&files[i + 1..])?;
            break;
        }
    }
    Ok(scan)
}

impl Scan {
    /// Takes in a segment's lines up to its end or the first damage.
    fn segment(
        &mut self,
        lines: &mut RawLines<impl BufRead>,
        full: u64,
        head: Option<&Checkpoint>,
        observe: &mut dyn FnMut(&Entry, &Line),
    ) -> io::Result<()> {
        while let Some(raw) = lines.next()? {
            let (entry, line, next) = match self.judge(&raw, full) {
                Ok(good) => good,
                Err(kind) => {
                    // A line that reads as an entry is no unfinished write, wherever it belongs. What comes after the end of the
                    // file is what a running server has written since.
                    self.readable_after =
                        raw.ended && (Line::decode(&raw.bytes).is_ok() || any_readable(lines)?);
                    self.damage = Some(self.here(kind));
                    return Ok(());
                }
            };
            observe(&entry, &line);
            self.position = next;
            self.tree.append(*line.leaf());
            if head.is_some_and(|h| h.size == next.size) {
                self.head_root = Some(self.tree.root());
            }
            let segment = self.segments.last_mut().expect("the segment was pushed");
            segment.ends.push(lines.offset());
        }
        Ok(())
    }

    fn judge(&self, raw: &RawLine, full: u64) -> Result<(Entry, Line, Position), DamageKind> {
        if self.position.size == full {
            return Err(DamageKind::Surplus);
        }
        if !raw.ended {
            return Err(DamageKind::NotEnded);
        }
        let (entry, line) = Line::decode(&raw.bytes).map_err(DamageKind::Unreadable)?;
        let next = self.position.after(&line).ok_or(DamageKind::Unlinked)?;
        Ok((entry, line, next))
    }

    /// Damage right after the good lines.
    fn here(&self, kind: DamageKind) -> Damage {
        let segment = self.segments.last().expect("a segment is being read");
        Damage {
            n: self.position.size,
            file: segment.path.clone(),
            offset: segment.len(),
            kind,
        }
    }

    /// That the good lines end, where nothing worse ended them.
    pub(super) fn end(&self, layout: &Layout) -> Damage {
        if let Some(damage) = &self.damage {
            return damage.clone();
        }
        let n = self.position.size;
        match self.segments.last() {
            Some(segment) if segment.first == layout.first_of(n) => self.here(DamageKind::Ends),
            _ => Damage {
                n,
                file: layout.segment(n),
                offset: 0,
                kind: DamageKind::Ends,
            },
        }
    }

    /// Damage that the root in the head shows.
    pub(super) fn root_damage(&self, head: &Checkpoint, found: Hash, layout: &Layout) -> Damage {
        let n = head.size.saturating_sub(1);
        let file = layout.segment(layout.first_of(n));
        let segment = self.segments.iter().find(|s| s.first == layout.first_of(n));
        let offset = segment.map_or(0, |s| s.offset(n));
        Damage {
            n,
            file,
            offset,
            kind: DamageKind::Root {
                expected: head.root,
                found,
            },
        }
    }
}

/// The segment files by first entry; anything else in the folder is refused.
fn segment_files(layout: &Layout) -> Result<Vec<(u64, PathBuf)>, OpenError> {
    let folder = layout.entries();
    let listing = match fs::read_dir(&folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::NoStore { path: folder });
        }
        other => other.map_err(|e| OpenError::io(&folder, e))?,
    };
    let mut files = Vec::new();
    for file in listing {
        let path = file.map_err(|e| OpenError::io(&folder, e))?.path();
        match segment_first(&path) {
            Some(first) if first % layout.lines_per_segment() == 0 => files.push((first, path)),
            _ => return Err(OpenError::Foreign { path }),
        }
    }
    files.sort();
    Ok(files)
}

fn open_buffered(path: &Path) -> Result<impl BufRead + use<>, OpenError> {
    let file = File::open(path).map_err(|e| OpenError::io(path, e))?;
    Ok(BufReader::with_capacity(1 << 20, file))
}

/// Whether any line that is left reads as an entry.
fn any_readable(lines: &mut RawLines<impl BufRead>) -> io::Result<bool> {
    while let Some(raw) = lines.next()? {
        if Line::decode(&raw.bytes).is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn any_readable_file(files: &[(u64, PathBuf)]) -> Result<bool, OpenError> {
    for (_, path) in files {
        let mut lines = RawLines::new(open_buffered(path)?);
        if any_readable(&mut lines).map_err(|e| OpenError::io(path, e))? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::testing::{LINES, store};
    use super::*;

    /// A file that a server appends to: its end is seen once before there is more.
    struct Growing<'a>(Vec<&'a [u8]>);

    impl Read for Growing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let part = self.0.remove(0);
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    /// Beside a running server a half-written line is seen, and whole ones after it a moment later.
    #[test]
    fn what_a_server_writes_meanwhile_is_not_after_an_unfinished_line() {
        let dir = tempfile::tempdir().unwrap();
        let mut found = scan(&store(dir.path(), 1, 1), None, &mut |_, _| ()).unwrap();
        let [_, one, two, ..] = &LINES[..] else {
            panic!("there are lines")
        };
        let (begun, rest) = one.bytes().split_at(10);
        let rest = [rest, b"\n", two.bytes(), b"\n"].concat();
        let growing = Growing(vec![begun, b"", &rest]);
        let mut lines = RawLines::new(BufReader::with_capacity(1 << 20, growing));
        found.segment(&mut lines, 4, None, &mut |_, _| ()).unwrap();
        assert_eq!(
            found.damage.map(|damage| damage.kind),
            Some(DamageKind::NotEnded)
        );
        assert!(!found.readable_after);
    }
}
