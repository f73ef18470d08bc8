use super::*;
use crate::store::ReadError;
use crate::store::recovery::OpenError;
use crate::store::testing::*;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn the_store_is_the_export() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 10, 10);
    let files = files_below(&layout.entries());
    assert_eq!(
        files,
        [layout.segment(0), layout.segment(4), layout.segment(8)]
    );
    let stored: Vec<u8> = files.iter().flat_map(|f| fs::read(f).unwrap()).collect();
    let export: Vec<u8> = LINES[..10]
        .iter()
        .flat_map(|l| [l.bytes(), b"\n"].concat())
        .collect();
    assert_eq!(stored, export);
    assert_eq!(
        fs::read_to_string(layout.head()).unwrap(),
        checkpoint(10).encode()
    );
}

#[test]
fn entries_are_read_one_by_one_and_in_ranges() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 10, 10);
    let mut journal = open(&layout).unwrap().journal;
    journal.append(10, &LINES[10..14]).unwrap();
    let reader = journal.reader();
    assert_eq!(reader.size(), 14);
    for (n, line) in LINES.iter().enumerate() {
        assert_eq!(reader.entry(n as u64).unwrap().1, *line);
        assert_eq!(reader.leaf(n as u64).unwrap(), *line.leaf());
    }
    for from in 0..=14 {
        for to in from..=14 {
            let read: Vec<Line> = reader.entries(from..to).map(|e| e.unwrap().1).collect();
            assert_eq!(read, LINES[from as usize..to as usize]);
        }
    }
}

#[test]
fn reading_beyond_the_end_is_an_error_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 3, 3);
    let reader = open(&layout).unwrap().journal.reader();
    assert!(matches!(
        reader.entry(3),
        Err(ReadError::Absent { n: 3, size: 3 })
    ));
    assert!(matches!(
        reader.entry(u64::MAX),
        Err(ReadError::Absent { .. })
    ));
    let read: Vec<bool> = reader.entries(1..9).map(|e| e.is_ok()).collect();
    assert_eq!(read, [true, true, false]);
    assert!(matches!(
        EntryReader::default().entry(0),
        Err(ReadError::Absent { n: 0, size: 0 })
    ));
}

#[test]
fn entry_damaged_while_serving_is_not_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 3, 3);
    let reader = open(&layout).unwrap().journal.reader();
    let mut bytes = fs::read(layout.segment(0)).unwrap();
    let at = LINES[0].bytes().len() + 1;
    bytes[at + 3] ^= 1;
    fs::write(layout.segment(0), &bytes).unwrap();
    assert!(reader.entry(0).is_ok());
    let Err(ReadError::Damaged(damage)) = reader.entry(1) else {
        panic!("it was handed out")
    };
    assert_eq!(
        (damage.n, damage.file, damage.offset),
        (1, layout.segment(0), at as u64)
    );
    bytes.truncate(at + 5);
    fs::write(layout.segment(0), &bytes).unwrap();
    assert!(matches!(reader.entry(1), Err(ReadError::Io { n: 1, .. })));
}

#[test]
fn batch_at_another_size_is_a_conflict_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 3, 3);
    let mut journal = open(&layout).unwrap().journal;
    let before = fs::read(layout.segment(0)).unwrap();
    for wrong in [0, 2, 4] {
        let result = journal.append(wrong, &LINES[3..5]);
        assert!(
            matches!(result, Err(JournalError::Conflict { expected, actual: 3 }) if expected == wrong)
        );
    }
    assert_eq!(fs::read(layout.segment(0)).unwrap(), before);
    journal.append(3, &LINES[3..5]).unwrap();
    assert_eq!((journal.size(), journal.last()), (5, *LINES[4].leaf()));
}

#[test]
fn lines_that_do_not_continue_the_chain_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 3, 3);
    let mut journal = open(&layout).unwrap().journal;
    let other = lines(6, "other");
    let before = fs::read(layout.segment(0)).unwrap();
    for wrong in [
        &LINES[4..5],
        &LINES[2..3],
        &other[3..5],
        &[LINES[3].clone(), other[4].clone()][..],
    ] {
        assert!(matches!(
            journal.append(3, wrong),
            Err(JournalError::Unlinked { .. })
        ));
    }
    assert_eq!(fs::read(layout.segment(0)).unwrap(), before);
    journal.append(3, &[]).unwrap();
    journal.append(3, &LINES[3..4]).unwrap();
}

