//! Rows in sled: their keys, their checksums, how what is small is packed into them, and what is kept beside them to see that
//! none is missing.
//!
//! sled takes some 15 µs of a processor for a row, whatever its length up to a few KB. So a row holds many small things, in order,
//! and its key says with which it begins.

use sled::IVec;

use crate::chain::Hash;
use crate::chain::hash::sha256;

use super::{IndexError, damaged};

/// Key of the row that says what the index covers. It changes with the kinds of rows, so that an index of an earlier version is made
/// anew.
pub(super) const META: &[u8] = b"m6";

/// A row takes no more when it has so many bytes: far below the 8 KB or so above which sled makes a file of each.
pub(super) const ROW_BYTES: usize = 4_000;

/// Before the key of every other row.
const ROW: u8 = b'r';

/// What rows hold. Those of a run follow each other in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Section {
    /// Names of feeds, each with how many places the run adds to it.
    Feeds = b'f',
    /// Ids of operations, each with its entry.
    Ops = b'i',
    /// Hashes, each with an entry: see [`object_key`](super::tail::object_key) and [`late_key`](super::tail::late_key).
    Hashes = b'o',
    /// Places of feeds, feed after feed.
    Places = b'p',
    /// Entries, each with the id of an object that it touches.
    Touched = b't',
}

const SECTIONS: [Section; 5] = [
    Section::Feeds,
    Section::Ops,
    Section::Hashes,
    Section::Places,
    Section::Touched,
];

const SECTION_BYTES: usize = 10;

/// How the keys of a section of a run begin.
fn section_key(run: u64, section: Section) -> [u8; SECTION_BYTES] {
    let mut key = [section as u8; SECTION_BYTES];
    key[..SECTION_BYTES - 1].copy_from_slice(&run_key(run));
    key
}

/// Key of the first row that is not of a run before `run`.
pub(super) fn run_key(run: u64) -> [u8; 9] {
    let mut key = [ROW; 9];
    key[1..].copy_from_slice(&run.to_be_bytes());
    key
}

/// The run and the section that a row's key names.
pub(super) fn parts(key: &[u8]) -> Option<(u64, Section)> {
    let (run, rest) = key.strip_prefix(&[ROW])?.split_first_chunk()?;
    let letter = *rest.first()?;
    let section = SECTIONS
        .into_iter()
        .find(|section| *section as u8 == letter);
    Some((u64::from_be_bytes(*run), section?))
}

/// What the index covers, as its meta row says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Covers {
    /// Number of entries.
    pub(super) size: u64,
    /// Leaf hash of the last.
    pub(super) leaf: Hash,
    /// Number of rows for them.
    pub(super) rows: u64,
    /// Sum of the rows' checksums.
    pub(super) sum: u64,
}

impl Covers {
    pub(super) const NOTHING: Covers = Covers {
        size: 0,
        leaf: Hash::ZERO,
        rows: 0,
        sum: 0,
    };

    pub(super) fn encode(&self) -> Vec<u8> {
        [
            &self.size.to_be_bytes()[..],
            self.leaf.as_bytes(),
            &self.rows.to_be_bytes(),
            &self.sum.to_be_bytes(),
        ]
        .concat()
    }

    pub(super) fn decode(content: &[u8]) -> Option<Covers> {
        let (size, content) = content.split_first_chunk()?;
        let (leaf, content) = content.split_first_chunk()?;
        let (rows, content) = content.split_first_chunk()?;
        Some(Covers {
            size: u64::from_be_bytes(*size),
            leaf: Hash::new(*leaf),
            rows: u64::from_be_bytes(*rows),
            sum: u64::from_be_bytes(content.try_into().ok()?),
        })
    }

    /// Counts a row in, by its value.
    pub(super) fn count(&mut self, value: &[u8]) {
        let check = value.last_chunk().copied().unwrap_or_default();
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u64::from_be_bytes(check));
    }
}

const CHECK_BYTES: usize = 8;

/// A row as sled has it.
pub(super) struct Row<K = Vec<u8>, V = Vec<u8>> {
    pub(super) key: K,
    /// What it holds, and the checksum.
    pub(super) value: V,
}

impl Row {
    pub(super) fn sealed((key, content): (Vec<u8>, Vec<u8>)) -> Row {
        let check = check(&key, &content);
        let mut value = content;
        value.extend_from_slice(&check);
        Row { key, value }
    }
}

impl<K: AsRef<[u8]>, V: AsRef<[u8]>> Row<K, V> {
    /// What its key says that it begins with.
    pub(super) fn begin(&self) -> &[u8] {
        self.key.as_ref().get(SECTION_BYTES..).unwrap_or_default()
    }

    /// What it holds, if its checksum holds.
    pub(super) fn content(&self) -> Result<&[u8], IndexError> {
        match self.value.as_ref().split_last_chunk() {
            Some((content, found)) if *found == check(self.key.as_ref(), content) => Ok(content),
            _ => Err(IndexError::Damaged(
                "a row's checksum does not hold".to_owned(),
            )),
        }
    }
}

/// First 8 bytes of SHA-256(key ‖ content).
fn check(key: &[u8], content: &[u8]) -> [u8; CHECK_BYTES] {
    let hash = sha256(&[key, content].concat());
    std::array::from_fn(|i| hash.as_bytes()[i])
}

/// The rows of a run in the making.
pub(super) struct Packer {
    run: u64,
    /// Sealed, in order of key.
    pub(super) rows: Vec<Row>,
}

impl Packer {
    pub(super) fn new(run: u64) -> Packer {
        Packer {
            run,
            rows: Vec::new(),
        }
    }

    /// Packs a section: what it holds, in order, each after what a row has in its key that begins with it.
    pub(super) fn pack<B: AsRef<[u8]>, T: AsRef<[u8]>>(
        &mut self,
        section: Section,
        things: impl IntoIterator<Item = (B, T)>,
    ) {
        let mut open: Option<(Vec<u8>, Vec<u8>)> = None;
        for (begin, thing) in things {
            let thing = thing.as_ref();
            if let Some((_, content)) = &mut open
                && content.len() + thing.len() <= ROW_BYTES
            {
                content.extend_from_slice(thing);
                continue;
            }
            let key = [&section_key(self.run, section), begin.as_ref()].concat();
            let mut content = Vec::with_capacity(ROW_BYTES + CHECK_BYTES);
            content.extend_from_slice(thing);
            let full = open.replace((key, content));
            self.rows.extend(full.map(Row::sealed));
        }
        self.rows.extend(open.map(Row::sealed));
    }
}

/// The rows of a section, from the one on in which `begin` would be.
pub(super) fn rows_from(
    db: &sled::Db,
    run: u64,
    section: Section,
    begin: &[u8],
) -> Result<impl Iterator<Item = Result<Row<IVec, IVec>, IndexError>> + use<>, IndexError> {
    let first = section_key(run, section);
    let mut end = first;
    end[SECTION_BYTES - 1] += 1;
    let wanted = [&first, begin].concat();
    let before = db.range(&first[..]..=&wanted[..]).next_back();
    let from = match before.transpose().map_err(damaged)? {
        Some((key, _)) => key,
        None => IVec::from(&first),
    };
    let rows = db.range(from..IVec::from(&end));
    Ok(rows.map(|row| {
        let (key, value) = row.map_err(damaged)?;
        Ok(Row { key, value })
    }))
}
