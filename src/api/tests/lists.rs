//! Lists with filters, in an order, and as files.

use serde_json::Value;

use super::served::{Answer, Served};
use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER};

fn get(served: &Served, by: &str, path: &str) -> Answer {
    let token = served.token_of(by);
    served.request(
        &format!("GET {path} HTTP/1.1\r\nauthorization: Bearer {token}"),
        b"",
    )
}

fn numbers(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let json = answer.json();
    let items = json["items"].as_array().unwrap().iter();
    items
        .map(|row| row["number"].as_str().unwrap().to_owned())
        .collect()
}

/// A ledger with the contracts HT-0, HT-1, …, of which the last is in force.
fn with_contracts(count: usize) -> Served {
    let mut served = Served::new();
    for at in 0..count {
        let (contract, _) = served.proposed(&format!("HT-{at}"));
        if at + 1 == count {
            let accepting = served.accepting(contract);
            served.client().submit(&accepting).unwrap();
        }
    }
    served
}

#[test]
fn a_filter_keeps_what_passes_and_a_stranger_gets_nothing() {
    let served = with_contracts(3);
    let path = "/v1/contracts?number=HT-1&currency=CNY";
    assert_eq!(numbers(&get(&served, HOSPITAL, path)), ["HT-1"]);
    assert!(numbers(&get(&served, STRANGER, path)).is_empty());
    let by_state = get(
        &served,
        SUPPLIER,
        "/v1/contracts?state=proposed&sort=number",
    );
    assert_eq!(numbers(&by_state), ["HT-0", "HT-1"]);
    let none = get(&served, HOSPITAL, "/v1/contracts?concluded_to=1999-12-31");
    assert!(numbers(&none).is_empty());
    let unknown = get(&served, HOSPITAL, "/v1/contracts?colour=red");
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (400, "query.unknown")
    );
}

#[test]
fn a_sorted_list_goes_on_behind_the_row_that_was_last() {
    let mut served = with_contracts(5);
    let mut read = Vec::new();
    let mut path = "/v1/contracts?sort=-number&limit=2".to_owned();
    loop {
        let page = get(&served, HOSPITAL, &path);
        read.extend(numbers(&page));
        // What comes before the cursor meanwhile moves nothing behind it.
        served.proposed(&format!("HT-9{}", read.len()));
        match page.json()["next"].as_str() {
            Some(next) => path = format!("/v1/contracts?sort=-number&limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(read, ["HT-4", "HT-3", "HT-2", "HT-1", "HT-0"]);
}

#[test]
fn a_file_holds_the_rows_under_a_header_that_an_empty_one_has_too() {
    let served = with_contracts(3);
    let file = get(&served, HOSPITAL, "/v1/contracts?format=csv&sort=number");
    assert!(file.has("content-type: text/csv; charset=utf-8; header=present"));
    assert!(file.has("content-disposition: attachment; filename=\"contracts.csv\""));
    let lines: Vec<&str> = file.body.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 4);
    let by_client = served
        .client_of(HOSPITAL)
        .csv("contracts", &[("number", "HT-1")]);
    assert_eq!(by_client.unwrap().lines().count(), 2);
    let empty = get(&served, STRANGER, "/v1/contracts?format=csv");
    assert_eq!(empty.body, format!("{}\r\n", lines[0]));
    let rows = get(&served, HOSPITAL, "/v1/contracts?sort=number").json();
    let row = rows["items"][0].as_object().unwrap();
    for (name, cell) in lines[0].split(',').zip(lines[1].split(',')) {
        let expected = match row.get(name) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        assert_eq!(cell, expected, "{name}");
    }
    assert!(
        row.keys()
            .all(|name| lines[0].split(',').any(|column| column == name))
    );
}

#[test]
fn a_file_that_is_not_the_whole_leads_to_the_next() {
    let served = with_contracts(3);
    let file = get(
        &served,
        HOSPITAL,
        "/v1/contracts?format=csv&limit=2&currency=CNY",
    );
    let link = file.head.lines().find(|line| line.starts_with("link: "));
    let path = link.and_then(|line| line.split(['<', '>']).nth(1)).unwrap();
    assert!(path.starts_with("/v1/contracts?format=csv&limit=2&currency=cny&after=ctr_"));
    let whole = get(&served, HOSPITAL, "/v1/contracts?format=csv");
    assert!(!whole.head.contains("\r\nlink: ") && whole.body.lines().count() == 4);
}

#[test]
fn due_lists_are_bounded_by_day_and_empty_where_nothing_is_owed() {
    let served = with_contracts(1);
    let due = get(
        &served,
        HOSPITAL,
        "/v1/due?due_from=2026-01-01&due_to=2026-12-31",
    );
    assert_eq!((due.status, due.body.as_str()), (200, r#"{"items":[]}"#));
    let wrong = get(&served, HOSPITAL, "/v1/due?due_from=tomorrow");
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "query.day"));
}
