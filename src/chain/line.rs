//! An entry of the ledger and its one encoding: a line of JSON, fixed field order, no spaces.
//!
//! ```text
//! {"n":12,"time":"2026-11-23T07:22:22.123Z","prev":"<64 hex>","type":"application/vnd.counterfoil.op.v1+json",
//!  "payload":"<the payload as a JSON string>","sigs":[["<key hex>","<base64 sig>"],…]}
//! ```

use std::io::Write as _;

use super::envelope::{Envelope, EnvelopeError};
use super::escape::{push_string, read_string};
use super::hash::{Hash, leaf_hash};
use super::instant::{format_time, parse_time};
use super::keys::{PublicKey, Signature};
use super::scanner::{Expected, Scanner};
use super::text::decimal;

/// Most bytes of a line without its newline, as an entry bundle keeps the length in 16 bits (C2SP tlog-tiles). No envelope
/// within its limits makes a longer one.
pub const LINE_LEN_MAX: usize = 65_535;

/// Most bytes of a line before what does not depend on its place.
const HEAD_LEN_MAX: usize = 144;

/// What was accepted, when, and after what: one place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    n: u64,
    time_ms: i64,
    prev: Hash,
    envelope: Envelope,
}

/// What of an entry's line does not depend on its place in the chain: all that stands behind `prev`. It is the longer
/// part, and is made before the place is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplaced(Vec<u8>);

/// The bytes of an entry, without newline, and the hash that stands for them in the chain and the tree.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    n: u64,
    prev: Hash,
    leaf: Hash,
    bytes: Vec<u8>,
}

/// Why bytes are not the line of an entry. Offsets are in bytes from the start of the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The line is longer than [`LINE_LEN_MAX`].
    #[error("the line has {len} bytes; at most {LINE_LEN_MAX} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The line is not UTF-8.
    #[error("not UTF-8 at offset {offset}")]
    NotUtf8 {
        /// Where it stops being UTF-8.
        offset: usize,
    },
    /// The line has something else where one certain text or kind of text must stand.
    #[error("at offset {offset}: {expected} is expected")]
    Syntax {
        /// Where.
        offset: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// The entry's time cannot be written.
    #[error("time {time_ms} ms is not within 1970 to 9999")]
    Time {
        /// The time in milliseconds since 1970.
        time_ms: i64,
    },
    /// Payload, type or signatures break a limit.
    #[error("{0}")]
    Envelope(EnvelopeError),
    /// An entry needs a signature.
    #[error("an entry needs at least one signature")]
    Unsigned,
    /// The line reads as an entry whose encoding is another line: a key stands behind a later one.
    #[error("not canonical: the key at offset {offset} belongs before the one that it follows")]
    NotCanonical {
        /// Where the key is.
        offset: usize,
    },
}

impl LineError {
    /// Offset in the line, where there is one.
    pub fn offset(&self) -> Option<usize> {
        match self {
            LineError::NotUtf8 { offset }
            | LineError::Syntax { offset, .. }
            | LineError::NotCanonical { offset } => Some(*offset),
            _ => None,
        }
    }
}

impl Entry {
    /// Entry `n`, accepted at `time_ms` (milliseconds since 1970, UTC), after the entry whose leaf hash is `prev`
    /// ([`Hash::ZERO`] for entry 0). Refused when the time cannot be written or nobody signed.
    pub fn new(n: u64, time_ms: i64, prev: Hash, envelope: Envelope) -> Result<Entry, LineError> {
        if format_time(time_ms).is_none() {
            return Err(LineError::Time { time_ms });
        }
        if envelope.signatures().is_empty() {
            return Err(LineError::Unsigned);
        }
        Ok(Entry {
            n,
            time_ms,
            prev,
            envelope,
        })
    }

    /// Its number, from 0.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Ledger time, milliseconds since 1970-01-01T00:00:00Z.
    pub fn time_ms(&self) -> i64 {
        self.time_ms
    }

    /// Leaf hash of the entry before it: the hash chain.
    pub fn prev(&self) -> &Hash {
        &self.prev
    }

    /// Type of the payload.
    pub fn payload_type(&self) -> &str {
        self.envelope.payload_type()
    }

    /// Exactly the signed bytes.
    pub fn payload(&self) -> &str {
        self.envelope.payload()
    }

    /// The signatures, sorted by key, one a key.
    pub fn sigs(&self) -> &[(PublicKey, Signature)] {
        self.envelope.signatures()
    }

    /// Whether this key signed it.
    pub fn is_signed_by(&self, key: &[u8; 32]) -> bool {
        self.sigs().iter().any(|(by, _)| by.as_bytes() == key)
    }

    /// What was signed, with its signatures.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// What was signed, with its signatures, and nothing else.
    pub fn into_envelope(self) -> Envelope {
        self.envelope
    }

    /// SHA-256 of the PAE: the operation's id.
    pub fn op_id(&self) -> Hash {
        self.envelope.op_id()
    }

    /// The entry's line.
    pub fn encode(&self) -> Line {
        let unplaced = Unplaced::of(&self.envelope);
        let line = unplaced.and_then(|unplaced| unplaced.place(self.n, self.time_ms, self.prev));
        line.expect("Entry::new checked time and signatures")
    }

