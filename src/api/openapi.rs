//! The API as an OpenAPI 3.1 document, from which a stranger writes a client. Kinds, operations and every type come
//! from the code; the paths are listed here once.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::list::{KINDS, Kind, VIEWS};
use super::problem::{Details, PROBLEM_TYPE};
use super::query::{LIMIT_DEFAULT, LIMIT_MAX};
use super::reply::{JSON_TYPE, NDJSON_TYPE};
use super::{cookie, feed, operations, query, reads, register, status};
use crate::domain::registry::REGISTRY;
use crate::domain::rulebook::Rulebook;
use crate::domain::{rows, schema};

/// A path that is not of a kind.
struct Path {
    path: &'static str,
    method: &'static str,
    summary: &'static str,
    /// Whether it takes a session.
    session: bool,
    /// Media type and schema of the body.
    takes: Option<(&'static str, Value)>,
    /// Statuses of good answers, their media type and schema.
    gives: (&'static [u16], &'static str, Value),
    /// Statuses of problems.
    problems: &'static [u16],
}

/// What any reading of something may answer.
const READ: &[u16] = &[400, 401, 404, 503];

fn of<T: ToSchema>() -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn envelope() -> Value {
    json!({ "$ref": "#/components/schemas/Envelope" })
}

fn public() -> [Path; 6] {
    let get = |path, summary, gives| Path {
        path,
        method: "get",
        summary,
        session: false,
        takes: None,
        gives,
        problems: &[503],
    };
    let plain = || (&[200][..], "text/plain", text());
    [
        get("/healthz", "Whether the process serves", plain()),
        get(
            "/readyz",
            "Whether operations are taken, and what a client needs to build one",
            (&[200, 503], JSON_TYPE, of::<status::Readiness>()),
        ),
        Path {
            problems: &[404, 429],
            ..get(
                "/metrics",
                "What an operator watches, in Prometheus' text format; for the operator's addresses alone",
                plain(),
            )
        },
        get("/checkpoint", "The newest signed checkpoint", plain()),
        get("/v1/checkpoint", "The newest signed checkpoint", plain()),
        get(
            "/openapi.json",
            "This document",
            (&[200], JSON_TYPE, json!({ "type": "object" })),
        ),
    ]
}

fn writes() -> [Path; 7] {
    let post = |path, summary, takes, gives, problems| Path {
        path,
        method: "post",
        summary,
        session: false,
        takes,
        gives,
        problems,
    };
    let refused = &[400, 401, 404, 409, 413, 415, 422, 429, 503];
    [
        post(
            "/v1/operations",
            "Submit one signed operation: 201 when it is durable, 200 where it already was",
            Some((JSON_TYPE, envelope())),
            (&[200, 201], JSON_TYPE, of::<operations::ReceiptRow>()),
            refused,
        ),
        post(
            "/v1/operations:batch",
            "Submit many, a line each; the answers come in order, a line each",
            Some((NDJSON_TYPE, envelope())),
            (&[200], NDJSON_TYPE, text()),
            refused,
        ),
        Path {
            session: true,
            ..post(
                "/v1/operations:check",
                "What would become of an unsigned payload",
                Some((JSON_TYPE, json!({ "$ref": "#/components/schemas/Payload" }))),
                (&[200], JSON_TYPE, of::<operations::CheckedRow>()),
                refused,
            )
        },
        post(
            "/v1/challenges",
            "Ask for a challenge, which a request for a session names",
            None,
            (&[201], JSON_TYPE, of::<reads::ChallengeRow>()),
            &[429, 503],
        ),
        post(
            "/v1/sessions",
            "Open a session with a signed request, which is an envelope of its own type",
            Some((JSON_TYPE, envelope())),
            (&[201], JSON_TYPE, of::<reads::SessionRow>()),
            &[400, 401, 413, 415, 429, 503],
        ),
        Path {
            method: "delete",
            session: true,
            ..post(
                "/v1/sessions",
                "End the session that the request shows",
                None,
                (&[204], JSON_TYPE, Value::Null),
                &[401, 403, 429],
            )
        },
        post(
            "/v1/drill/clock",
            "Move a drill's time forward",
            Some((JSON_TYPE, of::<status::Clock>())),
            (&[200], JSON_TYPE, of::<status::Clock>()),
            &[400, 404, 413, 415, 422, 503],
        ),
    ]
}

fn entries() -> [Path; 8] {
    let get = |path, summary, gives| Path {
        path,
        method: "get",
        summary,
        session: true,
        takes: None,
        gives: (&[200], JSON_TYPE, gives),
        problems: READ,
    };
    [
        get(
            "/v1/me",
            "The party, key and end of the session",
            of::<register::MeRow>(),
        ),
        get(
            "/v1/ledger",
            "The ledger's own record, and its time",
            of::<rows::LedgerRow>(),
        ),
        get(
            "/v1/rulebooks/{version}",
            "A rulebook whole: currencies with their decimals, business days, rates, rules",
            of::<Rulebook>(),
        ),
        get(
            "/v1/operations/{id}",
            "The receipt of an operation that this party may read",
            of::<operations::ReceiptRow>(),
        ),
        get(
            "/v1/entries/{n}",
            "An entry's line, byte for byte, to those whom it was told",
            json!({ "type": "object" }),
        ),
        get(
            "/v1/events",
            "The party's feed: entries that it was told, under numbers of its own; a stream as text/event-stream",
            of::<feed::Events>(),
        ),
        Path {
            problems: &[400, 401, 404, 429, 503],
            ..get(
                "/v1/receivables/{id}/claims",
                "The fens of a receivable, as the party may know them, or as it knew them",
                of::<rows::ClaimsRow>(),
            )
        },
        Path {
            problems: &[400, 401, 404, 422, 503],
            ..get(
                "/v1/receivables/{id}/payoff",
                "Whom to pay how much on a day",
                of::<rows::PayoffRow>(),
            )
        },
    ]
}

/// The whole document, made once: everybody may ask for it.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(made);
    &DOCUMENT
}

