//! contracts/openapi.json: the document that the code makes, and every path of it answers.
//!
//! `COUNTERFOIL_WRITE=1 cargo test --test it openapi` writes it anew.

use std::fs;
use std::path::Path;

use counterfoil::api::list::{KINDS, VIEWS};
use counterfoil::api::manual;
use counterfoil::api::openapi::document;
use counterfoil::domain::registry::REGISTRY;
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

/// What lacks a description: schemas, properties and items of any depth, but for those that are mere references.
fn undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
    let described = |value: &Value| {
        value["description"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{path}.{name}");
        if !described(property) {
            found.push(place.clone());
        }
        undescribed(property, &place, found);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        for (at, one) in schema[choice].as_array().into_iter().flatten().enumerate() {
            undescribed(one, &format!("{path}/{choice}/{at}"), found);
        }
    }
    undescribed_items(schema, path, found);
}

fn undescribed_items(schema: &Value, path: &str, found: &mut Vec<String>) {
    let items = &schema["items"];
    if items.is_object() {
        undescribed(items, &format!("{path}[]"), found);
    }
}

#[test]
fn everything_is_described() {
    let document = document();
    let mut found = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if schema["description"].as_str().is_none_or(str::is_empty) {
            found.push(name.clone());
        }
        undescribed(schema, name, &mut found);
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, way) in methods.as_object().unwrap() {
            let at = format!("{method} {path}");
            let parameters = way["parameters"].as_array().into_iter().flatten();
            let responses = way["responses"].as_object().unwrap();
            let body = way
                .get("requestBody")
                .map(|body| (format!("{at} body"), body));
            let parts = parameters
                .map(|one| (format!("{at} {}", one["name"]), one))
                .chain(
                    responses
                        .iter()
                        .map(|(status, one)| (format!("{at} {status}"), one)),
                )
                .chain(body);
            let lacking =
                parts.filter(|(_, part)| part["description"].as_str().is_none_or(str::is_empty));
            found.extend(lacking.map(|(place, _)| place));
            if way["summary"].as_str().is_none_or(str::is_empty) {
                found.push(at);
            }
        }
    }
    assert_eq!(found, Vec::<String>::new(), "say what these are");
}

#[test]
fn every_body_has_an_example_and_says_what_refuses_it() {
    let document = document();
    for operation in REGISTRY {
        let schema = &document["components"]["schemas"][operation.name];
        assert_eq!(
            schema["examples"].as_array().map(Vec::len),
            Some(1),
            "{}",
            operation.name
        );
        assert!(schema["x-refusals"].is_object(), "{}", operation.name);
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        let body = &methods["post"]["requestBody"]["content"]["application/json"];
        assert!(
            body.is_null() || body["examples"].is_object(),
            "{path} shows no body"
        );
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

/// What each operation may be refused by is more than what the ledger asks of all.
#[test]
fn the_rules_of_an_operation_are_named_once_and_are_rules() {
    for operation in REGISTRY {
        let rules = manual::section(operation.name).unwrap().rules();
        for rule in &rules {
            assert!(
                manual::rules().contains(rule.name),
                "{}: {rule:?}",
                operation.name
            );
            let same = rules.iter().filter(|other| other.name == rule.name);
            assert_eq!(same.count(), 1, "{}: {rule:?}", operation.name);
        }
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
