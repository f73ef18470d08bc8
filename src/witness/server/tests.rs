//! What a peer may take, and how a stop ends.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread::JoinHandle;
use std::time::Instant;

use tempfile::TempDir;
use tokio::sync::oneshot;

use super::super::testing::{TestLog, folder, opened};
use super::*;

/// Longer than any deadline of [`quick`], and no test waits for it to pass.
const LONG: Duration = Duration::from_secs(20);

fn quick() -> Limits {
    Limits {
        connections: 2,
        header_read: Duration::from_millis(300),
        body_read: Duration::from_millis(300),
        grace: Duration::from_secs(5),
        ..Limits::default()
    }
}

/// A witness that is served until this is dropped.
struct Served {
    address: SocketAddr,
    log: TestLog,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _dir: TempDir,
}

impl Served {
    fn new(limits: Limits) -> Served {
        let log = TestLog::new("log.example", 3, 9);
        let dir = folder(&[&log]);
        let witness = Arc::new(opened(&dir));
        let (stop, stopped) = oneshot::channel::<()>();
        let (say, said) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                say.send(listener.local_addr().unwrap()).unwrap();
                let stop = async { drop(stopped.await) };
                serve(listener, witness, limits, stop).await;
            });
            runtime.shutdown_background();
        });
        Served {
            address: said.recv().unwrap(),
            log,
            stop: Some(stop),
            thread: Some(thread),
            _dir: dir,
        }
    }

    /// A connection on which this was sent.
    fn sent(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    }

    fn post(&self, len: usize) -> TcpStream {
        let head = format!("POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: {len}\r\n");
        self.sent((head + "expect: 100-continue\r\n\r\n").as_bytes())
    }

    fn stop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What comes until the server closes.
fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).ok();
    String::from_utf8(all).unwrap()
}

/// That a request was accepted shows in that its body is asked for.
fn accepted(stream: &mut TcpStream) {
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked[..21], b"HTTP/1.1 100 Continue");
}

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: w\r\n\r\n";
const LAST_GET: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: w\r\nconnection: close\r\n\r\n";

#[test]
fn a_peer_that_sends_nothing_more_is_closed() {
    let served = Served::new(quick());
    let began = Instant::now();
    for begun in [&b""[..], b"GET /healthz HTTP/1.1\r\nhost:", GET] {
        rest(&mut served.sent(begun));
    }
    let answer = rest(&mut served.post(100));
    assert!(answer.contains("HTTP/1.1 408"), "{answer}");
    assert!(began.elapsed() < LONG / 2);
}

#[test]
fn a_body_that_breaks_off_or_is_too_long_is_no_request() {
    let served = Served::new(quick());
    let mut stream = served.post(100);
    accepted(&mut stream);
    stream.write_all(b"old 0\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let answer = rest(&mut stream);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
    let answer = rest(&mut served.post(10_000_000));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let mut head = b"GET /healthz HTTP/1.1\r\nhost: w\r\nx: ".to_vec();
    head.resize(100_000, b'y');
    let answer = rest(&mut served.sent(&head));
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}

#[test]
fn where_all_places_are_taken_the_next_waits_for_one() {
    let limits = Limits {
        header_read: LONG,
        ..quick()
    };
    let served = Served::new(limits);
    let held = [served.sent(GET), served.sent(GET)].map(|mut stream| {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        stream
    });
    let mut next = served.sent(LAST_GET);
    next.set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(next.read(&mut [0]).is_err(), "it waits");
    drop(held);
    next.set_read_timeout(Some(LONG)).unwrap();
    assert!(rest(&mut next).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_stop_finishes_what_was_accepted_and_closes_the_rest() {
    let mut served = Served::new(Limits {
        header_read: LONG,
        body_read: LONG,
        ..quick()
    });
    let mut idle = served.sent(GET);
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).unwrap();
    let body = served.log.body(0, 7);
    let mut begun = served.post(body.len());
    accepted(&mut begun);
    let answered = std::thread::spawn(move || {
        begun.write_all(&body).unwrap();
        rest(&mut begun)
    });
    served.stop();
    let answer = answered.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(rest(&mut idle).ends_with("ok\n"));
    assert!(
        TcpStream::connect(served.address).is_err(),
        "nobody listens any more"
    );
}
