//! The same mix on ledgers of growing size: does an operation cost more where more is stored, and what does that take.

use std::path::Path;

use crate::ledger::Ledger;

use super::deal::{Kind, count};
use super::measure::{Limit, Rate};
use super::report::{Aim, Figure, Point};
use super::stored::{disk_bytes, opened_apart, size};
use super::town::{Town, open};
use super::{Result, load};

/// Deals that are signed and entered at once to make a ledger larger.
const AT_ONCE: u64 = 500;
/// Stored runs of such a deal.
const RUNS: u64 = 160;

/// Turns in which the largest ledger is measured against the smallest.
const TURNS: usize = 4;

/// A ledger that grows, and one that stays small.
pub(super) struct Grown<'o> {
    pub(super) command: &'o Path,
    pub(super) folder: &'o Path,
    /// Deals of the usual mix that are measured at each size.
    pub(super) deals: usize,
    pub(super) limit_ms: u64,
    /// About so many stored runs the smallest has, and so many the largest.
    pub(super) smallest: u64,
    pub(super) largest: u64,
    /// How many sizes there are, evenly apart.
    pub(super) points: u32,
}

impl Grown<'_> {
    /// The sizes that were measured, and the figures.
    pub(super) fn measured(&self) -> Result<(Vec<Point>, Vec<Figure>)> {
        let data = self.folder.join("grown");
        let (mut town, mut ledger) = Town::found(&data)?;
        let step = self.largest.saturating_sub(self.smallest) / u64::from(self.points.max(2) - 1);
        let mut points = Vec::new();
        for n in 0..self.points {
            grow(&mut town, &ledger, self.smallest + u64::from(n) * step)?;
            town.forget(&ledger)?;
            ledger.stop();
            drop(ledger);
            let opened = opened_apart(self.command, &data)?;
            let disk_bytes = disk_bytes(&data)?;
            ledger = open(&data)?;
            let rate = self.rate(&mut town, &ledger, self.deals)?;
            points.push(Point {
                runs: opened.runs,
                entries: opened.entries,
                per_second: rate.per_second,
                ratio: rate.ratio(),
                resident_bytes: opened.resident_bytes,
                disk_bytes,
            });
        }
        let mut figures = per_run(&points);
        figures.push(self.compared(&mut town, &ledger)?);
        ledger.stop();
        Ok((points, figures))
    }

    fn rate(&self, town: &mut Town, ledger: &Ledger, deals: usize) -> Result<Rate> {
        let deals = town.deals(ledger, Kind::Mix, deals)?;
        let limit = Limit::of(&deals, self.limit_ms)?;
        limit.around(count(&deals), || load::in_process(ledger, &deals))
    }

    /// The largest against one as small as the smallest was, in turns: so that what else the machine does weighs on
    /// both. What is measured adds to what is stored.
    fn compared(&self, large_town: &mut Town, large: &Ledger) -> Result<Figure> {
        let (mut town, small) = Town::found(&self.folder.join("small"))?;
        grow(&mut town, &small, self.smallest)?;
        let deals = self.deals.div_ceil(TURNS);
        let (mut ratio, mut base, mut per_second) = (0.0, 0.0, 0.0);
        for _ in 0..TURNS {
            base += self.rate(&mut town, &small, deals)?.ratio();
            let rate = self.rate(large_town, large, deals)?;
            ratio += rate.ratio();
            per_second += rate.per_second / TURNS as f64;
        }
        small.stop();
        let runs = size(large)?.1 as usize;
        let figure = Figure::value("growth", runs, per_second, "operations/s");
        Ok(figure.over(ratio / base).aims(&[Aim::RatioAtLeast(0.85)]))
    }
}

/// Makes stored runs up to so many.
fn grow(town: &mut Town, ledger: &Ledger, runs: u64) -> Result<()> {
    let mut missing = runs.saturating_sub(size(ledger)?.1).div_ceil(RUNS);
    while missing > 0 {
        let some = missing.min(AT_ONCE);
        let deals = town.deals(ledger, Kind::Stock, some as usize)?;
        load::in_process(ledger, &deals)?;
        missing -= some;
    }
    Ok(())
}

/// What the largest ledger takes for each run that it stores.
fn per_run(points: &[Point]) -> Vec<Figure> {
    let Some(large) = points.last() else {
        return Vec::new();
    };
    let per_run = |name, bytes: u64| {
        let each = bytes as f64 / large.runs as f64;
        Figure::value(name, large.runs as usize, each, "bytes")
    };
    vec![
        per_run("memory_per_run", large.resident_bytes).aims(&[Aim::ValueAtMost(700.0)]),
        per_run("disk_per_run", large.disk_bytes),
    ]
}
