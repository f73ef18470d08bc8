//! contracts/openapi.json: the document that the code makes, and every path of it answers.
//!
//! `COUNTERFOIL_WRITE=1 cargo test --test it openapi` writes it anew.

use std::fs;
use std::path::Path;

use counterfoil::api::list::{KINDS, VIEWS};
use counterfoil::api::openapi::document;
use serde_json::Value;

use super::schemas::faults;
use super::served::{Party, Server, story};

#[test]
fn the_document_is_what_the_code_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(document()).unwrap());
    if std::env::var_os("COUNTERFOIL_WRITE").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&file).unwrap_or_default(),
        text,
        "write it anew"
    );
}

fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        let target = document.pointer(reference.trim_start_matches('#'));
        assert!(target.is_some(), "{reference}");
    }
}

/// The row or page that a path promises.
fn promised<'d>(document: &'d Value, path: &str) -> &'d Value {
    let pointer = format!(
        "/paths/{}/get/responses/200/content/application~1json/schema",
        path.replace('/', "~1")
    );
    document.pointer(&pointer).unwrap()
}

#[test]
fn every_kind_of_row_is_as_the_document_says_to_every_party() {
    let (data, document) = (story(), document());
    let server = Server::start(data.path());
    for file in fs::read_dir(data.path().join("keys")).unwrap() {
        let file = file.unwrap().path();
        if file
            .extension()
            .is_none_or(|extension| extension != "party")
        {
            continue;
        }
        let name = file.file_stem().unwrap().to_str().unwrap();
        let party = Party::of(data.path(), name);
        let client = server.client_of(&party);
        let events: Value = client.get("/v1/events").unwrap();
        let found = faults(&events, promised(document, "/v1/events"), document, "");
        assert_eq!(found, Vec::<String>::new(), "events of {name}");
        for kind in KINDS.iter().chain(VIEWS).map(|kind| kind.plural) {
            let page: Value = client.get(&format!("/v1/{kind}")).unwrap();
            let schema = promised(document, &format!("/v1/{kind}"));
            let found = faults(&page, schema, document, "");
            assert_eq!(found, Vec::<String>::new(), "{kind} of {name}");
            if VIEWS.iter().any(|view| view.plural == kind) {
                continue;
            }
            for row in page["items"].as_array().unwrap() {
                let id = row["id"].as_str().unwrap();
                let one: Value = client.get(&format!("/v1/{kind}/{id}")).unwrap();
                assert_eq!(&one, row);
            }
        }
    }
}

#[test]
fn every_documented_path_is_there() {
    let (data, document) = (story(), document());
    let server = Server::start(data.path());
    for (path, methods) in document["paths"].as_object().unwrap() {
        let url = format!("{}{}", server.base(), path.replace(['{', '}'], "x"));
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        let wrong = ureq::Agent::new_with_config(agent)
            .patch(&url)
            .send_empty()
            .unwrap();
        assert_eq!(
            wrong.status(),
            405,
            "{path}: a path that is there refuses the method alone"
        );
        let allow = wrong.headers()["allow"].to_str().unwrap().to_lowercase();
        let documented = methods.as_object().unwrap().keys();
        assert!(
            documented.into_iter().all(|method| allow.contains(method)),
            "{path}: {allow}"
        );
    }
}
