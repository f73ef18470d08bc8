//! A ledger that changes its own key, by the command itself: what its operator does, and what those hold who check it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::independent::check_files;
use crate::served::{Party, Server, complaint, run, story, text};
use crate::witnessed::{Town, good};

/// Prepares the next key of the ledger in a folder, and prints it.
fn prepare(data: &Path) -> String {
    let vkey = good(&["rekey", "--data", &text(data)]);
    vkey.trim_end().to_owned()
}

/// The steps of an operator and of who has the server, up to what is sent.
fn sign_rekey(data: &Path, server: &Server, vkey: &str, file: &Path) {
    let (file, keys) = (text(file), text(&data.join("keys")));
    let to = ["--url", server.base(), "--keys", &keys];
    let body = ["ledger", "rekey", "--new-vkey", vkey, "--as", "operator"];
    good(&[&body[..], &["--out", &file, "--yes"], &to].concat());
    good(&["rekey", "--data", &text(data), "--sign", &file, "--yes"]);
}

fn send(server: &Server, file: &Path) -> Value {
    let sent = good(&["send", &text(file), "--url", server.base(), "--json"]);
    serde_json::from_str(&sent).unwrap()
}

/// What the town's policy is with these keys of the ledger in place of the first.
fn policy(town: &Town, name: &str, vkeys: &[&str], quorum: bool) -> String {
    let own = fs::read_to_string(town.policy()).unwrap();
    let logs: String = vkeys.iter().map(|vkey| format!("log {vkey}\n")).collect();
    let rest = own.split_once('\n').unwrap().1;
    let text_of = match quorum {
        true => format!("{logs}{rest}"),
        false => format!("{logs}quorum none\n"),
    };
    text(&town.file(name, &text_of))
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn readiness(server: &Server) -> Value {
    server.client().get("/readyz").unwrap()
}

fn witnessed(server: &Server) -> u64 {
    readiness(server)["witnessed"]["size"].as_u64().unwrap()
}

/// The receipt that a reader of all gets, in a file.
fn receipt(town: &Town, server: &Server, by: &str, n: u64, level: &str) -> String {
    let reader = server.client_of(&Party::of(town.data.path(), by));
    let path = format!("/v1/entries/{n}/receipt?level={level}");
    let receipt: Value = reader.get(&path).unwrap();
    let file = format!("{n}.{level}.receipt.json");
    text(&town.file(&file, &receipt.to_string()))
}

/// The exit codes of a verification against policies.
fn codes(args: &[&str], policies: &[&str]) -> Vec<i32> {
    let code = |policy: &&str| {
        let output = run(&[&["verify"], args, &["--policy", policy]].concat());
        output.status.code().unwrap()
    };
    policies.iter().map(code).collect()
}

#[test]
fn the_key_changes_while_writes_go_on_and_everything_is_proved_across_it() {
    let data = story();
    let new = prepare(data.path());
    let town = Town::of(data, 2, "all", &[&new]);
    let data = town.data.path();
    let old = good(&["vkey", "--data", &text(data)]).trim_end().to_owned();
    assert_ne!(old, new);
    assert_eq!(prepare(data), new, "the same key once more");
    let next = data.join("ledger.key.next");
    assert_eq!(
        fs::metadata(&next).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let keys = [&[old.as_str()][..], &[&new], &[&old, &new]];
    let named = |quorum: bool| {
        let names = ["old", "new", "both"].map(|name| format!("{name}-{quorum}"));
        let all = names.iter().zip(keys);
        let all = all.map(|(name, keys)| policy(&town, name, keys, quorum));
        all.collect::<Vec<_>>()
    };
    let (strict, alone) = (named(true), named(false));
    let strict: Vec<&str> = strict.iter().map(String::as_str).collect();
    let alone: Vec<&str> = alone.iter().map(String::as_str).collect();

    let server = town.serve();
    let first = town.enter(&server, 1_000);
    wait_for("the first entry is witnessed", || {
        witnessed(&server) > first
    });
    let before =
        ["committed", "witnessed"].map(|level| receipt(&town, &server, "bank-a", first, level));

    // Others write all the time.
    let file = town.folder.path().join("rekey.json");
    let done = AtomicBool::new(false);
    let (n, written) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut caps = 2_000..;
            while !done.load(Ordering::Relaxed) {
                town.enter(&server, caps.next().unwrap());
            }
            caps.next().unwrap() - 2_000
        });
        sign_rekey(data, &server, &new, &file);
        let n = send(&server, &file)["n"].as_u64().unwrap();
        std::thread::sleep(Duration::from_millis(1_500));
        done.store(true, Ordering::Relaxed);
        (n, writer.join().unwrap())
    });
    assert!(written > 5, "{written} entries beside it");
    assert!(!next.exists(), "the next key has taken its place");
    assert_eq!(server.client().status().unwrap().vkey, new);
    let last = town.enter(&server, 900_000);
    wait_for("the last entry is witnessed", || witnessed(&server) > last);

    // Receipts: those of before stay good for who knows the old key, those of behind are for who knows the new one. The first
    // checkpoint behind the change, which carries both, was cosigned too.
    for file in &before {
        assert_eq!(codes(&[file], &alone), [0, 1, 0]);
    }
    assert_eq!(codes(&[&before[1]], &strict), [0, 1, 0]);
    let across = receipt(&town, &server, "operator", n, "witnessed");
    assert_eq!(codes(&[&across], &strict), [0, 0, 0]);
    let behind = receipt(&town, &server, "bank-a", last, "witnessed");
    assert_eq!(codes(&[&behind], &strict), [1, 0, 0]);

    // A crash now; the policy that the ledger runs with still names the old key alone.
    server.kill();
    let server = town.serve();
    server.log_with("does not name the key that the ledger has by now");
    assert_eq!(server.client().status().unwrap().vkey, new);
    let last = town.enter(&server, 900_001);
    wait_for("it goes on being witnessed", || witnessed(&server) > last);
    let row: Value = server
        .client_of(&Party::of(data, "bank-a"))
        .get("/v1/ledger")
        .unwrap();
    assert_eq!(row["vkey"], new.as_str());
    assert_eq!(row["keys"][0]["vkey"], old.as_str());
    assert_eq!(row["keys"][1]["from_size"], n + 1);
    follow(&server, &town, &strict);
    server.stop();
    check_export(&town, [&old, &new], &alone);
}

