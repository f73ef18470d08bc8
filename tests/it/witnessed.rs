//! A ledger with witnesses beside it, by the command itself: honest, with witnesses that may be dead. Dishonest operators are in `drills`.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use counterfoil::chain::{Checkpoint, Note, Policy};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::served::{Ended, Party, Server, assert_says, complaint, copy, run, story, text};

/// A served ledger of the story, its witnesses, and the policy that names them.
pub(crate) struct Town {
    pub(crate) folder: TempDir,
    pub(crate) data: TempDir,
    pub(crate) witnesses: Vec<Option<Server>>,
}

impl Town {
    /// With so many witnesses; `quorum` is the threshold of their group.
    pub(crate) fn new(witnesses: usize, quorum: &str) -> Town {
        Town::of(story(), witnesses, quorum, &[])
    }

    /// Around a ledger, whose witnesses know these keys of it beside the first.
    pub(crate) fn of(data: TempDir, witnesses: usize, quorum: &str, keys: &[&str]) -> Town {
        let folder = tempfile::tempdir().unwrap();
        let log = good(&["vkey", "--data", &text(data.path())]);
        let mut policy = format!("log {log}");
        let mut names = String::new();
        let mut served = Vec::new();
        for i in 1..=witnesses {
            let own = folder.path().join(format!("w{i}"));
            let (own_text, name) = (text(&own), format!("witness.example/w{i}"));
            let vkey = good(&[
                "witness", "init", "--plain", "--name", &name, "--data", &own_text,
            ]);
            for key in [log.trim_end()].iter().chain(keys) {
                good(&["witness", "add-log", key, "--data", &own_text]);
            }
            let server = Server::start_witness(&own);
            policy += &format!("witness w{i} {} {}\n", vkey.trim_end(), server.base());
            names += &format!(" w{i}");
            served.push(Some(server));
        }
        policy += &format!("group all-of-them {quorum}{names}\nquorum all-of-them\n");
        std::fs::write(folder.path().join("policy"), policy).unwrap();
        Town {
            folder,
            data,
            witnesses: served,
        }
    }

    pub(crate) fn policy(&self) -> String {
        text(&self.folder.path().join("policy"))
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start_with(self.data.path(), &["--policy", &self.policy()])
    }

    pub(crate) fn try_serve(&self, data: &Path, more: &[&str]) -> Result<Server, Ended> {
        let policy = self.policy();
        Server::try_start_with(data, &[&["--policy", &policy], more].concat())
    }

