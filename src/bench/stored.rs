//! A ledger at rest: what it takes of memory and disk, how fast it starts and is audited.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::domain::objects::Runs;
use crate::domain::state::State;
use crate::ledger::Ledger;
use crate::ledger::audit::audit;
use crate::store::Layout;
use crate::store::recovery::read_only;

use super::measure::Limit;
use super::report::Figure;
use super::{Aim, BenchError, Result, Run, load, town};

/// A process that has opened a ledger and done nothing else.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Opened {
    /// Entries that it has read.
    pub entries: u64,
    /// Runs that it stores.
    pub runs: u64,
    /// By how much its resident memory grew: state, indexes and caches; no duplicate that still counts but the last.
    pub resident_bytes: u64,
    /// How long the opening took.
    pub seconds: f64,
}

/// Opens the drill ledger in a folder and says what that took. For a process of its own.
pub fn opened(data: &Path) -> Result<Opened> {
    let before = resident_bytes()?;
    let start = Instant::now();
    let ledger = town::open(data)?;
    let seconds = start.elapsed().as_secs_f64();
    let resident_bytes = resident_bytes()?.saturating_sub(before);
    let (entries, runs) = size(&ledger)?;
    ledger.stop();
    Ok(Opened {
        entries,
        runs,
        resident_bytes,
        seconds,
    })
}

/// Entries and stored runs.
pub(super) fn size(ledger: &Ledger) -> Result<(u64, u64)> {
    let found = load::runtime()?.block_on(ledger.read(|at| (at.size, runs(at.state))));
    found.map_err(|error| BenchError::of("the ledger", error))
}

fn runs(state: &State) -> u64 {
    let stored = state.receivables.iter().filter_map(|one| one.runs());
    stored.map(Runs::count).sum::<usize>() as u64
}

/// The same in a process of its own.
pub(super) fn opened_apart(command: &Path, data: &Path) -> Result<Opened> {
    let failed = |error: &dyn std::fmt::Display| BenchError::of(command.display(), error);
    let ran = Command::new(command)
        .args(["bench", "--opened"])
        .arg(data)
        .output();
    let ran = ran.map_err(|error| failed(&error))?;
    if !ran.status.success() {
        return Err(failed(&String::from_utf8_lossy(&ran.stderr)));
    }
    serde_json::from_slice(&ran.stdout).map_err(|error| failed(&error))
}

/// Bytes of the memory of this process that lie in the machine's.
fn resident_bytes() -> Result<u64> {
    let path = "/proc/self/status";
    let status = fs::read_to_string(path).map_err(|error| BenchError::of(path, error))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map(|kib| kib * 1_024)
        .ok_or_else(|| BenchError::of(path, "it does not say VmRSS"))
}

/// Bytes of the files below a folder.
pub(super) fn disk_bytes(folder: &Path) -> Result<u64> {
    let failed = |error| BenchError::of(folder.display(), error);
    let mut sum = 0;
    for file in fs::read_dir(folder).map_err(failed)? {
        let file = file.map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        sum += if about.is_dir() {
            disk_bytes(&file.path())?
        } else {
            about.len()
        };
    }
    Ok(sum)
}

/// The figures of a ledger at rest.
pub(super) const NAMES: [&str; 5] = [
    "start_up",
    "memory_per_entry",
    "disk_per_entry",
    "index_per_entry",
    "audit",
];

impl Run<'_> {
    /// The figures of a ledger that was closed: one of the usual mix.
    pub(super) fn stored(&mut self, data: &Path) -> Result<()> {
        if self.asked(&NAMES[..4]) {
            let figures = self.at_rest(data)?;
            self.figures.extend(figures);
        }
        if self.asked(&["audit"]) {
            let figure = self.audited(data)?;
            self.figures.push(figure);
        }
        Ok(())
    }

    fn at_rest(&self, data: &Path) -> Result<[Figure; 4]> {
        let opened = opened_apart(&self.options.command, data)?;
        let count = opened.entries as usize;
        let per_entry = |name, bytes: u64| {
            Figure::value(name, count, bytes as f64 / opened.entries as f64, "bytes")
        };
        let per_second = opened.entries as f64 / opened.seconds;
        Ok([
            Figure::value("start_up", count, per_second, "entries/s"),
            per_entry("memory_per_entry", opened.resident_bytes),
            per_entry("disk_per_entry", disk_bytes(data)?),
            per_entry("index_per_entry", disk_bytes(&Layout::new(data).index())?),
        ])
    }

    fn audited(&self, data: &Path) -> Result<Figure> {
        let failed = |error: &dyn std::fmt::Display| BenchError::of("the audit", error);
        let store =
            read_only(&Layout::new(data), &mut |_, _| ()).map_err(|error| failed(&error))?;
        let size = store.head.checkpoint.size;
        let lines = store.reader.lines(0..size);
        let limit = Limit::of_entries(&store.reader, self.size.limit_ms)?;
        let rate = limit.around(size as usize, || {
            audit(lines, &mut |_| ())
                .map(drop)
                .map_err(|error| failed(&error))
        })?;
        let figure = Figure::value("audit", rate.count, rate.per_second, "entries/s");
        Ok(figure.over(rate.ratio()).aims(&[Aim::RatioAtLeast(0.8)]))
    }
}
