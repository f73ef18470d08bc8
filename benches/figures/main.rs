//! First figures: durable operations per second, in process and over HTTP, as ratios to the one thing that every
//! operation costs anyway, the strict check of its signature, on all cores of the same machine in the same run.
//!
//! `cargo bench --bench figures [-- --json] [-- --short]`. Real segment files with their fdatasync, below the build
//! folder; servers and clients share the cores over loopback. The limit is measured before and after each figure, so
//! that what else the machine does weighs on both.
#![allow(clippy::unwrap_used, clippy::panic)] // a measurement that cannot be taken ends the run

mod town;
mod wire;

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use counterfoil::api::{Api, Limits, Server};
use counterfoil::chain::{Envelope, verify};
use counterfoil::ledger::{Answer, Ledger};
use rayon::prelude::*;
use serde_json::json;
use tokio::runtime::Runtime;

use self::town::Town;
use self::wire::Connection;

/// Threads that submit in process, and envelopes that each submits at once.
const SUBMITTERS: usize = 8;
const AT_ONCE: usize = 1_000;
/// Connections with one envelope a request.
const CONNECTIONS: usize = 64;
/// Connections with many, and how many a request.
const BATCHES: usize = 3;
const BATCH: usize = 2_000;
/// Bytes of a usual line.
const LINE_BYTES: usize = 900;

/// How much is measured.
struct Size {
    in_process: usize,
    single: usize,
    batch: usize,
    lone: usize,
    limit: Duration,
}

const FULL: Size = Size {
    in_process: 40_000,
    single: 16_000,
    batch: 36_000,
    lone: 300,
    limit: Duration::from_millis(1_000),
};
const SHORT: Size = Size {
    in_process: 600,
    single: 300,
    batch: 600,
    lone: 9,
    limit: Duration::from_millis(20),
};

/// So many a second, and the limit around that time.
struct Rate {
    name: &'static str,
    count: usize,
    per_second: f64,
    limit: f64,
}

impl Rate {
    fn ratio(&self) -> f64 {
        self.per_second / self.limit
    }
}

/// How long one takes when it is alone, in milliseconds.
#[derive(Default)]
struct Latency(Vec<f64>);

impl Latency {
    fn time(&mut self, one: impl FnOnce()) {
        let start = Instant::now();
        one();
        self.0.push(start.elapsed().as_secs_f64() * 1_000.0);
        self.0.sort_by(f64::total_cmp);
    }

    fn percentile_ms(&self, percent: usize) -> f64 {
        self.0[(self.0.len() - 1) * percent / 100]
    }
}

