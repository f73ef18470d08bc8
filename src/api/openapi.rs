//! The API as an OpenAPI 3.1 document, from which a stranger writes a client. Kinds, operations and every type come
//! from the code; the paths are listed here once.

pub mod bodies;
mod examples;
mod paths;
mod responses;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use self::paths::{entries, public, writes};
use self::responses::{answer, with_problems};
use super::codes::{self, Group};
use super::feed::EVENTS_TYPE;
use super::list::{KINDS, Kind, VIEWS};
use super::problem::Details;
use super::query::{LIMIT_DEFAULT, LIMIT_MAX};
use super::reply::JSON_TYPE;
use super::{cookie, feed, operations, query, reads, register, status};
use crate::chain::pae::{OP_TYPE, SESSION_TYPE};
use crate::domain::rulebook::Rulebook;
use crate::domain::values::{Day, Instant};
use crate::domain::{rows, schema};

fn of<T: ToSchema>() -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// Text that is told in words.
fn said(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn envelope() -> Value {
    json!({ "$ref": "#/components/schemas/Envelope" })
}

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
    /// Its problems.
    problems: &'static [Group],
}

/// The problems of any reading of something.
const READ: &[Group] = &[
    codes::SESSION,
    codes::QUERY,
    codes::ABSENT,
    codes::INDEX,
    codes::LEDGER,
];

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
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token that POST /v1/sessions gave.",
                },
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
        let about = responses::good(*status);
        responses.insert(status.to_string(), answer(about, media_type, gives));
    }
    if path.path.ends_with("/events") {
        responses["200"]["content"][EVENTS_TYPE] = json!({ "schema": said("Events as they come; `id` is `seq`, `data` the event (READS.md).") });
    }
    if path.session && path.method != "get" {
        // A cookie without the header.
        with_problems(&mut responses, &[codes::COOKIE], false);
    }
    with_problems(&mut responses, path.problems, path.refuses());
    let mut described = json!({ "summary": path.summary, "responses": responses });
    let parameters = path.parameters();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some((media_type, takes)) = &path.takes {
        let mut content = json!({ "schema": takes });
        if let Some(examples) = examples::of_request(path.path) {
            content["examples"] = examples;
        }
        described["requestBody"] = json!({
            "description": path.asks(),
            "required": true,
            "content": { *media_type: content },
        });
    }
    if path.session {
        described["security"] = json!([{ "session": [] }, { "cookie": [] }]);
    }
    described
}

impl Path {
    /// Whether the rules of the ledger may refuse what it is asked.
    fn refuses(&self) -> bool {
        ["/v1/operations", "/v1/operations:check"].contains(&self.path)
            || self.path.ends_with("/payoff")
    }

    /// What its body is, in words.
    fn asks(&self) -> String {
        match self.path {
            "/v1/operations" => format!("An envelope of the type `{OP_TYPE}`."),
            "/v1/operations:batch" => {
                format!("Up to 10,000 envelopes of the type `{OP_TYPE}`, a line each.")
            }
            "/v1/operations:check" => "A payload as it would be signed, canonical.".to_owned(),
            "/v1/sessions" => format!(
                "An envelope of the type `{SESSION_TYPE}` by one live key of the party (FORMAT.md, section 6)."
            ),
            _ => "The ledger's new time.".to_owned(),
        }
    }

