use super::*;
use crate::chain::{Checkpoint, Note};
use crate::store::DamageKind;
use crate::store::journal::Journal;
use crate::store::testing::*;
use rstest::rstest;

/// A stopped store whose last segment is cut to `len` bytes.
fn truncated(from: &Layout, len: u64) -> (tempfile::TempDir, Layout) {
    let (dir, layout) = copy_of(from);
    let last = files_below(&layout.entries()).pop().unwrap();
    OpenOptions::new()
        .write(true)
        .open(last)
        .unwrap()
        .set_len(len)
        .unwrap();
    (dir, layout)
}

#[test]
fn every_truncation_below_the_head_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let whole = store(dir.path(), 10, 10);
    let last = fs::metadata(whole.segment(8)).unwrap().len();
    let second = LINES[8].bytes().len() as u64 + 1;
    for len in 0..last {
        let (_dir, layout) = truncated(&whole, len);
        let error = open(&layout).err().unwrap();
        let (n, offset) = if len < second { (8, 0) } else { (9, second) };
        let damage = error.damage().unwrap();
        assert_eq!(
            (damage.n, &damage.file, damage.offset),
            (n, &layout.segment(8), offset),
            "cut to {len}: {error}"
        );
        assert!(matches!(error, OpenError::BelowHead { head_size: 10, .. }));
        assert_eq!(
            fs::metadata(layout.segment(8)).unwrap().len(),
            len,
            "a refused start changed the entries"
        );
    }
}

#[test]
fn every_truncation_above_the_head_moves_the_unfinished_line_to_quarantine() {
    let dir = tempfile::tempdir().unwrap();
    let whole = store(dir.path(), 10, 8);
    let bytes = fs::read(whole.segment(8)).unwrap();
    let second = LINES[8].bytes().len() + 1;
    for len in 0..=bytes.len() {
        let (_dir, layout) = truncated(&whole, len as u64);
        let recovered = open(&layout).unwrap();
        check_prefix(&recovered);
        let (size, kept) = match len {
            _ if len == bytes.len() => (10, len),
            _ if len >= second => (9, second),
            _ => (8, 0),
        };
        assert_eq!(recovered.journal.size(), size);
        match &recovered.quarantined[..] {
            [] => assert_eq!(len, kept),
            [tail] => {
                assert_eq!(
                    (tail.offset, &tail.file, tail.damage.n),
                    (kept as u64, &layout.segment(8), size)
                );
                assert_eq!(fs::read(&tail.path).unwrap(), bytes[kept..len]);
                assert_eq!(
                    quarantine::unacknowledged(&layout).unwrap(),
                    std::slice::from_ref(&tail.path)
                );
            }
            more => panic!("{more:?}"),
        }
        drop(recovered);
        let again = open(&layout).unwrap();
        assert!(again.quarantined.is_empty());
        check_prefix(&again);
    }
}

#[test]
fn five_hundred_bit_flips_below_the_head_are_refused_where_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let whole = store(dir.path(), 10, 10);
    let files = files_below(&whole.entries());
    let mut numbers = Numbers(7);
    for _ in 0..500 {
        let (_dir, layout) = copy_of(&whole);
        let file = layout
            .entries()
            .join(files[numbers.below(3) as usize].file_name().unwrap());
        let mut bytes = fs::read(&file).unwrap();
        let (at, bit) = (numbers.below(bytes.len() as u64) as usize, numbers.below(8));
        bytes[at] ^= 1 << bit;
        fs::write(&file, &bytes).unwrap();
        let error = open(&layout).err().unwrap();
        let damage = error.damage().unwrap();
        // A line that still reads as an entry shows at the line after it, or, as the last, in the root.
        let first: u64 = file.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let hit = first + whole_lines(&whole.segment(first), at);
        assert!(
            damage.n == hit || damage.n == hit + 1,
            "entry {hit} was hit: {error}"
        );
        assert!(damage.file.starts_with(layout.entries()) && error.to_string().contains("at byte"));
        assert_eq!(damage.offset, offset_of(damage.n));
    }
}

fn whole_lines(path: &Path, at: usize) -> u64 {
    fs::read(path).unwrap()[..at]
        .iter()
        .filter(|b| **b == b'\n')
        .count() as u64
}

