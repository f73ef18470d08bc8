//! The vectors of `contracts/FORMAT.md`, made by this code and kept in `contracts/vectors/format.json`.
//!
//! A change of any byte format fails here. To write the file anew, which is a new format and not a repair:
//! `COUNTERFOIL_WRITE_VECTORS=1 cargo test --test it vectors`.

mod forms;
mod ledger;
mod operations;
mod signatures;
mod spellings;

use serde::Serialize;

use counterfoil::chain::cosignature::cosign;
use counterfoil::chain::hash::{leaf_hash, sha256};
use counterfoil::chain::note::KeyKind;
use counterfoil::chain::pae::OP_TYPE;
use counterfoil::chain::tiles::{TileKind, TilePath, encode_bundle, encode_hashes};
use counterfoil::chain::tree::{consistency_proof, empty_root, inclusion_proof};
use counterfoil::chain::{
    Checkpoint, Entry, Envelope, Hash, Policy, SigningKey, TlogProof, Tree, VerifierKey,
};
use counterfoil::proof::check_receipt;

/// Where the vectors are kept.
pub(crate) const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contracts/vectors/format.json");

/// The key of a seed of 32 times one byte.
fn key(byte: u8) -> SigningKey {
    SigningKey::from_seed(&[byte; 32])
}

#[derive(Serialize)]
struct Vectors {
    about: &'static str,
    entry: EntryVector,
    ledger: ledger::LedgerVector,
    log: LogVector,
    forms: forms::Forms,
    signatures: Vec<signatures::SignatureVector>,
}

/// One entry outside any ledger, which exercises every escape.
#[derive(Serialize)]
struct EntryVector {
    seed: String,
    n: u64,
    time: &'static str,
    payload: &'static str,
    pae: String,
    op_id: String,
    envelope: String,
    line: String,
    leaf: String,
}

/// A tree over three texts, its checkpoint, proofs and tiles.
#[derive(Serialize)]
struct LogVector {
    entries: [&'static str; 3],
    leaves: Vec<String>,
    empty_root: String,
    roots: Vec<String>,
    seed: String,
    vkey: String,
    witness_seed: String,
    witness_vkey: String,
    witness_time: u64,
    checkpoint: String,
    inclusion_of_1_in_3: Vec<String>,
    consistency_of_2_and_3: Vec<String>,
    hash_tile: Tile,
    entry_tile: Tile,
    policy: String,
    proof_of_1_in_3: String,
}

#[derive(Serialize)]
struct Tile {
    path: String,
    content: String,
}

fn entry() -> EntryVector {
    let payload = "{\"ledger\":\"ledger.example/receivables\",\"op\":\"test.vector\",\"party\":\"x:tester\",\"nonce\":\"000102030405060708090a0b0c0d0e0f\",\"not_after\":\"2026-11-24T00:00:00Z\",\"body\":{\"text\":\"a/b \\\"q\\\" \\\\ é 链\u{2028}\u{7f}\\t\"}}";
    let mut envelope = Envelope::new(OP_TYPE, payload).unwrap();
    envelope.sign(&key(3)).unwrap();
    let entry = Entry::new(0, 1_795_418_542_123, Hash::ZERO, envelope.clone()).unwrap();
    let line = entry.encode();
    EntryVector {
        seed: hex::encode([3; 32]),
        n: 0,
        time: "2026-11-23T07:22:22.123Z",
        payload,
        pae: hex::encode(envelope.signed_bytes()),
        op_id: envelope.op_id().to_string(),
        envelope: String::from_utf8(envelope.encode()).unwrap(),
        line: String::from_utf8(line.bytes().to_vec()).unwrap(),
        leaf: line.leaf().to_string(),
    }
}

fn log() -> LogVector {
    const ORIGIN: &str = "ledger.example/receivables";
    const WITNESS: &str = "witness.example/w1";
    let entries = ["alpha", "beta", "gamma"];
    let leaves: Vec<Hash> = entries.iter().map(|e| leaf_hash(e.as_bytes())).collect();
    let roots = (1..=3).map(|size| leaves.iter().copied().take(size).collect::<Tree>().root());
    let roots: Vec<Hash> = roots.collect();
    let (ledger, witness) = (key(1), key(2));
    let vkey = |name, kind, key: &SigningKey| {
        VerifierKey::new(name, kind, key.public_key())
            .unwrap()
            .to_string()
    };
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 3,
        root: roots[2],
    };
    let mut note = checkpoint.sign(&[&ledger]).unwrap();
    note.add(cosign(&note, WITNESS, &witness, 1_700_000_000).unwrap());
    let texts = |hashes: &[Hash]| hashes.iter().map(Hash::to_string).collect();
    let vkey_of = (
        vkey(ORIGIN, KeyKind::Ed25519, &ledger),
        vkey(WITNESS, KeyKind::CosignatureV1, &witness),
    );
    let proof = TlogProof {
        extra: None,
        index: 1,
        hashes: inclusion_proof(&leaves[..], 1, 3).unwrap(),
        checkpoint: note.clone(),
    };
    let tile = |kind, content: Vec<u8>| Tile {
        path: TilePath::within(kind, 0, 3).unwrap().to_string(),
        content: hex::encode(content),
    };
    LogVector {
        entries,
        leaves: texts(&leaves),
        empty_root: empty_root().to_string(),
        roots: texts(&roots),
        seed: hex::encode([1; 32]),
        vkey: vkey_of.0.clone(),
        witness_seed: hex::encode([2; 32]),
        witness_vkey: vkey_of.1.clone(),
        witness_time: 1_700_000_000,
        checkpoint: note.encode(),
        consistency_of_2_and_3: texts(&consistency_proof(&leaves[..], 2, 3).unwrap()),
        hash_tile: tile(TileKind::Hashes(0), encode_hashes(&leaves)),
        entry_tile: tile(
            TileKind::Entries,
            encode_bundle(entries.iter().map(|e| e.as_bytes())).unwrap(),
        ),
        policy: format!("log {}\nwitness w1 {}\nquorum w1\n", vkey_of.0, vkey_of.1),
        inclusion_of_1_in_3: texts(&proof.hashes),
        proof_of_1_in_3: proof.to_string(),
    }
}

