//! A tree of tiles (C2SP tlog-tiles) in a folder: `checkpoint`, `tile/<L>/<N>[.p/<W>]` and, where they are, the entries in
//! `tile/entries/<N>[.p/<W>]`.
//!
//! The tree is checked from the top: the checkpoint's root follows from the tiles at its right edge, which are the partial
//! ones, and every full tile has the root that the tile above it says. So whatever is wrong is found in its own tile.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use super::chain::{Broken, Chain, KEY, LINE, NUMBER, ORDER, PAYLOAD, PREV, SIGNATURES};
use super::report::{Failed, Planned, Report, Steps, count};
use super::under::{LOG, ORIGIN, POLICY, QUORUM, TIME, check_checkpoint, check_time, read_policy};
use crate::chain::hash::leaf_hash;
use crate::chain::line::LINE_LEN_MAX;
use crate::chain::note::NOTE_LEN_MAX;
use crate::chain::policy::Witnessed;
use crate::chain::tiles::{
    TILE_WIDTH, TileKind, TilePath, decode_bundle, decode_hashes, levels_within,
};
use crate::chain::tree::{Node, Nodes, empty_root};
use crate::chain::{Hash, Note, Policy, Tree};

pub(super) const CHECKPOINT: Planned = Planned {
    code: "checkpoint.read",
    rule: "the checkpoint is a signed note",
};
const THERE: Planned = Planned {
    code: "tiles.there",
    rule: "every hash tile of the tree is there and as long as it must be",
};
const ROOT: Planned = Planned {
    code: "tiles.root",
    rule: "the checkpoint's root follows from the tiles at the right edge of the tree",
};
const LEVELS: Planned = Planned {
    code: "tiles.levels",
    rule: "every full hash tile has the root that the tile above it says",
};
const ENTRIES: Planned = Planned {
    code: "entries.there",
    rule: "either every entry bundle of the tree is there or none",
};
const BUNDLES: Planned = Planned {
    code: "entries.read",
    rule: "an entry bundle holds entries after their lengths, as many as it must",
};
const LEAVES: Planned = Planned {
    code: "entries.leaves",
    rule: "the leaf hashes of the entries are those of the hash tiles",
};

const PLAN: &[Planned] = &[
    POLICY, CHECKPOINT, ORIGIN, LOG, QUORUM, THERE, ROOT, LEVELS, ENTRIES, BUNDLES, LEAVES, LINE,
    NUMBER, PREV, ORDER, SIGNATURES, PAYLOAD, KEY, TIME,
];
/// What goes through all bundles together.
const TOGETHER: &[Planned] = &[
    BUNDLES, LEAVES, LINE, NUMBER, PREV, ORDER, SIGNATURES, PAYLOAD,
];

/// Most bytes of a bundle: each entry after its length.
const BUNDLE_LEN_MAX: u64 = TILE_WIDTH * (2 + LINE_LEN_MAX as u64);

/// Where a tree's files are.
pub trait Files {
    /// How long a file is; `None` where there is none.
    fn len(&self, path: &str) -> io::Result<Option<u64>>;

