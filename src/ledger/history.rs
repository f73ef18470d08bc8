//! The tree's hashes for whoever proves something: kept in step by the thread that commits, read by any.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use lru::LruCache;

use crate::chain::levels::TileNodes;
use crate::chain::tiles::{TILE_WIDTH, TileKind, TilePath, encode_bundle, encode_hashes};
use crate::chain::tree::{Node, Nodes, ProofError, consistency_proof, empty_root, inclusion_proof};
use crate::chain::{Hash, Levels, Line};
use crate::store::{EntryReader, ReadError};

/// Full tiles whose hashes stay in memory, 16 KiB each.
const TILES_KEPT: NonZeroUsize = NonZeroUsize::new(512).expect("512 is not 0");

/// Every hash of the tree over the durable entries.
pub(super) struct History {
    levels: RwLock<Levels>,
    reader: EntryReader,
    /// Full tiles that were asked for or filled of late.
    tiles: Mutex<LruCache<u64, Arc<TileNodes>>>,
}

/// Why a hash or a proof could not be had.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// It lies beyond the end of the tree.
    #[error("{0}")]
    Beyond(#[from] ProofError),
    /// The entries below it cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// What stands in the entries' files is no longer what was entered.
    #[error("entries {from} to {to} are not those that the tree was built over", to = from + TILE_WIDTH - 1)]
    Altered {
        /// The first entry of the tile.
        from: u64,
    },
}

type Result<T, E = HistoryError> = std::result::Result<T, E>;

impl History {
    pub(super) fn new(levels: Levels, reader: EntryReader) -> History {
        History {
            levels: RwLock::new(levels),
            reader,
            tiles: Mutex::new(LruCache::new(TILES_KEPT)),
        }
    }

    /// Takes in lines that have become durable.
    pub(super) fn extend(&self, lines: &[Line]) {
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        let filled = |line: &Line| Some((levels.full_tiles(), levels.append(*line.leaf())?));
        let filled: Vec<_> = lines.iter().filter_map(filled).collect();
        drop(levels);
        for (tile, nodes) in filled {
            self.keep(tile, nodes);
        }
    }

    /// Proof that entry `n` is in the tree of `size` entries.
    pub(super) fn inclusion(&self, n: u64, size: u64) -> Result<Vec<Hash>> {
        self.within(size)?;
        inclusion_proof(self, n, size)
    }

    /// Proof that the tree of `old` entries is a prefix of that of `new`.
    pub(super) fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>> {
        self.within(new)?;
        consistency_proof(self, old, new)
    }

    /// The root over the first `size` entries.
    pub(super) fn root(&self, size: u64) -> Result<Hash> {
        self.within(size)?;
        match size {
            0 => Ok(empty_root()),
            _ => self.range(0, size),
        }
    }

    /// A tile's bytes; `None` where the tree does not reach so far.
    pub(super) fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>> {
        let size = self.levels(Levels::size);
        let there = TilePath::within(path.kind(), path.index(), size);
        if there.is_none_or(|there| there.width() < path.width()) {
            return Ok(None);
        }
        let first = path.index() * TILE_WIDTH;
        let places = first..first + u64::from(path.width());
        Ok(Some(match path.kind() {
            TileKind::Entries => self.bundle(places)?,
            TileKind::Hashes(level) => {
                let hash = |index| {
                    self.hash(Node {
                        level: 8 * level,
                        index,
                    })
                };
                encode_hashes(&places.map(hash).collect::<Result<Vec<_>>>()?)
            }
        }))
    }

    fn bundle(&self, places: std::ops::Range<u64>) -> Result<Vec<u8>> {
        let lines: Vec<Line> = self
            .reader
            .entries(places)
            .map(|entry| entry.map(|(_, line)| line))
            .collect::<Result<_, _>>()?;
        let bundle = encode_bundle(lines.iter().map(Line::bytes));
        Ok(bundle.expect("a line keeps the limit of a bundle"))
    }

    fn within(&self, size: u64) -> Result<()> {
        if size > self.levels(Levels::size) {
            return Err(ProofError.into());
        }
        Ok(())
    }

    fn levels<R>(&self, look: impl FnOnce(&Levels) -> R) -> R {
        look(&self.levels.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The hashes of a full tile. Those of leaves that are read again must give the root that was kept.
    fn full(&self, tile: u64) -> Result<Arc<TileNodes>> {
        if let Some(nodes) = self.tiles().get(&tile) {
            return Ok(Arc::clone(nodes));
        }
        let from = tile * TILE_WIDTH;
        let leaves = self.reader.leaves(from..from + TILE_WIDTH)?;
        let root = self.levels(|levels| {
            levels.get(Node {
                level: 8,
                index: tile,
            })
        });
        match TileNodes::of_full(&leaves) {
            Some((nodes, read)) if Some(read) == root => Ok(self.keep(tile, nodes)),
            _ => Err(HistoryError::Altered { from }),
        }
    }

    fn keep(&self, tile: u64, nodes: TileNodes) -> Arc<TileNodes> {
        let nodes = Arc::new(nodes);
        self.tiles().put(tile, Arc::clone(&nodes));
        nodes
    }

    fn tiles(&self) -> MutexGuard<'_, LruCache<u64, Arc<TileNodes>>> {
        // Whatever broke while it held the lock, each tile is whole.
        self.tiles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nodes for History {
    type Error = HistoryError;

    fn hash(&self, node: Node) -> Result<Hash> {
        if let Some(hash) = self.levels(|levels| levels.get(node)) {
            return Ok(hash);
        }
        // Below level 8 it lies within one tile, which is full or it would have been there.
        let per_tile = TILE_WIDTH
            .checked_shr(node.level.into())
            .filter(|nodes| *nodes > 0);
        let per_tile = per_tile.ok_or(ProofError)?;
        let tile = node.index / per_tile;
        if tile >= self.levels(Levels::full_tiles) {
            return Err(ProofError.into());
        }
        let index = node.index % per_tile;
        let found = self.full(tile)?.get(Node { index, ..node });
        Ok(found.ok_or(ProofError)?)
    }
}
