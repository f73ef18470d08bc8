//! A signed example of every operation, from which a client in another language tests itself: the sample story and what
//! it leaves out (`rest.toml`), played from entry 0 on with keys, nonces and times that are the same every time.
//!
//! `COUNTERFOIL_WRITE=1 cargo test --test it vectors` writes the file anew.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::chain::note::KeyKind;
use counterfoil::chain::pae::OP_TYPE;
use counterfoil::chain::{
    Checkpoint, Entry, Envelope, Hash, SigningKey, Tree, Verifier, VerifierKey,
};
use counterfoil::domain::judge::judge;
use counterfoil::domain::ops::ledger::create::Create;
use counterfoil::domain::payload::Payload;
use counterfoil::domain::registry::REGISTRY;
use counterfoil::domain::rulebook::Rulebook;
use counterfoil::domain::state::State;
use counterfoil::domain::values::{Instant, Nonce, OpId, Power, PublicKey};
use counterfoil::story::{Act, SAMPLE, Script, Stage, Step, play};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::ledger::{grant, wire};
use super::spellings::{self, Spellings};

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/contracts/vectors/operations.json"
);
const ORIGIN: &str = "drill.example/0123456789abcdef";
/// Keys of nobody who is there from the beginning: those that operations bring in.
const FURTHER_KEYS: [&str; 3] = ["supplier-desk", "maker-again", LEDGER_NEXT];
/// The key that signs the checkpoints behind a `ledger.rekey`.
const LEDGER_NEXT: &str = "ledger-next";

#[derive(Serialize)]
struct Vectors {
    about: &'static str,
    origin: &'static str,
    /// Of the key that signs checkpoints.
    seed: String,
    vkey: String,
    keys: Vec<KeyVector>,
    entries: Vec<EntryVector>,
    refused: Vec<RefusedVector>,
    checkpoint: String,
    #[serde(flatten)]
    spellings: Spellings,
}

#[derive(Serialize)]
struct KeyVector {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    party: Option<String>,
    seed: String,
    key: String,
}

/// An operation as it is signed and sent, and the entry that it became.
#[derive(Serialize)]
pub(super) struct EntryVector {
    n: u64,
    say: String,
    pub(super) op: String,
    time: String,
    signers: Vec<String>,
    pub(super) payload: String,
    pae: String,
    op_id: String,
    pub(super) envelope: String,
    /// The ids of what it makes.
    makes: Vec<String>,
    line: String,
    leaf: String,
    /// Root of the tree up to and with this entry.
    root: String,
}

/// An operation that a ledger of so many entries refuses.
#[derive(Serialize)]
struct RefusedVector {
    size: u64,
    say: String,
    time: String,
    envelope: String,
    code: &'static str,
}

/// Seed of the key of that name.
pub(super) fn seed_of(name: &str) -> [u8; 32] {
    Sha256::digest(format!("counterfoil vector key {name}")).into()
}

/// The state machine with nothing around it, which writes down what it is given.
struct Scribe {
    state: State,
    tree: Tree,
    prev: Hash,
    time: Instant,
    numbers: u32,
    made: BTreeSet<String>,
    entries: Vec<EntryVector>,
    refused: Vec<RefusedVector>,
}

impl Stage for Scribe {
    fn set_time(&mut self, now: Instant) -> Result<(), String> {
        self.time = now;
        Ok(())
    }

    fn random(&mut self) -> Result<[u8; 32], String> {
        self.numbers += 1;
        Ok(Sha256::digest(format!("counterfoil vector nonce {}", self.numbers)).into())
    }

