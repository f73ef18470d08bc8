use rstest::rstest;

use super::super::testing::{NOW_S, TestLog, folder, opened};
use super::*;

fn refused(data: &Path) -> FolderError {
    open(data, || None).unwrap_err()
}

#[test]
fn a_folder_is_made_once_and_by_init_alone() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(refused(dir.path()), FolderError::NotMade(_)));
    let log = TestLog::of_the_vectors();
    let added = add_log(dir.path(), &log.vkey());
    assert!(matches!(added, Err(FolderError::NotMade(_))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

    let made = init(&dir.path().join("a/witness"), "witness.example/w1", None).unwrap();
    assert_eq!(vkey(&dir.path().join("a/witness")).unwrap(), made);
    let again = init(&dir.path().join("a/witness"), "witness.example/w1", None);
    assert!(matches!(again, Err(FolderError::NotEmpty(_))));
    let unfit = init(&dir.path().join("b"), "two words", None);
    assert!(matches!(unfit, Err(FolderError::Name(_))));
    assert!(!dir.path().join("b").exists());
}

#[test]
fn an_encrypted_key_asks_for_its_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    init(dir.path(), "witness.example/w1", Some("correct horse")).unwrap();
    let with = |text: &str| Some(Zeroizing::new(text.to_owned()));
    assert!(matches!(refused(dir.path()), FolderError::Key(_)));
    assert!(open(dir.path(), || with("battery")).is_err());
    assert!(open(dir.path(), || with("correct horse")).is_ok());
}

#[test]
fn two_processes_never_share_a_folder() {
    let log = TestLog::of_the_vectors();
    let dir = folder(&[&log]);
    let witness = opened(&dir);
    assert!(matches!(refused(dir.path()), FolderError::InUse(_)));
    let added = add_log(dir.path(), &TestLog::new("b", 5, 0).vkey());
    assert!(matches!(added, Err(FolderError::InUse(_))));
    drop(witness);
    opened(&dir);
}

#[test]
fn logs_are_added_once_and_may_have_further_keys() {
    let log = TestLog::new("log.example", 1, 9);
    let renewed = TestLog {
        seed: 5,
        ..log.clone()
    };
    let dir = folder(&[&log]);
    assert!(!add_log(dir.path(), &log.vkey()).unwrap());
    let witness = opened(&dir);
    witness.add_checkpoint(&log.body(0, 7), NOW_S).1.unwrap();
    let by_the_new_key = renewed.body(7, 9);
    let refused = witness
        .add_checkpoint(&by_the_new_key, NOW_S)
        .1
        .unwrap_err();
    assert_eq!(refused.status(), 403);
    drop(witness);

    assert!(add_log(dir.path(), &renewed.vkey()).unwrap());
    let witness = opened(&dir);
    assert_eq!(witness.logs(), 1);
    witness.add_checkpoint(&by_the_new_key, NOW_S).1.unwrap();
}

#[test]
fn a_key_that_is_no_logs_is_not_added() {
    let log = TestLog::new("log.example", 1, 9);
    let dir = folder(&[&log]);
    let own = vkey(dir.path()).unwrap();
    let as_a_log = VerifierKey::new("log.example", KeyKind::Ed25519, *own.key()).unwrap();
    let other_name = VerifierKey::new("b.example", KeyKind::Ed25519, *log.vkey().key()).unwrap();
    for key in [own, as_a_log, other_name] {
        let error = add_log(dir.path(), &key).unwrap_err();
        assert!(matches!(error, FolderError::NoLog(_)), "{error}");
    }
}

#[test]
fn a_log_taken_out_and_put_in_again_does_not_begin_anew() {
    let log = TestLog::new("log.example", 1, 9);
    let dir = folder(&[&log]);
    opened(&dir)
        .add_checkpoint(&log.body(0, 7), NOW_S)
        .1
        .unwrap();
    fs::write(dir.path().join("logs.policy"), logs::NO_LOGS).unwrap();
    assert_eq!(opened(&dir).logs(), 0);
    assert!(add_log(dir.path(), &log.vkey()).unwrap());
    let newest = opened(&dir).newest(&origin_hash("log.example")).unwrap();
    assert_eq!(newest.checkpoint.size, 7);
}

#[rstest]
#[case::log_missing("logs/LOG", None)]
#[case::log_emptied("logs/LOG", Some(""))]
#[case::log_of_rubbish("logs/LOG", Some("rubbish"))]
#[case::policy_missing("logs.policy", None)]
#[case::policy_of_rubbish("logs.policy", Some("rubbish"))]
#[case::key_missing("witness.key", None)]
#[case::key_of_rubbish("witness.key", Some("rubbish"))]
#[case::vkey_of_rubbish("witness.vkey", Some("rubbish"))]
fn a_file_that_is_lost_or_spoilt_is_named_and_refused(
    #[case] name: &str,
    #[case] content: Option<&str>,
) {
    let log = TestLog::new("log.example", 1, 9);
    let dir = folder(&[&log]);
    opened(&dir)
        .add_checkpoint(&log.body(0, 7), NOW_S)
        .1
        .unwrap();
    let name = name.replace("LOG", &origin_hash("log.example").to_string());
    let path = dir.path().join(name);
    match content {
        Some(content) => fs::write(&path, content).unwrap(),
        None => fs::remove_file(&path).unwrap(),
    }
    let error = refused(dir.path()).to_string();
    assert!(error.starts_with(&path.display().to_string()), "{error}");
}

#[test]
fn the_key_of_another_witness_is_refused() {
    let (dir, other) = (folder(&[]), folder(&[]));
    let name = "witness.key";
    fs::copy(other.path().join(name), dir.path().join(name)).unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, FolderError::Bad { .. }), "{error}");
}
