//! Trees, tiles and notes of Counterfoil against `tlog_tiles` and `signed_note`, which follow Go's sumdb: whatever one makes
//! the other makes too, and what one refuses the other refuses.
#![cfg(test)]

mod notes;
mod tiles;
mod trees;

use std::sync::LazyLock;

use counterfoil::chain::hash::leaf_hash;
use counterfoil::chain::levels::TileNodes;
use counterfoil::chain::tiles::TILE_WIDTH;
use counterfoil::chain::tree::{Node, Nodes, ProofError};
use counterfoil::chain::{Hash, Levels};
use tlog_tiles::{HashReader, stored_hashes};

/// Leaves of the largest tree.
const LEAVES: u64 = 1 << 17;

/// Leaf `n` of every tree.
fn leaf(n: u64) -> [u8; 8] {
    n.to_be_bytes()
}

/// The tree over [`LEAVES`] leaves as Counterfoil keeps it. Those below it have the same hashes.
static OURS: LazyLock<Ours> = LazyLock::new(|| {
    let mut ours = Ours::default();
    for n in 0..LEAVES {
        let full = ours.levels.append(leaf_hash(&leaf(n)));
        ours.full.extend(full);
    }
    ours
});

#[derive(Default)]
struct Ours {
    levels: Levels,
    full: Vec<TileNodes>,
}

impl Nodes for Ours {
    type Error = ProofError;

    fn hash(&self, node: Node) -> Result<Hash, ProofError> {
        let Node { level, index } = node;
        let below = || {
            let width = TILE_WIDTH
                .checked_shr(level.into())
                .filter(|width| *width > 0)?;
            let tile = self.full.get((index / width) as usize)?;
            let index = index % width;
            tile.get(Node { level, index })
        };
        self.levels.get(node).or_else(below).ok_or(ProofError)
    }
}

/// The same as `tlog_tiles` keeps it.
static THEIRS: LazyLock<Theirs> = LazyLock::new(|| {
    let mut theirs = Theirs(Vec::new());
    for n in 0..LEAVES {
        let hashes = stored_hashes(n, &leaf(n), &theirs).unwrap();
        theirs.0.extend(hashes);
    }
    theirs
});

struct Theirs(Vec<tlog_tiles::Hash>);

impl HashReader for Theirs {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let hashes = indexes.iter().map(|index| self.0[*index as usize]);
        Ok(hashes.collect())
    }
}

fn theirs(hash: &Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

fn all_theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(theirs).collect()
}
