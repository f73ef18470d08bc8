//! Trees of tiles: what is checked of them, and where they are refused.

use std::path::PathBuf;

use rstest::rstest;

use super::*;
use crate::chain::hash::leaf_hash;

fn check(files: &InMemory) -> Report {
    check_tiles(files, policy().as_bytes()).unwrap()
}

/// Leaves of no entries, which are quickly made.
fn many(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

#[test]
fn tiles_with_entries_are_good() {
    let report = check(&tiles_with_entries(&lines(300)));
    assert_eq!(failed(&report), "", "{report:#?}");
    assert_eq!(report.steps().len(), 19);
    assert_eq!(found(&report, "tiles.there"), "3 tiles of 300 entries");
    assert_eq!(found(&report, "tiles.levels"), "1 full tile");
    assert_eq!(
        found(&report, "entries.there"),
        "the bundles of 300 entries"
    );
    assert_eq!(
        found(&report, "entry.signatures"),
        "600 signatures on 300 entries"
    );
    assert_eq!(
        found(&report, "line.prev"),
        "300 entries: `prev` is the leaf hash of the line before"
    );
}

#[test]
fn without_entries_the_hashes_alone_are_checked() {
    let report = check(&tiles(&many(300)));
    assert_eq!(failed(&report), "");
    assert_eq!(report.steps().len(), 9);
    let said = found(&report, "entries.there");
    assert_eq!(said, "there are none: the hashes alone are checked");
}

#[rstest]
#[case(0, 0)]
#[case(1, 1)]
#[case(255, 1)]
#[case(256, 2)]
#[case(257, 3)]
#[case(512, 3)]
#[case(65_536, 258)]
#[case(65_537, 259)]
#[case(70_000, 277)]
fn trees_of_every_shape_are_good(#[case] size: u64, #[case] number: u64) {
    let report = check(&tiles(&many(size)));
    assert_eq!(failed(&report), "", "{report:#?}");
    let said = found(&report, "tiles.there");
    assert!(said.starts_with(&format!("{number} tile")), "{said}");
}

#[test]
fn every_hash_tile_must_be_there_and_whole() {
    let whole = tiles(&many(300));
    for path in ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"] {
        let mut files = whole.clone();
        let mut bytes = files.0.remove(path).unwrap();
        let report = check(&files);
        assert_eq!(failed(&report), "tiles.there");
        assert_eq!(why(&report), format!("{path} is missing"));
        bytes.pop();
        files.0.insert(path.to_owned(), bytes.clone());
        assert_eq!(failed(&check(&files)), "tiles.there");
        bytes.extend([0; 33]);
        files.0.insert(path.to_owned(), bytes);
        assert_eq!(failed(&check(&files)), "tiles.there");
    }
}

/// "Logs […] MAY delete any partial tile once the corresponding full tile is […] available".
#[test]
fn a_full_tile_stands_for_a_partial_one() {
    let lines = lines(520);
    let (mut files, later) = (
        tiles_with_entries(&lines[..300]),
        tiles_with_entries(&lines),
    );
    for (partial, full) in [
        ("tile/0/001.p/44", "tile/0/001"),
        ("tile/entries/001.p/44", "tile/entries/001"),
    ] {
        files.0.remove(partial).unwrap();
        files.0.insert(full.to_owned(), later.0[full].clone());
    }
    assert_eq!(failed(&check(&files)), "");
    // Another partial one, of a larger tree, does not.
    files.0.remove("tile/1/000.p/1").unwrap();
    files.0.insert(
        "tile/1/000.p/2".to_owned(),
        later.0["tile/1/000.p/2"].clone(),
    );
    assert_eq!(failed(&check(&files)), "tiles.there");
}

#[test]
fn whatever_lies_beyond_the_tree_is_not_looked_at() {
    let mut files = tiles(&many(3));
    files.0.insert("tile/0/000.p/2".to_owned(), vec![0]);
    files.0.insert("tile/0/007".to_owned(), vec![0]);
    assert_eq!(failed(&check(&files)), "");
}

