//! A small ledger, its receipts, tiles and export; then every way to damage them.

use std::collections::BTreeMap;
use std::io;

use crate::chain::cosignature::cosign;
use crate::chain::note::KeyKind;
use crate::chain::pae::OP_TYPE;
use crate::chain::tiles::{TileKind, TilePath, encode_bundle, encode_hashes, levels_within};
use crate::chain::tree::{Node, Nodes as _, inclusion_proof};
use crate::chain::{
    Checkpoint, Entry, Envelope, Hash, Line, Note, SigningKey, TlogProof, Tree, VerifierKey,
};

use super::*;

mod export;
mod flips;
mod receipt;
mod rekey;
mod tiles;

pub(super) const ORIGIN: &str = "ledger.example/receivables";
/// 2026-11-23T07:22:22.123Z.
const START_MS: i64 = 1_795_418_542_123;
/// A minute after the first entries.
pub(super) const SEEN_S: u64 = 1_795_418_602;

pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

/// What one of the parties asks of a ledger.
pub(super) fn payload(ledger: &str, n: u64) -> String {
    format!(
        "{{\"ledger\":\"{ledger}\",\"op\":\"test.vector\",\"party\":\"x:tester\",\"nonce\":\"{n:032x}\",\"not_after\":\"2026-11-24T00:00:00Z\",\"body\":{{\"text\":\"a \\\"q\\\" é 链\"}}}}"
    )
}

/// Entry `n` after `prev`, of two keys, `n` milliseconds after the first.
pub(super) fn entry(n: u64, prev: Hash, payload: &str) -> Line {
    entry_by(&[3, 4], n, prev, payload)
}

/// The same of other keys.
pub(super) fn entry_by(signers: &[u8], n: u64, prev: Hash, payload: &str) -> Line {
    let mut envelope = Envelope::new(OP_TYPE, payload).unwrap();
    for seed in signers {
        envelope.sign(&key(*seed)).unwrap();
    }
    let entry = Entry::new(n, START_MS + n as i64, prev, envelope).unwrap();
    entry.encode()
}

/// A ledger's first lines.
pub(super) fn lines(count: u64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for n in 0..count {
        let prev = lines.last().map_or(Hash::ZERO, |line| *line.leaf());
        lines.push(entry(n, prev, &payload(ORIGIN, n)));
    }
    lines
}

pub(super) fn leaves(lines: &[Line]) -> Vec<Hash> {
    lines.iter().map(|line| *line.leaf()).collect()
}

/// The checkpoint over these leaves, cosigned by the first witness a minute after the first entry.
pub(super) fn checkpoint(leaves: &[Hash]) -> Note {
    let tree: Tree = leaves.iter().copied().collect();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: tree.size(),
        root: tree.root(),
    };
    let mut note = checkpoint.sign(&[&key(1)]).unwrap();
    note.add(cosign(&note, "witness.example/w1", &key(2), SEEN_S).unwrap());
    note
}

/// The log, and a witness that must have cosigned.
pub(super) fn policy() -> String {
    let log = VerifierKey::of(ORIGIN, KeyKind::Ed25519, &key(1)).unwrap();
    let w1 = VerifierKey::of("witness.example/w1", KeyKind::CosignatureV1, &key(2)).unwrap();
    format!("log {log}\nwitness w1 {w1}\nquorum w1\n")
}

pub(super) fn receipt(lines: &[Line], n: u64) -> Receipt {
    let leaves = leaves(lines);
    let proof = TlogProof {
        extra: None,
        index: n,
        hashes: inclusion_proof(leaves.as_slice(), n, leaves.len() as u64).unwrap(),
        checkpoint: checkpoint(&leaves),
    };
    Receipt::new(&lines[n as usize], proof)
}

/// A folder in memory.
#[derive(Clone, Default)]
pub(super) struct InMemory(pub(super) BTreeMap<String, Vec<u8>>);

impl Files for InMemory {
    fn len(&self, path: &str) -> io::Result<Option<u64>> {
        Ok(self.0.get(path).map(|bytes| bytes.len() as u64))
    }

    fn read(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let bytes = self.0.get(path);
        Ok(bytes.map(|bytes| bytes[..bytes.len().min(most as usize)].to_vec()))
    }
}

/// The tiles of a tree and its checkpoint, without entries.
pub(super) fn tiles(leaves: &[Hash]) -> InMemory {
    let size = leaves.len() as u64;
    let mut files = InMemory::default();
    for level in 0..levels_within(size) {
        let paths = (0..).map_while(|n| TilePath::within(TileKind::Hashes(level), n, size));
        for path in paths {
            let first = path.index() * 256;
            let node = |index| Node {
                level: level * 8,
                index,
            };
            let hashes = (first..first + u64::from(path.width())).map(node);
            let hashes: Vec<Hash> = hashes.map(|node| leaves.hash(node).unwrap()).collect();
            files.0.insert(path.to_string(), encode_hashes(&hashes));
        }
    }
    let note = checkpoint(leaves).encode();
    files.0.insert("checkpoint".to_owned(), note.into_bytes());
    files
}

/// The same with the entries.
pub(super) fn tiles_with_entries(lines: &[Line]) -> InMemory {
    let mut files = tiles(&leaves(lines));
    for (n, lines_of_it) in (0..).zip(lines.chunks(256)) {
        let path = TilePath::within(TileKind::Entries, n, lines.len() as u64).unwrap();
        let bundle = encode_bundle(lines_of_it.iter().map(Line::bytes)).unwrap();
        files.0.insert(path.to_string(), bundle);
    }
    files
}

pub(super) fn export_of(lines: &[Line]) -> Vec<u8> {
    let lines = lines.iter().map(|line| [line.bytes(), b"\n"].concat());
    lines.collect::<Vec<_>>().concat()
}

/// The code of the step that failed, after good ones and before those that were not reached; empty where all are good.
pub(super) fn failed(report: &Report) -> &'static str {
    let mut steps = report.steps().iter();
    let failed = steps.find(|step| !matches!(step.outcome, Outcome::Good(_)));
    assert!(
        steps.all(|step| step.outcome == Outcome::NotReached),
        "{report:#?}"
    );
    failed.map_or("", |step| {
        assert_eq!(
            report.failed().map(|(step, _)| step),
            Some(step),
            "{report:#?}"
        );
        step.code
    })
}

/// Why it failed.
pub(super) fn why(report: &Report) -> &str {
    report.failed().map_or("", |(_, why)| why)
}

/// What a step found; of a report in which it is good.
pub(super) fn found<'a>(report: &'a Report, code: &str) -> &'a str {
    let step = report.steps().iter().find(|step| step.code == code);
    match &step
        .unwrap_or_else(|| panic!("{code}: {report:#?}"))
        .outcome
    {
        Outcome::Good(found) => found,
        other => panic!("{code}: {other:?}"),
    }
}
