//! `counterfoil invoice import FILE`: signs and sends what a document says, with its digest. The document stays with
//! its owner.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Failure;
use super::invoice_check::{printable, read};
use super::signing::Signing;
use crate::domain::registry::operation as registered;
use crate::domain::values::{ContractId, DeliveryId, InvoiceId, PartyId};
use crate::interop::{DocumentKind, IssueFacts, Report, Verdict, check};

/// Which document, for which objects of the ledger, and who signs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil invoice import fixtures/invoices/supplier-1.xml --contract ctr_1p8q8ye2t9av9r2p4k75eykmm6 \\\n\
    \x20   --delivery dlv_6pps2v9xrhq2ycdfd4ym8vhq4t --as supplier\n\
    A credit note names what it credits: counterfoil invoice import credit.xml --invoice inv_… --as supplier\n\
    A self-billed invoice (type 389) is its buyer's, and its seller signs too: … --as hospital --out FILE, then\n\
    \x20   counterfoil sign FILE --as supplier, and counterfoil send FILE\n\
    Exit codes: 1 the document or the ledger speaks against it, 2 usage, 3 it could not run."
)]
pub(crate) struct InvoiceImport {
    /// The invoice or credit note, in UBL or CII
    file: PathBuf,
    /// The contract that an invoice bills
    #[arg(long, value_name = "CTR")]
    contract: Option<ContractId>,
    /// A delivery that an invoice bills; as often as there are
    #[arg(long, value_name = "DLV")]
    delivery: Vec<DeliveryId>,
    /// The invoice that a credit note credits, or that a corrected invoice corrects
    #[arg(long, value_name = "INV")]
    invoice: Option<InvoiceId>,
    /// The document names its parties by other identifiers than they have on the ledger
    #[arg(long)]
    other_identifiers: bool,
    #[command(flatten)]
    signing: Signing,
}

/// Checks the document, and signs and sends the operation that it comes to.
pub(crate) fn run(args: &InvoiceImport) -> Result<(), Failure> {
    let bytes = read(&args.file).map_err(|error| Failure::of(args.file.display(), error))?;
    let facts = facts(&args.file, &check(&bytes))?;
    let (operation, body) = args.operation(&facts)?;
    args.check_parties(&facts)?;
    let operation = registered(operation)
        .ok_or_else(|| Failure::CouldNotRun(format!("there is no operation {operation}")))?;
    args.signing.carry_out(operation, &body)
}

/// What the ledger is to know of a document that is valid and, where it is an invoice, may be financed.
fn facts(file: &Path, report: &Report) -> Result<IssueFacts, Failure> {
    let refused = |why: &str| Failure::FoundBad(format!("{}: {why}", file.display()));
    let document = match (&report.document, report.verdict) {
        (Some(document), Verdict::Valid) => document,
        _ => return Err(refused(&broken(report))),
    };
    let facts = document
        .facts()
        .map_err(|error| refused(&printable(&error.to_string())))?;
    // "Profiles without lines (MINIMUM, BASIC WL) are not financeable"; a credit is a fact, however it is written.
    if !facts.financeable && facts.kind != DocumentKind::CreditNote {
        return Err(refused(
            "it does not itemise what was delivered, so it cannot be financed: an invoice with lines is needed, in \
             another profile than MINIMUM and BASIC WL",
        ));
    }
    Ok(facts)
}

/// One of the two parties of a document.
struct Stated {
    /// What documents call it.
    word: &'static str,
    /// What a contract on the ledger calls it.
    field: &'static str,
    /// The official identifier that the document states of it.
    stated: Option<PartyId>,
}

/// Who issues the document, and the other of the two.
fn roles(facts: &IssueFacts) -> (Stated, Stated) {
    let seller = Stated {
        word: "seller",
        field: "supplier",
        stated: facts.supplier,
    };
    let buyer = Stated {
        word: "buyer",
        field: "debtor",
        stated: facts.debtor,
    };
    match facts.kind {
        DocumentKind::SelfBilled => (buyer, seller),
        _ => (seller, buyer),
    }
}

/// What the document states of a party, where it states an official identifier, is the party on the ledger.
fn same(role: &str, stated: Option<PartyId>, party: PartyId) -> Result<(), Failure> {
    match stated {
        Some(stated) if stated != party => Err(Failure::FoundBad(format!(
            "the document's {role} is {stated}, not {party}; if that is another identifier of the same party, say \
             --other-identifiers"
        ))),
        _ => Ok(()),
    }
}

