//! Logs that sign what a test wants, and a witness of them.

use tempfile::TempDir;

use super::{Witness, add_log, init, open};
use crate::chain::hash::leaf_hash;
use crate::chain::note::KeyKind;
use crate::chain::tree::consistency_proof;
use crate::chain::{AddCheckpoint, Checkpoint, Hash, SigningKey, Tree, VerifierKey};

/// The time of the vectors.
pub(super) const NOW_S: u64 = 1_700_000_000;

/// A log with one history, signed by the key of a seed.
#[derive(Debug, Clone)]
pub(super) struct TestLog {
    pub(super) origin: String,
    pub(super) seed: u8,
    pub(super) leaves: Vec<Hash>,
}

impl TestLog {
    /// One of so many leaves.
    pub(super) fn new(origin: &str, seed: u8, leaves: u64) -> TestLog {
        TestLog {
            origin: origin.to_owned(),
            seed,
            leaves: (0..leaves).map(|n| leaf_hash(&n.to_be_bytes())).collect(),
        }
    }

    /// That of the vectors: three leaves.
    pub(super) fn of_the_vectors() -> TestLog {
        let leaves = [b"alpha".as_slice(), b"beta", b"gamma"];
        TestLog {
            leaves: leaves.map(leaf_hash).to_vec(),
            ..TestLog::new("ledger.example/receivables", 1, 0)
        }
    }

    /// The same log with another history from leaf `from` on.
    pub(super) fn forked(&self, from: usize) -> TestLog {
        let mut fork = self.clone();
        for leaf in &mut fork.leaves[from..] {
            *leaf = leaf_hash(leaf.as_bytes());
        }
        fork
    }

    pub(super) fn key(&self) -> SigningKey {
        SigningKey::from_seed(&[self.seed; 32])
    }

    pub(super) fn vkey(&self) -> VerifierKey {
        VerifierKey::of(&self.origin, KeyKind::Ed25519, &self.key()).unwrap()
    }

    pub(super) fn checkpoint(&self, size: u64) -> Checkpoint {
        let leaves = &self.leaves[..usize::try_from(size).unwrap()];
        Checkpoint {
            origin: self.origin.clone(),
            size,
            root: leaves.iter().copied().collect::<Tree>().root(),
        }
    }

    /// An honest request from `old` to `size`; where there is no proof, without one.
    pub(super) fn request(&self, old: u64, size: u64) -> AddCheckpoint {
        let proof = consistency_proof(self.leaves.as_slice(), old, size);
        AddCheckpoint {
            old,
            proof: proof.unwrap_or_default(),
            checkpoint: self.checkpoint(size).sign(&[&self.key()]).unwrap(),
        }
    }

    pub(super) fn body(&self, old: u64, size: u64) -> Vec<u8> {
        self.request(old, size).to_string().into_bytes()
    }
}

/// A folder with a witness that knows these logs.
pub(super) fn folder(logs: &[&TestLog]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    init(dir.path(), "witness.example/w1", None).unwrap();
    for log in logs {
        assert!(add_log(dir.path(), &log.vkey()).unwrap());
    }
    dir
}

pub(super) fn opened(dir: &TempDir) -> Witness {
    open(dir.path(), || None).unwrap()
}
