//! Some fifty parties on a ledger of their own, and operations of theirs that are independent of each other.

use std::path::Path;

use counterfoil::chain::pae::OP_TYPE;
use counterfoil::chain::{Envelope, SigningKey};
use counterfoil::domain::ops::ledger::create;
use counterfoil::domain::rulebook::Rulebook;
use counterfoil::domain::values::{
    ContractId, Day, Instant, InvoiceId, Label, MadeId, Name, OpId, ReceivableId, UtcOffset,
};
use counterfoil::ledger::{Answer, Config, InitOptions, Ledger, init};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const DEBTORS: usize = 10;
const LENDERS: usize = 10;
const SUPPLIERS: usize = 20;
const MAKERS: usize = 10;
/// Each supplier's; their fens are passed on one by one, and a receivable has so many runs at most.
const RECEIVABLES: usize = 8;
const DIGEST: &str = "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92";

struct Party {
    id: String,
    key: SigningKey,
}

/// A receivable of a supplier, and the contract by which it owes a maker.
struct Held {
    supplier: usize,
    maker: usize,
    receivable: ReceivableId,
    owes: ContractId,
}

/// The parties and what they have.
pub(super) struct Town {
    pub(super) ledger: Ledger,
    origin: String,
    now: Instant,
    operator: Party,
    tax: Party,
    debtors: Vec<Party>,
    lenders: Vec<Party>,
    suppliers: Vec<Party>,
    makers: Vec<Party>,
    held: Vec<Held>,
}

impl Town {
    /// A new ledger in a folder, by the machine's clock, with everybody admitted and every receivable confirmed.
    pub(super) fn found(data: &Path, runtime: &Runtime) -> Town {
        let operator = party("x:operator".to_owned(), 0);
        let rulebook = Rulebook::from_toml(include_str!("../../contracts/rulebooks/cn-2025.toml"));
        let options = InitOptions {
            origin_base: "figures.example/receivables".to_owned(),
            drill: false,
            operator: operator.id.parse().unwrap(),
            operator_name: Name::new("Operator").unwrap(),
            operator_key: &operator.key,
            key_label: Label::new("first").unwrap(),
            person: Label::new("the operator").unwrap(),
            rulebook: rulebook.unwrap(),
            utc_offset: UtcOffset::CHINA,
            time: None,
            passphrase: None,
        };
        assert_eq!(create::ENGINE, 1, "what these operations are written for");
        let origin = init(data, &options).unwrap();
        let ledger = Ledger::open(Config::new(data), &mut |_, _| ()).unwrap();
        let now = ledger.ready().time.millis();
        let some = |count: usize, from: usize, id: fn(usize) -> String| {
            (from..from + count)
                .map(|n| party(id(n), n))
                .collect::<Vec<_>>()
        };
        let mut town = Town {
            origin,
            now: Instant::from_millis(now - now % 1_000),
            operator,
            tax: party("x:tax".to_owned(), 1),
            debtors: some(DEBTORS, 10, lei),
            lenders: some(LENDERS, 30, |n| format!("x:lender-{n}")),
            suppliers: some(SUPPLIERS, 50, lei),
            makers: some(MAKERS, 80, lei),
            held: Vec::new(),
            ledger,
        };
        town.admit(runtime);
        town.trade(runtime);
        town
    }

    fn today(&self) -> Day {
        UtcOffset::CHINA.day_of(self.now)
    }

    /// How many parties there are.
    pub(super) fn parties(&self) -> usize {
        2 + DEBTORS + LENDERS + SUPPLIERS + MAKERS
    }

