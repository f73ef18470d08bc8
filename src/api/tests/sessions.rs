//! Who gets a session, and for what.

use rstest::rstest;
use serde_json::json;

use super::served::{Served, key};
use crate::chain::Envelope;
use crate::chain::pae::{OP_TYPE, SESSION_TYPE};
use crate::domain::testing::{STRANGER, SUPPLIER};

struct Ask {
    payload_type: &'static str,
    ledger: Option<&'static str>,
    audience: Option<&'static str>,
    party: &'static str,
    signers: &'static [&'static str],
    challenge: Option<String>,
    expires: Option<&'static str>,
}

impl Ask {
    fn right() -> Ask {
        Ask {
            payload_type: SESSION_TYPE,
            ledger: None,
            audience: None,
            party: SUPPLIER,
            signers: &[SUPPLIER],
            challenge: None,
            expires: None,
        }
    }

    /// Status and code of the answer.
    fn of(self, served: &Served) -> (u16, String) {
        let given = served.request("POST /v1/challenges HTTP/1.1", b"").json();
        let text = |name: &str| given[name].as_str().unwrap().to_owned();
        let payload = format!(
            r#"{{"ledger":"{}","audience":"{}","party":"{}","challenge":"{}","expires":"{}"}}"#,
            self.ledger.map_or_else(|| text("ledger"), str::to_owned),
            self.audience
                .map_or_else(|| text("audience"), str::to_owned),
            self.party,
            self.challenge.unwrap_or_else(|| text("challenge")),
            self.expires.map_or_else(|| text("expires"), str::to_owned),
        );
        let mut envelope = Envelope::new(self.payload_type, payload).unwrap();
        for signer in self.signers {
            envelope.sign(&key(signer)).unwrap();
        }
        send(served, &envelope.encode())
    }
}

fn send(served: &Served, body: &[u8]) -> (u16, String) {
    let head = "POST /v1/sessions HTTP/1.1\r\ncontent-type: application/json";
    let answer = served.request(head, body);
    let code = match answer.status {
        201 => String::new(),
        _ => answer.code(),
    };
    (answer.status, code)
}

#[rstest]
#[case::right(Ask::right(), 201, "")]
#[case::an_operations_type(Ask { payload_type: OP_TYPE, ..Ask::right() }, 400, "envelope.payload_type")]
#[case::another_ledger(Ask { ledger: Some("drill.other/0123456789abcdef"), ..Ask::right() }, 401, "session.elsewhere")]
#[case::another_server(Ask { audience: Some("https://evil.example"), ..Ask::right() }, 401, "session.elsewhere")]
#[case::another_party(Ask { party: STRANGER, ..Ask::right() }, 401, "key.unknown")]
#[case::another_key(Ask { signers: &["x:nobody"], ..Ask::right() }, 401, "key.unknown")]
#[case::nobody(Ask { party: "x:nobody", signers: &["x:nobody"], ..Ask::right() }, 401, "key.unknown")]
#[case::two_keys(Ask { signers: &[SUPPLIER, "x:nobody"], ..Ask::right() }, 400, "session.one_signature")]
#[case::a_challenge_made_up(Ask { challenge: Some("ab".repeat(56)), ..Ask::right() }, 401, "session.challenge")]
#[case::no_challenge(Ask { challenge: Some("ab".to_owned()), ..Ask::right() }, 400, "payload.malformed")]
#[case::capitals(Ask { challenge: Some("AB".repeat(56)), ..Ask::right() }, 400, "payload.not_canonical")]
#[case::expired(Ask { expires: Some("2020-01-01T00:00:00Z"), ..Ask::right() }, 401, "session.request_expired")]
#[case::no_instant(Ask { expires: Some("soon"), ..Ask::right() }, 400, "payload.malformed")]
fn a_session_is_for_a_live_key_that_signed_a_fresh_request(
    #[case] ask: Ask,
    #[case] status: u16,
    #[case] code: &str,
) {
    let served = Served::new();
    assert_eq!(ask.of(&served), (status, code.to_owned()));
}

#[rstest]
#[case::no_json(b"hello", "envelope.malformed")]
#[case::no_envelope(b"{}", "envelope.missing_field")]
fn what_is_no_envelope_opens_no_session(#[case] body: &[u8], #[case] code: &str) {
    let served = Served::empty();
    assert_eq!(send(&served, body), (400, code.to_owned()));
}

#[test]
fn a_challenge_is_answered_once() {
    let served = Served::new();
    let given = served.request("POST /v1/challenges HTTP/1.1", b"").json();
    let challenge = given["challenge"].as_str().unwrap().to_owned();
    let ask = || Ask {
        challenge: Some(challenge.clone()),
        ..Ask::right()
    };
    assert_eq!(ask().of(&served).0, 201);
    assert_eq!(ask().of(&served), (401, "session.challenge".to_owned()));
}

