//! How long it takes to be told that something is not there: of what exists and is not the reader's, against what never
//! existed. A measurement, not a check: it runs where `COUNTERFOIL_TIMING` says how many answers to time.

use std::time::Instant;

use serde_json::json;

use super::answers::Reader;
use super::scene::Scene;
use super::table::{TABLE, sees};

/// Two ways to ask for what is not there, and what each took, in nanoseconds.
struct Compared {
    what: &'static str,
    unseen: Vec<u64>,
    absent: Vec<u64>,
}

impl Compared {
    /// Median and 99th percentile of both, and of two answers, one of each, how often the unseen took longer: 0.5
    /// where nothing tells them apart (Mann-Whitney), with how many standard deviations that lies away from it.
    fn print(mut self) {
        self.unseen.sort_unstable();
        self.absent.sort_unstable();
        let at = |all: &[u64], part: usize| all[(all.len() - 1) * part / 1_000] as f64 / 1_000.0;
        let longer: usize = self
            .unseen
            .iter()
            .map(|one| {
                let below = self.absent.partition_point(|other| other < one);
                let up_to = self.absent.partition_point(|other| other <= one);
                below + up_to
            })
            .sum();
        let (m, n) = (self.unseen.len() as f64, self.absent.len() as f64);
        let share = longer as f64 / (2.0 * m * n);
        let deviation = ((m + n + 1.0) / (12.0 * m * n)).sqrt();
        println!(
            "{:<12} unseen {:>7.1} µs (p99 {:>7.1})  absent {:>7.1} µs (p99 {:>7.1})  P(unseen longer) {share:.4}, z {:+.1}",
            self.what,
            at(&self.unseen, 500),
            at(&self.unseen, 990),
            at(&self.absent, 500),
            at(&self.absent, 990),
            (share - 0.5) / deviation,
        );
    }
}

/// Times both in turn, the first of a pair by a throw of a coin.
fn compare(what: &'static str, samples: usize, mut ask: impl FnMut(usize, bool)) -> Compared {
    let (mut unseen, mut absent) = (Vec::new(), Vec::new());
    let mut coin: u64 = 0x9e37_79b9_7f4a_7c15;
    for round in 0..samples / 2 {
        coin ^= coin << 13;
        coin ^= coin >> 7;
        coin ^= coin << 17;
        let first = coin & 1 == 0;
        for is_unseen in [first, !first] {
            let began = Instant::now();
            ask(round, is_unseen);
            let took = u64::try_from(began.elapsed().as_nanos()).unwrap();
            match is_unseen {
                true => unseen.push(took),
                false => absent.push(took),
            }
        }
    }
    Compared {
        what,
        unseen,
        absent,
    }
}

/// An id that might be: the same with its letters turned.
fn absent(id: &str, round: usize) -> String {
    let (prefix, rest) = id.split_once('_').unwrap();
    let (head, tail) = rest.split_at(1 + round % 24);
    let turned: String = tail.chars().rev().collect();
    format!("{prefix}_{head}{turned}")
}

#[test]
fn what_is_unseen_is_answered_as_soon_as_what_is_absent() {
    let Some(samples) = std::env::var("COUNTERFOIL_TIMING").ok() else {
        println!("skipped: COUNTERFOIL_TIMING=20000 measures");
        return;
    };
    let samples: usize = samples.parse().unwrap();
    let scene = Scene::played();
    let reader = Reader::of(&scene, "stranger");
    let unseen: Vec<_> = TABLE.iter().filter(|row| !sees(row, "stranger")).collect();
    let paths = |round: usize| {
        let (kind, name, _) = unseen[round % unseen.len()];
        let id = scene.id(name);
        [
            format!("/v1/{kind}/{id}"),
            format!("/v1/{kind}/{}", absent(id, round)),
        ]
    };
    let get = |path: &str| assert_eq!(reader.get(path).status, 404, "{path}");
    compare("objects", samples, |round, is_unseen| {
        let [there, none] = paths(round);
        get(if is_unseen { &there } else { &none });
    })
    .print();
    let size = scene.entries.last().unwrap().n;
    compare("entries", samples, |round, is_unseen| {
        // Those of the first trade: the stranger's own admission is before them.
        let n = 20 + round as u64 % (size - 20);
        get(&format!(
            "/v1/entries/{}",
            if is_unseen { n } else { n + 1_000_000 }
        ));
    })
    .print();
    let ops: Vec<&str> = scene.entries[20..]
        .iter()
        .map(|entry| entry.op_id.as_str())
        .collect();
    compare("operations", samples, |round, is_unseen| {
        let op = ops[round % ops.len()];
        let turned: String = op.chars().rev().collect();
        get(&format!(
            "/v1/operations/{}",
            if is_unseen { op } else { &turned }
        ));
    })
    .print();
    let contract = scene.id("ctr-open").to_owned();
    // Signed before: what is timed is the answer.
    let refused = |round: usize, is_unseen: bool| {
        let named = if is_unseen {
            contract.clone()
        } else {
            absent(&contract, round)
        };
        let envelope = scene.envelope("stranger", "contract.accept", &json!({ "contract": named }));
        envelope.encode()
    };
    let rounds = samples / 2;
    let signed: Vec<[Vec<u8>; 2]> = (0..rounds)
        .map(|round| [refused(round, true), refused(round, false)])
        .collect();
    compare("refusals", samples, |round, is_unseen| {
        let envelope = &signed[round][usize::from(!is_unseen)];
        let answer = reader.post("/v1/operations", "application/json", envelope);
        assert_eq!(answer.status, 422, "{}", answer.body);
    })
    .print();
}
