//! The golden vectors of the verifiable log, as this project keeps them: every text and hash is made from the seeds, and read.

use serde_json::Value;

use super::super::cosignature::cosign;
use super::super::hash::{Hash, leaf_hash};
use super::super::note::{KeyKind, VerifierKey};
use super::super::text::unhex;
use super::super::tiles::{TileKind, TilePath, encode_bundle, encode_hashes};
use super::super::tree::{
    Tree, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};
use super::super::{AddCheckpoint, Checkpoint, Note, Policy, SigningKey, TlogProof};
use super::{Family, hash, hashes, list, text};

const FILE: &str = "contracts/vectors/format.json";
const LOG: &str = "ledger.example/receivables";
const WITNESS: &str = "witness.example/w1";

/// What is made, and whether it is as it is kept.
type Made = Vec<(&'static str, bool)>;

pub(super) fn golden() -> Family {
    let all = include_str!("../../../contracts/vectors/format.json");
    let all: Value = serde_json::from_str(all).unwrap();
    let log = &all["log"];
    let entries = list(&log["entries"]).iter().map(|e| e.as_str().unwrap());
    let entries: Vec<&[u8]> = entries.map(str::as_bytes).collect();
    let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let made = [
        tiles(log, &entries, &leaves),
        trees(log, &leaves),
        notes(log, &leaves),
    ]
    .concat();
    // All but what the rest is made of, and a request to a witness, which follows from it.
    let sources = ["entries", "seed", "witness_seed", "witness_time"];
    let there = log.as_object().unwrap().len() - sources.len() + 1;
    let mut family = Family::new("C2SP, made and read", FILE, there);
    for (what, is_so) in made {
        family.judged(true, is_so, what);
    }
    family
}

fn tiles(log: &Value, entries: &[&[u8]], leaves: &[Hash]) -> Made {
    let is_tile = |name: &str, kind, content: Vec<u8>| {
        let path = TilePath::within(kind, 0, 3).unwrap().to_string();
        text(&log[name], "path") == path && text(&log[name], "content") == hex::encode(content)
    };
    let bundle = encode_bundle(entries.iter().copied()).unwrap();
    vec![
        ("leaves", leaves == hashes(&log["leaves"])),
        (
            "hash tile",
            is_tile("hash_tile", TileKind::Hashes(0), encode_hashes(leaves)),
        ),
        (
            "entry tile",
            is_tile("entry_tile", TileKind::Entries, bundle),
        ),
    ]
}

fn trees(log: &Value, leaves: &[Hash]) -> Made {
    let roots = (1..=3).map(|size| root(&leaves[..size]));
    let roots: Vec<Hash> = roots.collect();
    let inclusion = inclusion_proof(leaves, 1, 3).unwrap();
    let consistency = consistency_proof(leaves, 2, 3).unwrap();
    let included = verify_inclusion(&leaves[1], 1, 3, &inclusion, &roots[2]);
    let consistent = verify_consistency(2, &roots[1], 3, &roots[2], &consistency);
    vec![
        ("empty root", root(&[]) == hash(&log["empty_root"])),
        ("roots", roots == hashes(&log["roots"])),
        (
            "inclusion",
            included && inclusion == hashes(&log["inclusion_of_1_in_3"]),
        ),
        (
            "consistency",
            consistent && consistency == hashes(&log["consistency_of_2_and_3"]),
        ),
    ]
}

fn notes(log: &Value, leaves: &[Hash]) -> Made {
    let seeds = ["seed", "witness_seed"].map(|seed| unhex(text(log, seed)).unwrap());
    let [key, witness] = seeds.map(|seed| SigningKey::from_seed(&seed));
    let vkey = VerifierKey::of(LOG, KeyKind::Ed25519, &key).unwrap();
    let witness_vkey = VerifierKey::of(WITNESS, KeyKind::CosignatureV1, &witness).unwrap();
    let checkpoint = Checkpoint {
        origin: LOG.to_owned(),
        size: 3,
        root: root(leaves),
    };
    let mut note = checkpoint.sign(&[&key]).unwrap();
    let time_s = log["witness_time"].as_u64().unwrap();
    note.add(cosign(&note, WITNESS, &witness, time_s).unwrap());
    let policy = Policy::parse(text(log, "policy").as_bytes()).unwrap();
    vec![
        ("vkey", vkey.to_string() == text(log, "vkey")),
        (
            "witness's vkey",
            witness_vkey.to_string() == text(log, "witness_vkey"),
        ),
        ("checkpoint", note.encode() == text(log, "checkpoint")),
        ("policy", policy.check(&note).is_ok()),
        (
            "proof",
            is_proof(text(log, "proof_of_1_in_3"), &leaves[1], &checkpoint),
        ),
        ("add-checkpoint", is_request(leaves, &note)),
    ]
}

fn root(leaves: &[Hash]) -> Hash {
    leaves.iter().copied().collect::<Tree>().root()
}

/// "add-checkpoint 2→3 begins `old 2`" and its proof.
fn is_request(leaves: &[Hash], checkpoint: &Note) -> bool {
    let request = AddCheckpoint {
        old: 2,
        proof: consistency_proof(leaves, 2, 3).unwrap(),
        checkpoint: checkpoint.clone(),
    };
    let request = request.to_string();
    let begins = "old 2\nTHnQ1i989cqIdBVfLTuHXyYl2iuzq8hrvWgz8lupDlE=\n\n";
    request.starts_with(begins) && AddCheckpoint::decode(request.as_bytes()).is_ok()
}

fn is_proof(proof: &str, leaf: &Hash, checkpoint: &Checkpoint) -> bool {
    let read = TlogProof::decode(proof.as_bytes()).unwrap();
    read.to_string() == proof && read.proves(leaf, checkpoint.size, &checkpoint.root)
}
