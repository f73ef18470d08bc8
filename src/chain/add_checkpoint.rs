//! The request by which a log asks a witness to cosign (C2SP tlog-witness, add-checkpoint).
//!
//! ```text
//! old <size that the witness cosigned last>
//! <base64 hash>, a line each: the proof that the tree of that size is a prefix
//!
//! <the checkpoint, a signed note>
//! ```

use std::fmt;

use super::hash::Hash;
use super::lines::{HASHES_MAX, Lines, ProofTextError};
use super::note::{NOTE_LEN_MAX, Note};
use super::text::{base64, decimal};

/// Most bytes of a request: a line of base64 for each hash, the `old` line, which is shorter, and the note.
pub const ADD_CHECKPOINT_LEN_MAX: usize = NOTE_LEN_MAX + (HASHES_MAX + 1) * 45;

/// What a log sends to a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// "the tree size of the previous checkpoint"
    pub old: u64,
    /// That the tree of `old` leaves is a prefix of the checkpoint's (RFC 6962 §2.1.2).
    pub proof: Vec<Hash>,
    /// The checkpoint, its signatures not verified.
    pub checkpoint: Note,
}

impl AddCheckpoint {
    /// Reads a request in its one spelling; nothing is verified.
    pub fn decode(bytes: &[u8]) -> Result<AddCheckpoint, ProofTextError> {
        let mut lines = Lines::of(bytes, ADD_CHECKPOINT_LEN_MAX)?;
        // "encoded as an ASCII decimal with no leading zeroes (unless the size is zero, in which case the encoding MUST be `0`)"
        let old = lines.next("`old` and a decimal number", |line| {
            line.strip_prefix("old ").and_then(decimal)
        })?;
        // "The client MUST NOT send more than 63 consistency proof lines."
        let (proof, checkpoint) = lines.hashes_and_checkpoint()?;
        Ok(AddCheckpoint {
            old,
            proof,
            checkpoint,
        })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", base64(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint.encode())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::chain::hash::leaf_hash;
    use crate::chain::tree::consistency_proof;
    use crate::chain::{Checkpoint, SigningKey};

    /// From 2 to 3, as the vectors have it.
    fn request() -> AddCheckpoint {
        let leaves = [b"alpha".as_slice(), b"beta", b"gamma"].map(leaf_hash);
        let checkpoint = Checkpoint {
            origin: "ledger.example/receivables".to_owned(),
            size: 3,
            root: leaves.into_iter().collect::<crate::chain::Tree>().root(),
        };
        let key = SigningKey::from_seed(&[1; 32]);
        AddCheckpoint {
            old: 2,
            proof: consistency_proof(leaves.as_slice(), 2, 3).unwrap(),
            checkpoint: checkpoint.sign(&[&key]).unwrap(),
        }
    }

    #[test]
    fn the_text_is_that_of_the_specification_and_reads_back() {
        let text = request().to_string();
        assert_eq!(
            text,
            "old 2\n\
             THnQ1i989cqIdBVfLTuHXyYl2iuzq8hrvWgz8lupDlE=\n\
             \n\
             ledger.example/receivables\n\
             3\n\
             OF2jDzkXKCyJOd/4UZV+UZqxhGsTUaFMCts7EWMnQqo=\n\
             \n\
             — ledger.example/receivables ZOleCA5ceYVmqxr9wEFHt7yUfu9W4anZSwzFXTSFXMFOgOLSOs9iO/yY4tP/eQxfTOS2udEGH4M/0Gtl4g2ehcEVpAI=\n"
        );
        assert_eq!(AddCheckpoint::decode(text.as_bytes()), Ok(request()));
    }

    #[rstest]
    #[case::no_old("old 2\n", "", 1)]
    #[case::another_word("old 2", "new 2", 1)]
    #[case::leading_zero("old 2", "old 02", 1)]
    #[case::two_spaces("old 2", "old  2", 1)]
    #[case::sign("old 2", "old +2", 1)]
    #[case::space_behind("old 2", "old 2 ", 1)]
    #[case::carriage_return("old 2\n", "old 2\r\n", 1)]
    #[case::above_u64("old 2", "old 18446744073709551616", 1)]
    #[case::unpadded_hash("DlE=\n", "DlE\n", 2)]
    #[case::short_hash("THnQ1i98", "", 2)]
    fn other_spellings_are_refused(#[case] from: &str, #[case] to: &str, #[case] at: usize) {
        let text = request().to_string().replacen(from, to, 1);
        let error = AddCheckpoint::decode(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, ProofTextError::Line { line, .. } if line == at),
            "{error}"
        );
    }

    #[test]
    fn every_cut_is_refused() {
        let text = request().to_string();
        for len in 0..text.len() {
            assert!(
                AddCheckpoint::decode(&text.as_bytes()[..len]).is_err(),
                "{len}"
            );
        }
    }

    #[test]
    fn the_bounds_are_those_of_the_specification() {
        let mut request = request();
        request.proof = vec![Hash::ZERO; HASHES_MAX];
        let decoded = AddCheckpoint::decode(request.to_string().as_bytes());
        assert_eq!(decoded, Ok(request.clone()));
        request.proof.push(Hash::ZERO);
        assert!(AddCheckpoint::decode(request.to_string().as_bytes()).is_err());
        let long = vec![b'a'; ADD_CHECKPOINT_LEN_MAX + 1];
        assert_eq!(
            AddCheckpoint::decode(&long),
            Err(ProofTextError::TooLong(ADD_CHECKPOINT_LEN_MAX))
        );
    }
}