fn made() -> Value {
    let listed = public().into_iter().chain(writes()).chain(entries());
    let mut paths = Map::new();
    for path in listed {
        let described = described(&path);
        let methods = paths.entry(path.path).or_insert_with(|| json!({}));
        methods[path.method] = described;
    }
    for kind in KINDS.iter().chain(VIEWS) {
        let row = of_row(kind);
        paths.insert(format!("/v1/{}", kind.plural), of_list(kind, &row));
        if !VIEWS.iter().any(|view| view.plural == kind.plural) {
            let place = format!("/v1/{}/{{id}}", kind.plural);
            paths.insert(place, of_one(kind, &row));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Counterfoil",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Procurement contracts and receivables on a signed hash chain. How bytes are signed is \
                said in contracts/FORMAT.md, what each operation asks and does in contracts/OPERATIONS.md.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "session": { "type": "http", "scheme": "bearer" },
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": cookie::NAME,
                    "description": "For browsers: what is no GET takes the header Counterfoil-Request: 1 too.",
                },
            },
        },
    })
}

fn described(path: &Path) -> Value {
    let (statuses, media_type, gives) = &path.gives;
    let mut responses = Map::new();
    for status in *statuses {
        responses.insert(status.to_string(), answer("good", media_type, gives));
    }
    with_problems(&mut responses, path.problems);
    if path.takes.is_some() {
        // A body that does not arrive.
        with_problems(&mut responses, &[408]);
    }
    if path.session && path.method != "get" {
        // A cookie without the header.
        with_problems(&mut responses, &[403]);
    }
    let mut described = json!({ "summary": path.summary, "responses": responses });
    let mut parameters: Vec<Value> = ["id", "n", "version"]
        .into_iter()
        .filter(|name| path.path.contains(&format!("{{{name}}}")))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text() }))
        .collect();
    if path.path.ends_with("/events") {
        parameters.push(json!({ "name": "after", "in": "query", "schema": text() }));
        parameters.push(json!({ "name": "limit", "in": "query",
            "schema": { "type": "integer", "minimum": 1, "maximum": LIMIT_MAX } }));
    }
    if path.path.ends_with("/claims") {
        parameters.push(as_of());
    }
    if path.path.ends_with("/sessions") && path.method == "post" {
        parameters.push(json!({ "name": "Counterfoil-Session", "in": "header",
            "description": "for browsers: keeps the token in a cookie instead of telling it",
            "schema": { "type": "string", "enum": ["cookie"] } }));
    }
    if path.path.ends_with("/payoff") {
        parameters.push(json!({ "name": "day", "in": "query", "schema": text() }));
    }
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some((media_type, takes)) = &path.takes {
        described["requestBody"] =
            json!({ "required": true, "content": { *media_type: { "schema": takes } } });
    }
    if path.session {
        described["security"] = json!([{ "session": [] }, { "cookie": [] }]);
    }
    described
}

fn of_row(kind: &Kind) -> Value {
    let (row, _) = (kind.schema)();
    json!({ "$ref": format!("#/components/schemas/{row}") })
}

fn of_list(kind: &Kind, row: &Value) -> Value {
    let page = json!({
        "type": "object",
        "required": ["items"],
        "properties": {
            "items": { "type": "array", "items": row },
            "next": { "type": "string", "description": "`after` of the next page; absent on the last" },
        },
    });
    let mut responses = Map::from_iter([("200".to_owned(), answer("a page", JSON_TYPE, &page))]);
    responses["200"]["content"]["text/csv"] = json!({ "schema": text() });
    let problems: &[u16] = match kind.of_the_past {
        true => &[400, 401, 404, 429, 503],
        false => &[400, 401, 503],
    };
    with_problems(&mut responses, problems);
    json!({ "get": {
        "summary": format!("The {} that the party may see", kind.plural),
        "parameters": parameters(kind),
        "responses": responses,
        "security": [{ "session": [] }, { "cookie": [] }],
    } })
}

/// The parameter of reads that may look back.
fn as_of() -> Value {
    json!({ "name": "as_of", "in": "query",
        "description": "as it was after so many entries; absent: as it is",
        "schema": { "type": "integer", "minimum": 1 } })
}

