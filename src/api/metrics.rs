//! `/metrics`: what an operator watches, in Prometheus' text format. No label names a party, an object, a rule or an
//! address; and only the operator's own addresses read it, for a sum of everybody's traffic tells of others' too.

use std::fs;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use warp::http::StatusCode;

use super::Api;
use super::peer::Peer;
use super::problem::Problem;
use super::reply::{Handled, text};

/// How often what was measured is put into its buckets: until then each measurement takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
const ENTRIES: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 4_096.0,
];

/// The one recorder of the process; none where another library has set one.
static RECORDER: LazyLock<Option<PrometheusHandle>> = LazyLock::new(|| {
    let builder = PrometheusBuilder::new();
    let builder = builder
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_batch_entries".to_owned()), ENTRIES)
        });
    let handle = builder.and_then(PrometheusBuilder::install_recorder).ok()?;
    describe();
    Some(handle)
});

fn describe() {
    describe_counter!("counterfoil_requests_total", "Requests answered");
    describe_histogram!(
        "counterfoil_request_seconds",
        Unit::Seconds,
        "Until the answer began"
    );
    describe_gauge!("counterfoil_connections", "Open connections");
    describe_counter!(
        "counterfoil_connections_refused_total",
        "Connections closed at once: no room"
    );
    describe_counter!(
        "counterfoil_connections_gave_way_total",
        "Connections closed for newcomers"
    );
    describe_counter!(
        "counterfoil_rate_limited_total",
        "Requests refused: their address sends too many"
    );
    describe_counter!(
        "counterfoil_bad_signatures_total",
        "Signatures that do not verify or are nobody's"
    );
    describe_counter!(
        "counterfoil_operations_total",
        "Operations answered, by how"
    );
    describe_gauge!("counterfoil_sessions", "Sessions that have not ended");
    describe_gauge!("counterfoil_streams", "Open streams of events");
    describe_gauge!("counterfoil_entries", "Durable entries");
    describe_gauge!(
        "counterfoil_queue_operations",
        "Operations that wait to be judged"
    );
    describe_gauge!(
        "counterfoil_queue_bytes",
        Unit::Bytes,
        "Bytes of their envelopes"
    );
    describe_histogram!("counterfoil_batch_entries", "Entries made durable at once");
    describe_histogram!(
        "counterfoil_commit_seconds",
        Unit::Seconds,
        "Until they were durable"
    );
    describe_gauge!(
        "process_resident_memory_bytes",
        Unit::Bytes,
        "Memory in use"
    );
}

/// Begins to measure, before anything is to be measured.
pub(super) fn begin() {
    LazyLock::force(&RECORDER);
}

/// Keeps the measurements small, for as long as it is polled.
pub(super) async fn upkeep() {
    loop {
        tokio::time::sleep(UPKEEP).await;
        if let Some(recorder) = &*RECORDER {
            recorder.run_upkeep();
        }
    }
}

/// Methods that are named, and the rest: anybody can make up another.
pub(super) const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "other",
];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What is measured of the answers of one route. To count takes less than to find a counter by its labels, so what was
/// found is kept.
pub(super) struct Answers {
    route: &'static str,
    took: OnceLock<Histogram>,
    /// By method and class of status.
    count: [[OnceLock<Counter>; CLASSES.len()]; METHODS.len()],
}

impl Answers {
    pub(super) fn of(route: &'static str) -> Answers {
        Answers {
            route,
            took: OnceLock::new(),
            count: Default::default(),
        }
    }

    /// One request was answered, by one of [`METHODS`].
    pub(super) fn add(&self, method: usize, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        let route = self.route;
        let count = self.count[method][class].get_or_init(|| {
            let (method, class) = (METHODS[method], CLASSES[class]);
            counter!("counterfoil_requests_total", "method" => method, "route" => route, "status" => class)
        });
        count.increment(1);
        let seconds = || histogram!("counterfoil_request_seconds", "route" => route);
        self.took.get_or_init(seconds).record(took);
    }
}

pub(super) fn connections_open(count: usize) {
    gauge!("counterfoil_connections").set(float(count));
}

pub(super) fn connection_refused() {
    counter!("counterfoil_connections_refused_total").increment(1);
}

pub(super) fn connection_gave_way() {
    counter!("counterfoil_connections_gave_way_total").increment(1);
}

pub(super) fn rate_limited() {
    counter!("counterfoil_rate_limited_total").increment(1);
}

pub(super) fn bad_signature() {
    counter!("counterfoil_bad_signatures_total").increment(1);
}

/// How an operation is answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    Accepted,
    Repeat,
    Refused,
    Malformed,
    Closed,
    Busy,
    Stopped,
}

/// In the order of [`Outcome`].
static OPERATIONS: LazyLock<[Counter; 7]> = LazyLock::new(|| {
    begin();
    let results = [
        "accepted",
        "repeat",
        "refused",
        "malformed",
        "closed",
        "busy",
        "stopped",
    ];
    results.map(|result| counter!("counterfoil_operations_total", "result" => result))
});

/// One operation was answered.
pub(super) fn operation(outcome: Outcome) {
    OPERATIONS[outcome as usize].increment(1);
}

/// Gauges are 64-bit floating-point numbers, exact up to 2^53.
fn float(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}

impl Api {
    /// `GET /metrics`: for the operator's addresses; to others there is nothing here.
    pub(super) fn metrics(&self, peer: &Peer) -> Handled {
        let recorder = RECORDER.as_ref().filter(|_| peer.measures);
        let recorder = recorder.ok_or_else(Problem::not_found)?;
        let waiting = self.ledger.waiting();
        gauge!("counterfoil_sessions").set(float(self.sessions.count()));
        gauge!("counterfoil_streams").set(float(self.streams.count()));
        gauge!("counterfoil_queue_operations").set(float(waiting.tickets));
        gauge!("counterfoil_queue_bytes").set(float(waiting.bytes));
        let entries = usize::try_from(self.ledger.published().size).unwrap_or(usize::MAX);
        gauge!("counterfoil_entries").set(float(entries));
        if let Some(kib) = resident_kib() {
            gauge!("process_resident_memory_bytes").set(float(kib) * 1_024.0);
        }
        Ok(text(recorder.render()))
    }
}

/// Resident memory, where the system tells (proc(5)).
fn resident_kib() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
