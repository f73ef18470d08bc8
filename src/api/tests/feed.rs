//! A party's feed: its own entries, numbered for it alone, and what follows them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::served::Served;
use crate::api::session::SESSIONS_PER_PARTY;
use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, TAX};
use crate::domain::values::Instant;

fn events(served: &Served, by: &str, query: &str) -> Value {
    let client = served.client_of(by);
    client.get(&format!("/v1/events{query}")).unwrap()
}

/// What of a feed may not depend on what others do.
fn own(feed: &Value) -> Vec<Value> {
    let items = feed["items"].as_array().unwrap().iter();
    items
        .map(|event| {
            json!([
                event["seq"],
                event["op"],
                event["objects"].as_array().unwrap().len()
            ])
        })
        .collect()
}

#[test]
fn a_feed_is_the_same_whatever_others_do_in_between() {
    let mut quiet = Served::new();
    let (contract, _) = quiet.proposed("HT-0");
    let accepting = quiet.accepting(contract);
    quiet.client().submit(&accepting).unwrap();

    let mut busy = Served::new();
    busy.admit_another("lei:529986WORKSZZZZZZZ39");
    let (contract, _) = busy.proposed("HT-0");
    busy.admit_another("lei:529989WORKSHOPZZZZ97");
    let accepting = busy.accepting(contract);
    busy.client().submit(&accepting).unwrap();
    busy.admit_another("lei:529983SMITHZZZZZZZ50");

    let feed = events(&quiet, HOSPITAL, "");
    assert_eq!(own(&feed), own(&events(&busy, HOSPITAL, "")));
    assert_eq!(
        own(&feed)[1..],
        [
            json!([2, "contract.propose", 1]),
            json!([3, "contract.accept", 1])
        ]
    );
    // To the stranger its own admission, and not that there is anything else.
    assert_eq!(own(&events(&busy, STRANGER, "")).len(), 1);
}

#[test]
fn pages_of_a_feed_go_on_behind_a_number_and_lead_to_the_lines() {
    let mut served = Served::new();
    let (contract, envelope) = served.proposed("HT-0");
    let first = events(&served, SUPPLIER, "?limit=1");
    assert_eq!((own(&first).len(), &first["next"]), (1, &json!("1")));
    let second = events(&served, SUPPLIER, "?limit=1&after=1");
    assert_eq!(second.get("next"), None);
    let event = &second["items"][0];
    let by_client = served.client_of(SUPPLIER).events(1, 10).unwrap();
    assert_eq!(&by_client[..], std::slice::from_ref(event));
    assert_eq!(event["objects"], json!([contract.to_string()]));
    assert_eq!(event["op_id"], envelope.op_id().to_string());
    let line: Value = served
        .client_of(SUPPLIER)
        .get(event["entry"].as_str().unwrap())
        .unwrap();
    assert_eq!(line["n"], event["n"]);
    // An authority reads all: its numbers are those of the entries.
    let all = events(&served, TAX, "?limit=200");
    assert_eq!(
        all["items"].as_array().unwrap().len() as u64,
        served.ledger.published().size
    );
}

struct Reading(BufReader<TcpStream>);

impl Reading {
    fn open(served: &Served, by: &str, last: &str) -> Reading {
        let mut stream = TcpStream::connect(served.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let token = served.token_of(by);
        let head = format!(
            "GET /v1/events HTTP/1.1\r\nhost: test\r\nconnection: close\r\naccept: text/event-stream\r\nauthorization: Bearer {token}\r\nlast-event-id: {last}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        Reading(BufReader::new(stream))
    }

    /// The next event, or none when the stream is at its end.
    fn event(&mut self) -> Option<Value> {
        self.event_with_id().map(|(_, event)| event)
    }

    /// The same under its id.
    fn event_with_id(&mut self) -> Option<(String, Value)> {
        let (mut id, mut event) = (String::new(), None);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(found) = line.strip_prefix("id:") {
                id = found.trim().to_owned();
            }
            if let Some(data) = line.strip_prefix("data:") {
                event = Some(serde_json::from_str(data).unwrap());
            }
            // A blank line ends an event.
            if line == "\n"
                && let Some(event) = event.take()
            {
                return Some((id, event));
            }
        }
    }
}

/// Seq and operation of events, object and word of notices.
fn told(items: &[Value]) -> Vec<String> {
    let told = |item: &Value| match item.get("seq") {
        Some(seq) => format!("{seq} {}", item["op"].as_str().unwrap()),
        None => format!("{} {}", item["object"], item["notice"]),
    };
    items.iter().map(told).collect()
}

/// A contract that nobody answers for a month, and then another: the feed of the hospital, of which it reads so much at
/// a time.
fn in_pages(served: &Served, limit: usize) -> Vec<Value> {
    let (mut items, mut query) = (Vec::new(), format!("?limit={limit}"));
    loop {
        let page = events(served, HOSPITAL, &query);
        items.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => query = format!("?limit={limit}&after={next}"),
            None => return items,
        }
    }
}

