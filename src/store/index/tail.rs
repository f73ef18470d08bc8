//! The newest entries, in memory until they are enough for a run.
//!
//! Thousands of entries a second go through here, so hardly anything is allocated for one, and what is allocated serves the next
//! tail too.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::ops::Range;

use crate::chain::Hash;
use crate::chain::hash::sha256;

use super::filter::Filter;
use super::rows::{Packer, Row, Section};
use super::run::{Run, touched_in};
use super::{Record, Shown};

/// Of what is looked up by more than an operation's id: the first half of a SHA-256, as ids of objects are themselves.
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
    leaf: Hash,
    /// The first entry of each operation, counted from the tail's first; so are all entries here.
    ops: HashMap<Hash, u16>,
    under: Chains,
    feeds: HashMap<String, Vec<Shown>>,
    touched: Touched,
    texts: Texts,
}

/// Entries under keys.
#[derive(Default)]
struct Chains {
    /// Where the last link of a key is.
    last: HashMap<Key, u32>,
    links: Vec<Link>,
}

struct Link {
    key: Key,
    entry: u16,
    /// Where the link before it is that has the same key.
    before: Option<u32>,
}

/// Ids of objects as rows hold them.
#[derive(Default)]
struct Touched {
    /// In order of entry and id: the entry, the id's length, the id.
    bytes: Vec<u8>,
    /// Where each entry's begin.
    begins: Vec<u32>,
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
            under: Chains::default(),
            feeds: HashMap::new(),
            touched: Touched::default(),
            texts: Texts::default(),
        }
    }

    /// Lets go of all entries: the next follow.
    pub(super) fn clear(&mut self) {
        self.first = self.end;
        self.ops.clear();
        self.under.last.clear();
        self.under.links.clear();
        self.feeds.clear();
        self.touched.bytes.clear();
        self.touched.begins.clear();
    }

    /// Takes the next entry in.
    pub(super) fn take<F: Display, O: Display>(&mut self, record: &Record<F, O>) {
        let entry = self.offset(record.n);
        self.ops.entry(record.op_id).or_insert(entry);
        for (feed, n) in &record.feeds {
            let feed = self.texts.only(feed);
            if *n != record.n {
                self.under.push(late_key(feed, *n), entry);
            }
            let shown = Shown {
                n: *n,
                with: record.n,
            };
            match self.feeds.get_mut(feed) {
                Some(places) => places.push(shown),
                None => drop(self.feeds.insert(feed.to_owned(), vec![shown])),
            }
        }
        self.touched.begins.push(self.touched.bytes.len() as u32);
        for id in self.texts.sorted(&record.objects) {
            self.under.push(object_key(id), entry);
            self.touched.push(entry, id);
        }
        self.leaf = record.leaf;
        self.end = record.n + 1;
    }

    pub(super) fn find(&self, op_id: &Hash) -> Option<u64> {
        self.ops.get(op_id).map(|entry| self.entry(*entry))
    }

    /// The entries under a key, from entry `from` on.
    pub(super) fn under(&self, key: &Key, from: u64) -> Vec<u64> {
        let entries = self.under.back(key).map(|entry| self.entry(entry));
        let mut entries: Vec<u64> = entries.take_while(|n| *n >= from).collect();
        entries.reverse();
        entries
    }

    /// The places of a feed.
    pub(super) fn places(&self, feed: &str) -> &[Shown] {
        self.feeds.get(feed).map_or(&[], Vec::as_slice)
    }

    /// The ids of the objects that entry `n` touches.
    pub(super) fn touched(&self, n: u64) -> Vec<String> {
        match (self.first..self.end).contains(&n) {
            true => self.touched.of(self.offset(n)),
            false => Vec::new(),
        }
    }

    /// An entry, counted from the first: a run has so few that this is exact.
    fn offset(&self, n: u64) -> u16 {
        (n - self.first) as u16
    }

    fn entry(&self, offset: u16) -> u64 {
        self.first + u64::from(offset)
    }

    /// All of it as a run.
    pub(super) fn pack(&self) -> Packed {
        let mut feeds: Vec<(&String, &Vec<Shown>)> = self.feeds.iter().collect();
        feeds.sort_unstable_by_key(|feed| feed.0);
        let names = feeds.iter().map(|(name, places)| {
            let [count, length] = [places.len(), name.len()].map(|len| (len as u32).to_be_bytes());
            [&count, &length, name.as_bytes()].concat()
        });
        let ops = self.ops.iter().map(|(op, entry)| (*op.as_bytes(), *entry));
        let ops = sorted(ops);
        let hashes = self.under.links.iter();
        // As numbers they are compared sooner, and in the same order.
        let hashes = sorted(hashes.map(|link| (u128::from_be_bytes(link.key), link.entry)));
        let hashes = || {
            hashes
                .iter()
                .map(|(key, entry)| (key.to_be_bytes(), *entry))
        };
        let places = feeds.iter().flat_map(|(_, places)| places.iter());
        let place = |place: &Shown| pair::<10>(&place.n.to_be_bytes(), self.offset(place.with));

        let mut packer = Packer::new(self.first);
        packer.pack(Section::Feeds, numbered(names));
        packer.pack(
            Section::Ops,
            ops.iter().map(|(op, entry)| twice(pair::<34>(op, *entry))),
        );
        packer.pack(
            Section::Hashes,
            hashes().map(|(key, entry)| twice(pair::<18>(&key, entry))),
        );
        packer.pack(Section::Places, numbered(places.map(place)));
        packer.pack(Section::Touched, self.touched.things());

        let keys = ops.iter().map(|(op, _)| hint(op));
        let keys: Vec<u64> = keys.chain(hashes().map(|(key, _)| hint(&key))).collect();
        let counts = feeds.iter();
        let counts = counts.map(|(name, places)| ((*name).clone(), places.len() as u32));
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
}

