//! A real invoice goes all the way to settled money, by the real binary and over HTTP.
//!
//! The documents are of a corpus that is not part of the project: `COUNTERFOIL_CORPUS` names its folder, and without it
//! these tests say that they skip. One of the project's own documents goes the same way always.

mod market;

use std::path::{Path, PathBuf};

use counterfoil::domain::values::{
    ContractId, Day, DeliveryId, FinancingId, InvoiceId, LegId, OfferId, OpId, ReceivableId,
    RequestId,
};
use counterfoil::interop::{IssueFacts, check};
use rstest::rstest;
use serde_json::{Value, json};

use self::market::{Market, SOME_DOCUMENT, hour, id};
use crate::independent;
use crate::served::{Party, Server, complaint, run, story, text};
use crate::story::{exported, good};

/// Who a document's seller and buyer are where it names no party of the ledger: documents of other countries carry
/// other identifiers.
const SUPPLIER: &str = "lei:5493001KJTIIGC8Y1R12";
const DEBTOR: &str = "lei:213800WSGIIZCXF1P572";

/// A document of the corpus, or none without one.
fn of_corpus(file: &str) -> Option<PathBuf> {
    let root = std::env::var_os("COUNTERFOIL_CORPUS");
    if root.is_none() {
        eprintln!("skipped: COUNTERFOIL_CORPUS does not name a corpus");
    }
    root.map(|root| Path::new(&root).join(file))
}

fn of_project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/invoices")
        .join(file)
}

#[rstest]
#[case::in_ubl_and_dollars(
    "invoices-ubl/cen__BIS_Billing_30-Valutor_i_faktura.xml",
    "115000.00",
    0
)]
#[case::in_cii_and_euros("invoices-cii/cen__CII_example8.xml", "1099.78", 0)]
#[case::in_cii_prepaid_rounded_and_paid_late(
    "invoices-cii/attestwire__xrechnung-cii-discount.xml",
    "1680.00",
    4
)]
fn a_real_invoice_goes_all_the_way_to_settlement(
    #[case] file: &str,
    #[case] payable: &str,
    #[case] days_late: i64,
) {
    if let Some(file) = of_corpus(file) {
        settled(&file, payable, days_late);
    }
}

#[test]
fn a_document_of_the_project_goes_all_the_way_to_settlement() {
    settled(&of_project("supplier-1-cii.xml"), "600000.00", 12);
}

fn facts(file: &Path) -> IssueFacts {
    let report = check(&std::fs::read(file).unwrap());
    report.document.unwrap().facts().unwrap()
}

/// From the file to the last fen. The supplier is paid at once by a lender, and the lender by the debtor, on the due
/// day or so many days behind it.
fn settled(file: &Path, payable: &str, days_late: i64) {
    let facts = facts(file);
    let known = |party: Option<_>, other: &str| {
        party.map_or(
            other.to_owned(),
            |id: counterfoil::domain::values::PartyId| id.to_string(),
        )
    };
    let start = facts.issued.plus_days(-7);
    let mut market = Market::new(
        start,
        &known(facts.debtor, DEBTOR),
        &known(facts.supplier, SUPPLIER),
    );
    let journey = Journey {
        market: &market,
        facts: &facts,
        payable,
    };
    let accounts = journey.accounts();
    let invoice = journey.imported(file);
    let receivable = journey.confirmed(invoice);
    let financing = journey.financed(receivable);
    journey.disbursed(receivable, financing, &accounts);
    journey.paid(receivable, days_late, &accounts);
    let data = market.closed();
    good(&["audit", "--data", &text(&data)]);
    independent::check_files(exported(&data).path()).unwrap();
}

/// The accounts of those who are paid.
struct Accounts {
    supplier: String,
    lender: String,
}

struct Journey<'m> {
    market: &'m Market,
    facts: &'m IssueFacts,
    payable: &'m str,
}

