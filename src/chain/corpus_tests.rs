//! The vectors of C2SP that this project keeps, and the published ones of others, found through `COUNTERFOIL_CORPUS`: of each family how
//! many were accepted and refused as its files expect, in one table. Without the corpus the test says that it skips the latter.

use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::hash::Hash;

mod c2sp;
mod notes;
mod signatures;
mod trees;

/// Vectors of one kind, and what became of them.
struct Family {
    name: &'static str,
    files: &'static str,
    /// How many are in the files.
    there: usize,
    accepted: usize,
    refused: usize,
    /// Those whose verdict is not the expected one.
    differing: Vec<String>,
}

impl Family {
    /// A family of so many vectors as its files have.
    fn new(name: &'static str, files: &'static str, there: usize) -> Family {
        Family {
            name,
            files,
            there,
            accepted: 0,
            refused: 0,
            differing: Vec::new(),
        }
    }

    /// Takes what became of a vector.
    fn judged(&mut self, expected: bool, verdict: bool, vector: impl Display) {
        match (expected, verdict) {
            (true, true) => self.accepted += 1,
            (false, false) => self.refused += 1,
            _ => self.differing.push(vector.to_string()),
        }
    }

    /// Whether there are vectors, and each has its verdict.
    fn is_complete(&self) -> bool {
        let judged = self.accepted + self.refused + self.differing.len();
        self.there > 0 && judged == self.there
    }

    fn row(&self) -> String {
        let Family { name, files, .. } = self;
        let differing = self.differing.len();
        format!(
            "{name:<24} {files:<52} {:>7} {:>9} {:>8} {differing:>9}\n",
            self.there, self.accepted, self.refused
        )
    }
}

#[test]
fn every_verdict_is_the_expected_one() {
    let mut families = vec![c2sp::golden()];
    let corpus = std::env::var_os("COUNTERFOIL_CORPUS").map(PathBuf::from);
    if let Some(corpus) = &corpus {
        let folder = corpus.join("vectors");
        let of_the_corpus = [
            signatures::cctv,
            signatures::wycheproof,
            signatures::rfc_8032,
            signatures::dsse,
            signatures::dsse_specification,
            trees::inclusion,
            trees::consistency,
            trees::reference,
            trees::of_another_implementation,
            notes::signed,
            notes::verifier_keys,
            notes::bodies,
            notes::cosigned,
        ];
        families.extend(of_the_corpus.map(|family: fn(&Path) -> Family| family(&folder)));
    }
    let mut table = format!(
        "\n{:<24} {:<52} {:>7} {:>9} {:>8} {:>9}\n",
        "vectors", "files", "there", "accepted", "refused", "differing"
    );
    table.extend(families.iter().map(Family::row));
    if corpus.is_none() {
        table += "skipped: all others, as COUNTERFOIL_CORPUS is not set\n";
    }
    // Past the capture of a test's output: the table is shown of a test that passes, too.
    std::io::stderr().write_all(table.as_bytes()).unwrap();
    for family in families {
        assert!(family.is_complete(), "{}", family.row());
        assert_eq!(family.differing, [""; 0], "{}", family.name);
    }
}

#[test]
fn a_family_without_vectors_or_with_some_left_out_is_not_complete() {
    let mut family = Family::new("none", "", 0);
    assert!(!family.is_complete());
    family.there = 2;
    family.judged(true, true, "one");
    assert!(!family.is_complete());
    family.judged(false, true, "two");
    assert!(family.is_complete());
    assert_eq!(family.differing, ["two"]);
}

fn read(folder: &Path, path: &str) -> Vec<u8> {
    let path = folder.join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(folder: &Path, path: &str) -> Value {
    serde_json::from_slice(&read(folder, path)).unwrap()
}

/// The elements of a list.
fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

/// A hash in hex.
fn hash(value: &Value) -> Hash {
    value.as_str().unwrap().parse().unwrap()
}

/// A list of hashes in hex.
fn hashes(value: &Value) -> Vec<Hash> {
    list(value).iter().map(hash).collect()
}
