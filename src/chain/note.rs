//! Signed notes and the keys that verify them (C2SP signed-note): a text, a blank line, signature lines.

use std::fmt;
use std::str::FromStr;

use super::cosignature;
use super::hash::sha256;
use super::keys::{KeyError, PublicKey, Signature, SigningKey, verify};
use super::text::{base64, unbase64, unhex};

/// Most bytes of a note.
pub const NOTE_LEN_MAX: usize = 64 * 1024;
/// Most signature lines of a note.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// A signature line starts with an em dash (U+2014) and a space.
const SIGNATURE_PREFIX: &str = "— ";

/// What a key signs: the type byte of a verifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// 0x01: the text of the note, by ed25519.
    Ed25519,
    /// 0x04: text and time, as C2SP tlog-cosignature has it.
    CosignatureV1,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            KeyKind::Ed25519 => 0x01,
            KeyKind::CosignatureV1 => 0x04,
        }
    }
}

/// Who signs a note: what a verifier must know beforehand. As text (a *vkey*): `name+<8 hex>+base64(type ‖ public key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: PublicKey,
}

/// Why a text is no verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VkeyError {
    /// It does not have the form of one.
    #[error("not a verifier key: `name+8 hex digits+base64` is asked for")]
    Form,
    /// The name is empty or holds `+` or white space.
    #[error(
        "the name of a note's key is not empty and holds neither `+` nor white space nor controls"
    )]
    Name,
    /// The type is none that is known here.
    #[error(
        "the verifier key has type {0:#04x}; known are 0x01 (ed25519) and 0x04 (cosignature/v1)"
    )]
    Kind(u8),
    /// The id does not belong to name and key.
    #[error("the key id does not belong to this name and key")]
    KeyId,
    /// The public key is unfit.
    #[error("{0}")]
    Key(#[from] KeyError),
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c == '+' || c.is_whitespace() || c.is_control())
}

impl VerifierKey {
    /// The key of this name. Refused when the name or the key is unfit.
    pub fn new(name: &str, kind: KeyKind, key: PublicKey) -> Result<VerifierKey, VkeyError> {
        if !is_name(name) {
            return Err(VkeyError::Name);
        }
        let key = PublicKey::admit(*key.as_bytes())?;
        Ok(VerifierKey {
            name: name.to_owned(),
            kind,
            key,
        })
    }

    /// The public half of a key that is at hand. Refused when the name is unfit: what is made from a seed is always a sound point
    /// (RFC 8032 §5.1.5), and to look would take longer than to sign.
    pub fn of(name: &str, kind: KeyKind, key: &SigningKey) -> Result<VerifierKey, VkeyError> {
        if !is_name(name) {
            return Err(VkeyError::Name);
        }
        Ok(VerifierKey {
            name: name.to_owned(),
            kind,
            key: key.public_key(),
        })
    }

    /// Its name; for a log, the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// `SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]`
    pub fn key_id(&self) -> [u8; 4] {
        let hashed = [
            self.name.as_bytes(),
            b"\n",
            &[self.kind.byte()],
            self.key.as_bytes(),
        ]
        .concat();
        let [a, b, c, d, ..] = *sha256(&hashed).as_bytes();
        [a, b, c, d]
    }

    /// Checks a signature of this key on a text.
    fn check(&self, text: &str, signature: &NoteSignature) -> Option<Signed> {
        let (time_s, message, sig) = match self.kind {
            KeyKind::Ed25519 => (None, text.as_bytes().to_vec(), signature.blob.as_slice()),
            KeyKind::CosignatureV1 => {
                let (time_s, sig) = cosignature::split(&signature.blob)?;
                (Some(time_s), cosignature::message(time_s, text), sig)
            }
        };
        let sig = Signature::new(sig.try_into().ok()?);
        verify(&self.key, &message, &sig).then(|| Signed {
            by: self.clone(),
            time_s,
        })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.byte()][..], self.key.as_bytes()].concat();
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex::encode(self.key_id()),
            base64(&key)
        )
    }
}

impl FromStr for VerifierKey {
    type Err = VkeyError;

    fn from_str(text: &str) -> Result<VerifierKey, VkeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VkeyError::Form);
        };
        let id: [u8; 4] = unhex(id).ok_or(VkeyError::Form)?;
        let key = unbase64(key).ok_or(VkeyError::Form)?;
        let (kind, key) = key.split_first().ok_or(VkeyError::Form)?;
        let kind = match kind {
            0x01 => KeyKind::Ed25519,
            0x04 => KeyKind::CosignatureV1,
            other => return Err(VkeyError::Kind(*other)),
        };
        let key: [u8; 32] = key.try_into().map_err(|_| VkeyError::Form)?;
        let vkey = VerifierKey::new(name, kind, PublicKey::new(key))?;
        if vkey.key_id() != id {
            return Err(VkeyError::KeyId);
        }
        Ok(vkey)
    }
}

/// A signature line: `— <name> base64(key id ‖ blob)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    key_id: [u8; 4],
    blob: Vec<u8>,
}

impl NoteSignature {
    /// The line that `key` makes with these bytes after its id.
    pub(super) fn new(key: &VerifierKey, blob: Vec<u8>) -> NoteSignature {
        NoteSignature {
            name: key.name.clone(),
            key_id: key.key_id(),
            blob,
        }
    }

