//! What was measured, as a table and as JSON.

use serde_json::{Map, Value, json};

use super::measure::{Latencies, Rate};

/// Every figure by its stable name, and what it is, in the order in which they are shown.
pub const NAMES: &[(&str, &str)] = &[
    ("verify_plain", "verify_strict on all cores: the limit"),
    ("verify_ledger", "the ledger's verification, repeat signers"),
    ("sha256", "SHA-256 of 700 bytes, all cores"),
    ("append_sync", "append of 700 bytes and fdatasync"),
    ("pipeline", "durable operations, in process"),
    ("tree_in_step", "of this the tree's hashes, of all cores"),
    ("receipt", "a witnessed proof, a million entries"),
    ("http_1", "HTTP, 1 connection, one a request"),
    ("http_64", "HTTP, 64 connections, one a request"),
    ("http_512", "HTTP, 512 connections, one a request"),
    ("http_batch", "HTTP, 3 connections, 2,000 a request"),
    ("lone_write", "a lone HTTP write, against its least cost"),
    (
        "read_under_load",
        "HTTP read of a receivable, writing flat out",
    ),
    ("audit", "audit: signatures, rules, invariants"),
    ("start_up", "start-up: chain and rules"),
    ("memory_per_entry", "resident memory per entry, usual mix"),
    ("disk_per_entry", "disk per entry, usual mix"),
    ("index_per_entry", "of this the index, usual mix"),
    ("memory_per_run", "resident memory per stored run"),
    ("disk_per_run", "disk per stored run"),
    ("growth", "durable operations, largest against smallest"),
];

/// What a figure is to reach on two cores, the load driver beside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aim {
    /// The ratio.
    RatioAtLeast(f64),
    /// The ratio.
    RatioAtMost(f64),
    /// Milliseconds.
    P99AtMost(f64),
    /// In the figure's own unit.
    ValueAtMost(f64),
    /// Every request is answered with what was asked.
    NoError,
}

/// How long one of a hundred or of a thousand waits, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    /// The median.
    pub p50_ms: f64,
    /// One of a hundred waits longer.
    pub p99_ms: f64,
    /// One of a thousand waits longer.
    pub p999_ms: f64,
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Of [`NAMES`].
    pub name: &'static str,
    /// How many were measured.
    pub count: usize,
    /// What came out.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// To the limit, or to what the name says.
    pub ratio: Option<f64>,
    /// How long one waited.
    pub latency: Option<Percentiles>,
    /// Requests that did not get what they asked.
    pub errors: Option<usize>,
    /// What is aimed at.
    pub aims: &'static [Aim],
}

impl Figure {
    pub(super) fn value(
        name: &'static str,
        count: usize,
        value: f64,
        unit: &'static str,
    ) -> Figure {
        Figure {
            name,
            count,
            value,
            unit,
            ratio: None,
            latency: None,
            errors: None,
            aims: &[],
        }
    }

    pub(super) fn rate(name: &'static str, rate: &Rate) -> Figure {
        Figure::value(name, rate.count, rate.per_second, "operations/s").over(rate.ratio())
    }

    /// Its value is the median.
    pub(super) fn latency(name: &'static str, latencies: &Latencies) -> Figure {
        let median = latencies.percentiles().p50_ms;
        Figure::value(name, latencies.count(), median, "ms").timed(latencies)
    }

    pub(super) fn over(self, ratio: f64) -> Figure {
        Figure {
            ratio: Some(ratio),
            ..self
        }
    }

    pub(super) fn timed(self, latencies: &Latencies) -> Figure {
        Figure {
            latency: Some(latencies.percentiles()),
            ..self
        }
    }

    pub(super) fn failed(self, errors: usize) -> Figure {
        Figure {
            errors: Some(errors),
            ..self
        }
    }

    pub(super) fn aims(self, aims: &'static [Aim]) -> Figure {
        Figure { aims, ..self }
    }

