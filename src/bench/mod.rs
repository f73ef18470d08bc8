//! What the ledger does in a second, how long one waits and what it takes, each as a ratio to its limit: the plain
//! strict check of its signatures on all cores, measured in the same run right before and after.
//!
//! It uses the ledger as anybody does, in process and over HTTP, and is used by the command alone.

mod deal;
mod growth;
mod load;
mod machine;
mod measure;
mod plot;
mod proofs;
mod report;
mod served;
mod stored;
mod town;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;

use crate::domain::state::State;
use crate::ledger::Ledger;

use self::deal::Kind;
use self::growth::Grown;
use self::town::Town;

pub use self::plot::svg;
pub use self::report::{Aim, Figure, NAMES, Percentiles, Point, Report};
pub use self::stored::{Opened, opened};

/// Why a measurement could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub struct BenchError {
    what: String,
    why: String,
}

impl BenchError {
    fn of(what: impl std::fmt::Display, why: impl std::fmt::Display) -> BenchError {
        BenchError {
            what: what.to_string(),
            why: why.to_string(),
        }
    }
}

type Result<T, E = BenchError> = std::result::Result<T, E>;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Options {
    /// An empty folder on the disk that is measured; whoever made it removes it.
    pub folder: PathBuf,
    /// This very command, which is run once more to measure a process that only opened a ledger.
    pub command: PathBuf,
    /// A little of everything, to see that it works: no figure is to be relied on.
    pub short: bool,
    /// The figures asked for, of [`NAMES`]; all where empty.
    pub only: Vec<String>,
    /// Stored runs of the largest ledger.
    pub growth: u64,
}

/// How much is done for each figure, in deals of twenty operations where nothing else is said.
struct Size {
    /// Before anything is measured.
    warm: usize,
    pipeline: usize,
    http_1: usize,
    http_64: usize,
    http_512: usize,
    batch: usize,
    lone: usize,
    reads: usize,
    growth: usize,
    /// Runs of the smallest ledger, and how many are measured.
    smallest: u64,
    points: u32,
    /// Operations that the many connections send of each deal.
    of_each: usize,
    /// Entries of a ledger whose receipts are measured.
    receipt: usize,
    /// Milliseconds for which a limit is measured, before and after.
    limit_ms: u64,
    /// Lines that are appended and synced one by one.
    syncs: usize,
}

const FULL: Size = Size {
    warm: 1_600,
    pipeline: 2_000,
    http_1: 150,
    http_64: 960,
    http_512: 1_536,
    batch: 1_800,
    lone: 20,
    reads: 1_500,
    growth: 600,
    smallest: 10_000,
    points: 5,
    of_each: usize::MAX,
    receipt: 1_000_000,
    limit_ms: 1_000,
    syncs: 400,
};

const SHORT: Size = Size {
    warm: 4,
    pipeline: 8,
    http_1: 1,
    http_64: 64,
    http_512: 512,
    batch: 6,
    lone: 1,
    reads: 8,
    growth: 4,
    smallest: 160,
    points: 2,
    of_each: 1,
    receipt: 1_000,
    limit_ms: 20,
    syncs: 20,
};

/// A state, and an operation that it allows.
#[derive(Debug)]
pub struct Sample {
    /// The state before the operation.
    pub state: State,
    /// When it is judged.
    pub time: crate::domain::values::Instant,
    /// A signed proposal to pass on twelve parts of a receivable, encoded.
    pub transfer: Bytes,
}

/// A usual operation with the state that it is judged by, for measuring parts; it plays on a new ledger in a folder.
pub fn sample(folder: &Path) -> Result<Sample> {
    let (mut town, ledger) = Town::found(folder)?;
    let deals = town.deals(&ledger, Kind::Mix, 1)?;
    let [registered, confirmed, transfer, ..] = &deals[0][..] else {
        return Err(BenchError::of("a deal", "it has no transfer"));
    };
    load::in_process(&ledger, &[vec![registered.clone(), confirmed.clone()]])?;
    let state = load::runtime()?.block_on(ledger.read(|at| at.state.clone()));
    ledger.stop();
    Ok(Sample {
        state: state.map_err(|error| BenchError::of("the ledger", error))?,
        time: town.now(),
        transfer: transfer.clone(),
    })
}

