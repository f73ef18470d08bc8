//! How an operation travels: a DSSE envelope in JSON (secure-systems-lab/dsse, envelope.md), with limits on everything.
//!
//! ```text
//! {"payloadType":"application/vnd.counterfoil.op.v1+json",
//!  "payload":"<base64>","signatures":[{"keyid":"<64 hex>","sig":"<base64>"}]}
//! ```

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::escape::{ESCAPE_LEN_MAX, escaped_len};
use super::hash::{Hash, sha256_of};
use super::keys::{PublicKey, Signature, SigningKey};
use super::pae::{pae, pae_head};
use super::scanner::Scanner;
use super::text::{base64, unbase64};
use super::verifier::{Check, Verifier};

/// Most bytes of an encoded envelope; the largest that keeps the other limits fits in, with room for white space.
pub const ENVELOPE_LEN_MAX: usize = 64 * 1024;
/// Most bytes of a payload.
pub const PAYLOAD_LEN_MAX: usize = 40 * 1024;
/// Most bytes of a payload once it is escaped in an entry.
pub const PAYLOAD_ESCAPED_LEN_MAX: usize = 62_000;
/// Most bytes of a payload type.
pub const PAYLOAD_TYPE_LEN_MAX: usize = 128;
/// Most signatures of an envelope.
pub const SIGNATURES_MAX: usize = 16;

/// A payload, its type and the signatures on both. Keeps every limit, and the signatures sorted by key, one a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<(PublicKey, Signature)>,
}

/// Why bytes are no envelope, and where: a JSON pointer (RFC 6901) into the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeError {
    /// JSON pointer to what is wrong; empty for the whole.
    pub pointer: String,
    /// What is wrong there.
    pub problem: EnvelopeProblem,
}

/// What can be wrong with an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeProblem {
    /// The encoded envelope is longer than [`ENVELOPE_LEN_MAX`].
    #[error("the envelope has {len} bytes; at most {ENVELOPE_LEN_MAX} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The bytes are not UTF-8, or not JSON of the expected kind.
    #[error("not the JSON that is expected here: {0}")]
    Json(String),
    /// An object has a field that it should not have.
    #[error("unknown field `{0}`")]
    UnknownField(String),
    /// An object has a field twice.
    #[error("field `{0}` stands twice")]
    DuplicateField(&'static str),
    /// An object lacks a field.
    #[error("field `{0}` is missing")]
    MissingField(&'static str),
    /// The payload type is empty, too long, or not of plain printable ASCII.
    #[error(
        "a payload type has 1 to {PAYLOAD_TYPE_LEN_MAX} printable ASCII characters, without quote and backslash"
    )]
    PayloadType,
    /// The payload is not standard padded base64.
    #[error("not standard padded base64")]
    Base64,
    /// The payload is longer than [`PAYLOAD_LEN_MAX`].
    #[error("the payload has {len} bytes; at most {PAYLOAD_LEN_MAX} are allowed")]
    PayloadTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The payload is longer than [`PAYLOAD_ESCAPED_LEN_MAX`] once escaped.
    #[error(
        "the payload has {len} bytes once escaped in an entry; at most {PAYLOAD_ESCAPED_LEN_MAX} are allowed"
    )]
    PayloadEscapedTooLong {
        /// Its escaped length in bytes.
        len: usize,
    },
    /// The payload is not UTF-8.
    #[error("the payload is not UTF-8 from its byte {offset} on")]
    PayloadNotUtf8 {
        /// Offset in the payload, in bytes.
        offset: usize,
    },
    /// There is no signature.
    #[error("there is no signature; at least one is needed")]
    Unsigned,
    /// There are more than [`SIGNATURES_MAX`] signatures.
    #[error("{count} signatures; at most {SIGNATURES_MAX} are allowed")]
    TooManySignatures {
        /// How many there are.
        count: usize,
    },
    /// A key id is not 64 lower-case hex digits.
    #[error("a keyid is a public key in 64 lower-case hex digits")]
    KeyId,
    /// A signature is not standard padded base64 of 64 bytes.
    #[error("a sig is standard padded base64 of 64 bytes")]
    Signature,
    /// A key signs twice.
    #[error("key {0} signs twice")]
    DuplicateKey(PublicKey),
}

