//! What is being cosigned: one checkpoint at a time, so that cosignatures of different witnesses come together on one.

use crate::chain::note::NoteSignature;
use crate::chain::{Note, VerifierKey};

use super::ask::Target;

/// A checkpoint and the cosignatures that have come for it.
#[derive(Debug)]
pub(super) struct Round {
    target: Target,
    cosigned: Vec<(VerifierKey, NoteSignature)>,
    met: bool,
}

impl Round {
    pub(super) fn of(target: Target) -> Round {
        Round {
            target,
            cosigned: Vec::new(),
            met: false,
        }
    }

    /// How many entries its checkpoint covers.
    pub(super) fn size(&self) -> u64 {
        self.target.checkpoint.size
    }

    /// Whether the quorum cosigned it.
    pub(super) fn is_met(&self) -> bool {
        self.met
    }

    /// Takes a cosignature in, which was verified; where the quorum is met by it, returns the checkpoint with all of them.
    pub(super) fn add(
        &mut self,
        by: VerifierKey,
        signature: NoteSignature,
        quorum: impl Fn(&dyn Fn(&VerifierKey) -> bool) -> bool,
    ) -> Option<Note> {
        if self.met || self.cosigned.iter().any(|(known, _)| *known == by) {
            return None;
        }
        self.cosigned.push((by, signature));
        let cosigned = |key: &VerifierKey| self.cosigned.iter().any(|(by, _)| by == key);
        self.met = quorum(&cosigned);
        self.met.then(|| {
            let mut note = self.target.note.clone();
            let signatures = self.cosigned.iter().map(|(_, signature)| signature);
            signatures
                .cloned()
                .for_each(|signature| note.add(signature));
            note
        })
    }
}
