//! The Merkle tree, as RFC 6962 §2.1 defines it.

use super::plain::{Sha256Hash, node, sha256};

/// The root over these leaf hashes.
pub(super) fn root(leaves: &[Sha256Hash]) -> Sha256Hash {
    match leaves {
        [] => sha256(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node(&root(left), &root(right))
        }
    }
}