/// Measures. `progress` is told what comes next.
pub fn run(options: &Options, progress: &mut dyn FnMut(&str)) -> Result<Report> {
    let started = Instant::now();
    let mut run = Run {
        size: if options.short { &SHORT } else { &FULL },
        options,
        progress,
        figures: Vec::new(),
    };
    let market = options.folder.join("market");
    let points = run.market(&market).and_then(|()| run.grown())?;
    Ok(Report {
        cores: cores(),
        parties: town::PARTIES,
        short: options.short,
        figures: run.figures,
        growth: points,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A measurement under way.
struct Run<'o> {
    size: &'o Size,
    options: &'o Options,
    progress: &'o mut dyn FnMut(&str),
    figures: Vec<Figure>,
}

impl Run<'_> {
    /// Whether one of these figures is asked for.
    fn wanted(&self, names: &[&str]) -> bool {
        let only = &self.options.only;
        only.is_empty() || names.iter().any(|name| only.iter().any(|one| one == name))
    }

    /// The same; then it is told that they come.
    fn asked(&mut self, names: &[&str]) -> bool {
        let asked = self.wanted(names);
        if asked {
            (self.progress)(&names.join(", "));
        }
        asked
    }

    /// All that is measured on one ledger of the usual mix.
    fn market(&mut self, data: &Path) -> Result<()> {
        let (mut town, ledger) = Town::found(data)?;
        // A ledger at work knows those who sign often: they have their tables before anything is measured.
        let warm = town.deals(&ledger, Kind::Mix, self.size.warm)?;
        load::in_process(&ledger, &warm)?;
        self.machine(&warm)?;
        drop(warm);
        // What is measured at rest is what the pipeline left.
        let mut left = stored::NAMES.to_vec();
        left.extend(["pipeline", "tree_in_step"]);
        if self.wanted(&left) {
            (self.progress)("pipeline, tree_in_step");
            let pipeline = self.pipeline(&mut town, &ledger)?;
            let tree = proofs::tree_in_step(self.size.receipt, pipeline.value, cores());
            self.figures.extend([pipeline, tree]);
        }
        if self.asked(&["receipt"]) {
            self.figures.push(proofs::receipt(self.size.receipt)?);
        }
        self.served(&mut town, &ledger)?;
        town.forget(&ledger)?;
        ledger.stop();
        drop(ledger);
        self.stored(data)
    }

    fn pipeline(&self, town: &mut Town, ledger: &Ledger) -> Result<Figure> {
        let deals = town.deals(ledger, Kind::Mix, self.size.pipeline)?;
        let limit = self.limit(&deals)?;
        let rate = limit.around(deal::count(&deals), || load::in_process(ledger, &deals))?;
        Ok(Figure::rate("pipeline", &rate).aims(&[Aim::RatioAtLeast(0.8)]))
    }

    fn limit(&self, deals: &[deal::Deal]) -> Result<measure::Limit> {
        measure::Limit::of(deals, self.size.limit_ms)
    }

    fn grown(&mut self) -> Result<Vec<Point>> {
        let names = ["growth", "memory_per_run", "disk_per_run"];
        if !self.asked(&names) {
            return Ok(Vec::new());
        }
        let grown = Grown {
            command: &self.options.command,
            folder: &self.options.folder,
            deals: self.size.growth,
            limit_ms: self.size.limit_ms,
            smallest: self.size.smallest,
            largest: match self.options.short {
                true => 2 * self.size.smallest,
                false => self.options.growth,
            },
            points: self.size.points,
        };
        let (points, figures) = grown.measured()?;
        self.figures.extend(figures);
        Ok(points)
    }
}
