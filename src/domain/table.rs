//! A table of objects with a secondary index that cannot differ from what a scan gives: an index row is a
//! function of the object it points to, and [`Table::put`] alone writes either.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::ops::{Bound, RangeInclusive};

use super::notices::{Notice, Told};
use super::values::{Instant, UtcOffset};

/// A thing the ledger keeps under an id of its own.
pub trait Object: Clone + Debug + PartialEq + 'static {
    /// What it is kept under.
    type Id: Copy + Ord + Debug + Display + 'static;
    /// What it is found by, beside its id.
    type Key: Clone + Ord + Debug + 'static;

    /// Its id.
    fn id(&self) -> Self::Id;
    /// Every key it is found by: a function of the object alone.
    fn keys(&self) -> Vec<Self::Key>;
    /// What becomes of it with no entry that says so to those whom it concerns, at the ledger's fixed offset.
    fn notices(&self, _: UtcOffset) -> Vec<Notice> {
        Vec::new()
    }
}

/// The objects of one kind in order of id, with their index.
#[derive(Debug, Clone, PartialEq)]
pub struct Table<T: Object> {
    rows: BTreeMap<T::Id, T>,
    index: Index<T::Key, T::Id>,
    notices: Index<(Told, Instant), T::Id>,
}

/// Ids under the keys that they are found by.
type Index<K, I> = BTreeMap<K, BTreeSet<I>>;

impl<T: Object> Default for Table<T> {
    fn default() -> Self {
        Table {
            rows: BTreeMap::new(),
            index: BTreeMap::new(),
            notices: BTreeMap::new(),
        }
    }
}

impl<T: Object> Table<T> {
    /// The object with this id.
    pub fn get(&self, id: T::Id) -> Option<&T> {
        self.rows.get(&id)
    }

    /// All objects in order of id.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// All objects in order of id, from the first behind `after`.
    pub fn iter_after(&self, after: Option<T::Id>) -> impl Iterator<Item = &T> {
        self.rows
            .range((
                after.map_or(Bound::Unbounded, Bound::Excluded),
                Bound::Unbounded,
            ))
            .map(|(_, row)| row)
    }

    /// The objects found under `key`, in order of id.
    pub fn by(&self, key: &T::Key) -> impl Iterator<Item = &T> {
        self.by_after(key, None)
    }

    /// The objects found under `key`, in order of id, from the first behind `after`.
    pub fn by_after<'t>(
        &'t self,
        key: &T::Key,
        after: Option<T::Id>,
    ) -> impl Iterator<Item = &'t T> + use<'t, T> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self
            .index
            .get(key)
            .into_iter()
            .flat_map(move |ids| ids.range((from, Bound::Unbounded)));
        ids.filter_map(|id| self.rows.get(id))
    }

    /// The objects found under a range of keys, key by key and under each in order of id; under the first of them
    /// only those from `from` on.
    pub fn between(
        &self,
        keys: RangeInclusive<T::Key>,
        from: Option<T::Id>,
    ) -> impl Iterator<Item = (&T::Key, &T)> {
        let first = keys.start().clone();
        let found = self.index.range(keys);
        let found = found.flat_map(move |(key, ids)| {
            let from = from.filter(|_| *key == first);
            let from = from.map_or(Bound::Unbounded, Bound::Included);
            let ids = ids.range((from, Bound::Unbounded));
            ids.map(move |id| (key, id))
        });
        found.filter_map(|(key, id)| Some((key, self.rows.get(id)?)))
    }

    /// The objects of which there is a notice to `told` from one instant to another, in order of instant and id.
    pub fn noticed(
        &self,
        told: Told,
        from: Instant,
        to: Instant,
    ) -> impl Iterator<Item = (Instant, &T)> {
        let range = (told, from)..=(told, to.max(from));
        let found = self
            .notices
            .range(range)
            .filter(move |((_, at), _)| *at <= to);
        let found = found.flat_map(|((_, at), ids)| ids.iter().map(|id| (*at, id)));
        found.filter_map(|(at, id)| Some((at, self.rows.get(id)?)))
    }

    /// Takes an object in, in place of what stood under its id.
    pub(super) fn put(&mut self, new: T, offset: UtcOffset) {
        let id = new.id();
        let old = self.rows.get(&id);
        let (keys, old_keys) = (keys(&new), old.map(keys).unwrap_or_default());
        let notices = noticed(&new, offset);
        let old_notices = old.map(|old| noticed(old, offset)).unwrap_or_default();
        relink(&mut self.index, id, &old_keys, keys);
        relink(&mut self.notices, id, &old_notices, notices);
        self.rows.insert(id, new);
    }

    /// Whether the indexes equal what a scan gives (invariant 7).
    pub fn index_is_exact(&self, offset: UtcOffset) -> bool {
        let (mut index, mut notices) = (Index::new(), Index::new());
        for row in self.rows.values() {
            relink(&mut index, row.id(), &BTreeSet::new(), keys(row));
            relink(
                &mut notices,
                row.id(),
                &BTreeSet::new(),
                noticed(row, offset),
            );
        }
        index == self.index && notices == self.notices
    }
}

/// As a set: what an object of many keys costs must not grow with their square.
fn keys<T: Object>(object: &T) -> BTreeSet<T::Key> {
    object.keys().into_iter().collect()
}

fn noticed<T: Object>(object: &T, offset: UtcOffset) -> BTreeSet<(Told, Instant)> {
    let all = object.notices(offset).into_iter();
    all.flat_map(|notice| {
        let told = notice.told.into_iter().chain([Told::Auditors]);
        told.map(move |told| (told, notice.at))
    })
    .collect()
}

/// Takes an id from under its old keys and puts it under its new ones.
fn relink<K: Ord, I: Ord + Copy>(
    index: &mut Index<K, I>,
    id: I,
    old: &BTreeSet<K>,
    new: BTreeSet<K>,
) {
    for key in old.difference(&new) {
        if let Some(ids) = index.get_mut(key) {
            ids.remove(&id);
            if ids.is_empty() {
                index.remove(key);
            }
        }
    }
    for key in new {
        index.entry(key).or_default().insert(id);
    }
}