/// The verdict, and under it every rule that was broken.
fn broken(report: &Report) -> String {
    let mut text = report.verdict.as_str().to_owned();
    for hit in &report.rules {
        let (message, place) = (printable(&hit.message), printable(&hit.place));
        text.push_str(&format!("\n  broken {}: {message}\n    at {place}", hit.id));
    }
    text
}

impl InvoiceImport {
    /// The document must be the acting party's own, and between the two of the contract it is put under. A self-billed
    /// invoice is its buyer's own.
    fn check_parties(&self, facts: &IssueFacts) -> Result<(), Failure> {
        if self.other_identifiers {
            return Ok(());
        }
        let party = self.signing.acting()?;
        let (own, other) = roles(facts);
        same(own.word, own.stated, party)?;
        let Some(contract) = self.contract else {
            return Ok(());
        };
        let Signing {
            by,
            party: named,
            keyring,
            remote,
            ..
        } = &self.signing;
        let client = remote.session(keyring, by, *named)?;
        let row = client
            .object("contracts", &contract.to_string())
            .map_err(|error| remote.failure(&error))?;
        if let Some(across) = row[other.field].as_str().and_then(|id| id.parse().ok()) {
            same(other.word, other.stated, across)?;
        }
        let number = row["number"].as_str().unwrap_or_default();
        if let Some(stated) = facts
            .contract
            .as_ref()
            .filter(|stated| stated.as_str() != number)
        {
            eprintln!("note: the document names contract {stated}, and {contract} is {number}");
        }
        Ok(())
    }

