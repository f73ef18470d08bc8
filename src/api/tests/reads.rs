//! Lists and objects: a party reads its own, in order, and nothing tells it of others'.

use super::served::{Answer, Served};
use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, TAX};

fn get(served: &Served, by: &str, path: &str) -> Answer {
    let token = served.token_of(by);
    served.request(
        &format!("GET {path} HTTP/1.1\r\nauthorization: Bearer {token}"),
        b"",
    )
}

#[test]
fn a_list_is_read_page_by_page_each_row_once_in_order() {
    let mut served = Served::new();
    let mut made: Vec<String> = (0..5)
        .map(|i| served.proposed(&format!("HT-{i}")).0.to_string())
        .collect();
    made.sort();
    let client = served.client_of(HOSPITAL);
    let mut read = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = client.list("contracts", after.as_deref(), 2).unwrap();
        assert!((1..=2).contains(&page.items.len()));
        read.extend(
            page.items
                .iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(read, made);
    assert_eq!(client.all("contracts").unwrap().len(), 5);
}

#[test]
fn a_last_page_that_is_full_names_no_next() {
    let mut served = Served::new();
    served.proposed("HT-0");
    served.proposed("HT-1");
    let page = served
        .client_of(SUPPLIER)
        .list("contracts", None, 2)
        .unwrap();
    assert_eq!((page.items.len(), page.next), (2, None));
}

#[test]
fn another_partys_list_is_as_if_there_were_nothing() {
    let mut served = Served::new();
    let before = get(&served, STRANGER, "/v1/contracts?limit=1");
    served.proposed("HT-0");
    served.proposed("HT-1");
    let after = get(&served, STRANGER, "/v1/contracts?limit=1");
    assert_eq!(
        (before.status, &before.body),
        (200, &r#"{"items":[]}"#.to_owned())
    );
    assert_eq!(before.body, after.body);
    assert_eq!(served.client_of(TAX).all("contracts").unwrap().len(), 2);
}

#[test]
fn an_object_of_others_reads_as_one_that_never_was() {
    let mut served = Served::new();
    let (contract, _) = served.proposed("HT-0");
    let unseen = get(&served, STRANGER, &format!("/v1/contracts/{contract}"));
    let absent = get(
        &served,
        STRANGER,
        "/v1/contracts/ctr_00000000000000000000000000",
    );
    assert_eq!((unseen.status, absent.status), (404, 404));
    assert_eq!(unseen.body, absent.body);
    let lines = |answer: &Answer| {
        let kept = answer
            .head
            .lines()
            .filter(|line| !line.starts_with("date:"));
        kept.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&unseen), lines(&absent));
    let seen = get(&served, HOSPITAL, &format!("/v1/contracts/{contract}"));
    assert_eq!(
        (seen.status, &seen.json()["value"]),
        (200, &"1000000.00".into())
    );
}

#[test]
fn every_kind_lists_for_every_admitted_party() {
    let served = Served::new();
    let client = served.client_of(SUPPLIER);
    for kind in &crate::api::list::KINDS {
        let rows = client.all(kind.plural).unwrap();
        assert_eq!(
            rows.len(),
            if kind.plural == "parties" { 5 } else { 0 },
            "{}",
            kind.plural
        );
    }
}

#[test]
fn a_party_is_read_by_its_id_with_its_colon_escaped_or_not() {
    let served = Served::new();
    let plain = get(&served, STRANGER, &format!("/v1/parties/{SUPPLIER}"));
    let escaped = get(
        &served,
        STRANGER,
        &format!("/v1/parties/{}", SUPPLIER.replace(':', "%3A")),
    );
    assert_eq!(plain.status, 200);
    assert_eq!(plain.body, escaped.body);
}

#[test]
fn a_drill_clock_moves_forward_alone_and_what_ended_by_it_reads_so() {
    let mut served = Served::new();
    let (contract, _) = served.proposed("HT-0");
    let client = served.client();
    client.move_clock("2026-08-01T00:00:00Z").unwrap();
    assert_eq!(client.status().unwrap().time, "2026-08-01T00:00:00Z");
    let row = served
        .client_of(SUPPLIER)
        .object("contracts", &contract.to_string())
        .unwrap();
    assert_eq!(row["state"], "expired");
    let back = client.move_clock("2026-07-31T23:59:59Z").unwrap_err();
    assert_eq!(
        back.problem().map(|problem| problem.code.as_str()),
        Some("clock.backwards")
    );
    let body = served.request(
        "POST /v1/drill/clock HTTP/1.1\r\ncontent-type: application/json",
        br#"{"now":"later"}"#,
    );
    assert_eq!((body.status, body.code().as_str()), (400, "body.malformed"));
}
