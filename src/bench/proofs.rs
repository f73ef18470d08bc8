//! What it takes that nobody has to trust the operator: the tree kept in step with the entries, and the length of a receipt.

use std::time::Instant;

use crate::chain::cosignature::cosign;
use crate::chain::hash::leaf_hash;
use crate::chain::tree::inclusion_proof;
use crate::chain::{Checkpoint, Hash, Levels, SigningKey, Tree, tlog_proof};

use super::report::{Aim, Figure};
use super::{BenchError, Result};

/// Entries that have one checkpoint, at the least, while writing flat out.
const OF_A_CHECKPOINT: usize = 16;
/// The witnesses of the receipt.
const WITNESSES: u8 = 2;

/// The hashes that follow the entries, as the thread that commits has them follow: what share they take of the cores, where the
/// pipeline enters so many operations a second.
pub(super) fn tree_in_step(count: usize, per_second: f64, cores: usize) -> Figure {
    let leaves = leaves(count);
    let start = Instant::now();
    let (mut tree, mut levels) = (Tree::new(), Levels::new());
    for batch in leaves.chunks(OF_A_CHECKPOINT) {
        for leaf in batch {
            tree.append(*leaf);
            std::hint::black_box(levels.append(*leaf));
        }
        std::hint::black_box(tree.root());
    }
    let each = start.elapsed().as_secs_f64() / count as f64;
    let share = each * per_second / cores as f64;
    Figure::value("tree_in_step", count, 1.0 / each, "entries/s")
        .over(share)
        .aims(&[Aim::RatioAtMost(0.05)])
}

/// The proof of a witnessed receipt in a ledger of `count` entries: what it takes beside the entry's line.
pub(super) fn receipt(count: usize) -> Result<Figure> {
    let failed = |error: &dyn std::fmt::Display| BenchError::of("a receipt", error);
    let leaves = leaves(count);
    let mut tree = Tree::new();
    leaves.iter().for_each(|leaf| tree.append(*leaf));
    let origin = "ledger.example/receivables/0123456789abcdef";
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: tree.size(),
        root: tree.root(),
    };
    let key = |seed| SigningKey::from_seed(&[seed; 32]);
    let signed = checkpoint.sign(&[&key(0)]);
    let mut note = signed.map_err(|error| failed(&error))?;
    for witness in 1..=WITNESSES {
        let name = format!("witness-{witness}.example/counterfoil");
        let line = cosign(&note, &name, &key(witness), 1_800_000_000);
        note.add(line.map_err(|error| failed(&error))?);
    }
    let hashes = inclusion_proof(&leaves[..], 0, tree.size()).map_err(|error| failed(&error))?;
    let proof = tlog_proof::encode(None, 0, &hashes, &note.encode());
    let figure = Figure::value("receipt", count, proof.len() as f64, "bytes");
    Ok(figure.aims(&[Aim::ValueAtMost(4_096.0)]))
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}