    /// What the figure is.
    pub fn about(&self) -> &'static str {
        let known = NAMES.iter().find(|(name, _)| *name == self.name);
        known.map_or(self.name, |(_, about)| about)
    }

    fn meets(&self, aim: Aim) -> bool {
        let p99_ms = self.latency.map(|latency| latency.p99_ms);
        match aim {
            Aim::RatioAtLeast(least) => self.ratio.is_some_and(|ratio| ratio >= least),
            Aim::RatioAtMost(most) => self.ratio.is_some_and(|ratio| ratio <= most),
            Aim::P99AtMost(most) => p99_ms.is_some_and(|p99_ms| p99_ms <= most),
            Aim::ValueAtMost(most) => self.value <= most,
            Aim::NoError => self.errors == Some(0),
        }
    }

    /// `judged` where it is said whether aims are met: a short run says nothing of that.
    fn cells(&self, judged: bool) -> Vec<String> {
        let ms = |pick: fn(&Percentiles) -> f64| {
            self.latency
                .as_ref()
                .map_or(String::new(), |latency| format!("{:.3}", pick(latency)))
        };
        let mut cells = vec![
            self.about().to_owned(),
            number(self.value),
            self.unit.to_owned(),
            self.ratio
                .map_or(String::new(), |ratio| format!("{ratio:.3}")),
        ];
        cells.extend([ms(|l| l.p50_ms), ms(|l| l.p99_ms), ms(|l| l.p999_ms)]);
        let aims = self
            .aims
            .iter()
            .map(|aim| match (judged, self.meets(*aim)) {
                (true, true) => format!("{aim} met"),
                (true, false) => format!("{aim} missed"),
                (false, _) => aim.to_string(),
            });
        cells.push(aims.collect::<Vec<_>>().join("; "));
        cells
    }

    fn json(&self, judged: bool) -> Value {
        let mut all = json!({
            "about": self.about(), "count": self.count, "value": self.value, "unit": self.unit,
        });
        if let Some(ratio) = self.ratio {
            all["ratio"] = json!(ratio);
        }
        if let Some(latency) = self.latency {
            all["p50_ms"] = json!(latency.p50_ms);
            all["p99_ms"] = json!(latency.p99_ms);
            all["p999_ms"] = json!(latency.p999_ms);
        }
        if let Some(errors) = self.errors {
            all["errors"] = json!(errors);
        }
        let aims = self.aims.iter().map(|aim| match judged {
            true => json!({"aim": aim.to_string(), "met": self.meets(*aim)}),
            false => json!({"aim": aim.to_string()}),
        });
        if !self.aims.is_empty() {
            all["aims"] = aims.collect();
        }
        all
    }
}

impl std::fmt::Display for Aim {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Aim::RatioAtLeast(least) => write!(to, "ratio >= {least}"),
            Aim::RatioAtMost(most) => write!(to, "ratio <= {most}"),
            Aim::P99AtMost(most) => write!(to, "p99 <= {most} ms"),
            Aim::ValueAtMost(most) => write!(to, "<= {most}"),
            Aim::NoError => write!(to, "no error"),
        }
    }
}

/// A ledger of some size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Stored runs when it was measured.
    pub runs: u64,
    /// Entries then.
    pub entries: u64,
    /// Durable operations a second of the usual mix, in process.
    pub per_second: f64,
    /// To the limit at that time.
    pub ratio: f64,
    /// Memory that a process takes for it, once it has opened it.
    pub resident_bytes: u64,
    /// Its folder: entries, head and index.
    pub disk_bytes: u64,
}

/// All that one run measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Of the machine.
    pub cores: usize,
    /// On the ledgers that were measured.
    pub parties: usize,
    /// Whether it was just a try, on amounts too small to say anything.
    pub short: bool,
    /// In the order in which they were measured.
    pub figures: Vec<Figure>,
    /// From the smallest ledger to the largest.
    pub growth: Vec<Point>,
    /// That the run took.
    pub seconds: f64,
}

impl Report {
    /// Heads and rows.
    pub fn table(&self) -> (&'static [&'static str], Vec<Vec<String>>) {
        let heads = &[
            "figure", "value", "unit", "ratio", "p50 ms", "p99 ms", "p99.9 ms", "aim",
        ];
        let rows = self.figures.iter().map(|figure| figure.cells(!self.short));
        (heads, rows.collect())
    }

    /// What the table stands under.
    pub fn head(&self) -> String {
        let Report {
            cores,
            parties,
            seconds,
            ..
        } = self;
        let short = if self.short {
            "a short run, which says nothing of speed; "
        } else {
            ""
        };
        format!("{short}{cores} cores, {parties} parties, {seconds:.0} s")
    }

    /// The same for machines; names and units stay.
    pub fn json(&self) -> Value {
        let figures: Map<_, _> = self
            .figures
            .iter()
            .map(|figure| (figure.name.to_owned(), figure.json(!self.short)))
            .collect();
        let growth = self.growth.iter().map(|point| {
            json!({
                "runs": point.runs, "entries": point.entries, "per_second": point.per_second, "ratio": point.ratio,
                "resident_bytes": point.resident_bytes, "disk_bytes": point.disk_bytes,
            })
        });
        json!({
            "cores": self.cores, "parties": self.parties, "short": self.short, "seconds": self.seconds,
            "figures": figures, "growth": growth.collect::<Vec<_>>(),
        })
    }
}

/// A number as people read it: with commas, and decimals only where it is small.
fn number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.3}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_and_small_ones_decimals() {
        assert_eq!(number(1_234_567.4), "1,234,567");
        assert_eq!(number(123.0), "123");
        assert_eq!(number(0.7654), "0.765");
    }

    #[test]
    fn an_aim_is_met_or_missed_by_what_was_measured() {
        let figure = Figure::value("http_512", 1, 500.0, "operations/s")
            .over(0.3)
            .failed(0);
        for (aim, met) in [
            (Aim::RatioAtLeast(0.3), true),
            (Aim::RatioAtLeast(0.31), false),
            (Aim::RatioAtMost(0.29), false),
            (Aim::P99AtMost(9.0), false),
            (Aim::ValueAtMost(500.0), true),
            (Aim::NoError, true),
        ] {
            assert_eq!(figure.meets(aim), met, "{aim}");
        }
        assert!(!figure.failed(1).meets(Aim::NoError));
    }
}