#[test]
fn the_tile_at_fault_is_named() {
    let whole = tiles(&many(65_800));
    for (path, at, step) in [
        ("tile/2/000.p/1", 0, "tiles.root"),
        ("tile/1/001.p/1", 31, "tiles.root"),
        ("tile/0/257.p/8", 255, "tiles.root"),
        ("tile/1/000", 77, "tiles.levels"),
        ("tile/0/000", 0, "tiles.levels"),
        ("tile/0/255", 8191, "tiles.levels"),
        ("tile/0/256", 4000, "tiles.levels"),
    ] {
        let mut files = whole.clone();
        files.0.get_mut(path).unwrap()[at] ^= 1;
        let report = check(&files);
        assert_eq!(failed(&report), step, "{path}");
        let named = why(&report).starts_with(&format!("{path} has the root "));
        assert!(named || step == "tiles.root", "{report:?}");
    }
}

#[test]
fn entry_bundles_are_there_all_or_none() {
    let mut files = tiles_with_entries(&lines(300));
    files.0.remove("tile/entries/000").unwrap();
    let report = check(&files);
    assert_eq!(failed(&report), "entries.there");
    let expected = "tile/entries/000 is missing, while 1 other is there";
    assert_eq!(why(&report), expected);
}

fn with_bundle(files: &InMemory, entries: &[&[u8]]) -> InMemory {
    let mut files = files.clone();
    let bundle = encode_bundle(entries.iter().copied()).unwrap();
    files.0.insert("tile/entries/000.p/3".to_owned(), bundle);
    files
}

#[test]
fn a_bundle_holds_the_entries_of_its_hash_tile() {
    let lines = lines(4);
    let [a, b, c, d] = [0, 1, 2, 3].map(|n: usize| lines[n].bytes());
    let files = tiles_with_entries(&lines[..3]);
    for (entries, step) in [
        (vec![a, b, c], ""),
        (vec![a, b], "entries.read"),
        (vec![a, b, c, d], "entries.read"),
        (vec![], "entries.read"),
        (vec![a, c, b], "entries.leaves"),
        (vec![a, b, d], "entries.leaves"),
    ] {
        let report = check(&with_bundle(&files, &entries));
        assert_eq!(failed(&report), step, "{report:#?}");
    }
    let report = check(&with_bundle(&files, &[a, c, b]));
    assert!(
        why(&report).starts_with("entry 1: its leaf hash is "),
        "{report:?}"
    );
}

/// A ledger that signs whatever it is given: the hashes agree, the lines do not.
#[rstest]
#[case::no_line(|lines: &mut Vec<Vec<u8>>| lines[2] = b"gamma".to_vec(), "line.canonical", "entry 2: at offset 0")]
#[case::twice(|lines: &mut Vec<Vec<u8>>| lines[2] = lines[1].clone(), "line.number", "entry 2: it says 1")]
#[case::dropped(|lines: &mut Vec<Vec<u8>>| { lines.remove(1); }, "line.number", "entry 1: it says 2")]
#[case::not_from_the_beginning(|lines: &mut Vec<Vec<u8>>| { lines.remove(0); }, "line.number", "entry 0: it says 1")]
#[case::other_history(|lines: &mut Vec<Vec<u8>>| lines[0] = entry(0, Hash::ZERO, &payload(ORIGIN, 9)).bytes().to_vec(), "line.prev", "entry 1: it says ")]
#[case::dated_back(
    |lines: &mut Vec<Vec<u8>>| {
        let (read, last) = Line::decode(&lines[2]).unwrap();
        let entry = Entry::new(2, read.time_ms() - 1000, *last.prev(), read.into_envelope());
        lines[2] = entry.unwrap().encode().bytes().to_vec();
    },
    "line.time",
    "entry 2: 2026-11-23T07:22:21.125Z comes after 2026-11-23T07:22:22.124Z"
)]
#[case::unsigned_change(
    |lines: &mut Vec<Vec<u8>>| {
        let line = String::from_utf8(lines[2].clone()).unwrap();
        lines[2] = line.replace("x:tester", "x:nobody").into_bytes();
    },
    "entry.signatures",
    "entry 2: the signature of key "
)]
#[case::of_another_ledger(
    |lines: &mut Vec<Vec<u8>>| {
        let (_, before) = Line::decode(&lines[1]).unwrap();
        let payload = payload("ledger.example/other", 2);
        lines[2] = entry(2, *before.leaf(), &payload).bytes().to_vec();
    },
    "entry.payload",
    "entry 2: it is meant for ledger.example/other"
)]
fn lines_that_are_no_chain_are_refused(
    #[case] change: fn(&mut Vec<Vec<u8>>),
    #[case] step: &str,
    #[case] expected: &str,
) {
    let mut lines: Vec<Vec<u8>> = lines(3).iter().map(|line| line.bytes().to_vec()).collect();
    change(&mut lines);
    let leaves: Vec<Hash> = lines.iter().map(|line| leaf_hash(line)).collect();
    let mut files = tiles(&leaves);
    let bundle = encode_bundle(lines.iter().map(Vec::as_slice)).unwrap();
    let path = TilePath::within(TileKind::Entries, 0, leaves.len() as u64).unwrap();
    files.0.insert(path.to_string(), bundle);
    let report = check(&files);
    assert_eq!(failed(&report), step, "{report:#?}");
    assert!(why(&report).starts_with(expected), "{report:#?}");

    let export: Vec<u8> = lines
        .iter()
        .flat_map(|line| [line, &b"\n"[..]].concat())
        .collect();
    let note = checkpoint(&leaves).encode();
    let report = check_export(&export[..], note.as_bytes(), b"", policy().as_bytes()).unwrap();
    assert_eq!(failed(&report), step, "{report:#?}");
    assert!(why(&report).starts_with(expected), "{report:#?}");
}