fn offset_of(n: u64) -> u64 {
    let first = n - n % PER_SEGMENT;
    LINES[first as usize..n as usize]
        .iter()
        .map(|l| l.bytes().len() as u64 + 1)
        .sum()
}

#[test]
fn bit_flips_above_the_head_never_open_as_another_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let whole = store(dir.path(), 10, 7);
    let mut numbers = Numbers(11);
    for _ in 0..300 {
        let (_dir, layout) = copy_of(&whole);
        let mut bytes = fs::read(layout.segment(8)).unwrap();
        let at = numbers.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << numbers.below(8);
        fs::write(layout.segment(8), &bytes).unwrap();
        match open(&layout) {
            Err(error) => assert!(error.damage().is_some(), "{error}"),
            // The last line above the head may read as another entry: its signatures are the ledger's to check.
            Ok(recovered) if recovered.quarantined.is_empty() => {
                assert_eq!(recovered.journal.size(), 10)
            }
            Ok(recovered) => check_prefix(&recovered),
        }
    }
}

#[test]
fn every_bit_of_the_head_counts() {
    let dir = tempfile::tempdir().unwrap();
    let whole = store(dir.path(), 6, 5);
    let head = fs::read(whole.head()).unwrap();
    for at in 0..head.len() * 8 {
        let (_dir, layout) = copy_of(&whole);
        let mut bytes = head.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        fs::write(layout.head(), &bytes).unwrap();
        match open(&layout) {
            // The names and signatures in it are the ledger's to check.
            Ok(recovered) => {
                assert!(Checkpoint::open(&recovered.journal.head().unwrap().note, &vkey()).is_err())
            }
            Err(OpenError::Head { .. } | OpenError::BelowHead { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn damaged_line_that_readable_ones_follow_is_refused_above_the_head_too() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 10, 2);
    let path = layout.segment(4);
    let mut bytes = fs::read(&path).unwrap();
    bytes[LINES[4].bytes().len() + 10] = 0;
    fs::write(&path, &bytes).unwrap();
    let error = open(&layout).err().unwrap();
    assert!(matches!(error, OpenError::Followed { .. }), "{error}");
    assert_eq!(
        error.damage().map(|d| (d.n, d.offset)),
        Some((5, offset_of(5)))
    );
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn readable_line_of_another_ledger_is_no_unfinished_write() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 6, 6);
    let other = lines(7, "other");
    let mut bytes = fs::read(layout.segment(4)).unwrap();
    bytes.extend_from_slice(&[other[6].bytes(), b"\n"].concat());
    fs::write(layout.segment(4), &bytes).unwrap();
    let error = open(&layout).err().unwrap();
    assert!(
        matches!(&error, OpenError::Followed { damage } if damage.kind == DamageKind::Unlinked),
        "{error}"
    );
}

#[rstest]
#[case::missing_below_head(4, 9, DamageKind::Missing)]
#[case::missing_above_head(4, 3, DamageKind::Missing)]
#[case::first_missing(0, 0, DamageKind::Missing)]
fn missing_segment_is_refused(
    #[case] first: u64,
    #[case] head_size: u64,
    #[case] kind: DamageKind,
) {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 10, head_size);
    fs::remove_file(layout.segment(first)).unwrap();
    let error = open(&layout).err().unwrap();
    let damage = error.damage().unwrap();
    assert_eq!(
        (damage.n, &damage.file, &damage.kind),
        (first, &layout.segment(first), &kind)
    );
}

#[test]
fn missing_last_segment_is_refused_below_the_head() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 10, 10);
    fs::remove_file(layout.segment(8)).unwrap();
    let error = open(&layout).err().unwrap();
    let damage = error.damage().unwrap();
    assert_eq!(
        (damage.n, &damage.file, damage.offset, &damage.kind),
        (8, &layout.segment(8), 0, &DamageKind::Ends)
    );
}

