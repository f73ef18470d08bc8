use super::rows::{META, Section, parts};
use super::*;
use crate::chain::hash::sha256;
use crate::store::testing::{Numbers, files_below};
use std::fs;

mod model;

/// Entries of a run in most of these tests.
const RUN: u64 = 4;

/// What an entry is made to be recorded as.
fn record(n: u64) -> Record {
    Record {
        n,
        leaf: leaf(n).unwrap(),
        op_id: sha256(&n.to_be_bytes()),
        feeds: vec![("all".into(), n), (format!("party:{}", n % 3), n)],
        objects: vec![format!("rcv_{}", n / 4), "ctr_1".into(), "ctr_1".into()],
    }
}

fn leaf(n: u64) -> Option<Hash> {
    (n < 1000).then(|| sha256(&[n as u8, 7]))
}

/// Opens the index and records what is missing up to `size`, as a start does.
fn start(path: &Path, size: u64) -> (Index, Option<Rebuild>) {
    let OpenedIndex { index, rebuild } =
        Index::open(path, RUN, &|n| leaf(n).filter(|_| n < size)).unwrap();
    assert_eq!(index.size() % RUN, 0);
    let missing: Vec<Record> = (index.size()..size).map(record).collect();
    index.record(&missing).unwrap();
    (index, rebuild)
}

/// What places of a feed show that took each entry in with itself.
fn shown(entries: impl IntoIterator<Item = u64>) -> Vec<Shown> {
    let entries = entries.into_iter();
    entries.map(|n| Shown { n, with: n }).collect()
}

/// All that can be asked.
fn check_answers(index: &Index, size: u64) {
    assert_eq!(index.size(), size);
    for n in 0..size + 3 {
        assert_eq!(
            index.find(&sha256(&n.to_be_bytes())).unwrap(),
            (n < size).then_some(n)
        );
    }
    assert_eq!(index.feed("all", 0, usize::MAX).unwrap(), shown(0..size));
    for party in 0..4 {
        let feed = format!("party:{party}");
        let expected: Vec<u64> = (0..size).filter(|n| n % 3 == party).collect();
        assert_eq!(index.feed_len(&feed), expected.len() as u64);
        assert_eq!(index.feed(&feed, 0, usize::MAX).unwrap(), shown(expected));
    }
    assert_eq!(
        index.object("rcv_1", 0, usize::MAX).unwrap(),
        (4..size.min(8)).collect::<Vec<_>>()
    );
    assert_eq!(
        index.object("ctr_1", 0, usize::MAX).unwrap(),
        (0..size).collect::<Vec<_>>()
    );
}

#[test]
fn answers_are_the_same_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    for size in [0, 1, 10, 30] {
        let (index, rebuild) = start(&path, size);
        assert_eq!(rebuild, None);
        check_answers(&index, size);
    }
}

#[test]
fn lookups_page_by_cursor() {
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = start(&dir.path().join("index"), 10);
    assert_eq!(index.feed("party:1", 1, 2).unwrap(), shown([4, 7]));
    assert!(index.feed("party:1", 3, 2).unwrap().is_empty());
    assert!(index.feed("party:1", u64::MAX, 2).unwrap().is_empty());
    assert!(index.feed("party:", 0, 9).unwrap().is_empty());
    assert_eq!(index.object("ctr_1", 4, 3).unwrap(), [4, 5, 6]);
    assert!(index.object("ctr_1", 10, 3).unwrap().is_empty());
    assert!(index.object("ctr_", 0, 3).unwrap().is_empty());
}

#[test]
fn what_is_recorded_meanwhile_neither_waits_for_a_lookup_nor_changes_it() {
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = start(&dir.path().join("index"), RUN + 2);
    let (feed, object) = {
        let state = index.read();
        (state.feed("all", 1, 9), state.object("ctr_1", 1, 9))
    };
    let more: Vec<Record> = (RUN + 2..3 * RUN).map(record).collect();
    index.record(&more).unwrap();
    assert_eq!(index.call(feed).unwrap(), shown(1..RUN + 2));
    let expected: Vec<u64> = (1..RUN + 2).collect();
    assert_eq!(index.call(object).unwrap(), expected);
}

