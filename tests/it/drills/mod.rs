//! Drills: an operator that has the ledger's key and is dishonest. Each is played by the command itself, and names who catches it.
//!
//! What it does to a history it does on disk, signs with the ledger's own key and serves ([`forge`]); or its server says to some what
//! it does not say to others ([`front`]). Everybody else is honest: two witnesses, a monitor that has followed, a lender with a receipt.

mod disk;
mod entries;
mod forge;
mod front;
mod histories;
mod times;

use std::path::{Path, PathBuf};
use std::process::Output;

use counterfoil::chain::hash::sha256;
use serde_json::Value;
use tempfile::TempDir;

use crate::served::{Party, Server, complaint, run, text};
use crate::witnessed::{Town, good};

/// A ledger that has stopped, after all were shown the same: both witnesses, the monitor, and the lender of three limits.
struct Scene {
    town: Town,
    /// The entry of the first limit; those of the two others follow it.
    first: u64,
    /// Of the second limit, under a checkpoint that both witnesses cosigned.
    receipt: PathBuf,
}

impl Scene {
    fn new() -> Scene {
        let town = Town::new(2, "all");
        let server = town.serve();
        let first = town.enter(&server, 1_000);
        town.enter(&server, 2_000);
        town.enter(&server, 3_000);
        town.await_witnessed(&server, first + 3);
        assert_good(&town.monitor(server.base(), &[]));
        let receipt = receipt(&town, &server, "bank-a", first + 1);
        let receipt = town.file("receipt.json", &receipt);
        server.stop();
        let scene = Scene {
            town,
            first,
            receipt,
        };
        good(&[
            "verify",
            &text(&scene.receipt),
            "--policy",
            &scene.town.policy(),
        ]);
        scene
    }

    /// The folder as it is when the operator begins to forge.
    fn copied(&self) -> TempDir {
        self.town.copied()
    }

    /// The lender's receipt, with another checkpoint shown in place of its own.
    fn receipt_under(&self, checkpoint: &str) -> String {
        let receipt = std::fs::read_to_string(&self.receipt).unwrap();
        let mut receipt: Value = serde_json::from_str(&receipt).unwrap();
        let proof = receipt["proof"].as_str().unwrap();
        let (hashes, _) = proof.split_once("\n\n").unwrap();
        receipt["proof"] = format!("{hashes}\n\n{checkpoint}").into();
        text(&self.town.file("under.receipt.json", &receipt.to_string()))
    }

    /// A witness has kept two checkpoints as evidence of this kind.
    fn assert_evidence(&self, kind: &str) {
        let kept = self.evidence(kind);
        assert!(kept.contains(&2), "{kept:?}");
    }

    /// How many checkpoints every witness has kept as evidence of a kind.
    fn evidence(&self, kind: &str) -> Vec<usize> {
        let origin = good(&["vkey", "--data", &text(self.town.data.path())]);
        let origin = sha256(origin.split('+').next().unwrap().as_bytes());
        let kept = |witness: &str| {
            let folder = self.town.folder.path().join(witness);
            let folder = folder.join(format!("evidence/{origin}/{kind}"));
            std::fs::read_dir(folder).map_or(0, Iterator::count)
        };
        ["w1", "w2"].map(kept).to_vec()
    }
}

/// The receipt of an entry under the first checkpoint over it that a quorum cosigned.
fn receipt(town: &Town, server: &Server, by: &str, n: u64) -> String {
    let reader = server.client_of(&Party::of(town.data.path(), by));
    let path = format!("/v1/entries/{n}/receipt?level=witnessed");
    let receipt: Value = reader.get(&path).unwrap();
    receipt.to_string()
}

/// A policy that believes the ledger alone.
fn policy_without_witnesses(town: &Town) -> String {
    let policy = std::fs::read_to_string(town.policy()).unwrap();
    let log = policy.lines().next().unwrap();
    let policy = format!("{log}\nquorum none\n");
    text(&town.file("policy-without-witnesses", &policy))
}

/// The newest checkpoint in a folder, as its ledger signed it.
fn checkpoint(data: &Path) -> String {
    good(&["checkpoint", "--data", &text(data)])
}

fn assert_good(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", complaint(output));
}

/// A monitor has ended with an alarm that says this.
fn assert_alarm(output: &Output, said: &str) {
    let complaint = complaint(output);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains(&format!("ALARM {said}")), "{complaint}");
}

/// The step at which the verification of a file fails.
fn failed_step(args: &[&str], policy: &str) -> String {
    let output = run(&[&["verify"], args, &["--policy", policy]].concat());
    let said = complaint(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let (_, step) = said.split_once("the step ").unwrap();
    step.split(' ').next().unwrap().to_owned()
}
