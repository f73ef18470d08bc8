//! Things that count one after the other, each from a size of the ledger on: the keys of its checkpoints.

/// What counts at which size; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession<K> {
    first: K,
    /// With the size from which each counts, ascending.
    later: Vec<(u64, K)>,
}

impl<K> Succession<K> {
    /// What counts from the beginning.
    pub fn new(first: K) -> Succession<K> {
        Succession {
            first,
            later: Vec::new(),
        }
    }

    /// All of these in order, the first from the beginning, the others each from its size on; `None` where there are none.
    pub fn of(items: impl IntoIterator<Item = (u64, K)>) -> Option<Succession<K>> {
        let mut items = items.into_iter();
        let (_, first) = items.next()?;
        let later = items.collect();
        Some(Succession { first, later })
    }

    /// What counts from a size on that is above those of all before it.
    pub fn push(&mut self, from: u64, next: K) {
        self.later.push((from, next));
    }

    /// What counts at that size.
    pub fn at(&self, size: u64) -> &K {
        self.place(self.index(size)).1
    }

    /// The size from which it counts.
    pub fn since(&self, size: u64) -> u64 {
        self.place(self.index(size)).0
    }

    /// What counts last.
    pub fn newest(&self) -> &K {
        self.at(u64::MAX)
    }

    /// What signs a checkpoint of `size` entries where the one before had `before`: what counts at `size`, and what counted since
    /// that one. So the first checkpoint behind a change carries both, and every other carries one. In order, with the size from which
    /// each counts.
    pub fn between(&self, before: u64, size: u64) -> impl Iterator<Item = (u64, &K)> {
        let places = self.index(before.min(size))..=self.index(size);
        places.map(|place| self.place(place))
    }

    /// All, in order, with the size from which each counts.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &K)> {
        self.between(0, u64::MAX)
    }

    fn index(&self, size: u64) -> usize {
        self.later.partition_point(|(from, _)| *from <= size)
    }

    fn place(&self, place: usize) -> (u64, &K) {
        match place.checked_sub(1) {
            None => (0, &self.first),
            Some(later) => (self.later[later].0, &self.later[later].1),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::before_any_change(0, 4, "a")]
    #[case::up_to_the_entry_that_changes_it(3, 5, "a")]
    #[case::across_it(5, 6, "ab")]
    #[case::across_it_by_many(2, 8, "ab")]
    #[case::behind_it(6, 7, "b")]
    #[case::the_same_size_again(6, 6, "b")]
    #[case::across_two(5, 9, "abc")]
    #[case::across_the_second(8, 20, "bc")]
    #[case::behind_both(9, 20, "c")]
    #[case::never_backwards(9, 5, "a")]
    fn a_checkpoint_is_signed_by_whoever_counts_since_the_one_before(
        #[case] before: u64,
        #[case] size: u64,
        #[case] signers: &str,
    ) {
        let mut keys = Succession::new('a');
        keys.push(6, 'b');
        keys.push(9, 'c');
        let found: String = keys.between(before, size).map(|(_, key)| key).collect();
        assert_eq!(found, signers);
        assert_eq!(Some(*keys.at(size)), signers.chars().last());
        assert_eq!(*keys.newest(), 'c');
        assert_eq!(
            Succession::of(keys.iter().map(|(from, key)| (from, *key))),
            Some(keys)
        );
    }
}