/// What a list takes in its query.
fn parameters(kind: &Kind) -> Vec<Value> {
    let named = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let limit =
        json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT });
    let columns = kind.columns.iter();
    let orders: Vec<String> = columns
        .flat_map(|column| [(*column).to_owned(), format!("-{column}")])
        .collect();
    let mut all = vec![
        named("after", "what `next` said", text()),
        named("limit", "rows of a page; a file takes up to 10,000", limit),
        named(
            "sort",
            "smallest first, or with - largest first",
            json!({ "type": "string", "enum": orders }),
        ),
        named(
            "format",
            "a file instead of a page",
            json!({ "type": "string", "enum": ["csv"] }),
        ),
    ];
    all.extend(kind.of_the_past.then(as_of));
    let filters = kind.filters.iter();
    all.extend(filters.map(|name| named(query::called(name), "rows whose field is this", text())));
    let days = kind.days.iter().map(|name| (name, "day", "date"));
    let instants = kind.instants.iter();
    let instants = instants.map(|name| (name, "instant", "date-time"));
    for (name, what, format) in days.chain(instants) {
        for (end, side) in [("from", "before"), ("to", "after")] {
            all.push(named(
                &format!("{}_{end}", query::called(name)),
                &format!("rows whose {what} is not {side} this one"),
                json!({ "type": "string", "format": format }),
            ));
        }
    }
    all
}

fn of_one(kind: &Kind, row: &Value) -> Value {
    let mut responses = Map::from_iter([("200".to_owned(), answer("the row", JSON_TYPE, row))]);
    with_problems(&mut responses, READ);
    json!({ "get": {
        "summary": format!("One of the {}, if the party may see it", kind.plural),
        "parameters": [{ "name": "id", "in": "path", "required": true, "schema": text() }],
        "responses": responses,
        "security": [{ "session": [] }, { "cookie": [] }],
    } })
}

fn answer(description: &str, media_type: &str, schema: &Value) -> Value {
    if schema.is_null() {
        return json!({ "description": "done" });
    }
    json!({ "description": description, "content": { media_type: { "schema": schema } } })
}

fn with_problems(responses: &mut Map<String, Value>, statuses: &[u16]) {
    // Any address may have sent too much.
    for status in statuses.iter().chain(&[429]) {
        // One that answers the same way, whatever its status, has said so already.
        responses
            .entry(status.to_string())
            .or_insert_with(|| answer("a problem (RFC 9457)", PROBLEM_TYPE, &of::<Details>()));
    }
}

fn schemas() -> Map<String, Value> {
    let mut all = Map::new();
    let rows = KINDS.iter().chain(VIEWS).map(|kind| (kind.schema)());
    let others = [
        schema::shared::<Details>(),
        schema::shared::<status::Readiness>(),
        schema::shared::<status::Clock>(),
        schema::shared::<operations::ReceiptRow>(),
        schema::shared::<operations::CheckedRow>(),
        schema::shared::<reads::ChallengeRow>(),
        schema::shared::<reads::SessionRow>(),
        schema::shared::<feed::Events>(),
        schema::shared::<register::MeRow>(),
        schema::shared::<rows::LedgerRow>(),
        schema::shared::<Rulebook>(),
        schema::shared::<rows::ClaimsRow>(),
        schema::shared::<rows::PayoffRow>(),
    ];
    for (name, schema) in rows.chain(others).flat_map(|(_, named)| named) {
        let same = all.insert(name, schema.clone());
        debug_assert!(
            same.is_none_or(|same| same == schema),
            "two types of one name"
        );
    }
    let names: Vec<&str> = REGISTRY.iter().map(|operation| operation.name).collect();
    all.insert("Payload".into(), payload(&names));
    all.insert("Envelope".into(), envelope_schema());
    all.sort_keys();
    all
}

fn payload(operations: &[&str]) -> Value {
    let order = ["ledger", "op", "party", "nonce", "not_after", "body"];
    json!({
        "type": "object",
        "description": "An operation as it is signed: canonical JSON, in this order. Bodies are in \
            contracts/operations/<op>.schema.json.",
        "required": order,
        "x-order": order,
        "properties": {
            "ledger": { "type": "string", "description": "the origin, of /readyz" },
            "op": { "type": "string", "enum": operations },
            "party": { "type": "string" },
            "nonce": { "type": "string", "pattern": "^[0-9a-f]{32}$" },
            "not_after": { "type": "string" },
            "body": { "type": "object" },
        },
    })
}

fn envelope_schema() -> Value {
    json!({
        "type": "object",
        "description": "A DSSE envelope.",
        "required": ["payloadType", "payload", "signatures"],
        "properties": {
            "payloadType": { "type": "string" },
            "payload": { "type": "string", "contentEncoding": "base64" },
            "signatures": { "type": "array", "minItems": 1, "maxItems": 16, "items": {
                "type": "object",
                "required": ["keyid", "sig"],
                "properties": {
                    "keyid": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                    "sig": { "type": "string", "contentEncoding": "base64" },
                },
            } },
        },
    })
}
