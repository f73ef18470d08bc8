//! The newest entries, in memory until they are enough for a run.
//!
//! Thousands of entries a second go through here, so hardly anything is allocated for one, and what is allocated serves the next
//! tail too.

use std::fmt::{Display, Write as _};
use std::ops::Range;

use crate::chain::Hash;
use crate::chain::hash::sha256;

use super::chunks::Chunks;
use super::feeds::{FeedNo, Feeds};
use super::filter::Filter;
use super::rows::{Packer, Row, Section};
use super::run::Run;
use super::touched::Touched;
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

/// Entries `first` up to `end`, all of one run to be. Within it entries are counted from the first.
pub(super) struct Tail {
    pub(super) first: u64,
    pub(super) end: u64,
    /// Leaf hash of the last.
    leaf: Hash,
    ops: Chunks<(Hash, u16)>,
    /// Entries under keys, which are compared as numbers.
    under: Chunks<(u128, u16)>,
    places: Chunks<Place>,
    touched: Touched,
    texts: Texts,
}

/// A feed, the entry with which it took in another, and that one's number.
type Place = (FeedNo, u16, u64);

/// A tail in the form of a run.
pub(super) struct Packed {
    pub(super) run: Run,
    /// Leaf hash of the last entry.
    pub(super) leaf: Hash,
    /// Sealed, in order of key.
    pub(super) rows: Vec<Row>,
    /// How many places it adds to each feed, in order of the places.
    pub(super) feeds: Vec<(FeedNo, u32)>,
}

impl Tail {
    pub(super) fn new(first: u64) -> Tail {
        Tail {
            first,
            end: first,
            leaf: Hash::ZERO,
            ops: Chunks::new(),
            under: Chunks::new(),
            places: Chunks::new(),
            touched: Touched::default(),
            texts: Texts::default(),
        }
    }

    /// Lets go of all entries: the next follow.
    pub(super) fn clear(&mut self) {
        self.first = self.end;
        self.ops.clear();
        self.under.clear();
        self.places.clear();
        self.touched.clear();
    }

    /// Takes the next entry in.
    pub(super) fn take<F: Display, O: Display>(
        &mut self,
        record: &Record<F, O>,
        feeds: &mut Feeds,
    ) {
        let entry = self.offset(record.n);
        self.ops.push((record.op_id, entry));
        for (feed, n) in &record.feeds {
            let feed = self.texts.only(feed);
            if *n != record.n {
                let key = u128::from_be_bytes(late_key(feed, *n));
                self.under.push((key, entry));
            }
            self.places.push((feeds.number_of(feed), entry, *n));
        }
        self.touched.next_entry();
        for id in self.texts.sorted(&record.objects) {
            let key = u128::from_be_bytes(object_key(id));
            self.under.push((key, entry));
            self.touched.push(entry, id);
        }
        self.leaf = record.leaf;
        self.end = record.n + 1;
    }

    /// The first entry of an operation.
    pub(super) fn find(&self, op_id: &Hash) -> Option<u64> {
        let mut found = self.ops.within((*op_id, 0)..=(*op_id, u16::MAX));
        found.find_map(|found| Some(self.entry(found.first()?.1)))
    }

    /// The entries under a key, from entry `from` on; at most `limit`.
    pub(super) fn under(&self, key: &Key, from: u64, limit: usize) -> Vec<u64> {
        let key = u128::from_be_bytes(*key);
        if from >= self.end {
            return Vec::new();
        }
        let from = self.offset(from.max(self.first));
        let mut entries = Vec::new();
        for found in self.under.within((key, from)..=(key, u16::MAX)) {
            let rest = limit - entries.len();
            let found = found.iter().take(rest).map(|(_, entry)| self.entry(*entry));
            entries.extend(found);
        }
        entries
    }

    /// How many places a feed has.
    pub(super) fn len(&self, feed: FeedNo) -> u64 {
        let all = self
            .places
            .within((feed, 0, 0)..=(feed, u16::MAX, u64::MAX));
        all.map(|places| places.len() as u64).sum()
    }

    /// The places of a feed but the first `before`; at most `limit`.
    pub(super) fn places(&self, feed: FeedNo, before: u64, limit: usize) -> Vec<Shown> {
        let mut before = usize::try_from(before).unwrap_or(usize::MAX);
        let mut shown = Vec::new();
        for places in self
            .places
            .within((feed, 0, 0)..=(feed, u16::MAX, u64::MAX))
        {
            let rest = limit - shown.len();
            let places = places
                .get(before.min(places.len())..)
                .map_or(&[][..], |p| p);
            shown.extend(places.iter().take(rest).map(|(_, with, n)| Shown {
                n: *n,
                with: self.entry(*with),
            }));
            before = before.saturating_sub(places.len());
        }
        shown
    }

    /// Whether a feed has a place.
    pub(super) fn has_place(&self, feed: FeedNo, Shown { n, with }: Shown) -> bool {
        if !(self.first..self.end).contains(&with) {
            return false;
        }
        let place = (feed, self.offset(with), n);
        self.places
            .within(place..=place)
            .any(|found| !found.is_empty())
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
    pub(super) fn pack(&self, feeds: &Feeds) -> Packed {
        let mut ops = self.ops.sorted();
        ops.dedup_by_key(|(op, _)| *op);
        let under = self.under.sorted();
        let under = || under.iter().map(|(key, entry)| (key.to_be_bytes(), *entry));
        let places = self.places.sorted();
        let counts = places.chunk_by(|(one, ..), (next, ..)| one == next);
        let counts: Vec<_> = counts.map(|own| (own[0].0, own.len() as u32)).collect();
        let names = counts.iter().map(|(feed, count)| {
            let name = feeds.name(*feed);
            let length = (name.len() as u32).to_be_bytes();
            [&count.to_be_bytes(), &length, name.as_bytes()].concat()
        });
        let place = |(_, with, n): &Place| pair::<10>(&n.to_be_bytes(), *with);
        let op = |(op, entry): &(Hash, u16)| twice(pair::<34>(op.as_bytes(), *entry));

        let mut packer = Packer::new(self.first);
        packer.pack(Section::Feeds, numbered(names));
        packer.pack(Section::Ops, ops.iter().map(op));
        let hashes = under().map(|(key, entry)| twice(pair::<18>(&key, entry)));
        packer.pack(Section::Hashes, hashes);
        packer.pack(Section::Places, numbered(places.iter().map(place)));
        packer.pack(Section::Touched, self.touched.things());

        let keys = ops.iter().map(|(op, _)| hint(op.as_bytes()));
        let keys: Vec<u64> = keys.chain(under().map(|(key, _)| hint(&key))).collect();
        Packed {
            run: Run {
                first: self.first,
                end: self.end,
                filter: Filter::new(&keys),
            },
            leaf: self.leaf,
            rows: packer.rows,
            feeds: counts,
        }
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

/// Each with its number before it.
fn numbered<T>(things: impl Iterator<Item = T>) -> impl Iterator<Item = ([u8; 4], T)> {
    (0u32..)
        .zip(things)
        .map(|(number, thing)| (number.to_be_bytes(), thing))
}
