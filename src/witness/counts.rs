//! What an operator watches, in Prometheus' text format.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Witness;
use super::judge::Suspicion;

/// The statuses of answers to add-checkpoint.
const STATUSES: [u16; 7] = [200, 400, 403, 404, 409, 422, 500];
const SUSPICIONS: [(Suspicion, &str); 2] =
    [(Suspicion::Fork, "fork"), (Suspicion::Unproven, "unproven")];

/// Counts since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    answers: [AtomicU64; STATUSES.len()],
    suspicions: [AtomicU64; SUSPICIONS.len()],
}

impl Counts {
    /// A request was answered.
    pub(super) fn answered(&self, status: u16) {
        let of = STATUSES.iter().zip(&self.answers);
        of.filter(|(named, _)| **named == status)
            .for_each(|(_, count)| {
                count.fetch_add(1, Ordering::Relaxed);
            });
    }

    /// A checkpoint is kept as evidence.
    pub(super) fn suspected(&self, suspicion: Suspicion) {
        let of = SUSPICIONS.iter().zip(&self.suspicions);
        of.filter(|((named, _), _)| *named == suspicion)
            .for_each(|(_, count)| {
                count.fetch_add(1, Ordering::Relaxed);
            });
    }
}

impl Witness {
    /// Answers by status, evidence by kind, and for each log what was last cosigned.
    pub(super) fn metrics(&self) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, rows: Vec<(String, u64)>| {
            let name = format!("counterfoil_witness_{name}");
            let rows = rows
                .iter()
                .map(|(label, n)| format!("{name}{{{label}}} {n}\n"));
            let rows: String = rows.collect();
            // Writing to a string does not fail.
            write!(text, "# TYPE {name} {kind}\n{rows}").ok();
        };
        let count = |label: String, count: &AtomicU64| (label, count.load(Ordering::Relaxed));
        let answers = STATUSES.iter().zip(&self.counts.answers);
        let answers = answers.map(|(status, n)| count(format!("status=\"{status}\""), n));
        metric("answers_total", "counter", answers.collect());
        let kept = SUSPICIONS.iter().zip(&self.counts.suspicions);
        let kept = kept.map(|((_, kind), n)| count(format!("kind=\"{kind}\""), n));
        metric("evidence_total", "counter", kept.collect());
        let newest: Vec<_> = self
            .logs
            .values()
            .map(|log| (label_of(&log.origin), log.record.newest()))
            .collect();
        let sizes = newest.iter().map(|(label, newest)| {
            let size = newest.as_ref().map_or(0, |newest| newest.checkpoint.size);
            (label.clone(), size)
        });
        metric("log_size", "gauge", sizes.collect());
        let times = newest.iter().filter_map(|(label, newest)| {
            let time_s = newest.as_ref()?.time_s;
            Some((label.clone(), time_s))
        });
        metric("log_cosigned_timestamp_seconds", "gauge", times.collect());
        text
    }
}

fn label_of(origin: &str) -> String {
    let escaped = origin.replace('\\', "\\\\").replace('"', "\\\"");
    format!("log=\"{escaped}\"")
}