    /// The operation, with the objects of the ledger that only its caller knows.
    fn operation(&self, facts: &IssueFacts) -> Result<(&'static str, Value), Failure> {
        let mut body = facts.body();
        let Value::Object(fields) = &mut body else {
            return Err(Failure::CouldNotRun("the document has no facts".to_owned()));
        };
        if facts.kind == DocumentKind::CreditNote {
            let credited = self.invoice.ok_or_else(|| {
                Failure::Usage("a credit note names the invoice it credits: --invoice INV".into())
            })?;
            if self.contract.is_some() || !self.delivery.is_empty() {
                let unused = "a credit note takes --invoice, and neither --contract nor --delivery";
                return Err(Failure::Usage(unused.into()));
            }
            fields.insert("invoice".to_owned(), json!(credited));
            return Ok(("invoice.credit", body));
        }
        let contract = self.contract.ok_or_else(|| {
            Failure::Usage("an invoice names the contract it bills: --contract CTR".into())
        })?;
        let corrects = facts.kind == DocumentKind::Corrected;
        if corrects != self.invoice.is_some() {
            let wrong = "a corrected invoice (type 384) names the one it corrects, --invoice INV, and no other does";
            return Err(Failure::Usage(wrong.into()));
        }
        fields.insert("contract".to_owned(), json!(contract));
        if !self.delivery.is_empty() {
            fields.insert("deliveries".to_owned(), json!(self.delivery));
        }
        if let Some(preceding) = self.invoice {
            fields.insert("preceding".to_owned(), json!(preceding));
        }
        Ok(("invoice.issue", body))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use super::*;

    const INVOICE: &[u8] = include_bytes!("../../fixtures/invoices/supplier-1.xml");
    const CREDIT: &[u8] = include_bytes!("../../fixtures/invoices/supplier-credit-1.xml");

    #[derive(Parser)]
    struct Called {
        #[command(flatten)]
        import: InvoiceImport,
    }

    fn operation(bytes: &[u8], given: &str) -> Result<(&'static str, Value), Failure> {
        let words = ["import", "a.xml", "--as", "supplier"];
        let called = Called::parse_from(words.into_iter().chain(given.split_whitespace()));
        let facts = facts(Path::new("a.xml"), &check(bytes))?;
        called.import.operation(&facts)
    }

    const CONTRACT: &str = "ctr_2xa8k1ngwjhz13e7zgbs8ydn8q";
    const DELIVERY: &str = "dlv_2xa8k1ngwjhz13e7zgbs8ydn8q";
    const INVOICED: &str = "inv_2xa8k1ngwjhz13e7zgbs8ydn8q";

    #[test]
    fn an_invoice_becomes_invoice_issue_with_contract_and_deliveries() {
        let given = format!("--contract {CONTRACT} --delivery {DELIVERY}");
        let (operation, body) = operation(INVOICE, &given).unwrap();
        assert_eq!(operation, "invoice.issue");
        assert_eq!(body["contract"], CONTRACT);
        assert_eq!(body["deliveries"], json!([DELIVERY]));
        assert_eq!(body["gross"], "600000.00");
        assert!(body["document"].is_string());
    }

    #[test]
    fn a_credit_note_becomes_invoice_credit() {
        let (operation, body) = operation(CREDIT, &format!("--invoice {INVOICED}")).unwrap();
        assert_eq!(operation, "invoice.credit");
        assert_eq!(
            (&body["invoice"], &body["amount"]),
            (&json!(INVOICED), &json!("10000.00"))
        );
    }

    /// The same invoice, of another type.
    fn of_type(code: &str) -> Vec<u8> {
        let text = std::str::from_utf8(INVOICE).unwrap();
        let (plain, other) = (">380</cbc:Inv", format!(">{code}</cbc:Inv"));
        assert!(text.contains(plain));
        text.replace(plain, &other).into_bytes()
    }

    #[rstest]
    #[case::plain("380", "seller", "buyer")]
    #[case::self_billed("389", "buyer", "seller")]
    fn a_self_billed_invoice_is_its_buyers_own(
        #[case] code: &str,
        #[case] own: &str,
        #[case] other: &str,
    ) {
        let facts = facts(Path::new("a.xml"), &check(&of_type(code))).unwrap();
        let (issuer, across) = roles(&facts);
        assert_eq!((issuer.word, across.word), (own, other));
        let supplier = if own == "seller" {
            issuer.stated
        } else {
            across.stated
        };
        assert_eq!(supplier, facts.supplier);
    }

    #[test]
    fn a_self_billed_invoice_becomes_invoice_issue_of_its_type() {
        let given = format!("--contract {CONTRACT}");
        let (operation, body) = operation(&of_type("389"), &given).unwrap();
        assert_eq!(operation, "invoice.issue");
        assert_eq!(body["type_code"], 389);
    }

    #[rstest]
    #[case::an_invoice_without_contract(INVOICE, String::new(), "--contract CTR")]
    #[case::an_invoice_that_corrects_nothing(INVOICE, format!("--contract {CONTRACT} --invoice {INVOICED}"), "384")]
    #[case::a_credit_note_without_invoice(CREDIT, String::new(), "--invoice INV")]
    #[case::a_credit_note_of_a_contract(CREDIT, format!("--invoice {INVOICED} --contract {CONTRACT}"), "neither")]
    fn what_is_missing_is_said(#[case] bytes: &[u8], #[case] given: String, #[case] said: &str) {
        let Err(Failure::Usage(message)) = operation(bytes, &given) else {
            panic!("it is called wrongly");
        };
        assert!(message.contains(said), "{message}");
    }

    #[rstest]
    #[case::a_sum_is_wrong(include_bytes!("../../fixtures/invoices/bad/wrong-sum.xml"), "broken BR-")]
    #[case::no_such_day(include_bytes!("../../fixtures/invoices/bad/31-february.xml"), "invalid")]
    #[case::an_entity(include_bytes!("../../fixtures/invoices/bad/external-entity.xml"), "reject")]
    fn a_document_that_is_not_valid_is_refused_with_the_rules(
        #[case] bytes: &[u8],
        #[case] said: &str,
    ) {
        let Err(Failure::FoundBad(message)) = operation(bytes, &format!("--contract {CONTRACT}"))
        else {
            panic!("it is refused");
        };
        assert!(
            message.starts_with("a.xml: ") && message.contains(said),
            "{message}"
        );
    }

    #[test]
    fn a_document_without_lines_is_refused() {
        let mut report = check(INVOICE);
        report.document.as_mut().unwrap().profile = "urn:factur-x.eu:1p0:minimum".to_owned();
        let Err(Failure::FoundBad(message)) = facts(Path::new("a.xml"), &report) else {
            panic!("it is refused");
        };
        assert!(message.contains("cannot be financed"), "{message}");
    }
}
