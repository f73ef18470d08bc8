//! Filters, orders and cursors tell no more than the rows: a list that is asked for a value that the reader's rows leave
//! out, or goes on behind an object that it may not see, answers as if there were none.

use std::collections::BTreeSet;

use serde_json::Value;

use super::answers::Reader;
use super::cast::everybody;
use super::scene::Scene;
use super::table::{KINDS, TABLE, absent, sees};

/// Those whose rows differ most: a co-holder, a lender, a former holder, a debtor, an outsider, an attester.
const READERS: [&str; 7] = [
    "maker",
    "bank-a",
    "carrier",
    "hospital",
    "stranger",
    "inspector",
    "fund",
];

/// Columns in which nothing of the scene has a value.
const SILENT: [&str; 3] = ["contracts closed", "contracts ends", "limits supplier"];

fn items(reader: &Reader, path: &str) -> Vec<Value> {
    let answer = reader.get(path);
    assert_eq!(answer.status, 200, "{path} {}", answer.body);
    answer.json()["items"].as_array().unwrap().clone()
}

/// What a list says that it takes: filters, days and instants with their ends, columns to sort by.
fn taken(reader: &Reader, kind: &str) -> (Vec<String>, Vec<String>) {
    let named = |path: String, before: &str| -> Vec<String> {
        let problem = reader.get(&path).json();
        let detail = problem["detail"].as_str().unwrap().to_owned();
        let (_, names) = detail.split_once(before).unwrap();
        names.split(", ").map(str::to_owned).collect()
    };
    let takes = named(format!("/v1/{kind}?no-such=1"), "parameters ");
    let page = ["after", "limit", "sort", "format", "as_of"];
    let filters = takes
        .into_iter()
        .filter(|name| !page.contains(&name.as_str()));
    let columns = named(format!("/v1/{kind}?sort=no-such"), "first: ");
    (filters.collect(), columns)
}

/// Every value of a column of a row, as a filter writes it. A column is called by the last part of its path where that
/// is enough.
fn values(row: &Value, column: &str, found: &mut BTreeSet<String>) {
    let Value::Object(fields) = row else { return };
    let (first, rest) = column.split_once('.').unwrap_or((column, ""));
    if !rest.is_empty() {
        return fields
            .get(first)
            .into_iter()
            .for_each(|inner| values(inner, rest, found));
    }
    for (field, value) in fields {
        match value {
            _ if field != column => {
                if column != "at" {
                    values(value, column, found);
                }
            }
            Value::Array(all) => {
                let all = all.iter().filter_map(Value::as_str);
                found.extend(all.map(str::to_owned));
            }
            Value::String(text) => drop(found.insert(text.clone())),
            Value::Null | Value::Object(_) => {}
            other => drop(found.insert(other.to_string())),
        }
    }
}

/// The column of a filter, and whether it is bounded from below or from above.
fn bound(filter: &str) -> (&str, Option<bool>) {
    let from = filter
        .strip_suffix("_from")
        .map(|column| (column, Some(true)));
    let to = filter
        .strip_suffix("_to")
        .map(|column| (column, Some(false)));
    from.or(to).unwrap_or((filter, None))
}

fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// Whether a row of the reader's own passes a filter.
fn passes(row: &Value, filter: &str, value: &str) -> bool {
    let (column, bound) = bound(filter);
    let mut found = BTreeSet::new();
    values(row, column, &mut found);
    match bound {
        None => found.contains(value),
        Some(true) => found.iter().any(|one| one.as_str() >= value),
        Some(false) => found.iter().any(|one| one.as_str() <= value),
    }
}

