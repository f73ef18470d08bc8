//! Tiles, their paths, and a whole tree of them under a checkpoint.

use std::collections::BTreeMap;
use std::io;

use counterfoil::chain::tiles::{TileKind, TilePath, encode_hashes, levels_within};
use counterfoil::chain::tree::{Node, Nodes as _};
use counterfoil::proof::{Files, check_tiles};
use proptest::prelude::*;
use signed_note::{Note, StandardSigner, StandardVerifier};
use tlog_tiles::{Checkpoint, Tile, tree_hash};

use super::notes::{ORIGIN, SIGNER, VKEY};
use super::{LEAVES, OURS, THEIRS};

/// Their path without the height, which is always 8 here.
fn path(tile: &Tile) -> String {
    tile.path().replacen("tile/8/", "tile/", 1)
}

/// Every hash tile of a tree, by its path.
fn ours(size: u64) -> BTreeMap<String, Vec<u8>> {
    let levels = 0..levels_within(size);
    let tiles = levels.flat_map(|level| {
        let kind = TileKind::Hashes(level);
        let paths = (0..).map_while(move |index| TilePath::within(kind, index, size));
        paths.map(move |path| (level, path))
    });
    let read = |(level, path): (u8, TilePath)| {
        let first = path.index() * 256;
        let nodes = (first..first + u64::from(path.width())).map(|index| Node {
            level: 8 * level,
            index,
        });
        let hashes: Vec<_> = nodes.map(|node| OURS.hash(node).unwrap()).collect();
        (path.to_string(), encode_hashes(&hashes))
    };
    tiles.map(read).collect()
}

fn theirs(size: u64) -> BTreeMap<String, Vec<u8>> {
    let tiles = Tile::new_tiles(8, 0, size).into_iter();
    let read = |tile: Tile| (path(&tile), tile.read_data(&*THEIRS).unwrap());
    tiles.map(read).collect()
}

/// A checkpoint over their tree, signed by their signer.
fn checkpoint(size: u64) -> Vec<u8> {
    let root = tree_hash(size, &*THEIRS).unwrap();
    let text = Checkpoint::new(ORIGIN, size, root, "").unwrap().to_bytes();
    let mut note = Note::new(&text, &[]).unwrap();
    let signer = StandardSigner::new(SIGNER).unwrap();
    assert!(StandardVerifier::new(VKEY).is_ok());
    note.add_sigs(&[&signer]).unwrap();
    note.to_bytes()
}

struct InMemory(BTreeMap<String, Vec<u8>>);

impl Files for InMemory {
    fn len(&self, path: &str) -> io::Result<Option<u64>> {
        Ok(self.0.get(path).map(|bytes| bytes.len() as u64))
    }

    fn read(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let bytes = self.0.get(path);
        Ok(bytes.map(|bytes| bytes[..bytes.len().min(most as usize)].to_vec()))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_tiles_of_a_tree_are_the_same(size in 0..=LEAVES) {
        prop_assert_eq!(ours(size), theirs(size));
    }

    /// What another log serves, our verifier believes, and no longer when a byte is changed.
    #[test]
    fn their_tree_under_their_checkpoint_verifies(size in 1..=LEAVES, tile: prop::sample::Index, at: prop::sample::Index, bit in 0..8_u32) {
        let policy = format!("log {VKEY}\nquorum none\n");
        let mut files = InMemory(theirs(size));
        files.0.insert("checkpoint".to_owned(), checkpoint(size));
        let report = check_tiles(&files, policy.as_bytes()).unwrap();
        prop_assert_eq!(report.failed(), None);
        let tile = tile.index(files.0.len());
        let bytes = files.0.values_mut().nth(tile).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let report = check_tiles(&files, policy.as_bytes()).unwrap();
        prop_assert!(report.failed().is_some());
    }
}

proptest! {
    #[test]
    fn paths_are_the_same(level in 0..=63_u8, index: u64, width in 1..=256_u32) {
        let theirs = path(&Tile::new(8, level, index, width, false));
        let ours: TilePath = theirs.parse().unwrap();
        prop_assert_eq!(ours.to_string(), theirs);
        prop_assert_eq!(ours.kind(), TileKind::Hashes(level));
        prop_assert_eq!((ours.index(), u32::from(ours.width())), (index, width));
    }

    #[test]
    fn widths_follow_from_the_size_alike(size in 0..=LEAVES * 1000, level in 0..=4_u8, index in 0..600_u64) {
        let ours = TilePath::within(TileKind::Hashes(level), index, size);
        let wanted = (index < 1 << 40).then(|| Tile::new(8, 0, index << (8 * level), 256, false));
        let theirs = wanted.and_then(|tile| tile.parent(level, size));
        prop_assert_eq!(ours.map(|path| path.to_string()), theirs.map(|tile| path(&tile)));
    }
}
