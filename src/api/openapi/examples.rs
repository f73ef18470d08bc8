//! Requests to show: signed ones are signed by keys that everybody has, so that they are right and of no use.

use serde_json::{Map, Value, json};

use crate::api::manual;
use crate::chain::pae::{OP_TYPE, SESSION_TYPE};
use crate::chain::{Envelope, SigningKey};
use crate::domain::registry::REGISTRY;

const ORIGIN: &str = "drill.example/0123456789abcdef";
const PARTY: &str = "uscc:121100004006864946";

/// The examples of a path's body, by name.
pub(super) fn of_request(path: &str) -> Option<Value> {
    let named = |name: &str, value: Value| json!({ name: { "value": value } });
    match path {
        "/v1/operations" => Some(named("contract.accept", signed(OP_TYPE, &accept()?)?)),
        "/v1/operations:check" => Some(payloads()),
        "/v1/sessions" => Some(named(
            "a request for a session",
            signed(SESSION_TYPE, &asked())?,
        )),
        "/v1/drill/clock" => Some(named(
            "a day later",
            json!({ "now": "2026-10-13T07:00:00Z" }),
        )),
        _ => None,
    }
}

/// The payload of an operation with its example as body.
fn payload(operation: &str) -> Option<Value> {
    let body: Value = serde_json::from_str(manual::example(operation)?).ok()?;
    Some(json!({
        "ledger": ORIGIN,
        "op": operation,
        "party": PARTY,
        "nonce": "000102030405060708090a0b0c0d0e0f",
        "not_after": "2026-06-01T02:10:00Z",
        "body": body,
    }))
}

fn accept() -> Option<Value> {
    payload("contract.accept")
}

/// One of every operation.
fn payloads() -> Value {
    let named = REGISTRY.iter().filter_map(|operation| {
        let value = payload(operation.name)?;
        let example = json!({ "summary": operation.summary, "value": value });
        Some((operation.name.to_owned(), example))
    });
    Value::Object(named.collect::<Map<_, _>>())
}

fn asked() -> Value {
    json!({
        "ledger": ORIGIN,
        "audience": "https://ledger.example",
        "party": PARTY,
        "challenge": "5a".repeat(56),
        "expires": "2026-06-01T02:02:00Z",
    })
}

fn signed(payload_type: &str, payload: &Value) -> Option<Value> {
    let mut envelope = Envelope::new(payload_type, payload.to_string()).ok()?;
    envelope.sign(&SigningKey::from_seed(&[3; 32])).ok()?;
    serde_json::from_slice(&envelope.encode()).ok()
}
