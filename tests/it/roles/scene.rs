//! A drill ledger served by the real binary, moved by signed operations alone, that remembers what it made and who may
//! read which entry.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;

use counterfoil::chain::{Envelope, SigningKey, pem};
use counterfoil::client::{Client, ClientError};
use counterfoil::domain::objects::{OfferTerms, commitment};
use counterfoil::domain::values::{MadeId, OpId};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::cast::{Actor, CAST, OPERATOR};
use super::first_trade::Paper;
use crate::served::{Party, Server, complaint, copy, run, text};

/// An entry, and everybody who may read it raw.
pub(super) struct Entered {
    pub(super) op: &'static str,
    pub(super) op_id: String,
    pub(super) n: u64,
    pub(super) readers: BTreeSet<&'static str>,
}

/// The ledger, its parties and everything that was done on it.
pub(super) struct Scene {
    pub(super) server: Server,
    client: Client,
    people: BTreeMap<&'static str, Party>,
    ids: BTreeMap<&'static str, String>,
    pub(super) entries: Vec<Entered>,
    today: String,
    /// How many operations each has signed, from which their nonces come.
    signed: RefCell<BTreeMap<String, u64>>,
    /// How often others have acted in between, where they do.
    noise: Option<u64>,
    _data: TempDir,
}

impl Scene {
    /// Everybody admitted, on 18 May 2026.
    pub(super) fn new() -> Scene {
        Scene::on_data(begun())
    }

    /// Two ledgers of one name: what is done on both has the same ids. On the second, parties of the other trade act
    /// between any two operations of the first.
    pub(super) fn quiet_and_busy() -> [Scene; 2] {
        let (dir, copied) = (begun(), tempfile::tempdir().unwrap());
        copy(dir.path(), copied.path());
        let [quiet, mut busy] = [dir, copied].map(Scene::on_data);
        busy.noise = Some(0);
        [quiet, busy]
    }

    fn on_data(dir: TempDir) -> Scene {
        let server = Server::start(&dir.path().join("data"));
        let mut scene = Scene {
            client: server.client(),
            server,
            people: people(),
            ids: BTreeMap::new(),
            entries: Vec::new(),
            today: "2026-05-18".to_owned(),
            signed: RefCell::default(),
            noise: None,
            _data: dir,
        };
        CAST.iter().for_each(|actor| scene.admit(actor));
        scene
    }

    /// Both trades, as they stand on 2 June 2026 at 08:00 UTC, in the window in which sealed offers are revealed.
    pub(super) fn played() -> Scene {
        let mut scene = Scene::new();
        scene.open_accounts();
        scene.play_first_trade();
        scene.play_second_trade();
        scene.play_window();
        scene
    }

    fn admit(&mut self, actor: &'static Actor) {
        let (party, public) = {
            let party = self.party(actor.name);
            (party.id.clone(), party.key.public_key().to_string())
        };
        let mut body =
            json!({ "party": party, "name": legal_name(actor.name), "roles": actor.roles });
        if !actor.scopes.is_empty() {
            body["scopes"] = json!(actor.scopes);
        }
        if let Some(size) = actor.size {
            body["size"] = json!(size);
        }
        let person = format!("treasurer of {}", actor.name);
        body["key"] = json!({ "key": public, "label": "first", "person": person, "powers": ["admin", "maker"] });
        body["evidence"] = json!(digest(&format!("evidence of {}", actor.name)));
        body["agreement"] = json!(digest("platform agreement"));
        body["kyc_valid_to"] = json!("2028-12-31");
        let mut also = vec![actor.name];
        if let Some(voucher) = actor.voucher {
            body["vouched_by"] = json!(self.party(voucher).id);
            also.push(voucher);
        }
        self.act_with("operator", &also, &also.join(" "), "party.admit", &body);
    }

    pub(super) fn party(&self, name: &str) -> &Party {
        &self.people[name]
    }

    /// The id of something that was made.
    pub(super) fn id(&self, name: &str) -> &str {
        let id = self.ids.get(name);
        id.unwrap_or_else(|| panic!("nothing is called {name}"))
    }

