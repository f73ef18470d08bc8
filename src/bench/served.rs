//! Over HTTP on loopback, server and clients on the same cores.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::api::{Api, Limits, Server};
use crate::client::Client;
use crate::domain::objects::{Runs, Stage};
use crate::ledger::Ledger;

use super::deal::{self, Kind};
use super::machine::synced;
use super::measure::{Latencies, plain, signed};
use super::report::{Aim, Figure};
use super::town::{Party, Town};
use super::wire::{Connection, Request};
use super::{BenchError, Result, Run, load};

/// Connections of batches, and deals in each.
const BATCHES: usize = 3;
const BATCH: usize = 100;
/// Figures of single operations: connections, and what is aimed at.
const SINGLE: [(&str, usize, &[Aim]); 3] = [
    ("http_1", 1, &[]),
    (
        "http_64",
        64,
        &[Aim::RatioAtLeast(0.3), Aim::P99AtMost(15.0)],
    ),
    ("http_512", 512, &[Aim::P99AtMost(60.0), Aim::NoError]),
];

/// A server of the ledger, for as long as it is kept.
struct Served {
    address: SocketAddr,
    base: String,
    _runtime: Runtime,
}

impl Run<'_> {
    /// The figures over HTTP.
    pub(super) fn served(&mut self, town: &mut Town, ledger: &Ledger) -> Result<()> {
        let served = serve(ledger)?;
        let counts = [self.size.http_1, self.size.http_64, self.size.http_512];
        for ((name, connections, aims), count) in SINGLE.into_iter().zip(counts) {
            if self.asked(&[name]) {
                let figure = self.single(
                    name,
                    connections,
                    &town.deals(ledger, Kind::Mix, count)?,
                    served.address,
                )?;
                self.figures.push(figure.aims(aims));
            }
        }
        if self.asked(&["http_batch"]) {
            let deals = town.deals(ledger, Kind::Mix, self.size.batch)?;
            let limit = self.limit(&deals)?;
            let batches = deals.chunks(BATCH).map(|deals| {
                let lines = deals.concat().join(&b'\n');
                (deal::count(deals), Request::submit_all(&lines))
            });
            let batches = batches.collect();
            let rate = limit.around(deal::count(&deals), || {
                load::batched(served.address, BATCHES, batches)
            })?;
            self.figures
                .push(Figure::rate("http_batch", &rate).aims(&[Aim::RatioAtLeast(0.65)]));
        }
        if self.asked(&["lone_write"]) {
            let figure = self.lone(town, ledger, served.address)?;
            self.figures.push(figure);
        }
        if self.asked(&["read_under_load"]) {
            let figure = self.read(town, ledger, &served)?;
            self.figures.push(figure);
        }
        Ok(())
    }

    fn single(
        &self,
        name: &'static str,
        connections: usize,
        deals: &[deal::Deal],
        address: SocketAddr,
    ) -> Result<Figure> {
        // A single connection shows whole deals, so that every kind of operation is sent.
        let of_each = if connections == 1 {
            usize::MAX
        } else {
            self.size.of_each
        };
        let limit = self.limit(deals)?;
        let submit = |deal: &deal::Deal| -> Vec<Request> {
            let envelopes = deal.iter().take(of_each);
            envelopes.map(|one| Request::submit(one)).collect()
        };
        let rows: Vec<_> = deals.iter().map(submit).collect();
        let count = rows.iter().map(Vec::len).sum();
        let mut answered = load::Answered::default();
        let rate = limit.around(count, || {
            answered = load::over_http(address, connections, rows)?;
            Ok(())
        })?;
        let figure = Figure::rate(name, &rate);
        Ok(figure.timed(&answered.latencies).failed(answered.errors))
    }

    /// A write while nobody else writes, against what it cannot do without: a line that is made durable, a signature
    /// checked, a signature made. All in turn, so that what the disk does otherwise weighs on all.
    fn lone(&self, town: &mut Town, ledger: &Ledger, address: SocketAddr) -> Result<Figure> {
        let deals = town.deals(ledger, Kind::Mix, self.size.lone)?;
        let signed = signed(&deals)?;
        let (mut sync, runtime) = (synced(&self.options.folder.join("lone"))?, load::runtime()?);
        let mut connection = runtime.block_on(Connection::open(address))?;
        let [mut disk, mut verify, mut sign, mut write] = [(); 4].map(|()| Latencies::default());
        for (envelope, signed) in deals.iter().flatten().zip(&signed) {
            disk.time(&mut sync)?;
            verify.time(|| std::hint::black_box(plain(std::slice::from_ref(signed))));
            sign.time(|| town.signed(&[&town.lenders[0]], "", &serde_json::Value::Null))?;
            let request = Request::submit(envelope);
            let (status, said) = write.time(|| runtime.block_on(connection.submit(&request)))?;
            if status != 201 {
                return Err(BenchError::of(status, said));
            }
        }
        let least = [&disk, &verify, &sign].map(|each| each.percentiles().p50_ms);
        let ratio = write.percentiles().p50_ms / least.iter().sum::<f64>();
        Ok(Figure::latency("lone_write", &write)
            .over(ratio)
            .aims(&[Aim::RatioAtMost(3.0)]))
    }

    /// Reads of one receivable, one after the other, while the pipeline takes all it can.
    fn read(&self, town: &mut Town, ledger: &Ledger, served: &Served) -> Result<Figure> {
        let deals = town.deals(ledger, Kind::Mix, self.size.reads)?;
        let path = format!(
            "/v1/receivables/{}",
            confirmed(ledger, &town.suppliers[0].party)?
        );
        let token = token(&served.base, &town.suppliers[0].party)?;
        let done = AtomicBool::new(false);
        let latencies = thread::scope(|scope| {
            let reads = scope.spawn(|| reads(served.address, &path, &token, &done));
            let written = load::in_process(ledger, &deals);
            done.store(true, Ordering::Relaxed);
            let read = reads
                .join()
                .map_err(|_| BenchError::of("the reader", "it broke"))?;
            written.and(read)
        })?;
        Ok(Figure::latency("read_under_load", &latencies).aims(&[Aim::P99AtMost(20.0)]))
    }
}

