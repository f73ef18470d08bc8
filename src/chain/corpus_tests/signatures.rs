//! Signatures of ed25519, and DSSE.

use std::path::Path;

use super::super::keys::{PublicKey, Signature, SigningKey};
use super::super::pae::pae;
use super::super::text::{unbase64, unhex};
// What is asked of it is asked of `verify` and of a verifier with and without a table; they must agree.
use super::super::verifier::tests::verdict as verify;
use super::{Family, json, list, text};

/// What `verify_strict` says is expected: the files have flags, not verdicts, and what a flag rules out is checked beside it.
pub(super) fn cctv(folder: &Path) -> Family {
    let file = "ed25519/cctv_ed25519vectors.json";
    let cases = json(folder, file);
    let mut family = Family::new("CCTV ed25519", file, list(&cases).len());
    for case in list(&cases) {
        let (key, sig) = (
            unhex(text(case, "key")).unwrap(),
            unhex(text(case, "sig")).unwrap(),
        );
        let message = text(case, "msg").as_bytes();
        let verdict = verify(&PublicKey::new(key), message, &Signature::new(sig));
        let strict = ed25519_dalek::VerifyingKey::from_bytes(&key)
            .and_then(|k| k.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&sig)));
        family.judged(strict.is_ok(), verdict, case);
        let flags = case["flags"].as_array().map_or(&[][..], Vec::as_slice);
        let flagged = |any: &[&str]| flags.iter().any(|f| any.iter().any(|flag| f == flag));
        let excluded = [
            "low_order_A",
            "low_order_R",
            "non_canonical_R",
            "low_order_residue",
        ];
        assert!(!verdict || !flagged(&excluded), "{case}");
        if flagged(&["low_order_A", "low_order_component_A", "non_canonical_A"]) {
            assert!(PublicKey::admit(key).is_err(), "{case}");
        }
    }
    assert_eq!((family.there, family.accepted), (914, 43));
    family
}

pub(super) fn wycheproof(folder: &Path) -> Family {
    let file = "ed25519/wycheproof_ed25519_test.json";
    let all = json(folder, file);
    let there = all["numberOfTests"].as_u64().unwrap();
    let mut family = Family::new("Wycheproof ed25519", file, usize::try_from(there).unwrap());
    for group in list(&all["testGroups"]) {
        let key = PublicKey::admit(unhex(text(&group["publicKey"], "pk")).unwrap()).unwrap();
        for case in list(&group["tests"]) {
            let message = hex::decode(text(case, "msg")).unwrap();
            let verdict = unhex(text(case, "sig"))
                .is_some_and(|sig| verify(&key, &message, &Signature::new(sig)));
            family.judged(case["result"] == "valid", verdict, case);
        }
    }
    family
}

/// Keys and signatures are made as they are there.
pub(super) fn rfc_8032(folder: &Path) -> Family {
    let file = "ed25519/rfc8032_7.1.json";
    let cases = json(folder, file);
    let mut family = Family::new("RFC 8032, made", file, list(&cases).len());
    for case in list(&cases) {
        let key = SigningKey::from_seed(&unhex(text(case, "secret")).unwrap());
        let signature = key.sign(&hex::decode(text(case, "message")).unwrap());
        let made = key.public_key().to_string() == text(case, "public")
            && hex::encode(signature.as_bytes()) == text(case, "signature");
        family.judged(true, made, case);
    }
    family
}

pub(super) fn dsse(folder: &Path) -> Family {
    let file = "dsse/ed25519.json";
    let cases = json(folder, file);
    let mut family = Family::new("DSSE, ed25519", file, list(&cases).len());
    for case in list(&cases) {
        let envelope = &case["envelope"];
        let key = PublicKey::new(unhex(text(case, "public")).unwrap());
        let payload = unbase64(text(envelope, "payload")).unwrap();
        let message = pae(text(envelope, "payloadType"), &payload);
        if let Some(expected) = case["pae_hex"].as_str() {
            assert_eq!(hex::encode(&message), expected);
        }
        let sig = envelope["signatures"][0]["sig"].as_str();
        let sig = sig.and_then(|sig| sig.parse().ok());
        let verdict = sig.is_some_and(|sig| verify(&key, &message, &sig));
        family.judged(case["ok"] == true, verdict, case);
    }
    family
}

/// Its signature is ECDSA, which no ledger has: what is signed is the same.
pub(super) fn dsse_specification(folder: &Path) -> Family {
    let file = "dsse/spec_vector.json";
    let case = json(folder, file);
    let mut family = Family::new("DSSE, what is signed", file, 1);
    let envelope = &case["envelope"];
    let payload = unbase64(text(envelope, "payload")).unwrap();
    let made = pae(text(envelope, "payloadType"), &payload) == text(&case, "pae").as_bytes();
    let is_its_text = payload == text(&case, "payload_text").as_bytes();
    family.judged(true, made && is_its_text, &case);
    family
}