/// What a stranger does with the policy and the proof.
#[test]
fn the_proof_of_the_vectors_verifies_under_their_policy() {
    let log = log();
    let policy = Policy::parse(log.policy.as_bytes()).unwrap();
    assert_eq!(policy.encode(), log.policy.as_bytes());
    let proof = TlogProof::decode(log.proof_of_1_in_3.as_bytes()).unwrap();
    let witnessed = policy.check(&proof.checkpoint).unwrap();
    let [cosigned] = witnessed.cosignatures.as_slice() else {
        panic!("{witnessed:?}");
    };
    assert_eq!(cosigned.name.to_string(), "w1");
    assert_eq!(cosigned.time_s, log.witness_time);
    let Checkpoint { size, root, .. } = witnessed.checkpoint;
    assert!(proof.proves(&log.leaves[1].parse().unwrap(), size, &root));
}

/// The receipt of the ledger among the vectors is good, and no longer when a byte of it is changed.
#[test]
fn the_receipt_of_the_vectors_verifies_under_their_policy() {
    let ledger = ledger::vector();
    let (receipt, policy) = (ledger.receipt.as_bytes(), ledger.policy.as_bytes());
    let report = check_receipt(receipt, policy);
    assert_eq!(report.failed(), None, "{report:#?}");
    for at in 0..receipt.len() {
        let mut changed = receipt.to_vec();
        changed[at] ^= 1 << (at % 8);
        let report = check_receipt(&changed, policy);
        assert!(report.failed().is_some(), "byte {at}");
    }
}

fn vectors() -> String {
    let vectors = Vectors {
        about: "Vectors of FORMAT.md. Bytes are in lower-case hex; a seed is an ed25519 private key of RFC 8032.",
        entry: entry(),
        ledger: ledger::vector(),
        log: log(),
        forms: forms::forms(),
        signatures: signatures::vectors(),
    };
    serde_json::to_string_pretty(&vectors).unwrap() + "\n"
}

#[test]
fn the_formats_are_those_of_the_published_vectors() {
    let made = vectors();
    if std::env::var_os("COUNTERFOIL_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, &made).unwrap();
    }
    let kept = std::fs::read_to_string(FILE).unwrap();
    let changed = made
        .lines()
        .zip(kept.lines())
        .find(|(made, kept)| made != kept);
    assert!(
        made == kept,
        "a byte format changed; first difference, made and kept: {changed:#?}"
    );
}

/// Every hash, key and id that the document quotes is one of the vectors' or one of the few constants named here.
#[test]
fn the_document_quotes_the_vectors() {
    let document = include_str!("../../contracts/FORMAT.md");
    let kept = std::fs::read_to_string(FILE).unwrap();
    let constants = ["0".repeat(64), sha256(b"").to_string()];
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let quoted: Vec<&str> = document
        .split(word)
        .filter(|word| {
            let hex = word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
            let id = word.len() == 30 && word.as_bytes()[3] == b'_';
            hex || id
        })
        .collect();
    assert!(quoted.len() > 10, "the document quotes vectors: {quoted:?}");
    for word in quoted {
        let known = kept.contains(word) || constants.iter().any(|constant| constant == word);
        assert!(known, "FORMAT.md quotes {word}, which is no vector");
    }
}