#[test]
fn feed_may_show_an_earlier_entry_late() {
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = start(&dir.path().join("index"), 3);
    let late = Record {
        feeds: vec![("party:9".into(), 1), ("party:9".into(), 3)],
        ..record(3)
    };
    index.record(&[late]).unwrap();
    let places = [Shown { n: 1, with: 3 }, Shown { n: 3, with: 3 }];
    assert_eq!(index.feed("party:9", 0, 9).unwrap(), places);
    let shown = [0, 1, 2, 3, u64::MAX].map(|n| index.shows("party:9", n).unwrap());
    assert_eq!(shown, [false, true, false, true, false]);
}

#[test]
fn records_come_in_order_and_all_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = start(&dir.path().join("index"), 3);
    for batch in [vec![record(4)], vec![record(2)], vec![record(3), record(5)]] {
        assert!(matches!(
            index.record(&batch),
            Err(IndexError::OutOfOrder { .. })
        ));
    }
    check_answers(&index, 3);
}

#[test]
fn first_entry_of_an_operation_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    let (index, _) = start(&path, 3);
    let again = |n| Record {
        op_id: sha256(&1u64.to_be_bytes()),
        ..record(n)
    };
    index.record(&[again(3), again(4)]).unwrap();
    assert_eq!(index.find(&sha256(&1u64.to_be_bytes())).unwrap(), Some(1));
    drop(index);
    assert_eq!(start(&path, 5).1, None);
}

#[test]
fn index_of_other_entries_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    drop(start(&path, 10));
    // Of more entries than there are.
    let (index, rebuild) = start(&path, 6);
    assert!(rebuild.unwrap().reason.contains("other entries"));
    check_answers(&index, 6);
    drop(index);
    // Of as many, but others.
    let opened = Index::open(&path, RUN, &|n| Some(sha256(&[n as u8, 8]))).unwrap();
    assert_eq!(opened.index.size(), 0);
    assert!(opened.rebuild.unwrap().aside.is_dir());
}

#[test]
fn deleted_or_replaced_folder_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    drop(start(&path, 10));
    fs::remove_dir_all(&path).unwrap();
    check_answers(&start(&path, 10).0, 10);
    fs::remove_dir_all(&path).unwrap();
    fs::write(&path, b"no folder").unwrap();
    let (index, rebuild) = start(&path, 10);
    assert!(rebuild.is_some());
    check_answers(&index, 10);
    drop(index);
    // Once more, with a file aside already.
    let (index, rebuild) = start(&path, 7);
    assert!(rebuild.is_some());
    check_answers(&index, 7);
}

#[test]
fn unfinished_snapshot_is_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    drop(start(&path, 10));
    let left = path.join("snap.0000000000001234.generating");
    fs::write(&left, b"half").unwrap();
    let (index, rebuild) = start(&path, 10);
    assert!(rebuild.is_none() && !left.exists());
    check_answers(&index, 10);
}

/// Changes a record behind the index's back, in a way that sled does not notice.
fn tamper(path: &Path, change: impl FnOnce(&sled::Db)) {
    await_close(path).unwrap();
    let db = sled::open(path).unwrap();
    change(&db);
    db.flush().unwrap();
}

/// A row of a section of the first run.
fn row_of(db: &sled::Db, section: Section) -> Row {
    let rows = db.iter().map(Result::unwrap);
    let mut rows = rows.filter(|(key, _)| parts(key) == Some((0, section)));
    let (key, value) = rows.next().unwrap();
    Row {
        key: key.to_vec(),
        value: value.to_vec(),
    }
}

/// The same row with other content, well sealed.
fn changed(row: &Row) -> Row {
    let mut content = row.content().unwrap().to_vec();
    *content.last_mut().unwrap() ^= 1;
    Row::sealed((row.key.clone(), content))
}

#[test]
fn damage_that_opens_cleanly_is_noticed() {
    type Change<'a> = &'a dyn Fn(&sled::Db, Row);
    let changes: [(&str, Change); 5] = [
        ("lost row", &|db, row| drop(db.remove(row.key).unwrap())),
        ("lost meta", &|db, _| drop(db.remove(META).unwrap())),
        ("other value", &|db, row| {
            drop(db.insert(row.key, &[0; 16]).unwrap())
        }),
        ("other value, well sealed", &|db, row| {
            let Row { key, value } = changed(&row);
            drop(db.insert(key, value).unwrap())
        }),
        ("extra row", &|db, row| {
            let Row { key, value } = Row::sealed(([&row.key[..], b"2"].concat(), vec![2; 34]));
            drop(db.insert(key, value).unwrap())
        }),
    ];
    let sections = [
        Section::Feeds,
        Section::Ops,
        Section::Hashes,
        Section::Places,
        Section::Touched,
    ];
    for section in sections {
        for (name, change) in changes {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("index");
            drop(start(&path, 10));
            tamper(&path, |db| change(db, row_of(db, section)));
            let (index, rebuild) = start(&path, 10);
            assert!(rebuild.is_some(), "{name} of {section:?}");
            check_answers(&index, 10);
        }
    }
}

