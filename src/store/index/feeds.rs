//! Feeds: their names, and where their places lie in the runs. Kept in memory: a few bytes an entry.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// A feed's number, for as long as the index is open.
pub(super) type FeedNo = u32;

#[derive(Default)]
pub(super) struct Feeds {
    numbers: HashMap<Arc<str>, FeedNo>,
    feeds: Vec<Feed>,
}

struct Feed {
    name: Arc<str>,
    /// How many places the runs have of it.
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
    pub(super) fn number(&self, name: &str) -> Option<FeedNo> {
        self.numbers.get(name).copied()
    }

    /// The number of a feed, which it gets now if it has none.
    pub(super) fn number_of(&mut self, name: &str) -> FeedNo {
        if let Some(known) = self.number(name) {
            return known;
        }
        let name: Arc<str> = name.into();
        let number = self.feeds.len() as FeedNo;
        self.numbers.insert(Arc::clone(&name), number);
        self.feeds.push(Feed {
            name,
            len: 0,
            spans: Vec::new(),
        });
        number
    }

    pub(super) fn name(&self, feed: FeedNo) -> &str {
        &self.feeds[feed as usize].name
    }

    /// Takes in how many places a run adds to each feed, in the order in which they lie there.
    pub(super) fn add(&mut self, run: usize, counts: &[(FeedNo, u32)]) {
        let mut number = 0;
        for (feed, count) in counts {
            let feed = &mut self.feeds[*feed as usize];
            feed.spans.push(Span {
                place: feed.len,
                run: run as u32,
                number,
            });
            feed.len += u64::from(*count);
            number += count;
        }
    }

    /// How many places the runs have of a feed.
    pub(super) fn len(&self, feed: FeedNo) -> u64 {
        self.feeds[feed as usize].len
    }

    /// Where the places of a feed lie from place `from` on: the runs, and the places' numbers in each.
    pub(super) fn from(
        &self,
        feed: FeedNo,
        from: u64,
    ) -> impl Iterator<Item = (usize, Range<u32>)> {
        let feed = &self.feeds[feed as usize];
        let behind = feed.spans.partition_point(|span| span.place <= from);
        // In none but the first of these, and not where `from` is beyond the end, are there places before it.
        let spans = behind.saturating_sub(1)..feed.spans.len();
        spans.filter_map(move |i| {
            let mut numbers = feed.numbers(i);
            let before = from.saturating_sub(feed.spans[i].place);
            numbers.start = numbers.start.checked_add(u32::try_from(before).ok()?)?;
            (!numbers.is_empty()).then_some((feed.spans[i].run as usize, numbers))
        })
    }

    /// The numbers of a feed's places in one run.
    pub(super) fn within(&self, feed: FeedNo, run: usize) -> Option<Range<u32>> {
        let feed = &self.feeds[feed as usize];
        let of = |span: &Span| span.run as usize;
        let i = feed.spans.binary_search_by_key(&run, of).ok()?;
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
