//! The schemas of what is signed: the body of every operation, the payload, the envelope.

use serde_json::{Map, Value, json};

use crate::api::manual;
use crate::chain::pae::{OP_TYPE, SESSION_TYPE};
use crate::domain::registry::{REGISTRY, Registered};
use crate::domain::schema;
use crate::domain::values::{Instant, Name, Nonce, PartyId};

const SHARED: &str = "#/components/schemas/";

/// The JSON Schema of an operation's body with its example and the rules that may refuse it.
pub fn of(operation: &Registered) -> Value {
    let mut schema = (operation.schema)();
    let section = manual::section(operation.name);
    let rules = section.map(manual::Section::rules).unwrap_or_default();
    schema["x-refusals"] = refusals(rules);
    let example = manual::example(operation.name);
    let example = example.and_then(|json| serde_json::from_str::<Value>(json).ok());
    schema["examples"] = example.into_iter().collect();
    schema
}

/// Rules, each with what must hold.
fn refusals(rules: Vec<manual::Rule>) -> Value {
    let said = |rule: manual::Rule| (rule.name.to_owned(), Value::from(rule.holds));
    Value::Object(rules.into_iter().map(said).collect())
}

/// Adds the body of every operation under its name, the payload and the envelope.
pub(super) fn add(all: &mut Map<String, Value>) {
    let rows = all.clone();
    for operation in REGISTRY {
        let mut body = of(operation);
        let Some(fields) = body.as_object_mut() else {
            continue;
        };
        fields.shift_remove("$schema");
        fields.shift_remove("$id");
        if let Some(Value::Object(shared)) = fields.shift_remove("$defs") {
            for (name, mut schema) in shared {
                refer(&mut schema, &rows);
                all.insert(called(&name, &rows), schema);
            }
        }
        refer(&mut body, &rows);
        all.insert(operation.name.to_owned(), body);
    }
    for (_, named) in [
        schema::shared::<Name>(),
        schema::shared::<PartyId>(),
        schema::shared::<Nonce>(),
        schema::shared::<Instant>(),
    ] {
        all.extend(named);
    }
    all.insert("Payload".into(), payload());
    all.insert("Envelope".into(), envelope());
}

/// What the schema of a body's type is called: a body takes no further fields and a row of the same type may, so that one
/// with fields is named apart.
fn called(name: &str, rows: &Map<String, Value>) -> String {
    match rows.get(name).is_some_and(has_fields) {
        true => format!("{name}.signed"),
        false => name.to_owned(),
    }
}

/// Turns references within a schema of its own into those among the components.
fn refer(value: &mut Value, rows: &Map<String, Value>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("{SHARED}{}", called(name, rows));
            }
            fields.values_mut().for_each(|value| refer(value, rows));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| refer(value, rows)),
        _ => {}
    }
}

fn has_fields(row: &Value) -> bool {
    match row {
        Value::Object(fields) => {
            fields.contains_key("properties") || fields.values().any(has_fields)
        }
        Value::Array(values) => values.iter().any(has_fields),
        _ => false,
    }
}

fn payload() -> Value {
    let order = ["ledger", "op", "party", "nonce", "not_after", "body"];
    let names: Vec<&str> = REGISTRY.iter().map(|operation| operation.name).collect();
    let each = |name: &&str| {
        json!({ "properties": {
            "op": { "const": name, "description": "This operation." },
            "body": { "$ref": format!("{SHARED}{name}"), "description": "Its body." },
        } })
    };
    let each: Vec<Value> = names.iter().map(each).collect();
    let named = |name: &str, description: &str| json!({ "$ref": format!("{SHARED}{name}"), "description": description });
    json!({
        "type": "object",
        "description": "An operation as it is signed: canonical JSON, the fields of every object in the order of its \
            `x-order` (FORMAT.md, section 3). `x-refusals` are the rules of every operation, before its own.",
        "required": order,
        "properties": {
            "ledger": named("Text200", "The ledger's origin, as /readyz says it."),
            "op": { "type": "string", "enum": names, "description": "The operation." },
            "party": named("PartyId", "Who acts."),
            "nonce": named("Nonce", "Random bytes that make the operation unique."),
            "not_after": named("Instant", "From then on it is no longer accepted."),
            "body": { "type": "object", "description": "What is asked: the schema that is named as `op`." },
        },
        "oneOf": each,
        "additionalProperties": false,
        "x-order": order,
        "x-refusals": refusals(manual::common_rules()),
    })
}

fn envelope() -> Value {
    json!({
        "type": "object",
        "description": "A DSSE envelope (FORMAT.md, section 6).",
        "required": ["payloadType", "payload", "signatures"],
        "properties": {
            "payloadType": {
                "type": "string",
                "enum": [OP_TYPE, SESSION_TYPE],
                "description": "What the payload is: an operation, or a request for a session.",
            },
            "payload": {
                "type": "string",
                "contentEncoding": "base64",
                "description": "The bytes that are signed, in base64 with padding.",
            },
            "signatures": {
                "type": "array",
                "minItems": 1,
                "maxItems": 16,
                "description": "One for each key that signs.",
                "items": {
                    "type": "object",
                    "description": "A signature and the key that made it.",
                    "required": ["keyid", "sig"],
                    "properties": {
                        "keyid": {
                            "type": "string",
                            "pattern": "^[0-9a-f]{64}$",
                            "description": "The whole public key, in hex.",
                        },
                        "sig": {
                            "type": "string",
                            "contentEncoding": "base64",
                            "description": "64 bytes of ed25519 on the PAE (FORMAT.md, section 4), in base64.",
                        },
                    },
                    "additionalProperties": false,
                },
            },
        },
        "additionalProperties": false,
    })
}
