//! Room on the disk, and when there is too little of it.

use std::io;
use std::path::Path;

/// Below this many free bytes no write is taken.
pub const FREE_BYTES_LOW: u64 = 256 * 1024 * 1024;
/// Above this many free bytes writes are taken again.
pub const FREE_BYTES_ENOUGH: u64 = 512 * 1024 * 1024;

/// Free bytes that an ordinary user may use on the file system of `path`.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Whether writes are taken: not under [`FREE_BYTES_LOW`], and then not until above [`FREE_BYTES_ENOUGH`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceGuard {
    full: bool,
}

impl SpaceGuard {
    /// A guard that takes writes until it is told of little room.
    pub fn new() -> SpaceGuard {
        SpaceGuard::default()
    }

    /// Takes in what is free now, in bytes, and says whether writes are taken.
    pub fn observe(&mut self, free_bytes: u64) -> bool {
        self.full = if self.full {
            free_bytes <= FREE_BYTES_ENOUGH
        } else {
            free_bytes < FREE_BYTES_LOW
        };
        !self.full
    }

    /// Whether writes are refused with `storage.full`.
    pub fn is_full(&self) -> bool {
        self.full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_stop_below_256_mib_and_resume_above_512() {
        let mut guard = SpaceGuard::new();
        let mib = 1024 * 1024;
        let steps = [
            (512, true),
            (256, true),
            (255, false),
            (256, false),
            (512, false),
            (513, true),
            (300, true),
            (0, false),
        ];
        for (free, open) in steps {
            assert_eq!(guard.observe(free * mib), open, "{free} MiB free");
            assert_eq!(guard.is_full(), !open);
        }
    }

    #[test]
    fn free_space_is_read_and_a_missing_path_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free_space(dir.path()).unwrap() > 0);
        assert!(free_space(&dir.path().join("absent")).is_err());
    }
}