#[rstest]
#[case::no_scheme("0123", "session.missing")]
#[case::another_scheme("Basic 0123", "session.missing")]
#[case::made_up("Bearer 0123", "session.ended")]
fn a_token_made_up_reads_nothing(#[case] value: &str, #[case] code: &str) {
    let served = Served::new();
    let head = format!("GET /v1/parties HTTP/1.1\r\nauthorization: {value}");
    let answer = served.request(&head, b"");
    assert_eq!((answer.status, answer.code().as_str()), (401, code));
}

#[test]
fn the_client_signs_for_the_server_that_it_means() {
    let served = Served::new();
    // The same server under another name: it says who it is, and the client does not take its word.
    let mut client =
        crate::client::Client::new(format!("http://localhost:{}", served.address.port()));
    let refused = client.open_session(SUPPLIER, &key(SUPPLIER)).unwrap_err();
    assert!(
        matches!(refused, crate::client::ClientError::Audience { .. }),
        "{refused}"
    );
}

#[test]
fn a_session_reads_as_its_party() {
    let served = Served::new();
    let rows = served
        .client_of(SUPPLIER)
        .object("parties", SUPPLIER)
        .unwrap();
    assert!(rows["evidence"].is_string());
    let others = served
        .client_of(STRANGER)
        .object("parties", SUPPLIER)
        .unwrap();
    assert_eq!(others.get("evidence"), None);
    assert_eq!(others["name"], json!(SUPPLIER));
}

/// A session in a cookie, as `name=token`.
fn cookie_of(served: &Served, party: &str) -> String {
    let given = served.request("POST /v1/challenges HTTP/1.1", b"").json();
    let payload = format!(
        r#"{{"ledger":{},"audience":{},"party":"{party}","challenge":{},"expires":{}}}"#,
        given["ledger"], given["audience"], given["challenge"], given["expires"]
    );
    let mut envelope = Envelope::new(SESSION_TYPE, payload).unwrap();
    envelope.sign(&key(party)).unwrap();
    let head = "POST /v1/sessions HTTP/1.1\r\ncontent-type: application/json\r\ncounterfoil-session: cookie";
    let opened = served.request(head, &envelope.encode());
    assert_eq!(opened.status, 201);
    assert_eq!(opened.json().get("token"), None, "no script reads it");
    let set = opened
        .head
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "));
    let mut parts = set.unwrap().split("; ");
    let cookie = parts.next().unwrap().to_owned();
    let rest: Vec<&str> = parts.collect();
    assert_eq!(
        rest,
        [
            "path=/",
            "secure",
            "httponly",
            "samesite=strict",
            "max-age=900"
        ]
    );
    // Headers were read in lower case; the name begins as browsers ask of it.
    cookie.replace("__host-", "__Host-")
}

#[test]
fn a_cookie_reads_and_changes_only_with_the_header_of_our_own_scripts() {
    let served = Served::new();
    let cookie = cookie_of(&served, SUPPLIER);
    let ask = |head: &str| {
        let head = head.replacen(' ', " /v1/", 1);
        served.request(
            &format!("{head} HTTP/1.1\r\ncookie: other=1; {cookie}"),
            b"",
        )
    };
    assert_eq!(ask("GET parties").status, 200);
    assert_eq!(ask("HEAD parties").status, 200);
    for head in ["POST operations:check", "DELETE sessions"] {
        let refused = ask(head);
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (403, "session.request_header")
        );
    }
    let with_header = format!(
        "POST /v1/operations:check HTTP/1.1\r\ncounterfoil-request: 1\r\ncontent-type: application/json\r\ncookie: {cookie}"
    );
    assert_eq!(
        served.request(&with_header, b"{}").status,
        400,
        "it is looked at"
    );
    let end = format!("DELETE /v1/sessions HTTP/1.1\r\ncounterfoil-request: 1\r\ncookie: {cookie}");
    let ended = served.request(&end, b"");
    assert_eq!(ended.status, 204);
    assert!(
        ended.head.contains("set-cookie: __host-counterfoil=; "),
        "{ended:?}"
    );
    assert_eq!(ask("GET parties").code(), "session.ended");
}

#[test]
fn a_token_ends_when_its_holder_says_so() {
    let served = Served::new();
    let token = served.token_of(SUPPLIER);
    let ask = |head: &str| {
        served.request(
            &format!("{head} HTTP/1.1\r\nauthorization: Bearer {token}"),
            b"",
        )
    };
    assert_eq!(ask("GET /v1/parties").status, 200);
    assert_eq!(ask("DELETE /v1/sessions").status, 204);
    assert_eq!(ask("GET /v1/parties").code(), "session.ended");
    assert_eq!(ask("DELETE /v1/sessions").code(), "session.ended");
    assert_eq!(
        served.request("DELETE /v1/sessions HTTP/1.1", b"").code(),
        "session.missing"
    );
}
