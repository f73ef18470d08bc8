//! Some sixty parties on a drill ledger of their own, under contract with each other.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::chain::pae::OP_TYPE;
use crate::chain::{Envelope, SigningKey, hash};
use crate::domain::rulebook::Rulebook;
use crate::domain::values::{
    AccountId, ContractId, Day, Instant, InvoiceId, Label, MadeId, Name, OpId, UtcOffset,
};
use crate::ledger::{ClockChoice, Config, InitOptions, Ledger, init};

use super::deal::{Deal, Desk, Kind};
use super::{BenchError, Result, load};

pub(super) const DEBTORS: usize = 10;
pub(super) const LENDERS: usize = 10;
pub(super) const SUPPLIERS: usize = 20;
pub(super) const MAKERS: usize = 20;
/// With the operator, a tax authority and a bank.
pub(super) const PARTIES: usize = 3 + DEBTORS + LENDERS + SUPPLIERS + MAKERS;
/// A Monday in an ordinary week, so that the same is measured on every day.
const BEGIN: Instant = Instant::from_millis(1_772_416_800_000);
/// Minutes for which an operation stays usable, as clients set them.
const USABLE_MINUTES: i64 = 10;
const DIGEST: &str = "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92";

/// Whoever signs.
pub(super) struct Party {
    pub(super) id: String,
    pub(super) key: SigningKey,
}

/// Somebody who sells, and its account and contracts by which it is owed.
pub(super) struct Seller {
    pub(super) party: Party,
    pub(super) account: AccountId,
    /// The n-th is with the n-th of its customers.
    pub(super) contracts: Vec<ContractId>,
}

/// The parties. It knows time and order, but no ledger: whoever submits brings that.
pub(super) struct Town {
    origin: String,
    now: Instant,
    rulebook: Rulebook,
    /// What tells operations apart that are alike.
    nonce: AtomicU64,
    /// Deals that there were.
    deals: usize,
    operator: Party,
    tax: Party,
    bank: Party,
    pub(super) debtors: Vec<Party>,
    pub(super) lenders: Vec<Party>,
    /// Each sells to the debtor of its number.
    pub(super) suppliers: Vec<Seller>,
    /// Each sells to the supplier of its number, to the one before, and to the maker before.
    pub(super) makers: Vec<Seller>,
}