#[test]
fn segment_that_ends_early_or_is_too_long_is_refused_when_readable_lines_follow() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 10, 1);
    let bytes = fs::read(layout.segment(4)).unwrap();
    fs::write(layout.segment(4), &bytes[..offset_of(6) as usize]).unwrap();
    let error = open(&layout).err().unwrap();
    assert!(
        matches!(&error, OpenError::Followed { damage } if damage.n == 6 && damage.kind == DamageKind::Ends),
        "{error}"
    );
    fs::write(
        layout.segment(4),
        [&bytes[..], LINES[8].bytes(), b"\n"].concat(),
    )
    .unwrap();
    let error = open(&layout).err().unwrap();
    assert!(
        matches!(&error, OpenError::Followed { damage } if damage.n == 8 && damage.kind == DamageKind::Surplus),
        "{error}"
    );
}

#[test]
fn garbage_tail_over_several_files_moves_to_quarantine() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 7, 5);
    let mut bytes = fs::read(layout.segment(4)).unwrap();
    bytes.extend_from_slice(&[0; 100_000]);
    bytes.extend_from_slice(b"\nhalf");
    fs::write(layout.segment(4), &bytes).unwrap();
    fs::write(layout.segment(8), b"other half").unwrap();
    let recovered = open(&layout).unwrap();
    check_prefix(&recovered);
    assert_eq!(recovered.journal.size(), 7);
    let kept: Vec<Vec<u8>> = recovered
        .quarantined
        .iter()
        .map(|q| fs::read(&q.path).unwrap())
        .collect();
    assert_eq!(
        kept,
        [
            bytes[offset_of(7) as usize..].to_vec(),
            b"other half".to_vec()
        ]
    );
    assert!(!layout.segment(8).exists());
}

#[test]
fn quarantine_is_named_until_acknowledged_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 2, 2);
    let whole = fs::read(layout.segment(0)).unwrap();
    for round in 1..=3 {
        fs::write(layout.segment(0), [&whole[..], b"tail"].concat()).unwrap();
        assert_eq!(open(&layout).unwrap().quarantined.len(), 1);
        assert_eq!(quarantine::unacknowledged(&layout).unwrap().len(), 1);
        quarantine::acknowledge(&layout).unwrap();
        assert!(quarantine::unacknowledged(&layout).unwrap().is_empty());
        assert_eq!(files_below(&layout.quarantine()).len(), round);
    }
}

#[test]
fn missing_or_unreadable_head_refuses_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 6, 6);
    for bad in [&b""[..], b"test.example\n6\n", &[0xff; 10]] {
        fs::write(layout.head(), bad).unwrap();
        assert!(matches!(
            open(&layout),
            Err(OpenError::Head {
                error: HeadError::Unreadable(_),
                ..
            })
        ));
    }
    fs::remove_file(layout.head()).unwrap();
    let error = open(&layout).err().unwrap();
    assert!(matches!(
        &error,
        OpenError::Head {
            error: HeadError::Missing,
            ..
        }
    ));
    assert!(error.to_string().contains("--accept-head"));
}

#[test]
fn head_of_other_entries_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 6, 6);
    let other = Checkpoint {
        origin: "test.example".into(),
        size: 5,
        root: root(4),
    };
    fs::write(
        layout.head(),
        other.sign(&[&ledger_key()]).unwrap().encode(),
    )
    .unwrap();
    let error = open(&layout).err().unwrap();
    assert!(matches!(
        error.damage().unwrap().kind,
        DamageKind::Root { .. }
    ));
    assert_eq!(error.damage().map(|d| (d.n, d.offset)), Some((4, 0)));
}

#[test]
fn head_is_accepted_anew_only_where_entries_verify_and_the_old_one_is_bad() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 6, 6);
    assert!(matches!(
        NewHead::prepare(layout.clone(), 6),
        Err(OpenError::HeadGood { head_size: 6 })
    ));
    fs::write(layout.head(), b"damaged").unwrap();
    assert!(matches!(
        NewHead::prepare(layout.clone(), 7),
        Err(OpenError::HeadBeyond {
            size: 7,
            verified: 6
        })
    ));
    let new = NewHead::prepare(layout.clone(), 5).unwrap();
    assert_eq!(*new.root(), root(5));
    assert!(matches!(
        new.write(&checkpoint(6)),
        Err(OpenError::Journal(JournalError::Head(_)))
    ));
    NewHead::prepare(layout.clone(), 5)
        .unwrap()
        .write(&checkpoint(5))
        .unwrap();
    let recovered = open(&layout).unwrap();
    check_prefix(&recovered);
    assert_eq!(
        (
            recovered.journal.size(),
            recovered.journal.head().unwrap().checkpoint.size
        ),
        (6, 5)
    );
    let kept = quarantine::unacknowledged(&layout).unwrap();
    assert_eq!(fs::read(&kept[0]).unwrap(), b"damaged");
}

