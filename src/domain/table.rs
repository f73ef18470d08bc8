//! A table of objects with a secondary index that cannot differ from what a scan gives: an index row is a
//! function of the object it points to, and [`Table::put`] alone writes either.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::ops::Bound;

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
}

/// The objects of one kind in order of id, with their index.
#[derive(Debug, Clone, PartialEq)]
pub struct Table<T: Object> {
    rows: BTreeMap<T::Id, T>,
    index: BTreeMap<T::Key, BTreeSet<T::Id>>,
}

impl<T: Object> Default for Table<T> {
    fn default() -> Self {
        Table {
            rows: BTreeMap::new(),
            index: BTreeMap::new(),
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

    /// Takes an object in, in place of what stood under its id.
    pub(super) fn put(&mut self, new: T) {
        let id = new.id();
        // As a set: what an object of many keys costs must not grow with their square.
        let keys: BTreeSet<T::Key> = new.keys().into_iter().collect();
        if let Some(old) = self.rows.insert(id, new) {
            for key in old.keys() {
                if !keys.contains(&key) {
                    self.unlink(&key, id);
                }
            }
        }
        for key in keys {
            self.index.entry(key).or_default().insert(id);
        }
    }

    fn unlink(&mut self, key: &T::Key, id: T::Id) {
        if let Some(ids) = self.index.get_mut(key) {
            ids.remove(&id);
            if ids.is_empty() {
                self.index.remove(key);
            }
        }
    }

    /// Whether the index equals what a scan gives (invariant 7).
    pub fn index_is_exact(&self) -> bool {
        let mut scan: BTreeMap<T::Key, BTreeSet<T::Id>> = BTreeMap::new();
        for row in self.rows.values() {
            for key in row.keys() {
                scan.entry(key).or_default().insert(row.id());
            }
        }
        scan == self.index
    }
}
