//! Proofs that travel (C2SP tlog-proof): that a leaf is in the tree of a checkpoint, with that checkpoint.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index <n>
//! <base64 hash>, a line each, from the leaf's sibling up
//!
//! <the checkpoint, a signed note>
//! ```

use std::fmt;

use super::hash::Hash;
use super::lines::{Lines, ProofTextError};
use super::note::{NOTE_LEN_MAX, Note};
use super::text::{base64, decimal, unbase64};
use super::tree::verify_inclusion;

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Most bytes of a proof, its checkpoint included.
pub const PROOF_LEN_MAX: usize = NOTE_LEN_MAX + 8 * 1024;

/// That the leaf at `index` is in the tree whose checkpoint this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// "Applications MUST NOT implicitly trust the extra data, as it is not authenticated."
    pub extra: Option<Vec<u8>>,
    /// Which leaf, from 0.
    pub index: u64,
    /// The siblings from leaf to root (RFC 6962 §2.1.1).
    pub hashes: Vec<Hash>,
    /// The checkpoint, its signatures not verified.
    pub checkpoint: Note,
}

impl TlogProof {
    /// Reads a proof in its one spelling; nothing is verified.
    pub fn decode(bytes: &[u8]) -> Result<TlogProof, ProofTextError> {
        let mut lines = Lines::of(bytes, PROOF_LEN_MAX)?;
        lines.next("the line `c2sp.org/tlog-proof@v1`", |line| {
            (line == HEADER).then_some(())
        })?;
        // "The second line MAY start with the string `extra` followed by a space"
        let extra = lines.begins("extra ").then(|| {
            lines.next("`extra` and base64", |line| {
                line.strip_prefix("extra ").and_then(unbase64)
            })
        });
        let extra = extra.transpose()?;
        let index = lines.next("`index` and a decimal number", |line| {
            line.strip_prefix("index ").and_then(decimal)
        })?;
        // "After the inclusion proof lines and an empty line, the checkpoint issued by the log is included verbatim"
        let (hashes, checkpoint) = lines.hashes_and_checkpoint()?;
        Ok(TlogProof {
            extra,
            index,
            hashes,
            checkpoint,
        })
    }

    /// Whether it proves that `leaf` is at its index in the tree of this size and root.
    pub fn proves(&self, leaf: &Hash, size: u64, root: &Hash) -> bool {
        verify_inclusion(leaf, self.index, size, &self.hashes, root)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extra = self.extra.as_deref();
        f.write_str(&encode(
            extra,
            self.index,
            &self.hashes,
            &self.checkpoint.encode(),
        ))
    }
}

/// The text of a proof under a checkpoint that was written out.
pub fn encode(extra: Option<&[u8]>, index: u64, hashes: &[Hash], checkpoint: &str) -> String {
    let mut text = String::with_capacity(128 + 45 * hashes.len() + checkpoint.len());
    text.push_str(HEADER);
    if let Some(extra) = extra {
        text.push_str("\nextra ");
        text.push_str(&base64(extra));
    }
    text.push_str("\nindex ");
    text.push_str(&index.to_string());
    for hash in hashes {
        text.push('\n');
        text.push_str(&base64(hash.as_bytes()));
    }
    text.push_str("\n\n");
    text.push_str(checkpoint);
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::chain::hash::leaf_hash;
    use crate::chain::lines::HASHES_MAX;
    use crate::chain::tree::inclusion_proof;
    use crate::chain::{Checkpoint, SigningKey, Tree};

    fn proof(extra: Option<&[u8]>) -> (Vec<Hash>, Tree, TlogProof) {
        let leaves: Vec<Hash> = [b"alpha".as_slice(), b"beta", b"gamma"]
            .into_iter()
            .map(leaf_hash)
            .collect();
        let tree: Tree = leaves.iter().copied().collect();
        let checkpoint = Checkpoint {
            origin: "ledger.example/receivables".to_owned(),
            size: 3,
            root: tree.root(),
        };
        let checkpoint = checkpoint
            .sign(&[&SigningKey::from_seed(&[1; 32])])
            .unwrap();
        let hashes = inclusion_proof(leaves.as_slice(), 1, 3).unwrap();
        let extra = extra.map(<[u8]>::to_vec);
        let proof = TlogProof {
            extra,
            index: 1,
            hashes,
            checkpoint,
        };
        (leaves, tree, proof)
    }

    #[rstest]
    #[case::plain(None)]
    #[case::with_extra(Some(b"\x00x".as_slice()))]
    #[case::empty_extra(Some(b"".as_slice()))]
    fn what_is_written_reads_back_and_proves(#[case] extra: Option<&[u8]>) {
        let (leaves, tree, proof) = proof(extra);
        let read = TlogProof::decode(proof.to_string().as_bytes()).unwrap();
        assert_eq!(read, proof);
        assert!(read.proves(&leaves[1], 3, &tree.root()));
        assert!(!read.proves(&leaves[0], 3, &tree.root()));
        // Among four entries the same hashes would lead there too: the size is the checkpoint's word.
        assert!(!read.proves(&leaves[1], 5, &tree.root()));
    }

    #[test]
    fn the_text_is_that_of_the_specification() {
        let (leaves, _, proof) = proof(None);
        let hashes = [leaves[0], leaves[2]].map(|leaf| base64(leaf.as_bytes()));
        let head = format!(
            "c2sp.org/tlog-proof@v1\nindex 1\n{}\n{}\n\n",
            hashes[0], hashes[1]
        );
        assert_eq!(proof.to_string(), head + &proof.checkpoint.encode());
    }

    #[rstest]
    #[case::other_header("@v1", "@v2", 1)]
    #[case::no_index("index 1\n", "", 2)]
    #[case::leading_zero("index 1", "index 01", 2)]
    #[case::sign("index 1", "index +1", 2)]
    #[case::extra_after_index("index 1\n", "index 1\nextra AA==\n", 3)]
    #[case::extra_unpadded("index 1\n", "extra AA\nindex 1\n", 2)]
    #[case::carriage_return("index 1\n", "index 1\r\n", 2)]
    fn other_spellings_are_refused(#[case] from: &str, #[case] to: &str, #[case] line: usize) {
        let (.., proof) = proof(None);
        let text = proof.to_string().replacen(from, to, 1);
        let error = TlogProof::decode(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, ProofTextError::Line { line: l, .. } if l == line),
            "{error}"
        );
    }

    #[test]
    fn every_cut_is_refused() {
        let text = proof(Some(b"extra")).2.to_string();
        for len in 0..text.len() {
            assert!(TlogProof::decode(&text.as_bytes()[..len]).is_err(), "{len}");
        }
        assert!(TlogProof::decode(&[0xff]).is_err());
        assert!(TlogProof::decode(&vec![b'a'; PROOF_LEN_MAX + 1]).is_err());
    }

    #[test]
    fn more_hashes_than_a_tree_has_levels_are_refused() {
        let mut proof = proof(None).2;
        proof.hashes = vec![Hash::ZERO; HASHES_MAX];
        assert!(TlogProof::decode(proof.to_string().as_bytes()).is_ok());
        proof.hashes.push(Hash::ZERO);
        assert!(TlogProof::decode(proof.to_string().as_bytes()).is_err());
    }
}
