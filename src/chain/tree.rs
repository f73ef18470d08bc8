//! The Merkle tree over leaf hashes: RFC 6962 §2.1, proofs checked as RFC 9162 §2.1.3 and §2.1.4 say.

use super::hash::{Hash, node_hash, sha256};

/// Root of the tree without entries: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    sha256(b"")
}

/// A growing tree that keeps only what its next root needs: one hash for each perfect subtree, at most 64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// Roots of the perfect subtrees, left to right: one for each bit set in `size`, largest first.
    frontier: Vec<Hash>,
}

impl Tree {
    /// The tree without entries.
    pub fn new() -> Tree {
        Tree::default()
    }

    /// Adds the next entry's leaf hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each trailing one bit of the size is a perfect subtree that the new leaf completes into one twice as large.
        for _ in 0..self.size.trailing_ones() {
            let left = self
                .frontier
                .pop()
                .expect("the frontier has a hash for each bit of the size");
            node = node_hash(&left, &node);
        }
        self.frontier.push(node);
        self.size += 1;
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over all entries.
    pub fn root(&self) -> Hash {
        let mut subtrees = self.frontier.iter().rev().copied();
        let Some(last) = subtrees.next() else {
            return empty_root();
        };
        subtrees.fold(last, |right, left| node_hash(&left, &right))
    }
}

impl FromIterator<Hash> for Tree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Tree {
        let mut tree = Tree::new();
        leaves.into_iter().for_each(|leaf| tree.append(leaf));
        tree
    }
}

/// A perfect subtree: the leaves from `index << level` on, `1 << level` of them. Level 0 is the leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// How many levels above the leaves.
    pub level: u8,
    /// Which of its level, from 0.
    pub index: u64,
}

/// Where the hashes of perfect subtrees come from: leaf hashes in memory, tiles on disk.
pub trait Nodes {
    /// Why a hash could not be had.
    type Error;

    /// The root of a perfect subtree. Asked only for those within the size that a proof is built for.
    fn hash(&self, node: Node) -> Result<Hash, Self::Error>;

    /// The root over the leaves `from..to`, as a proof would have it: `from` is a multiple of the power of two ≥ `to - from`.
    fn range(&self, from: u64, to: u64) -> Result<Hash, Self::Error> {
        let len = to - from;
        if len.is_power_of_two() {
            let level = len.trailing_zeros();
            return self.hash(Node {
                level: level as u8,
                index: from >> level,
            });
        }
        let middle = from + split(len);
        Ok(node_hash(
            &self.range(from, middle)?,
            &self.range(middle, to)?,
        ))
    }
}

/// Leaf hashes in memory; every node is computed anew.
impl Nodes for [Hash] {
    type Error = ProofError;

    fn hash(&self, node: Node) -> Result<Hash, ProofError> {
        if node.level == 0 {
            let index = usize::try_from(node.index).map_err(|_| ProofError)?;
            return self.get(index).copied().ok_or(ProofError);
        }
        let (level, left) = (node.level - 1, node.index * 2);
        Ok(node_hash(
            &self.hash(Node { level, index: left })?,
            &self.hash(Node {
                level,
                index: left + 1,
            })?,
        ))
    }
}

/// A proof was asked for beyond the end of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such proof: the sizes or the index lie beyond the tree")]
pub struct ProofError;

