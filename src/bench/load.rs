//! Drivers: they submit deals, each in its order and all accepted, and take as little of the cores as can be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::ledger::{Answer, Ledger};

use super::deal::Deal;
use super::measure::Latencies;
use super::wire::{Connection, Request};
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

/// Work that is taken piece by piece.
struct Work<T> {
    all: Vec<T>,
    next: AtomicUsize,
}

impl<T> Work<T> {
    fn of(all: Vec<T>) -> Work<T> {
        Work {
            all,
            next: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> Option<&T> {
        self.all.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// A runtime of the calling thread alone.
pub(super) fn runtime() -> Result<Runtime> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|error| BenchError::of("the runtime", error))
}

/// Has deals accepted by the ledger of this process, by several threads.
pub(super) fn in_process(ledger: &Ledger, deals: &[Deal]) -> Result<()> {
    let longest = deals.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let chunks = Work::of(deals.chunks(AT_ONCE.div_ceil(longest)).collect());
    thread::scope(|scope| {
        let submit = || -> Result<()> {
            let runtime = runtime()?;
            while let Some(chunk) = chunks.next() {
                let envelopes: Vec<Bytes> = chunk.iter().flatten().cloned().collect();
                for pending in ledger.submit_many(envelopes) {
                    accepted(runtime.block_on(pending.answer()))?;
                }
            }
            Ok(())
        };
        let threads = (0..SUBMITTERS.min(chunks.all.len())).map(|_| scope.spawn(submit));
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

/// Has what is asked accepted over so many connections, one request after the other of each row.
pub(super) fn over_http(
    address: SocketAddr,
    connections: usize,
    rows: Vec<Vec<Request>>,
) -> Result<Answered> {
    let each = clients(connections, rows, move |rows| async move {
        let mut connection = Connection::open(address).await?;
        let mut answered = Answered::default();
        while let Some(row) = rows.next() {
            for request in row {
                one(&mut connection, request, &mut answered).await?;
            }
        }
        Ok(answered)
    })?;
    let mut all = Answered::default();
    for answered in each {
        all.latencies.append(answered.latencies);
        all.errors += answered.errors;
    }
    Ok(all)
}

/// Runs so many clients on the calling thread, all of which take from the same work. What each came to, or the first
/// thing that went wrong.
fn clients<W, C, R>(
    count: usize,
    work: Vec<W>,
    client: impl Fn(Arc<Work<W>>) -> C,
) -> Result<Vec<R>>
where
    C: Future<Output = Result<R>> + Send + 'static,
    R: Send + 'static,
{
    let work = Arc::new(Work::of(work));
    runtime()?.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            tasks.spawn(client(Arc::clone(&work)));
        }
        let mut all = Vec::with_capacity(count);
        while let Some(ended) = tasks.join_next().await {
            all.push(ended.map_err(|error| BenchError::of("a client", error))??);
        }
        Ok(all)
    })
}

/// Sends an operation until it is an entry; only too much to do lets it try again.
async fn one(
    connection: &mut Connection,
    request: &Request,
    answered: &mut Answered,
) -> Result<()> {
    let start = Instant::now();
    loop {
        let (status, body) = connection.submit(request).await?;
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

/// Has batches accepted over so many connections; each with how many operations it has.
pub(super) fn batched(
    address: SocketAddr,
    connections: usize,
    batches: Vec<(usize, Request)>,
) -> Result<()> {
    clients(connections, batches, move |batches| async move {
        while let Some((count, batch)) = batches.next() {
            let connection = Connection::open(address).await?;
            connection.submit_all(*count, batch).await?;
        }
        Ok(())
    })
    .map(drop::<Vec<()>>)
}
