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
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    ledger: Name,
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
        let canonical = payload.encode();
        match first_difference(canonical.as_bytes(), bytes) {
            None => Ok(payload),
            Some(offset) => Err(Refusal::new(
                "payload.not_canonical",
                "the payload is not the canonical encoding of what it says",
            )
            .input("offset", offset)
            .remedy(expected_at(&canonical, offset))),
        }
    }

    /// The signed bytes: UTF-8 JSON without white space, fields in schema order, an absent field absent.
    pub fn encode(&self) -> String {
        let body = RawValue::from_string(self.act.body()).expect("an encoded body is JSON");
        let wire = Wire {
            ledger: self.ledger.clone(),
            op: self.act.name().into(),
            party: self.party,
            nonce: self.nonce,
            not_after: self.not_after,
            body: &body,
        };
        serde_json::to_string(&wire).expect("a payload is plain data, which JSON can hold")
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

fn first_difference(canonical: &[u8], given: &[u8]) -> Option<usize> {
    let differs = canonical.iter().zip(given).position(|(a, b)| a != b);
    differs.or_else(|| (canonical.len() != given.len()).then(|| canonical.len().min(given.len())))
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
