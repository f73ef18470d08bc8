//! Where in a data directory everything lies.

use std::path::{Path, PathBuf};

/// Lines of a segment.
pub const LINES_PER_SEGMENT: u64 = 65_536;

/// The paths of a store within its data directory.
#[derive(Clone, Debug)]
pub struct Layout {
    data: PathBuf,
    lines_per_segment: u64,
}

impl Layout {
    /// The layout of the store in `data`.
    pub fn new(data: impl Into<PathBuf>) -> Layout {
        Layout::with_lines_per_segment(data, LINES_PER_SEGMENT)
    }

    /// The same with shorter segments, for tests; a store is always opened with the number that it was created with.
    pub(super) fn with_lines_per_segment(
        data: impl Into<PathBuf>,
        lines_per_segment: u64,
    ) -> Layout {
        assert!(lines_per_segment > 0, "a segment holds at least one line");
        Layout {
            data: data.into(),
            lines_per_segment,
        }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The segments of entries.
    pub fn entries(&self) -> PathBuf {
        self.data.join("entries")
    }

    /// The last checkpoint written.
    pub fn head(&self) -> PathBuf {
        self.data.join("head")
    }

    /// Where a new head is written before it takes the place of the old one.
    pub(super) fn head_temp(&self) -> PathBuf {
        self.data.join("head.tmp")
    }

    /// The checkpoints that witnesses cosigned.
    pub fn witnessed(&self) -> PathBuf {
        self.data.join("witnessed")
    }

    /// The checkpoints that two keys of the ledger signed.
    pub fn rekeyed(&self) -> PathBuf {
        self.data.join("rekeyed")
    }

    /// What was cut off at a start; nothing in it is ever deleted.
    pub fn quarantine(&self) -> PathBuf {
        self.data.join("quarantine")
    }

    /// sled's folder; it may be deleted at any time while nobody serves.
    pub fn index(&self) -> PathBuf {
        self.data.join("index")
    }

    /// The file whose lock the one server of this store holds.
    pub fn lock(&self) -> PathBuf {
        self.data.join("lock")
    }

    /// Lines of a full segment.
    pub fn lines_per_segment(&self) -> u64 {
        self.lines_per_segment
    }

    /// First entry of the segment that holds entry `n`.
    pub(super) fn first_of(&self, n: u64) -> u64 {
        n - n % self.lines_per_segment
    }

    /// The segment whose first entry is `first`: `entries/<first, 20 digits>.jsonl`.
    pub fn segment(&self, first: u64) -> PathBuf {
        self.entries().join(format!("{first:020}.jsonl"))
    }
}

/// The number in a segment's file name, if it is one.
pub(super) fn segment_first(path: &Path) -> Option<u64> {
    let digits = path.file_name()?.to_str()?.strip_suffix(".jsonl")?;
    let all_digits = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    if all_digits {
        digits.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segment_is_named_by_its_first_entry() {
        let layout = Layout::new("/d");
        let path = layout.segment(layout.first_of(65_537));
        assert_eq!(path, Path::new("/d/entries/00000000000000065536.jsonl"));
        assert_eq!(segment_first(&path), Some(65_536));
        for other in [
            "65536.jsonl",
            "00000000000000065536.json",
            "+0000000000000065536.jsonl",
            "99999999999999999999.jsonl",
        ] {
            assert_eq!(segment_first(Path::new(other)), None);
        }
    }
}
