//! A ledger of five entries that the state machine accepts, from `ledger.create` on, with its checkpoints.

use serde::Serialize;
use serde::de::DeserializeOwned;

use counterfoil::chain::note::KeyKind;
use counterfoil::chain::pae::OP_TYPE;
use counterfoil::chain::tree::inclusion_proof;
use counterfoil::chain::{
    Checkpoint, Entry, Envelope, Hash, Line, Note, SigningKey, TlogProof, Tree, VerifierKey,
};
use counterfoil::domain::judge::judge;
use counterfoil::domain::operation::Operation;
use counterfoil::domain::ops::contract::propose::Propose;
use counterfoil::domain::ops::ledger::create::{Create, KeyGrant};
use counterfoil::domain::ops::party::admit::Admit;
use counterfoil::domain::payload::Payload;
use counterfoil::domain::rulebook::Rulebook;
use counterfoil::domain::state::State;
use counterfoil::domain::values::{
    CurrencyTable, Digest, Instant, Nonce, OpId, Power, PublicKey, Role, Scope, Size,
};
use counterfoil::proof::Receipt;

use super::key;

const ORIGIN: &str = "drill.example/0123456789abcdef";
const OPERATOR: &str = "x:operator";
const TAX: &str = "x:tax-bureau";
const HOSPITAL: &str = "uscc:91420000737944946L";
const SUPPLIER: &str = "uscc:91350100M000100Y43";
/// 2026-06-01T02:00:00.000Z.
const START: i64 = 1_780_279_200_000;

#[derive(Serialize)]
pub(super) struct LedgerVector {
    origin: &'static str,
    seed: String,
    vkey: String,
    keys: Vec<KeyVector>,
    entries: Vec<EntryOf>,
    /// SHA-256 of the export: each line with its newline.
    export_sha256: String,
    root: String,
    checkpoint: String,
    pub(super) policy: String,
    /// Of the last entry.
    pub(super) receipt: String,
}

#[derive(Serialize)]
struct KeyVector {
    party: &'static str,
    seed: String,
    key: String,
}

#[derive(Serialize)]
struct EntryOf {
    op: &'static str,
    op_id: String,
    pae_len: usize,
    line: String,
    leaf: String,
    /// Root of the tree up to and with this entry.
    root: String,
}

/// The value that is written so on the wire.
pub(super) fn wire<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).unwrap()
}

fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

/// A ledger in the making.
#[derive(Default)]
struct Playing {
    state: State,
    tree: Tree,
    prev: Option<Hash>,
    entries: Vec<EntryOf>,
}

impl Playing {
    /// The next entry, accepted by the state machine, `seconds` after the start.
    fn play<T: Operation>(&mut self, party: &str, seconds: i64, signers: &[&SigningKey], body: T) {
        let (n, time_ms) = (self.tree.size(), START + seconds * 1000);
        let payload = Payload {
            ledger: wire(ORIGIN),
            party: wire(party),
            nonce: Nonce([0xa0 + n as u8; 16]),
            not_after: Instant::from_millis(START).plus_minutes(10),
            act: Box::new(body),
        };
        let mut envelope = Envelope::new(OP_TYPE, payload.encode()).unwrap();
        signers.iter().for_each(|key| envelope.sign(key).unwrap());
        let keys = envelope
            .signatures()
            .iter()
            .map(|(key, _)| PublicKey(*key.as_bytes()));
        let keys: Vec<PublicKey> = keys.collect();
        let op = OpId(*envelope.op_id().as_bytes());
        let time = Instant::from_millis(time_ms);
        let effects = judge(&self.state, &payload, &keys, op, time).unwrap();
        self.state.apply(effects);

        let prev = self.prev.unwrap_or(Hash::ZERO);
        let entry = Entry::new(n, time_ms, prev, envelope).unwrap();
        let line = entry.encode();
        self.tree.append(*line.leaf());
        self.prev = Some(*line.leaf());
        self.entries.push(EntryOf {
            op: T::NAME,
            op_id: entry.op_id().to_string(),
            pae_len: entry.envelope().signed_bytes().len(),
            line: String::from_utf8(line.bytes().to_vec()).unwrap(),
            leaf: line.leaf().to_string(),
            root: self.tree.root().to_string(),
        });
    }
}

pub(super) fn grant(key: &SigningKey, label: &str, powers: &[Power]) -> KeyGrant {
    KeyGrant {
        key: PublicKey(*key.public_key().as_bytes()),
        label: wire(label),
        person: wire("Zhang San"),
        powers: powers.to_vec(),
    }
}

/// The shipped rulebook with short tables, so that entry 0 can be read.
fn rulebook() -> Rulebook {
    let text = include_str!("../../../contracts/rulebooks/cn-2025.toml");
    let mut rulebook = Rulebook::from_toml(text).unwrap();
    rulebook.currencies = CurrencyTable::new([(wire("CNY"), 2), (wire("JPY"), 0)]).unwrap();
    rulebook.calendar.holidays = vec![wire("2026-06-19")];
    rulebook.calendar.workdays = Vec::new();
    rulebook.lpr_one_year.truncate(1);
    rulebook
}

