//! A server before an honest one that passes everything on, but for answers that it changes on the way.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use ureq::Agent;

/// What becomes of the answer to a path.
type Change = Box<dyn Fn(&str, Vec<u8>) -> Vec<u8> + Send>;

/// A front, which lives as long as its test.
pub(super) struct Front {
    base: String,
    behind: Arc<Mutex<Behind>>,
}

struct Behind {
    base: String,
    change: Change,
}

impl Front {
    /// Where it will be, so that the server behind it can be told.
    pub(super) fn new() -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let behind = Arc::new(Mutex::new(Behind {
            base: String::new(),
            change: Box::new(|_, answer| answer),
        }));
        let passed = Arc::clone(&behind);
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A peer that leaves is none of its business.
                pass(&mut stream.unwrap(), &passed).ok();
            }
        });
        Front { base, behind }
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Stands before this server from now on.
    pub(super) fn before(&self, base: &str) {
        base.clone_into(&mut self.behind.lock().unwrap().base);
    }

    /// Changes answers from now on.
    pub(super) fn change(&self, change: impl Fn(&str, Vec<u8>) -> Vec<u8> + Send + 'static) {
        self.behind.lock().unwrap().change = Box::new(change);
    }
}

/// Passes one request on, and its answer back.
fn pass(stream: &mut TcpStream, behind: &Mutex<Behind>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = Vec::new();
    for line in reader.by_ref().lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let header = |name: &str| {
        let mut fields = head.iter().filter_map(|line| line.split_once(": "));
        fields
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let Some((method, path)) = head.first().and_then(|line| line.split_once(' ')) else {
        return Ok(());
    };
    let path = path.split(' ').next().unwrap();
    let behind = behind.lock().unwrap();
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", behind.base));
    for name in ["authorization", "content-type"] {
        if let Some(value) = header(name) {
            request = request.header(name, value);
        }
    }
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let answer = agent.run(request.body(body).unwrap());
    // While nobody serves behind it, nobody answers.
    let answer = answer.map_err(std::io::Error::other)?;
    let status = answer.status();
    let answer = answer.into_body().read_to_vec().unwrap();
    let answer = (behind.change)(path, answer);
    write!(
        stream,
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    )?;
    stream.write_all(&answer)
}
