//! The newest entries, in memory until they are enough for a run.

use std::collections::HashMap;

use crate::chain::Hash;
use crate::chain::hash::sha256;

use super::filter::Filter;
use super::rows::{Packer, Row, Section};
use super::run::Run;
use super::{Record, Shown};

/// Of what is looked up by more than an operation's id: the first half of a SHA-256.
pub(super) type Key = [u8; 16];

fn key(text: &[u8]) -> Key {
    let hash = sha256(text);
    std::array::from_fn(|i| hash.as_bytes()[i])
}

/// Under which the entries that touch an object stand.
pub(super) fn object_key(id: &str) -> Key {
    key(&[b"o", id.as_bytes()].concat())
}

/// Under which the entry stands with which a feed took in entry `n`, when that is a later one.
pub(super) fn late_key(feed: &str, n: u64) -> Key {
    key(&[b"l", &n.to_be_bytes()[..], feed.as_bytes()].concat())
}

/// Entries `first` up to `end`, all of one run to be.
pub(super) struct Tail {
    pub(super) first: u64,
    pub(super) end: u64,
    /// Leaf hash of the last.
    pub(super) leaf: Hash,
    /// The first entry of each operation, counted from the tail's first; so are all entries here.
    ops: HashMap<Hash, u16>,
    hashes: HashMap<Key, Vec<u16>>,
    feeds: HashMap<String, Vec<Shown>>,
    /// In order of entry.
    touched: Vec<(u16, String)>,
}

/// A tail in the form of a run.
pub(super) struct Packed {
    pub(super) run: Run,
    /// Leaf hash of the last entry.
    pub(super) leaf: Hash,
    /// Sealed, in order of key.
    pub(super) rows: Vec<Row>,
    /// How many places it adds to each feed, in order of the places.
    pub(super) feeds: Vec<(String, u32)>,
}

impl Tail {
    pub(super) fn new(first: u64) -> Tail {
        Tail {
            first,
            end: first,
            leaf: Hash::ZERO,
            ops: HashMap::new(),
            hashes: HashMap::new(),
            feeds: HashMap::new(),
            touched: Vec::new(),
        }
    }

    /// Takes the next entry in.
    pub(super) fn take(&mut self, mut record: Record) {
        let offset = self.offset(record.n);
        self.ops.entry(record.op_id).or_insert(offset);
        for (feed, n) in record.feeds {
            if n != record.n {
                let late = self.hashes.entry(late_key(&feed, n)).or_default();
                late.push(offset);
            }
            let shown = Shown { n, with: record.n };
            self.feeds.entry(feed).or_default().push(shown);
        }
        record.objects.sort_unstable();
        record.objects.dedup();
        for id in record.objects {
            let entries = self.hashes.entry(object_key(&id)).or_default();
            entries.push(offset);
            self.touched.push((offset, id));
        }
        self.leaf = record.leaf;
        self.end = record.n + 1;
    }

    pub(super) fn find(&self, op_id: &Hash) -> Option<u64> {
        let offset = self.ops.get(op_id)?;
        Some(self.first + u64::from(*offset))
    }

    /// The entries under a key, from entry `from` on.
    pub(super) fn under(&self, key: &Key, from: u64) -> impl Iterator<Item = u64> {
        let entries = self.hashes.get(key).map_or(&[][..], Vec::as_slice);
        let entries = entries.iter().map(|offset| self.first + u64::from(*offset));
        entries.skip_while(move |n| *n < from)
    }

    /// The places of a feed.
    pub(super) fn places(&self, feed: &str) -> &[Shown] {
        self.feeds.get(feed).map_or(&[], Vec::as_slice)
    }

    /// The ids of the objects that entry `n` touches.
    pub(super) fn touched(&self, n: u64) -> Vec<String> {
        let offset = self.offset(n);
        let from = self.touched.partition_point(|(at, _)| *at < offset);
        let own = self.touched[from..].iter();
        let own = own.take_while(|(at, _)| *at == offset);
        own.map(|(_, id)| id.clone()).collect()
    }