#[test]
fn fsck_says_how_far_the_entries_verify_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 10, 7);
    let _server = open(&layout).unwrap();
    let report = |layout: &Layout| {
        let before: Vec<_> = files_below(layout.data())
            .into_iter()
            .map(|f| (fs::read(&f).unwrap(), f))
            .collect();
        let report = fsck(layout, &mut |_, _| ()).unwrap();
        let after: Vec<_> = files_below(layout.data())
            .into_iter()
            .map(|f| (fs::read(&f).unwrap(), f))
            .collect();
        assert_eq!(before, after);
        report
    };
    let good = report(&layout);
    assert_eq!(
        (good.verified, good.root, good.head.unwrap().checkpoint.size),
        (10, root(10), 7)
    );
    assert!(matches!(good.verdict, Ok(None)));
    let bytes = fs::read(layout.segment(8)).unwrap();
    fs::write(layout.segment(8), &bytes[..bytes.len() - 3]).unwrap();
    let tail = report(&layout);
    assert!(matches!(
        tail.verdict,
        Ok(Some(Damage {
            n: 9,
            kind: DamageKind::NotEnded,
            ..
        }))
    ));
    fs::remove_file(layout.segment(4)).unwrap();
    let refused = report(&layout);
    assert_eq!(refused.verified, 4);
    assert!(matches!(refused.verdict, Err(OpenError::BelowHead { .. })));
    fs::remove_file(layout.head()).unwrap();
    assert!(matches!(
        report(&layout).verdict,
        Err(OpenError::Head { .. })
    ));
}

#[test]
fn reading_without_a_lock_sees_what_a_server_has_written() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 10, 7);
    let _server = open(&layout).unwrap();
    let mut shown = Vec::new();
    let read = read_only(&layout, &mut |_, line| shown.push(line.clone())).unwrap();
    assert_eq!(
        (
            read.reader.size(),
            read.tree.root(),
            read.head.checkpoint.size
        ),
        (10, root(10), 7)
    );
    assert_eq!(shown, LINES[..10]);
    let bytes = fs::read(layout.segment(8)).unwrap();
    fs::write(layout.segment(8), &bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(
        read_only(&layout, &mut |_, _| ())
            .unwrap()
            .tail
            .map(|d| d.n),
        Some(9)
    );
}

#[test]
fn store_is_made_once_and_with_its_parents() {
    let dir = tempfile::tempdir().unwrap();
    let layout = layout(&dir.path().join("a/b"));
    assert!(matches!(open(&layout), Err(OpenError::NoStore { .. })));
    assert!(matches!(
        fsck(&layout, &mut |_, _| ()),
        Err(OpenError::NoStore { .. })
    ));
    let mut journal = SegmentJournal::create(layout.clone()).unwrap();
    journal.append(0, &LINES[..1]).unwrap();
    drop(journal);
    assert!(matches!(
        SegmentJournal::create(layout.clone()),
        Err(OpenError::Exists { .. })
    ));
    let note: Note = checkpoint(1);
    NewHead::prepare(layout.clone(), 1)
        .unwrap()
        .write(&note)
        .unwrap();
    assert_eq!(open(&layout).unwrap().journal.size(), 1);
}

#[test]
fn foreign_file_among_the_segments_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 2, 2);
    for name in ["notes.txt", "00000000000000000002.jsonl"] {
        let path = layout.entries().join(name);
        fs::write(&path, b"").unwrap();
        assert!(matches!(open(&layout), Err(OpenError::Foreign { path: p }) if p == path));
        fs::remove_file(&path).unwrap();
    }
}