impl EnvelopeProblem {
    /// Stable code of the problem.
    pub fn code(&self) -> &'static str {
        match self {
            EnvelopeProblem::TooLong { .. } => "envelope.too_long",
            EnvelopeProblem::Json(_) => "envelope.malformed",
            EnvelopeProblem::UnknownField(_) => "envelope.unknown_field",
            EnvelopeProblem::DuplicateField(_) => "envelope.duplicate_field",
            EnvelopeProblem::MissingField(_) => "envelope.missing_field",
            EnvelopeProblem::PayloadType => "envelope.payload_type",
            EnvelopeProblem::Base64 => "envelope.base64",
            EnvelopeProblem::PayloadTooLong { .. }
            | EnvelopeProblem::PayloadEscapedTooLong { .. } => "envelope.payload_too_long",
            EnvelopeProblem::PayloadNotUtf8 { .. } => "envelope.payload_not_utf8",
            EnvelopeProblem::Unsigned => "envelope.unsigned",
            EnvelopeProblem::TooManySignatures { .. } => "envelope.too_many_signatures",
            EnvelopeProblem::KeyId => "envelope.keyid",
            EnvelopeProblem::Signature => "envelope.signature",
            EnvelopeProblem::DuplicateKey(_) => "envelope.duplicate_key",
        }
    }

    fn at(self, pointer: impl Into<String>) -> EnvelopeError {
        EnvelopeError {
            pointer: pointer.into(),
            problem: self,
        }
    }
}

impl EnvelopeError {
    /// Stable code of the problem, such as `envelope.payload_too_long`.
    pub fn code(&self) -> &'static str {
        self.problem.code()
    }
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(f, "{}", self.problem),
            pointer => write!(f, "{pointer}: {}", self.problem),
        }
    }
}

impl std::error::Error for EnvelopeError {}

impl Envelope {
    /// An envelope that nobody has signed yet.
    pub fn new(
        payload_type: impl Into<String>,
        payload: impl Into<String>,
    ) -> Result<Envelope, EnvelopeError> {
        let (payload_type, payload) = (payload_type.into(), payload.into());
        let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\';
        if !(1..=PAYLOAD_TYPE_LEN_MAX).contains(&payload_type.len())
            || !payload_type.bytes().all(plain)
        {
            return Err(EnvelopeProblem::PayloadType.at("/payloadType"));
        }
        // "Limits: payload ≤ 40 KiB and ≤ 62,000 bytes once escaped"
        if payload.len() > PAYLOAD_LEN_MAX {
            return Err(EnvelopeProblem::PayloadTooLong { len: payload.len() }.at("/payload"));
        }
        if payload.len() > PAYLOAD_ESCAPED_LEN_MAX / ESCAPE_LEN_MAX {
            let len = escaped_len(&payload);
            if len > PAYLOAD_ESCAPED_LEN_MAX {
                return Err(EnvelopeProblem::PayloadEscapedTooLong { len }.at("/payload"));
            }
        }
        Ok(Envelope {
            payload_type,
            payload,
            signatures: Vec::new(),
        })
    }

    /// Adds a signature, unverified. Refused when the key has signed already or the envelope is full.
    pub fn add_signature(
        &mut self,
        key: PublicKey,
        signature: Signature,
    ) -> Result<(), EnvelopeError> {
        let at = match self.signatures.binary_search_by_key(&key, |s| s.0) {
            Ok(_) => return Err(EnvelopeProblem::DuplicateKey(key).at("/signatures")),
            Err(at) => at,
        };
        let count = self.signatures.len() + 1;
        if count > SIGNATURES_MAX {
            return Err(EnvelopeProblem::TooManySignatures { count }.at("/signatures"));
        }
        self.signatures.insert(at, (key, signature));
        Ok(())
    }

