//! A ledger of one's own, by the machine's clock, as README tells it.

use crate::served::{Server, complaint, run, text};

const ADMISSION: &str = r#"{"party":"x:tax-bureau","name":"Tax Bureau","roles":["authority"],"scopes":["attest"],
    "key":{"key":"KEY","label":"first","person":"Li Si","powers":["admin","maker"]},
    "evidence":"0000000000000000000000000000000000000000000000000000000000000000",
    "agreement":"0000000000000000000000000000000000000000000000000000000000000000",
    "kyc_valid_to":"2099-12-31"}"#;

fn good(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{args:?}: {}",
        complaint(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_new_ledger_admits_a_party_by_the_machines_clock() {
    let folder = tempfile::tempdir().unwrap();
    let (data, keys) = (
        folder.path().join("ledger"),
        text(&folder.path().join("keys")),
    );
    let passphrase = folder.path().join("passphrase");
    std::fs::write(&passphrase, "correct horse\n").unwrap();
    let ring = ["--keys", &keys, "--passphrase-file", &text(&passphrase)];
    good(
        &[
            &["init", "--data", &text(&data), "--origin", "ledger.test/r"],
            &ring[..],
        ]
        .concat(),
    );
    let key = good(&[&["key", "new", "tax", "--party", "x:tax-bureau"], &ring[..]].concat());
    let body = ADMISSION.replace("KEY", key.trim_end());
    let server = Server::start_by_the_clock(&data, &[]);
    let to = ["--url", server.base()];
    let act = [
        "party", "admit", "--as", "operator", "--with", "tax", "--yes", "--body", &body,
    ];
    let said = good(&[&act[..], &ring[..], &to[..]].concat());
    assert!(said.starts_with("entry 1 at "), "{said}");
    let shown = good(
        &[
            &["party", "list", "--as", "tax", "--json"],
            &ring[..],
            &to[..],
        ]
        .concat(),
    );
    assert_eq!(shown.lines().count(), 2, "{shown}");
    server.stop();
    good(&["audit", "--data", &text(&data)]);
}

#[test]
fn anothers_invoice_is_not_imported_as_ones_own() {
    let story = crate::served::story();
    let server = Server::start(story.path());
    let keys = text(&story.path().join("keys"));
    let ring = ["--keys", &keys, "--url", server.base()];
    let contracts = good(
        &[
            &["contract", "list", "--as", "hospital", "--json"],
            &ring[..],
        ]
        .concat(),
    );
    let contract: serde_json::Value =
        serde_json::from_str(contracts.lines().next().unwrap()).unwrap();
    let import = [
        "invoice",
        "import",
        "fixtures/invoices/components-1.xml",
        "--as",
        "supplier",
        "--yes",
    ];
    let id = contract["id"].as_str().unwrap();
    let refused = run(&[&import[..], &["--contract", id], &ring[..]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(complaint(&refused).contains("the document's seller is uscc:91110115MA02P4X81J"));
    server.stop();
}
