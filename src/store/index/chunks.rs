//! Things that come one by one and are found by their order.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Things that are sorted together: few enough to be gone through, and to be sorted where the processor has them at hand.
const CHUNK: usize = 1_024;
/// Things whose chunks are made one, so that there are not many to search.
const LONG: usize = 16 * CHUNK;

/// Sorted chunk by chunk; what came after the last whole chunk is not yet. To put a thing in costs a fraction of what a hash table or a
/// tree of all of them takes, whose every step is somewhere else in memory.
pub(super) struct Chunks<T>(Vec<T>);

impl<T: Copy + Ord> Chunks<T> {
    pub(super) fn new() -> Chunks<T> {
        Chunks(Vec::new())
    }

    pub(super) fn push(&mut self, thing: T) {
        self.0.push(thing);
        let len = self.0.len();
        if len.is_multiple_of(CHUNK) {
            self.0[len - CHUNK..].sort_unstable();
        }
        if len.is_multiple_of(LONG) {
            // This sort finds what is sorted already, and merges.
            self.0[len - LONG..].sort();
        }
    }

    /// Lets go of all, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The things in a range: from each chunk, in the order of chunks, those that it has, sorted.
    pub(super) fn within(&self, range: RangeInclusive<T>) -> impl Iterator<Item = Cow<'_, [T]>> {
        let long = self.0.chunks_exact(LONG);
        let short = long.remainder().chunks_exact(CHUNK);
        let unsorted = short.remainder().iter();
        let unsorted = unsorted.filter(|thing| range.contains(thing));
        let mut unsorted: Vec<T> = unsorted.copied().collect();
        unsorted.sort_unstable();
        let sorted = long.chain(short).map(move |chunk| {
            let from = chunk.partition_point(|thing| thing < range.start());
            let from = &chunk[from..];
            let len = from.partition_point(|thing| thing <= range.end());
            Cow::Borrowed(&from[..len])
        });
        sorted.chain([Cow::Owned(unsorted)])
    }

    /// All of them, sorted.
    pub(super) fn sorted(&self) -> Vec<T> {
        let mut all = self.0.clone();
        all.sort();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_found_whether_their_chunk_is_sorted_or_not() {
        for count in [
            0,
            1,
            CHUNK - 1,
            CHUNK,
            3 * CHUNK + 7,
            LONG,
            2 * LONG + CHUNK + 7,
        ] {
            let mut chunks = Chunks::new();
            // Each number below 1,000 again and again, out of order, with when it came.
            let things = (0..count).map(|i| (i * 7_919 % 1_000, i));
            things.clone().for_each(|thing| chunks.push(thing));
            for wanted in [0, 500, 999, 1_000] {
                let found = chunks.within((wanted, 0)..=(wanted, usize::MAX));
                let found: Vec<_> = found.flat_map(Cow::into_owned).collect();
                let expected = things.clone().filter(|thing| thing.0 == wanted);
                assert_eq!(found, expected.collect::<Vec<_>>(), "{wanted} of {count}");
            }
            let mut all: Vec<_> = things.collect();
            all.sort();
            assert_eq!(chunks.sorted(), all);
        }
    }
}
