//! Drivers: they submit deals, each in its order and all accepted, and take as little of the cores as can be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::ledger::{Answer, Ledger};

use super::deal::Deal;
use super::measure::Latencies;
use super::wire::Connection;
use super::{BenchError, Result};

/// Threads that submit in process, and envelopes that each submits at once: together less than may wait.
const SUBMITTERS: usize = 8;
const AT_ONCE: usize = 1_000;
/// How long one waits after an answer that there is too much to do.
const AGAIN: Duration = Duration::from_millis(20);

/// What came of requests.
#[derive(Debug, Default)]
pub(super) struct Answered {
    pub(super) latencies: Latencies,
    /// Requests that were not answered with an entry at once.
    pub(super) errors: usize,
}

/// A runtime of the calling thread alone.
pub(super) fn runtime() -> Result<Runtime> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|error| BenchError::of("the runtime", error))
}

/// Has deals accepted by the ledger of this process, by several threads.
pub(super) fn in_process(ledger: &Ledger, deals: &[Deal]) -> Result<()> {
    let next = AtomicUsize::new(0);
    let longest = deals.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let chunks: Vec<_> = deals.chunks(AT_ONCE.div_ceil(longest)).collect();
    thread::scope(|scope| {
        let submit = || -> Result<()> {
            let runtime = runtime()?;
            while let Some(chunk) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
                let envelopes = chunk.iter().flatten().cloned().collect();
                for pending in ledger.submit_many::<Vec<u8>>(envelopes) {
                    accepted(runtime.block_on(pending.answer()))?;
                }
            }
            Ok(())
        };
        let threads = (0..SUBMITTERS.min(chunks.len())).map(|_| scope.spawn(submit));
        joined(threads.collect())
    })
}

/// Waits for all, and returns the first thing that went wrong.
fn joined(threads: Vec<thread::ScopedJoinHandle<'_, Result<()>>>) -> Result<()> {
    let ended = threads.into_iter().map(|thread| {
        let panicked = |_| Err(BenchError::of("a thread that submits", "it broke"));
        thread.join().unwrap_or_else(panicked)
    });
    ended.collect::<Vec<_>>().into_iter().collect()
}

fn accepted(answer: Answer) -> Result<()> {
    match answer {
        Answer::Accepted { .. } => Ok(()),
        Answer::Refused { refusal, .. } | Answer::Malformed(refusal) | Answer::Closed(refusal) => {
            Err(BenchError::of(refusal.rule, refusal))
        }
        other => Err(BenchError::of("an operation", format!("{other:?}"))),
    }
}

/// Has the first `of_each` operations of every deal accepted over so many connections, one a request. One thread
/// drives them all.
pub(super) fn over_http(
    address: SocketAddr,
    connections: usize,
    deals: Vec<Deal>,
    of_each: usize,
) -> Result<Answered> {
    let shared = Arc::new((deals, AtomicUsize::new(0)));
    runtime()?.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            let shared = Arc::clone(&shared);
            tasks.spawn(async move {
                let (deals, next) = &*shared;
                let mut connection = Connection::open(address).await?;
                let mut answered = Answered::default();
                while let Some(deal) = deals.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for envelope in deal.iter().take(of_each) {
                        one(&mut connection, envelope, &mut answered).await?;
                    }
                }
                Ok(answered)
            });
        }
        let mut all = Answered::default();
        while let Some(ended) = tasks.join_next().await {
            let answered: Answered = ended.map_err(|error| BenchError::of("a client", error))??;
            all.latencies.append(answered.latencies);
            all.errors += answered.errors;
        }
        Ok(all)
    })
}

/// Sends an operation until it is an entry; only too much to do lets it try again.
async fn one(connection: &mut Connection, envelope: &[u8], answered: &mut Answered) -> Result<()> {
    let start = Instant::now();
    loop {
        let (status, body) = connection.submit(envelope).await?;
        match status {
            201 => break,
            503 => answered.errors += 1,
            _ => return Err(BenchError::of(status, body)),
        }
        tokio::time::sleep(AGAIN).await;
    }
    answered.latencies.since(start);
    Ok(())
}

/// Has deals accepted over so many connections, `at_once` deals a request.
pub(super) fn batched(
    address: SocketAddr,
    connections: usize,
    deals: &[Deal],
    at_once: usize,
) -> Result<()> {
    let batches: Vec<(usize, Vec<u8>)> = deals
        .chunks(at_once)
        .map(|chunk| {
            (
                chunk.iter().map(Vec::len).sum(),
                chunk.concat().join(&b'\n'),
            )
        })
        .collect();
    let shared = Arc::new((batches, AtomicUsize::new(0)));
    runtime()?.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            let shared = Arc::clone(&shared);
            tasks.spawn(async move {
                let (batches, next) = &*shared;
                while let Some((count, body)) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    Connection::open(address)
                        .await?
                        .submit_all(*count, body)
                        .await?;
                }
                Ok(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|error| BenchError::of("a client", error))??;
        }
        Ok(())
    })
}
