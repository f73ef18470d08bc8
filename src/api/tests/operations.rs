//! Writes: each status, and that nobody learns of another's operations.

use rstest::rstest;

use super::proofs::proved;
use super::served::{Answer, Served, key};
use crate::chain::Envelope;
use crate::chain::pae::{OP_TYPE, SESSION_TYPE};
use crate::client::ProblemReport;
use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, TAX, proposal};

const JSON: &str = "\r\ncontent-type: application/json";
const NDJSON: &str = "\r\ncontent-type: application/x-ndjson";

fn post(served: &Served, path: &str, header: &str, body: &[u8]) -> Answer {
    served.request(&format!("POST {path} HTTP/1.1{header}"), body)
}

fn check(served: &Served, by: &str, payload: &str) -> Answer {
    let header = format!("{JSON}\r\nauthorization: Bearer {}", served.token_of(by));
    post(served, "/v1/operations:check", &header, payload.as_bytes())
}

#[test]
fn a_new_operation_is_created_and_a_repeat_is_told_the_same_entry() {
    let mut served = Served::new();
    let envelope = served.signed(SUPPLIER, proposal()).encode();
    let first = post(&served, "/v1/operations", JSON, &envelope);
    assert_eq!(first.status, 201, "{first:?}");
    let again = post(&served, "/v1/operations", JSON, &envelope);
    assert_eq!(again.status, 200, "{again:?}");
    let (first, again) = (first.json(), again.json());
    for field in ["op_id", "n", "time", "leaf"] {
        assert_eq!(first[field], again[field]);
    }
    assert_eq!((&first["n"], &first["drill"]), (&5.into(), &true.into()));
    assert_eq!(proved(&served, &first["receipt"]), (5, 6));
    assert_eq!(first["receipt"]["line"], again["receipt"]["line"]);
}

#[test]
fn a_repeat_lists_signatures_that_are_not_recorded() {
    let mut served = Served::new();
    let mut envelope = served.signed(SUPPLIER, proposal());
    let client = served.client();
    assert!(!client.submit(&envelope).unwrap().repeated);
    envelope.sign(&key("x:late")).unwrap();
    let again = client.submit(&envelope).unwrap();
    assert!(again.repeated);
    assert_eq!(
        again.signatures_not_recorded,
        [key("x:late").public_key().to_string()]
    );
}

#[test]
fn a_refusal_names_its_rule_and_until_when_the_operation_stays_usable() {
    let mut served = Served::new();
    let (contract, _) = served.proposed("HT-1");
    let envelope = served.accepting(contract);
    served.client().submit(&envelope).unwrap();
    let envelope = served.accepting(contract);
    let answer = post(&served, "/v1/operations", JSON, &envelope.encode());
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (422, "contract.not_proposed")
    );
    let problem = answer.json();
    assert_eq!(problem["rule"], "contract.not_proposed");
    assert_eq!(problem["op_id"], envelope.op_id().to_string());
    assert!(problem["usable_until"].is_string());
}

#[rstest]
#[case::no_json(b"hello".to_vec(), JSON, 400, "envelope.malformed")]
#[case::empty(b" ".to_vec(), JSON, 400, "envelope.malformed")]
#[case::no_envelope(b"{}".to_vec(), JSON, 400, "envelope.missing_field")]
#[case::not_utf8(b"\xff\xfe".to_vec(), JSON, 400, "envelope.malformed")]
#[case::no_type(b"{}".to_vec(), "", 415, "content_type.unsupported")]
#[case::wrong_type(b"{}".to_vec(), "\r\ncontent-type: text/plain", 415, "content_type.unsupported")]
#[case::too_large(vec![b' '; 65_537], JSON, 413, "body.too_large")]
#[case::a_session_request(signed(SESSION_TYPE, "{}"), JSON, 400, "envelope.payload_type")]
#[case::no_operation(signed(OP_TYPE, "{}"), JSON, 400, "payload.malformed")]
#[case::white_space(signed(OP_TYPE, " {}"), JSON, 400, "payload.malformed")]
fn what_is_no_operation_is_told_why(
    #[case] body: Vec<u8>,
    #[case] header: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let served = Served::empty();
    let answer = post(&served, "/v1/operations", header, &body);
    assert_eq!((answer.status, answer.code().as_str()), (status, code));
}

fn signed(payload_type: &str, payload: &str) -> Vec<u8> {
    let mut envelope = Envelope::new(payload_type, payload).unwrap();
    envelope.sign(&key(SUPPLIER)).unwrap();
    envelope.encode()
}

#[test]
fn a_malformed_envelope_is_told_where() {
    let served = Served::empty();
    let body = br#"{"payloadType":"x","payload":"!","signatures":[]}"#;
    let problem = post(&served, "/v1/operations", JSON, body).json();
    assert_eq!(problem["errors"][0]["pointer"], "/payload");
}

