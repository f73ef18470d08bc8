//! The records in sled: their keys, their checksums, and what is kept beside them to see that none is missing.

use std::collections::{BTreeSet, HashMap};

use crate::chain::Hash;
use crate::chain::hash::sha256;

use super::{IndexError, Record, Shown, damaged};

/// Key of the record that says what the index covers. It changes with the kinds of records, so that an index of an earlier version
/// is made anew.
pub(super) const META: &[u8] = b"m4";

/// What the index covers, as its meta record says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Covers {
    /// Number of entries.
    pub(super) size: u64,
    /// Leaf hash of the last.
    pub(super) leaf: Hash,
    /// Number of records for them.
    pub(super) records: u64,
    /// Sum of the records' checksums.
    pub(super) sum: u64,
}

/// What the index covers, and how long each feed is.
pub(super) struct State {
    pub(super) covers: Covers,
    pub(super) feeds: HashMap<String, u64>,
}

impl Covers {
    pub(super) const NOTHING: Covers = Covers {
        size: 0,
        leaf: Hash::ZERO,
        records: 0,
        sum: 0,
    };

    pub(super) fn encode(&self) -> Vec<u8> {
        let Covers {
            size,
            leaf,
            records,
            sum,
        } = self;
        [
            &size.to_be_bytes()[..],
            leaf.as_bytes(),
            &records.to_be_bytes(),
            &sum.to_be_bytes(),
        ]
        .concat()
    }

    /// Counts a record in.
    fn count(&mut self, key: &[u8], content: &[u8]) {
        self.records += 1;
        self.sum = self
            .sum
            .wrapping_add(u64::from_be_bytes(check(key, content)));
    }
}

/// A batch being put together.
pub(super) struct Change<'a> {
    before: &'a State,
    pub(super) covers: Covers,
    /// Length of each feed that changes.
    pub(super) feeds: HashMap<String, u64>,
    pub(super) puts: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Change<'_> {
    pub(super) fn after(before: &State) -> Change<'_> {
        Change {
            before,
            covers: before.covers,
            feeds: HashMap::new(),
            puts: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, record: &Record, is_first: bool) {
        if is_first {
            self.put(op_key(&record.op_id), record.n.to_be_bytes().to_vec());
        }
        for (feed, n) in &record.feeds {
            let before = self.before.feeds.get(feed).copied().unwrap_or(0);
            let len = self.feeds.entry(feed.clone()).or_insert(before);
            let key = feed_key(feed, *len);
            *len += 1;
            let shown = Shown {
                n: *n,
                with: record.n,
            };
            self.put(key, shown.encode());
            self.put(shown_key(feed, *n), Vec::new());
        }
        for id in record.objects.iter().collect::<BTreeSet<_>>() {
            self.put(object_key(id, record.n), Vec::new());
        }
        let touched: BTreeSet<&str> = record.objects.iter().map(String::as_str).collect();
        let touched: Vec<&str> = touched.into_iter().collect();
        self.put(touched_key(record.n), touched.join("\n").into_bytes());
        self.covers.size = record.n + 1;
        self.covers.leaf = record.leaf;
    }

    fn put(&mut self, key: Vec<u8>, content: Vec<u8>) {
        self.covers.count(&key, &content);
        self.puts.push((key, content));
    }
}

/// Goes through all records and checks each, and all of them against what the index says of itself.
pub(super) fn load(db: &sled::Db) -> Result<State, IndexError> {
    let (mut covers, mut feeds, mut meta) =
        (Covers::NOTHING, HashMap::new(), Covers::NOTHING.encode());
    for item in db.iter() {
        let (key, value) = item.map_err(damaged)?;
        let content = unsealed(&key, &value)?;
        if key == META {
            meta = content.to_vec();
            continue;
        }
        covers.count(&key, content);
        if let Some(feed) = feed_of(&key) {
            *feeds.entry(feed.to_owned()).or_insert(0) += 1;
        }
    }
    if let Some((size, rest)) = meta.split_first_chunk() {
        covers.size = u64::from_be_bytes(*size);
        covers.leaf = rest.first_chunk().copied().map_or(Hash::ZERO, Hash::new);
    }
    if covers.encode() != meta {
        return Err(IndexError::Damaged(
            "records are missing or too many".to_owned(),
        ));
    }
    Ok(State { covers, feeds })
}

pub(super) fn op_key(op_id: &Hash) -> Vec<u8> {
    [b"i", &op_id.as_bytes()[..]].concat()
}

/// A kind, the text's length in 8 bytes so that no text begins with another's key, the text, a number.
fn text_key(kind: u8, text: &str, number: u64) -> Vec<u8> {
    let len = (text.len() as u64).to_be_bytes();
    [&[kind], &len[..], text.as_bytes(), &number.to_be_bytes()].concat()
}

pub(super) fn feed_key(feed: &str, place: u64) -> Vec<u8> {
    text_key(b'f', feed, place)
}

/// Of an entry that a feed shows, at whatever place.
pub(super) fn shown_key(feed: &str, n: u64) -> Vec<u8> {
    text_key(b's', feed, n)
}

pub(super) fn object_key(id: &str, n: u64) -> Vec<u8> {
    text_key(b'o', id, n)
}

/// Of the ids of the objects that an entry touches, one a line.
pub(super) fn touched_key(n: u64) -> Vec<u8> {
    [&b"t"[..], &n.to_be_bytes()].concat()
}

/// The feed in a feed's key.
fn feed_of(key: &[u8]) -> Option<&str> {
    let text = key.strip_prefix(b"f")?.get(8..)?;
    std::str::from_utf8(text.get(..text.len().checked_sub(8)?)?).ok()
}

impl Shown {
    fn encode(self) -> Vec<u8> {
        [self.n.to_be_bytes(), self.with.to_be_bytes()].concat()
    }

    pub(super) fn decode(content: &[u8]) -> Result<Shown, IndexError> {
        let (n, with) = content.split_at(content.len() / 2);
        Ok(Shown {
            n: number(n)?,
            with: number(with)?,
        })
    }
}

pub(super) fn number(content: &[u8]) -> Result<u64, IndexError> {
    let bytes = content
        .try_into()
        .map_err(|_| IndexError::Damaged("a record has a wrong length".to_owned()))?;
    Ok(u64::from_be_bytes(bytes))
}

pub(super) fn last_number(key: &[u8]) -> Result<u64, IndexError> {
    number(&key[key.len().saturating_sub(8)..])
}

/// First 8 bytes of SHA-256(key ‖ content).
fn check(key: &[u8], content: &[u8]) -> [u8; 8] {
    let hash = sha256(&[key, content].concat());
    std::array::from_fn(|i| hash.as_bytes()[i])
}

/// The content with its checksum behind.
pub(super) fn sealed(key: &[u8], content: &[u8]) -> Vec<u8> {
    [content, &check(key, content)].concat()
}

/// The content, if the checksum behind it holds.
pub(super) fn unsealed<'a>(key: &[u8], value: &'a [u8]) -> Result<&'a [u8], IndexError> {
    match value.split_last_chunk() {
        Some((content, found)) if *found == check(key, content) => Ok(content),
        _ => Err(IndexError::Damaged(
            "a record's checksum does not hold".to_owned(),
        )),
    }
}
