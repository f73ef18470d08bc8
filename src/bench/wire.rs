//! HTTP as it goes over the wire, written by hand so that the client takes as little of the cores as can be.

use std::net::SocketAddr;

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{BenchError, Result};

/// Bytes of an answer to one request, about, and of one line of an answer to many.
const ANSWER: usize = 2_048;
/// Most bytes of an answer: that to a batch of 10,000 is smaller.
const ANSWER_MAX: usize = 32 * 1024 * 1024;

/// A connection that is kept.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A request as it goes over the wire: made before anything is measured, for it has no part in what the ledger can do.
pub(super) struct Request(Vec<u8>);

impl Request {
    /// To submit one envelope.
    pub(super) fn submit(envelope: &[u8]) -> Request {
        let head =
            "POST /v1/operations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
        Request::of(head, envelope)
    }

    /// To submit many, a line each.
    pub(super) fn submit_all(lines: &[u8]) -> Request {
        let head = "POST /v1/operations:batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n\
            connection: close\r\n";
        Request::of(head, lines)
    }

    /// To read a path with a token of a session.
    pub(super) fn read(path: &str, token: &str) -> Request {
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n");
        Request::of(&head, b"")
    }

    fn of(head: &str, body: &[u8]) -> Request {
        let head = format!("{head}content-length: {}\r\n\r\n", body.len());
        Request([head.as_bytes(), body].concat())
    }
}

/// Status, length of head, length of body where it is said.
type Head = (u16, usize, Option<usize>);

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        Ok(Connection {
            stream,
            buffer: Vec::with_capacity(ANSWER),
        })
    }

    /// Sends one envelope: the status, and the answer unless it became an entry.
    pub(super) async fn submit(&mut self, request: &Request) -> Result<(u16, String)> {
        self.exchange(request, 201).await
    }

    /// Reads: the status, and the answer unless it is good.
    pub(super) async fn read(&mut self, request: &Request) -> Result<(u16, String)> {
        self.exchange(request, 200).await
    }

    /// Sends many in one request; each must become an entry.
    pub(super) async fn submit_all(mut self, count: usize, request: &Request) -> Result<()> {
        self.buffer.reserve(count * ANSWER);
        self.send(request).await?;
        while self.more().await? > 0 {}
        let entered = memmem::find_iter(&self.buffer, b"\"status\":201").count();
        if entered != count {
            let answers = String::from_utf8_lossy(&self.buffer);
            let other = answers
                .lines()
                .find(|line| line.contains("\"status\":") && !line.contains("\"status\":201"));
            let why = other
                .or_else(|| answers.lines().next())
                .unwrap_or("nothing was answered");
            return Err(BenchError::of(
                format!("{entered} of a batch of {count} entered"),
                why,
            ));
        }
        Ok(())
    }

    async fn exchange(&mut self, request: &Request, good: u16) -> Result<(u16, String)> {
        self.send(request).await?;
        let (status, head, length) = loop {
            if let Some(head) = head_of(&self.buffer) {
                break head;
            }
            self.some().await?;
        };
        let length = length.ok_or_else(|| BenchError::of("an answer", "it has no length"))?;
        while self.buffer.len() < head + length {
            self.some().await?;
        }
        let said = match status == good {
            true => String::new(),
            false => String::from_utf8_lossy(&self.buffer[head..]).into_owned(),
        };
        self.buffer.clear();
        Ok((status, said))
    }

    async fn send(&mut self, request: &Request) -> Result<()> {
        self.stream.write_all(&request.0).await.map_err(broken)
    }

    async fn some(&mut self) -> Result<()> {
        match self.more().await? {
            0 => Err(BenchError::of("the connection", "the server closed it")),
            _ => Ok(()),
        }
    }

    async fn more(&mut self) -> Result<usize> {
        if self.buffer.len() > ANSWER_MAX {
            return Err(BenchError::of("an answer", "it is too long"));
        }
        self.stream.read_buf(&mut self.buffer).await.map_err(broken)
    }
}

fn broken(error: std::io::Error) -> BenchError {
    BenchError::of("the connection", error)
}

/// The head of an answer, once it is whole.
fn head_of(bytes: &[u8]) -> Option<Head> {
    let end = memmem::find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse().ok())?
    });
    Some((status, end + 4, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 7\r\nx: y\r\n\r\n{\"n\":1}";
        assert_eq!(head_of(answer), Some((201, 49, Some(7))));
        assert_eq!(head_of(&answer[..48]), None);
        assert_eq!(head_of(b"HTTP/1.1 200 OK\r\n\r\n"), Some((200, 19, None)));
    }
}
