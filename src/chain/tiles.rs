//! Tiles (C2SP tlog-tiles): the tree's hashes and entries in files of 256, each under one path.

use std::fmt;
use std::str::FromStr;

use super::hash::Hash;
use super::line::LINE_LEN_MAX;
use super::text::decimal;
use super::tree::Node;

/// Hashes or entries of a full tile.
pub const TILE_WIDTH: u64 = 256;
/// Hash levels that a tile spans.
const TILE_HEIGHT: u8 = 8;
/// The highest tile level.
const TILE_LEVEL_MAX: u8 = 63;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileKind {
    /// Hashes of the tree's level 8 × this.
    Hashes(u8),
    /// Entries.
    Entries,
}

/// A tile's place and width. As text: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// A text that is no tile's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a tile")]
pub struct TilePathError;

impl TilePath {
    /// The tile of this kind and index as it is in a tree of `size` leaves; `None` when the tree has nothing there.
    pub fn within(kind: TileKind, index: u64, size: u64) -> Option<TilePath> {
        let level = match kind {
            TileKind::Hashes(level) => level,
            TileKind::Entries => 0,
        };
        // Partial width at level l = ⌊size/256^l⌋ mod 256.
        let nodes = size
            .checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))
            .unwrap_or(0);
        let width = nodes
            .checked_sub(index.checked_mul(TILE_WIDTH)?)?
            .min(TILE_WIDTH);
        (level <= TILE_LEVEL_MAX && width > 0).then_some(TilePath {
            kind,
            index,
            width: width as u16,
        })
    }

    /// The tile that holds a node's hash, or whose hashes give it, and the range of hashes in it that lie below the node.
    pub fn holding(node: Node, size: u64) -> Option<(TilePath, std::ops::Range<usize>)> {
        let (level, above) = (node.level / TILE_HEIGHT, node.level % TILE_HEIGHT);
        let first = node.index.checked_mul(1 << above)?;
        let tile = TilePath::within(TileKind::Hashes(level), first / TILE_WIDTH, size)?;
        let from = (first % TILE_WIDTH) as usize;
        let to = from + (1 << above);
        (to <= usize::from(tile.width)).then_some((tile, from..to))
    }

    /// Hashes or entries.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Which of its level, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds: 256, or less when partial.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// The full tile at this place.
    pub fn full(&self) -> TilePath {
        TilePath {
            width: TILE_WIDTH as u16,
            ..*self
        }
    }

    /// Whether it has fewer than 256.
    pub fn is_partial(&self) -> bool {
        u64::from(self.width) < TILE_WIDTH
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        // Groups of three digits, all but the last with `x`: 1234067 is x001/x234/067.
        let digits = self.index.to_string();
        let digits = format!("{digits:0>0$}", digits.len().next_multiple_of(3));
        for (i, digit) in digits.chars().enumerate() {
            if i % 3 == 0 {
                let last = i + 3 == digits.len();
                f.write_str(if i == 0 { "" } else { "/" })?;
                f.write_str(if last { "" } else { "x" })?;
            }
            write!(f, "{digit}")?;
        }
        if self.is_partial() {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(text: &str) -> Result<TilePath, TilePathError> {
        let rest = text.strip_prefix("tile/").ok_or(TilePathError)?;
        let (kind, rest) = rest.split_once('/').ok_or(TilePathError)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => {
                let level = decimal(level)
                    .filter(|l| *l <= u64::from(TILE_LEVEL_MAX))
                    .ok_or(TilePathError)?;
                TileKind::Hashes(level as u8)
            }
        };
        let (groups, width) = match rest.split_once(".p/") {
            Some((groups, width)) => {
                let width = decimal(width)
                    .filter(|w| (1..TILE_WIDTH).contains(w))
                    .ok_or(TilePathError)?;
                (groups, width)
            }
            None => (rest, TILE_WIDTH),
        };
        let digits: String = groups.chars().filter(char::is_ascii_digit).collect();
        let index = digits.parse().map_err(|_| TilePathError)?;
        let path = TilePath {
            kind,
            index,
            width: width as u16,
        };
        // One spelling only: whatever else stood between the digits shows here.
        if path.to_string() == text {
            Ok(path)
        } else {
            Err(TilePathError)
        }
    }
}

/// How many levels of hash tiles a tree of `size` leaves has.
pub fn levels_within(size: u64) -> u8 {
    let reaches = |level: &u8| TilePath::within(TileKind::Hashes(*level), 0, size).is_some();
    (0..=TILE_LEVEL_MAX).take_while(reaches).count() as u8
}

/// Content of a hash tile: the hashes one after the other.
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|h| *h.as_bytes()).collect()
}

/// Hashes of a hash tile; `None` when the length is no multiple of 32.
pub fn decode_hashes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (chunks, rest) = bytes.as_chunks();
    rest.is_empty()
        .then(|| chunks.iter().map(|c| Hash::new(*c)).collect())
}

/// An entry that is too long for a bundle: above 65,535 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry of {len} bytes does not fit in a bundle; at most {LINE_LEN_MAX} are allowed")]
pub struct BundleError {
    /// Its length in bytes.
    pub len: usize,
}

