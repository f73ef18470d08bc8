//! The table: who sees which object. Whoever is not named in a row does not see it.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{Answer, Reader};
use super::cast::everybody;
use super::scene::{Scene, names};
use super::secrets::{self, Heard};
use super::{due, sheet};

/// Kind, object, and everybody who sees it.
pub(super) type Row = (&'static str, &'static str, &'static str);

pub(super) const TABLE: &[Row] = &[
    // A contract: its two parties, whoever proposed it and whatever became of it.
    ("contracts", "ctr-main", "tax supplier hospital"),
    ("contracts", "ctr-parts", "tax supplier maker"),
    ("contracts", "ctr-haul", "tax supplier carrier"),
    ("contracts", "ctr-forge", "tax carrier smith"),
    ("contracts", "ctr-open", "tax supplier hospital"),
    ("contracts", "ctr-no", "tax supplier maker"),
    ("contracts", "ctr-two", "tax workshop works"),
    ("deliveries", "dlv-main", "tax supplier hospital"),
    ("deliveries", "dlv-open", "tax supplier hospital"),
    ("deliveries", "dlv-no", "tax supplier hospital"),
    ("deliveries", "dlv-parts", "tax supplier maker"),
    ("deliveries", "dlv-two", "tax workshop works"),
    // An invoice: seller and buyer, and whoever attests invoices. Not the holders of what it backs.
    ("invoices", "inv-main", "tax inspector supplier hospital"),
    ("invoices", "inv-open", "tax inspector supplier hospital"),
    ("invoices", "inv-no", "tax inspector supplier hospital"),
    ("invoices", "inv-flag", "tax inspector supplier hospital"),
    ("invoices", "inv-void", "tax inspector supplier hospital"),
    ("invoices", "inv-parts", "tax inspector supplier maker"),
    ("invoices", "inv-haul", "tax inspector supplier carrier"),
    ("invoices", "inv-forge", "tax inspector carrier smith"),
    ("invoices", "inv-two", "tax inspector workshop works"),
    // A receivable: supplier, debtor, holders (bank A bought, the smith was paid in it, the factor's fens are settled) and
    // former holders (maker, carrier). Not bank B, whose price is not booked; nor assignees who have not accepted.
    (
        "receivables",
        "rcv-main",
        "tax supplier hospital maker carrier smith factor bank-a",
    ),
    ("receivables", "rcv-open", "tax supplier hospital"),
    ("receivables", "rcv-no", "tax supplier hospital"),
    ("receivables", "rcv-two", "tax workshop works fund"),
    // A transfer: assignor and assignee. Not the debtor, nor later holders.
    ("transfers", "trf-maker", "tax supplier maker"),
    ("transfers", "trf-carrier", "tax supplier carrier"),
    ("transfers", "trf-smith", "tax carrier smith"),
    ("transfers", "trf-no", "tax supplier carrier"),
    ("transfers", "trf-open", "tax supplier maker"),
    // A request: its requester, and the lenders that may bid until it ends. Not the debtor, not a bank that lends nothing.
    ("requests", "req-sold", "tax maker"),
    ("requests", "req-done", "tax supplier"),
    ("requests", "req-back", "tax supplier"),
    ("requests", "req-gone", "tax supplier"),
    ("requests", "req-wait", "tax supplier"),
    ("requests", "req-live", "tax supplier bank-a factor"),
    (
        "requests",
        "req-sealed",
        "tax supplier bank-a bank-b factor fund",
    ),
    ("requests", "req-two", "tax workshop"),
    (
        "requests",
        "req-any",
        "tax workshop bank-a bank-b factor fund",
    ),
    // An offer: its lender always, the requester of visible ones; of sealed ones nobody before the window ends.
    ("offers", "ofr-sold", "tax maker factor"),
    ("offers", "ofr-done", "tax supplier bank-a"),
    ("offers", "ofr-lost", "tax supplier factor"),
    ("offers", "ofr-back", "tax supplier factor"),
    ("offers", "ofr-gone", "tax supplier bank-b"),
    ("offers", "ofr-wait", "tax supplier bank-b"),
    ("offers", "ofr-live-a", "tax supplier bank-a"),
    ("offers", "ofr-live-f", "tax supplier factor"),
    ("offers", "ofr-sealed-a", "tax bank-a"),
    ("offers", "ofr-sealed-b", "tax bank-b"),
    ("offers", "ofr-two", "tax workshop fund"),
    // A financing: lender and requester.
    ("financings", "fin-sold", "tax maker factor"),
    ("financings", "fin-done", "tax supplier bank-a"),
    ("financings", "fin-back", "tax supplier factor"),
    ("financings", "fin-wait", "tax supplier bank-b"),
    ("financings", "fin-two", "tax workshop fund"),
    // A limit: its lender alone.
    ("limits", "lim-a", "tax bank-a"),
    ("limits", "lim-b", "tax bank-b"),
    ("limits", "lim-f", "tax factor"),
    ("limits", "lim-two", "tax fund"),
    // An account: its party and its bank.
    ("accounts", "acc-supplier", "tax supplier bank-a"),
    ("accounts", "acc-maker", "tax maker bank-b"),
    ("accounts", "acc-factor", "tax factor bank-a"),
    ("accounts", "acc-bank-a", "tax bank-a bank-b"),
    ("accounts", "acc-workshop", "tax workshop bank-c"),
    ("accounts", "acc-smith", "tax smith bank-b"),
    ("accounts", "acc-closed", "tax supplier bank-a"),
    // A leg: payer, payee and the bank of the account.
    ("legs", "leg-sold", "tax factor maker bank-b"),
    ("legs", "leg-done", "tax bank-a supplier"),
    ("legs", "leg-back", "tax factor supplier bank-a"),
    ("legs", "leg-paid", "tax hospital factor bank-a"),
    ("legs", "leg-wait", "tax bank-b supplier bank-a"),
    ("legs", "leg-two", "tax fund workshop bank-c"),
    ("legs", "leg-paid-two", "tax works workshop bank-c"),
    // An obligation: who owes and who is owed.
    ("obligations", "obl-fee", "tax bank-a bank-b"),
    ("obligations", "obl-refund", "tax factor hospital"),
    ("obligations", "obl-two", "tax fund bank-c"),
];

/// Every kind that is listed.
pub(super) const KINDS: [&str; 13] = [
    "parties",
    "contracts",
    "deliveries",
    "invoices",
    "receivables",
    "transfers",
    "requests",
    "offers",
    "financings",
    "limits",
    "accounts",
    "legs",
    "obligations",
];

/// An id of the same kind that never was.
pub(super) fn absent(id: &str) -> String {
    let (prefix, _) = id.split_once('_').unwrap();
    format!("{prefix}_00000000000000000000000000")
}

/// Whether a row names the reader.
pub(super) fn sees(row: &Row, reader: &str) -> bool {
    names(row.2).any(|name| name == reader)
}

/// What one party is answered, and what of it is not as the tables say.
struct Visit<'s> {
    scene: &'s Scene,
    who: &'static str,
    reader: Reader,
    heard: Vec<(String, String)>,
    wrong: Vec<String>,
}

