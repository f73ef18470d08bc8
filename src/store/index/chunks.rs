//! Things that come one by one and are found by their order.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Things that are sorted together: few enough to be gone through, and to be sorted where the processor has them at hand.
const CHUNK: usize = 4_096;

/// Sorted chunk by chunk; what came after the last whole chunk is not yet. To put a thing in costs a fraction of what a hash table or a
/// tree of all of them takes, whose every step is somewhere else in memory.
pub(super) struct Chunks<T>(Vec<T>);

impl<T: Copy + Ord> Chunks<T> {
    pub(super) fn new() -> Chunks<T> {
        Chunks(Vec::new())
    }

    pub(super) fn push(&mut self, thing: T) {
        self.0.push(thing);
        if self.0.len().is_multiple_of(CHUNK) {
            let begin = self.0.len() - CHUNK;
            self.0[begin..].sort_unstable();
        }
    }

    /// Lets go of all, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The things in a range: from each chunk, in the order of chunks, those that it has, sorted.
    pub(super) fn within(&self, range: RangeInclusive<T>) -> impl Iterator<Item = Cow<'_, [T]>> {
        self.0.chunks(CHUNK).map(move |chunk| {
            if chunk.len() == CHUNK {
                let begin = chunk.partition_point(|thing| thing < range.start());
                let end = chunk.partition_point(|thing| thing <= range.end());
                return Cow::Borrowed(&chunk[begin..end.max(begin)]);
            }
            let own = chunk.iter().filter(|thing| range.contains(thing));
            let mut own: Vec<T> = own.copied().collect();
            own.sort_unstable();
            Cow::Owned(own)
        })
    }

    /// All of them, sorted.
    pub(super) fn sorted(&self) -> Vec<T> {
        let mut all = self.0.clone();
        // This sort finds what is sorted already, and merges.
        all.sort();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_found_whether_their_chunk_is_sorted_or_not() {
        for count in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7] {
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
