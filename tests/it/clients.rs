//! A client in another language, written from contracts/ alone, does the main job and checks the export.

use std::path::Path;
use std::process::{Command, Output};

use crate::served::{Server, complaint, copy, run, text};

const CLIENT: &str = "tests/clients/python/client.py";
const VECTORS: &str = "tests/clients/python/vectors.py";

fn python(args: &[&str]) -> Output {
    Command::new("python3").args(args).output().unwrap()
}

/// Says so where it cannot run; `scripts/test` installs what it needs.
fn skips() -> bool {
    let there = Command::new("python3")
        .args(["-c", "import cryptography"])
        .output();
    let skips = !there.is_ok_and(|output| output.status.success());
    if skips {
        eprintln!("skipped: python3 with `cryptography` is not installed");
    }
    skips
}

#[test]
fn a_client_of_another_language_does_the_main_job() {
    if skips() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [data, keys, export] =
        ["ledger", "keys", "export.jsonl"].map(|name| text(&folder.path().join(name)));
    let time = "2026-05-18T01:00:00Z";
    let init = [
        "init", "--drill", "--time", time, "--data", &data, "--keys", &keys,
    ];
    assert!(run(&init).status.success());
    let server = Server::start(folder.path().join("ledger").as_path());
    let key = format!("{keys}/operator.pem");
    let played = python(&[CLIENT, server.base(), "contracts", &key]);
    assert!(played.status.success(), "{}", complaint(&played));
    let said = String::from_utf8(played.stdout).unwrap();
    assert!(
        said.contains("refused as it should be: receivable.not_debtor"),
        "{said}"
    );
    server.stop();
    assert!(
        run(&["export", "--data", &data, "-o", &export])
            .status
            .success()
    );
    let checked = python(&[CLIENT, "--export", &export]);
    assert!(checked.status.success(), "{}", complaint(&checked));
    let lines = std::fs::read_to_string(&export).unwrap();
    std::fs::write(
        &export,
        lines.replacen("Equipment Maker", "Equipment Taker", 1),
    )
    .unwrap();
    let forged = python(&[CLIENT, "--export", &export]);
    assert!(!forged.status.success(), "an altered export is found");
}

#[test]
fn a_client_of_another_language_signs_as_the_vectors_say() {
    if skips() {
        return;
    }
    let made = python(&[VECTORS, "contracts"]);
    assert!(made.status.success(), "{}", complaint(&made));

    let folder = tempfile::tempdir().unwrap();
    copy(Path::new("contracts"), folder.path());
    let file = folder.path().join("vectors/operations.json");
    let vectors = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        vectors.replacen("\\\"HT-2026-0900", "\\\"HT-2026-0901", 1),
    )
    .unwrap();
    let altered = python(&[VECTORS, &text(folder.path())]);
    assert!(!altered.status.success(), "an altered vector is found");
}

/// Short enough to be read in one sitting.
#[test]
fn the_client_has_less_than_two_hundred_lines() {
    let client = std::fs::read_to_string(CLIENT).unwrap();
    assert!(client.lines().count() < 200);
}