impl Visit<'_> {
    fn get(&mut self, path: &str) -> Answer {
        let answer = self.reader.get(path);
        self.heard.push((path.to_owned(), answer.body.clone()));
        answer
    }

    /// The one answer for what is unseen: that for what is absent, byte for byte.
    fn check_unseen(&mut self, unseen: &str, absent: &Answer) {
        let answer = self.get(unseen);
        if answer.status != 404 || answer != *absent {
            let wrong = format!(
                "{} {unseen}: {answer:?}, but of what is absent {absent:?}",
                self.who
            );
            self.wrong.push(wrong);
        }
    }

    fn objects(&mut self) {
        let mut of_absent: BTreeMap<(&str, &str), Answer> = BTreeMap::new();
        for row in TABLE {
            let (kind, name, _) = *row;
            let id = self.scene.id(name).to_owned();
            let parts: &[&str] = match kind {
                "receivables" => &["", "/claims", "/payoff", "/payoff?day=2026-07-25"],
                _ => &[""],
            };
            for part in parts {
                let path = format!("/v1/{kind}/{id}{part}");
                if !sees(row, self.who) {
                    let absent = of_absent
                        .entry((kind, part))
                        .or_insert_with(|| {
                            self.reader
                                .get(&format!("/v1/{kind}/{}{part}", absent(&id)))
                        })
                        .clone();
                    self.check_unseen(&path, &absent);
                    continue;
                }
                let answer = self.get(&path);
                let field = if part.is_empty() { "id" } else { "receivable" };
                if answer.status != 200 || answer.json()[field] != id {
                    self.wrong.push(format!(
                        "{} does not see {name} at {path}: {}",
                        self.who, answer.status
                    ));
                }
            }
        }
    }

    /// A list holds what the table says and nothing more, whole and page by page.
    fn lists(&mut self) {
        for kind in KINDS {
            let listed = ids(&self.get(&format!("/v1/{kind}?limit=200")));
            let mut expected: Vec<&str> = match kind {
                "parties" => everybody()
                    .map(|name| self.scene.party(name).id.as_str())
                    .collect(),
                _ => {
                    let rows = TABLE
                        .iter()
                        .filter(|row| row.0 == kind && sees(row, self.who));
                    rows.map(|row| self.scene.id(row.1)).collect()
                }
            };
            expected.sort_unstable();
            let named = |id: &str| {
                TABLE
                    .iter()
                    .find(|row| self.scene.id(row.1) == id)
                    .map_or("?", |row| row.1)
            };
            if listed != expected {
                let listed: Vec<_> = listed.iter().map(|id| named(id)).collect();
                self.wrong
                    .push(format!("{} lists {kind}: {listed:?}", self.who));
            } else if by_pages(&self.reader, kind) != listed {
                self.wrong.push(format!(
                    "{} pages through other {kind} than it lists",
                    self.who
                ));
            }
        }
    }

    /// A raw entry and its receipt go to its actor, its counterparties, the bank of a leg and the auditor.
    fn entries(&mut self) {
        let absent = self.reader.get("/v1/entries/999999999");
        assert_eq!(
            self.reader
                .get(&format!("/v1/operations/{}", "f".repeat(64))),
            absent
        );
        for entry in &self.scene.entries {
            let receipt = format!("/v1/operations/{}", entry.op_id);
            for path in [format!("/v1/entries/{}", entry.n), receipt] {
                if !entry.readers.contains(self.who) {
                    self.check_unseen(&path, &absent);
                    continue;
                }
                let answer = self.get(&path);
                if answer.status != 200 || answer.json()["n"] != entry.n {
                    let wrong = format!(
                        "{} does not read {path}, {}: {}",
                        self.who, entry.op, answer.status
                    );
                    self.wrong.push(wrong);
                }
            }
        }
    }
}