#[test]
fn foreign_bytes_in_the_last_segment_stop_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 2, 2);
    let mut journal = open(&layout).unwrap().journal;
    let mut bytes = fs::read(layout.segment(0)).unwrap();
    bytes.push(b'x');
    fs::write(layout.segment(0), &bytes).unwrap();
    assert!(matches!(
        journal.append(2, &LINES[2..3]),
        Err(JournalError::Foreign { .. })
    ));
    assert_eq!(fs::read(layout.segment(0)).unwrap(), bytes);
    assert!(matches!(
        journal.append(2, &LINES[2..3]),
        Err(JournalError::Stopped)
    ));
    assert!(matches!(journal.flush_head(), Err(JournalError::Stopped)));
}

#[test]
fn head_is_written_once_a_second_and_when_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 6, 1);
    let mut journal = open(&layout).unwrap().journal;
    let written = |journal: &mut SegmentJournal, size, now_ms| {
        journal.publish_head(checkpoint(size), now_ms).unwrap();
        assert_eq!(journal.head().unwrap().checkpoint.size, size);
        fs::read_to_string(layout.head()).unwrap() == checkpoint(size).encode()
    };
    assert!(written(&mut journal, 2, 10_000));
    assert!(!written(&mut journal, 3, 10_001));
    assert!(!written(&mut journal, 4, 10_999));
    assert!(written(&mut journal, 5, 11_000));
    assert!(!written(&mut journal, 6, 11_500));
    journal.flush_head().unwrap();
    assert_eq!(
        fs::read_to_string(layout.head()).unwrap(),
        checkpoint(6).encode()
    );
}

#[test]
fn head_is_never_ahead_of_durable_entries_nor_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 3, 2);
    let mut journal = open(&layout).unwrap().journal;
    assert!(matches!(
        journal.publish_head(checkpoint(4), 0),
        Err(JournalError::Head(_))
    ));
    assert!(matches!(
        journal.publish_head(checkpoint(1), 0),
        Err(JournalError::Head(_))
    ));
    let no_checkpoint = Note::new("text\n").unwrap();
    assert!(matches!(
        journal.publish_head(no_checkpoint, 0),
        Err(JournalError::Head(_))
    ));
    journal.publish_head(checkpoint(3), 0).unwrap();
}

#[test]
fn two_servers_never_open_one_store() {
    let dir = tempfile::tempdir().unwrap();
    let layout = store(dir.path(), 3, 3);
    let first = open(&layout).unwrap();
    assert!(matches!(open(&layout), Err(OpenError::Locked { .. })));
    assert!(matches!(
        SegmentJournal::create(layout.clone()),
        Err(OpenError::Locked { .. })
    ));
    drop(first);
    assert!(open(&layout).is_ok());
}

#[test]
fn readers_see_whole_entries_in_order_while_the_journal_grows() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = SegmentJournal::create(layout(dir.path())).unwrap();
    let (reader, done) = (journal.reader(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut rounds = 0;
            while !done.load(Ordering::Relaxed) || rounds == 0 {
                let size = reader.size();
                let read: Vec<Line> = reader.entries(0..size).map(|e| e.unwrap().1).collect();
                assert_eq!(read, LINES[..size as usize]);
                rounds += 1;
            }
        });
        for n in 0..LINES.len() {
            journal.append(n as u64, &LINES[n..=n]).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(reader.size(), LINES.len() as u64);
}

#[test]
fn commit_is_one_write_and_one_sync() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::sound());
    let mut journal = SegmentJournal::create_on(disk.clone(), layout(dir.path())).unwrap();
    assert_eq!(disk.take_done(), ["sync_dir", "create_dir", "sync_dir"]);
    // The first commit of a segment also makes its name durable.
    journal.append(0, &LINES[..1]).unwrap();
    assert_eq!(
        disk.take_done(),
        ["create", "append", "sync_file", "sync_dir"]
    );
    journal.append(1, &LINES[1..3]).unwrap();
    assert_eq!(disk.take_done(), ["append", "sync_file"]);
    // A segment is durable before the next one begins.
    journal.append(3, &LINES[3..6]).unwrap();
    assert_eq!(
        disk.take_done(),
        [
            "append",
            "sync_file",
            "create",
            "append",
            "sync_file",
            "sync_dir"
        ]
    );
    journal.publish_head(checkpoint(6), 0).unwrap();
    assert_eq!(
        disk.take_done(),
        ["overwrite", "sync_file", "rename", "sync_dir"]
    );
    drop(journal);
    // What an earlier process left unsynced is made durable before it is served.
    SegmentJournal::open_on(disk.clone(), layout(dir.path()), &mut |_, _| ()).unwrap();
    assert_eq!(disk.take_done(), ["sync_file", "sync_dir"]);
}
