//! Damage to the files of a stopped ledger: refused with entry, file and offset, or, above the head, an unfinished end
//! moved to quarantine. Nothing opens with fewer entries than the head covers.

use std::fs::{self, OpenOptions};
use std::path::Path;

use counterfoil::ledger::audit::audit;
use counterfoil::ledger::{ClockChoice, Config, Ledger, accept_head};
use counterfoil::store::{Journal, Layout, OpenError, Recovered, SegmentJournal};
use rstest::rstest;
use tempfile::TempDir;

use super::{Numbers, lines, segment};
use crate::served::{Server, complaint, run, story, text};

/// Entries of a ledger that is small enough to be cut at every byte.
const FEW: usize = 3;

/// A cleanly stopped ledger of a few entries, the first of which its head covers.
fn few(covered: u64) -> TempDir {
    let data = story();
    cut(data.path(), offset(data.path(), FEW as u64));
    fs::remove_file(data.path().join("head")).unwrap();
    fs::remove_dir_all(data.path().join("index")).unwrap();
    accept_head(&config(data.path()), covered).unwrap();
    data
}

fn config(data: &Path) -> Config {
    Config {
        clock: ClockChoice::Manual,
        verify_threads: Some(1),
        ..Config::new(data)
    }
}

/// Where entry `n` begins in its file.
fn offset(data: &Path, n: u64) -> u64 {
    let lines = lines(data);
    lines[..n as usize]
        .iter()
        .map(|(_, line)| line.bytes().len() as u64 + 1)
        .sum()
}

fn cut(data: &Path, len: u64) {
    let file = OpenOptions::new().write(true).open(segment(data)).unwrap();
    file.set_len(len).unwrap();
}

/// What `serve` opens the store with. A process that another test starts holds this one's lock from its fork to its
/// exec, so a lock that is held is asked for again.
fn open(data: &Path) -> Result<Recovered, OpenError> {
    loop {
        match SegmentJournal::open(Layout::new(data), &mut |_, _| ()) {
            Err(OpenError::Locked { .. }) => std::thread::yield_now(),
            opened => return opened,
        }
    }
}

/// That the start was refused for entry `n`, naming file and offset.
fn assert_refused(data: &Path, opened: Result<Recovered, OpenError>, ns: &[u64], offsets: &[u64]) {
    let error = opened.err().unwrap();
    let damage = error.damage().unwrap();
    assert!(ns.contains(&damage.n), "{ns:?} expected: {error}");
    assert_eq!(damage.offset, offsets[damage.n as usize]);
    assert_eq!(damage.file, segment(data));
    assert!(
        error
            .to_string()
            .contains(&place(data, damage.n, damage.offset)),
        "{error}"
    );
}

fn place(data: &Path, n: u64, offset: u64) -> String {
    format!(
        "entry {n} in {} at byte {offset}: ",
        segment(data).display()
    )
}

/// Where each entry begins, and where the last ends.
fn offsets(data: &Path) -> Vec<u64> {
    (0..=lines(data).len() as u64)
        .map(|n| offset(data, n))
        .collect()
}

/// Entries that are whole in the first `len` bytes.
fn whole(offsets: &[u64], len: u64) -> u64 {
    offsets[1..].iter().filter(|end| **end <= len).count() as u64
}

#[test]
fn every_truncation_of_what_the_head_covers_is_refused_where_it_is() {
    let data = few(FEW as u64);
    let (bytes, offsets) = (
        fs::read(segment(data.path())).unwrap(),
        offsets(data.path()),
    );
    for len in 0..bytes.len() as u64 {
        fs::write(segment(data.path()), &bytes[..len as usize]).unwrap();
        assert_refused(
            data.path(),
            open(data.path()),
            &[whole(&offsets, len)],
            &offsets,
        );
        assert_eq!(fs::metadata(segment(data.path())).unwrap().len(), len);
    }
    fs::write(segment(data.path()), &bytes).unwrap();
    assert_eq!(open(data.path()).unwrap().journal.size(), FEW as u64);
}

#[test]
fn truncation_above_the_head_moves_the_unfinished_entry_to_quarantine() {
    let data = few(FEW as u64 - 2);
    let (bytes, offsets) = (
        fs::read(segment(data.path())).unwrap(),
        offsets(data.path()),
    );
    // The store's own tests cut at every byte; here each one syncs several files.
    for len in (offsets[FEW - 2]..bytes.len() as u64).step_by(41) {
        fs::write(segment(data.path()), &bytes[..len as usize]).unwrap();
        let opened = open(data.path()).unwrap();
        let entries = whole(&offsets, len);
        assert_eq!(opened.journal.size(), entries);
        let kept = offsets[entries as usize] as usize..len as usize;
        let moved = opened.quarantined.first();
        let moved = moved.map(|moved| fs::read(&moved.path).unwrap());
        assert_eq!(moved.unwrap_or_default(), bytes[kept.clone()]);
        assert_eq!(fs::read(segment(data.path())).unwrap(), bytes[..kept.start]);
        drop(opened);
        fs::remove_dir_all(data.path().join("quarantine")).ok();
    }
}

#[test]
fn truncations_of_a_whole_story_are_refused_where_they_are() {
    let data = story();
    let (bytes, offsets) = (
        fs::read(segment(data.path())).unwrap(),
        offsets(data.path()),
    );
    let mut numbers = Numbers(2);
    let ends = offsets
        .iter()
        .step_by(7)
        .flat_map(|end| [end.saturating_sub(1), *end, end + 1]);
    let some: Vec<u64> = ends
        .chain((0..50).map(|_| numbers.below(bytes.len()) as u64))
        .collect();
    for len in some.into_iter().filter(|len| *len < bytes.len() as u64) {
        fs::write(segment(data.path()), &bytes[..len as usize]).unwrap();
        assert_refused(
            data.path(),
            open(data.path()),
            &[whole(&offsets, len)],
            &offsets,
        );
    }
}