#[test]
fn index_of_an_earlier_kind_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    fs::create_dir(&path).unwrap();
    tamper(&path, |db| drop(db.insert(b"m4", b"of then").unwrap()));
    let (index, rebuild) = start(&path, 10);
    assert!(rebuild.is_some());
    check_answers(&index, 10);
}

#[test]
fn run_that_a_crash_cut_short_is_recorded_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    drop(start(&path, 10));
    tamper(&path, |db| {
        let Row { key, value } = row_of(db, Section::Ops);
        let run_of_8 = [&b"r"[..], &8u64.to_be_bytes(), &key[9..]].concat();
        db.insert(run_of_8, value).unwrap();
    });
    let (index, rebuild) = start(&path, 15);
    assert_eq!(rebuild, None);
    check_answers(&index, 15);
    drop(index);
    assert_eq!(start(&path, 15).1, None);
}

#[test]
fn damage_while_serving_is_an_error_and_ends_the_index() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    let (index, _) = start(&path, 10);
    let db = index.db.as_ref().unwrap();
    let row = row_of(db, Section::Ops);
    db.insert(row.key, vec![1, 2, 3]).unwrap();
    for n in [1, 9] {
        assert!(matches!(
            index.find(&sha256(&u64::to_be_bytes(n))),
            Err(IndexError::Damaged(_))
        ));
    }
    assert!(matches!(
        index.record(&[record(10)]),
        Err(IndexError::Damaged(_))
    ));
    drop(index);
    check_answers(&start(&path, 10).0, 10);
}

#[test]
fn what_is_recorded_is_found_while_runs_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = start(&dir.path().join("index"), 1);
    std::thread::scope(|threads| {
        threads.spawn(|| (1..400).for_each(|n| index.record(&[record(n)]).unwrap()));
        loop {
            let n = index.size() - 1;
            assert_eq!(index.find(&sha256(&n.to_be_bytes())).unwrap(), Some(n));
            assert_eq!(index.feed("all", n, 1).unwrap(), shown([n]));
            assert!(index.shows("all", n / 2).unwrap());
            assert_eq!(index.object("ctr_1", n, 1).unwrap(), [n]);
            assert_eq!(index.touched(n).unwrap().len(), 2);
            if n == 399 {
                break;
            }
        }
    });
    check_answers(&index, 400);
}

#[test]
fn panic_inside_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = start(&dir.path().join("index"), 3);
    let result: Result<(), IndexError> = index.call(|_| std::panic::panic_any("as sled does"));
    assert!(matches!(result, Err(IndexError::Damaged(reason)) if reason.contains("as sled does")));
    assert!(index.find(&Hash::ZERO).is_err());
}

#[test]
fn bit_flips_and_truncations_never_change_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    drop(start(&whole, 40));
    let files = files_below(&whole);
    let mut numbers = Numbers(3);
    let mut rebuilt = 0;
    for round in 0..40 {
        let path = dir.path().join("index");
        for file in &files {
            let to = path.join(file.strip_prefix(&whole).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(file, to).unwrap();
        }
        let file = path.join(files[round % files.len()].strip_prefix(&whole).unwrap());
        let mut bytes = fs::read(&file).unwrap();
        // The file is mostly empty: flip a bit of what is written.
        let written = bytes.iter().rposition(|b| *b != 0).map_or(1, |i| i + 1);
        let at = numbers.below(written as u64) as usize;
        if round % 4 == 3 {
            bytes.truncate(at);
        } else if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << numbers.below(8);
        }
        fs::write(&file, &bytes).unwrap();
        let (index, rebuild) = start(&path, 40);
        check_answers(&index, 40);
        rebuilt += u32::from(rebuild.is_some());
        drop(index);
        fs::remove_dir_all(&path).unwrap();
    }
    assert!(rebuilt > 0, "no damage was noticed at all");
}
