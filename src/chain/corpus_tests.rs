//! The published vectors of others, found through `COUNTERFOIL_CORPUS`; each test says so when it skips.

use std::path::PathBuf;

use serde_json::Value;

use super::checkpoint::Checkpoint;
use super::hash::{Hash, leaf_hash};
use super::keys::{PublicKey, Signature, SigningKey};
use super::note::{Note, VerifierKey};
use super::text::{unbase64, unbase64_exact, unhex};
use super::tiles::{TileKind, TilePath, decode_bundle, decode_hashes};
use super::tree::{Tree, empty_root, verify_consistency, verify_inclusion};
// What is asked of it is asked of `verify` and of a verifier with and without a table; they must agree.
use super::verifier::tests::verdict as verify;

fn vectors(folder: &str) -> Option<PathBuf> {
    let corpus = std::env::var_os("COUNTERFOIL_CORPUS");
    if corpus.is_none() {
        eprintln!("skipped: COUNTERFOIL_CORPUS is not set");
    }
    Some(PathBuf::from(corpus?).join("vectors").join(folder))
}

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

/// Root or proof element of a Merkle vector; one of a wrong length is none.
fn hash(value: &Value) -> Option<Hash> {
    unbase64_exact(value.as_str()?).map(Hash::new)
}

fn proof(case: &Value) -> Option<Vec<Hash>> {
    case["proof"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(hash)
        .collect()
}

#[test]
fn cctv_ed25519_verdicts_are_those_of_verify_strict() {
    let Some(folder) = vectors("ed25519") else {
        return;
    };
    let cases = json(folder.join("cctv_ed25519vectors.json"));
    let mut accepted = 0;
    for case in cases.as_array().unwrap() {
        let (key, sig) = (
            unhex(text(case, "key")).unwrap(),
            unhex(text(case, "sig")).unwrap(),
        );
        let message = text(case, "msg").as_bytes();
        let verdict = verify(&PublicKey::new(key), message, &Signature::new(sig));
        let strict = ed25519_dalek::VerifyingKey::from_bytes(&key)
            .and_then(|k| k.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&sig)));
        assert_eq!(verdict, strict.is_ok(), "{case}");
        let flags = case["flags"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let flagged = |flag: &str| flags.iter().any(|f| f == flag);
        let excluded = [
            "low_order_A",
            "low_order_R",
            "non_canonical_R",
            "low_order_residue",
        ];
        assert!(!verdict || !excluded.into_iter().any(flagged), "{case}");
        if ["low_order_A", "low_order_component_A", "non_canonical_A"]
            .into_iter()
            .any(flagged)
        {
            assert!(PublicKey::admit(key).is_err(), "{case}");
        }
        accepted += usize::from(verdict);
    }
    assert_eq!((cases.as_array().unwrap().len(), accepted), (914, 43));
}

#[test]
fn wycheproof_ed25519() {
    let Some(folder) = vectors("ed25519") else {
        return;
    };
    let file = json(folder.join("wycheproof_ed25519_test.json"));
    let mut count = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = PublicKey::admit(unhex(text(&group["publicKey"], "pk")).unwrap()).unwrap();
        for case in group["tests"].as_array().unwrap() {
            let message = hex::decode(text(case, "msg")).unwrap();
            let verdict = unhex(text(case, "sig"))
                .is_some_and(|sig| verify(&key, &message, &Signature::new(sig)));
            assert_eq!(verdict, case["result"] == "valid", "{case}");
            count += 1;
        }
    }
    assert_eq!(file["numberOfTests"], count);
}

#[test]
fn rfc_8032_signatures() {
    let Some(folder) = vectors("ed25519") else {
        return;
    };
    for case in json(folder.join("rfc8032_7.1.json")).as_array().unwrap() {
        let key = SigningKey::from_seed(&unhex(text(case, "secret")).unwrap());
        assert_eq!(key.public_key().to_string(), text(case, "public"));
        let signature = key.sign(&hex::decode(text(case, "message")).unwrap());
        assert_eq!(hex::encode(signature.as_bytes()), text(case, "signature"));
    }
}