/// The auditor's rows hold every value there is: the reader asks for each of them.
#[test]
fn a_filter_finds_what_stands_in_the_readers_own_rows_and_nothing_else() {
    let scene = Scene::played();
    let auditor = Reader::of(&scene, "tax");
    let (mut asked, mut empty, mut silent) = (0, 0, BTreeSet::new());
    for kind in KINDS.into_iter().chain(["due", "claims"]) {
        let (filters, _) = taken(&auditor, kind);
        let all = items(&auditor, &format!("/v1/{kind}?limit=200"));
        let readers: Vec<(&str, Reader, Vec<Value>)> = READERS
            .into_iter()
            .map(|who| {
                let reader = Reader::of(&scene, who);
                let own = items(&reader, &format!("/v1/{kind}?limit=200"));
                (who, reader, own)
            })
            .collect();
        for filter in &filters {
            let (column, _) = bound(filter);
            let mut known = BTreeSet::new();
            all.iter().for_each(|row| values(row, column, &mut known));
            if known.is_empty() {
                silent.insert(format!("{kind} {column}"));
            }
            for (who, reader, own) in &readers {
                for value in known.iter().take(8) {
                    let path = format!("/v1/{kind}?limit=200&{filter}={}", escaped(value));
                    let expected: Vec<&Value> = own
                        .iter()
                        .filter(|row| passes(row, filter, value))
                        .collect();
                    let found = items(reader, &path);
                    assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{who} {path}");
                    asked += 1;
                    empty += usize::from(found.is_empty());
                }
            }
        }
    }
    assert_eq!(silent.iter().collect::<Vec<_>>(), SILENT);
    assert!(asked > 1_500 && empty > 500, "{asked} asked, {empty} empty");
}

/// A row has one place by each column; one that lacks the column stands last, whatever the object holds.
#[test]
fn an_order_goes_by_the_readers_own_rows() {
    let scene = Scene::played();
    for kind in KINDS.into_iter().chain(["due", "claims"]) {
        for who in ["supplier", "bank-a", "factor", "carrier"] {
            let reader = Reader::of(&scene, who);
            let (_, columns) = taken(&reader, kind);
            let own = items(&reader, &format!("/v1/{kind}?limit=200"));
            for column in columns {
                let sorted = items(&reader, &format!("/v1/{kind}?limit=200&sort={column}"));
                let mut rest = own.clone();
                for row in &sorted {
                    let at = rest.iter().position(|one| one == row);
                    rest.remove(at.unwrap_or_else(|| panic!("{who} {kind} {column}: {row}")));
                }
                assert!(rest.is_empty(), "{who} {kind} {column}");
                let cell = |row: &Value| {
                    column
                        .split('.')
                        .try_fold(row.clone(), |at, part| at.get(part).cloned())
                };
                let cells: Vec<Option<Value>> = sorted.iter().map(cell).collect();
                assert!(
                    cells.iter().is_sorted_by_key(Option::is_none),
                    "{who} {kind} {column}: what is absent is last"
                );
                // Of those that lack it, the order is that of the ids, which tells nothing.
                let lacking = sorted.iter().zip(&cells).filter(|(_, cell)| cell.is_none());
                let ids: Vec<&str> = lacking.filter_map(|(row, _)| row["id"].as_str()).collect();
                assert!(ids.is_sorted(), "{who} {kind} {column}");
            }
        }
    }
}

/// A cursor is a place in the order and no question: it need not be an object, and it makes none known.
#[test]
fn a_cursor_of_an_unseen_object_reads_as_one_of_no_object() {
    let scene = Scene::played();
    for who in everybody() {
        let reader = Reader::of(&scene, who);
        for row in TABLE.iter().filter(|row| !sees(row, who)) {
            let (kind, id) = (row.0, scene.id(row.1));
            // The next id there could be: no object has it.
            let (head, last) = id.split_at(id.len() - 1);
            let near = format!("{head}{}", if last == "z" { "y" } else { "z" });
            let own = items(&reader, &format!("/v1/{kind}?limit=200"));
            for after in [id, &near, &absent(id)] {
                let answer = items(&reader, &format!("/v1/{kind}?limit=200&after={after}"));
                let behind = own.iter().filter(|one| one["id"].as_str().unwrap() > after);
                assert_eq!(
                    answer.iter().collect::<Vec<_>>(),
                    behind.collect::<Vec<_>>(),
                    "{who} {kind} {after}"
                );
            }
        }
        // A place by a value that no row of the reader's has.
        let sorted = items(&reader, "/v1/offers?limit=200&sort=requester");
        let forged = base64url(&format!("[\"{}\",\"\"]", scene.party("works").id));
        let behind = items(
            &reader,
            &format!("/v1/offers?limit=200&sort=requester&after={forged}"),
        );
        assert!(behind.iter().all(|row| sorted.contains(row)), "{who}");
        let nothing = base64url("[\"\",\"\"]");
        let all = items(
            &reader,
            &format!("/v1/offers?limit=200&sort=requester&after={nothing}"),
        );
        assert_eq!(all, sorted, "{who}");
    }
}

fn base64url(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}