    /// Whether anything is called so.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.ids.contains_key(name)
    }

    /// An address within a receivable, in fens.
    pub(super) fn at(&self, receivable: &str, fens: (u64, u64)) -> String {
        format!("{}:{}-{}", self.id(receivable), fens.0, fens.1)
    }

    /// Moves the ledger's time.
    pub(super) fn on(&mut self, day: &str, hour: &str) {
        self.today = day.to_owned();
        self.client
            .move_clock(&format!("{day}T{hour}:00Z"))
            .unwrap();
    }

    /// An accepted operation. `told` are those beside the actor and the auditor who may read its entry.
    pub(super) fn act(
        &mut self,
        by: &'static str,
        told: &str,
        op: &'static str,
        body: Value,
    ) -> OpId {
        self.act_with(by, &[], told, op, &body)
    }

    /// An accepted operation that others sign too.
    pub(super) fn act_with(
        &mut self,
        by: &'static str,
        also: &[&str],
        told: &str,
        op: &'static str,
        body: &Value,
    ) -> OpId {
        self.make_noise(by);
        let mut envelope = self.envelope(by, op, body);
        for name in also {
            envelope.sign(&self.party(name).key).unwrap();
        }
        let receipt = match self.client.submit(&envelope) {
            Ok(receipt) => receipt,
            Err(ClientError::Refused(problem)) => panic!("{by} {op} {body}: {problem:?}"),
            Err(error) => panic!("{by} {op}: {error}"),
        };
        let mut readers: BTreeSet<&'static str> = names(told).collect();
        readers.extend([by, "tax"]);
        self.entries.push(Entered {
            op,
            op_id: receipt.op_id.clone(),
            n: receipt.n,
            readers,
        });
        receipt.op_id.parse().unwrap()
    }

    /// An accepted operation that makes an object, which is called `name` from here on.
    pub(super) fn make<I: MadeId + ToString>(
        &mut self,
        name: &'static str,
        by: &'static str,
        told: &str,
        op: &'static str,
        body: Value,
    ) -> String {
        let made = self.act(by, told, op, body);
        self.call::<I>(name, &made, 0)
    }

    /// Names the `k`-th object of its kind that an operation made.
    pub(super) fn call<I: MadeId + ToString>(
        &mut self,
        name: &'static str,
        op: &OpId,
        k: u32,
    ) -> String {
        let id = I::of(op, k).to_string();
        assert!(self.ids.insert(name, id.clone()).is_none(), "{name} twice");
        id
    }

    /// A signed operation that is good until midnight UTC.
    pub(super) fn envelope(&self, by: &str, op: &str, body: &Value) -> Envelope {
        let not_after = format!("{}T23:59:59Z", self.today);
        let mut signed = self.signed.borrow_mut();
        let count = signed.entry(by.to_owned()).or_default();
        *count += 1;
        let nonce = Sha256::digest(format!("{by} {count}"));
        let nonce = std::array::from_fn(|at| nonce[at]);
        let origin = self.server.origin();
        self.party(by)
            .envelope_of(nonce, origin, &not_after, op, body)
    }

    /// Whether others act in between.
    pub(super) fn is_busy(&self) -> bool {
        self.noise.is_some()
    }

    /// What others do before somebody of the first trade does anything.
    pub(super) fn make_noise(&mut self, by: &str) {
        let Some(round) = self.noise.filter(|_| !SECOND_TRADE.contains(&by)) else {
            return;
        };
        self.noise = Some(round + 1);
        let debtor = ["hospital", "works"][round as usize % 2];
        let body = json!({
            "debtor": self.party(debtor).id, "currency": "CNY", "amount": format!("{round}.00"), "valid_to": "2026-12-31",
        });
        self.act("fund", "", "limit.set", body);
        if self.today.as_str() >= "2026-05-22" {
            let paper = Paper {
                supplier: ("workshop", "small"),
                debtor: ("works", "large"),
                number: &format!("NOISE-{round}"),
                value: "1.00",
            };
            let body = self.paper(&paper);
            self.act("workshop", "works", "contract.propose", body);
        }
    }

    /// The digest that a lender commits to.
    pub(super) fn commitment(
        &self,
        request: &str,
        lender: &str,
        salt: &str,
        terms: &Value,
    ) -> String {
        let terms: OfferTerms = serde_json::from_value(terms.clone()).unwrap();
        let request = self.id(request).parse().unwrap();
        let lender = self.party(lender).id.parse().unwrap();
        commitment(request, lender, &salt.parse().unwrap(), &terms).to_string()
    }
}

/// One of the cast, or nobody, as the tables name them.
pub(super) fn names(list: &str) -> impl Iterator<Item = &'static str> {
    list.split_whitespace().map(|name| {
        let known = super::cast::everybody().find(|known| *known == name);
        known.unwrap_or_else(|| panic!("nobody is called {name}"))
    })
}

/// SHA-256 of a text, as bodies write it.
pub(super) fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// What the register calls somebody.
pub(super) fn legal_name(name: &str) -> String {
    format!("The {name} Company, Ltd.")
}

fn people() -> BTreeMap<&'static str, Party> {
    let person = |actor: &Actor| Party {
        id: actor.id.to_owned(),
        key: SigningKey::from_seed(&Sha256::digest(actor.name).into()),
    };
    let all = [&OPERATOR].into_iter().chain(CAST);
    all.map(|actor| (actor.name, person(actor))).collect()
}

/// The parties of the second trade.
const SECOND_TRADE: [&str; 4] = ["bank-c", "fund", "works", "workshop"];

/// A folder with a drill ledger of the operator's in `data`.
fn begun() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    begin(
        dir.path(),
        &dir.path().join("data"),
        &people()["operator"].key,
    );
    dir
}

/// A drill ledger whose operator has this key.
fn begin(dir: &std::path::Path, data: &std::path::Path, key: &SigningKey) {
    let keys = dir.join("keys");
    std::fs::create_dir(&keys).unwrap();
    std::fs::write(
        keys.join("operator.pem"),
        pem::to_plain(key).unwrap().as_str(),
    )
    .unwrap();
    std::fs::write(keys.join("operator.pub"), format!("{}\n", key.public_key())).unwrap();
    let (data, keys) = (text(data), text(&keys));
    let made: Output = run(&[
        "init",
        "--data",
        &data,
        "--keys",
        &keys,
        "--drill",
        "--operator",
        OPERATOR.id,
        "--time",
        "2026-05-18T01:00:00Z",
    ]);
    assert!(made.status.success(), "{}", complaint(&made));
}
