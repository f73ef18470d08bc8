//! Times that cannot be, on a ledger that goes by the machine's clock: its witnesses cosign at theirs.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::forge::{Past, rewrite};
use super::front::Front;
use super::{assert_alarm, assert_good, failed_step, policy_without_witnesses};
use crate::served::{BINARY, Server, assert_says, text};
use crate::witnessed::{Town, good};

const HOUR_MS: i64 = 60 * 60 * 1_000;
/// More than clocks may be apart, and within the ten minutes that signers leave the ledger.
const AHEAD_MS: i64 = 8 * 60 * 1_000;
const ADMISSION: &str = r#"{"party":"PARTY","name":"Bureau","roles":["authority"],"scopes":["audit"],
    "key":{"key":"KEY","label":"first","person":"Li Si","powers":["admin","maker"]},
    "evidence":"0000000000000000000000000000000000000000000000000000000000000000",
    "agreement":"0000000000000000000000000000000000000000000000000000000000000000",
    "kyc_valid_to":"2099-12-31"}"#;

/// Keys in a folder of their own.
struct Keys(TempDir);

impl Keys {
    fn with(&self, args: &[&str]) -> String {
        good(&[args, &["--keys", &text(self.0.path())]].concat())
    }

    fn new_key(&self, name: &str) -> String {
        let party = format!("x:{name}");
        self.with(&["key", "new", name, "--plain", "--party", &party])
    }

    /// Admits an authority that audits, by a ledger that asks no witness.
    fn admit(&self, data: &Path, name: &str) {
        let key = self.new_key(name);
        let body = ADMISSION.replace("PARTY", &format!("x:{name}"));
        let body = body.replace("KEY", key.trim_end());
        let server = Server::start_by_the_clock(data, &[]);
        let act = [
            "party", "admit", "--as", "operator", "--with", name, "--yes",
        ];
        self.with(&[&act[..], &["--body", &body, "--url", server.base()]].concat());
        server.stop();
    }
}

/// A ledger whose entry 1 admits the authority `tax`, with the history that its operator wants, before a witness has seen it.
fn ledger(change: impl FnOnce(&mut Vec<Past>)) -> (Town, Keys) {
    let keys = Keys(tempfile::tempdir().unwrap());
    keys.new_key("operator");
    let data = tempfile::tempdir().unwrap();
    let folder = text(data.path());
    keys.with(&["init", "--data", &folder, "--origin", "ledger.test/r"]);
    keys.admit(data.path(), "tax");
    rewrite(data.path(), change);
    (Town::of(data, 2, "all", &[]), keys)
}

/// Serves it with its witnesses until both have cosigned so many entries; what a monitor says that reads these.
fn witnessed(town: &Town, keys: &Keys, size: u64) -> (Server, Output) {
    let server = Server::start_by_the_clock(town.data.path(), &["--policy", &town.policy()]);
    town.await_witnessed(&server, size);
    let keys = text(keys.0.path());
    let said = town.monitor(server.base(), &["--as", "tax", "--keys", &keys]);
    (server, said)
}

/// An operation is held back for an hour, and entered as if it had not been.
#[test]
fn a_back_dated_entry_has_an_impossible_time() {
    let (town, keys) = ledger(|entries| {
        for entry in entries {
            entry.time_ms -= 2 * HOUR_MS;
        }
    });
    let (server, said) = witnessed(&town, &keys, 2);
    assert_good(&said);
    server.stop();
    keys.admit(town.data.path(), "late");
    rewrite(town.data.path(), |entries| entries[2].time_ms -= HOUR_MS);
    let (_server, said) = witnessed(&town, &keys, 3);
    assert_alarm(&said, "impossible time: entry 2 says ");
    assert_says(&said, "witnesses saw 2 entries without it at");
}

/// No witness cosigns a ledger that rests, nor one that has none: a monitor knows what it was not shown.
#[test]
fn an_entry_back_dated_while_the_ledger_rested_has_an_impossible_time() {
    let (town, keys) = ledger(|entries| {
        for entry in entries {
            entry.time_ms -= 2 * HOUR_MS;
        }
    });
    let policy = policy_without_witnesses(&town);
    let front = Front::new();
    let serve = || {
        let server = Server::start_by_the_clock(town.data.path(), &["--audience", front.base()]);
        front.before(server.base());
        server
    };
    let server = serve();
    let mut monitor = Command::new(BINARY)
        .args(["monitor", front.base(), "--policy", &policy])
        .args([
            "--interval",
            "1",
            "--as",
            "tax",
            "--keys",
            &text(keys.0.path()),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut rounds = BufReader::new(monitor.stdout.take().unwrap());
    let mut round = String::new();
    rounds.read_line(&mut round).unwrap();
    assert!(round.starts_with("2 entries"), "{round}");
    server.stop();
    keys.admit(town.data.path(), "late");
    rewrite(town.data.path(), |entries| entries[2].time_ms -= HOUR_MS);
    let _server = serve();
    let began = Instant::now();
    while monitor.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(30) {
        sleep(Duration::from_millis(50));
    }
    // One that found nothing would go on for ever.
    monitor.kill().ok();
    let said = monitor.wait_with_output().unwrap();
    assert_alarm(&said, "impossible time: entry 2 says ");
    assert_says(&said, "this monitor saw 2 entries without it at");
}

#[test]
fn an_entry_dated_ahead_has_an_impossible_time() {
    let (town, keys) = ledger(|entries| entries[1].time_ms += AHEAD_MS);
    let (server, said) = witnessed(&town, &keys, 2);
    assert_alarm(&said, "impossible time: entry 1 says ");
    // Nor does whoever has no monitor believe it: by a receipt, or by the whole of it.
    let read = ["entry", "1", "--as", "tax", "--receipt", "witnessed"];
    let receipt = keys.with(&[&read[..], &["--url", server.base()]].concat());
    let receipt = text(&town.file("receipt.json", &receipt));
    assert_eq!(failed_step(&[&receipt], &town.policy()), "time");
    let checkpoint = server.client().checkpoint().unwrap();
    let checkpoint = text(&town.file("checkpoint", &checkpoint));
    server.stop();
    let chain = text(&town.folder.path().join("chain.jsonl"));
    good(&["export", "--data", &text(town.data.path()), "-o", &chain]);
    let export = [chain.as_str(), "--checkpoint", &checkpoint];
    assert_eq!(failed_step(&export, &town.policy()), "time");
}
