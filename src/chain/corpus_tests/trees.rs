//! Merkle trees and tiles.

use std::path::Path;

use serde_json::Value;

use super::super::checkpoint::Checkpoint;
use super::super::hash::{Hash, leaf_hash};
use super::super::note::{Note, VerifierKey};
use super::super::text::unbase64_exact;
use super::super::tiles::{TileKind, TilePath, decode_bundle, decode_hashes};
use super::super::tree::{
    Tree, consistency_proof, empty_root, inclusion_proof, verify_consistency, verify_inclusion,
};
use super::{Family, hash, hashes, json, list, read};

/// A root or a hash of a proof in base64; one of a wrong length is none.
fn base64_hash(value: &Value) -> Option<Hash> {
    unbase64_exact(value.as_str()?).map(Hash::new)
}

fn base64_proof(case: &Value) -> Option<Vec<Hash>> {
    let proof = case["proof"].as_array().map_or(&[][..], Vec::as_slice);
    proof.iter().map(base64_hash).collect()
}

/// The files of cases whose names begin so, a case each.
fn cases(folder: &Path, prefix: &str) -> Vec<(String, Value)> {
    let folder = folder.join("merkle");
    let files = std::fs::read_dir(&folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let names = names.filter(|name| name.starts_with(prefix));
    names
        .map(|name| (name.clone(), json(&folder, &name)))
        .collect()
}

fn size(case: &Value, field: &str) -> u64 {
    case[field].as_u64().unwrap()
}

pub(super) fn inclusion(folder: &Path) -> Family {
    let cases = cases(folder, "inclusion");
    let mut family = Family::new("proofs of inclusion", "merkle/inclusion*", cases.len());
    for (name, case) in cases {
        let found = (
            base64_hash(&case["leafHash"]),
            base64_proof(&case),
            base64_hash(&case["root"]),
        );
        let verdict = match found {
            (Some(leaf), Some(proof), Some(root)) => {
                let (index, size) = (size(&case, "leafIdx"), size(&case, "treeSize"));
                verify_inclusion(&leaf, index, size, &proof, &root)
            }
            _ => false,
        };
        family.judged(case["wantErr"] != true, verdict, name);
    }
    family
}

pub(super) fn consistency(folder: &Path) -> Family {
    let cases = cases(folder, "consistency");
    let mut family = Family::new("proofs of consistency", "merkle/consistency*", cases.len());
    for (name, case) in cases {
        let found = (
            base64_hash(&case["root1"]),
            base64_hash(&case["root2"]),
            base64_proof(&case),
        );
        let verdict = match found {
            (Some(old), Some(new), Some(proof)) => {
                let (size1, size2) = (size(&case, "size1"), size(&case, "size2"));
                verify_consistency(size1, &old, size2, &new, &proof)
            }
            _ => false,
        };
        family.judged(case["wantErr"] != true, verdict, name);
    }
    family
}

/// The tree of the tests of Certificate Transparency: its roots and proofs are made, and verify.
pub(super) fn reference(folder: &Path) -> Family {
    let file = "merkle/rfc6962_ct_reference_tree.json";
    let all = json(folder, file);
    let lists = ["roots", "inclusion", "consistency"].map(|name| list(&all[name]));
    let there = lists.iter().map(|list| list.len()).sum();
    let mut family = Family::new("RFC 6962, made", file, there);
    let leaves = list(&all["leaves"]).iter().map(data_hash);
    let leaves: Vec<Hash> = leaves.collect();
    let [roots, inclusions, consistencies] = lists;
    for (size, root) in roots.iter().enumerate() {
        let tree: Tree = leaves[..size].iter().copied().collect();
        family.judged(true, tree.root() == hash(root), root);
    }
    for case in inclusions {
        let (index, size) = (size(case, "leaf_index"), size(case, "tree_size"));
        let (leaf, proof, root) = (
            data_hash(&case["leaf"]),
            hashes(&case["proof"]),
            hash(&case["root"]),
        );
        let made = inclusion_proof(leaves.as_slice(), index, size);
        let verdict = verify_inclusion(&leaf, index, size, &proof, &root);
        family.judged(true, verdict && made.as_ref() == Ok(&proof), case);
    }
    for case in consistencies {
        let (old, new) = (size(case, "old"), size(case, "new"));
        let (from, to) = (hash(&case["old_root"]), hash(&case["new_root"]));
        let proof = hashes(&case["proof"]);
        let made = consistency_proof(leaves.as_slice(), old, new);
        let verdict = verify_consistency(old, &from, new, &to, &proof);
        family.judged(true, verdict && made.as_ref() == Ok(&proof), case);
    }
    family
}

/// The hash of a leaf in hex.
fn data_hash(data: &Value) -> Hash {
    leaf_hash(&hex::decode(data.as_str().unwrap()).unwrap())
}

/// A log at each of its sizes: its checkpoint opens, and its tiles and entries give the root.
pub(super) fn of_another_implementation(folder: &Path) -> Family {
    let folder = folder.join("tlog-tessera");
    let keys = String::from_utf8(read(&folder, "KEYS.txt")).unwrap();
    let after = |name: &str| {
        keys.lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap()
    };
    let key: VerifierKey = after("vkey ").parse().unwrap();
    let entries: Vec<&str> = after("entries ").split(' ').collect();
    let files = std::fs::read_dir(&folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let there = names.filter(|name| name.starts_with("checkpoint.")).count();
    let mut family = Family::new(
        "a log of Tessera",
        "tlog-tessera/checkpoint.*, tile/*",
        there,
    );
    for size in 0..=entries.len() {
        let note = Note::decode(&read(&folder, &format!("checkpoint.{size}"))).unwrap();
        let checkpoint = Checkpoint::open(&note, &key).unwrap();
        let root = tree_root(&folder, &entries[..size]);
        let size = u64::try_from(size).unwrap();
        let verdict = root.is_some_and(|root| (checkpoint.size, checkpoint.root) == (size, root));
        family.judged(true, verdict, size);
    }
    family
}

/// The root of these entries, where the tiles of their tree hold them and their hashes.
fn tree_root(folder: &Path, entries: &[&str]) -> Option<Hash> {
    let size = u64::try_from(entries.len()).unwrap();
    let tile = |kind| TilePath::within(kind, 0, size).map(|path| read(folder, &path.to_string()));
    let Some((bundle, hashes)) = tile(TileKind::Entries).zip(tile(TileKind::Hashes(0))) else {
        return Some(empty_root());
    };
    let found = decode_bundle(&bundle)?;
    let leaves: Vec<Hash> = found.iter().map(|entry| leaf_hash(entry)).collect();
    let are_those = found
        .iter()
        .map(|entry| Some(*entry))
        .eq(entries.iter().map(|entry| Some(entry.as_bytes())));
    (are_those && decode_hashes(&hashes)? == leaves)
        .then(|| leaves.into_iter().collect::<Tree>().root())
}
