//! Rubbish on the wire: refused, and the server serves on.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;

use rstest::rstest;
use tempfile::TempDir;

use super::{Limits, Numbers, not_after};
use crate::served::{Server, story};

/// Where a body can be sent.
const WRITES: [(&str, &str); 5] = [
    ("/v1/operations", "application/json"),
    ("/v1/operations:batch", "application/x-ndjson"),
    ("/v1/operations:check", "application/json"),
    ("/v1/sessions", "application/json"),
    ("/v1/drill/clock", "application/json"),
];

/// A server that must come through.
struct Target {
    data: TempDir,
    server: Server,
}

impl Target {
    fn new() -> Target {
        let data = story();
        let server = Server::start(data.path());
        Target { data, server }
    }

    fn connect(&self) -> TcpStream {
        let stream =
            TcpStream::connect(self.server.base().strip_prefix("http://").unwrap()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream
    }

    /// Sends bytes and no more, and returns the statuses of the answers.
    fn send(&self, bytes: &[u8]) -> Vec<u16> {
        let mut stream = self.connect();
        // A server that has seen enough closes first.
        stream.write_all(bytes).ok();
        stream.shutdown(Shutdown::Write).ok();
        statuses(stream)
    }

    /// Sends a whole request, and returns the status of the answer.
    fn post(&self, path: &str, of: &str, body: &[u8]) -> u16 {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {of}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let mut stream = self.connect();
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let statuses = statuses(stream);
        assert_eq!(statuses.len(), 1, "{path}");
        statuses[0]
    }

    /// It still takes operations, stops cleanly, and no thread broke on the way.
    fn serves_on(self) {
        let limits = Limits::of(self.data.path(), "factor", None);
        let envelope = limits.set(self.server.origin(), &not_after(&self.server), "1000.00");
        let receipt = self.server.client().submit(&envelope).unwrap();
        assert_eq!(receipt.n, 76, "nothing of it was entered");
        let ended = self.server.stop();
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        assert!(!ended.log.contains("panicked"), "{}", ended.log);
    }
}

/// What a server answers until it closes: never a fault of its own.
fn statuses(mut stream: TcpStream) -> Vec<u16> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let starts = answer.match_indices("HTTP/1.1 ");
    let statuses: Vec<u16> = starts
        .map(|(at, found)| answer[at + found.len()..][..3].parse().unwrap())
        .collect();
    for status in &statuses {
        assert!(*status < 500 || *status == 503, "{answer}");
    }
    statuses
}

#[test]
fn random_bytes_are_no_requests() {
    let (target, mut numbers) = (Target::new(), Numbers(8));
    for _ in 0..200 {
        let len = numbers.below(2_000);
        target.send(&numbers.bytes(len));
    }
    for (path, of) in WRITES {
        for _ in 0..40 {
            let len = numbers.below(3_000);
            let status = target.post(path, of, &numbers.bytes(len));
            assert!(
                (400..500).contains(&status) || path.ends_with("batch"),
                "{path}: {status}"
            );
        }
    }
    target.serves_on();
}

#[test]
fn half_requests_keep_nobody_else_waiting() {
    let target = Target::new();
    let request = b"POST /v1/operations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{\"payl";
    let open: Vec<TcpStream> = (1..request.len())
        .map(|len| {
            let mut stream = target.connect();
            stream.write_all(&request[..len]).unwrap();
            stream
        })
        .collect();
    assert!(target.server.client().status().unwrap().ready);
    drop(open);
    for len in 1..request.len() {
        target.send(&request[..len]);
    }
    target.serves_on();
}

#[rstest]
#[case::long_path(format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000)))]
#[case::long_header(format!("GET /readyz HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(100_000)))]
#[case::many_headers(format!("GET /readyz HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(10_000)))]
#[case::long_token(format!("GET /v1/legs HTTP/1.1\r\nauthorization: Bearer {}\r\n\r\n", "a".repeat(50_000)))]
#[case::long_query(format!("GET /v1/legs?after={} HTTP/1.1\r\n\r\n", "a".repeat(50_000)))]
#[case::long_body(format!("{JSON_POST}content-length: 3000000\r\n\r\n{}", "a".repeat(3_000_000)))]
#[case::endless_body(format!("{JSON_POST}content-length: 18446744073709551615\r\n\r\n{{"))]
#[case::negative_length(format!("{JSON_POST}content-length: -1\r\n\r\n{{}}"))]
#[case::two_lengths(format!("{JSON_POST}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}} "))]
#[case::bad_chunks(format!("{JSON_POST}transfer-encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n"))]
#[case::endless_chunk(format!("{JSON_POST}transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{{}}"))]
#[case::bad_escape("GET /v1/legs/%ff%00%zz HTTP/1.1\r\n\r\n".into())]
#[case::bad_query("GET /v1/legs?limit=-1&limit=1e9&after=%ff HTTP/1.1\r\n\r\n".into())]
#[case::no_number("GET /v1/entries/99999999999999999999999 HTTP/1.1\r\n\r\n".into())]
#[case::control_in_header("GET /readyz HTTP/1.1\r\nauthorization: \u{1}\r\n\r\n".into())]
#[case::upgrade("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into())]
#[case::unknown_method("BREW /readyz HTTP/1.1\r\n\r\n".into())]
fn hostile_requests_are_refused(#[case] request: String) {
    let target = Target::new();
    target.send(request.as_bytes());
    target.serves_on();
}

/// The beginning of a request that has a body.
const JSON_POST: &str =
    "POST /v1/operations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";

#[test]
fn envelopes_with_a_flipped_bit_are_refused() {
    let (target, mut numbers) = (Target::new(), Numbers(9));
    let limits = Limits::of(target.data.path(), "factor", None);
    let envelope = limits.set(target.server.origin(), &not_after(&target.server), "900.00");
    let bytes = envelope.encode();
    for _ in 0..300 {
        let mut flipped = bytes.clone();
        let at = numbers.flip(&mut flipped);
        let status = target.post("/v1/operations", "application/json", &flipped);
        assert!((400..500).contains(&status), "byte {at}: {status}");
    }
    target.serves_on();
}

#[test]
fn json_that_parsers_disagree_about_is_refused() {
    let Some(corpus) = std::env::var_os("COUNTERFOIL_CORPUS") else {
        eprintln!("skipped: COUNTERFOIL_CORPUS does not name a corpus");
        return;
    };
    let target = Target::new();
    let folder = Path::new(&corpus).join("vectors/json-parsing");
    let mut sent = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let text = std::fs::read(&file).unwrap();
        for (path, of) in WRITES {
            let status = target.post(path, of, &text);
            assert!(
                (400..500).contains(&status) || path.ends_with("batch"),
                "{file:?} at {path}: {status}"
            );
        }
        sent += 1;
    }
    assert!(sent > 100, "{sent}");
    target.serves_on();
}
