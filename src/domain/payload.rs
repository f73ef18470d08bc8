//! The payload: what a party signs. Canonical or refused.

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
    pub fn decode(text: &str) -> Result<Payload, Refusal> {
        match Payload::of_canonical(text) {
            Some(payload) => Ok(payload),
            None => Payload::of_json(text),
        }
    }

    /// Reads a canonical payload. Before its body stands what only has one spelling.
    fn of_canonical(text: &str) -> Option<Payload> {
        let rest = text.strip_prefix("{\"ledger\":\"")?;
        let (ledger, rest) = rest.split_once("\",\"op\":\"")?;
        let (op, rest) = rest.split_once("\",\"party\":\"")?;
        let (party, rest) = rest.split_once("\",\"nonce\":\"")?;
        let (nonce, rest) = rest.split_once("\",\"not_after\":\"")?;
        let (not_after, rest) = rest.split_once("\",\"body\":")?;
        let body = rest.strip_suffix('}')?;
        // A name with a quote or an escape is spelled in another way than it reads.
        if ledger.contains(['"', '\\']) {
            return None;
        }
        let payload = Payload {
            ledger: ledger.parse().ok()?,
            party: party.parse().ok()?,
            nonce: nonce.parse().ok()?,
            not_after: not_after.parse().ok()?,
            act: (operation(op)?.decode)(body).ok()?,
        };
        let mut canonical = Vec::with_capacity(body.len());
        payload.act.write_body(&mut canonical).ok()?;
        (canonical == body.as_bytes()).then_some(payload)
    }

    /// Reads a payload of any spelling, to say where it is wrong.
    fn of_json(text: &str) -> Result<Payload, Refusal> {
        let wire: Wire<'_> = serde_json::from_str(text).map_err(|error| {
            let offset = offset(text, error.line(), error.column());
            malformed("", offset, error.to_string())
        })?;
        let registered = operation(&wire.op).ok_or_else(|| {
            Refusal::new("operation.unknown", "there is no operation of that name")
                .input("op", &wire.op)
        })?;
        let body = wire.body.get();
        let act = (registered.decode)(body).map_err(|error| {
            let offset = offset(body, error.line(), error.column());
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
        let canonical = payload.encode();
        if canonical == text {
            return Ok(payload);
        }
        let offset = first_difference(canonical.as_bytes(), text.as_bytes());
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

    fn write(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let head = WireHead {
            ledger: &self.ledger,
            op: self.act.name(),
            party: self.party,
            nonce: self.nonce,
            not_after: self.not_after,
        };
        serde_json::to_writer(&mut *out, &head)?;
        let closed = out.pop();
        debug_assert_eq!(closed, Some(b'}'), "a struct is an object");
        out.extend_from_slice(b",\"body\":");
        self.act.write_body(out)?;
        out.push(b'}');
        Ok(())
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

fn malformed(pointer: &str, offset: usize, message: String) -> Refusal {
    Refusal::new("payload.malformed", message)
        .input("pointer", pointer)
        .input("offset", offset)
}

/// The bytes before a place of a text.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before = text.split('\n').take(line.saturating_sub(1));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CANONICAL: &str = r#"{"ledger":"ledger.example/receivables","op":"contract.accept","party":"x:maker","nonce":"000102030405060708090a0b0c0d0e0f","not_after":"2026-11-24T00:00:00Z","body":{"contract":"ctr_2xa8k1ngwjhz13e7zgbs8ydn8q"}}"#;

    /// What a canonical payload has where it is changed, or another spelling.
    const PIECES: &[&str] = &[
        "",
        " ",
        "\"",
        "\\",
        "\\u0061",
        ",",
        ":",
        "{",
        "}",
        "0",
        "a",
        "A",
        "é",
        "\",\"",
        "\"op\":",
        "\"body\":{}",
        "null",
    ];

    #[test]
    fn a_name_that_has_to_be_escaped_is_read_by_its_spelling() {
        let quoted = CANONICAL.replace("example/", r#"\"example\\/"#);
        let payload = Payload::decode(&quoted).unwrap();
        assert_eq!(payload.ledger.as_str(), "ledger.\"example\\/receivables");
        assert_eq!(payload.encode(), quoted);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_its_encoding_says(
            at in 0..CANONICAL.len(),
            gone in 0usize..4,
            piece in 0..PIECES.len(),
        ) {
            let rest = CANONICAL.get(at + gone..).unwrap_or("");
            let text = [&CANONICAL[..at], PIECES[piece], rest].concat();
            let read = Payload::decode(&text);
            prop_assert_eq!(read.is_ok(), Payload::of_json(&text).is_ok());
            if let Ok(payload) = read {
                prop_assert_eq!(payload.encode(), text);
            }
        }
    }
}
