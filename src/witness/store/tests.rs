use rstest::rstest;
use tempfile::TempDir;

use super::super::testing::TestLog;
use super::*;
use crate::chain::SigningKey;
use crate::chain::cosignature::cosign;
use crate::chain::note::KeyKind;

const NAME: &str = "witness.example/w1";

/// The log's key and the witness's own.
fn known() -> [VerifierKey; 2] {
    [TestLog::of_the_vectors().vkey(), own()]
}

fn own() -> VerifierKey {
    VerifierKey::of(
        NAME,
        KeyKind::CosignatureV1,
        &SigningKey::from_seed(&[2; 32]),
    )
    .unwrap()
}

fn cosigned(size: u64, time_s: u64) -> Cosigned {
    let log = TestLog::of_the_vectors();
    let mut note = log.request(0, size).checkpoint;
    let line = cosign(&note, NAME, &SigningKey::from_seed(&[2; 32]), time_s).unwrap();
    note.add(line.clone());
    Cosigned {
        note,
        checkpoint: log.checkpoint(size),
        line,
        time_s,
    }
}

fn record(dir: &TempDir) -> Result<Record, String> {
    let origin = TestLog::of_the_vectors().origin;
    let path = dir.path().join("log");
    Record::create(&path, &origin).unwrap();
    Record::open(path, &origin, &known())
}

#[test]
fn what_is_kept_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(record(&dir).unwrap().newest(), None);
    let keep = |size| {
        let next = |_: Option<&Cosigned>| Ok::<_, io::Error>(cosigned(size, 5));
        record(&dir).unwrap().update(next).unwrap()
    };
    for size in 1..=3 {
        assert_eq!(keep(size), cosigned(size, 5));
        assert_eq!(record(&dir).unwrap().newest(), Some(cosigned(size, 5)));
    }
}

#[test]
fn what_is_refused_or_not_written_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let record = record(&dir).unwrap();
    let keep = |size| record.update(|_| Ok::<_, io::Error>(cosigned(size, 5)));
    keep(2).unwrap();
    let refused = record.update(|before| {
        assert_eq!(before, Some(&cosigned(2, 5)));
        Err::<Cosigned, _>(io::Error::other("refused"))
    });
    assert!(refused.is_err());
    // Where the temporary file would be there is a folder.
    fs::create_dir(dir.path().join("log.new")).unwrap();
    assert!(keep(3).is_err());
    assert_eq!(record.newest(), Some(cosigned(2, 5)));
    assert!(keep(2).is_ok(), "what is on disk is not written again");
    fs::remove_dir(dir.path().join("log.new")).unwrap();
    keep(3).unwrap();
    assert_eq!(record.newest(), Some(cosigned(3, 5)));
}

#[rstest]
#[case::nothing(|_: &[u8]| Vec::new())]
#[case::cut(|note: &[u8]| note[..note.len() - 1].to_vec())]
#[case::without_cosignature(|_: &[u8]| TestLog::of_the_vectors().request(0, 3).checkpoint.encode().into_bytes())]
#[case::of_another_log(|_: &[u8]| fresh("another.example").into_bytes())]
#[case::begun_anew(|_: &[u8]| b"ledger.example/receivables\n0\n".to_vec())]
fn another_content_is_refused(#[case] alter: fn(&[u8]) -> Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, alter(cosigned(3, 5).note.encode().as_bytes())).unwrap();
    assert!(record(&dir).is_err());
}

#[test]
fn every_flipped_bit_of_what_was_cosigned_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let note = cosigned(3, 5).note.encode().into_bytes();
    // But for the name and id of the log's key: a line of a key that is not known, or not any more, is passed over.
    let text = cosigned(3, 5).note.text().len() + 1;
    let signature = text + "— ledger.example/receivables ZOleCA".len();
    for at in (0..text).chain(signature..note.len()) {
        for bit in 0..8 {
            let mut flipped = note.clone();
            flipped[at] ^= 1 << bit;
            fs::write(&path, &flipped).unwrap();
            assert!(record(&dir).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn a_record_of_another_log_is_not_taken_for_this_ones() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, cosigned(3, 5).note.encode()).unwrap();
    let error = Record::open(path, "another.example", &known()).unwrap_err();
    assert!(error.contains("not of `another.example`"), "{error}");
}