impl Journey<'_> {
    fn currency(&self) -> String {
        self.facts.currency.to_string()
    }

    /// The parties' accounts; they are usable by the day of the invoice.
    fn accounts(&self) -> Accounts {
        let of = |name, number| {
            self.market
                .account(name, number, &self.currency())
                .to_string()
        };
        Accounts {
            supplier: of("supplier", "6200-1"),
            lender: of("lender", "6200-2"),
        }
    }

    /// A contract, a delivery, and on the day of the invoice the document itself.
    fn imported(&self, file: &Path) -> InvoiceId {
        let market = self.market;
        let start = self.facts.issued.plus_days(-7);
        let terms = json!({
            "supplier": market.party("supplier"), "debtor": market.party("debtor"), "number": "C-1",
            "currency": self.currency(), "concluded": start, "payment_days": 60, "inspection_days": 14,
            "supplier_size": "small", "debtor_size": "large", "late_rate": "0.0005", "grace_days": 0,
            "vouchers": true, "document": SOME_DOCUMENT,
        });
        let contract: ContractId = id(&market.acts("supplier", &[], "contract.propose", &terms));
        market.acts(
            "debtor",
            &[],
            "contract.accept",
            &json!({"contract": contract}),
        );
        market.on(self.facts.issued, 8);
        let body = json!({
            "contract": contract, "number": "D-1", "delivered": self.facts.issued, "amount": self.facts.gross,
        });
        let delivery: DeliveryId = id(&market.acts("supplier", &[], "delivery.record", &body));
        let (contract, delivery) = (contract.to_string(), delivery.to_string());
        let import = [
            "invoice",
            "import",
            &text(file),
            "--contract",
            &contract,
            "--delivery",
            &delivery,
        ];
        let invoice: InvoiceId = id(&market.runs(&import, "supplier"));
        market.acts(
            "debtor",
            &[],
            "delivery.accept",
            &json!({"delivery": delivery}),
        );
        let again: Vec<_> = import
            .iter()
            .map(ToString::to_string)
            .chain(market.signing("supplier"))
            .collect();
        let again = run(&again.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(again.status.code(), Some(1), "a document counts once");
        assert!(
            complaint(&again).contains("invoice.duplicate"),
            "{}",
            complaint(&again)
        );
        invoice
    }

    /// Attested, registered and confirmed, all that is to be paid on it.
    fn confirmed(&self, invoice: InvoiceId) -> ReceivableId {
        let market = self.market;
        let row = market
            .sees("tax")
            .object("invoices", &invoice.to_string())
            .unwrap();
        assert_eq!(row["payable"], self.payable, "{row:#}");
        assert_eq!(
            row["document"],
            json!(self.facts.document),
            "the document itself stays with its owner"
        );
        market.does("tax", "invoice.attest", &json!({"invoice": invoice}));
        let shares = json!([{"invoice": invoice, "amount": self.payable}]);
        let body = json!({"contract": row["contract"], "shares": shares});
        let receivable: ReceivableId = id(&market.does("supplier", "receivable.register", &body));
        let body = json!({
            "receivable": receivable, "shares": shares, "due": self.facts.issued.plus_days(50),
            "defences": {"waived": ["set_off"]}, "notice": "ledger",
        });
        market.does("debtor", "receivable.confirm", &body);
        receivable
    }

    /// All of it is put before lenders, and one of them finances it.
    fn financed(&self, receivable: ReceivableId) -> FinancingId {
        let market = self.market;
        let today = self.facts.issued;
        let body = json!({
            "debtor": market.party("debtor"), "currency": self.currency(), "amount": "1000000.00",
            "valid_to": today.plus_days(300),
        });
        market.does("lender", "limit.set", &body);
        let claims = market
            .sees("supplier")
            .claims(&receivable.to_string())
            .unwrap();
        let body = json!({
            "addresses": [claims["claims"][0]["address"]], "bidding": "visible",
            "closes": hour(today.plus_days(1), 8), "accept_by": hour(today.plus_days(1), 20),
        });
        let request: RequestId = id(&market.does("supplier", "request.open", &body));
        let terms = json!({
            "kind": "purchase", "interest": "in_advance", "rate": "0.0435", "day_count": "ACT/360",
            "fees": [{"payee": market.party("lender"), "bearer": "requester", "amount": "5.00"}],
            "advance_rate": "1", "recourse": "none", "disburse_by": today.plus_days(4),
            "expires": hour(today.plus_days(1), 18),
        });
        let offer: OfferId = id(&market.does(
            "lender",
            "offer.make",
            &json!({"request": request, "offer": terms}),
        ));
        let seen = |by| {
            market
                .sees(by)
                .object("offers", &offer.to_string())
                .unwrap()["comparison"]
                .clone()
        };
        let compared = seen("supplier");
        assert_eq!(compared["rank"], 1);
        let sum = fen(&compared["cost"]) + fen(&compared["funds"]);
        assert_eq!(
            sum,
            fen(&json!(self.payable)),
            "what is not paid out is cost"
        );
        assert!(seen("lender").get("rank").is_none() && seen("lender")["apr"] == compared["apr"]);
        id(&market.does("supplier", "offer.accept", &json!({"offer": offer})))
    }

    /// The lender pays what the schedule says for the day, and then holds every fen.
    fn disbursed(&self, receivable: ReceivableId, financing: FinancingId, accounts: &Accounts) {
        let market = self.market;
        let row = market
            .sees("lender")
            .object("financings", &financing.to_string())
            .unwrap();
        let schedule = row["schedule"].as_array().unwrap();
        assert_eq!(schedule.len(), 5, "the day of acceptance to disburse_by");
        let on = self.facts.issued.plus_days(1);
        let price = schedule
            .iter()
            .find(|price| price["value_date"] == json!(on))
            .unwrap();
        market.on(on, 10);
        let leg = self.transferred(&Leg {
            payer: "lender",
            purpose: "disbursement",
            payee: market.party("supplier"),
            account: &accounts.supplier,
            amount: &price["price"],
            value_date: on,
            discharges: json!([{"financing": financing}]),
        });
        let row = market
            .sees("supplier")
            .object("financings", &financing.to_string())
            .unwrap();
        assert_eq!(
            (&row["state"], &row["funding"]["leg"]),
            (&json!("funded"), &json!(leg))
        );
        assert_eq!(row["funding"]["price"], price["price"]);
        let claims = market
            .sees("lender")
            .claims(&receivable.to_string())
            .unwrap();
        assert_eq!(claims["claims"][0]["face"], self.payable);
    }

    /// The debtor pays what the payoff list says, where it says; then nothing is owed any more.
    fn paid(&self, receivable: ReceivableId, days_late: i64, accounts: &Accounts) {
        let market = self.market;
        let receivable = receivable.to_string();
        let row = market
            .sees("debtor")
            .object("receivables", &receivable)
            .unwrap();
        let due: Day = row["confirmation"]["due"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let day = due.plus_days(days_late);
        market.on(day, 10);
        let payoff = market
            .sees("debtor")
            .payoff(&receivable, &day.to_string())
            .unwrap();
        let [payee] = &payoff["payees"].as_array().unwrap()[..] else {
            panic!("one holder: {payoff:#}");
        };
        assert_eq!(
            (&payee["payee"], &payee["amount"]),
            (&json!(market.party("lender")), &json!(self.payable))
        );
        assert_eq!(payee["account"]["id"], json!(accounts.lender));
        let late = &payee["late_interest"];
        assert_eq!(late.is_null(), days_late == 0, "{late:#}");
        // Late interest of 0.05 % a day, half away from zero.
        let interest = (fen(&payee["amount"]) * 5 * days_late + 5_000) / 10_000;
        assert_eq!(
            if late.is_null() {
                0
            } else {
                fen(&late["amount"])
            },
            interest
        );
        let all = fen(&payee["amount"]) + interest;
        let amount = json!(format!("{}.{:02}", all / 100, all % 100));
        self.transferred(&Leg {
            payer: "debtor",
            purpose: "payment",
            payee: market.party("lender"),
            account: &accounts.lender,
            amount: &amount,
            value_date: day,
            discharges: json!([{"receivable": receivable}]),
        });
        let claims = market.sees("debtor").claims(&receivable).unwrap();
        assert_eq!(
            (&claims["totals"]["open"], &claims["totals"]["settled"]),
            (&json!("0.00"), &json!(self.payable))
        );
        let payoff = market
            .sees("debtor")
            .payoff(&receivable, &day.to_string())
            .unwrap();
        assert_eq!(payoff["payees"], json!([]));
        let owed = market.sees("lender").all("obligations").unwrap();
        assert!(
            owed.iter().all(|row| row["state"] == "discharged"),
            "{owed:#?}"
        );
        let interests = owed
            .iter()
            .filter(|row| row["kind"] == "late_interest")
            .count();
        assert_eq!(interests, usize::from(days_late > 0));
    }

    /// A transfer that is announced, and attested by the payee's bank as it was announced.
    fn transferred(&self, leg: &Leg<'_>) -> LegId {
        let body = json!({
            "purpose": leg.purpose, "payee": leg.payee, "account": leg.account, "amount": leg.amount,
            "value_date": leg.value_date, "end_to_end_id": format!("E2E-{}", leg.purpose),
            "currency": self.currency(), "discharges": leg.discharges,
        });
        let announced: OpId = self.market.does(leg.payer, "leg.announce", &body);
        let made: LegId = id(&announced);
        let body = json!({
            "leg": made, "booked": leg.amount, "value_date": leg.value_date, "reference": format!("B-{}", leg.purpose),
        });
        self.market.does("bank", "leg.attest", &body);
        made
    }
}

/// A bank transfer.
struct Leg<'l> {
    payer: &'l str,
    purpose: &'l str,
    payee: &'l str,
    account: &'l str,
    amount: &'l Value,
    value_date: Day,
    discharges: Value,
}