impl Visit<'_> {
    /// A file holds what the rows hold, no field less and none more.
    fn files(&mut self) {
        for kind in KINDS {
            let rows = self.get(&format!("/v1/{kind}?limit=200")).json();
            let file = self.get(&format!("/v1/{kind}?format=csv")).body;
            if let Err(difference) = sheet::same(&rows["items"], &file) {
                self.wrong
                    .push(format!("{} as a file of {kind}: {difference}", self.who));
            }
        }
    }

    /// The feed is numbered without gap and shows what the party may read; an auditor's shows all.
    fn feed(&mut self) {
        let (mut events, mut path) = (Vec::new(), "/v1/events?limit=7".to_owned());
        loop {
            let page = self.get(&path).json();
            events.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => path = format!("/v1/events?limit=7&after={next}"),
                None => break,
            }
        }
        // Notices are no entries: `notices` holds them against a table of their own.
        events.retain(|event| event.get("notice").is_none());
        let numbers = events.iter().map(|event| event["n"].as_u64().unwrap());
        let numbers: BTreeSet<u64> = numbers.collect();
        let gapless = (1..).zip(&events).all(|(seq, event)| event["seq"] == seq);
        // What a party may read from an instant on joins its feed with the next entry that it is told.
        let waits = |op: &str| op == "offer.reveal";
        let fits = self.scene.entries.iter().all(|entry| {
            let reads = entry.readers.contains(self.who);
            numbers.contains(&entry.n) == reads || (reads && waits(entry.op))
        });
        if !gapless || !fits || numbers.len() != events.len() {
            self.wrong
                .push(format!("{} has another feed: {events:?}", self.who));
        }
        let objects = events.iter().flat_map(|event| {
            let objects = event["objects"].as_array().unwrap();
            objects.iter().filter_map(|id| id.as_str())
        });
        let unseen = objects.filter(|id| {
            TABLE
                .iter()
                .any(|row| self.scene.id(row.1) == *id && !sees(row, self.who))
        });
        let unseen: Vec<&str> = unseen.collect();
        if !unseen.is_empty() {
            self.wrong
                .push(format!("{}'s feed names {unseen:?}", self.who));
        }
    }

    /// What is due is what is open: all of a receivable to its debtor, to a holder its own.
    fn dues(&mut self) {
        let rows = self.get("/v1/receivables?limit=200").json();
        let dues = self.get("/v1/due?limit=200").json();
        let id = &self.scene.party(self.who).id;
        for wrong in due::differences(&rows["items"], &dues["items"], id) {
            self.wrong.push(format!("{}: {wrong}", self.who));
        }
    }

    /// The list of claims holds what each receivable says, as a file too; and the secrets are kept in the past as well.
    fn claims(&mut self) {
        let receivables = self.get("/v1/receivables?limit=200").json();
        let mut expected = Vec::new();
        for row in receivables["items"].as_array().unwrap() {
            let path = format!("/v1/receivables/{}/claims", row["id"].as_str().unwrap());
            let claims = self.get(&path).json();
            let addresses = claims["claims"].as_array().unwrap().iter();
            expected.extend(addresses.map(|claim| claim["address"].as_str().unwrap().to_owned()));
        }
        expected.sort_unstable();
        let listed = self.get("/v1/claims?sort=address&limit=200").json();
        let found = listed["items"].as_array().unwrap().iter();
        let found: Vec<&str> = found.map(|row| row["address"].as_str().unwrap()).collect();
        if found != expected {
            self.wrong
                .push(format!("{} lists the claims {found:?}", self.who));
        }
        let file = self.get("/v1/claims?sort=address&format=csv").body;
        if let Err(difference) = sheet::same(&listed["items"], &file) {
            self.wrong
                .push(format!("{} as a file of claims: {difference}", self.who));
        }
        let size = self.scene.entries.last().map_or(1, |last| last.n + 1);
        for size in (1..=size).step_by(20) {
            self.get(&format!("/v1/claims?as_of={size}&limit=200"));
            // The debtor knew at each time whom it owed how much, so it may know it of that time.
            if self.who != "hospital" {
                let main = self.scene.id("rcv-main");
                self.get(&format!("/v1/receivables/{main}/claims?as_of={size}"));
            }
        }
    }
}

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let json = answer.json();
    let items = json["items"].as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The same list in pages of three: no page is short but the last, so none tells what was left out of it.
