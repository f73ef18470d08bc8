//! cosignature/v1 (C2SP tlog-cosignature): a witness's statement that it saw a checkpoint at a time.

use super::keys::SigningKey;
use super::note::{KeyKind, Note, NoteSignature, VerifierKey, VkeyError};

/// How far the clocks of a ledger and of a witness may be apart, in milliseconds (FORMAT.md, "Time").
pub const CLOCKS_APART_MS: i64 = 5 * 60 * 1000;

/// What is signed: `cosignature/v1\ntime <unix seconds>\n` and the note's text.
pub(super) fn message(time_s: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time_s}\n{text}").into_bytes()
}

/// The blob is time as 8 bytes big-endian, then the signature.
pub(super) fn split(blob: &[u8]) -> Option<(u64, &[u8])> {
    let (time_s, signature) = blob.split_first_chunk()?;
    let time_s = u64::from_be_bytes(*time_s);
    // "It MUST NOT exceed 2^63 - 1".
    i64::try_from(time_s).is_ok().then_some((time_s, signature))
}

/// The line by which `name` cosigns a note at `time_s`, seconds since 1970. Refused when the name is unfit. The caller has checked
/// that the note is a checkpoint consistent with what it cosigned before.
pub fn cosign(
    note: &Note,
    name: &str,
    key: &SigningKey,
    time_s: u64,
) -> Result<NoteSignature, VkeyError> {
    let vkey = VerifierKey::of(name, KeyKind::CosignatureV1, key)?;
    let signature = key.sign(&message(time_s, note.text()));
    let blob = [&time_s.to_be_bytes()[..], signature.as_bytes()].concat();
    Ok(NoteSignature::new(&vkey, blob))
}
