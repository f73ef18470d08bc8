//! Where the places of feeds lie in the runs: kept in memory, two or three bytes an entry where a run tells a party often.

use std::collections::HashMap;
use std::ops::Range;

#[derive(Default)]
pub(super) struct Feeds(HashMap<String, Feed>);

#[derive(Default)]
struct Feed {
    len: u64,
    spans: Vec<Span>,
}

/// What one run adds to a feed.
struct Span {
    /// Its first place in the feed.
    place: u64,
    /// Which run, counted from the first.
    run: u32,
    /// Number of that place among the run's.
    number: u32,
}

impl Feeds {
    /// Takes in how many places a run adds to each feed, in the order in which they lie there.
    pub(super) fn add(&mut self, run: usize, counts: impl IntoIterator<Item = (String, u32)>) {
        let mut number = 0;
        for (name, count) in counts {
            let feed = self.0.entry(name).or_default();
            feed.spans.push(Span {
                place: feed.len,
                run: run as u32,
                number,
            });
            feed.len += u64::from(count);
            number += count;
        }
    }

    /// How many places the runs have of a feed.
    pub(super) fn len(&self, feed: &str) -> u64 {
        self.0.get(feed).map_or(0, |feed| feed.len)
    }

    /// Where the places of a feed lie from place `from` on: the runs, and the places' numbers in each.
    pub(super) fn from(&self, feed: &str, from: u64) -> impl Iterator<Item = (usize, Range<u32>)> {
        let feed = self.0.get(feed).filter(|feed| from < feed.len);
        feed.into_iter().flat_map(move |feed| {
            let begin = feed.spans.partition_point(|span| span.place <= from) - 1;
            (begin..feed.spans.len()).map(move |i| {
                let mut numbers = feed.numbers(i);
                numbers.start += from.saturating_sub(feed.spans[i].place) as u32;
                (feed.spans[i].run as usize, numbers)
            })
        })
    }

    /// The numbers of a feed's places in one run.
    pub(super) fn within(&self, feed: &str, run: usize) -> Option<Range<u32>> {
        let feed = self.0.get(feed)?;
        let found = |span: &Span| span.run as usize;
        let i = feed.spans.binary_search_by_key(&run, found).ok()?;
        Some(feed.numbers(i))
    }
}

impl Feed {
    fn numbers(&self, i: usize) -> Range<u32> {
        let Span { place, number, .. } = self.spans[i];
        let end = self.spans.get(i + 1).map_or(self.len, |next| next.place);
        number..number + (end - place) as u32
    }
}
