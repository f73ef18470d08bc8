//! A served drill ledger with five parties: a debtor and its supplier, a lender, their bank, a tax bureau.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use counterfoil::chain::{SigningKey, pem};
use counterfoil::client::Client;
use counterfoil::domain::values::{AccountId, Day, Instant, MadeId, OpId, UtcOffset};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::served::{Party, Server, text};
use crate::story::good;

/// A digest that stands for some document.
pub(super) const SOME_DOCUMENT: &str =
    "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92";

pub(super) struct Market {
    dir: TempDir,
    server: Option<Server>,
    parties: BTreeMap<&'static str, Party>,
}

/// Somebody who is admitted.
struct Entrant {
    name: &'static str,
    roles: &'static [&'static str],
    scopes: &'static [&'static str],
    size: Option<&'static str>,
}

const fn entrant(name: &'static str, roles: &'static [&'static str]) -> Entrant {
    Entrant {
        name,
        roles,
        scopes: &[],
        size: None,
    }
}

/// Everybody but the operator.
const ENTRANTS: [Entrant; 5] = [
    Entrant {
        scopes: &["attest", "audit"],
        ..entrant("tax", &["authority"])
    },
    entrant("bank", &["bank"]),
    entrant("lender", &["lender"]),
    Entrant {
        size: Some("large"),
        ..entrant("debtor", &["debtor"])
    },
    Entrant {
        size: Some("small"),
        ..entrant("supplier", &["supplier"])
    },
];

impl Market {
    /// A market that opens in the morning of a day, where debtor and supplier have these identifiers.
    pub(super) fn new(day: Day, debtor: &str, supplier: &str) -> Market {
        let dir = tempfile::tempdir().unwrap();
        let folder = |name: &str| text(&dir.path().join(name));
        let begin = hour(day, 9);
        let (data, keys) = (folder("data"), folder("keys"));
        good(&[
            "init", "--drill", "--data", &data, "--keys", &keys, "--time", &begin,
        ]);
        let server = Server::start(&dir.path().join("data"));
        let parties = BTreeMap::from([("operator", Party::of(dir.path(), "operator"))]);
        let mut market = Market {
            dir,
            server: Some(server),
            parties,
        };
        for (seed, Entrant { name, .. }) in (1..).zip(ENTRANTS) {
            let id = match name {
                "debtor" => debtor.to_owned(),
                "supplier" => supplier.to_owned(),
                _ => format!("x:{name}"),
            };
            let key = SigningKey::from_seed(&[seed; 32]);
            fs::write(
                market.key_file(name, "pem"),
                pem::to_plain(&key).unwrap().as_bytes(),
            )
            .unwrap();
            fs::write(market.key_file(name, "party"), format!("{id}\n")).unwrap();
            market.parties.insert(name, Party { id, key });
        }
        for entrant in &ENTRANTS {
            market.admit(day, entrant);
        }
        market
    }

    fn key_file(&self, name: &str, extension: &str) -> PathBuf {
        self.dir.path().join(format!("keys/{name}.{extension}"))
    }

    fn admit(&self, day: Day, entrant: &Entrant) {
        let Entrant {
            name,
            roles,
            scopes,
            size,
        } = *entrant;
        let party = &self.parties[name];
        let key = party.key.public_key().to_string();
        let mut body = json!({"party": party.id, "name": format!("The {name}"), "roles": roles});
        if !scopes.is_empty() {
            body["scopes"] = json!(scopes);
        }
        if let Some(size) = size {
            body["size"] = json!(size);
        }
        body["key"] = json!({"key": key, "label": "first", "person": "treasurer", "powers": ["admin", "maker"]});
        body["evidence"] = json!(SOME_DOCUMENT);
        body["agreement"] = json!(SOME_DOCUMENT);
        body["kyc_valid_to"] = json!(day.plus_days(1_000));
        if name != "tax" && name != "supplier" {
            body["vouched_by"] = json!(self.parties["tax"].id);
            self.acts("operator", &[name, "tax"], "party.admit", &body);
        } else {
            self.acts("operator", &[name], "party.admit", &body);
        }
    }

    pub(super) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub(super) fn party(&self, name: &str) -> &str {
        &self.parties[name].id
    }

    /// Moves the clock to an hour of a day, in the ledger's own time zone.
    pub(super) fn on(&self, day: Day, at: i64) {
        self.server().client().move_clock(&hour(day, at)).unwrap();
    }

    /// A client that reads as a party.
    pub(super) fn sees(&self, name: &str) -> Client {
        self.server().client_of(&self.parties[name])
    }

    /// An operation that some parties sign, sent over HTTP.
    pub(super) fn acts(&self, by: &str, with: &[&str], op: &str, body: &Value) -> OpId {
        let client = self.server().client();
        let now: Instant = client.status().unwrap().time.parse().unwrap();
        let ahead = Instant::from_millis(now.millis() / 1_000 * 1_000).plus_minutes(10);
        let origin = self.server().origin();
        let mut envelope = self.parties[by].envelope(origin, &ahead.to_string(), op, body);
        for name in with {
            envelope.sign(&self.parties[name].key).unwrap();
        }
        let receipt = client
            .submit(&envelope)
            .unwrap_or_else(|error| panic!("{op}: {error}"));
        receipt.op_id.parse().unwrap()
    }

    /// The arguments that tell a verb who signs where.
    pub(super) fn signing(&self, by: &str) -> Vec<String> {
        let keys = text(&self.dir.path().join("keys"));
        let (url, by) = (self.server().base().to_owned(), by.to_owned());
        let words = [
            "--as", &by, "--keys", &keys, "--url", &url, "--yes", "--json",
        ];
        words.map(str::to_owned).to_vec()
    }

    /// A verb of the command line that ends in an entry: its operation.
    pub(super) fn runs(&self, verb: &[&str], by: &str) -> OpId {
        let signing = self.signing(by);
        let signing = signing.iter().map(String::as_str);
        let printed = good(&verb.iter().copied().chain(signing).collect::<Vec<_>>());
        let receipt: Value = serde_json::from_str(&printed).unwrap();
        receipt["op_id"].as_str().unwrap().parse().unwrap()
    }

    /// The verb of an operation.
    pub(super) fn does(&self, by: &str, op: &str, body: &Value) -> OpId {
        let (object, verb) = op.split_once('.').unwrap();
        self.runs(&[object, verb, "--body", &body.to_string()], by)
    }

    /// A usable default account of a party at the bank; it takes three days.
    pub(super) fn account(&self, name: &str, number: &str, currency: &str) -> AccountId {
        let body = json!({"bank": self.party("bank"), "number": number, "currency": currency, "default": true});
        let account: AccountId = id(&self.acts(name, &[], "account.add", &body));
        self.acts("bank", &[], "account.attest", &json!({"account": account}));
        account
    }

    /// Stops the server and leaves the data folder.
    pub(super) fn closed(&mut self) -> PathBuf {
        self.server.take().unwrap().stop();
        self.dir.path().join("data")
    }
}

/// The id that an operation gives its first object.
pub(super) fn id<I: MadeId>(op: &OpId) -> I {
    I::of(op, 0)
}

/// An hour of a day where the ledger is.
pub(super) fn hour(day: Day, hour: i64) -> String {
    UtcOffset::CHINA.start_of(day).plus_hours(hour).to_string()
}
