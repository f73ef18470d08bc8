//! What the tests of this folder share: a small ledger's lines, and a disk that fails.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use crate::chain::note::KeyKind;
use crate::chain::{Checkpoint, Entry, Envelope, Hash, Line, Note, SigningKey, Tree, VerifierKey};

use super::disk::{Disk, RealDisk};
use super::journal::Journal;
use super::layout::Layout;
use super::recovery::{OpenError, Recovered};
use super::segments::SegmentJournal;

/// Lines of a segment in these tests.
pub(super) const PER_SEGMENT: u64 = 4;

/// The first lines of a ledger, linked.
pub(super) static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| lines(14, "first"));

pub(super) fn lines(count: u64, text: &str) -> Vec<Line> {
    let key = SigningKey::from_seed(&[1; 32]);
    let mut prev = Hash::ZERO;
    let line = |n| {
        let mut envelope = Envelope::new("text/plain", format!("{text} {n}\n")).unwrap();
        envelope.sign(&key).unwrap();
        let line = Entry::new(n, 1_000 * n as i64, prev, envelope)
            .unwrap()
            .encode();
        prev = *line.leaf();
        line
    };
    (0..count).map(line).collect()
}

pub(super) fn ledger_key() -> SigningKey {
    SigningKey::from_seed(&[5; 32])
}

pub(super) fn vkey() -> VerifierKey {
    VerifierKey::new("test.example", KeyKind::Ed25519, ledger_key().public_key()).unwrap()
}

pub(super) fn root(size: u64) -> Hash {
    LINES[..size as usize]
        .iter()
        .map(|l| *l.leaf())
        .collect::<Tree>()
        .root()
}

/// The signed checkpoint over the first `size` of [`LINES`].
pub(super) fn checkpoint(size: u64) -> Note {
    let checkpoint = Checkpoint {
        origin: "test.example".into(),
        size,
        root: root(size),
    };
    checkpoint.sign(&[&ledger_key()]).unwrap()
}

pub(super) fn layout(dir: &Path) -> Layout {
    Layout::with_lines_per_segment(dir, PER_SEGMENT)
}

/// A store with the first `size` of [`LINES`] and a head over `head_size` of them, stopped.
pub(super) fn store(dir: &Path, size: u64, head_size: u64) -> Layout {
    let mut journal = SegmentJournal::create(layout(dir)).unwrap();
    journal.append(0, &LINES[..size as usize]).unwrap();
    journal.publish_head(checkpoint(head_size), 0).unwrap();
    layout(dir)
}

pub(super) fn open(layout: &Layout) -> Result<Recovered, OpenError> {
    SegmentJournal::open(layout.clone(), &mut |_, _| ())
}

/// That the journal holds exactly the first lines, however it is read.
pub(super) fn check_prefix(recovered: &Recovered) {
    let size = recovered.journal.size();
    assert_eq!(
        (recovered.tree.size(), recovered.tree.root()),
        (size, root(size))
    );
    let read: Vec<Line> = recovered
        .journal
        .reader()
        .entries(0..size)
        .map(|e| e.unwrap().1)
        .collect();
    assert_eq!(read, LINES[..size as usize]);
}

/// A copy of a flat data directory, in a new one.
pub(super) fn copy_of(layout_from: &Layout) -> (tempfile::TempDir, Layout) {
    let dir = tempfile::tempdir().unwrap();
    let layout = layout(dir.path());
    fs::create_dir(layout.entries()).unwrap();
    fs::copy(layout_from.head(), layout.head()).unwrap();
    for file in fs::read_dir(layout_from.entries()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), layout.entries().join(file.file_name())).unwrap();
    }
    (dir, layout)
}

/// All files below a directory, by path.
pub(super) fn files_below(path: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for file in fs::read_dir(path).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path))
        } else {
            files.push(path)
        }
    }
    files.sort();
    files
}

/// Numbers that look random, the same at each run.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// How a step on the disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing was done.
    Failed,
    /// All was done, and yet it reports an error.
    FailedButPersisted,
    /// Half of the bytes were written.
    Torn,
}

/// A disk whose `k`-th step fails, and every one after it: the process is dead.
pub(super) struct FaultyDisk {
    fault: Fault,
    steps_left: AtomicUsize,
    done: Mutex<Vec<&'static str>>,
}

impl FaultyDisk {
    pub(super) fn new(steps_before: usize, fault: Fault) -> FaultyDisk {
        FaultyDisk {
            fault,
            steps_left: AtomicUsize::new(steps_before + 1),
            done: Mutex::default(),
        }
    }

    /// A disk that never fails, for the sake of [`FaultyDisk::take_done`].
    pub(super) fn sound() -> FaultyDisk {
        FaultyDisk::new(usize::MAX - 1, Fault::Failed)
    }

    /// The names of the steps since the last call.
    pub(super) fn take_done(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.done.lock().unwrap())
    }

    /// Whether the fault has struck.
    pub(super) fn has_failed(&self) -> bool {
        self.steps_left.load(Ordering::Relaxed) == 0
    }

    fn step<T>(
        &self,
        name: &'static str,
        bytes: &[u8],
        real: impl FnOnce(&[u8]) -> io::Result<T>,
    ) -> io::Result<T> {
        self.done.lock().unwrap().push(name);
        let left = self.steps_left.load(Ordering::Relaxed);
        self.steps_left
            .store(left.saturating_sub(1), Ordering::Relaxed);
        match (left, self.fault) {
            (2.., _) => return real(bytes),
            (1, Fault::FailedButPersisted) => drop(real(bytes)?),
            (1, Fault::Torn) if !bytes.is_empty() => drop(real(&bytes[..bytes.len() / 2])?),
            _ => {}
        }
        Err(io::Error::other("injected"))
    }
}

impl Disk for FaultyDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.step("create_dir", &[], |_| RealDisk.create_dir(path))
    }

    fn create(&self, path: &Path, content: &[u8]) -> io::Result<File> {
        self.step("create", content, |content| RealDisk.create(path, content))
    }

    fn overwrite(&self, path: &Path, content: &[u8]) -> io::Result<File> {
        self.step("overwrite", content, |content| {
            RealDisk.overwrite(path, content)
        })
    }

    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        self.step("append", bytes, |bytes| RealDisk.append(file, bytes))
    }

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        self.step("truncate", &[], |_| RealDisk.truncate(file, len))
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        self.step("sync_file", &[], |_| RealDisk.sync_file(file))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.step("sync_dir", &[], |_| RealDisk.sync_dir(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename", &[], |_| RealDisk.rename(from, to))
    }
}