/// An amount of a row, in hundredths.
fn fen(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// `counterfoil invoice import` by the supplier of the served story: its exit code, its complaint and how many entries
/// it made. `INV` and `CTR` stand for an invoice and its contract.
fn import_into_the_story(file: &Path, more: &[&str]) -> (i32, String, u64) {
    let data = story();
    let server = Server::start(data.path());
    let supplier = Party::of(data.path(), "supplier");
    let seen = server.client_of(&supplier);
    let invoice = seen
        .all("invoices")
        .unwrap()
        .into_iter()
        .find(|row| row["number"] == "QH-2026-014")
        .unwrap();
    let (keys, base) = (text(&data.path().join("keys")), server.base().to_owned());
    let fill = |word: &&str| match *word {
        "INV" => invoice["id"].as_str().unwrap().to_owned(),
        "CTR" => invoice["contract"].as_str().unwrap().to_owned(),
        word => word.to_owned(),
    };
    let before = seen.status().unwrap().size;
    let words = [
        "invoice",
        "import",
        &text(file),
        "--as",
        "supplier",
        "--keys",
        &keys,
        "--url",
        &base,
        "--yes",
    ];
    let words: Vec<String> = words.iter().chain(more).map(fill).collect();
    let output = run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let added = seen.status().unwrap().size - before;
    (output.status.code().unwrap(), complaint(&output), added)
}

#[rstest]
#[case::not_valid("bad/wrong-sum.xml", &["--contract", "CTR"], 1, "broken BR-")]
#[case::hostile("bad/external-entity.xml", &["--contract", "CTR"], 1, "reject")]
#[case::already_there("supplier-1.xml", &["--contract", "CTR"], 1, "invoice.duplicate")]
#[case::of_no_contract("supplier-1.xml", &[], 2, "--contract")]
#[case::a_credit_of_nothing("supplier-credit-1.xml", &[], 2, "--invoice")]
#[case::absent("absent.xml", &["--contract", "CTR"], 3, "absent.xml")]
fn what_is_not_imported_is_explained(
    #[case] file: &str,
    #[case] more: &[&str],
    #[case] code: i32,
    #[case] said: &str,
) {
    let (found, complaint, added) = import_into_the_story(&of_project(file), more);
    assert_eq!((found, added), (code, 0), "{complaint}");
    assert!(complaint.contains(said), "{complaint}");
}

#[test]
fn a_credit_note_credits_the_invoice_that_it_is_imported_for() {
    let note = std::fs::read_to_string(of_project("supplier-credit-1.xml")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("another.xml");
    std::fs::write(
        &file,
        note.replace("26112000000000048230", "26112000000000048231"),
    )
    .unwrap();
    let (code, complaint, added) = import_into_the_story(&file, &["--invoice", "INV"]);
    assert_eq!((code, added), (0, 1), "{complaint}");
}

#[test]
fn what_is_imported_may_be_left_to_others_to_sign() {
    let dir = tempfile::tempdir().unwrap();
    let note = std::fs::read_to_string(of_project("supplier-credit-1.xml")).unwrap();
    let (file, out) = (
        dir.path().join("another.xml"),
        text(&dir.path().join("envelope.json")),
    );
    std::fs::write(
        &file,
        note.replace("26112000000000048230", "26112000000000048231"),
    )
    .unwrap();
    let (code, complaint, added) =
        import_into_the_story(&file, &["--invoice", "INV", "--out", &out]);
    assert_eq!((code, added), (0, 0), "{complaint}");
    assert!(
        complaint.contains("invoice.credit"),
        "it is shown in words before it is signed: {complaint}"
    );
    let envelope: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    assert_eq!(envelope["signatures"].as_array().unwrap().len(), 1);
}
