//! Exports under their checkpoint.

use rstest::rstest;

use super::*;

fn check(export: &[u8], note: &Note) -> Report {
    let note = note.encode();
    check_export(export, note.as_bytes(), b"", policy().as_bytes()).unwrap()
}

#[rstest]
#[case(0)]
#[case(1)]
#[case(256)]
#[case(300)]
fn an_export_is_good(#[case] count: u64) {
    let lines = lines(count);
    let report = check(&export_of(&lines), &checkpoint(&leaves(&lines)));
    assert_eq!(failed(&report), "", "{report:#?}");
    assert_eq!(report.steps().len(), 15);
    let said = found(&report, "entry.signatures");
    assert!(
        said.starts_with(&format!("{} signatures", 2 * count)),
        "{said}"
    );
}

#[test]
fn entries_beyond_the_checkpoint_are_told_apart() {
    let lines = lines(5);
    let report = check(&export_of(&lines), &checkpoint(&leaves(&lines[..3])));
    assert_eq!(failed(&report), "");
    let said = found(&report, "export.root");
    assert!(said.starts_with("the root of 3 entries is "), "{said}");
    assert!(said.contains("2 beyond are linked and signed"), "{said}");
    let said = found(&report, "time");
    assert!(said.starts_with("2026-11-23T07:22:22.125Z"), "{said}");
}

#[test]
fn what_was_left_off_is_missed() {
    let lines = lines(3);
    let note = checkpoint(&leaves(&lines));
    let report = check(&export_of(&lines[..2]), &note);
    assert_eq!(failed(&report), "export.root");
    assert_eq!(
        why(&report),
        "the checkpoint covers 3 entries, the export has 2"
    );
}

#[test]
fn another_history_has_another_root() {
    let mut lines = lines(3);
    let note = checkpoint(&leaves(&lines));
    lines[2] = entry(2, *lines[1].leaf(), &payload(ORIGIN, 9));
    assert_eq!(failed(&check(&export_of(&lines), &note)), "export.root");
}

#[test]
fn an_export_that_is_cut_off_is_refused() {
    let lines = lines(2);
    let (export, note) = (export_of(&lines), checkpoint(&leaves(&lines)));
    let report = check(&export[..export.len() - 1], &note);
    assert_eq!(failed(&report), "export.read");
    assert_eq!(
        why(&report),
        "entry 1: the last line does not end with a newline"
    );
    let report = check(&[&export[..], b"\n"].concat(), &note);
    assert_eq!(failed(&report), "line.canonical");
}

#[test]
fn a_line_without_end_is_not_read_to_its_end() {
    let endless = io::BufReader::new(io::repeat(b'a'));
    let note = checkpoint(&leaves(&lines(1))).encode();
    let report = check_export(endless, note.as_bytes(), b"", policy().as_bytes()).unwrap();
    assert_eq!(failed(&report), "line.canonical");
    assert!(
        why(&report).starts_with("entry 0: the line has 65537 bytes"),
        "{report:?}"
    );
}

#[test]
fn what_cannot_be_read_is_no_verdict() {
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    let note = checkpoint(&leaves(&lines(1))).encode();
    let read = check_export(
        io::BufReader::new(Broken),
        note.as_bytes(),
        b"",
        policy().as_bytes(),
    );
    assert_eq!(read.unwrap_err().to_string(), "gone");
}