/// "k is the largest power of two smaller than n" (RFC 6962 §2.1), for n ≥ 2.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// Proof that the leaf at `index` is in the tree of `size` leaves: the siblings from leaf to root, RFC 6962 §2.1.1.
pub fn inclusion_proof<N>(nodes: &N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error>
where
    N: Nodes + ?Sized,
    N::Error: From<ProofError>,
{
    if index >= size {
        return Err(ProofError.into());
    }
    let mut proof = Vec::new();
    let (mut from, mut to) = (0, size);
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(nodes.range(middle, to)?);
            to = middle;
        } else {
            proof.push(nodes.range(from, middle)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Proof that the tree of `old` leaves is a prefix of that of `new`, RFC 6962 §2.1.2; empty when `old` is 0 or `new`.
pub fn consistency_proof<N>(nodes: &N, old: u64, new: u64) -> Result<Vec<Hash>, N::Error>
where
    N: Nodes + ?Sized,
    N::Error: From<ProofError>,
{
    if old > new {
        return Err(ProofError.into());
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let mut proof = Vec::new();
    let (mut from, mut to) = (0, new);
    while to != old {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(nodes.range(middle, to)?);
            to = middle;
        } else {
            proof.push(nodes.range(from, middle)?);
            from = middle;
        }
    }
    // A subtree that is the whole old tree needs no hash: the verifier has it as the old root.
    if from != 0 {
        proof.push(nodes.range(from, to)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that `leaf` is at `index` of the tree with this `size` and `root` (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    // "Compare leaf_index from the inclusion_proof_v2 structure against tree_size. If leaf_index is greater than or equal to
    // tree_size, then fail the proof verification."
    if index >= size {
        return false;
    }
    let (mut fnode, mut snode, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        // "If sn is 0, then stop the iteration and fail the proof verification."
        if snode == 0 {
            return false;
        }
        // "If LSB(fn) is set, or if fn is equal to sn": the sibling is on the left.
        if fnode & 1 == 1 || fnode == snode {
            hash = node_hash(sibling, &hash);
            // "If LSB(fn) is not set, then right-shift both fn and sn equally until either LSB(fn) is set or fn is 0."
            while fnode & 1 == 0 && fnode != 0 {
                (fnode, snode) = (fnode >> 1, snode >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (fnode, snode) = (fnode >> 1, snode >> 1);
    }
    // "Compare sn to 0. Compare r against the root_hash. If sn is equal to 0 and r and the root_hash are equal" it holds.
    snode == 0 && hash == *root
}

/// Whether `proof` shows that the tree with `old` leaves and `old_root` is a prefix of that with `new` leaves and `new_root`
/// (RFC 9162 §2.1.4.2). Every tree begins with the empty one, for which the proof is empty.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> bool {
    if old > new {
        return false;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    // "If first is an exact power of 2, then prepend first_hash to the consistency_path array."
    let implied = old.is_power_of_two().then_some(*old_root);
    let mut path = implied.into_iter().chain(proof.iter().copied());
    let Some(first) = path.next() else {
        return false;
    };
    // "Set fn to first - 1 and sn to second - 1. If LSB(fn) is set, then right-shift both equally until LSB(fn) is not set."
    let shift = (old - 1).trailing_ones();
    let (mut fnode, mut snode) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in path {
        if snode == 0 {
            return false;
        }
        if fnode & 1 == 1 || fnode == snode {
            old_hash = node_hash(&sibling, &old_hash);
            new_hash = node_hash(&sibling, &new_hash);
            while fnode & 1 == 0 && fnode != 0 {
                (fnode, snode) = (fnode >> 1, snode >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, &sibling);
        }
        (fnode, snode) = (fnode >> 1, snode >> 1);
    }
    snode == 0 && old_hash == *old_root && new_hash == *new_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::hash::leaf_hash;
    use proptest::prelude::*;

    fn leaves(n: u64) -> Vec<Hash> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    fn root(leaves: &[Hash]) -> Hash {
        leaves.iter().copied().collect::<Tree>().root()
    }

    /// MTH of RFC 6962 §2.1 word for word.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(b""),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&mth(left), &mth(right))
            }
        }
    }

    #[test]
    fn frontier_gives_the_root_of_rfc_6962() {
        let all = leaves(70);
        for n in 0..all.len() {
            assert_eq!(root(&all[..n]), mth(&all[..n]));
        }
    }

    #[test]
    fn vector_of_three_entries() {
        let all = [leaf_hash(b"alpha"), leaf_hash(b"beta"), leaf_hash(b"gamma")];
        assert_eq!(
            all[1].to_string(),
            "e23537b050e84af2cbaab46f2f83d8d3b5febc8e5ac6200d306284f687d46924"
        );
        assert_eq!(
            all[2].to_string(),
            "4c79d0d62f7cf5ca8874155f2d3b875f2625da2bb3abc86bbd6833f25ba90e51"
        );
        assert_eq!(inclusion_proof(&all[..], 1, 3), Ok(vec![all[0], all[2]]));
        assert_eq!(consistency_proof(&all[..], 2, 3), Ok(vec![all[2]]));
    }

    #[test]
    fn every_proof_verifies_and_only_for_its_place() {
        let all = leaves(33);
        for size in 0..=all.len() as u64 {
            let tree = &all[..size as usize];
            let root_new = root(tree);
            for index in 0..size {
                let proof = inclusion_proof(tree, index, size).unwrap();
                for other in 0..=size {
                    let leaf = &all[index as usize];
                    assert_eq!(
                        verify_inclusion(leaf, other, size, &proof, &root_new),
                        other == index
                    );
                }
            }
            for old in 0..=size {
                let root_old = root(&all[..old as usize]);
                let proof = consistency_proof(tree, old, size).unwrap();
                assert!(verify_consistency(old, &root_old, size, &root_new, &proof));
                let mut longer = proof.clone();
                longer.push(root_new);
                assert!(!verify_consistency(
                    old, &root_old, size, &root_new, &longer
                ));
                let shorter = &proof[..proof.len().saturating_sub(1)];
                assert_eq!(
                    verify_consistency(old, &root_old, size, &root_new, shorter),
                    proof.is_empty()
                );
            }
        }
    }

    #[test]
    fn proof_beyond_the_tree_is_an_error() {
        let all = leaves(3);
        assert_eq!(inclusion_proof(&all[..], 3, 3), Err(ProofError));
        assert_eq!(inclusion_proof(&all[..], 0, 0), Err(ProofError));
        assert_eq!(inclusion_proof(&all[..], 0, 4), Err(ProofError));
        assert_eq!(consistency_proof(&all[..], 2, 1), Err(ProofError));
        assert_eq!(consistency_proof(&all[..], 2, 9), Err(ProofError));
    }

    proptest! {
        #[test]
        fn changed_proof_fails(size in 2u64..200, index in any::<u64>(), at in any::<usize>(), bit in 0usize..256) {
            let all = leaves(size);
            let index = index % size;
            let mut proof = inclusion_proof(&all[..], index, size).unwrap();
            let at = at % proof.len();
            let mut bytes = *proof[at].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            proof[at] = Hash::new(bytes);
            prop_assert!(!verify_inclusion(&all[index as usize], index, size, &proof, &root(&all)));
        }

        #[test]
        fn any_numbers_are_checked_without_panic(a: u64, b: u64, proof in proptest::collection::vec(any::<[u8; 32]>(), 0..70)) {
            let proof: Vec<Hash> = proof.into_iter().map(Hash::new).collect();
            verify_inclusion(&Hash::ZERO, a, b, &proof, &Hash::ZERO);
            verify_consistency(a, &Hash::ZERO, b, &Hash::ZERO, &proof);
        }
    }
}