    fn send(&mut self, envelope: &Envelope) -> Result<Act, String> {
        let op_id = envelope.op_id().to_string();
        if let Some(entry) = self.entries.iter().find(|entry| entry.op_id == op_id) {
            return Ok(Act::Repeat(entry.n));
        }
        if envelope.forged(&Verifier::new()).is_some() {
            return Ok(self.refuse(envelope, "signature.invalid"));
        }
        let payload = Payload::decode(envelope.payload()).unwrap();
        let keys = envelope.signatures().iter();
        let keys: Vec<PublicKey> = keys.map(|(key, _)| PublicKey(*key.as_bytes())).collect();
        let op = OpId(*envelope.op_id().as_bytes());
        match judge(&self.state, &payload, &keys, op, self.time) {
            Ok(effects) => {
                let makes = effects.objects().into_iter().map(|id| id.to_string());
                let makes =
                    makes.filter(|id| id.as_bytes()[3] == b'_' && self.made.insert(id.clone()));
                let makes = makes.collect();
                self.state.apply(effects);
                Ok(self.enter(envelope.clone(), payload.act.name(), makes))
            }
            Err(refusal) => Ok(self.refuse(envelope, refusal.rule)),
        }
    }
}

impl Scribe {
    fn enter(&mut self, envelope: Envelope, op: &str, makes: Vec<String>) -> Act {
        let n = self.tree.size();
        let entry = Entry::new(n, self.time.millis(), self.prev, envelope).unwrap();
        let line = entry.encode();
        self.prev = *line.leaf();
        self.tree.append(*line.leaf());
        let envelope = entry.envelope();
        self.entries.push(EntryVector {
            n,
            say: String::new(),
            op: op.to_owned(),
            time: self.time.to_string(),
            signers: Vec::new(),
            payload: envelope.payload().to_owned(),
            pae: hex::encode(envelope.signed_bytes()),
            op_id: entry.op_id().to_string(),
            envelope: String::from_utf8(envelope.encode()).unwrap(),
            makes,
            line: String::from_utf8(line.bytes().to_vec()).unwrap(),
            leaf: line.leaf().to_string(),
            root: self.tree.root().to_string(),
        });
        Act::Accepted(n)
    }

    fn refuse(&mut self, envelope: &Envelope, code: &'static str) -> Act {
        self.refused.push(RefusedVector {
            size: self.tree.size(),
            say: String::new(),
            time: self.time.to_string(),
            envelope: String::from_utf8(envelope.encode()).unwrap(),
            code,
        });
        Act::Refused {
            rule: code.to_owned(),
            message: String::new(),
        }
    }
}

impl Scribe {
    /// Adds what people read of each step, and who signed it.
    fn tell(&mut self, acts: &[(&Step, Act)]) {
        let mut refused = self.refused.iter_mut();
        for (step, act) in acts {
            match act {
                Act::Accepted(n) => {
                    let entry = &mut self.entries[*n as usize];
                    entry.say.clone_from(&step.say);
                    entry.signers = [&step.by].into_iter().chain(&step.with).cloned().collect();
                }
                Act::Refused { .. } => refused.next().unwrap().say.clone_from(&step.say),
                Act::Repeat(_) => {}
            }
        }
    }
}

const RULEBOOK: &str = include_str!("../../../contracts/rulebooks/cn-2025.toml");

fn script() -> Script {
    let text = format!("{SAMPLE}{}", include_str!("rest.toml"));
    let mut script = Script::read(&text).unwrap();
    let mut steps = script.steps.iter_mut();
    // A whole rulebook is too long for a story: the shipped one with another version and day.
    let published = steps.find(|step| step.op == "rulebook.publish").unwrap();
    let mut rulebook = Rulebook::from_toml(RULEBOOK).unwrap();
    rulebook.version = 2;
    rulebook.valid_from = wire("2027-01-01");
    published.body["rulebook"] = serde_json::to_value(rulebook).unwrap();
    for step in steps.filter(|step| step.op == "ledger.rekey") {
        let key = step.body["new_vkey"].as_str().unwrap();
        if FURTHER_KEYS.contains(&key) {
            let key = SigningKey::from_seed(&seed_of(key));
            step.body["new_vkey"] = vkey_of(&key).into();
        }
    }
    script
}

fn vkey_of(key: &SigningKey) -> String {
    let vkey = VerifierKey::new(ORIGIN, KeyKind::Ed25519, key.public_key());
    vkey.unwrap().to_string()
}

fn keys(script: &Script) -> BTreeMap<String, SigningKey> {
    let players = script.parties.iter().map(|player| player.name.as_str());
    let names = players.chain(FURTHER_KEYS);
    names
        .map(|name| (name.to_owned(), SigningKey::from_seed(&seed_of(name))))
        .collect()
}