    fn parameters(&self) -> Vec<Value> {
        let mut parameters = Vec::new();
        let mut add = |at: &str, name: &str, about: &str, schema: Value| {
            let mut parameter =
                json!({ "name": name, "in": at, "description": about, "schema": schema });
            if at == "path" {
                parameter["required"] = true.into();
            }
            parameters.push(parameter);
        };
        let placed = |name: &str| self.path.contains(&format!("{{{name}}}"));
        if placed("n") {
            add("path", "n", "the number of the entry", text());
        }
        if self.path.ends_with("/receipt") {
            let about = "whether a quorum of witnesses must have cosigned the checkpoint";
            let level = json!({ "type": "string", "enum": ["committed", "witnessed"] });
            add("query", "level", about, level);
        }
        if placed("version") {
            add("path", "version", "the version of the rulebook", text());
        }
        if placed("id") {
            let about = match self.path {
                "/v1/operations/{id}" => "the op id, 64 hex digits",
                _ => "the id of the receivable",
            };
            add("path", "id", about, text());
        }
        if self.path.ends_with("/events") {
            let about =
                "where the reader stands: the `seq` of an event, the `place` of a notice, or 0";
            add("query", "after", about, text());
            let limit = json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX });
            add("query", "limit", "events of a page", limit);
        }
        if self.path.ends_with("/payoff") {
            let about = "the day of payment; today where it is absent";
            add("query", "day", about, of::<Day>());
        }
        if self.path.ends_with("/sessions") && self.method == "post" {
            let about = "for browsers: keeps the token in a cookie instead of telling it";
            let cookie = json!({ "type": "string", "enum": ["cookie"] });
            add("header", "Counterfoil-Session", about, cookie);
        }
        if self.path.ends_with("/claims") {
            parameters.push(as_of());
        }
        parameters
    }
}

fn of_row(kind: &Kind) -> Value {
    let (row, _) = (kind.schema)();
    json!({ "$ref": format!("#/components/schemas/{row}") })
}

fn of_list(kind: &Kind, row: &Value) -> Value {
    let page = json!({
        "type": "object",
        "required": ["items"],
        "description": "A page of a list.",
        "properties": {
            "items": { "type": "array", "items": row, "description": "The rows, in order." },
            "next": { "type": "string", "description": "`after` of the next page; absent on the last" },
        },
    });
    let about = "a page; with `format=csv` a file";
    let mut responses = Map::from_iter([("200".to_owned(), answer(about, JSON_TYPE, &page))]);
    responses["200"]["content"]["text/csv"] =
        json!({ "schema": said("The rows as RFC 4180 with a header (READS.md).") });
    responses["200"]["headers"] = json!({ "Link": {
        "description": "Of a file that does not hold all rows: where the next one is (RFC 8288).",
        "schema": text(),
    } });
    let list = [
        codes::SESSION,
        codes::QUERY,
        codes::PAGE,
        codes::LIST,
        codes::DAY,
        codes::INSTANT,
        codes::LEDGER,
    ];
    let past = kind.of_the_past.then_some(codes::PAST);
    let problems: Vec<Group> = list.into_iter().chain(past).collect();
    with_problems(&mut responses, &problems, false);
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
    let days = kind.days.iter().map(|name| (name, "day", of::<Day>()));
    let instants = kind.instants.iter();
    let instants = instants.map(|name| (name, "instant", of::<Instant>()));
    for (name, what, schema) in days.chain(instants) {
        for (end, side) in [("from", "before"), ("to", "after")] {
            all.push(named(
                &format!("{}_{end}", query::called(name)),
                &format!("rows whose {what} is not {side} this one"),
                schema.clone(),
            ));
        }
    }
    all
}

fn of_one(kind: &Kind, row: &Value) -> Value {
    let mut responses = Map::from_iter([("200".to_owned(), answer("the row", JSON_TYPE, row))]);
    let problems = [codes::SESSION, codes::ABSENT, codes::LEDGER];
    with_problems(&mut responses, &problems, false);
    json!({ "get": {
        "summary": format!("One of the {}, if the party may see it", kind.plural),
        "parameters": [{
            "name": "id",
            "in": "path",
            "required": true,
            "description": format!("the `id` of a row of /v1/{}", kind.plural),
            "schema": text(),
        }],
        "responses": responses,
        "security": [{ "session": [] }, { "cookie": [] }],
    } })
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
    responses::explain(&mut all[Details::name().as_ref()]);
    bodies::add(&mut all);
    all.sort_keys();
    all
}
