//! The tree is honest, but an authority that reads the entries is shown others.

use counterfoil::chain::tiles::{decode_bundle, encode_bundle};

use super::front::Front;
use super::{Scene, assert_alarm, assert_good};
use crate::served::text;

/// What is done to the lines from the second of three limits on, and what is said of it, by the number of that entry.
type Change = (fn(&mut Vec<Vec<u8>>, usize), fn(usize) -> String);

const DROPPED: Change = (
    |lines, n| {
        lines.remove(n);
        // The last one twice: none is missing.
        lines.extend(lines.last().cloned());
    },
    |n| format!("altered: entry {n}: it says that it is entry {}", n + 1),
);
const REORDERED: Change = (
    |lines, n| lines.swap(n, n + 1),
    |n| format!("altered: entry {n}: it says that it is entry {}", n + 1),
);
const ALTERED: Change = (
    |lines, n| lines[n] = replaced(&lines[n], "2000.00", "9000.00"),
    |n| format!("altered: entry {n}: the signature of key "),
);
/// What its party did not sign, as the ledger says when it was.
const LATER: Change = (
    |lines, n| lines[n] = replaced(&lines[n], ".000Z", ".001Z"),
    |n| {
        format!(
            "altered: entry {}: it does not follow the entry before it",
            n + 1
        )
    },
);
const LAST_LATER: Change = (
    |lines, n| lines[n + 1] = replaced(&lines[n + 1], ".000Z", ".001Z"),
    |n| {
        format!(
            "altered: entry {}: up to it the entries do not give the root",
            n + 1
        )
    },
);
const BACK_DATED: Change = (
    |lines, n| lines[n] = replaced(&lines[n], "\"time\":\"2026", "\"time\":\"2025"),
    |n| format!("impossible time: entry {n} says 2025-"),
);

fn replaced(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    let line = std::str::from_utf8(line).unwrap();
    let replaced = line.replacen(from, to, 1);
    assert_ne!(line, replaced);
    replaced.into_bytes()
}

#[test]
fn other_entries_than_those_of_the_tree_are_altered() {
    let scene = Scene::new();
    let town = &scene.town;
    let front = Front::new();
    let audience = ["--audience", front.base()];
    let server = town.try_serve(town.data.path(), &audience);
    let server = server.unwrap_or_else(|ended| panic!("{ended:?}"));
    front.before(server.base());
    let keys = text(&town.data.path().join("keys"));
    let audits = ["--as", "tax", "--keys", &keys];
    assert_good(&town.monitor(front.base(), &audits));
    let second = usize::try_from(scene.first).unwrap() + 1;
    for (change, said) in [DROPPED, REORDERED, ALTERED, LATER, LAST_LATER, BACK_DATED] {
        front.change(
            move |path, answer| match path.starts_with("/tile/entries/") {
                true => changed(&answer, |lines| change(lines, second)),
                false => answer,
            },
        );
        assert_alarm(&town.monitor(front.base(), &audits), &said(second));
    }
}

fn changed(bundle: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let lines = decode_bundle(bundle).unwrap();
    let mut lines: Vec<Vec<u8>> = lines.into_iter().map(<[u8]>::to_vec).collect();
    change(&mut lines);
    encode_bundle(lines.iter().map(Vec::as_slice)).unwrap()
}
