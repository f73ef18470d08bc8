//! What a monitor remembers between two rounds, and between two of its lives.

use crate::chain::policy::{PolicyRefusal, Witnessed};
use crate::chain::{Checkpoint, Note, Policy};

/// The newest checkpoints that it believed, as they were signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Of all.
    pub(super) newest: Signed,
    /// Of those that a quorum cosigned: who serves an older one takes it back, and no later entry was there when it was cosigned.
    pub(super) believed: Option<Believed>,
}

/// A checkpoint that the ledger signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    note: Note,
    pub(super) checkpoint: Checkpoint,
}

/// A checkpoint that a quorum cosigned, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Believed {
    note: Note,
    pub(super) witnessed: Witnessed,
}

impl Seen {
    /// What was kept by an earlier monitor, or by anybody who has a checkpoint of that ledger: the newest first, behind it the one that
    /// was cosigned.
    pub fn decode(bytes: &[u8], policy: &Policy) -> Result<Seen, String> {
        let notes = Note::decode_all(bytes).map_err(|error| error.to_string())?;
        let (newest, believed) = match notes.as_slice() {
            [newest] => (newest, None),
            [newest, believed] => (newest, Some(believed)),
            _ => return Err(format!("it holds {} checkpoints, not 1 or 2", notes.len())),
        };
        // A policy that has changed meanwhile may ask for other witnesses: what it does not believe says nothing.
        let believed = believed.and_then(|note| Believed::of(note.clone(), policy).ok());
        let newest = Signed::of(newest.clone(), policy).map_err(|error| error.to_string())?;
        Ok(Seen { newest, believed })
    }

    /// The same, to be kept.
    pub fn encode(&self) -> String {
        let believed = self.believed.as_ref();
        let believed = believed.map_or_else(String::new, |believed| believed.note.encode());
        self.newest.note.encode() + &believed
    }
}

impl Signed {
    pub(super) fn of(note: Note, policy: &Policy) -> Result<Signed, PolicyRefusal> {
        let checkpoint = policy.checkpoint(&note)?;
        policy.log_of(&note, &checkpoint.origin)?;
        Ok(Signed { note, checkpoint })
    }
}

impl Believed {
    pub(super) fn of(note: Note, policy: &Policy) -> Result<Believed, PolicyRefusal> {
        let witnessed = policy.check(&note)?;
        Ok(Believed { note, witnessed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::note::KeyKind;
    use crate::chain::{Hash, SigningKey, VerifierKey, cosignature::cosign};

    const LOG: &str = "ledger.example/r";
    const WITNESS: &str = "witness.example/w";

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    /// A policy that asks for the witness of a seed.
    fn policy(witness: u8) -> Policy {
        let log = VerifierKey::of(LOG, KeyKind::Ed25519, &key(1)).unwrap();
        let witness = VerifierKey::of(WITNESS, KeyKind::CosignatureV1, &key(witness)).unwrap();
        let policy = format!("log {log}\nwitness w {witness}\nquorum w\n");
        Policy::parse(policy.as_bytes()).unwrap()
    }

    fn note(size: u64) -> Note {
        let checkpoint = Checkpoint {
            origin: LOG.to_owned(),
            size,
            root: Hash::new([7; 32]),
        };
        checkpoint.sign(&[&key(1)]).unwrap()
    }

    fn cosigned(size: u64) -> Note {
        let mut note = note(size);
        note.add(cosign(&note, WITNESS, &key(2), 1_800_000_000).unwrap());
        note
    }

    #[test]
    fn what_was_seen_is_read_as_it_was_kept() {
        let alone = note(9).encode();
        let both = alone.clone() + &cosigned(8).encode();
        for (kept, believed) in [(alone, None), (both, Some(8))] {
            let seen = Seen::decode(kept.as_bytes(), &policy(2)).unwrap();
            assert_eq!(seen.newest.checkpoint.size, 9);
            let found = seen.believed.as_ref();
            let found = found.map(|believed| believed.witnessed.checkpoint.size);
            assert_eq!(found, believed);
            assert_eq!(seen.encode(), kept);
        }
    }

    #[test]
    fn what_another_policy_does_not_believe_is_not_gone_by() {
        let kept = note(9).encode() + &cosigned(8).encode();
        let seen = Seen::decode(kept.as_bytes(), &policy(3)).unwrap();
        assert_eq!((seen.newest.checkpoint.size, seen.believed), (9, None));
    }

    #[test]
    fn what_is_none_is_refused() {
        let one = note(9).encode();
        for kept in ["", "x", &one.repeat(3), &one.replacen("9", "8", 1)] {
            assert!(Seen::decode(kept.as_bytes(), &policy(2)).is_err(), "{kept}");
        }
    }
}
