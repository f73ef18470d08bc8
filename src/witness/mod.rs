//! A witness (C2SP tlog-witness): it cosigns a log's checkpoints as long as each is consistent with the one before, and so attests that
//! there is one history. It knows no ledger: any log of that kind may ask.
//!
//! The way of a request: [`http`] → [`judge::Request`] → [`judge::Submission`] → under the lock of its log judged against what was
//! cosigned last, cosigned, written and synced (`store`) → answered.

mod counts;
mod evidence;
mod folder;
mod http;
pub mod judge;
mod server;
mod store;

use std::collections::BTreeMap;
use std::io;

use crate::chain::cosignature::cosign;
use crate::chain::hash::sha256;
use crate::chain::note::NoteSignature;
use crate::chain::{Hash, SigningKey, VerifierKey};
use crate::files::Lock;

use counts::Counts;
use evidence::Evidence;
use judge::{Last, Refusal, Request, Submission, Suspicion, cosigned_at};
use store::Record;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use folder::{FolderError, add_log, init, open, vkey};
pub use server::{Limits, serve};
pub use store::Cosigned;

/// A witness with its folder.
#[derive(Debug)]
pub struct Witness {
    vkey: VerifierKey,
    key: SigningKey,
    /// By the hash of the origin.
    logs: BTreeMap<Hash, Log>,
    evidence: Evidence,
    counts: Counts,
    _lock: Lock,
}

/// A log that is cosigned.
#[derive(Debug)]
struct Log {
    origin: String,
    keys: Vec<VerifierKey>,
    record: Record,
}

/// Why there is no cosignature.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The specification says so.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// What was to be cosigned could not be kept.
    #[error("it could not be kept: {0}")]
    NotKept(#[from] io::Error),
}

impl AddError {
    /// The status of HTTP.
    pub fn status(&self) -> u16 {
        match self {
            AddError::Refused(refusal) => refusal.status(),
            AddError::NotKept(_) => 500,
        }
    }
}

/// What is told of a request besides its answer.
#[derive(Debug, Default)]
pub struct Seen<'a> {
    /// The log; none where it is not known.
    pub origin: Option<&'a str>,
    /// The old size; none where the request is malformed.
    pub old: Option<u64>,
    /// The checkpoint's.
    pub size: Option<u64>,
    /// What the checkpoint may be proof of that is not cosigned.
    pub suspicion: Option<Suspicion>,
}

/// "The origin hash is the SHA-256 hash of the log's origin"
fn origin_hash(origin: &str) -> Hash {
    sha256(origin.as_bytes())
}

impl Witness {
    /// Its name and public key.
    pub fn vkey(&self) -> &VerifierKey {
        &self.vkey
    }

    /// How many logs it knows.
    pub fn logs(&self) -> usize {
        self.logs.len()
    }

    /// What was last cosigned of the log whose origin has this hash.
    pub fn newest(&self, origin: &Hash) -> Option<Cosigned> {
        self.logs.get(origin)?.record.newest()
    }

    /// The cosignature on the checkpoint in a request's body, at `now_s` in seconds since 1970. When there is one it is durable.
    pub fn add_checkpoint(
        &self,
        body: &[u8],
        now_s: u64,
    ) -> (Seen<'_>, Result<NoteSignature, AddError>) {
        let mut seen = Seen::default();
        let answer = self.add(body, now_s, &mut seen);
        let status = answer.as_ref().map_or_else(AddError::status, |_| 200);
        self.counts.answered(status);
        (seen, answer)
    }

    fn add<'a>(
        &'a self,
        body: &[u8],
        now_s: u64,
        seen: &mut Seen<'a>,
    ) -> Result<NoteSignature, AddError> {
        let request = Request::read(body)?;
        (seen.old, seen.size) = (Some(request.old), Some(request.checkpoint.size));
        let hash = origin_hash(&request.checkpoint.origin);
        let log = self.logs.get(&hash).ok_or(Refusal::UnknownOrigin)?;
        seen.origin = Some(&log.origin);
        let submission = request.signed(&log.keys)?;
        let mut before = None;
        let cosigned = log.record.update(|kept| {
            before = kept.cloned();
            self.cosign(&log.keys, &submission, kept, now_s)
        });
        if let Err(AddError::Refused(refusal)) = &cosigned {
            let last = before.as_ref().map_or_else(Last::default, Cosigned::last);
            // A key that has given way does not speak for the log: whoever took it could fill the folder and cry fork.
            let speaks = before.as_ref().is_none_or(|before| {
                let by = submission.is_by_the_key_of(&before.note, &log.keys);
                by.is_ok()
            });
            let suspicion = submission.suspicion(&last, refusal);
            seen.suspicion = suspicion.filter(|_| speaks);
        }
        if let Some(suspicion) = seen.suspicion {
            self.counts.suspected(suspicion);
            self.keep(&hash, suspicion, &submission, before.as_ref());
        }
        Ok(cosigned?.line)
    }

    /// Keeps a checkpoint that was not cosigned beside the one that was.
    fn keep(
        &self,
        log: &Hash,
        suspicion: Suspicion,
        submission: &Submission,
        before: Option<&Cosigned>,
    ) {
        let before = before.map(|before| (&before.checkpoint, &before.note));
        let mut notes = vec![(submission.checkpoint(), submission.note())];
        notes.extend(before);
        match self.evidence.keep(log, suspicion, &notes) {
            Ok(true) => {}
            Ok(false) => tracing::warn!(%log, "there is no more room for evidence"),
            Err(error) => tracing::error!(%log, %error, "evidence could not be kept"),
        }
    }

    fn cosign(
        &self,
        keys: &[VerifierKey],
        submission: &Submission,
        before: Option<&Cosigned>,
        now_s: u64,
    ) -> Result<Cosigned, AddError> {
        let last = before.map_or_else(Last::default, Cosigned::last);
        submission.judge(&last)?;
        if let Some(before) = before {
            submission.is_by_the_key_of(&before.note, keys)?;
        }
        let time_s = cosigned_at(now_s, before.map_or(0, |before| before.time_s));
        let line = cosign(submission.note(), self.vkey.name(), &self.key, time_s);
        let line = line.map_err(io::Error::other)?;
        let mut note = submission.note().clone();
        note.add(line.clone());
        Ok(Cosigned {
            note,
            checkpoint: submission.checkpoint().clone(),
            line,
            time_s,
        })
    }
}