    /// The first bytes of a file, as many as it has and at most `most`; `None` where there is none.
    fn read(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>>;
}

/// Files in a folder of this machine.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Files for Folder {
    fn len(&self, path: &str) -> io::Result<Option<u64>> {
        match self.0.join(path).metadata() {
            Ok(found) => Ok(found.is_file().then_some(found.len())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        // A pipe would be waited for without end.
        if self.len(path)?.is_none() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let file = File::open(self.0.join(path))?;
        file.take(most).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// A file that could not be read, so that nothing can be said of it.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
pub struct Unreadable {
    /// Which.
    pub path: String,
    /// Why.
    pub error: io::Error,
}

/// Why a verification ends before its last step.
enum Stop {
    /// A step failed, and has been written down.
    Failed,
    Unreadable(Unreadable),
}

impl From<Failed> for Stop {
    fn from(Failed: Failed) -> Stop {
        Stop::Failed
    }
}

/// Verifies a tree of tiles against a policy's file.
pub fn check_tiles(files: &dyn Files, policy: &[u8]) -> Result<Report, Unreadable> {
    let mut steps = Steps::of(PLAN);
    match check(&mut steps, files, policy) {
        Ok(()) | Err(Stop::Failed) => Ok(steps.finish()),
        Err(Stop::Unreadable(error)) => Err(error),
    }
}

fn check(steps: &mut Steps, files: &dyn Files, policy: &[u8]) -> Result<(), Stop> {
    let policy = read_policy(steps, policy)?;
    let path = "checkpoint";
    let note = files.read(path, NOTE_LEN_MAX as u64 + 1);
    let note = note.map_err(|error| unreadable(path, error))?;
    let note = read_checkpoint(steps, &note.unwrap_or_default())?;
    let witnessed = check_checkpoint(steps, &policy, &note)?;
    let size = witnessed.checkpoint.size;
    let tree = Tiles { files, size };
    let there = tree.are_there()?;
    steps.take(THERE, there, |number| {
        format!("{} of {}", count(*number, "tile", "tiles"), entries(size))
    })?;
    let root = tree.root_is(&witnessed.checkpoint.root)?;
    steps.take(ROOT, root, Hash::to_string)?;
    let levels = tree.levels_agree()?;
    steps.take(LEVELS, levels, |number| {
        count(*number, "full tile", "full tiles")
    })?;
    check_entries(steps, &tree, &policy, &note, &witnessed)
}

/// Reads a checkpoint's file.
pub(super) fn read_checkpoint(steps: &mut Steps, bytes: &[u8]) -> Result<Note, Failed> {
    steps.take(CHECKPOINT, Note::decode(bytes), |note| {
        let lines = note.signatures().len() as u64;
        format!("a note with {}", count(lines, "signature", "signatures"))
    })
}

/// Checks the entries, where they are there.
fn check_entries(
    steps: &mut Steps,
    tree: &Tiles<'_>,
    policy: &Policy,
    note: &Note,
    witnessed: &Witnessed,
) -> Result<(), Stop> {
    let there = tree.bundles()?;
    let are_there = steps.take(ENTRIES, there, |are_there| match are_there {
        true => format!("the bundles of {}", entries(tree.size)),
        false => "there are none: the hashes alone are checked".to_owned(),
    })?;
    if !are_there {
        return Ok(());
    }
    let mut chain = Chain::new(&witnessed.checkpoint.origin, tree.size);
    let mut ended = Ok(());
    for index in 0..tree.size.div_ceil(TILE_WIDTH) {
        ended = tree.bundle(index, &mut chain)?;
        if ended.is_err() {
            break;
        }
    }
    chain.told(steps, TOGETHER, ended)?;
    let key = chain.key_found(&witnessed.checkpoint, note, policy);
    steps.take(KEY, key, String::clone)?;
    Ok(check_time(steps, chain.covered_ms(), witnessed)?)
}

fn entries(size: u64) -> String {
    count(size, "entry", "entries")
}

fn unreadable(path: impl ToString, error: io::Error) -> Stop {
    let path = path.to_string();
    Stop::Unreadable(Unreadable { path, error })
}

/// The files of a tree of a size.
struct Tiles<'a> {
    files: &'a dyn Files,
    size: u64,
}

/// What a check of the tree found: words where it does not hold.
type Found<T> = Result<Result<T, String>, Stop>;

impl Tiles<'_> {
    /// The tile that holds what a tree of this size has of this kind and index, with its length: itself, or the full one, for
    /// "logs […] MAY delete any partial tile once the corresponding full tile is […] available".
    fn find(&self, wanted: TilePath) -> Result<Option<(TilePath, u64)>, Stop> {
        for path in [wanted, wanted.full()] {
            let text = path.to_string();
            let len = self.files.len(&text);
            if let Some(len) = len.map_err(|error| unreadable(text, error))? {
                return Ok(Some((path, len)));
            }
        }
        Ok(None)
    }

    /// Every tile of a level in a tree of this size.
    fn level(&self, kind: TileKind) -> impl Iterator<Item = TilePath> + use<> {
        let size = self.size;
        (0..).map_while(move |index| TilePath::within(kind, index, size))
    }

    /// How many hash tiles there are.
    fn are_there(&self) -> Found<u64> {
        let mut number = 0;
        let levels = 0..levels_within(self.size);
        for wanted in levels.flat_map(|level| self.level(TileKind::Hashes(level))) {
            let Some((path, len)) = self.find(wanted)? else {
                return Ok(Err(format!("{wanted} is missing")));
            };
            let must = u64::from(path.width()) * 32;
            if len != must {
                return Ok(Err(format!("{path} has {len} bytes, not {must}")));
            }
            number += 1;
        }
        Ok(Ok(number))
    }

    /// The hashes that a tree of this size has in a tile. Where the file has changed since it was looked at, that is said.
    fn hashes(&self, wanted: TilePath) -> Result<Vec<Hash>, Stop> {
        let changed = || {
            let error = io::Error::other("the tile has changed while it was verified");
            unreadable(wanted, error)
        };
        let (path, _) = self.find(wanted)?.ok_or_else(changed)?;
        let text = path.to_string();
        let bytes = self.files.read(&text, u64::from(path.width()) * 32);
        let bytes = bytes.map_err(|error| unreadable(text, error))?;
        let hashes = bytes.and_then(|bytes| decode_hashes(&bytes));
        let mut hashes = hashes.ok_or_else(changed)?;
        if hashes.len() != usize::from(path.width()) {
            return Err(changed());
        }
        hashes.truncate(usize::from(wanted.width()));
        Ok(hashes)
    }

    fn root_is(&self, root: &Hash) -> Found<Hash> {
        let found = match self.size {
            0 => empty_root(),
            size => self.range(0, size)?,
        };
        Ok(match found == *root {
            true => Ok(found),
            false => Err(format!(
                "the tiles lead to {found}, the checkpoint says {root}"
            )),
        })
    }

    /// How many full tiles have the root that the tile above them says.
    fn levels_agree(&self) -> Found<u64> {
        let mut number = 0;
        for level in (1..levels_within(self.size)).rev() {
            for above in self.level(TileKind::Hashes(level)) {
                let roots = self.hashes(above)?;
                for (index, root) in (above.index() * TILE_WIDTH..).zip(roots) {
                    let kind = TileKind::Hashes(level - 1);
                    let Some(below) = TilePath::within(kind, index, self.size) else {
                        return Ok(Err(format!("{above} reaches beyond the tree")));
                    };
                    let found = self.hashes(below)?.into_iter().collect::<Tree>().root();
                    if found != root {
                        return Ok(Err(format!(
                            "{below} has the root {found}, {above} says {root}"
                        )));
                    }
                    number += 1;
                }
            }
        }
        Ok(Ok(number))
    }

    /// Whether there are entry bundles: all or none.
    fn bundles(&self) -> Found<bool> {
        let (mut number, mut missing) = (0_u64, None);
        for wanted in self.level(TileKind::Entries) {
            match self.find(wanted)? {
                Some(_) => number += 1,
                None => missing = missing.or(Some(wanted)),
            }
        }
        Ok(match missing {
            Some(missing) if number > 0 => {
                let others = count(number, "other is", "others are");
                Err(format!("{missing} is missing, while {others} there"))
            }
            Some(_) => Ok(false),
            None => Ok(true),
        })
    }

    /// Checks the entries of a bundle: against their hash tile, then as lines.
    fn bundle(&self, index: u64, chain: &mut Chain<'_>) -> Result<Result<(), Broken>, Stop> {
        let of_kind = |kind| TilePath::within(kind, index, self.size);
        let kinds = (of_kind(TileKind::Entries), of_kind(TileKind::Hashes(0)));
        let (Some(wanted), Some(hashes)) = kinds else {
            return Ok(Ok(()));
        };
        let n = chain.size();
        let broken = |step, n, why| Ok(Err(Broken { step, n, why }));
        let path = self.find(wanted)?.map_or(wanted, |(path, _)| path);
        let text = path.to_string();
        let bytes = self.files.read(&text, BUNDLE_LEN_MAX + 1);
        let bytes = bytes.map_err(|error| unreadable(&text, error))?;
        let bytes = bytes.unwrap_or_default();
        let entries = decode_bundle(&bytes).unwrap_or_default();
        if entries.len() != usize::from(path.width()) {
            let why = format!("{text} does not hold {} entries", path.width());
            return broken(BUNDLES, n, why);
        }
        let entries = &entries[..usize::from(wanted.width())];
        for ((n, entry), leaf) in (n..).zip(entries).zip(self.hashes(hashes)?) {
            let found = leaf_hash(entry);
            if found != leaf {
                let why = format!("its leaf hash is {found}, {hashes} says {leaf}");
                return broken(LEAVES, n, why);
            }
        }
        Ok(chain.take(entries).map(|_| ()))
    }
}

/// The tree's hashes from the tiles that hold them.
impl Nodes for Tiles<'_> {
    type Error = Stop;

    fn hash(&self, node: Node) -> Result<Hash, Stop> {
        let Some((path, range)) = TilePath::holding(node, self.size) else {
            let error = io::Error::other("no tile holds a hash that the root needs");
            return Err(unreadable("tile", error));
        };
        let hashes = self.hashes(path)?;
        Ok(hashes[range].iter().copied().collect::<Tree>().root())
    }
}