    /// Another copy of the ledger's folder as it is now.
    pub(crate) fn copied(&self) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        copy(self.data.path(), dir.path());
        dir
    }

    /// Has a party enter something, and returns the number of its entry.
    pub(crate) fn enter(&self, server: &Server, cap: u64) -> u64 {
        let lender = Party::of(self.data.path(), "bank-a");
        let debtor = Party::of(self.data.path(), "hospital");
        let until = server.client().status().unwrap().time;
        let not_after = format!("{}T23:59:59Z", &until[..10]);
        let amount = format!("{cap}.00");
        let body = json!({ "debtor": debtor.id, "currency": "CNY", "amount": amount, "valid_to": "2026-12-31" });
        let envelope = lender.envelope(server.origin(), &not_after, "limit.set", &body);
        server.client().submit(&envelope).unwrap().n
    }

    fn believed(&self, checkpoint: &str) -> Option<Checkpoint> {
        let policy = std::fs::read(self.policy()).unwrap();
        let note = Note::decode(checkpoint.as_bytes()).ok()?;
        let checked = Policy::parse(&policy).unwrap().check(&note);
        checked.ok().map(|witnessed| witnessed.checkpoint)
    }

    /// Waits until a quorum has cosigned so many entries.
    pub(crate) fn await_witnessed(&self, server: &Server, size: u64) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            let newest = server.client().checkpoint().unwrap_or_default();
            if self
                .believed(&newest)
                .is_some_and(|checkpoint| checkpoint.size >= size)
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("no quorum cosigned {size} entries");
    }

    /// What a monitor says that remembers what it saw before.
    pub(crate) fn monitor(&self, base: &str, more: &[&str]) -> Output {
        let state = text(&self.folder.path().join("seen"));
        self.new_monitor(base, &[&["--state", &state], more].concat())
    }

    /// What one says that has seen nothing.
    pub(crate) fn new_monitor(&self, base: &str, more: &[&str]) -> Output {
        let policy = self.policy();
        let args = ["monitor", base, "--once", "--policy", &policy];
        run(&[&args[..], more].concat())
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

pub(crate) fn good(args: &[&str]) -> String {
    let output = run(args);
    let code = output.status.code();
    assert_eq!(code, Some(0), "{args:?}: {}", complaint(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_receipt_that_two_witnesses_stand_for_verifies_offline_and_no_changed_one_does() {
    let town = Town::new(2, "all");
    let server = town.serve();
    let n = town.enter(&server, 1_000);
    town.await_witnessed(&server, n + 1);
    let lender = server.client_of(&Party::of(town.data.path(), "bank-a"));
    let path = format!("/v1/entries/{n}/receipt?level=witnessed");
    let receipt: Value = lender.get(&path).unwrap();
    server.kill();
    // The tree as files is under the same word.
    let site = text(&town.folder.path().join("site"));
    good(&[
        "export",
        "--data",
        &text(town.data.path()),
        "--tiles",
        &site,
    ]);
    good(&["verify", &site, "--policy", &town.policy()]);
    let (policy, receipt) = (town.policy(), receipt.to_string());
    let file = town.file("receipt.json", &receipt);
    let said = good(&["verify", &text(&file), "--policy", &policy]);
    assert!(said.contains("w1") && said.contains("w2"), "{said}");
    let changed = receipt.replacen("1000.00", "9000.00", 1);
    assert_ne!(changed, receipt);
    let file = town.file("changed.json", &changed);
    let refused = run(&["verify", &text(&file), "--policy", &policy]);
    assert_eq!(refused.status.code(), Some(1), "{}", complaint(&refused));
}

#[test]
fn a_dead_witness_delays_no_entry_and_the_lag_is_told() {
    let mut town = Town::new(2, "all");
    let server = town.serve();
    town.witnesses[1].take().unwrap().kill();
    let before = Instant::now();
    let n = town.enter(&server, 1_000);
    assert!(before.elapsed() < Duration::from_secs(5));
    let ready: Value = server.client().get("/readyz").unwrap();
    assert_eq!(
        (&ready["ready"], &ready["size"]),
        (&true.into(), &(n + 1).into())
    );
    assert!(ready["witnessed"]["size"].as_u64().unwrap() <= n, "{ready}");
    // Everybody is shown what both have cosigned, and not what is newer.
    let shown = server.client().checkpoint().unwrap();
    assert!(town.believed(&shown).unwrap().size <= n);
}

#[test]
fn one_of_two_witnesses_may_be_dead_where_one_is_enough() {
    let mut town = Town::new(2, "any");
    let server = town.serve();
    town.witnesses[0].take().unwrap().kill();
    let n = town.enter(&server, 1_000);
    town.await_witnessed(&server, n + 1);
}

#[test]
fn without_a_quorum_it_starts_only_when_told_to() {
    let mut town = Town::new(2, "all");
    town.witnesses[1].take().unwrap().kill();
    let refused = town.try_serve(town.data.path(), &[]).err().unwrap();
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(
        refused.log.contains("--allow-unwitnessed-start"),
        "{refused:?}"
    );
    let server = town.try_serve(town.data.path(), &["--allow-unwitnessed-start"]);
    let server = server.unwrap_or_else(|ended| panic!("{ended:?}"));
    town.enter(&server, 1_000);
}

/// Whoever connects to a port that is none takes the usual one.
#[test]
fn a_witness_at_no_address_is_named() {
    let town = Town::new(1, "all");
    let server = town.serve();
    let policy = std::fs::read_to_string(town.policy()).unwrap();
    let mistyped = policy.replace("http://127.0.0.1:", "http://127.0.0.1:8O");
    std::fs::write(town.policy(), mistyped).unwrap();
    let followed = town.monitor(server.base(), &[]);
    assert_says(&followed, "not read: w1: its address: `http://127.0.0.1:8O");
    server.stop();
    let refused = town.try_serve(town.data.path(), &["--allow-unwitnessed-start"]);
    let refused = refused.err().unwrap();
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(
        refused.log.contains("witness w1: `http://127.0.0.1:8O"),
        "{refused:?}"
    );
}

#[test]
fn an_export_is_good_under_the_checkpoint_that_the_quorum_cosigned() {
    let town = Town::new(2, "all");
    let data = text(town.data.path());
    let newest = ["checkpoint", "--data", &data, "--witnessed"];
    assert_says(&run(&newest), "no quorum of witnesses has cosigned");
    let server = town.serve();
    let n = town.enter(&server, 2_000);
    town.await_witnessed(&server, n + 1);
    server.stop();
    let checkpoint = text(&town.file("checkpoint", &good(&newest)));
    let chain = text(&town.folder.path().join("chain.jsonl"));
    good(&["export", "--data", &data, "--output", &chain]);
    let policy = town.policy();
    let verify = ["verify", &chain, "--policy", &policy, "--checkpoint"];
    good(&[&verify[..], &[&checkpoint]].concat());
    let alone = good(&["checkpoint", "--data", &data]);
    let alone = run(&[&verify[..], &[&text(&town.file("alone", &alone))]].concat());
    assert_says(&alone, "checkpoint.quorum");
    // Whoever serves it with no witnesses is told what that leaves out.
    Server::start(town.data.path()).log_with("no policy names them");
}
