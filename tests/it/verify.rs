//! `counterfoil verify` on the ledger of the vectors: what it prints, and by what it exits.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use counterfoil::chain::Hash;
use counterfoil::chain::tiles::encode_hashes;
use serde_json::Value;
use tempfile::TempDir;

use super::served::{assert_says, complaint, run, text};
use super::vectors;

/// A folder with what a stranger has of the ledger of the vectors, and nothing else.
struct Stranger(TempDir);

impl Stranger {
    fn new() -> Stranger {
        let stranger = Stranger(tempfile::tempdir().unwrap());
        let vectors: Value = serde_json::from_slice(&fs::read(vectors::FILE).unwrap()).unwrap();
        let ledger = &vectors["ledger"];
        let entries = ledger["entries"].as_array().unwrap();
        let all = |field: &'static str| {
            entries
                .iter()
                .map(move |entry| entry[field].as_str().unwrap().to_owned())
        };
        let export: String = all("line").map(|line| line + "\n").collect();
        let leaves: Vec<Hash> = all("leaf").map(|leaf| leaf.parse().unwrap()).collect();
        for (name, content) in [
            ("policy", "policy"),
            ("4.receipt.json", "receipt"),
            ("checkpoint", "checkpoint"),
            ("tiles/checkpoint", "checkpoint"),
        ] {
            stranger.write(name, ledger[content].as_str().unwrap().as_bytes());
        }
        stranger.write("chain.jsonl", export.as_bytes());
        stranger.write("tiles/tile/0/000.p/5", &encode_hashes(&leaves));
        stranger
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Replaces a text in a file.
    fn change(&self, name: &str, from: &str, to: &str) {
        let before = fs::read_to_string(self.path(name)).unwrap();
        let after = before.replacen(from, to, 1);
        assert_ne!(before, after);
        fs::write(self.path(name), after).unwrap();
    }

    /// Verifies a file here under the policy, with these further words; names of files here follow `@`.
    fn verify(&self, words: &str) -> Output {
        let words = format!("verify {words} --policy @policy");
        let words = words.split(' ').map(|word| match word.strip_prefix('@') {
            Some(name) => text(&self.path(name)),
            None => word.to_owned(),
        });
        let words: Vec<String> = words.collect();
        run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// The outcome and the code of each line that was printed.
fn steps(output: &Output) -> Vec<(String, String)> {
    let said = String::from_utf8_lossy(&output.stdout);
    let step = |line: &str| {
        let (outcome, rest) = line.split_at(11);
        let code = rest.split_whitespace().next().unwrap_or_default();
        (outcome.trim_end().to_owned(), code.to_owned())
    };
    said.lines().map(step).collect()
}

#[test]
fn receipt_export_and_tiles_are_good_without_the_ledger() {
    let stranger = Stranger::new();
    for (words, count, last) in [
        ("@4.receipt.json", 12, "time"),
        ("@chain.jsonl --checkpoint @checkpoint", 15, "time"),
        ("@tiles", 9, "entries.there"),
    ] {
        let output = stranger.verify(words);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words}: {}",
            complaint(&output)
        );
        let steps = steps(&output);
        assert!(
            steps.iter().all(|(outcome, _)| outcome == "good"),
            "{steps:?}"
        );
        assert_eq!((steps.len(), steps[count - 1].1.as_str()), (count, last));
        assert_eq!(complaint(&output), "");
    }
}

#[test]
fn the_step_that_failed_is_named_last() {
    let stranger = Stranger::new();
    stranger.change("4.receipt.json", "HT-2026-001", "HT-2026-002");
    let output = stranger.verify("@4.receipt.json");
    assert_eq!(output.status.code(), Some(1));
    let steps = steps(&output);
    let of = |wanted: &str| {
        steps
            .iter()
            .filter(|(outcome, _)| outcome == wanted)
            .count()
    };
    assert_eq!((of("good"), of("FAILED"), of("not reached")), (3, 1, 8));
    assert_eq!(
        steps[3],
        ("FAILED".to_owned(), "entry.signatures".to_owned())
    );
    assert_says(
        &output,
        "the step entry.signatures failed: the signature of key ",
    );
}

#[test]
fn machines_get_an_object_a_step() {
    let stranger = Stranger::new();
    stranger.change("policy", "log", "# log");
    let output = stranger.verify("@4.receipt.json --json");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    let steps: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(steps.len(), 12);
    assert_eq!(steps[0]["step"], "policy.read");
    assert_eq!(steps[0]["outcome"], "good");
    assert_eq!(steps[0]["what"], "0 logs, 0 witnesses, quorum `none`");
    assert_eq!(steps[6]["step"], "checkpoint.origin");
    assert_eq!(steps[6]["outcome"], "failed");
    assert_eq!(steps[7]["outcome"], "not_reached");
}

#[test]
fn the_exit_code_tells_bad_from_usage_from_what_could_not_run() {
    let stranger = Stranger::new();
    stranger.write("bad.receipt.json", b"{}");
    stranger.write("bad-policy", b"quorum\n");
    for (words, code) in [
        ("@bad.receipt.json", 1),
        ("@chain.jsonl --checkpoint @policy", 1),
        ("@chain.jsonl", 2),
        ("@tiles --checkpoint @checkpoint", 2),
        ("@4.receipt.json --data ledger", 2),
        ("@absent.receipt.json", 3),
        ("@chain.jsonl --checkpoint @absent", 3),
    ] {
        let output = stranger.verify(words);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words}: {}",
            complaint(&output)
        );
    }
    fs::remove_file(stranger.path("policy")).unwrap();
    assert_eq!(stranger.verify("@4.receipt.json").status.code(), Some(3));
    fs::rename(stranger.path("bad-policy"), stranger.path("policy")).unwrap();
    let output = stranger.verify("@4.receipt.json");
    assert_eq!(output.status.code(), Some(3));
    assert_says(&output, "policy: line 1: `quorum <name>` is asked for");
}

/// A name in a policy may hold any octet: none reaches the terminal as a control.
#[test]
fn a_policy_cannot_steer_the_terminal() {
    let stranger = Stranger::new();
    stranger.write("policy", "quorum \u{9b}31m\n".as_bytes());
    let output = stranger.verify("@4.receipt.json");
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output);
    assert!(
        said.contains(" 31m") && !said.contains('\u{9b}'),
        "{said:?}"
    );
}