    /// An entry, counted from the first: a run has so few that this is exact.
    fn offset(&self, n: u64) -> u16 {
        (n - self.first) as u16
    }

    /// All of it as a run.
    pub(super) fn pack(&self) -> Packed {
        let mut packer = Packer::new(self.first);
        let mut feeds: Vec<(&String, &Vec<Shown>)> = self.feeds.iter().collect();
        feeds.sort_unstable_by_key(|feed| feed.0);
        packer.pack(
            Section::Feeds,
            numbered(feeds.iter().map(|(name, places)| {
                let [count, length] = [places.len(), name.len()].map(|len| len as u32);
                let head = [count.to_be_bytes(), length.to_be_bytes()].concat();
                [&head, name.as_bytes()].concat()
            })),
        );
        let ops = sorted(self.ops.iter().map(|(op, n)| pair::<34>(op.as_bytes(), *n)));
        packer.pack(Section::Ops, ops.iter().map(|pair| (pair, pair)));
        let hashes = self.hashes.iter();
        let hashes = hashes.flat_map(|(key, all)| all.iter().map(|n| pair::<18>(key, *n)));
        let hashes = sorted(hashes);
        packer.pack(Section::Hashes, hashes.iter().map(|pair| (pair, pair)));
        let places = feeds.iter().flat_map(|(_, places)| places.iter());
        let place = |place: &Shown| pair::<10>(&place.n.to_be_bytes(), self.offset(place.with));
        packer.pack(Section::Places, numbered(places.map(place)));
        packer.pack(Section::Touched, self.touched_rows());
        let keys = ops.iter().map(|pair| hint(pair));
        let keys: Vec<u64> = keys.chain(hashes.iter().map(|pair| hint(pair))).collect();
        let counts = feeds
            .iter()
            .map(|(name, places)| ((*name).clone(), places.len() as u32));
        Packed {
            run: Run {
                first: self.first,
                end: self.end,
                filter: Filter::new(&keys),
            },
            leaf: self.leaf,
            rows: packer.rows,
            feeds: counts.collect(),
        }
    }

    /// Each id with its entry before it; a row begins with an entry, and how many of its ids stand in rows before.
    fn touched_rows(&self) -> impl Iterator<Item = ([u8; 6], Vec<u8>)> {
        let (mut last, mut nth) = (None, 0u32);
        self.touched.iter().map(move |(offset, id)| {
            nth = if last == Some(offset) { nth + 1 } else { 0 };
            last = Some(offset);
            let length = (id.len() as u32).to_be_bytes();
            let thing = [&offset.to_be_bytes()[..], &length, id.as_bytes()].concat();
            (touched_begin(*offset, nth), thing)
        })
    }
}

/// What a row of touched objects begins with.
pub(super) fn touched_begin(offset: u16, nth: u32) -> [u8; 6] {
    let mut begin = [0; 6];
    begin[..2].copy_from_slice(&offset.to_be_bytes());
    begin[2..].copy_from_slice(&nth.to_be_bytes());
    begin
}

/// A key and an entry.
pub(super) fn pair<const N: usize>(key: &[u8], offset: u16) -> [u8; N] {
    let mut pair = [0; N];
    pair[..key.len()].copy_from_slice(key);
    pair[key.len()..].copy_from_slice(&offset.to_be_bytes());
    pair
}

/// What the filter takes of a key.
pub(super) fn hint(key: &[u8]) -> u64 {
    u64::from_be_bytes(key.first_chunk().copied().unwrap_or_default())
}

fn sorted<T: Ord>(pairs: impl Iterator<Item = T>) -> Vec<T> {
    let mut pairs: Vec<T> = pairs.collect();
    pairs.sort_unstable();
    pairs
}

/// Each with its number before it.
fn numbered<T>(things: impl Iterator<Item = T>) -> impl Iterator<Item = ([u8; 4], T)> {
    (0u32..)
        .zip(things)
        .map(|(number, thing)| (number.to_be_bytes(), thing))
}