/// Entry 0, an hour before the first step.
fn begin(script: &Script, keys: &BTreeMap<String, SigningKey>, vkey: &str) -> Scribe {
    let operator = &script.parties[0];
    let start = script.steps[0].at.plus_hours(-1);
    let mut scribe = Scribe {
        state: State::default(),
        tree: Tree::default(),
        prev: Hash::ZERO,
        time: start,
        numbers: 0,
        made: BTreeSet::new(),
        entries: Vec::new(),
        refused: Vec::new(),
    };
    let key = &keys[&operator.name];
    let create = Create {
        origin: wire(ORIGIN),
        operator: wire("Counterfoil Beijing"),
        keys: vec![grant(key, "first", &[Power::Admin, Power::Maker])],
        vkey: wire(vkey),
        rulebook: Rulebook::from_toml(RULEBOOK).unwrap(),
        utc_offset: wire("+08:00"),
        engine: 1,
    };
    let payload = Payload {
        ledger: wire(ORIGIN),
        party: operator.id,
        nonce: Nonce([0; 16]),
        not_after: start.plus_minutes(10),
        act: Box::new(create),
    };
    let mut envelope = Envelope::new(OP_TYPE, payload.encode()).unwrap();
    envelope.sign(key).unwrap();
    assert_eq!(scribe.send(&envelope), Ok(Act::Accepted(0)));
    let entry = scribe.entries.last_mut().unwrap();
    entry.say = "The ledger begins".to_owned();
    entry.signers = vec![operator.name.clone()];
    scribe
}

fn made() -> Vectors {
    let (script, ledger) = (script(), SigningKey::from_seed(&[1; 32]));
    let keys = keys(&script);
    let vkey = vkey_of(&ledger);
    let mut scribe = begin(&script, &keys, &vkey);
    let mut acts = Vec::new();
    let origin = wire(ORIGIN);
    play(&script, &origin, &keys, &mut scribe, &mut |played| {
        acts.push((played.step, played.act.clone()));
    })
    .unwrap();
    scribe.tell(&acts);
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: scribe.tree.size(),
        root: scribe.tree.root(),
    };
    let key = |(name, key): (&String, &SigningKey)| KeyVector {
        name: name.clone(),
        party: script.player(name).map(|player| player.id.to_string()),
        seed: hex::encode(seed_of(name)),
        key: key.public_key().to_string(),
    };
    Vectors {
        about: "Every operation as it is signed, sent and entered, on one ledger from entry 0 on, and what is refused: \
            FORMAT.md, “Vectors”. Bytes are in lower-case hex; a seed is an ed25519 private key of RFC 8032.",
        origin: ORIGIN,
        seed: hex::encode([1; 32]),
        vkey,
        keys: keys.iter().map(key).collect(),
        // Its last entry changes the key: the first checkpoint behind that carries both.
        checkpoint: checkpoint
            .sign(&[&keys[LEDGER_NEXT], &ledger])
            .unwrap()
            .encode(),
        spellings: spellings::made(&scribe.entries, &keys, ORIGIN),
        entries: scribe.entries,
        refused: scribe.refused,
    }
}

fn written() -> String {
    serde_json::to_string_pretty(&made()).unwrap() + "\n"
}

#[test]
fn there_is_a_signed_example_of_every_operation() {
    let made = made();
    let shown: BTreeSet<&str> = made.entries.iter().map(|entry| entry.op.as_str()).collect();
    let missing = REGISTRY.iter().map(|operation| operation.name);
    let missing: Vec<&str> = missing.filter(|name| !shown.contains(name)).collect();
    assert!(
        missing.is_empty(),
        "tests/it/vectors/rest.toml does none of {missing:?}"
    );
}

#[test]
fn the_operations_are_signed_as_the_published_vectors_say() {
    let made = written();
    if std::env::var_os("COUNTERFOIL_WRITE").is_some() {
        std::fs::write(FILE, &made).unwrap();
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    let changed = made
        .lines()
        .zip(kept.lines())
        .find(|(made, kept)| made != kept);
    assert!(
        made == kept,
        "an operation or a byte format changed; first difference, made and kept: {changed:#?}"
    );
}