#[test]
fn a_batch_answers_each_line_in_order() {
    let mut served = Served::new();
    let (contract, proposed) = served.proposed("HT-1");
    let good = served.accepting(contract);
    let again = served.accepting(contract);
    let lines = [
        proposed.encode(),
        b"hello".to_vec(),
        good.encode(),
        again.encode(),
    ];
    let answer = post(&served, "/v1/operations:batch", NDJSON, &lines.join(&b'\n'));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.has("content-type: application/x-ndjson"));
    let told = served
        .client()
        .submit_all(&[proposed, good, again])
        .unwrap();
    let codes: Vec<_> = told
        .iter()
        .map(|line| {
            line.as_ref()
                .map_err(|problem: &ProblemReport| problem.code.as_str())
        })
        .collect();
    assert!(codes[0].as_ref().unwrap().repeated && codes[1].as_ref().unwrap().repeated);
    assert_eq!(codes[2].as_ref().unwrap_err(), &"contract.not_proposed");
    let statuses: Vec<&str> = answer
        .body
        .match_indices("\"status\":")
        .map(|(at, _)| &answer.body[at + 9..at + 12])
        .collect();
    assert_eq!(statuses, ["200", "400", "201", "422"]);
}

#[test]
fn an_empty_batch_has_no_answers() {
    let served = Served::empty();
    assert!(served.client().submit_all(&[]).unwrap().is_empty());
}

#[test]
fn a_batch_has_a_type_and_a_bound() {
    let served = Served::empty();
    let answer = post(&served, "/v1/operations:batch", JSON, b"{}");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (415, "content_type.unsupported")
    );
    let answer = post(
        &served,
        "/v1/operations:batch",
        NDJSON,
        &b"\n".repeat(10_002),
    );
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "body.too_large")
    );
}

#[test]
fn a_check_says_what_would_become_of_a_payload_and_enters_nothing() {
    let mut served = Served::new();
    let payload = served.payload(SUPPLIER, proposal());
    let size = served.ledger.ready().size;
    let answer = check(&served, SUPPLIER, &payload);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(served.ledger.ready().size, size);
    let op_id = Envelope::new(OP_TYPE, payload).unwrap().op_id();
    assert_eq!(answer.json()["op_id"], op_id.to_string());
}

#[test]
fn a_check_takes_an_unsigned_payload_of_its_own_party_under_a_session() {
    let mut served = Served::new();
    let envelope = served.signed(SUPPLIER, proposal()).encode();
    let answer = check(&served, SUPPLIER, std::str::from_utf8(&envelope).unwrap());
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "check.envelope")
    );
    let payload = served.payload(SUPPLIER, proposal());
    let other = check(&served, HOSPITAL, &payload);
    assert_eq!((other.status, other.code().as_str()), (422, "check.party"));
    let none = post(&served, "/v1/operations:check", JSON, payload.as_bytes());
    assert_eq!(
        (none.status, none.code().as_str()),
        (401, "session.missing")
    );
    let spaced = check(&served, SUPPLIER, &format!("{payload} "));
    assert_eq!(
        (spaced.status, spaced.code().as_str()),
        (400, "payload.not_canonical")
    );
}

#[test]
fn a_check_has_the_limits_of_an_envelope() {
    let served = Served::new();
    let answer = check(&served, SUPPLIER, &" ".repeat(40 * 1024 + 1));
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "envelope.payload_too_long")
    );
}

#[test]
fn a_receipt_and_an_entry_are_read_by_those_whom_it_was_told() {
    let mut served = Served::new();
    let (_, envelope) = served.proposed("HT-1");
    let op_id = envelope.op_id().to_string();
    for party in [SUPPLIER, HOSPITAL, TAX] {
        let client = served.client_of(party);
        let receipt = client.operation(&op_id).unwrap();
        assert_eq!(receipt.n, 5, "{party}");
        let line = client.entry(5).unwrap();
        let (_, read) = crate::chain::Line::decode(line.as_bytes()).unwrap();
        assert_eq!(read.leaf().to_string(), receipt.leaf);
    }
}

#[test]
fn an_entry_of_others_reads_as_one_that_never_was() {
    let mut served = Served::new();
    let (_, envelope) = served.proposed("HT-1");
    let token = served.token_of(STRANGER);
    let get = |path: &str| {
        let head = format!("GET {path} HTTP/1.1\r\nauthorization: Bearer {token}");
        let answer = served.request(&head, b"");
        assert_eq!(answer.status, 404);
        answer.body
    };
    let unseen = get(&format!("/v1/operations/{}", envelope.op_id()));
    assert_eq!(unseen, get(&format!("/v1/operations/{}", "ab".repeat(32))));
    assert_eq!(get("/v1/entries/5"), get("/v1/entries/777"));
    assert_eq!(get("/v1/entries/0"), get("/v1/entries/777"));
}
