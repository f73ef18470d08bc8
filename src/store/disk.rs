//! Every change of what is on disk, so that a test can make each of them fail.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The steps of which persisting is made. Each is over when the call returns; only the `sync` ones make what went before durable.
pub(super) trait Disk: Send + Sync {
    /// Makes a directory whose parent exists.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes a file that must not exist yet, with this content.
    fn create(&self, path: &Path, content: &[u8]) -> io::Result<File>;

    /// Writes a file, over what it held.
    fn overwrite(&self, path: &Path, content: &[u8]) -> io::Result<File>;

    /// Appends to a file opened for that, in one write.
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file to its first `len` bytes.
    fn truncate(&self, file: &File, len: u64) -> io::Result<()>;

    /// Makes a file's content durable (fdatasync).
    fn sync_file(&self, file: &File) -> io::Result<()>;

    /// Makes a directory's names durable (fsync).
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Gives a file another name on the same file system, in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
}

/// The file system itself. What it makes is its owner's alone: entries hold everybody's trade.
pub(super) struct RealDisk;

/// Read and written by the owner, and by nobody else.
const OWNER_ONLY: u32 = 0o600;
/// The same of a folder.
const OWNER_ONLY_FOLDER: u32 = 0o700;

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(OWNER_ONLY_FOLDER).create(path)
    }

    fn create(&self, path: &Path, content: &[u8]) -> io::Result<File> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .mode(OWNER_ONLY)
            .open(path)?;
        file.write_all(content)?;
        Ok(file)
    }

    fn overwrite(&self, path: &Path, content: &[u8]) -> io::Result<File> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(OWNER_ONLY)
            .open(path)?;
        file.write_all(content)?;
        Ok(file)
    }

    fn append(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
}
