//! What it answers over HTTP, and what it writes to its log.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use counterfoil::chain::Note;

use super::{Answer, Asker, Log, vkey_of, witness};
use crate::served::Server;

const TEXT: &str = "text/plain; charset=utf-8";
const SIZE: &str = "text/x.tlog.size";

fn log() -> Log {
    Log::new("log.example/a", 3, 20)
}

#[test]
fn it_cosigns_what_follows_and_says_what_it_has() {
    let log = log();
    let data = witness(&[&log]);
    let vkey = vkey_of(data.path());
    let server = Server::start_witness(data.path());
    let asker = Asker::of(server.base());
    assert_eq!(server.origin(), "witness.example/w1");
    assert_eq!(asker.get("/healthz").0, 200);
    // "If the witness has never cosigned a checkpoint for that log, it MUST respond with a "404 Not Found""
    assert_eq!(asker.get(&log.path()).0, 404);

    let Answer(status, kind, line) = asker.add(&log.request(0, 7));
    assert_eq!((status, kind.as_str()), (200, TEXT), "{line}");
    // "To parse the response, the client MAY concatenate it to the checkpoint"
    let note = Note::decode((log.note(7).encode() + &line).as_bytes()).unwrap();
    let signed = note.verified(std::slice::from_ref(&vkey)).unwrap();
    assert!(signed[0].time_s.unwrap() > 1_700_000_000);
    let served = asker.get(&log.path());
    assert_eq!(served, Answer(200, TEXT.to_owned(), note.encode()));

    let size = |n: u64| Answer(409, SIZE.to_owned(), format!("{n}\n"));
    assert_eq!(asker.add(&log.request(0, 9)), size(7));
    assert_eq!(asker.add(&log.request(7, 9)).0, 200);
    assert_eq!(asker.add(&log.request(7, 9)), size(9));
    assert_eq!(asker.served(&log, &vkey), log.checkpoint(9));
    let metrics = asker.get("/metrics").2;
    let told = "counterfoil_witness_log_size{log=\"log.example/a\"} 9\n";
    assert!(metrics.contains(told), "{metrics}");

    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    let server = Server::start_witness(data.path());
    let asker = Asker::of(server.base());
    assert_eq!(asker.served(&log, &vkey), log.checkpoint(9));
    assert_eq!(asker.add(&log.request(0, 9)), size(9));
}

#[test]
fn what_is_not_cosigned_has_the_status_of_the_specification() {
    let (log, unknown) = (log(), Log::new("unknown.example", 3, 20));
    let stranger = Log {
        seed: 9,
        ..log.clone()
    };
    let data = witness(&[&log]);
    let server = Server::start_witness(data.path());
    let asker = Asker::of(server.base());
    assert_eq!(asker.add(&log.request(0, 7)).0, 200);
    for (body, status) in [
        ("", 400),
        ("old 7\n", 400),
        (&log.request(9, 8), 400),
        (&stranger.request(7, 9), 403),
        (&unknown.request(0, 9), 404),
        (&log.request(8, 9), 409),
        (&format!("old 7\n\n{}", log.note(9).encode()), 422),
        (&log.forked(3).request(7, 9), 422),
        (&log.forked(3).request(7, 7), 422),
        (&log.request(7, 9), 200),
    ] {
        let Answer(answered, _, said) = asker.add(body);
        assert_eq!(answered, status, "{said} to {body:.100}");
    }
    assert_eq!(asker.get("/add-checkpoint").0, 405);
    let wrong = asker.agent.post(format!("{}{}", server.base(), log.path()));
    assert_eq!(wrong.send("").unwrap().status().as_u16(), 405);
    for path in [
        "/",
        "/checkpoint",
        &unknown.path(),
        &log.path().to_uppercase(),
    ] {
        assert_eq!(asker.get(path).0, 404, "{path}");
    }
}

#[test]
fn the_log_has_a_line_a_request_and_names_two_histories() {
    let (log, unknown) = (log(), Log::new("unknown.example", 3, 20));
    let data = witness(&[&log]);
    let server = Server::start_witness(data.path());
    let asker = Asker::of(server.base());
    let fork = log.forked(3);
    asker.add(&unknown.request(0, 9));
    asker.add(&log.request(0, 7));
    asker.add(&fork.request(7, 7));
    asker.get("/healthz");
    let ended = server.stop();
    let lines: Vec<&str> = ended.log.lines().collect();
    let told: Vec<&&str> = lines
        .iter()
        .filter(|line| line.contains("route="))
        .collect();
    assert_eq!(told.len(), 4, "{}", ended.log);
    assert!(!ended.log.contains("unknown.example"), "{}", ended.log);
    for part in ["origin=\"log.example/a\"", "old=0", "size=7", "status=200"] {
        assert!(told[1].contains(part), "{}", told[1]);
    }
    for part in [
        "ERROR",
        "the log signed two histories",
        "size=7",
        "status=422",
    ] {
        assert!(told[2].contains(part), "{}", told[2]);
    }
    // Both notes lie side by side, for whoever looks into it.
    let folder = log
        .path()
        .trim_end_matches("/checkpoint")
        .trim_start_matches('/')
        .to_owned();
    let folder = data.path().join("evidence").join(folder).join("fork");
    for one in [&log, &fork] {
        let name = format!("7-{}.note", one.checkpoint(7).root);
        let kept = std::fs::read(folder.join(name)).unwrap();
        let note = Note::decode(&kept).unwrap();
        assert_eq!(note.text(), one.checkpoint(7).text());
        note.verified(&[log.vkey()]).unwrap();
    }
}

/// "Clients SHOULD use, and witnesses SHOULD support, HTTP keep-alive"
#[test]
fn a_connection_takes_one_request_after_another() {
    let log = log();
    let data = witness(&[&log]);
    let server = Server::start_witness(data.path());
    let address = server.base().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    for old in 0..3 {
        let body = log.request(old, old + 1);
        let head = format!(
            "POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut answer = Vec::new();
        // The signature line is the end of each answer.
        while !answer.ends_with(b"\n") || !answer.windows(4).any(|w| w == b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
            if answer.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                answer.push(byte[0]);
            }
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    }
}
