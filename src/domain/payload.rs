//! The payload: what a party signs. Canonical or refused.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::operation::Act;
use super::refusal::Refusal;
use super::registry::operation;
use super::values::{Instant, Name, Nonce, PartyId};

/// A decoded payload whose encoding is known to be the signed bytes.
#[derive(Debug)]
pub struct Payload {
    /// The ledger it is meant for.
    pub ledger: Name,
    /// The acting party.
    pub party: PartyId,
    /// What makes the operation unique and its leaf hash unguessable.
    pub nonce: Nonce,
    /// Expired when the ledger's time is later.
    pub not_after: Instant,
    /// What is asked.
    pub act: Box<dyn Act>,
}

/// The fields of a payload in wire order (FORMAT.md, "Payload").
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    ledger: Name,
    #[serde(borrow)]
    op: std::borrow::Cow<'a, str>,
    party: PartyId,
    nonce: Nonce,
    not_after: Instant,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl Payload {
    /// Reads the signed bytes. A payload is accepted only if encoding the decoded operation gives the same bytes.
    pub fn decode(bytes: &[u8]) -> Result<Payload, Refusal> {
        let wire: Wire<'_> = serde_json::from_slice(bytes).map_err(|error| {
            let offset = offset(bytes, error.line(), error.column());
            malformed("", offset, error.to_string())
        })?;
        let registered = operation(&wire.op).ok_or_else(|| {
            Refusal::new("operation.unknown", "there is no operation of that name")
                .input("op", &wire.op)
        })?;
        let act = (registered.decode)(wire.body).map_err(|error| {
            let offset = offset(wire.body.get().as_bytes(), error.line(), error.column());
            malformed(&format!("/body{}", error.pointer), offset, error.message())
        })?;
        let Wire {
            ledger,
            party,
            nonce,
            not_after,
            ..
        } = wire;
        let payload = Payload {
            ledger,
            party,
            nonce,
            not_after,
            act,
        };
        let mut same = Same(bytes);
        if payload.write(&mut same).is_ok() && same.0.is_empty() {
            return Ok(payload);
        }
        let canonical = payload.encode();
        let offset = first_difference(canonical.as_bytes(), bytes);
        Err(Refusal::new(
            "payload.not_canonical",
            "the payload is not the canonical encoding of what it says",
        )
        .input("offset", offset)
        .remedy(expected_at(&canonical, offset)))
    }

    /// The signed bytes: UTF-8 JSON without white space, fields in schema order, an absent field absent.
    pub fn encode(&self) -> String {
        let mut out = Vec::new();
        let written = self.write(&mut out);
        written.expect("a payload is plain data, which JSON can hold");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    fn write(&self, to: &mut dyn Write) -> serde_json::Result<()> {
        let head = WireHead {
            ledger: &self.ledger,
            op: self.act.name(),
            party: self.party,
            nonce: self.nonce,
            not_after: self.not_after,
        };
        let io = serde_json::Error::io;
        let head = serde_json::to_vec(&head)?;
        let open = head.strip_suffix(b"}").expect("a struct is an object");
        to.write_all(open).map_err(io)?;
        to.write_all(b",\"body\":").map_err(io)?;
        self.act.write_body(to)?;
        to.write_all(b"}").map_err(io)
    }
}

/// The fields of a payload before its body, in wire order.
#[derive(Serialize)]
struct WireHead<'a> {
    ledger: &'a Name,
    op: &'a str,
    party: PartyId,
    nonce: Nonce,
    not_after: Instant,
}

/// Takes exactly these bytes, and fails at the first that differs: so that a canonical payload is not written out to see
/// that it is one.
struct Same<'a>(&'a [u8]);

impl Write for Same<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .strip_prefix(bytes)
            .ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn malformed(pointer: &str, offset: usize, message: String) -> Refusal {
    Refusal::new("payload.malformed", message)
        .input("pointer", pointer)
        .input("offset", offset)
}

/// The bytes before a place of a text.
fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let before = text
        .split(|byte| *byte == b'\n')
        .take(line.saturating_sub(1));
    before.map(|line| line.len() + 1).sum::<usize>() + column
}

/// Where two texts that are not the same begin to differ.
fn first_difference(canonical: &[u8], given: &[u8]) -> usize {
    let differs = canonical.iter().zip(given).position(|(a, b)| a != b);
    differs.unwrap_or(canonical.len().min(given.len()))
}

fn expected_at(canonical: &str, offset: usize) -> String {
    let rest = String::from_utf8_lossy(&canonical.as_bytes()[offset..]);
    let shown: String = rest.chars().take(24).collect();
    if shown.is_empty() {
        "the payload ends there".to_owned()
    } else {
        format!("there it reads: {shown}")
    }
}