/// Content of an entry bundle: each entry after its length as 2 bytes big-endian.
pub fn encode_bundle<'a>(
    entries: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, BundleError> {
    let mut out = Vec::new();
    for entry in entries {
        let len = u16::try_from(entry.len()).map_err(|_| BundleError { len: entry.len() })?;
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Ok(out)
}

/// Entries of a bundle; `None` when it ends inside one.
pub fn decode_bundle(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (len, rest) = bytes.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        entries.push(entry);
        bytes = rest;
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("tile/0/000", TileKind::Hashes(0), 0, 256)]
    #[case("tile/0/000.p/3", TileKind::Hashes(0), 0, 3)]
    #[case("tile/63/255.p/255", TileKind::Hashes(63), 255, 255)]
    #[case("tile/1/x001/x234/067", TileKind::Hashes(1), 1_234_067, 256)]
    #[case("tile/entries/x001/000.p/1", TileKind::Entries, 1000, 1)]
    #[case(
        "tile/entries/x018/x446/x744/x073/x709/x551/615",
        TileKind::Entries,
        u64::MAX,
        256
    )]
    fn paths_read_and_write(
        #[case] text: &str,
        #[case] kind: TileKind,
        #[case] index: u64,
        #[case] width: u16,
    ) {
        let path = TilePath { kind, index, width };
        assert_eq!(path.to_string(), text);
        assert_eq!(text.parse(), Ok(path));
    }

    #[rstest]
    #[case("tile/64/000")]
    #[case("tile/00/000")]
    #[case("tile/-1/000")]
    #[case("tile/0/0")]
    #[case("tile/0/x000/000")]
    #[case("tile/0/001/000")]
    #[case("tile/0/x001")]
    #[case("tile/0/x001/x000")]
    #[case("tile/0/000.p/0")]
    #[case("tile/0/000.p/256")]
    #[case("tile/0/000.p/01")]
    #[case("tile/0/000.p/")]
    #[case("tile/0/000/")]
    #[case("tile/0/../000")]
    #[case("/tile/0/000")]
    #[case("tile/0/")]
    #[case("tile/entries/x018/x446/x744/x073/x709/x551/616")]
    #[case("tile/0/٠٠٠")]
    #[case("")]
    fn other_paths_are_refused(#[case] text: &str) {
        assert_eq!(text.parse::<TilePath>(), Err(TilePathError));
    }

    #[rstest]
    #[case(TileKind::Hashes(0), 0, 3, Some(3))]
    #[case(TileKind::Hashes(0), 1, 256, None)]
    #[case(TileKind::Hashes(0), 1, 257, Some(1))]
    #[case(TileKind::Hashes(0), 0, 257, Some(256))]
    #[case(TileKind::Hashes(1), 0, 70_000, Some(256))]
    #[case(TileKind::Hashes(1), 1, 70_000, Some(17))]
    #[case(TileKind::Hashes(2), 0, 70_000, Some(1))]
    #[case(TileKind::Hashes(3), 0, 70_000, None)]
    #[case(TileKind::Hashes(63), 0, u64::MAX, None)]
    #[case(TileKind::Entries, u64::MAX, u64::MAX, None)]
    fn width_follows_from_the_size(
        #[case] kind: TileKind,
        #[case] index: u64,
        #[case] size: u64,
        #[case] width: Option<u16>,
    ) {
        assert_eq!(
            TilePath::within(kind, index, size).map(|t| t.width()),
            width
        );
    }

    #[test]
    fn node_is_found_in_its_tile() {
        let (tile, range) = TilePath::holding(Node { level: 9, index: 3 }, 70_000).unwrap();
        assert_eq!((tile.to_string(), range), ("tile/1/000".to_owned(), 6..8));
        let (tile, range) = TilePath::holding(
            Node {
                level: 0,
                index: 69_999,
            },
            70_000,
        )
        .unwrap();
        assert_eq!(
            (tile.to_string(), range),
            ("tile/0/273.p/112".to_owned(), 111..112)
        );
        assert_eq!(
            TilePath::holding(
                Node {
                    level: 0,
                    index: 70_000
                },
                70_000
            ),
            None
        );
        assert_eq!(
            TilePath::holding(
                Node {
                    level: 255,
                    index: u64::MAX
                },
                u64::MAX
            ),
            None
        );
    }

    #[test]
    fn bundle_vector() {
        let bundle = encode_bundle([&b"alpha"[..], b"beta", b"gamma"]).unwrap();
        assert_eq!(
            hex::encode(&bundle),
            "0005616c706861000462657461000567616d6d61"
        );
        assert_eq!(
            decode_bundle(&bundle).unwrap(),
            [&b"alpha"[..], b"beta", b"gamma"]
        );
        assert_eq!(decode_bundle(&bundle[..bundle.len() - 1]), None);
        assert_eq!(decode_bundle(&[0]), None);
        assert_eq!(
            encode_bundle([&[0; 65_536][..]]),
            Err(BundleError { len: 65_536 })
        );
    }

    #[test]
    fn hashes_vector() {
        let hashes = [
            crate::chain::hash::leaf_hash(b"alpha"),
            crate::chain::hash::leaf_hash(b"beta"),
        ];
        let tile = encode_hashes(&hashes);
        assert_eq!(hex::encode(&tile), format!("{}{}", hashes[0], hashes[1]));
        assert_eq!(decode_hashes(&tile), Some(hashes.to_vec()));
        assert_eq!(decode_hashes(&tile[1..]), None);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(level in 0u8..=63, index: u64, width in 1u16..=256, entries: bool) {
            let kind = if entries { TileKind::Entries } else { TileKind::Hashes(level) };
            let path = TilePath { kind, index, width };
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "(tile/)?[0-9x/.pé]{0,40}") {
            let _ = text.parse::<TilePath>();
        }
    }
}