impl Town {
    /// A new drill ledger in a folder, with everybody admitted, under contract, with a limit and an account.
    pub(super) fn found(data: &Path) -> Result<(Town, Ledger)> {
        let operator = party("x:operator".to_owned(), 0);
        let rulebook = Rulebook::from_toml(include_str!("../../contracts/rulebooks/cn-2025.toml"))
            .map_err(|error| BenchError::of("the rulebook", error))?;
        let origin = begin(data, &operator, &rulebook)?;
        let ledger = open(data)?;
        let some = |count: usize, from: usize, id: fn(usize) -> String| {
            (from..from + count).map(move |n| party(id(n), n))
        };
        let seller = |party| Seller {
            party,
            account: AccountId::from_bytes([0; 16]),
            contracts: Vec::new(),
        };
        let mut town = Town {
            origin,
            now: BEGIN,
            rulebook,
            nonce: AtomicU64::new(0),
            deals: 0,
            operator,
            tax: party("x:tax".to_owned(), 1),
            bank: party("x:bank".to_owned(), 2),
            debtors: some(DEBTORS, 10, lei).collect(),
            lenders: some(LENDERS, 30, |n| format!("x:lender-{n}")).collect(),
            suppliers: some(SUPPLIERS, 50, lei).map(seller).collect(),
            makers: some(MAKERS, 80, lei).map(seller).collect(),
        };
        town.admit(&ledger)?;
        town.accounts(&ledger)?;
        town.contracts(&ledger)?;
        town.limits(&ledger)?;
        Ok((town, ledger))
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    pub(super) fn today(&self) -> Day {
        UtcOffset::CHINA.day_of(self.now)
    }

    /// When what is confirmed today falls due: a business day within the contracts' sixty days.
    pub(super) fn due(&self) -> Day {
        self.rulebook.calendar.roll(self.today().plus_days(45))
    }

    fn later(&mut self, ledger: &Ledger, now: Instant) -> Result<()> {
        self.now = now;
        ledger
            .advance(now)
            .map_err(|refusal| BenchError::of("the clock", refusal))
    }

    /// Moves the clock behind the end of all that was signed, and has it forgotten: it takes an entry for that.
    pub(super) fn forget(&mut self, ledger: &Ledger) -> Result<()> {
        self.later(ledger, self.now.plus_minutes(USABLE_MINUTES + 1))?;
        let limit = self.limit(&self.lenders[0], &self.debtors[0])?;
        load::in_process(ledger, &[vec![limit.1]])
    }

    /// The next deals, which are independent of each other, with the invoices that they are about: those are entries
    /// already. What was signed before has expired by now.
    pub(super) fn deals(&mut self, ledger: &Ledger, kind: Kind, count: usize) -> Result<Vec<Deal>> {
        self.later(ledger, self.now.plus_minutes(USABLE_MINUTES + 1))?;
        let numbers = self.deals..self.deals + count;
        self.deals = numbers.end;
        let town = &*self;
        let invoices = numbers.clone().into_par_iter().map(|i| town.invoice(i));
        let invoices = invoices.collect::<Result<Vec<_>>>()?;
        let (ids, envelopes): (Vec<_>, Vec<_>) = invoices.into_iter().unzip();
        enter(ledger, envelopes)?;
        let desks = numbers.into_par_iter().zip(ids);
        desks
            .map(|(i, op)| Desk::at(town, i, InvoiceId::of(&op, 0)).deal(kind))
            .collect()
    }

    /// An operation by the first of these, signed by all: its id and its envelope.
    pub(super) fn signed(&self, by: &[&Party], op: &str, body: &Value) -> Result<(OpId, Bytes)> {
        let nonce = self.nonce.fetch_add(1, Ordering::Relaxed);
        let payload = json!({
            "ledger": self.origin, "op": op, "party": by[0].id, "nonce": format!("{nonce:032x}"),
            "not_after": self.now.plus_minutes(USABLE_MINUTES).to_string(), "body": body,
        });
        let bad = |error: crate::chain::EnvelopeError| BenchError::of(op, error.code());
        let mut envelope = Envelope::new(OP_TYPE, payload.to_string()).map_err(bad)?;
        for party in by {
            envelope.sign(&party.key).map_err(bad)?;
        }
        Ok((OpId(*envelope.op_id().as_bytes()), envelope.encode().into()))
    }

    fn admission(&self, party: &Party, roles: &[&str]) -> Result<Bytes> {
        let mut body =
            json!({"party": party.id, "name": format!("Party {}", party.id), "roles": roles});
        if roles == ["authority"] {
            body["scopes"] = json!(["attest"]);
        }
        if roles.contains(&"debtor") {
            let size = if roles.contains(&"supplier") {
                "small"
            } else {
                "large"
            };
            body["size"] = json!(size);
        }
        let key = party.key.public_key().to_string();
        body["key"] =
            json!({"key": key, "label": "first", "person": "one", "powers": ["admin", "maker"]});
        body["evidence"] = json!(DIGEST);
        body["agreement"] = json!(DIGEST);
        body["kyc_valid_to"] = json!(self.today().plus_days(1_000));
        let mut by = vec![&self.operator, party];
        if roles != ["authority"] {
            body["vouched_by"] = json!(self.tax.id);
            by.push(&self.tax);
        }
        Ok(self.signed(&by, "party.admit", &body)?.1)
    }

    fn admit(&self, ledger: &Ledger) -> Result<()> {
        let mut admissions = vec![
            self.admission(&self.tax, &["authority"])?,
            self.admission(&self.bank, &["bank"])?,
        ];
        for debtor in &self.debtors {
            admissions.push(self.admission(debtor, &["debtor"])?);
        }
        for lender in &self.lenders {
            admissions.push(self.admission(lender, &["lender"])?);
        }
        for seller in self.suppliers.iter().chain(&self.makers) {
            admissions.push(self.admission(&seller.party, &["supplier", "debtor"])?);
        }
        load::in_process(ledger, &[admissions])
    }

    /// Everybody who sells has an account, which is usable some days later.
    fn accounts(&mut self, ledger: &Ledger) -> Result<()> {
        let mut entered = Vec::new();
        let mut accounts = Vec::new();
        for (n, seller) in self.suppliers.iter().chain(&self.makers).enumerate() {
            let body = json!({
                "bank": self.bank.id, "number": format!("6222{n:012}"), "currency": "CNY", "default": true,
            });
            let (op, added) = self.signed(&[&seller.party], "account.add", &body)?;
            let account = AccountId::of(&op, 0);
            let attested = self.signed(
                &[&self.bank],
                "account.attest",
                &json!({"account": account}),
            )?;
            entered.extend([added, attested.1]);
            accounts.push(account);
        }
        for (seller, account) in self
            .suppliers
            .iter_mut()
            .chain(&mut self.makers)
            .zip(accounts)
        {
            seller.account = account;
        }
        load::in_process(ledger, &[entered])?;
        let cooled = i64::from(self.rulebook.rules.account_cooling.params.days);
        self.later(ledger, self.now.plus_days(cooled))
    }

    fn contracts(&mut self, ledger: &Ledger) -> Result<()> {
        let mut entered = Vec::new();
        let mut contract = |town: &Town, seller: &Party, buyer: &Party| {
            let size = if buyer.id.starts_with("lei:") && !town.is_large(buyer) {
                "small"
            } else {
                "large"
            };
            let body = json!({
                "supplier": seller.id, "debtor": buyer.id, "number": "FRAME", "currency": "CNY",
                "concluded": town.today(), "payment_days": 60, "inspection_days": 7, "supplier_size": "small",
                "debtor_size": size, "grace_days": 0, "vouchers": true, "document": DIGEST,
            });
            let (op, proposed) = town.signed(&[seller], "contract.propose", &body)?;
            let id = ContractId::of(&op, 0);
            let accepted = town.signed(&[buyer], "contract.accept", &json!({"contract": id}))?;
            entered.extend([proposed, accepted.1]);
            Ok(id)
        };
        let sales = self.suppliers.iter().enumerate().map(|(n, supplier)| {
            Ok(vec![contract(
                self,
                &supplier.party,
                &self.debtors[n % DEBTORS],
            )?])
        });
        let sales = sales.collect::<Result<Vec<_>>>()?;
        let buys = self.makers.iter().enumerate().map(|(n, maker)| {
            let before = (n + MAKERS - 1) % MAKERS;
            let customers = [
                &self.suppliers[n],
                &self.suppliers[before],
                &self.makers[before],
            ];
            let each = customers.map(|customer| contract(self, &maker.party, &customer.party));
            each.into_iter().collect()
        });
        let buys = buys.collect::<Result<Vec<_>>>()?;
        let sellers = self.suppliers.iter_mut().chain(&mut self.makers);
        for (seller, contracts) in sellers.zip(sales.into_iter().chain(buys)) {
            seller.contracts = contracts;
        }
        load::in_process(ledger, &[entered])
    }

    fn is_large(&self, buyer: &Party) -> bool {
        self.debtors.iter().any(|debtor| debtor.id == buyer.id)
    }

    fn limit(&self, lender: &Party, debtor: &Party) -> Result<(OpId, Bytes)> {
        let body = json!({
            "debtor": debtor.id, "currency": "CNY", "amount": "900000000000000.00",
            "valid_to": self.today().plus_days(300),
        });
        self.signed(&[lender], "limit.set", &body)
    }

    fn limits(&self, ledger: &Ledger) -> Result<()> {
        let mut entered = Vec::new();
        for lender in &self.lenders {
            for debtor in &self.debtors {
                entered.push(self.limit(lender, debtor)?.1);
            }
        }
        load::in_process(ledger, &[entered])
    }

    /// The invoice of a deal, of which every receivable has a share.
    fn invoice(&self, i: usize) -> Result<(OpId, Bytes)> {
        let supplier = &self.suppliers[i % SUPPLIERS];
        let body = json!({
            "contract": supplier.contracts[0], "number": format!("INV-{i}"), "type_code": 380,
            "issued": self.today(), "currency": "CNY", "net": "4000000.00", "tax": "520000.00",
            "gross": "4520000.00", "document": hash::sha256(&i.to_be_bytes()).to_string(),
        });
        self.signed(&[&supplier.party], "invoice.issue", &body)
    }
}

/// Opens a drill at the time of its last entry.
pub(super) fn open(data: &Path) -> Result<Ledger> {
    let config = Config {
        clock: ClockChoice::Manual,
        ..Config::new(data)
    };
    Ledger::open(config, &mut |_, _| ()).map_err(|error| BenchError::of(data.display(), error))
}

/// Has operations accepted that ask nothing of each other.
fn enter(ledger: &Ledger, envelopes: Vec<Bytes>) -> Result<()> {
    let each: Vec<Deal> = envelopes.into_iter().map(|one| vec![one]).collect();
    load::in_process(ledger, &each)
}

fn begin(data: &Path, operator: &Party, rulebook: &Rulebook) -> Result<String> {
    let broken = |error: &dyn std::fmt::Display| BenchError::of("the new ledger", error);
    let options = InitOptions {
        origin_base: "bench.example/receivables".to_owned(),
        drill: true,
        operator: operator.id.parse().map_err(|error| broken(&error))?,
        operator_name: Name::new("Operator").map_err(|error| broken(&error))?,
        operator_key: &operator.key,
        key_label: Label::new("first").map_err(|error| broken(&error))?,
        person: Label::new("the operator").map_err(|error| broken(&error))?,
        rulebook: rulebook.clone(),
        utc_offset: UtcOffset::CHINA,
        time: Some(BEGIN),
        passphrase: None,
    };
    init(data, &options).map_err(|error| broken(&error))
}

fn party(id: String, seed: usize) -> Party {
    Party {
        id,
        key: SigningKey::from_seed(hash::sha256(&seed.to_be_bytes()).as_bytes()),
    }
}

/// A legal entity identifier with the right check digits (ISO 17442: mod 97-10).
fn lei(n: usize) -> String {
    let body = format!("9999FIGURES{n:07}");
    let rest = format!("{body}00").chars().fold(0, |rest, c| {
        let digit = c.to_digit(36).unwrap_or(0);
        let shift = if digit > 9 { 100 } else { 10 };
        (rest * shift + digit) % 97
    });
    format!("lei:{body}{:02}", 98 - rest)
}