    /// Name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id of the key.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{SIGNATURE_PREFIX}{} {}",
            self.name,
            base64(&[&self.key_id[..], &self.blob].concat())
        )
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;

    fn from_str(line: &str) -> Result<NoteSignature, NoteError> {
        let rest = line
            .strip_prefix(SIGNATURE_PREFIX)
            .ok_or(NoteError::Malformed("signature line"))?;
        let (name, blob) = rest
            .split_once(' ')
            .ok_or(NoteError::Malformed("signature line"))?;
        if !is_name(name) {
            return Err(NoteError::Malformed("key name"));
        }
        let bytes = unbase64(blob).ok_or(NoteError::Malformed("signature's base64"))?;
        match bytes.split_first_chunk() {
            Some((key_id, blob)) if !blob.is_empty() => Ok(NoteSignature {
                name: name.to_owned(),
                key_id: *key_id,
                blob: blob.to_vec(),
            }),
            _ => Err(NoteError::Malformed("signature's length")),
        }
    }
}

/// A text with signature lines, none of them verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// Why bytes are no note, or none that may be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It does not have the form of a note.
    #[error("malformed note: {0}")]
    Malformed(&'static str),
    /// A known key's signature does not verify.
    #[error("the signature of {0} does not verify")]
    Forged(String),
    /// No known key signed.
    #[error("no known key signed the note")]
    Unsigned,
}

/// A signature that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The key.
    pub by: VerifierKey,
    /// Of a cosignature, its time in seconds since 1970.
    pub time_s: Option<u64>,
}

impl Note {
    /// A note without signatures. The text ends with a newline and holds no other control.
    pub fn new(text: impl Into<String>) -> Result<Note, NoteError> {
        let text = text.into();
        if !text.ends_with('\n') {
            return Err(NoteError::Malformed("the text does not end with a newline"));
        }
        if text.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Malformed("a control character"));
        }
        Ok(Note {
            text,
            signatures: Vec::new(),
        })
    }

    /// The text, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines as they stand.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line, such as a witness returned.
    pub fn add(&mut self, signature: NoteSignature) {
        self.signatures.push(signature);
    }

    /// Signs the text with an ed25519 key under `name`. Refused when the name is unfit.
    pub fn sign(&mut self, name: &str, key: &SigningKey) -> Result<(), VkeyError> {
        let vkey = VerifierKey::of(name, KeyKind::Ed25519, key)?;
        let signature = key.sign(self.text.as_bytes());
        self.add(NoteSignature::new(&vkey, signature.as_bytes().to_vec()));
        Ok(())
    }

    /// Reads a note; no signature is verified.
    pub fn decode(bytes: &[u8]) -> Result<Note, NoteError> {
        if bytes.len() > NOTE_LEN_MAX {
            return Err(NoteError::Malformed("too long"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed("not UTF-8"))?;
        // The text may hold blank lines itself: the last one ends it.
        let blank = note
            .rfind("\n\n")
            .ok_or(NoteError::Malformed("no blank line"))?;
        let (text, lines) = (&note[..=blank], &note[blank + 2..]);
        let mut note = Note::new(text)?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or(NoteError::Malformed("no newline at the end"))?;
        for line in lines.split('\n') {
            note.signatures.push(line.parse()?);
        }
        if note.signatures.len() > NOTE_SIGNATURES_MAX {
            return Err(NoteError::Malformed("too many signatures"));
        }
        Ok(note)
    }

    /// Reads notes that stand one after the other: a line that is no signature, behind one that is, begins the next.
    pub fn decode_all(bytes: &[u8]) -> Result<Vec<Note>, NoteError> {
        let mut notes: Vec<Vec<u8>> = Vec::new();
        let mut in_signatures = true;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let is_signature = line.starts_with(SIGNATURE_PREFIX.as_bytes());
            match notes.last_mut() {
                Some(note) if is_signature || !in_signatures => note.extend(line),
                _ => notes.push(line.to_vec()),
            }
            in_signatures = is_signature;
        }
        notes.iter().map(|note| Note::decode(note)).collect()
    }

    /// The note's bytes.
    pub fn encode(&self) -> String {
        let lines: String = self.signatures.iter().map(|s| format!("{s}\n")).collect();
        format!("{}\n{lines}", self.text)
    }

    /// The same text with the lines of these signers alone, one for each.
    pub fn signed_only_by(&self, signers: &[Signed]) -> Note {
        let line_of = |signed: &Signed| {
            let key = &signed.by;
            let mut lines = self.signatures.iter();
            lines.find(|line| line.name == key.name && line.key_id == key.key_id())
        };
        Note {
            text: self.text.clone(),
            signatures: signers.iter().filter_map(line_of).cloned().collect(),
        }
    }

    /// Which of the `known` keys signed, in the order of the lines, each once. "Unknown keys are ignored; a failing known key rejects
    /// the note", as does the lack of any.
    pub fn verified(&self, known: &[VerifierKey]) -> Result<Vec<Signed>, NoteError> {
        let mut found: Vec<Signed> = Vec::new();
        for signature in &self.signatures {
            let mut keys = known
                .iter()
                .filter(|k| k.name == signature.name && k.key_id() == signature.key_id);
            let Some(key) = keys.next() else {
                continue;
            };
            let signed = key
                .check(&self.text, signature)
                .ok_or_else(|| NoteError::Forged(key.name.clone()))?;
            if found.iter().all(|s| s.by != signed.by) {
                found.push(signed);
            }
        }
        if found.is_empty() {
            Err(NoteError::Unsigned)
        } else {
            Ok(found)
        }
    }
}

#[cfg(test)]
mod tests;
