//! What a request may be answered, good and bad: every problem with its status and code.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::api::codes::{self, Code, Group};
use crate::api::manual;
use crate::api::problem::{Details, PROBLEM_TYPE};

/// An answer of one media type; of none where there is no schema.
pub(super) fn answer(description: &str, media_type: &str, schema: &Value) -> Value {
    if schema.is_null() {
        return json!({ "description": description });
    }
    json!({ "description": description, "content": { media_type: { "schema": schema } } })
}

/// What a good status says.
pub(super) fn good(status: u16) -> &'static str {
    match status {
        201 => "it is done",
        503 => "operations are not taken for now; `not_ready` says why",
        _ => "as asked",
    }
}

/// Adds the problems of these groups; where the ledger's rules may refuse, those under 422.
pub(super) fn with_problems(responses: &mut Map<String, Value>, groups: &[Group], refuses: bool) {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in groups.iter().copied().flatten() {
        let codes = by_status.entry(code.status).or_default();
        if !codes.contains(code) {
            codes.push(*code);
        }
    }
    if refuses {
        by_status.entry(422).or_default();
    }
    for (status, codes) in by_status {
        let rules = refuses && status == 422;
        // One that answers the same way, whatever its status, has said so already.
        responses
            .entry(status.to_string())
            .or_insert_with(|| problem(status, &codes, rules));
    }
}

/// The answer of one status: which codes it may have, each with what it says.
fn problem(status: u16, codes: &[Code], rules: bool) -> Value {
    let mut names: Vec<&str> = codes.iter().map(|code| code.name).collect();
    names.dedup();
    let mut about: Vec<String> = codes
        .iter()
        .map(|code| format!("- `{}`: {}", code.name, code.about))
        .collect();
    if rules {
        let known = names.clone();
        names.extend(manual::rules().iter().filter(|rule| !known.contains(rule)));
        about.push(
            "- a rule of the ledger; by which ones an operation may be refused says `x-refusals` of its body".to_owned(),
        );
    }
    let description = format!("A problem (RFC 9457):\n\n{}", about.join("\n"));
    let schema = json!({ "allOf": [
        { "$ref": format!("#/components/schemas/{}", Details::name()) },
        { "type": "object", "properties": { "code": { "enum": names, "description": "Which of them." } } },
    ] });
    let mut answer = answer(&description, PROBLEM_TYPE, &schema);
    let header = match status {
        401 => Some(("WWW-Authenticate", "Bearer", "string")),
        429 | 503 => Some((
            "Retry-After",
            "After how many seconds to try again.",
            "integer",
        )),
        _ => None,
    };
    if let Some((name, description, kind)) = header {
        let header =
            json!({ "description": description, "required": true, "schema": { "type": kind } });
        answer["headers"] = json!({ name: header });
    }
    answer
}

/// Says of the schema of problems what each code means.
pub(super) fn explain(schema: &mut Value) {
    let mut codes: Map<String, Value> = Map::new();
    for code in codes::ALL.iter().copied().flatten() {
        let said = codes
            .entry(code.name)
            .or_insert_with(|| Value::Object(Map::new()));
        said[code.status.to_string()] = code.about.into();
    }
    codes.sort_keys();
    schema["x-codes"] = codes.into();
    schema["properties"]["code"]["description"] =
        "Stable name of the problem, for programs: one of `x-codes`, or the rule of the ledger that refused \
        (contracts/OPERATIONS.md, `x-refusals` of the operations' bodies)."
            .into();
}
