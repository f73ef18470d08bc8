//! contracts/operations/: a JSON Schema an operation, as the code has it.
//!
//! `COUNTERFOIL_WRITE=1 cargo test --test it schemas` writes them anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use counterfoil::api::openapi::bodies;
use counterfoil::domain::registry::{REGISTRY, Registered};
use regex_lite::Regex;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/operations")
}

/// The schema of every operation, by the name of its file.
fn generated() -> Vec<(String, Value)> {
    let named = |operation: &Registered| {
        let file = format!("{}.schema.json", operation.name);
        (file, bodies::of(operation))
    };
    REGISTRY.iter().map(named).collect()
}

#[test]
fn there_is_a_schema_of_every_operation_and_it_says_what_the_code_does() {
    let write = std::env::var_os("COUNTERFOIL_WRITE").is_some();
    if write {
        fs::create_dir_all(folder()).unwrap();
    }
    for (name, schema) in generated() {
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if write {
            fs::write(folder().join(&name), &text).unwrap();
        }
        let kept = fs::read_to_string(folder().join(&name)).unwrap_or_default();
        assert_eq!(kept, text, "{name}: write it anew");
    }
    let expected: BTreeSet<String> = generated().into_iter().map(|(name, _)| name).collect();
    let files = fs::read_dir(folder()).unwrap();
    let kept: BTreeSet<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(kept, expected);
}

/// What a program that knows the schema alone finds in a value: a field that is missing, unknown or out of order,
/// a value of another type, a word that is none of those listed.
pub(crate) fn faults(value: &Value, schema: &Value, root: &Value, path: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        return faults(value, target, root, path);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let fits = |one: &Value| faults(value, one, root, path).is_empty();
            let none = choices.iter().filter(|one| fits(one)).count() != 1;
            return Vec::from_iter(none.then(|| format!("{path}: fits not one of {choice}")));
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let found = parts
            .iter()
            .flat_map(|part| faults(value, part, root, path));
        return found.collect();
    }
    if let Some(words) = schema["enum"].as_array() {
        return Vec::from_iter(
            (!words.contains(value)).then(|| format!("{path}: none of the words")),
        );
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return vec![format!("{path}: the schema says no type")],
    };
    let (found, within) = match value {
        Value::Object(fields) => ("object", of_object(fields, schema, root, path)),
        Value::Array(items) => {
            let item = |(k, item): (usize, &Value)| {
                faults(item, &schema["items"], root, &format!("{path}/{k}"))
            };
            ("array", items.iter().enumerate().flat_map(item).collect())
        }
        Value::String(text) => ("string", of_string(text, schema, path)),
        Value::Number(_) => ("integer", vec![]),
        Value::Bool(_) => ("boolean", vec![]),
        Value::Null => ("null", vec![]),
    };
    if types.contains(&found) {
        within
    } else {
        vec![format!("{path}: {found} where {types:?} is said")]
    }
}

fn of_string(text: &str, schema: &Value, path: &str) -> Vec<String> {
    let pattern = schema["pattern"].as_str();
    let fits = pattern.is_none_or(|pattern| Regex::new(pattern).unwrap().is_match(text));
    Vec::from_iter((!fits).then(|| format!("{path}: {text} does not fit {pattern:?}")))
}

fn of_object(
    fields: &serde_json::Map<String, Value>,
    schema: &Value,
    root: &Value,
    path: &str,
) -> Vec<String> {
    let mut found = Vec::new();
    let Some(order) = schema["x-order"].as_array() else {
        return found;
    };
    let order: Vec<&str> = order.iter().filter_map(Value::as_str).collect();
    let of_it = |name: &&str| schema["additionalProperties"] == false || order.contains(name);
    let present: Vec<&str> = fields.keys().map(String::as_str).filter(of_it).collect();
    let expected: Vec<&str> = order
        .iter()
        .copied()
        .filter(|name| fields.contains_key(*name))
        .collect();
    if present != expected {
        found.push(format!("{path}: {present:?} is not in the order {order:?}"));
    }
    let required = schema["required"].as_array().into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            found.push(format!("{path}/{name}: missing"));
        }
    }
    for (name, value) in fields {
        let Some(of) = schema["properties"].get(name) else {
            continue;
        };
        found.extend(faults(value, of, root, &format!("{path}/{name}")));
    }
    found
}

#[test]
fn every_example_fits_its_schema_and_its_order() {
    for (name, schema) in generated() {
        let found = faults(&schema["examples"][0], &schema, &schema, "");
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_field_is_required_exactly_where_a_body_without_it_is_refused() {
    for (name, schema) in generated() {
        let operation = counterfoil::domain::registry::operation(schema["title"].as_str().unwrap());
        let fields = schema["examples"][0].as_object().unwrap().clone();
        for field in fields.keys() {
            let mut without = fields.clone();
            without.shift_remove(field);
            let body = serde_json::to_string(&without).unwrap();
            let read = (operation.unwrap().decode)(&body).is_ok();
            let required = schema["required"].as_array().into_iter().flatten();
            let required = required.filter_map(Value::as_str).any(|one| one == field);
            assert_eq!(read, !required, "{name}: {field}");
        }
    }
}