fn reads(address: SocketAddr, path: &str, token: &str, done: &AtomicBool) -> Result<Latencies> {
    load::runtime()?.block_on(async {
        let mut connection = Connection::open(address).await?;
        let request = Request::read(path, token);
        let mut latencies = Latencies::default();
        while !done.load(Ordering::Relaxed) {
            let start = Instant::now();
            let (status, said) = connection.read(&request).await?;
            latencies.since(start);
            if status != 200 {
                return Err(BenchError::of(format!("{path}: {status}"), said));
            }
        }
        Ok(latencies)
    })
}

/// A receivable of the supplier with the most runs.
fn confirmed(ledger: &Ledger, supplier: &Party) -> Result<String> {
    let found = load::runtime()?.block_on(ledger.read(|at| {
        let all = at.state.receivables.iter();
        let own = all.filter(|one| {
            matches!(one.stage, Stage::Confirmed(_)) && one.supplier.to_string() == supplier.id
        });
        let most = own.max_by_key(|one| one.runs().map(Runs::count));
        most.map(|one| one.id.to_string())
    }));
    let found = found.map_err(|error| BenchError::of("the ledger", error))?;
    found.ok_or_else(|| BenchError::of("the ledger", "it has no receivable to read"))
}

fn token(base: &str, party: &Party) -> Result<String> {
    let mut client = Client::new(base);
    client
        .open_session(&party.id, &party.key)
        .map_err(|error| BenchError::of("a session", error))?;
    Ok(client.token().unwrap_or_default().to_owned())
}

fn serve(ledger: &Ledger) -> Result<Served> {
    let failed = |error: &dyn std::fmt::Display| BenchError::of("the server", error);
    let runtime = Runtime::new().map_err(|error| failed(&error))?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.map_err(|error| failed(&error))?;
    let address = listener.local_addr().map_err(|error| failed(&error))?;
    let base = format!("http://{address}");
    let api = Api::new(ledger.clone(), base.clone()).map_err(|error| failed(&error))?;
    let server = Server::on(listener, api, Limits::default());
    runtime.spawn(server.run(pending()));
    Ok(Served {
        address,
        base,
        _runtime: runtime,
    })
}