fn admit(party: &str, name: &str, role: Role, key: &SigningKey) -> Admit {
    Admit {
        party: wire(party),
        aliases: Vec::new(),
        name: wire(name),
        roles: vec![role],
        scopes: Vec::new(),
        size: None,
        key: grant(key, "first", &[Power::Admin, Power::Maker]),
        evidence: digest(0xe1),
        agreement: digest(0xe2),
        kyc_valid_to: wire("2030-12-31"),
        policy: Vec::new(),
        vouched_by: None,
    }
}

fn contract() -> Propose {
    Propose {
        supplier: wire(SUPPLIER),
        debtor: wire(HOSPITAL),
        number: wire("HT-2026-001"),
        currency: wire("CNY"),
        value: Some(wire("1000000.00")),
        concluded: wire("2026-05-20"),
        ends: None,
        payment_days: 30,
        term_reason: None,
        inspection_days: 7,
        supplier_size: Size::Small,
        debtor_size: Size::PublicBody,
        late_rate: None,
        grace_days: 0,
        vouchers: true,
        document: digest(0xe3),
    }
}

/// The receipt of the last entry.
fn receipt(entries: &[EntryOf], note: &Note) -> String {
    let leaves = entries.iter().map(|entry| entry.leaf.parse().unwrap());
    let leaves: Vec<Hash> = leaves.collect();
    let (size, last) = (entries.len() as u64, &entries[entries.len() - 1]);
    let (_, line) = Line::decode(last.line.as_bytes()).unwrap();
    let proof = TlogProof {
        extra: None,
        index: line.n(),
        hashes: inclusion_proof(&leaves[..], line.n(), size).unwrap(),
        checkpoint: note.clone(),
    };
    Receipt::new(&line, proof).encode()
}

pub(super) fn vector() -> LedgerVector {
    let (ledger, operator, seal) = (key(0x01), key(0x10), key(0x11));
    let (tax, hospital, supplier) = (key(0x12), key(0x13), key(0x14));
    let vkey = VerifierKey::new(ORIGIN, KeyKind::Ed25519, ledger.public_key()).unwrap();
    let vkey = vkey.to_string();
    let mut playing = Playing::default();
    let create = Create {
        origin: wire(ORIGIN),
        operator: wire("Operator"),
        keys: vec![
            grant(&operator, "first", &[Power::Admin, Power::Maker]),
            grant(&seal, "seal", &[Power::Seal]),
        ],
        vkey: wire(&vkey),
        rulebook: rulebook(),
        utc_offset: wire("+08:00"),
        engine: 1,
    };
    playing.play(OPERATOR, 0, &[&operator, &seal], create);
    let authority = Admit {
        scopes: vec![Scope::Attest, Scope::Audit],
        ..admit(TAX, "税务局", Role::Authority, &tax)
    };
    playing.play(OPERATOR, 1, &[&operator, &tax], authority);
    let debtor = Admit {
        size: Some(Size::PublicBody),
        policy: Vec::new(),
        vouched_by: Some(wire(TAX)),
        ..admit(HOSPITAL, "First Hospital", Role::Debtor, &hospital)
    };
    playing.play(OPERATOR, 2, &[&operator, &tax, &hospital], debtor);
    let seller = Admit {
        aliases: vec![wire("lei:5493001KJTIIGC8Y1R12")],
        size: Some(Size::Small),
        ..admit(
            SUPPLIER,
            "Müller \"医疗\" A/B \\ C",
            Role::Supplier,
            &supplier,
        )
    };
    // Two entries may have the same time.
    playing.play(OPERATOR, 2, &[&operator, &supplier], seller);
    playing.play(SUPPLIER, 60, &[&supplier], contract());

    let export: String = playing
        .entries
        .iter()
        .map(|e| format!("{}\n", e.line))
        .collect();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: playing.tree.size(),
        root: playing.tree.root(),
    };
    let note = checkpoint.sign(&[&ledger]).unwrap();
    let keys = [
        (OPERATOR, 0x10),
        (OPERATOR, 0x11),
        (TAX, 0x12),
        (HOSPITAL, 0x13),
        (SUPPLIER, 0x14),
    ];
    LedgerVector {
        origin: ORIGIN,
        seed: hex::encode([0x01; 32]),
        keys: keys
            .map(|(party, byte)| KeyVector {
                party,
                seed: hex::encode([byte; 32]),
                key: key(byte).public_key().to_string(),
            })
            .into(),
        export_sha256: counterfoil::chain::hash::sha256(export.as_bytes()).to_string(),
        root: playing.tree.root().to_string(),
        policy: format!("log {vkey}\nquorum none\n"),
        receipt: receipt(&playing.entries, &note),
        vkey,
        checkpoint: note.encode(),
        entries: playing.entries,
    }
}