#[test]
fn five_hundred_bit_flips_are_refused_where_they_are() {
    let data = story();
    let (bytes, offsets) = (
        fs::read(segment(data.path())).unwrap(),
        offsets(data.path()),
    );
    let mut numbers = Numbers(3);
    for _ in 0..500 {
        let mut flipped = bytes.clone();
        let at = numbers.flip(&mut flipped) as u64;
        fs::write(segment(data.path()), &flipped).unwrap();
        // A line that still reads as an entry shows at the line after it, or, as the last, in the root.
        let hit = whole(&offsets, at);
        assert_refused(data.path(), open(data.path()), &[hit, hit + 1], &offsets);
        assert_eq!(fs::read(segment(data.path())).unwrap(), flipped);
    }
}

#[test]
fn above_the_head_nothing_is_taken_in_that_nobody_signed() {
    let covered = FEW as u64 - 1;
    let data = few(covered);
    let (bytes, offsets) = (
        fs::read(segment(data.path())).unwrap(),
        offsets(data.path()),
    );
    let head = fs::read(data.path().join("head")).unwrap();
    let last = offsets[FEW - 1] as usize;
    let said = format!("entry {covered}");
    let mut numbers = Numbers(4);
    for _ in 0..80 {
        let mut flipped = bytes.clone();
        numbers.flip(&mut flipped[last..]);
        fs::write(segment(data.path()), &flipped).unwrap();
        fs::write(data.path().join("head"), &head).unwrap();
        match Ledger::open(config(data.path()), &mut |_, _| ()) {
            Err(error) => assert!(error.to_string().contains(&said), "{error}"),
            Ok(ledger) => {
                drop(ledger);
                let lines = lines(data.path());
                assert!(lines.len() as u64 >= covered);
                let lines = lines
                    .iter()
                    .map(|(_, line)| Ok::<_, OpenError>(line.bytes().to_vec()));
                audit(lines, &mut |_| ()).unwrap();
            }
        }
        fs::remove_dir_all(data.path().join("quarantine")).ok();
    }
}

#[test]
fn a_changed_or_cut_head_refuses_the_start() {
    let data = few(FEW as u64);
    let path = data.path().join("head");
    let head = fs::read(&path).unwrap();
    let mut numbers = Numbers(5);
    let flipped = (0..head.len()).map(|at| {
        let mut flipped = head.clone();
        flipped[at] ^= 1 << numbers.below(8);
        flipped
    });
    let cut = (0..head.len()).map(|len| head[..len].to_vec());
    let changed: Vec<_> = flipped.chain(cut).collect();
    for changed in changed {
        fs::write(&path, &changed).unwrap();
        let opened = Ledger::open(config(data.path()), &mut |_, _| ());
        assert!(opened.is_err(), "{}", String::from_utf8_lossy(&changed));
        assert_eq!(fs::read(&path).unwrap(), changed);
    }
}

/// What becomes of the files of a stopped ledger.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Cut(u64),
    Flip(u64),
    NoSegment,
    NoHead,
    /// A byte of the head.
    Head(usize),
    /// A character of the root in the head: still base64, but another root.
    Root,
}

impl Damage {
    fn inflict(self, data: &Path) {
        let flip = |path: &Path, at: usize| {
            let mut bytes = fs::read(path).unwrap();
            bytes[at] ^= 1;
            fs::write(path, bytes).unwrap();
        };
        let head = data.join("head");
        match self {
            Damage::Cut(entry) => cut(data, offset(data, entry) + 100),
            Damage::Flip(entry) => flip(&segment(data), offset(data, entry) as usize + 100),
            Damage::NoSegment => fs::remove_file(segment(data)).unwrap(),
            Damage::NoHead => fs::remove_file(head).unwrap(),
            Damage::Head(at) => flip(&head, at),
            Damage::Root => {
                let mut bytes = fs::read(&head).unwrap();
                bytes[60] = if bytes[60] == b'A' { b'B' } else { b'A' };
                fs::write(head, bytes).unwrap();
            }
        }
    }
}

#[rstest]
#[case::cut(Damage::Cut(40), Some(40))]
#[case::cut_in_the_last(Damage::Cut(75), Some(75))]
#[case::cut_in_the_first(Damage::Cut(0), Some(0))]
#[case::flip(Damage::Flip(40), Some(40))]
#[case::flip_in_the_last(Damage::Flip(75), Some(75))]
#[case::no_segment(Damage::NoSegment, Some(0))]
#[case::no_head(Damage::NoHead, None)]
#[case::root_in_the_head(Damage::Root, Some(75))]
#[case::text_of_the_head(Damage::Head(57), None)]
fn the_command_refuses_to_serve_and_says_where(#[case] damage: Damage, #[case] entry: Option<u64>) {
    let data = story();
    let said = match entry {
        Some(n) => place(data.path(), n, offset(data.path(), n)),
        None => format!("head {}", data.path().join("head").display()),
    };
    damage.inflict(data.path());
    let ended = Server::try_start(data.path()).err().unwrap();
    assert_eq!(ended.code, Some(3), "{}", ended.log);
    assert!(
        ended.log.contains(&said),
        "{said} expected in: {}",
        ended.log
    );
    let checked = run(&["fsck", "--data", &text(data.path())]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        complaint(&checked).contains(&said),
        "{}",
        complaint(&checked)
    );
}