    /// Reads a line without its newline. "Every reader checks encode(decode(line)) = line."
    pub fn decode(bytes: &[u8]) -> Result<Entry, LineError> {
        Line::decode(bytes).map(|(entry, _)| entry)
    }
}

impl Unplaced {
    /// What an envelope leaves in its entry's line. Refused when nobody signed.
    pub fn of(envelope: &Envelope) -> Result<Unplaced, LineError> {
        if envelope.signatures().is_empty() {
            return Err(LineError::Unsigned);
        }
        let mut out = Vec::with_capacity(envelope.payload().len() + 512);
        out.extend_from_slice(b"\",\"type\":");
        push_string(&mut out, envelope.payload_type());
        out.extend_from_slice(b",\"payload\":");
        push_string(&mut out, envelope.payload());
        let mut before = ",\"sigs\":[";
        for (key, sig) in envelope.signatures() {
            write!(out, "{before}[\"{key}\",\"{sig}\"]").expect("a vector takes every byte");
            before = ",";
        }
        out.extend_from_slice(b"]}");
        Ok(Unplaced(out))
    }

    /// The line of entry `n`, accepted at `time_ms` after the entry whose leaf hash is `prev`. Refused when the time cannot be
    /// written.
    pub fn place(&self, n: u64, time_ms: i64, prev: Hash) -> Result<Line, LineError> {
        let time = format_time(time_ms).ok_or(LineError::Time { time_ms })?;
        let mut bytes = Vec::with_capacity(HEAD_LEN_MAX + self.0.len());
        let head = write!(bytes, "{{\"n\":{n},\"time\":\"{time}\",\"prev\":\"{prev}");
        head.expect("a vector takes every byte");
        bytes.extend_from_slice(&self.0);
        Ok(Line {
            n,
            prev,
            leaf: leaf_hash(&bytes),
            bytes,
        })
    }
}

impl Line {
    /// Reads a line without its newline: the entry, and the line with its leaf hash. Every part is read in its one spelling, so
    /// that the encoding of the entry is the line.
    pub fn decode(bytes: &[u8]) -> Result<(Entry, Line), LineError> {
        if bytes.len() > LINE_LEN_MAX {
            return Err(LineError::TooLong { len: bytes.len() });
        }
        let text = std::str::from_utf8(bytes).map_err(|e| LineError::NotUtf8 {
            offset: e.valid_up_to(),
        })?;
        let entry = read_entry(text)?;
        let line = Line {
            n: entry.n,
            prev: entry.prev,
            leaf: leaf_hash(bytes),
            bytes: bytes.to_vec(),
        };
        Ok((entry, line))
    }

    /// Number of its entry.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Leaf hash of the line before it.
    pub fn prev(&self) -> &Hash {
        &self.prev
    }

    /// The bytes, without newline.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256(0x00 ‖ bytes): the next entry's `prev` and the leaf of the tree.
    pub fn leaf(&self) -> &Hash {
        &self.leaf
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Line({}, {})",
            self.leaf,
            String::from_utf8_lossy(&self.bytes)
        )
    }
}

impl From<Expected> for LineError {
    fn from(Expected { offset, what }: Expected) -> LineError {
        LineError::Syntax {
            offset,
            expected: what,
        }
    }
}

fn read_entry(text: &str) -> Result<Entry, LineError> {
    let mut from = Scanner::new(text);
    from.literal("{\"n\":")?;
    let digits = from.rest().bytes().take_while(u8::is_ascii_digit).count();
    let n = from.fixed(digits, "a number without leading zero", decimal)?;
    from.literal(",\"time\":\"")?;
    let time_ms = from.fixed(24, "a time YYYY-MM-DDThh:mm:ss.mmmZ", parse_time)?;
    from.literal("\",\"prev\":\"")?;
    let prev = from.fixed(64, "a hash in lower-case hex", |t| t.parse().ok())?;
    from.literal("\",\"type\":\"")?;
    let payload_type = string(&mut from)?;
    from.literal(",\"payload\":\"")?;
    let payload = string(&mut from)?;
    let mut envelope = Envelope::new(payload_type, payload).map_err(LineError::Envelope)?;
    from.literal(",\"sigs\":[[\"")?;
    loop {
        let offset = from.offset();
        let key = from.fixed(64, "a key in lower-case hex", |t| t.parse().ok())?;
        let last = envelope.signatures().last();
        if last.is_some_and(|(last, _)| *last > key) {
            return Err(LineError::NotCanonical { offset });
        }
        from.literal("\",\"")?;
        let sig = from.fixed(88, "a signature in padded base64", |t| t.parse().ok())?;
        envelope
            .add_signature(key, sig)
            .map_err(LineError::Envelope)?;
        if from.literal("\"],[\"").is_err() {
            break;
        }
    }
    from.literal("\"]]}")?;
    from.end("the end of the line")?;
    Entry::new(n, time_ms, prev, envelope)
}

/// A string's content and closing quote.
fn string(from: &mut Scanner<'_>) -> Result<String, Expected> {
    let (text, len) = read_string(from.rest())
        .map_err(|further| from.expected_at(further, "a string with the canonical escapes only"))?;
    from.skip(len);
    Ok(text)
}

#[cfg(test)]
mod tests;
