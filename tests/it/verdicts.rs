//! What the verbs that check a ledger say of what they are given, by their exit codes: 0 good, 1 found bad, 2 usage, 3 could not run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn counterfoil(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
    command.args(arguments).stdin(Stdio::null());
    command.output().expect("the command starts")
}

fn code(arguments: &[&str]) -> i32 {
    let output = counterfoil(arguments);
    output.status.code().expect("it is not killed")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

/// A new drill ledger, its export and its vkey.
fn exported() -> (TempDir, String, String) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (data, keys) = (dir.path().join("data"), dir.path().join("keys"));
    let made = [
        "init",
        "--drill",
        "--data",
        text(&data),
        "--keys",
        text(&keys),
    ];
    assert_eq!(code(&made), 0);
    let export = dir.path().join("chain.jsonl");
    assert_eq!(
        code(&["export", "--data", text(&data), "-o", text(&export)]),
        0
    );
    let vkey = counterfoil(&["vkey", "--data", text(&data)]).stdout;
    let vkey = String::from_utf8(vkey).expect("a vkey is text");
    (dir, text(&export).to_owned(), vkey.trim_end().to_owned())
}

#[test]
fn a_key_without_the_checkpoint_that_it_verifies_is_wrong_usage() {
    let (dir, export, vkey) = exported();
    assert_eq!(code(&["audit", "--export", &export, "--vkey", &vkey]), 2);
    let data = dir.path().join("data");
    let note = counterfoil(&["checkpoint", "--data", text(&data)]).stdout;
    let checkpoint = dir.path().join("checkpoint.txt");
    fs::write(&checkpoint, note).expect("written");
    let under = ["--checkpoint", text(&checkpoint), "--vkey", &vkey];
    assert_eq!(
        code(&[&["audit", "--export", &export], &under[..]].concat()),
        0
    );
}

#[test]
fn an_export_is_audited_from_a_pipe() {
    let (_dir, export, _) = exported();
    let mut cat = Command::new("cat")
        .arg(&export)
        .stdout(Stdio::piped())
        .spawn()
        .expect("cat starts");
    let audited = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
        .args(["audit", "--export", "/dev/stdin"])
        .stdin(cat.stdout.take().expect("piped"))
        .output()
        .expect("the command starts");
    cat.wait().expect("cat ends");
    assert_eq!(audited.status.code(), Some(0), "{audited:?}");
}

#[test]
fn an_export_without_its_last_newline_or_with_an_endless_line_is_bad() {
    let (_dir, export, _) = exported();
    let mut bytes = fs::read(&export).expect("there is an export");
    bytes.pop();
    fs::write(&export, &bytes).expect("written");
    assert_eq!(code(&["audit", "--export", &export]), 1);
    bytes.push(b'\n');
    bytes.extend(vec![b' '; 1 << 20]);
    fs::write(&export, &bytes).expect("written");
    let audited = counterfoil(&["audit", "--export", &export]);
    assert_eq!(audited.status.code(), Some(1));
    let said = String::from_utf8_lossy(&audited.stderr).into_owned();
    assert!(said.contains("entry 1: the line has 65537 bytes"), "{said}");
}

#[test]
fn a_reader_of_an_export_may_stop() {
    let (dir, ..) = exported();
    let data = dir.path().join("data");
    let mut export = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
        .args(["export", "--data", text(&data)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(export.stdout.take());
    let ended = export.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
}

#[test]
fn what_is_missing_could_not_be_checked_and_what_is_damaged_is_bad() {
    let (dir, ..) = exported();
    let data = dir.path().join("data");
    let nowhere = dir.path().join("nowhere");
    for verb in ["audit", "export", "vkey"] {
        assert_eq!(code(&[verb, "--data", text(&nowhere)]), 3, "{verb}");
    }
    let entries = data.join("entries/00000000000000000000.jsonl");
    let damaged = fs::read_to_string(&entries).expect("there are entries");
    fs::write(&entries, damaged.replace("Operator", "Imposter")).expect("written");
    for verb in ["audit", "export", "vkey", "fsck"] {
        assert_eq!(code(&[verb, "--data", text(&data)]), 1, "{verb}");
    }
}
