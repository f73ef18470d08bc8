//! The shape that C2SP's proofs travel in: a few lines of their own, hashes a line each, an empty line, a checkpoint.

use super::hash::Hash;
use super::note::{Note, NoteError};
use super::text::unbase64_exact;

/// Most hashes of a proof: a tree has no more levels.
pub(super) const HASHES_MAX: usize = 63;

/// Why bytes are no proof, or none in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofTextError {
    /// They are too long.
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
    /// They are not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// A line is not what must stand there.
    #[error("line {line}: {expected} is expected")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// What follows the empty line is no note.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] NoteError),
}

/// What was not read yet.
pub(super) struct Lines<'a> {
    rest: &'a str,
    /// Lines that were read.
    at: usize,
}

impl<'a> Lines<'a> {
    /// Of bytes that are no more than `most`.
    pub(super) fn of(bytes: &'a [u8], most: usize) -> Result<Lines<'a>, ProofTextError> {
        if bytes.len() > most {
            return Err(ProofTextError::TooLong(most));
        }
        let rest = std::str::from_utf8(bytes).map_err(|_| ProofTextError::NotUtf8)?;
        Ok(Lines { rest, at: 0 })
    }

    /// Whether the next line begins so.
    pub(super) fn begins(&self, with: &str) -> bool {
        self.rest.starts_with(with)
    }

    /// The next line, which must be what `read` takes.
    pub(super) fn next<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, ProofTextError> {
        self.at += 1;
        let (line, rest) = self.rest.split_once('\n').ok_or(self.error(expected))?;
        let value = read(line).ok_or(self.error(expected))?;
        self.rest = rest;
        Ok(value)
    }

    /// The hashes up to an empty line, and the checkpoint that is all the rest.
    pub(super) fn hashes_and_checkpoint(mut self) -> Result<(Vec<Hash>, Note), ProofTextError> {
        let mut hashes = Vec::new();
        while !self.begins("\n") {
            let hash = self.next("a hash in base64, or an empty line", unbase64_exact)?;
            if hashes.len() == HASHES_MAX {
                return Err(self.error("an empty line after at most 63 hashes"));
            }
            hashes.push(Hash::new(hash));
        }
        let checkpoint = Note::decode(&self.rest.as_bytes()[1..])?;
        Ok((hashes, checkpoint))
    }

    fn error(&self, expected: &'static str) -> ProofTextError {
        ProofTextError::Line {
            line: self.at,
            expected,
        }
    }
}
