//! How it is made and started, and when it does not start.

use std::fs;
use std::path::Path;

use super::{Asker, Log, vkey_of, witness};
use crate::served::{Ended, Server, complaint, run, text};

fn refused(data: &Path) -> Ended {
    Server::try_start_witness(data)
        .err()
        .expect("it does not start")
}

#[test]
fn a_folder_that_init_did_not_make_is_not_served() {
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("witness");
    for data in [dir.path(), &absent] {
        let ended = refused(data);
        assert_eq!(ended.code, Some(3), "{}", ended.log);
        assert!(
            ended.log.contains("counterfoil witness init"),
            "{}",
            ended.log
        );
    }
    assert!(!absent.exists());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn two_witnesses_do_not_share_a_folder() {
    let data = witness(&[]);
    let first = Server::start_witness(data.path());
    let ended = refused(data.path());
    assert_eq!(ended.code, Some(3), "{}", ended.log);
    assert!(ended.log.contains("in use"), "{}", ended.log);
    first.kill();
    assert_eq!(Server::start_witness(data.path()).stop().code, Some(0));
}

#[test]
fn a_spoilt_file_is_named_and_not_served() {
    let log = Log::new("log.example/a", 3, 20);
    let data = witness(&[&log]);
    let server = Server::start_witness(data.path());
    assert_eq!(Asker::of(server.base()).add(&log.request(0, 7)).0, 200);
    server.stop();
    let hash = log.path().split('/').nth(1).unwrap().to_owned();
    let path = data.path().join("logs").join(hash);
    let good = fs::read(&path).unwrap();
    for len in [0, good.len() - 1] {
        fs::write(&path, &good[..len]).unwrap();
        let ended = refused(data.path());
        assert_eq!(ended.code, Some(1), "{}", ended.log);
        assert!(ended.log.contains(&text(&path)), "{}", ended.log);
    }
    fs::write(&path, good).unwrap();
    Server::start_witness(data.path());
}

#[test]
fn what_is_typed_wrongly_is_usage() {
    let data = witness(&[]);
    let own = vkey_of(data.path()).to_string();
    let path = text(data.path());
    for wrong in [
        vec!["witness", "init", "--plain", "--name", "w", "--data", &path],
        vec!["witness", "add-log", "log.example", "--data", &path],
        vec!["witness", "add-log", &own, "--data", &path],
        vec!["witness", "vkey"],
    ] {
        let output = run(&wrong);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{wrong:?}: {}",
            complaint(&output)
        );
    }
}

/// The key is kept as a ledger's is: encrypted unless told otherwise.
#[test]
fn the_key_is_encrypted_and_its_passphrase_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (data, secret) = (dir.path().join("w"), dir.path().join("secret"));
    fs::write(&secret, "correct horse\n").unwrap();
    let (path, file) = (text(&data), text(&secret));
    let init = ["witness", "init", "--name", "w", "--data", &path];
    assert_eq!(run(&init).status.code(), Some(2), "without a passphrase");
    let made = run(&[&init[..], &["--passphrase-file", &file]].concat());
    assert!(made.status.success(), "{}", complaint(&made));
    let key = fs::read_to_string(data.join("witness.key")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let ended = refused(&data);
    assert_eq!(ended.code, Some(3), "{}", ended.log);
    assert!(ended.log.contains("passphrase"), "{}", ended.log);
}

/// What the command prints of a ledger is what a witness takes.
#[test]
fn the_checkpoint_of_a_ledger_is_cosigned() {
    let dir = tempfile::tempdir().unwrap();
    let [ledger, keys] = ["ledger", "keys"].map(|name| text(&dir.path().join(name)));
    let init = ["init", "--drill", "--data", &ledger, "--keys", &keys];
    assert!(run(&init).status.success());
    let printed = |verb: &str| {
        let output = run(&[verb, "--data", &ledger]);
        assert!(output.status.success(), "{}", complaint(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let data = witness(&[]);
    let vkey = printed("vkey");
    let added = run(&[
        "witness",
        "add-log",
        vkey.trim_end(),
        "--data",
        &text(data.path()),
    ]);
    assert!(added.status.success(), "{}", complaint(&added));
    let server = Server::start_witness(data.path());
    let asked = format!("old 0\n\n{}", printed("checkpoint"));
    let answer = Asker::of(server.base()).add(&asked);
    assert_eq!(answer.0, 200, "{answer:?}");
}
