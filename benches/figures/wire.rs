//! HTTP as it goes over the wire, written by hand so that the client takes as little of the cores as can be.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A connection that is kept.
pub(super) struct Connection {
    to: TcpStream,
    from: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Connection {
        let to = TcpStream::connect(address).unwrap();
        to.set_nodelay(true).unwrap();
        let from = BufReader::new(to.try_clone().unwrap());
        Connection { to, from }
    }

    /// Sends one envelope; it must become an entry.
    pub(super) fn submit(&mut self, envelope: &[u8]) {
        self.send("/v1/operations", "application/json", envelope);
        let (status, length) = self.head();
        let mut body = vec![0; length.unwrap()];
        self.from.read_exact(&mut body).unwrap();
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
    }

    /// Sends many in one request; each must become an entry.
    pub(super) fn submit_all(mut self, envelopes: &[Vec<u8>]) {
        let body = envelopes.join(&b'\n');
        self.send("/v1/operations:batch", "application/x-ndjson", &body);
        let (status, _) = self.head();
        let mut accepted = 0;
        let mut line = String::new();
        while accepted < envelopes.len() && self.from.read_line(&mut line).unwrap() > 0 {
            accepted += usize::from(line.contains("\"status\":201"));
            line.clear();
        }
        assert_eq!((status, accepted), (200, envelopes.len()));
    }

    fn send(&mut self, path: &str, media_type: &str, body: &[u8]) {
        let length = body.len();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.to.write_all(&request).unwrap();
    }

    /// Status and length of the answer.
    fn head(&mut self) -> (u16, Option<usize>) {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = None;
        loop {
            line.clear();
            self.from.read_line(&mut line).unwrap();
            match line.split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = Some(value.trim_end().parse().unwrap());
                }
                Some(_) => {}
                None => return (status, length),
            }
        }
    }
}