    /// Signs the envelope's PAE. Refused when the key has signed already or the envelope is full.
    pub fn sign(&mut self, key: &SigningKey) -> Result<(), EnvelopeError> {
        self.add_signature(key.public_key(), key.sign(&self.signed_bytes()))
    }

    /// Reads an envelope that has at least one signature. The fields may come in any order, with white space. Signatures are not
    /// verified here: see [`Envelope::forged`].
    pub fn decode(bytes: &[u8]) -> Result<Envelope, EnvelopeError> {
        if bytes.len() > ENVELOPE_LEN_MAX {
            return Err(EnvelopeProblem::TooLong { len: bytes.len() }.at(""));
        }
        let json =
            std::str::from_utf8(bytes).map_err(|e| EnvelopeProblem::Json(e.to_string()).at(""))?;
        // Most come as they are encoded here. What is not quite so is read again with care, as is all that is refused: for where
        // and why.
        match compact(json) {
            Some(envelope) => Ok(envelope),
            None => Envelope::of_json(json),
        }
    }

    fn of_json(json: &str) -> Result<Envelope, EnvelopeError> {
        let [payload_type, payload, signatures] =
            object(json, "", ["payloadType", "payload", "signatures"])?;
        let payload_type = string(payload_type, "/payloadType")?;
        let payload = unbase64(&string(payload, "/payload")?)
            .ok_or(EnvelopeProblem::Base64.at("/payload"))?;
        let payload = String::from_utf8(payload).map_err(|e| {
            EnvelopeProblem::PayloadNotUtf8 {
                offset: e.utf8_error().valid_up_to(),
            }
            .at("/payload")
        })?;
        let mut envelope = Envelope::new(payload_type, payload)?;
        let signatures: Vec<&RawValue> = parse(signatures.get(), "/signatures")?;
        if signatures.is_empty() {
            return Err(EnvelopeProblem::Unsigned.at("/signatures"));
        }
        if signatures.len() > SIGNATURES_MAX {
            return Err(EnvelopeProblem::TooManySignatures {
                count: signatures.len(),
            }
            .at("/signatures"));
        }
        envelope.signatures.reserve_exact(signatures.len());
        for (i, signature) in signatures.into_iter().enumerate() {
            let here = format!("/signatures/{i}");
            let [keyid, sig] = object(signature.get(), &here, ["keyid", "sig"])?;
            let (at_key, at_sig) = (format!("{here}/keyid"), format!("{here}/sig"));
            let key = string(keyid, &at_key)?
                .parse()
                .map_err(|_| EnvelopeProblem::KeyId.at(&at_key))?;
            let sig = string(sig, &at_sig)?
                .parse()
                .map_err(|_| EnvelopeProblem::Signature.at(&at_sig))?;
            envelope
                .add_signature(key, sig)
                .map_err(|e| e.problem.at(&at_key))?;
        }
        Ok(envelope)
    }

    /// The envelope as JSON without white space, signatures sorted by key.
    pub fn encode(&self) -> Vec<u8> {
        let signatures: Vec<String> = self
            .signatures
            .iter()
            .map(|(key, sig)| format!("{{\"keyid\":\"{key}\",\"sig\":\"{sig}\"}}"))
            .collect();
        format!(
            "{{\"payloadType\":\"{}\",\"payload\":\"{}\",\"signatures\":[{}]}}",
            self.payload_type,
            base64(self.payload.as_bytes()),
            signatures.join(",")
        )
        .into_bytes()
    }

    /// Type of the payload, such as [`OP_TYPE`](super::pae::OP_TYPE).
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload: exactly the bytes that are signed together with the type.
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// The signatures, sorted by key, one a key.
    pub fn signatures(&self) -> &[(PublicKey, Signature)] {
        &self.signatures
    }

    /// The PAE: the bytes that every signature covers.
    pub fn signed_bytes(&self) -> Vec<u8> {
        pae(&self.payload_type, self.payload.as_bytes())
    }

