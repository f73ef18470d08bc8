//! Roots and proofs.

use counterfoil::chain::hash::leaf_hash;
use counterfoil::chain::tree::{
    Nodes as _, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};
use counterfoil::chain::{Hash, Tree};
use proptest::prelude::*;
use tlog_tiles::{check_record, check_tree, prove_record, prove_tree, tree_hash};

use super::{LEAVES, OURS, THEIRS, all_theirs, leaf, theirs};

fn root(size: u64) -> Hash {
    match size {
        0 => Tree::new().root(),
        size => OURS.range(0, size).unwrap(),
    }
}

/// What is done to a proof before both look at it.
#[derive(Debug, Clone)]
enum Change {
    None,
    Flip(usize, usize),
    Drop(usize),
    Twice(usize),
    OtherIndex(u64),
    OtherSize(u64),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::None),
        (0..17_usize, 0..256_usize).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (0..17_usize).prop_map(Change::Drop),
        (0..17_usize).prop_map(Change::Twice),
        (0..LEAVES).prop_map(Change::OtherIndex),
        (1..=LEAVES).prop_map(Change::OtherSize),
    ]
}

/// Changes the proof, or one of the numbers that it is checked with.
fn apply(change: &Change, proof: &mut Vec<Hash>, index: &mut u64, size: &mut u64) {
    let len = proof.len().max(1);
    match *change {
        Change::None => {}
        Change::Flip(at, bit) => {
            if let Some(hash) = proof.get_mut(at % len) {
                let mut bytes = *hash.as_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                *hash = Hash::new(bytes);
            }
        }
        Change::Drop(at) if !proof.is_empty() => {
            proof.remove(at % len);
        }
        Change::Twice(at) if !proof.is_empty() => proof.insert(at % len, proof[at % len]),
        Change::Drop(_) | Change::Twice(_) => {}
        Change::OtherIndex(other) => *index = other,
        Change::OtherSize(other) => *size = other,
    }
}

#[test]
fn small_roots_are_the_same_one_by_one() {
    let mut tree = Tree::new();
    for size in 0..3_000 {
        assert_eq!(theirs(&tree.root()), tree_hash(size, &*THEIRS).unwrap());
        assert_eq!(tree.root(), root(size));
        tree.append(leaf_hash(&leaf(size)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn roots_are_the_same(size in 0..=LEAVES) {
        prop_assert_eq!(theirs(&root(size)), tree_hash(size, &*THEIRS).unwrap());
    }

    #[test]
    fn inclusion_proofs_are_the_same_and_judged_alike(size in 1..=LEAVES, index: u64, change in change()) {
        let index = index % size;
        let mut proof = inclusion_proof(&*OURS, index, size).unwrap();
        prop_assert_eq!(&all_theirs(&proof), &prove_record(size, index, &*THEIRS).unwrap());
        let (root, leaf) = (root(size), leaf_hash(&leaf(index)));
        let (mut index, mut size) = (index, size);
        apply(&change, &mut proof, &mut index, &mut size);
        let ours = verify_inclusion(&leaf, index, size, &proof, &root);
        let record = check_record(&all_theirs(&proof), size, theirs(&root), index, theirs(&leaf));
        prop_assert_eq!(ours, record.is_ok());
        if matches!(change, Change::None) {
            prop_assert!(ours);
        }
    }

    #[test]
    fn consistency_proofs_are_the_same_and_judged_alike(new in 1..=LEAVES, old: u64, change in change()) {
        let old = 1 + old % new;
        let mut proof = consistency_proof(&*OURS, old, new).unwrap();
        prop_assert_eq!(&all_theirs(&proof), &prove_tree(new, old, &*THEIRS).unwrap());
        let roots = (root(old), root(new));
        let (mut old, mut new) = (old, new);
        apply(&change, &mut proof, &mut old, &mut new);
        // Of the empty tree they know no proof.
        prop_assume!(old > 0);
        let ours = verify_consistency(old, &roots.0, new, &roots.1, &proof);
        let tree = check_tree(&all_theirs(&proof), new, theirs(&roots.1), old, theirs(&roots.0));
        prop_assert_eq!(ours, tree.is_ok());
        if matches!(change, Change::None) {
            prop_assert!(ours);
        }
    }
}
