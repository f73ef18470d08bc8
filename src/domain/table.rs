//! A table of objects with a secondary index that cannot differ from what a scan gives: an index row is a
//! function of the object it points to, and [`Table::put`] alone writes either.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::ops::{Bound, RangeInclusive};

use super::notices::{Notice, Told};
use super::values::{Instant, UtcOffset};

/// An id of which there is a first in order.
pub trait Ranked: Copy + Ord {
    /// No id comes before it.
    const FIRST: Self;
}

/// A thing the ledger keeps under an id of its own.
pub trait Object: Clone + Debug + PartialEq + 'static {
    /// What it is kept under.
    type Id: Ranked + Debug + Display + 'static;
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
    /// Boxed: a tree of large values would move them about, and leave a third of its room empty.
    rows: BTreeMap<T::Id, Box<T>>,
    index: Index<T::Key, T::Id>,
    notices: Index<(Told, Instant), T::Id>,
}

/// Ids behind the keys that they are found by. One flat set: most keys find one object, and a set of their own each would
/// take some hundred bytes more.
type Index<K, I> = BTreeSet<(K, I)>;

impl<T: Object> Default for Table<T> {
    fn default() -> Self {
        Table {
            rows: BTreeMap::new(),
            index: BTreeSet::new(),
            notices: BTreeSet::new(),
        }
    }
}

impl<T: Object> Table<T> {
    /// The object with this id.
    pub fn get(&self, id: T::Id) -> Option<&T> {
        self.rows.get(&id).map(Box::as_ref)
    }

    /// All objects in order of id.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values().map(Box::as_ref)
    }

    /// All objects in order of id, from the first behind `after`.
    pub fn iter_after(&self, after: Option<T::Id>) -> impl Iterator<Item = &T> {
        self.rows
            .range((
                after.map_or(Bound::Unbounded, Bound::Excluded),
                Bound::Unbounded,
            ))
            .map(|(_, row)| &**row)
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
        let from = match after {
            Some(after) => Bound::Excluded((key.clone(), after)),
            None => Bound::Included((key.clone(), T::Id::FIRST)),
        };
        let key = key.clone();
        let found = self.index.range((from, Bound::Unbounded));
        let found = found.take_while(move |(of, _)| *of == key);
        found.filter_map(|(_, id)| self.get(*id))
    }

    /// The objects found under a range of keys, key by key and under each in order of id; under the first of them
    /// only those from `from` on.
    pub fn between(
        &self,
        keys: RangeInclusive<T::Key>,
        from: Option<T::Id>,
    ) -> impl Iterator<Item = (&T::Key, &T)> {
        let (first, last) = keys.into_inner();
        let found = self.index.range((first, from.unwrap_or(T::Id::FIRST))..);
        let found = found.take_while(move |(key, _)| *key <= last);
        found.filter_map(|(key, id)| Some((key, self.get(*id)?)))
    }

    /// The objects of which there is a notice to `told` from one instant to another, in order of instant and id.
    pub fn noticed(
        &self,
        told: Told,
        from: Instant,
        to: Instant,
    ) -> impl Iterator<Item = (Instant, &T)> {
        let found = self.notices.range(((told, from), T::Id::FIRST)..);
        let found = found.take_while(move |((by, at), _)| *by == told && *at <= to);
        found.filter_map(|((_, at), id)| Some((*at, self.get(*id)?)))
    }

    /// Takes an object in, in place of what stood under its id.
    pub(super) fn put(&mut self, new: Box<T>, offset: UtcOffset) {
        let id = new.id();
        match self.rows.entry(id) {
            Entry::Vacant(free) => {
                let new = free.insert(new);
                let keys = new.keys().into_iter();
                self.index.extend(keys.map(|key| (key, id)));
                let notices = told(new.notices(offset)).into_iter();
                self.notices.extend(notices.map(|key| (key, id)));
            }
            Entry::Occupied(mut row) => {
                let old = row.insert(new);
                let new = row.get();
                relink(&mut self.index, id, old.keys(), new.keys());
                let (old, new) = (old.notices(offset), new.notices(offset));
                if old != new {
                    relink(&mut self.notices, id, told(old), told(new));
                }
            }
        }
    }

    /// Whether the indexes equal what a scan gives (invariant 7).
    pub fn index_is_exact(&self, offset: UtcOffset) -> bool {
        let (mut index, mut notices) = (Index::new(), Index::new());
        for row in self.iter() {
            let id = row.id();
            index.extend(row.keys().into_iter().map(|key| (key, id)));
            let told = told(row.notices(offset)).into_iter();
            notices.extend(told.map(|key| (key, id)));
        }
        index == self.index && notices == self.notices
    }
}

/// Who is told when.
fn told(notices: Vec<Notice>) -> Vec<(Told, Instant)> {
    let each = |notice: Notice| {
        let told = notice.told.into_iter().chain([Told::Auditors]);
        told.map(move |told| (told, notice.at))
    };
    notices.into_iter().flat_map(each).collect()
}

/// Sorted, each once: what an object of many keys costs must not grow with their square.
fn distinct<K: Ord>(mut keys: Vec<K>) -> Vec<K> {
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Takes an id from behind its old keys and puts it behind its new ones; what stays is not touched.
fn relink<K: Ord, I: Ord + Copy>(index: &mut Index<K, I>, id: I, old: Vec<K>, new: Vec<K>) {
    // Most changes leave the keys as they are, and then in their order too.
    if old == new {
        return;
    }
    let mut new = distinct(new).into_iter().peekable();
    for key in distinct(old) {
        while let Some(earlier) = new.next_if(|new| *new < key) {
            index.insert((earlier, id));
        }
        if new.next_if_eq(&key).is_none() {
            index.remove(&(key, id));
        }
    }
    index.extend(new.map(|key| (key, id)));
}
