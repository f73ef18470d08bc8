//! The hashes of a growing tree that cannot be had from a few of its leaves: those of level 8 and above, a quarter of a byte a
//! leaf. What lies below in a full tile follows from its 256 leaves.

use super::hash::{Hash, node_hash};
use super::tiles::TILE_WIDTH;
use super::tree::Node;

/// The lowest level that is kept of full tiles: that of their roots.
const KEPT_FROM: u8 = TILE_WIDTH.trailing_zeros() as u8;

/// A growing tree's hashes from level 8 on, and those of its last tile, while that is not full.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    open: TileNodes,
    /// The hashes of level 8, 9 and so on, each in order.
    kept: Vec<Vec<Hash>>,
}

/// The hashes of levels 0 to 7 over the leaves of one tile.
#[derive(Debug, Clone, Default)]
pub struct TileNodes {
    levels: [Vec<Hash>; KEPT_FROM as usize],
}

impl Levels {
    /// Of no leaf.
    pub fn new() -> Levels {
        Levels::default()
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.full_tiles() * TILE_WIDTH + self.open.levels[0].len() as u64
    }

    /// Number of tiles of level 0 that are full.
    pub fn full_tiles(&self) -> u64 {
        self.kept.first().map_or(0, |roots| roots.len() as u64)
    }

    /// Adds a leaf; where it fills a tile, returns that tile's hashes, which are not kept.
    pub fn append(&mut self, leaf: Hash) -> Option<TileNodes> {
        let mut hash = self.open.append(leaf)?;
        for level in 0.. {
            if self.kept.len() == level {
                self.kept.push(Vec::new());
            }
            match push(&mut self.kept[level], hash) {
                Some(above) => hash = above,
                None => break,
            }
        }
        Some(std::mem::take(&mut self.open))
    }

    /// The hash of a node; `None` where the tree has none yet, or where it follows from the leaves of a full tile.
    pub fn get(&self, node: Node) -> Option<Hash> {
        if let Some(level) = node.level.checked_sub(KEPT_FROM) {
            let of_level = self.kept.get(usize::from(level))?;
            return of_level.get(usize::try_from(node.index).ok()?).copied();
        }
        let before = self.full_tiles() << (KEPT_FROM - node.level);
        let index = node.index.checked_sub(before)?;
        self.open.get(Node { index, ..node })
    }
}

impl TileNodes {
    /// Of a full tile's leaves, with their root; `None` where they are not as many.
    pub fn of_full(leaves: &[Hash]) -> Option<(TileNodes, Hash)> {
        let mut nodes = TileNodes::default();
        let (last, others) = leaves.split_last()?;
        if leaves.len() as u64 != TILE_WIDTH {
            return None;
        }
        others.iter().for_each(|leaf| {
            nodes.append(*leaf);
        });
        let root = nodes.append(*last)?;
        Some((nodes, root))
    }

    /// Adds a leaf; where it fills the tile, returns its root.
    fn append(&mut self, leaf: Hash) -> Option<Hash> {
        let mut hash = leaf;
        for of_level in &mut self.levels {
            hash = push(of_level, hash)?;
        }
        Some(hash)
    }

    /// The hash of a node, its index counted from the tile's beginning.
    pub fn get(&self, node: Node) -> Option<Hash> {
        let of_level = self.levels.get(usize::from(node.level))?;
        of_level.get(usize::try_from(node.index).ok()?).copied()
    }
}

/// Adds a hash to its level; where it completes a pair, returns the hash above.
fn push(of_level: &mut Vec<Hash>, hash: Hash) -> Option<Hash> {
    of_level.push(hash);
    match of_level.as_slice() {
        [.., left, right] if of_level.len().is_multiple_of(2) => Some(node_hash(left, right)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::hash::leaf_hash;
    use crate::chain::tree::Nodes;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    #[test]
    fn every_node_is_that_of_the_leaves_or_below_a_full_tile() {
        let all = leaves(3 * TILE_WIDTH + 77);
        let (mut levels, mut full) = (Levels::new(), Vec::new());
        for (i, leaf) in all.iter().enumerate() {
            full.extend(levels.append(*leaf));
            assert_eq!(levels.size(), i as u64 + 1);
        }
        assert_eq!(full.len() as u64, levels.full_tiles());
        for level in 0..12 {
            for index in 0..=all.len() as u64 >> level {
                let node = Node { level, index };
                let expected = all.hash(node).ok();
                let tile = (index << level) / TILE_WIDTH;
                let found = match full.get(tile as usize) {
                    Some(tile) if level < KEPT_FROM => {
                        assert_eq!(levels.get(node), None);
                        let index = index % (TILE_WIDTH >> level);
                        tile.get(Node { level, index })
                    }
                    _ => levels.get(node),
                };
                assert_eq!(found, expected, "{node:?}");
            }
        }
    }

    #[test]
    fn a_node_beyond_every_level_is_none() {
        let mut levels = Levels::new();
        assert!(
            leaves(5)
                .into_iter()
                .all(|leaf| levels.append(leaf).is_none())
        );
        for level in [3, 8, 63, u8::MAX] {
            assert_eq!(levels.get(Node { level, index: 0 }), None);
        }
    }

    #[test]
    fn a_full_tile_has_the_root_of_its_leaves() {
        let all = leaves(TILE_WIDTH);
        let (nodes, root) = TileNodes::of_full(&all).unwrap();
        assert_eq!(Ok(root), all.hash(Node { level: 8, index: 0 }));
        assert_eq!(
            nodes.get(Node {
                level: 0,
                index: 255
            }),
            Some(all[255])
        );
        assert!(TileNodes::of_full(&all[1..]).is_none());
        assert!(TileNodes::of_full(&leaves(257)).is_none());
    }
}