#[test]
fn a_notice_stands_where_its_time_puts_it_and_is_recomputed_from_any_place() {
    let mut served = Served::new();
    let (first, _) = served.proposed("HT-0");
    let (second, _) = served.proposed("HT-1");
    let end = served.ledger.ready().time.plus_days(30);
    let before = Instant::from_millis(end.millis() - 1);
    served.ledger.advance(before).unwrap();
    assert_eq!(
        told(&in_pages(&served, 50)).len(),
        3,
        "nothing has ended yet"
    );
    served.ledger.advance(end.plus_hours(1)).unwrap();
    served.proposed("HT-2");
    let whole = in_pages(&served, 50);
    let mut expired = [first, second].map(|id| format!("\"{id}\" \"expired\""));
    expired.sort();
    let [one, other] = expired;
    let (begins, then) = (
        "1 party.admit",
        ["2 contract.propose", "3 contract.propose"],
    );
    let expected = [begins, then[0], then[1], &one, &other, "4 contract.propose"];
    assert_eq!(told(&whole), expected);
    for limit in 1..5 {
        assert_eq!(in_pages(&served, limit), whole, "{limit} at a time");
    }
    // From the place of an event or of a notice on, the same again.
    for (at, item) in whole.iter().enumerate() {
        let after = match item.get("place") {
            Some(place) => place.as_str().unwrap().to_owned(),
            None => item["seq"].to_string(),
        };
        let rest = events(&served, HOSPITAL, &format!("?after={after}"));
        assert_eq!(
            rest["items"].as_array().unwrap()[..],
            whole[at + 1..],
            "{after}"
        );
    }
    let client = served.client_of(STRANGER);
    let stranger: Value = client.get("/v1/events").unwrap();
    assert_eq!(
        told(stranger["items"].as_array().unwrap()),
        ["1 party.admit"]
    );
    let beyond = events(&served, HOSPITAL, "?after=99");
    assert_eq!(beyond["items"], json!([]));
}

#[test]
fn a_stream_sends_a_notice_when_its_time_comes_and_goes_on_behind_it() {
    let mut served = Served::new();
    let (contract, _) = served.proposed("HT-0");
    let mut reading = Reading::open(&served, SUPPLIER, "2");
    let end = served.ledger.ready().time.plus_days(30);
    served.ledger.advance(end).unwrap();
    let (place, notice) = reading.event_with_id().unwrap();
    assert_eq!(notice["object"], contract.to_string());
    assert_eq!(
        (&notice["notice"], &notice["time"]),
        (&json!("expired"), &json!(end))
    );
    assert_eq!(notice["place"], place);
    served.proposed("HT-1");
    assert_eq!(reading.event().unwrap()["seq"], 3);
    // Who asks again behind the notice does not read it again; who asks behind the event before it does.
    assert_eq!(
        Reading::open(&served, SUPPLIER, &place).event().unwrap()["seq"],
        3
    );
    let again = Reading::open(&served, SUPPLIER, "2")
        .event_with_id()
        .unwrap();
    assert_eq!(again, (place, notice));
}

#[test]
fn a_stream_goes_on_behind_the_last_event_and_ends_with_the_server() {
    let mut served = Served::new();
    served.proposed("HT-0");
    let mut reading = Reading::open(&served, HOSPITAL, "1");
    let event = reading.event().unwrap();
    assert_eq!(
        (&event["seq"], &event["op"]),
        (&json!(2), &json!("contract.propose"))
    );
    served.proposed("HT-1");
    let event = reading.event().unwrap();
    assert_eq!(event["seq"], 3);
    let began = std::time::Instant::now();
    served.stop();
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(reading.event(), None);
}

#[test]
fn a_stream_tells_nothing_once_its_session_has_ended() {
    let mut served = Served::new();
    let mut reading = Reading::open(&served, HOSPITAL, "0");
    assert_eq!(reading.event().unwrap()["seq"], 1);
    // A party's oldest session ends where it opens one too many.
    for _ in 0..SESSIONS_PER_PARTY {
        served.token_of(HOSPITAL);
    }
    served.proposed("HT-0");
    assert_eq!(reading.event(), None);
}

#[test]
fn a_feed_takes_a_session_and_says_what_it_takes() {
    let served = Served::new();
    let nobody = served.request("GET /v1/events HTTP/1.1\r\naccept: text/event-stream", b"");
    assert_eq!(
        (nobody.status, nobody.code().as_str()),
        (401, "session.missing")
    );
    let token = served.token_of(STRANGER);
    for (query, code) in [
        ("after=-1", "query.after"),
        ("after=1.soon.ctr_0", "query.after"),
        ("after=1.5", "query.after"),
        ("limit=0", "query.limit"),
        ("from=1", "query.unknown"),
    ] {
        let head = format!("GET /v1/events?{query} HTTP/1.1\r\nauthorization: Bearer {token}");
        let answer = served.request(&head, b"");
        assert_eq!((answer.status, answer.code().as_str()), (400, code));
    }
}
