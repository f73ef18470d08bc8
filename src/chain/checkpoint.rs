//! Checkpoints (C2SP tlog-checkpoint): origin, size and root of the tree, one a line, in a signed note.

use super::hash::Hash;
use super::keys::SigningKey;
use super::note::{Note, NoteError, VerifierKey, VkeyError};
use super::text::{base64, decimal, unbase64_exact};

/// What a ledger commits to: that its first `size` entries have this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Origin of the ledger; also the name of the key that signs.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

/// Why bytes are no checkpoint, or none that may be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is malformed, forged, or not signed by a known key.
    #[error("{0}")]
    Note(#[from] NoteError),
    /// The text is not a checkpoint's.
    #[error("malformed checkpoint: {0}")]
    Malformed(&'static str),
    /// It is another ledger's.
    #[error("the checkpoint is of `{found}`, not of `{expected}`")]
    Origin {
        /// The origin asked for.
        expected: String,
        /// The origin it names.
        found: String,
    },
}

/// "An origin that begins `drill.` says that the ledger's time may be set by hand" (FORMAT.md, "Time").
pub fn is_drill(origin: &str) -> bool {
    origin.starts_with("drill.")
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            base64(self.root.as_bytes())
        )
    }

    /// Reads a checkpoint's text. Extension lines after the third are allowed to others' logs, and ignored; ours has none.
    pub fn parse(text: &str) -> Result<Checkpoint, CheckpointError> {
        let malformed = CheckpointError::Malformed;
        let lines = text
            .strip_suffix('\n')
            .ok_or(malformed("no newline at the end"))?;
        let mut lines = lines.split('\n');
        let origin = lines
            .next()
            .filter(|o| !o.is_empty())
            .ok_or(malformed("no origin"))?;
        let size = lines
            .next()
            .and_then(decimal)
            .ok_or(malformed("the size is no decimal number"))?;
        let root = lines
            .next()
            .and_then(unbase64_exact)
            .ok_or(malformed("the root is no base64 of 32 bytes"))?;
        if lines.any(str::is_empty) {
            return Err(malformed("an empty extension line"));
        }
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size,
            root: Hash::new(root),
        })
    }

    /// The signed note. The origin is the name of every key; there are two keys only after a change of key. Refused when the origin
    /// is unfit to be a key's name. To be called only for entries that are already durable.
    pub fn sign(&self, keys: &[&SigningKey]) -> Result<Note, VkeyError> {
        let mut note = Note::new(self.text()).map_err(|_| VkeyError::Name)?;
        for key in keys {
            note.sign(&self.origin, key)?;
        }
        Ok(note)
    }

    /// Reads a note's checkpoint after verifying that its ledger's key signed it.
    pub fn open(note: &Note, key: &VerifierKey) -> Result<Checkpoint, CheckpointError> {
        note.verified(std::slice::from_ref(key))?;
        let checkpoint = Checkpoint::parse(note.text())?;
        // "origin line = ledger origin = key name"
        if checkpoint.origin != key.name() {
            let (expected, found) = (key.name().to_owned(), checkpoint.origin);
            return Err(CheckpointError::Origin { expected, found });
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests;
