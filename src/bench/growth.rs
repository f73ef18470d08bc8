//! The same mix on ledgers of growing size: does an operation cost more where more is stored, and what does that take.

use std::path::{Path, PathBuf};

use crate::ledger::Ledger;

use super::deal::{Kind, count};
use super::measure::Limit;
use super::report::{Aim, Figure, Point};
use super::stored::{disk_bytes, opened_apart, size};
use super::town::{Town, open};
use super::{Result, load};

/// Deals that are signed and entered at once to make a ledger larger.
const AT_ONCE: u64 = 500;
/// Stored runs of such a deal.
const RUNS: u64 = 160;

/// One ledger that grows.
pub(super) struct Grown<'o> {
    pub(super) command: &'o Path,
    pub(super) data: PathBuf,
    /// Deals of the usual mix that are measured at each size.
    pub(super) deals: usize,
    pub(super) limit_ms: u64,
}

impl Grown<'_> {
    /// Measures at several sizes, from about `smallest` stored runs to `largest`, evenly apart. What is measured adds
    /// some, and each point says how many there were.
    pub(super) fn points(&self, smallest: u64, largest: u64, points: u32) -> Result<Vec<Point>> {
        let (mut town, mut ledger) = Town::found(&self.data)?;
        let step = largest.saturating_sub(smallest) / u64::from(points.max(2) - 1);
        let mut found = Vec::new();
        for point in 0..points {
            grow(&mut town, &ledger, smallest + u64::from(point) * step)?;
            town.forget(&ledger)?;
            ledger.stop();
            drop(ledger);
            let opened = opened_apart(self.command, &self.data)?;
            let disk_bytes = disk_bytes(&self.data)?;
            ledger = open(&self.data)?;
            let deals = town.deals(&ledger, Kind::Mix, self.deals)?;
            let limit = Limit::of(&deals, self.limit_ms)?;
            let rate = limit.around(count(&deals), || load::in_process(&ledger, &deals))?;
            found.push(Point {
                runs: opened.runs,
                entries: opened.entries,
                per_second: rate.per_second,
                ratio: rate.ratio(),
                resident_bytes: opened.resident_bytes,
                disk_bytes,
            });
        }
        ledger.stop();
        Ok(found)
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

/// What the largest ledger takes for each run that it stores, and how it goes on against the smallest.
pub(super) fn figures(points: &[Point]) -> Vec<Figure> {
    let (Some(small), Some(large)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let count = large.runs as usize;
    let per_run =
        |name, bytes: u64| Figure::value(name, count, bytes as f64 / large.runs as f64, "bytes");
    // Both beside the limit of their own time, so that noise between them does not count.
    let growth = Figure::value("growth", count, large.per_second, "operations/s");
    vec![
        per_run("memory_per_run", large.resident_bytes).aims(&[Aim::ValueAtMost(700.0)]),
        per_run("disk_per_run", large.disk_bytes),
        growth
            .over(large.ratio / small.ratio)
            .aims(&[Aim::RatioAtLeast(0.85)]),
    ]
}
