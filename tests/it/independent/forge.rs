//! What a dishonest operator could publish: the vectors' ledger with changes, linked and signed anew.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::Value;

use super::entry::{Entry, OP_TYPE};
use super::json::Json;
use super::plain::{leaf, pae, sha256, unhex};
use super::{Fault, Report, check, tree};

/// The vectors of the document.
pub(super) fn vectors() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/contracts/vectors/format.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// A string of a vector.
pub(super) fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap()
}

/// The private key of a seed in hex.
pub(super) fn signing_key(seed: &str) -> SigningKey {
    SigningKey::from_bytes(&unhex(seed).unwrap())
}

/// An entry before it is linked and signed.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) time: String,
    pub(super) kind: String,
    pub(super) payload: String,
    /// Public keys.
    pub(super) signers: Vec<[u8; 32]>,
}

/// A ledger whose every private key is known.
pub(super) struct Forge {
    pub(super) entries: Vec<Draft>,
    keys: HashMap<[u8; 32], SigningKey>,
    pub(super) ledger: SigningKey,
    pub(super) vkey: String,
    origin: String,
}

impl Forge {
    /// The vectors' ledger, unchanged.
    pub(super) fn new() -> Forge {
        let vectors = vectors();
        let ledger = &vectors["ledger"];
        let draft = |entry: &Value| {
            let line = text(entry, "line");
            let time = &line[line.find("\"time\":\"").unwrap() + 8..][..24];
            let entry = Entry::parse(line.as_bytes()).unwrap();
            Draft {
                time: time.to_owned(),
                kind: OP_TYPE.to_owned(),
                payload: entry.payload,
                signers: entry.sigs.iter().map(|(key, _)| *key).collect(),
            }
        };
        let mut forge = Forge {
            entries: ledger["entries"]
                .as_array()
                .unwrap()
                .iter()
                .map(draft)
                .collect(),
            keys: HashMap::new(),
            ledger: signing_key(text(ledger, "seed")),
            vkey: text(ledger, "vkey").to_owned(),
            origin: text(ledger, "origin").to_owned(),
        };
        for key in ledger["keys"].as_array().unwrap() {
            forge.know(signing_key(text(key, "seed")));
        }
        forge
    }

    /// Has one more private key to sign with.
    pub(super) fn know(&mut self, key: SigningKey) -> [u8; 32] {
        let public = key.verifying_key().to_bytes();
        self.keys.insert(public, key);
        public
    }

    /// The key of a party of the vectors.
    pub(super) fn key_of(&self, party: &str) -> [u8; 32] {
        let vectors = vectors();
        let keys = vectors["ledger"]["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| text(key, "party") == party).unwrap();
        unhex(text(key, "key")).unwrap()
    }

    /// Changes the text of a payload, where it must stand.
    pub(super) fn edit(&mut self, n: usize, from: &str, to: &str) {
        let payload = &mut self.entries[n].payload;
        assert!(payload.contains(from), "{from} stands in {payload}");
        *payload = payload.replacen(from, to, 1);
    }

    /// The lines, each linked to the one before.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut prev = [0; 32];
        let mut lines = Vec::new();
        for (n, draft) in self.entries.iter().enumerate() {
            let message = pae(&draft.kind, &draft.payload);
            let mut signers = draft.signers.clone();
            signers.sort();
            let sig = |key: &[u8; 32]| {
                let signature = STANDARD.encode(self.keys[key].sign(&message).to_bytes());
                Json::List(vec![Json::Text(hex::encode(key)), Json::Text(signature)])
            };
            let field = |name: &str, value| (name.to_owned(), value);
            let line = Json::Object(vec![
                field("n", Json::Number(n as u64)),
                field("time", Json::Text(draft.time.clone())),
                field("prev", Json::Text(hex::encode(prev))),
                field("type", Json::Text(draft.kind.clone())),
                field("payload", Json::Text(draft.payload.clone())),
                field("sigs", Json::List(signers.iter().map(sig).collect())),
            ]);
            let line = line.write();
            prev = leaf(line.as_bytes());
            lines.push(line);
        }
        lines
    }

    /// The export.
    pub(super) fn export(&self) -> Vec<u8> {
        let lines = self.lines().into_iter().map(|line| line + "\n");
        lines.collect::<String>().into_bytes()
    }

    /// The checkpoint over all lines, signed by `key` under the ledger's name.
    pub(super) fn checkpoint_by(&self, key: &SigningKey) -> String {
        let lines = self.lines();
        let leaves: Vec<_> = lines.iter().map(|line| leaf(line.as_bytes())).collect();
        let root = STANDARD.encode(tree::root(&leaves));
        self.note(&format!("{}\n{}\n{root}\n", self.origin, leaves.len()), key)
    }

    /// A text as a signed note.
    pub(super) fn note(&self, text: &str, key: &SigningKey) -> String {
        let (id, _) = self.typed(key);
        let blob = [&id, &key.sign(text.as_bytes()).to_bytes()[..]].concat();
        format!("{text}\n— {} {}\n", self.origin, STANDARD.encode(blob))
    }

    /// The verifier key of a ledger's key.
    pub(super) fn vkey_of(&self, key: &SigningKey) -> String {
        let (id, typed) = self.typed(key);
        format!(
            "{}+{}+{}",
            self.origin,
            hex::encode(id),
            STANDARD.encode(typed)
        )
    }

    /// A ledger's key after its type, and its id.
    fn typed(&self, key: &SigningKey) -> ([u8; 4], Vec<u8>) {
        let typed = [&[1], &key.verifying_key().to_bytes()[..]].concat();
        let hash = sha256(&[self.origin.as_bytes(), b"\n", &typed].concat());
        let [a, b, c, d, ..] = hash;
        ([a, b, c, d], typed)
    }

    /// The checkpoint over all lines.
    pub(super) fn checkpoint(&self) -> String {
        self.checkpoint_by(&self.ledger)
    }

    /// What a verifier says who was given nothing but this history.
    pub(super) fn check(&self) -> Result<Report, Fault> {
        check(&self.export(), &self.checkpoint(), &self.vkey)
    }
}
