//! The accept loop: what a peer may take, and how it ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::served::Served;
use crate::api::Limits;
use crate::domain::testing::OPERATOR;

const LONG: Duration = Duration::from_secs(20);

fn quick() -> Limits {
    Limits {
        header_read: Duration::from_millis(300),
        connections_per_address: 2,
        limit_loopback: true,
        grace: Duration::from_secs(5),
        ..Limits::default()
    }
}

/// Reads until the server closes.
fn rest(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).ok();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn headers_that_do_not_come_close_the_connection() {
    let served = Served::with_limits(quick());
    for begun in ["", "GET /healthz HTTP/1.1\r\nhost:"] {
        let began = Instant::now();
        served.raw(begun.as_bytes(), LONG);
        assert!(began.elapsed() < LONG / 2, "{begun:?}");
    }
}

#[test]
fn an_idle_connection_is_closed() {
    let served = Served::with_limits(quick());
    let began = Instant::now();
    let answer = served.raw(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n", LONG);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(began.elapsed() < LONG / 2);
}

#[test]
fn headers_have_a_bound() {
    let served = Served::empty();
    let head = format!(
        "GET /healthz HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n",
        "y".repeat(200_000)
    );
    let answer = served.raw(head.as_bytes(), LONG);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";

/// A connection that was answered once and stays open.
fn idle(served: &Served) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    stream
}

/// A connection on which an answer goes on and on.
fn busy(served: &Served, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).unwrap();
    let head = format!(
        "GET /v1/events HTTP/1.1\r\nhost: test\r\naccept: text/event-stream\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    stream
}

/// A connection whose request was accepted and waits for its body.
fn begun(served: &Served) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream
        .write_all(b"POST /v1/drill/clock HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n")
        .unwrap();
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked[..21], b"HTTP/1.1 100 Continue");
    stream
}

#[test]
fn the_idlest_connection_of_an_address_makes_room_for_its_next() {
    let served = Served::with_limits(Limits {
        header_read: LONG,
        ..quick()
    });
    // One waits for its next request, the other for the body of its first.
    let mut held = [idle(&served), begun(&served)];
    assert!(served.raw(GET, LONG).starts_with("HTTP/1.1 200"));
    let began = Instant::now();
    rest(&mut held[0]);
    assert!(began.elapsed() < LONG / 2, "the first was closed");
    let _third = idle(&served);
    let _fourth = idle(&served);
    rest(&mut held[1]);
    assert!(began.elapsed() < LONG / 2, "the second too");
}

#[test]
fn an_address_has_so_many_busy_connections_and_gets_them_back() {
    let served = Served::with_limits(Limits {
        header_read: LONG,
        ..quick()
    });
    let token = served.token_of(OPERATOR);
    let held = [busy(&served, &token), busy(&served, &token)];
    assert_eq!(served.raw(GET, LONG), "", "a third is closed at once");
    drop(held);
    let began = Instant::now();
    while !served.raw(GET, LONG).starts_with("HTTP/1.1 200") {
        assert!(began.elapsed() < LONG, "the place was not given back");
    }
}

#[test]
fn an_address_that_sends_too_much_is_told_when_to_come_again() {
    let served = Served::with_limits(Limits {
        requests_per_second: 1,
        requests_burst: 11,
        limit_loopback: true,
        ..Limits::default()
    });
    let ask = |head: &str| served.request(head, b"");
    assert_eq!(ask("POST /v1/challenges HTTP/1.1").status, 201);
    let refused = ask("POST /v1/challenges HTTP/1.1");
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (429, "rate.exceeded")
    );
    let after = refused
        .head
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "));
    let seconds: u64 = after.unwrap().parse().unwrap();
    assert!((5..=9).contains(&seconds), "{seconds}");
    assert!(
        refused.has("x-content-type-options: nosniff"),
        "{refused:?}"
    );
    assert_eq!(
        ask("GET /healthz HTTP/1.1").status,
        200,
        "what costs less is taken"
    );
}

#[test]
fn an_address_that_sends_bad_signatures_is_slowed() {
    let limited = |limit_loopback| {
        Served::with_limits(Limits {
            requests_per_second: 1,
            requests_burst: 40,
            limit_loopback,
            ..Limits::default()
        })
    };
    let stranger = |served: &mut Served| {
        let body = crate::domain::testing::proposal();
        let envelope = served
            .signed(crate::domain::testing::STRANGER, body)
            .encode();
        let head = "POST /v1/operations HTTP/1.1\r\ncontent-type: application/json";
        let answer = served.request(head, &envelope);
        (answer.status, answer.code())
    };
    let mut served = limited(true);
    assert_eq!(stranger(&mut served), (422, "key.unknown".to_owned()));
    assert_eq!(stranger(&mut served), (429, "rate.exceeded".to_owned()));
    // Lines of a batch count one by one.
    let mut served = limited(true);
    let body = crate::domain::testing::proposal();
    let envelope = served
        .signed(crate::domain::testing::STRANGER, body)
        .encode();
    let head = "POST /v1/operations:batch HTTP/1.1\r\ncontent-type: application/x-ndjson";
    let answer = served.request(head, &envelope);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(served.request("GET /healthz HTTP/1.1", b"").status, 429);
    // The operator's own programs are not.
    let mut served = limited(false);
    for _ in 0..3 {
        assert_eq!(stranger(&mut served).0, 422);
    }
}

#[test]
fn what_is_no_http_is_not_answered_with_more() {
    let served = Served::empty();
    let answer = served.raw(
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        LONG,
    );
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
}

#[test]
fn a_body_that_breaks_off_is_no_body() {
    let served = Served::empty();
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream
        .write_all(b"POST /v1/operations HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{}")
        .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let answer = rest(&mut stream);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
    assert_eq!(served.ledger.ready().size, 1);
}

#[test]
fn a_stop_finishes_what_was_accepted_and_closes_the_rest() {
    let mut served = Served::with_limits(Limits {
        header_read: LONG,
        ..quick()
    });
    let mut idle = TcpStream::connect(served.address).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    // That it is answered shows that the connection is idle, not about to send.
    let mut answered = [0; 12];
    idle.read_exact(&mut answered).unwrap();
    assert_eq!(&answered, b"HTTP/1.1 200");
    let mut begun = TcpStream::connect(served.address).unwrap();
    let body = br#"{"now":"2026-07-01T00:00:00Z"}"#;
    let head = format!(
        "POST /v1/drill/clock HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    begun.write_all(head.as_bytes()).unwrap();
    // That it asks for the body shows that the request was accepted.
    let mut asked = [0; 25];
    begun.read_exact(&mut asked).unwrap();
    assert_eq!(&asked[..21], b"HTTP/1.1 100 Continue");
    let body = std::thread::spawn(move || {
        begun.write_all(body).unwrap();
        rest(&mut begun)
    });
    served.stop();
    assert!(body.join().unwrap().starts_with("HTTP/1.1 200"));
    assert!(rest(&mut idle).ends_with("ok\n"));
    assert!(
        TcpStream::connect(served.address).is_err(),
        "nobody listens any more"
    );
}