    fn signed(&self, by: &[&Party], op: &str, body: &Value) -> Envelope {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).unwrap();
        let payload = json!({
            "ledger": self.origin, "op": op, "party": by[0].id, "nonce": hex::encode(nonce),
            "not_after": self.now.plus_hours(12).to_string(), "body": body,
        });
        let mut envelope = Envelope::new(OP_TYPE, payload.to_string()).unwrap();
        for party in by {
            envelope.sign(&party.key).unwrap();
        }
        envelope
    }

    /// Has all of them accepted.
    fn enter(&self, runtime: &Runtime, envelopes: &[Envelope]) -> Vec<OpId> {
        let encoded: Vec<_> = envelopes.iter().map(Envelope::encode).collect();
        let entered = self
            .ledger
            .submit_many(&encoded)
            .into_iter()
            .map(|pending| match runtime.block_on(pending.answer()) {
                Answer::Accepted { receipt, .. } => receipt.op_id,
                other => panic!("{other:?}"),
            });
        entered.collect()
    }

    fn admit(&self, runtime: &Runtime) {
        let admission = |party: &Party, roles: &[&str], size: Option<&str>| {
            let mut body =
                json!({"party": party.id, "name": format!("Party {}", party.id), "roles": roles});
            if roles == ["authority"] {
                body["scopes"] = json!(["attest"]);
            }
            if let Some(size) = size {
                body["size"] = json!(size);
            }
            let key = party.key.public_key().to_string();
            body["key"] = json!({"key": key, "label": "first", "person": "one", "powers": ["admin", "maker"]});
            body["evidence"] = json!(DIGEST);
            body["agreement"] = json!(DIGEST);
            body["kyc_valid_to"] = json!(self.today().plus_days(1_000));
            let mut by = vec![&self.operator, party];
            if roles != ["authority"] {
                body["vouched_by"] = json!(self.tax.id);
                by.push(&self.tax);
            }
            self.signed(&by, "party.admit", &body)
        };
        self.enter(runtime, &[admission(&self.tax, &["authority"], None)]);
        let debtors = self
            .debtors
            .iter()
            .map(|party| admission(party, &["debtor"], Some("large")));
        let lenders = self
            .lenders
            .iter()
            .map(|party| admission(party, &["lender"], None));
        let traders = self.suppliers.iter().chain(&self.makers);
        let traders = traders.map(|party| admission(party, &["supplier", "debtor"], Some("small")));
        self.enter(
            runtime,
            &debtors.chain(lenders).chain(traders).collect::<Vec<_>>(),
        );
    }

    fn contract(&self, supplier: &Party, debtor: &Party, number: &str) -> Envelope {
        let body = json!({
            "supplier": supplier.id, "debtor": debtor.id, "number": number, "currency": "CNY",
            "concluded": self.today(), "payment_days": 60, "inspection_days": 7, "supplier_size": "small",
            "debtor_size": "large", "grace_days": 0, "vouchers": true, "document": DIGEST,
        });
        self.signed(&[supplier], "contract.propose", &body)
    }

    /// Every supplier sells to a debtor, buys of a maker, and has receivables confirmed.
    fn trade(&mut self, runtime: &Runtime) {
        let debtor = |n: usize| &self.debtors[n % DEBTORS];
        let maker = |n: usize| n % MAKERS;
        let pairs = self.suppliers.iter().enumerate();
        let sales = pairs
            .clone()
            .map(|(n, supplier)| self.contract(supplier, debtor(n), "SALE"));
        let sales = self.enter(runtime, &sales.collect::<Vec<_>>());
        let buys = pairs
            .clone()
            .map(|(n, supplier)| self.contract(&self.makers[maker(n)], supplier, "BUY"));
        let buys = self.enter(runtime, &buys.collect::<Vec<_>>());
        let accept = |by: &Party, op: &OpId| {
            self.signed(
                &[by],
                "contract.accept",
                &json!({"contract": ContractId::of(op, 0)}),
            )
        };
        let accepts = pairs
            .clone()
            .flat_map(|(n, supplier)| [accept(debtor(n), &sales[n]), accept(supplier, &buys[n])]);
        self.enter(runtime, &accepts.collect::<Vec<_>>());

        let all: Vec<(usize, usize)> = (0..SUPPLIERS)
            .flat_map(|n| (0..RECEIVABLES).map(move |k| (n, k)))
            .collect();
        let invoices = all.iter().map(|(n, k)| {
            let document = counterfoil::chain::hash::sha256(format!("{n} {k}").as_bytes());
            let body = json!({
                "contract": ContractId::of(&sales[*n], 0), "number": format!("INV-{k}"), "type_code": 380,
                "issued": self.today(), "currency": "CNY", "net": "900000.00", "tax": "100000.00",
                "gross": "1000000.00", "document": document.to_string(),
            });
            self.signed(&[&self.suppliers[*n]], "invoice.issue", &body)
        });
        let invoices = self.enter(runtime, &invoices.collect::<Vec<_>>());
        let shares = |op: &OpId| json!([{"invoice": InvoiceId::of(op, 0), "amount": "1000000.00"}]);
        let registrations = all.iter().zip(&invoices).map(|((n, _), invoice)| {
            let body =
                json!({"contract": ContractId::of(&sales[*n], 0), "shares": shares(invoice)});
            self.signed(&[&self.suppliers[*n]], "receivable.register", &body)
        });
        let registered = self.enter(runtime, &registrations.collect::<Vec<_>>());
        let confirmations = all.iter().zip(&invoices).zip(&registered).map(|(((n, _), invoice), op)| {
            let body = json!({
                "receivable": ReceivableId::of(op, 0), "shares": shares(invoice), "due": self.today().plus_days(50),
                "defences": {}, "notice": "ledger",
            });
            self.signed(&[debtor(*n)], "receivable.confirm", &body)
        });
        self.enter(runtime, &confirmations.collect::<Vec<_>>());
        self.held = all
            .iter()
            .zip(&registered)
            .map(|((n, _), op)| Held {
                supplier: *n,
                maker: maker(*n),
                receivable: ReceivableId::of(op, 0),
                owes: ContractId::of(&buys[*n], 0),
            })
            .collect();
    }

    /// The `i`-th operation of the mix: a third each sets a limit, proposes a contract, and proposes a transfer of a
    /// fen that no other of them names.
    pub(super) fn operation(&self, i: usize) -> Envelope {
        let (kind, k) = (i % 3, i / 3);
        match kind {
            0 => {
                let body = json!({
                    "debtor": self.debtors[k / LENDERS % DEBTORS].id, "currency": "CNY",
                    "amount": format!("{}.00", 1_000_000 + k), "valid_to": self.today().plus_days(90),
                });
                self.signed(&[&self.lenders[k % LENDERS]], "limit.set", &body)
            }
            1 => {
                let supplier = &self.suppliers[k % SUPPLIERS];
                self.contract(
                    supplier,
                    &self.debtors[k / SUPPLIERS % DEBTORS],
                    &format!("C-{k}"),
                )
            }
            _ => {
                let held = &self.held[k % self.held.len()];
                let lo = k / self.held.len();
                let body = json!({
                    "addresses": [format!("{}:{lo}-{}", held.receivable, lo + 1)], "to": self.makers[held.maker].id,
                    "recourse": "none", "basis": {"contract": held.owes}, "expires": self.now.plus_days(5).to_string(),
                });
                self.signed(&[&self.suppliers[held.supplier]], "transfer.propose", &body)
            }
        }
    }
}

fn party(id: String, seed: usize) -> Party {
    let seed = u8::try_from(seed + 1).unwrap();
    Party {
        id,
        key: SigningKey::from_seed(&[seed; 32]),
    }
}

/// A legal entity identifier with the right check digits (ISO 17442: mod 97-10).
fn lei(n: usize) -> String {
    let body = format!("9999FIGURES{n:07}");
    let rest = format!("{body}00").chars().fold(0, |rest, c| {
        let digit = c.to_digit(36).unwrap();
        let shift = if digit > 9 { 100 } else { 10 };
        (rest * shift + digit) % 97
    });
    format!("lei:{body}{:02}", 98 - rest)
}