/// What is measured, by name.
type Latencies = Vec<(&'static str, Latency)>;

fn main() {
    let asked = |flag: &str| std::env::args().any(|arg| arg == flag);
    let size = if asked("--short") { SHORT } else { FULL };
    let started = Instant::now();
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = Runtime::new().unwrap();
    let town = Town::found(&dir.path().join("data"), &runtime);
    let (rates, latencies) = measured(&size, &town, &runtime, &dir.path().join("probe"));
    let limit = rates.iter().map(|rate| rate.limit).sum::<f64>() / rates.len() as f64;
    let took = started.elapsed();
    if asked("--json") {
        print_json(&town, limit, &rates, &latencies, took);
    } else {
        print(&town, limit, &rates, &latencies, took);
    }
    // The ledger lives in threads of its own: it must end before its folder does.
    town.ledger.stop();
}

fn measured(
    size: &Size,
    town: &Town,
    runtime: &Runtime,
    probe: &std::path::Path,
) -> (Vec<Rate>, Latencies) {
    let address = serve(&town.ledger, runtime);
    let mut next = 0;
    let mut sign = |count: usize| {
        let range = next..next + count;
        next += count;
        range
            .into_par_iter()
            .map(|i| town.operation(i))
            .collect::<Vec<_>>()
    };
    let lone = sign(2 * size.lone);
    let lone: Vec<_> = lone.iter().map(Envelope::encode).collect();
    let (inside, outside) = lone.split_at(size.lone);
    let mut connection = Connection::open(address);
    let mut sync = synced(probe);
    let (mut disk, mut alone, mut remote) =
        (Latency::default(), Latency::default(), Latency::default());
    // One after the other in turn, so that what the disk does otherwise weighs on all.
    for (inside, outside) in inside.iter().zip(outside) {
        disk.time(&mut sync);
        alone.time(|| accepted(runtime.block_on(town.ledger.submit(inside))));
        remote.time(|| connection.submit(outside));
    }
    let latencies = vec![
        ("write and fdatasync of a line alone", disk),
        ("a lone write in process", alone),
        ("a lone write over HTTP", remote),
    ];
    let mut rate = |name, count, run: &dyn Fn(&[Vec<u8>])| {
        let envelopes = sign(count);
        let encoded: Vec<_> = envelopes.iter().map(Envelope::encode).collect();
        let before = verified(&envelopes, size.limit);
        let start = Instant::now();
        run(&encoded);
        let per_second = count as f64 / start.elapsed().as_secs_f64();
        let limit = (before + verified(&envelopes, size.limit)) / 2.0;
        Rate {
            name,
            count,
            per_second,
            limit,
        }
    };
    let rates = vec![
        rate("in process", size.in_process, &|all| {
            in_process(&town.ledger, all)
        }),
        rate("HTTP, 64 connections, one a request", size.single, &|all| {
            single(address, all)
        }),
        rate("HTTP, 3 connections, 2,000 a request", size.batch, &|all| {
            batched(address, all)
        }),
    ];
    (rates, latencies)
}

/// Signatures that are strictly verified a second on all cores, and nothing else.
fn verified(envelopes: &[Envelope], at_least: Duration) -> f64 {
    let some: Vec<_> = envelopes
        .iter()
        .take(4_000)
        .map(|one| (one.signed_bytes(), one.signatures()))
        .collect();
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < at_least {
        let good = some.par_iter().filter(|(bytes, signatures)| {
            signatures
                .iter()
                .all(|(key, signature)| verify(key, bytes, signature))
        });
        assert_eq!(good.count(), some.len());
        count += some.len();
    }
    count as f64 / start.elapsed().as_secs_f64()
}

fn serve(ledger: &Ledger, runtime: &Runtime) -> SocketAddr {
    let api = Api::new(ledger.clone(), "http://localhost").unwrap();
    let bound = Server::bind(
        SocketAddr::from(([127, 0, 0, 1], 0)),
        api,
        Limits::default(),
    );
    let server = runtime.block_on(bound).unwrap();
    let address = server.address().unwrap();
    runtime.spawn(server.run(std::future::pending()));
    address
}

fn accepted(answer: Answer) {
    assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
}

fn in_process(ledger: &Ledger, envelopes: &[Vec<u8>]) {
    shared(envelopes, SUBMITTERS, |part| {
        let waiting = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for some in part.chunks(AT_ONCE) {
            for pending in ledger.submit_many(some) {
                accepted(waiting.block_on(pending.answer()));
            }
        }
    });
}

fn single(address: SocketAddr, envelopes: &[Vec<u8>]) {
    shared(envelopes, CONNECTIONS, |part| {
        let mut connection = Connection::open(address);
        part.iter().for_each(|envelope| connection.submit(envelope));
    });
}

fn batched(address: SocketAddr, envelopes: &[Vec<u8>]) {
    shared(envelopes, BATCHES, |part| {
        part.chunks(BATCH)
            .for_each(|some| Connection::open(address).submit_all(some));
    });
}

/// Shares envelopes out among so many threads.
fn shared(envelopes: &[Vec<u8>], threads: usize, run: impl Fn(&[Vec<u8>]) + Sync) {
    thread::scope(|scope| {
        for part in envelopes.chunks(envelopes.len().div_ceil(threads)) {
            let run = &run;
            scope.spawn(move || run(part));
        }
    });
}

/// Appends a line to a file and has it durable: what the disk alone costs.
fn synced(path: &std::path::Path) -> impl FnMut() {
    let mut file = File::create(path).unwrap();
    move || {
        file.write_all(&[b'x'; LINE_BYTES]).unwrap();
        file.sync_data().unwrap();
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn print(town: &Town, limit: f64, rates: &[Rate], latencies: &[(&str, Latency)], took: Duration) {
    println!(
        "{} cores, {} parties, {:.0} s",
        cores(),
        town.parties(),
        took.as_secs_f64()
    );
    println!(
        "{:<40} {:>9} {:>11} {:>7}",
        "durable operations", "count", "a second", "ratio"
    );
    println!(
        "{:<40} {:>9} {limit:>11.0} {:>7.3}",
        "the limit: verify_strict on all cores", "", 1.0
    );
    for rate in rates {
        println!(
            "{:<40} {:>9} {:>11.0} {:>7.3}",
            rate.name,
            rate.count,
            rate.per_second,
            rate.ratio()
        );
    }
    println!("\n{:<40} {:>9} {:>11}", "latency", "p50 ms", "p99 ms");
    for (name, latency) in latencies {
        println!(
            "{:<40} {:>9.3} {:>11.3}",
            name,
            latency.percentile_ms(50),
            latency.percentile_ms(99)
        );
    }
}

fn print_json(
    town: &Town,
    limit: f64,
    rates: &[Rate],
    latencies: &[(&str, Latency)],
    took: Duration,
) {
    let rates = rates.iter().map(|rate| {
        json!({
            "name": rate.name, "count": rate.count, "per_second": rate.per_second, "limit_per_second": rate.limit,
            "ratio": rate.ratio(),
        })
    });
    let latencies = latencies.iter().map(
        |(name, latency)| json!({"name": name, "p50_ms": latency.percentile_ms(50), "p99_ms": latency.percentile_ms(99)}),
    );
    let all = json!({
        "cores": cores(), "parties": town.parties(), "seconds": took.as_secs_f64(),
        "verify_strict_per_second": limit, "rates": rates.collect::<Vec<_>>(),
        "latencies": latencies.collect::<Vec<_>>(),
    });
    println!("{all}");
}