/// A monitor goes on where its policy knows both keys; else it says what it lacks.
fn follow(server: &Server, town: &Town, policies: &[&str]) {
    let monitor = |policy: &str| run(&["monitor", server.base(), "--once", "--policy", policy]);
    let alarm = monitor(policies[0]);
    assert_eq!(alarm.status.code(), Some(1));
    assert!(
        complaint(&alarm).contains("a `log` line for each"),
        "{}",
        complaint(&alarm)
    );
    for policy in &policies[1..] {
        let good = monitor(policy);
        assert_eq!(good.status.code(), Some(0), "{}", complaint(&good));
    }
    // One that has followed from before goes on with the other key.
    let seen = text(&town.folder.path().join("seen"));
    let args = [
        "monitor",
        server.base(),
        "--once",
        "--state",
        &seen,
        "--policy",
        policies[2],
    ];
    good(&args);
    good(&args);
}

/// The export, by every way there is to check one.
fn check_export(town: &Town, [old, new]: [&str; 2], policies: &[&str]) {
    let data = text(town.data.path());
    let file = |name: &str| -> PathBuf { town.folder.path().join(name) };
    let chain = text(&file("chain.jsonl"));
    good(&["export", "--data", &data, "-o", &chain]);
    let checkpoint = good(&["checkpoint", "--data", &data]);
    let checkpoint = text(&town.file("checkpoint", &checkpoint));
    let rekeyed = good(&["checkpoint", "--data", &data, "--rekeyed"]);
    let rekeyed = text(&town.file("rekeyed", &rekeyed));
    assert_eq!(good(&["vkey", "--data", &data]).trim_end(), new);
    assert_eq!(
        good(&["vkey", "--data", &data, "--all"]),
        format!("{old}\n{new}\n")
    );
    town.file("vkey", &format!("{new}\n"));

    let under = [chain.as_str(), "--checkpoint", &checkpoint];
    assert_eq!(codes(&under, policies), [1, 0, 0]);
    let led = [&under[..], &["--rekeyed", &rekeyed]].concat();
    assert_eq!(codes(&led, policies), [0, 0, 0]);
    good(&["fsck", "--data", &data]);
    good(&["audit", "--data", &data]);
    let audit = ["audit", "--export", &chain, "--checkpoint", &checkpoint];
    good(&audit);
    good(&[&audit[..], &["--vkey", new]].concat());
    let refused = run(&[&audit[..], &["--vkey", old]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(complaint(&refused).contains("verify --rekeyed"));
    check_files(town.folder.path()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/contracts/verify.py");
    for (vkey, good) in [(new, true), (old, false)] {
        let args = [script, &chain, &checkpoint, vkey];
        let output = Command::new("python3").args(args).output();
        // Where there is no Python, others check with it.
        let Ok(output) = output else { return };
        assert_eq!(output.status.success(), good, "{}", complaint(&output));
    }
}

/// "Add the new key at the witnesses before sending the operation": what happens to who does not.
#[test]
fn a_witness_that_was_not_told_cosigns_what_carries_both_keys_and_no_more() {
    let town = Town::new(1, "all");
    let data = town.data.path();
    let server = town.serve();
    let new = prepare(data);
    let file = town.folder.path().join("rekey.json");
    sign_rekey(data, &server, &new, &file);

    // The key is not where the server looks for it: nothing is entered, and the same envelope is good later.
    let (next, aside) = (
        data.join("ledger.key.next"),
        town.folder.path().join("aside"),
    );
    fs::rename(&next, &aside).unwrap();
    let refused = run(&["send", &text(&file), "--url", server.base()]);
    assert_eq!(refused.status.code(), Some(1));
    let said = complaint(&refused);
    assert!(
        said.contains("ledger.secret") && said.contains("counterfoil rekey"),
        "{said}"
    );
    fs::rename(&aside, &next).unwrap();

    let n = send(&server, &file)["n"].as_u64().unwrap();
    town.enter(&server, 1_000);
    wait_for("what carries both keys is witnessed", || {
        witnessed(&server) == n + 1
    });
    town.enter(&server, 2_000);
    server.log_with("counterfoil witness add-log");
    let ready = readiness(&server);
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["witnessed"]["size"], n + 1);
    let across = receipt(&town, &server, "operator", n, "witnessed");
    assert_eq!(codes(&[&across], &[&town.policy()]), [0]);
    server.stop();
    // It does not start behind a witness that cannot tell it where it was; the refusal says what to do.
    let refused = town.try_serve(data, &[]).err().unwrap();
    assert!(
        refused.log.contains("counterfoil witness add-log"),
        "{}",
        refused.log
    );
}

#[test]
fn the_next_key_signs_nothing_but_its_own_operation() {
    let data = story();
    let server = Server::start(data.path());
    let vkey = prepare(data.path());
    let file = data.path().join("other.json");
    let keys = text(&data.path().join("keys"));
    let to = ["--url", server.base(), "--keys", &keys];
    let other = ["ledger", "upgrade", "--engine", "2", "--as", "operator"];
    good(&[&other[..], &["--out", &text(&file), "--yes"], &to].concat());
    let sign = [
        "rekey",
        "--data",
        &text(data.path()),
        "--sign",
        &text(&file),
        "--yes",
    ];
    let refused = run(&sign);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        complaint(&refused).contains(&vkey),
        "{}",
        complaint(&refused)
    );
}

/// Encrypted files as of any key: one passphrase opens both, and the server that runs has it.
#[test]
fn an_encrypted_key_gives_way_to_an_encrypted_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("ledger");
    let (data_text, keys) = (text(&data), text(&folder.path().join("keys")));
    let secret = folder.path().join("passphrase");
    fs::write(&secret, "correct horse\n").unwrap();
    let flag = ["--passphrase-file", &text(&secret)];
    let init = [
        "init",
        "--data",
        &data_text,
        "--drill",
        "--encrypt",
        "--keys",
        &keys,
    ];
    good(&[&init[..], &flag].concat());
    let rekey = good(&[&["rekey", "--data", &data_text][..], &flag].concat());
    let vkey = rekey.trim_end();
    let next = fs::read_to_string(data.join("ledger.key.next")).unwrap();
    assert!(next.contains("ENCRYPTED"));
    let server = Server::start_with(&data, &flag);
    let file = text(&folder.path().join("rekey.json"));
    let body = [
        "ledger",
        "rekey",
        "--new-vkey",
        vkey,
        "--as",
        "operator",
        "--out",
        &file,
    ];
    let to = ["--yes", "--url", server.base(), "--keys", &keys];
    good(&[&body[..], &to, &flag].concat());
    let sign = ["rekey", "--data", &data_text, "--sign", &file, "--yes"];
    good(&[&sign[..], &flag].concat());
    good(&["send", &file, "--url", server.base()]);
    server.stop();
    assert_eq!(fs::read_to_string(data.join("ledger.key")).unwrap(), next);
    let server = Server::start_with(&data, &flag);
    assert_eq!(server.client().status().unwrap().vkey, vkey);
}
