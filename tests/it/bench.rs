//! `counterfoil bench` in its short form: every figure comes, and nothing is left behind. What they are says nothing here.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use counterfoil::bench::NAMES;
use serde_json::Value;

use super::served::{complaint, run, text};

/// What the table of aims asks for: figure, and the field that is held against its aim.
const AIMED_AT: &[(&str, &str)] = &[
    ("verify_ledger", "ratio"),
    ("pipeline", "ratio"),
    ("http_batch", "ratio"),
    ("http_64", "ratio"),
    ("http_64", "p99_ms"),
    ("lone_write", "ratio"),
    ("audit", "ratio"),
    ("growth", "ratio"),
    ("tree_in_step", "ratio"),
    ("receipt", "value"),
    ("memory_per_run", "value"),
    ("read_under_load", "p99_ms"),
    ("http_512", "p99_ms"),
];

/// Of a number that was measured: neither zero nor none.
fn is_measured(value: &Value) -> bool {
    value
        .as_f64()
        .is_some_and(|number| number.is_finite() && number > 0.0)
}

#[test]
fn every_figure_comes_and_the_folder_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let plot = tempfile::tempdir().unwrap().path().with_extension("svg");
    let ran = run(&[
        "bench",
        "--short",
        "--json",
        "--data",
        &text(folder.path()),
        "--plot",
        &text(&plot),
    ]);
    assert!(ran.status.success(), "{}", complaint(&ran));

    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let figures = report["figures"].as_object().unwrap();
    let found: BTreeSet<_> = figures.keys().map(String::as_str).collect();
    let known: BTreeSet<_> = NAMES.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, known);
    for (name, figure) in figures {
        let fields = ["count", "value", "ratio", "p50_ms", "p99_ms", "p999_ms"];
        for field in fields.iter().filter(|field| figure.get(*field).is_some()) {
            assert!(is_measured(&figure[field]), "{name}.{field}: {figure}");
        }
    }
    for (name, field) in AIMED_AT {
        assert!(
            is_measured(&figures[*name][field]),
            "{name}.{field}: {}",
            figures[*name]
        );
        assert!(figures[*name]["aims"].is_array(), "{name} has no aim");
    }
    assert!(figures["http_512"]["errors"].is_u64());

    let growth = report["growth"].as_array().unwrap();
    let runs: Vec<_> = growth
        .iter()
        .map(|point| point["runs"].as_u64().unwrap())
        .collect();
    assert!(
        runs.len() > 1 && runs.is_sorted_by(|a, b| a < b),
        "{runs:?}"
    );
    let drawn = fs::read_to_string(&plot).unwrap();
    fs::remove_file(&plot).unwrap();
    let drawn = roxmltree::Document::parse(&drawn).unwrap();
    let drawn = drawn
        .descendants()
        .filter(|node| node.has_tag_name("circle"))
        .count();
    assert_eq!(
        drawn,
        2 * (growth.len() + 1),
        "a dot a point, and one in each legend"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn one_figure_is_measured_alone() {
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "bench",
        "--short",
        "--json",
        "--only",
        "append_sync",
        "--data",
    ];
    let ran = run(&[&args[..], &[&text(folder.path())]].concat());
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let figures: Vec<_> = report["figures"].as_object().unwrap().keys().collect();
    assert_eq!(figures, ["append_sync"]);
}

#[test]
fn what_cannot_be_measured_is_said_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = text(&folder.path().join("not/there"));
    let ran = run(&["bench", "--short", "--data", &missing]);
    assert_eq!(ran.status.code(), Some(3));
    assert!(complaint(&ran).contains(&missing), "{}", complaint(&ran));

    let ran = run(&["bench", "--only", "nonsense"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(complaint(&ran).contains("http_64"), "{}", complaint(&ran));
}

#[test]
fn what_is_interrupted_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
        .args(["bench", "--data", &text(folder.path())])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // It says what it measures once there is something to leave behind.
    let mut said = [0];
    let mut from = bench.stderr.take().unwrap();
    from.read_exact(&mut said).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let pid = bench.id().to_string();
    let sent = Command::new("kill").args(["-s", "INT", &pid]).status();
    assert!(sent.unwrap().success());
    assert_eq!(bench.wait().unwrap().code(), Some(130));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
