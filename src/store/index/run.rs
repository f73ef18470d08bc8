//! Entries that follow each other, packed into rows that never change.

use std::ops::Range;

use crate::chain::Hash;

use super::filter::Filter;
use super::rows::{Section, rows_from};
use super::tail::{Key, hint, pair};
use super::touched::{text, touched_begin, touched_in};
use super::{IndexError, Shown};

/// Places that are gone through rather than halved: about a row of them.
const PLACES_AT_ONCE: usize = 400;

/// What is kept in memory of a run.
pub(super) struct Run {
    pub(super) first: u64,
    /// The entry after its last.
    pub(super) end: u64,
    /// Over the operations' ids and the other keys.
    pub(super) filter: Filter,
}

impl Run {
    /// The first entry of an operation.
    pub(super) fn find(&self, db: &sled::Db, op_id: &Hash) -> Result<Option<u64>, IndexError> {
        let wanted: [u8; 34] = pair(op_id.as_bytes(), 0);
        let found = self.pairs(db, Section::Ops, &wanted, 1)?;
        Ok(found.first().copied())
    }

    /// The entries under a key, from entry `from` on; at most `limit`.
    pub(super) fn under(
        &self,
        db: &sled::Db,
        key: &Key,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, IndexError> {
        let wanted: [u8; 18] = pair(key, self.offset(from));
        self.pairs(db, Section::Hashes, &wanted, limit)
    }

    /// The entries that stand under the key of `wanted`, from the entry in it on.
    fn pairs(
        &self,
        db: &sled::Db,
        section: Section,
        wanted: &[u8],
        limit: usize,
    ) -> Result<Vec<u64>, IndexError> {
        let mut found = Vec::new();
        if limit == 0 || !self.filter.may_hold(hint(wanted)) {
            return Ok(found);
        }
        let key = &wanted[..wanted.len() - 2];
        for row in rows_from(db, self.first, section, wanted)? {
            let row = row?;
            let pairs = row.content()?.chunks_exact(wanted.len());
            for pair in pairs.skip_while(|pair| *pair < wanted) {
                if !pair.starts_with(key) || found.len() == limit {
                    return Ok(found);
                }
                found.push(self.entry(pair)?);
            }
        }
        Ok(found)
    }

    /// The places of these numbers.
    pub(super) fn places(
        &self,
        db: &sled::Db,
        numbers: Range<u32>,
    ) -> Result<Vec<Shown>, IndexError> {
        let mut places = Vec::with_capacity(numbers.len());
        if numbers.is_empty() {
            return Ok(places);
        }
        for row in rows_from(
            db,
            self.first,
            Section::Places,
            &numbers.start.to_be_bytes(),
        )? {
            let row = row?;
            let begin = row.begin().try_into().map_err(|_| malformed())?;
            let before = numbers.start.saturating_sub(u32::from_be_bytes(begin)) as usize;
            for place in row.content()?.chunks_exact(10).skip(before) {
                let (n, with) = place.split_first_chunk().ok_or_else(malformed)?;
                places.push(Shown {
                    n: u64::from_be_bytes(*n),
                    with: self.entry(with)?,
                });
                if places.len() == numbers.len() {
                    return Ok(places);
                }
            }
        }
        Err(IndexError::Damaged("a feed has a gap".to_owned()))
    }

    /// Whether a place is among those of these numbers, which are one feed's.
    pub(super) fn has_place(
        &self,
        db: &sled::Db,
        mut numbers: Range<u32>,
        wanted: Shown,
    ) -> Result<bool, IndexError> {
        while numbers.len() > PLACES_AT_ONCE {
            let middle = numbers.start + (numbers.end - numbers.start) / 2;
            match self.places(db, middle..middle + 1)?.first() {
                Some(place) if place.order() <= wanted.order() => numbers.start = middle,
                _ => numbers.end = middle,
            }
        }
        Ok(self.places(db, numbers)?.contains(&wanted))
    }

    /// The ids of the objects that entry `n` touches.
    pub(super) fn touched(&self, db: &sled::Db, n: u64) -> Result<Vec<String>, IndexError> {
        let mut ids = Vec::new();
        let entry = self.offset(n);
        for row in rows_from(db, self.first, Section::Touched, &touched_begin(entry, 0))? {
            let row = row?;
            for touched in touched_in(row.content()?) {
                if touched.entry > entry {
                    return Ok(ids);
                }
                if touched.entry == entry {
                    ids.push(touched.id.to_owned());
                }
            }
        }
        Ok(ids)
    }

    /// An entry, counted from the first.
    fn offset(&self, n: u64) -> u16 {
        n.saturating_sub(self.first) as u16
    }

    /// The entry whose offset is the last two bytes.
    fn entry(&self, bytes: &[u8]) -> Result<u64, IndexError> {
        let offset = bytes.last_chunk().ok_or_else(malformed)?;
        Ok(self.first + u64::from(u16::from_be_bytes(*offset)))
    }
}

/// A feed's name and how many places the run adds to it, taken from the front.
pub(super) fn feed_count<'a>(rest: &mut &'a [u8]) -> Option<(&'a str, u32)> {
    let (count, behind) = rest.split_first_chunk()?;
    let (name, behind) = text(behind)?;
    *rest = behind;
    Some((name, u32::from_be_bytes(*count)))
}

pub(super) fn malformed() -> IndexError {
    IndexError::Damaged("a row is not what it should be".to_owned())
}
