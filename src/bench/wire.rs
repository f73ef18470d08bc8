//! HTTP as it goes over the wire, written by hand so that the client takes as little of the cores as can be.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{BenchError, Result};

/// Most bytes of an answer: that to a batch of 10,000 is smaller.
const ANSWER_MAX: usize = 32 * 1024 * 1024;

/// A connection that is kept.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Status, length of head, length of body where it is said.
type Head = (u16, usize, Option<usize>);

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        Ok(Connection {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Sends one envelope: the status, and the answer unless it became an entry.
    pub(super) async fn submit(&mut self, envelope: &[u8]) -> Result<(u16, String)> {
        let head =
            "POST /v1/operations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
        self.exchange(head, Some(envelope), 201).await
    }

    /// Reads a path with a token of a session: the status, and the answer unless it is good.
    pub(super) async fn read(&mut self, path: &str, token: &str) -> Result<(u16, String)> {
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n");
        self.exchange(&head, None, 200).await
    }

    /// Sends many in one request; each must become an entry.
    pub(super) async fn submit_all(mut self, count: usize, body: &[u8]) -> Result<()> {
        let head = "POST /v1/operations:batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n\
            connection: close\r\n";
        self.send(head, Some(body)).await?;
        while self.more().await? > 0 {}
        let answers = String::from_utf8_lossy(&self.buffer);
        let entered = answers.matches("\"status\":201").count();
        if entered != count {
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

    async fn exchange(
        &mut self,
        head: &str,
        body: Option<&[u8]>,
        good: u16,
    ) -> Result<(u16, String)> {
        self.send(head, body).await?;
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

    async fn send(&mut self, head: &str, body: Option<&[u8]>) -> Result<()> {
        let length = body.map_or(String::new(), |body| {
            format!("content-length: {}\r\n", body.len())
        });
        let mut request = format!("{head}{length}\r\n").into_bytes();
        request.extend_from_slice(body.unwrap_or_default());
        self.stream.write_all(&request).await.map_err(broken)
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
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
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
