//! The JSON Schema (2020-12) of what is written on the wire, from the very types that read it.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// Where the library puts references, and where they lie in a document of one schema alone.
const SHARED: &str = "#/components/schemas/";
const OWN: &str = "#/$defs/";

/// The schema of a body: what an operation is for, its fields in wire order, and every type that it names.
///
/// Generators sort properties unless told not to, so `x-order` repeats the order beside every object.
pub fn of<T: ToSchema>(name: &str, summary: &str) -> Value {
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("{name}.schema.json"),
        "title": name,
        "description": summary,
    });
    let fields = document.as_object_mut().expect("an object was made");
    let body = plain(&T::schema(), OWN);
    let said = body.as_object().into_iter().flatten();
    fields.extend(
        said.filter(|(key, _)| *key != "description")
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    let shared = shared_by::<T>(OWN);
    if !shared.is_empty() {
        fields.insert("$defs".into(), Value::Object(shared));
    }
    document
}

/// The name of a type, and the schemas of it and of all that it names, as they stand among an API's components.
pub fn shared<T: ToSchema>() -> (String, Map<String, Value>) {
    let name = T::name().into_owned();
    let mut all = shared_by::<T>(SHARED);
    all.insert(name.clone(), plain(&T::schema(), SHARED));
    (name, all)
}

/// Every type that a type names, by name, in order of name.
fn shared_by<T: ToSchema>(place: &str) -> Map<String, Value> {
    let mut shared: Vec<(String, RefOr<Schema>)> = Vec::new();
    T::schemas(&mut shared);
    shared.sort_by(|(one, _), (other, _)| one.cmp(other));
    shared.dedup_by(|(one, _), (other, _)| one == other);
    let shared = shared.into_iter();
    shared
        .map(|(name, schema)| (name, plain(&schema, place)))
        .collect()
}

fn plain(schema: &RefOr<Schema>, place: &str) -> Value {
    let mut value = serde_json::to_value(schema).expect("a schema is plain data");
    mend(&mut value, place);
    value
}

/// References point into the document itself, objects say their order, and nothing is null:
/// an absent field is absent.
fn mend(value: &mut Value, place: &str) {
    match value {
        Value::Object(fields) => {
            never_null(fields);
            if let Some(Value::String(reference)) = fields.get_mut("$ref") {
                *reference = reference.replace(SHARED, place);
            }
            if let Some(Value::Object(properties)) = fields.get("properties") {
                let order: Vec<Value> = properties.keys().cloned().map(Value::from).collect();
                fields.insert("x-order".into(), order.into());
                // A body takes no other field; a row may be flattened into another.
                if place == OWN {
                    fields.insert("additionalProperties".into(), false.into());
                    never_empty(fields);
                }
            }
            fields.values_mut().for_each(|value| mend(value, place));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| mend(value, place)),
        _ => {}
    }
}

/// Takes null out of what a schema allows.
fn never_null(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            fields.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = fields.get_mut("oneOf") {
        choices.retain(|one| one["type"] != "null");
        if let [Value::Object(only)] = &choices[..] {
            let only = only.clone();
            fields.shift_remove("oneOf");
            fields.extend(only);
        }
    }
}

/// A list that may be absent is absent where it is empty.
fn never_empty(fields: &mut Map<String, Value>) {
    let required = fields.get("required").cloned().unwrap_or_default();
    let required: Vec<&str> = required
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = fields.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if property["type"] == "array" && !required.contains(&name.as_str()) {
            property["minItems"] = 1.into();
        }
    }
}
