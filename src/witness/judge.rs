//! Whether a witness cosigns a checkpoint (C2SP tlog-witness, add-checkpoint): a function of a request, the keys of its log and what
//! was cosigned last. The types are the order of the checks: [`Request`], then [`Submission`], then the verdict.

use crate::chain::tree::{empty_root, verify_consistency};
use crate::chain::{AddCheckpoint, Checkpoint, Hash, Note, VerifierKey};

/// The largest tree of a log that was cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Last {
    /// "the size of the latest checkpoint it cosigned for the checkpoint's origin"
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

impl Default for Last {
    /// "or zero if it never cosigned a checkpoint for that origin"
    fn default() -> Last {
        Last {
            size: 0,
            root: empty_root(),
        }
    }
}

/// Why a checkpoint is not cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is none.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The log is not known here.
    #[error("the log is not known here")]
    UnknownOrigin,
    /// No key of the log signed, or one did not sign this.
    #[error("no trusted key of the log signed this")]
    Untrusted,
    /// Only keys signed that were known before one which signed what was cosigned last.
    #[error(
        "a later key of the log signed what was cosigned last: the earlier ones have given way"
    )]
    Replaced,
    /// The old size is beyond the checkpoint's.
    #[error("the old size is greater than the checkpoint's")]
    OldSize,
    /// Another size was cosigned last.
    #[error("the size that was cosigned last is {0}")]
    Conflict(u64),
    /// The checkpoint does not go with what was cosigned.
    #[error("{0}")]
    Inconsistent(Suspicion),
}

/// What a signed checkpoint that is not cosigned may be proof of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Suspicion {
    /// The log signed two roots of one size: nobody else can have made that.
    #[error("the log signed another root of this size: two histories")]
    Fork,
    /// The proof does not verify; whoever sent it may have made it up.
    #[error("the consistency proof does not verify")]
    Unproven,
}

impl Refusal {
    /// The status of HTTP that the specification asks for.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::Malformed(_) | Refusal::OldSize => 400,
            Refusal::Untrusted | Refusal::Replaced => 403,
            Refusal::UnknownOrigin => 404,
            Refusal::Conflict(_) => 409,
            Refusal::Inconsistent(_) => 422,
        }
    }
}

/// A request that has the form of one.
#[derive(Debug, Clone)]
pub struct Request {
    /// "the tree size of the previous checkpoint"
    pub old: u64,
    /// What the checkpoint's text says.
    pub checkpoint: Checkpoint,
    proof: Vec<Hash>,
    note: Note,
}

impl Request {
    /// Reads the body of a request.
    pub fn read(body: &[u8]) -> Result<Request, Refusal> {
        let request = AddCheckpoint::decode(body);
        let request = request.map_err(|error| Refusal::Malformed(error.to_string()))?;
        let checkpoint = Checkpoint::parse(request.checkpoint.text());
        Ok(Request {
            old: request.old,
            checkpoint: checkpoint.map_err(|error| Refusal::Malformed(error.to_string()))?,
            proof: request.proof,
            note: request.checkpoint,
        })
    }

    /// The same, signed by its log, whose keys are `trusted`: "the public key(s) it trusts for the checkpoint origin".
    pub fn signed(self, trusted: &[VerifierKey]) -> Result<Submission, Refusal> {
        // "The witness MUST respond with a "403 Forbidden" HTTP status code if either no signature from a trusted key for the origin is
        // present, or a signature line's key name and ID match a trusted key but the signature itself fails to verify"
        let signers = self.note.verified(trusted);
        let signers = signers.map_err(|_| Refusal::Untrusted)?;
        // "The old size MUST be equal to or lower than the checkpoint size. Otherwise, the witness MUST respond with a "400 Bad Request""
        if self.old > self.checkpoint.size {
            return Err(Refusal::OldSize);
        }
        // "it MUST ignore signatures from unknown keys"
        let note = self.note.signed_only_by(&signers);
        Ok(Submission(Request { note, ..self }))
    }
}

/// A request with a checkpoint that its log signed.
#[derive(Debug, Clone)]
pub struct Submission(Request);

impl Submission {
    /// What the checkpoint says.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.0.checkpoint
    }

    /// The checkpoint with the signatures of the log's trusted keys.
    pub fn note(&self) -> &Note {
        &self.0.note
    }

    /// Whether it follows `last`, so that it may be cosigned.
    pub fn judge(&self, last: &Last) -> Result<(), Refusal> {
        let Request {
            old,
            checkpoint,
            proof,
            ..
        } = &self.0;
        // "The witness MUST check that the old size matches the size of the latest checkpoint it cosigned [...]. If it doesn't match,
        // the witness MUST respond with a "409 Conflict" HTTP status code."
        if *old != last.size {
            return Err(Refusal::Conflict(last.size));
        }
        // "A checkpoint of size zero MUST have the root hash of the empty tree", and
        // "If the old size matches the checkpoint size, the witness MUST check that the root hashes are also identical. If they don't
        // match, the witness MUST respond with a "422 Unprocessable Entity""
        if self.forks(last) {
            return Err(Refusal::Inconsistent(Suspicion::Fork));
        }
        // "If the proof is not empty when the old size is zero, or if a Merkle Consistency Proof doesn't verify, the witness MUST
        // respond with a "422 Unprocessable Entity" HTTP status code."
        let (size, root) = (checkpoint.size, &checkpoint.root);
        if !verify_consistency(last.size, &last.root, size, root, proof) {
            return Err(Refusal::Inconsistent(Suspicion::Unproven));
        }
        Ok(())
    }

    /// A log that changes its key signs one checkpoint by both and later ones by the new key alone. Keys are trusted in the order in which
    /// they were added: one whose successor has signed counts no more, as whoever took it may be why it was changed.
    pub fn is_by_the_key_of(&self, before: &Note, trusted: &[VerifierKey]) -> Result<(), Refusal> {
        let newest = |note: &Note| {
            let mut keys = trusted.iter();
            keys.rposition(|key| note.verified(std::slice::from_ref(key)).is_ok())
        };
        if newest(self.note()) < newest(before) {
            return Err(Refusal::Replaced);
        }
        Ok(())
    }

    /// What a refusal says about the log. A fork is one whatever old size came with it.
    pub fn suspicion(&self, last: &Last, refusal: &Refusal) -> Option<Suspicion> {
        match refusal {
            Refusal::Inconsistent(suspicion) => Some(*suspicion),
            _ => self.forks(last).then_some(Suspicion::Fork),
        }
    }

    /// Whether the log signed another root of a size that is known: the last one's, or none, of which there is but one tree.
    fn forks(&self, last: &Last) -> bool {
        let Checkpoint { size, root, .. } = &self.0.checkpoint;
        let known = [*last, Last::default()];
        known
            .iter()
            .any(|known| known.size == *size && known.root != *root)
    }
}

/// When a cosignature is said to be made at `now_s`, seconds since 1970: never before the one before, whatever the clock says, and
/// "the timestamp MUST NOT be zero".
pub fn cosigned_at(now_s: u64, before_s: u64) -> u64 {
    now_s.max(before_s).max(1)
}

#[cfg(test)]
mod tests;
