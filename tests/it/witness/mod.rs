//! The witness by the command itself: made, served, asked over HTTP, killed, started again.

mod asked;
mod killed;
mod started;

use std::path::Path;
use std::time::Duration;

use counterfoil::chain::hash::leaf_hash;
use counterfoil::chain::note::KeyKind;
use counterfoil::chain::tree::consistency_proof;
use counterfoil::chain::{
    AddCheckpoint, Checkpoint, Hash, Note, SigningKey, Tree, VerifierKey, hash,
};
use tempfile::TempDir;
use ureq::Agent;

use super::served::{complaint, run, text};

/// A log with one history.
#[derive(Clone)]
struct Log {
    origin: &'static str,
    seed: u8,
    leaves: Vec<Hash>,
}

impl Log {
    fn new(origin: &'static str, seed: u8, leaves: u64) -> Log {
        Log {
            origin,
            seed,
            leaves: (0..leaves).map(|n| leaf_hash(&n.to_be_bytes())).collect(),
        }
    }

    /// Another history of the same log.
    fn forked(&self, from: usize) -> Log {
        let mut fork = self.clone();
        for leaf in &mut fork.leaves[from..] {
            *leaf = leaf_hash(leaf.as_bytes());
        }
        fork
    }

    fn key(&self) -> SigningKey {
        SigningKey::from_seed(&[self.seed; 32])
    }

    fn vkey(&self) -> VerifierKey {
        VerifierKey::of(self.origin, KeyKind::Ed25519, &self.key()).unwrap()
    }

    fn checkpoint(&self, size: u64) -> Checkpoint {
        let leaves = &self.leaves[..usize::try_from(size).unwrap()];
        Checkpoint {
            origin: self.origin.to_owned(),
            size,
            root: leaves.iter().copied().collect::<Tree>().root(),
        }
    }

    fn note(&self, size: u64) -> Note {
        self.checkpoint(size).sign(&[&self.key()]).unwrap()
    }

    fn request(&self, old: u64, size: u64) -> String {
        let proof = consistency_proof(self.leaves.as_slice(), old, size);
        let request = AddCheckpoint {
            old,
            proof: proof.unwrap_or_default(),
            checkpoint: self.note(size),
        };
        request.to_string()
    }

    /// Where a witness serves what it cosigned last.
    fn path(&self) -> String {
        format!("/{}/checkpoint", hash::sha256(self.origin.as_bytes()))
    }
}

/// A folder with a witness that knows these logs.
fn witness(logs: &[&Log]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = text(dir.path());
    let init = ["witness", "init", "--plain", "--name", "witness.example/w1"];
    let made = run(&[&init[..], &["--data", &data]].concat());
    assert!(made.status.success(), "{}", complaint(&made));
    for log in logs {
        let vkey = log.vkey().to_string();
        let added = run(&["witness", "add-log", &vkey, "--data", &data]);
        assert!(added.status.success(), "{}", complaint(&added));
    }
    dir
}

fn vkey_of(data: &Path) -> VerifierKey {
    let printed = run(&["witness", "vkey", "--data", &text(data)]);
    assert!(printed.status.success(), "{}", complaint(&printed));
    let printed = String::from_utf8(printed.stdout).unwrap();
    printed.trim_end().parse().unwrap()
}

/// Status, type and body of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Answer(u16, String, String);

/// Asks over connections that are kept.
#[derive(Clone)]
struct Asker {
    agent: Agent,
    base: String,
}

impl Asker {
    fn of(base: &str) -> Asker {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)));
        Asker {
            agent: config.build().new_agent(),
            base: base.to_owned(),
        }
    }

    fn answer(response: ureq::http::Response<ureq::Body>) -> Answer {
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type");
        let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
        Answer(status, kind, response.into_body().read_to_string().unwrap())
    }

    fn try_add(&self, body: &str) -> Result<Answer, ureq::Error> {
        let url = format!("{}/add-checkpoint", self.base);
        self.agent.post(url).send(body).map(Asker::answer)
    }

    fn add(&self, body: &str) -> Answer {
        self.try_add(body).unwrap()
    }

    fn get(&self, path: &str) -> Answer {
        let asked = self.agent.get(format!("{}{path}", self.base));
        Asker::answer(asked.call().unwrap())
    }

    /// The checkpoint that is served of a log, verified by the log's key and the witness's.
    fn served(&self, log: &Log, witness: &VerifierKey) -> Checkpoint {
        let Answer(status, _, body) = self.get(&log.path());
        assert_eq!(status, 200, "{body}");
        let note = Note::decode(body.as_bytes()).unwrap();
        let signed = note.verified(&[log.vkey(), witness.clone()]).unwrap();
        assert_eq!(signed.len(), 2);
        Checkpoint::parse(note.text()).unwrap()
    }
}