#[test]
fn without_a_checkpoint_nothing_is_looked_at() {
    let report = check(&InMemory::default());
    assert_eq!(failed(&report), "checkpoint.read");
}

/// A log may sign any size: what is read is never more than what is there.
#[test]
fn a_size_beyond_every_file_is_refused_at_the_first_missing_tile() {
    let (origin, size, root) = (ORIGIN.to_owned(), u64::MAX, Hash::ZERO);
    let mut note = Checkpoint { origin, size, root }.sign(&[&key(1)]).unwrap();
    note.add(cosign(&note, "witness.example/w1", &key(2), SEEN_S).unwrap());
    let mut files = tiles(&many(300));
    files
        .0
        .insert("checkpoint".to_owned(), note.encode().into_bytes());
    let report = check(&files);
    assert_eq!(
        (failed(&report), why(&report)),
        ("tiles.there", "tile/0/001 is missing")
    );
}

#[test]
fn a_folder_is_read_as_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for (path, bytes) in &tiles_with_entries(&lines(300)).0 {
        write(path, bytes);
    }
    let files = Folder(folder.path().to_owned());
    let check = || check_tiles(&files, policy().as_bytes()).unwrap();
    assert_eq!(failed(&check()), "");
    // A folder where a tile should be is none.
    std::fs::remove_file(folder.path().join("tile/1/000.p/1")).unwrap();
    std::fs::create_dir(folder.path().join("tile/1/000.p/1")).unwrap();
    assert_eq!(why(&check()), "tile/1/000.p/1 is missing");
    // A file that is too long is not read to its end.
    assert_eq!(files.read("tile/0/000", 7).unwrap().unwrap().len(), 7);
    assert_eq!(files.read("tile/0/000/x", 7).unwrap(), None);
}

/// The log that another implementation wrote, found through `COUNTERFOIL_CORPUS`: everything is good up to its entries,
/// which are no lines of a ledger.
#[test]
fn the_log_of_another_implementation_is_good_up_to_its_entries() {
    let Some(corpus) = std::env::var_os("COUNTERFOIL_CORPUS") else {
        eprintln!("skipped: COUNTERFOIL_CORPUS is not set");
        return;
    };
    let folder = PathBuf::from(corpus).join("vectors/tlog-tessera");
    let keys = std::fs::read_to_string(folder.join("KEYS.txt")).unwrap();
    let vkey = keys.lines().find_map(|line| line.strip_prefix("vkey "));
    let policy = format!("log {}\nquorum none\n", vkey.unwrap());
    for size in 0..=15 {
        let files = AtSize(Folder(folder.clone()), size);
        let report = check_tiles(&files, policy.as_bytes()).unwrap();
        let expected = if size == 0 { "" } else { "line.canonical" };
        assert_eq!(failed(&report), expected, "{report:#?}");
    }
}

/// A folder with a checkpoint of every size.
struct AtSize(Folder, u64);

impl AtSize {
    fn path(&self, path: &str) -> String {
        path.replace("checkpoint", &format!("checkpoint.{}", self.1))
    }
}

impl Files for AtSize {
    fn len(&self, path: &str) -> io::Result<Option<u64>> {
        self.0.len(&self.path(path))
    }

    fn read(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        self.0.read(&self.path(path), most)
    }
}
