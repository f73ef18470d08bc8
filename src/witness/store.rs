//! What was last cosigned of a log, in memory and in a file: compared and updated in one step, durable before anybody is answered.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::judge::Last;
use crate::chain::note::NoteSignature;
use crate::chain::{Checkpoint, Note, VerifierKey};
use crate::files::{self, SECRET};

/// A checkpoint with the signatures of its log and, as the last line, the cosignature of the witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The note.
    pub note: Note,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The cosignature.
    pub line: NoteSignature,
    /// Its time, in seconds since 1970.
    pub time_s: u64,
}

impl Cosigned {
    /// Its size and root.
    pub fn last(&self) -> Last {
        Last {
            size: self.checkpoint.size,
            root: self.checkpoint.root,
        }
    }
}

/// The record of one log.
#[derive(Debug)]
pub(super) struct Record {
    path: PathBuf,
    kept: Mutex<Option<Cosigned>>,
}

impl Record {
    /// Makes the file of a log of which nothing was cosigned; one that is there stays as it is. The caller holds the folder's lock.
    pub(super) fn create(path: &Path, origin: &str) -> io::Result<()> {
        if path.try_exists()? {
            return Ok(());
        }
        files::replace(path, SECRET, fresh(origin).as_bytes())
    }

    /// Reads the file of a log. The keys that are `known` are the log's and, as the last, the witness's own: what it did not cosign
    /// is refused, and so is what does not verify.
    pub(super) fn open(
        path: PathBuf,
        origin: &str,
        known: &[VerifierKey],
    ) -> Result<Record, String> {
        let bytes = fs::read(&path).map_err(|error| error.to_string())?;
        let kept = match bytes == fresh(origin).as_bytes() {
            true => None,
            false => Some(read(&bytes, origin, known)?),
        };
        let kept = Mutex::new(kept);
        Ok(Record { path, kept })
    }

    /// What was cosigned last.
    pub(super) fn newest(&self) -> Option<Cosigned> {
        self.lock().clone()
    }

    /// Makes what follows of what was cosigned last, and keeps it: "checking the old size against the latest checkpoint and persisting
    /// the new checkpoint must be performed atomically". When this returns it is durable; when it fails nothing has changed.
    pub(super) fn update<E: From<io::Error>>(
        &self,
        next: impl FnOnce(Option<&Cosigned>) -> Result<Cosigned, E>,
    ) -> Result<Cosigned, E> {
        let mut kept = self.lock();
        let next = next(kept.as_ref())?;
        // The same once more in the same second is on disk already.
        if kept.as_ref() != Some(&next) {
            files::replace(&self.path, SECRET, next.note.encode().as_bytes())?;
            *kept = Some(next.clone());
        }
        Ok(next)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Cosigned>> {
        // What is kept is changed in one assignment: a panic elsewhere leaves it whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file of a log of which nothing was cosigned yet. It is not empty, so that a file which lost its bytes is not taken for it.
fn fresh(origin: &str) -> String {
    format!("nothing cosigned yet of {origin}\n")
}

fn read(bytes: &[u8], origin: &str, known: &[VerifierKey]) -> Result<Cosigned, String> {
    let note = Note::decode(bytes).map_err(|error| error.to_string())?;
    let signed = note.verified(known).map_err(|error| error.to_string())?;
    let own = signed
        .iter()
        .find(|signed| Some(&signed.by) == known.last());
    let (Some(time_s), Some(line)) = (own.and_then(|own| own.time_s), note.signatures().last())
    else {
        return Err("this witness did not cosign it".to_owned());
    };
    let checkpoint = Checkpoint::parse(note.text()).map_err(|error| error.to_string())?;
    if checkpoint.origin != origin {
        return Err(format!(
            "it is of `{}`, not of `{origin}`",
            checkpoint.origin
        ));
    }
    Ok(Cosigned {
        line: line.clone(),
        note,
        checkpoint,
        time_s,
    })
}

#[cfg(test)]
mod tests;