impl Chains {
    fn push(&mut self, key: Key, entry: u16) {
        let at = self.links.len() as u32;
        let before = self.last.insert(key, at);
        self.links.push(Link { key, entry, before });
    }

    /// The entries under a key, the last first.
    fn back(&self, key: &Key) -> impl Iterator<Item = u16> {
        let link = |at: Option<u32>| at.map(|at| &self.links[at as usize]);
        let last = link(self.last.get(key).copied());
        std::iter::successors(last, move |after| link(after.before)).map(|link| link.entry)
    }
}

impl Touched {
    fn push(&mut self, entry: u16, id: &str) {
        self.bytes.extend_from_slice(&entry.to_be_bytes());
        self.bytes
            .extend_from_slice(&(id.len() as u32).to_be_bytes());
        self.bytes.extend_from_slice(id.as_bytes());
    }

    fn of(&self, entry: u16) -> Vec<String> {
        let begin = self
            .begins
            .get(usize::from(entry))
            .map_or(self.bytes.len(), |at| *at as usize);
        let own = touched_in(&self.bytes[begin..]);
        let own = own.take_while(|touched| touched.entry == entry);
        own.map(|touched| touched.id.to_owned()).collect()
    }

    /// Each id with its entry; a row begins with an entry, and how many of its ids stand in rows before.
    fn things(&self) -> impl Iterator<Item = ([u8; 6], &[u8])> {
        let (mut last, mut nth) = (None, 0u32);
        touched_in(&self.bytes).map(move |touched| {
            nth = if last == Some(touched.entry) {
                nth + 1
            } else {
                0
            };
            last = Some(touched.entry);
            (touched_begin(touched.entry, nth), touched.bytes)
        })
    }
}

/// Where texts are written for a moment.
#[derive(Default)]
struct Texts {
    all: String,
    each: Vec<Range<usize>>,
}

impl Texts {
    fn only(&mut self, one: &impl Display) -> &str {
        self.sorted([one]).next().unwrap_or_default()
    }

    /// The texts of these, each once, in order.
    fn sorted(&mut self, these: impl IntoIterator<Item: Display>) -> impl Iterator<Item = &str> {
        self.all.clear();
        self.each.clear();
        for one in these {
            let begin = self.all.len();
            // A string takes whatever is written to it.
            let _ = write!(self.all, "{one}");
            self.each.push(begin..self.all.len());
        }
        let text = |range: &Range<usize>| &self.all[range.clone()];
        self.each.sort_unstable_by(|a, b| text(a).cmp(text(b)));
        self.each.dedup_by(|a, b| text(a) == text(b));
        self.each.iter().map(text)
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

fn twice<T: Copy>(thing: T) -> (T, T) {
    (thing, thing)
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