    /// SHA-256 of the PAE: for an operation, its id.
    pub fn op_id(&self) -> Hash {
        let payload = self.payload.as_bytes();
        sha256_of(&[pae_head(&self.payload_type, payload).as_bytes(), payload])
    }

    /// The first key whose signature does not verify; `None` when every signature present does.
    pub fn forged(&self, verifier: &Verifier) -> Option<PublicKey> {
        Envelope::forged_in(&[self], verifier).pop().flatten()
    }

    /// Of each envelope the first key whose signature does not verify; checked together, which costs less.
    pub fn forged_in(envelopes: &[&Envelope], verifier: &Verifier) -> Vec<Option<PublicKey>> {
        let head =
            |envelope: &&Envelope| pae_head(&envelope.payload_type, envelope.payload.as_bytes());
        let heads: Vec<String> = envelopes.iter().map(head).collect();
        let checks: Vec<Check<'_>> = envelopes
            .iter()
            .zip(&heads)
            .flat_map(|(envelope, head)| {
                let message = [head.as_bytes(), envelope.payload.as_bytes()];
                let signatures = envelope.signatures.iter();
                signatures.map(move |(key, signature)| Check {
                    key,
                    message,
                    signature,
                })
            })
            .collect();
        let mut verdicts = verifier.verify(&checks).into_iter();
        let forged = |envelope: &&Envelope| {
            let of_it: Vec<_> = envelope.signatures.iter().zip(verdicts.by_ref()).collect();
            let bad = of_it.into_iter().find(|(_, good)| !good);
            bad.map(|((key, _), _)| *key)
        };
        envelopes.iter().map(forged).collect()
    }
}

/// Reads an envelope that is spelled as [`Envelope::encode`] does, but for the order of its signatures.
fn compact(json: &str) -> Option<Envelope> {
    let mut from = Scanner::new(json);
    from.literal("{\"payloadType\":\"").ok()?;
    let payload_type = from.until_quote().ok()?;
    from.literal("\",\"payload\":\"").ok()?;
    let payload = unbase64(from.until_quote().ok()?)?;
    let mut envelope = Envelope::new(payload_type, String::from_utf8(payload).ok()?).ok()?;
    from.literal("\",\"signatures\":[{\"keyid\":\"").ok()?;
    loop {
        let key = from.fixed(64, "", |text| text.parse().ok()).ok()?;
        from.literal("\",\"sig\":\"").ok()?;
        let sig = from.fixed(88, "", |text| text.parse().ok()).ok()?;
        envelope.add_signature(key, sig).ok()?;
        if from.literal("\"},{\"keyid\":\"").is_err() {
            break;
        }
    }
    from.literal("\"}]}").ok()?;
    from.end("").ok()?;
    Some(envelope)
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str, pointer: &str) -> Result<T, EnvelopeError> {
    serde_json::from_str(json).map_err(|e| EnvelopeProblem::Json(e.to_string()).at(pointer))
}

fn string(value: &RawValue, pointer: &str) -> Result<String, EnvelopeError> {
    parse(value.get(), pointer)
}

/// The values of exactly the fields `names` of a JSON object, each there once.
fn object<'a, const N: usize>(
    json: &'a str,
    pointer: &str,
    names: [&'static str; N],
) -> Result<[&'a RawValue; N], EnvelopeError> {
    let mut values = [None; N];
    for (name, value) in parse::<Fields>(json, pointer)?.0 {
        let Some(i) = names.iter().position(|n| *n == name) else {
            return Err(EnvelopeProblem::UnknownField(name).at(pointer));
        };
        if values[i].replace(value).is_some() {
            return Err(EnvelopeProblem::DuplicateField(names[i]).at(pointer));
        }
    }
    let mut found = [RawValue::NULL; N];
    for i in 0..N {
        found[i] = values[i].ok_or(EnvelopeProblem::MissingField(names[i]).at(pointer))?;
    }
    Ok(found)
}

/// All fields of a JSON object as they stand. Derived structs also take arrays; this does not.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Fields<'a>, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(ObjectVisitor).map(Fields)
    }
}

#[cfg(test)]
mod tests;