#[test]
fn dsse_signatures() {
    let Some(folder) = vectors("dsse") else {
        return;
    };
    for case in json(folder.join("ed25519.json")).as_array().unwrap() {
        let envelope = &case["envelope"];
        let key = PublicKey::new(unhex(text(case, "public")).unwrap());
        let payload = unbase64(text(envelope, "payload")).unwrap();
        let message = super::pae::pae(text(envelope, "payloadType"), &payload);
        if let Some(expected) = case["pae_hex"].as_str() {
            assert_eq!(hex::encode(&message), expected);
        }
        let sig = envelope["signatures"][0]["sig"]
            .as_str()
            .and_then(|sig| sig.parse().ok());
        let verdict = sig.is_some_and(|sig| verify(&key, &message, &sig));
        assert_eq!(verdict, case["ok"] == true, "{case}");
    }
}

#[test]
fn merkle_proofs() {
    let Some(folder) = vectors("merkle") else {
        return;
    };
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let case = json(path.clone());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let size = |field: &str| case[field].as_u64().unwrap();
        let verdict = if name.starts_with("inclusion") {
            match (hash(&case["leafHash"]), proof(&case), hash(&case["root"])) {
                (Some(leaf), Some(proof), Some(root)) => {
                    verify_inclusion(&leaf, size("leafIdx"), size("treeSize"), &proof, &root)
                }
                _ => false,
            }
        } else if name.starts_with("consistency") {
            match (hash(&case["root1"]), hash(&case["root2"]), proof(&case)) {
                (Some(old), Some(new), Some(proof)) => {
                    verify_consistency(size("size1"), &old, size("size2"), &new, &proof)
                }
                _ => false,
            }
        } else {
            continue;
        };
        assert_eq!(verdict, case["wantErr"] != true, "{name}");
        count += 1;
    }
    assert!(count > 70, "only {count} cases found");
}

#[test]
fn signed_notes_and_checkpoint_bodies() {
    let Some(folder) = vectors("note") else {
        return;
    };
    let file = json(folder.join("signed_note.json"));
    let key: VerifierKey = text(&file, "vkey").parse().unwrap();
    let verdict = |note: &str| {
        Note::decode(note.as_bytes()).is_ok_and(|n| n.verified(std::slice::from_ref(&key)).is_ok())
    };
    for note in file["valid"].as_array().unwrap() {
        assert!(verdict(note.as_str().unwrap()), "{note}");
    }
    for case in file["invalid"].as_array().unwrap() {
        assert!(!verdict(text(case, "note")), "{case}");
    }
    for case in json(folder.join("checkpoint_body_cases.json"))
        .as_array()
        .unwrap()
    {
        assert_eq!(
            Checkpoint::parse(text(case, "body")).is_ok(),
            case["ok"] == true,
            "{case}"
        );
    }
}

#[test]
fn log_of_another_implementation_verifies() {
    let Some(folder) = vectors("tlog-tessera") else {
        return;
    };
    let keys = std::fs::read_to_string(folder.join("KEYS.txt")).unwrap();
    let key: VerifierKey = keys
        .lines()
        .next()
        .unwrap()
        .strip_prefix("vkey ")
        .unwrap()
        .parse()
        .unwrap();
    let read = |kind, size| {
        std::fs::read(folder.join(TilePath::within(kind, 0, size).unwrap().to_string())).unwrap()
    };
    for size in 1..=15 {
        let note = Note::decode(&std::fs::read(folder.join(format!("checkpoint.{size}"))).unwrap())
            .unwrap();
        let checkpoint = Checkpoint::open(&note, &key).unwrap();
        let bundle = read(TileKind::Entries, size);
        let leaves: Vec<Hash> = decode_bundle(&bundle)
            .unwrap()
            .into_iter()
            .map(leaf_hash)
            .collect();
        assert_eq!(
            decode_hashes(&read(TileKind::Hashes(0), size)).unwrap(),
            leaves
        );
        let tree: Tree = leaves.into_iter().collect();
        assert_eq!((checkpoint.size, checkpoint.root), (size, tree.root()));
    }
    let empty = Note::decode(&std::fs::read(folder.join("checkpoint.0")).unwrap()).unwrap();
    assert_eq!(Checkpoint::open(&empty, &key).unwrap().root, empty_root());
}
