//! What the machine does by itself: signatures, hashes, and lines that are made durable.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::chain::Verifier;
use crate::chain::hash::sha256;

use super::deal::Deal;
use super::measure::{Latencies, of_the_ledger, plain, signed, verified_per_second};
use super::report::{Aim, Figure};
use super::{BenchError, Result, Run};

/// Bytes of a usual line.
const LINE_BYTES: usize = 700;
/// Turns in which two things are measured one after the other, so that noise weighs on both.
const TURNS: u32 = 5;
/// Hashes between two looks at the clock.
const HASHES: usize = 2_000;

impl Run<'_> {
    /// The figures of the machine, on the signatures of these deals.
    pub(super) fn machine(&mut self, deals: &[Deal]) -> Result<()> {
        let at_least = Duration::from_millis(self.size.limit_ms);
        if self.asked(&["verify_plain", "verify_ledger"]) {
            self.figures.extend(verified(deals, at_least)?);
        }
        if self.asked(&["sha256"]) {
            self.figures.push(hashed(at_least));
        }
        if self.asked(&["append_sync"]) {
            let mut sync = synced(&self.options.folder.join("lines"))?;
            let mut latencies = Latencies::default();
            for _ in 0..self.size.syncs {
                latencies.time(&mut sync)?;
            }
            self.figures
                .push(Figure::latency("append_sync", &latencies));
        }
        Ok(())
    }
}

fn verified(deals: &[Deal], at_least: Duration) -> Result<[Figure; 2]> {
    let signed = signed(deals)?;
    let (mut limit, mut own) = (0.0, 0.0);
    let verifier = Verifier::new();
    for _ in 0..TURNS {
        limit += verified_per_second(&signed, at_least / TURNS, plain)? / f64::from(TURNS);
        own += verified_per_second(&signed, at_least / TURNS, |some| {
            of_the_ledger(&verifier, some)
        })? / f64::from(TURNS);
    }
    let figure = |name, per_second| {
        let unit = "signatures/s";
        Figure::value(name, signed.len(), per_second, unit).over(per_second / limit)
    };
    let own = figure("verify_ledger", own).aims(&[Aim::RatioAtLeast(1.2)]);
    Ok([figure("verify_plain", limit), own])
}

/// Hashes of usual lines a second on all cores.
fn hashed(at_least: Duration) -> Figure {
    let lines: Vec<_> = (0..HASHES).map(|n| vec![n as u8; LINE_BYTES]).collect();
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < at_least {
        lines.par_iter().for_each(|line| {
            std::hint::black_box(sha256(line));
        });
        count += HASHES;
    }
    let per_second = count as f64 / start.elapsed().as_secs_f64();
    Figure::value("sha256", count, per_second, "hashes/s")
}

/// Appends a line to a file and has it durable: what the disk alone costs.
pub(super) fn synced(path: &Path) -> Result<impl FnMut() -> Result<()> + use<>> {
    let failed = |error| BenchError::of("a file of lines", error);
    let mut file = File::create(path).map_err(failed)?;
    Ok(move || {
        let written = file.write_all(&[b'x'; LINE_BYTES]);
        written.and_then(|()| file.sync_data()).map_err(failed)
    })
}