fn by_pages(reader: &Reader, kind: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut path = format!("/v1/{kind}?limit=3");
    loop {
        let page = reader.get(&path);
        let found = ids(&page);
        let next = page.json()["next"].as_str().map(str::to_owned);
        assert!(found.len() == 3 || next.is_none(), "a short page of {kind}");
        all.extend(found);
        match next {
            Some(after) => path = format!("/v1/{kind}?limit=3&after={after}"),
            None => return all,
        }
    }
}

#[test]
fn a_party_reads_what_concerns_it_and_all_else_is_absent() {
    let scene = Scene::played();
    let (mut heard, mut wrong) = (Heard::new(), Vec::new());
    for who in everybody() {
        let mut visit = Visit {
            scene: &scene,
            who,
            reader: Reader::of(&scene, who),
            heard: Vec::new(),
            wrong: Vec::new(),
        };
        visit.objects();
        visit.lists();
        visit.entries();
        visit.files();
        visit.feed();
        visit.dues();
        visit.claims();
        wrong.append(&mut visit.wrong);
        heard.insert(who, visit.heard);
    }
    wrong.extend(secrets::wrong(&scene, &heard));
    check_nobody(&scene);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Without a session nothing tells an id that is there from one that is not, and there is no list.
fn check_nobody(scene: &Scene) {
    let nobody = Reader::nobody(scene);
    let refused = nobody.get("/v1/parties");
    assert_eq!(refused.status, 401);
    let objects = TABLE
        .iter()
        .map(|row| format!("/v1/{}/{}", row.0, scene.id(row.1)));
    let entries = scene
        .entries
        .iter()
        .map(|entry| format!("/v1/entries/{}", entry.n));
    let operations = scene
        .entries
        .iter()
        .map(|entry| format!("/v1/operations/{}", entry.op_id));
    let lists = KINDS.iter().map(|kind| format!("/v1/{kind}"));
    let receivable = format!("/v1/receivables/{}", scene.id("rcv-main"));
    let parts = ["/claims", "/payoff"].map(|part| format!("{receivable}{part}"));
    let paths = objects
        .chain(entries)
        .chain(operations)
        .chain(lists)
        .chain(parts);
    for path in paths {
        assert_eq!(nobody.get(&path), refused, "{path}");
    }
}
