//! The index is lost or damaged: it is made anew, and every answer stays the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use counterfoil::chain::{Entry, Line};
use counterfoil::client::Client;
use counterfoil::domain::values::OpId;
use counterfoil::ledger::{ClockChoice, Config, Feed, Ledger};
use rstest::rstest;
use serde_json::Value;

use super::{Numbers, lines};
use crate::served::{Party, Server, story};

const PARTIES: [&str; 8] = [
    "operator", "tax", "bank-a", "bank-b", "factor", "hospital", "supplier", "maker",
];

const KINDS: [&str; 13] = [
    "parties",
    "contracts",
    "deliveries",
    "invoices",
    "receivables",
    "transfers",
    "requests",
    "offers",
    "financings",
    "limits",
    "accounts",
    "legs",
    "obligations",
];

/// What the server says: by party and path.
type Answers = BTreeMap<(String, String), String>;

/// Every list and object for each party, every entry and operation for those who see all, some or little.
fn answers(data: &Path, server: &Server) -> Answers {
    let mut answers = Answers::new();
    for name in PARTIES {
        let client = server.client_of(&Party::of(data, name));
        let mut paths = Vec::new();
        for kind in KINDS {
            for row in client.all(kind).unwrap() {
                paths.push(format!("/v1/{kind}/{}", row["id"].as_str().unwrap()));
                answers.insert(
                    (name.to_owned(), format!("{kind} {}", row["id"])),
                    row.to_string(),
                );
            }
        }
        if ["tax", "maker", "bank-a"].contains(&name) {
            paths.extend(entries(data));
        }
        for path in paths {
            let answer = answer(&client, &path);
            answers.insert((name.to_owned(), path), answer);
        }
    }
    answers
}

fn entries(data: &Path) -> impl Iterator<Item = String> {
    let lines = lines(data);
    lines.into_iter().flat_map(|(entry, _)| {
        let op = entry.envelope().op_id();
        [
            format!("/v1/entries/{}", entry.n()),
            format!("/v1/operations/{op}"),
        ]
    })
}

/// An answer, or its refusal.
fn answer(client: &Client, path: &str) -> String {
    match client.get::<Value>(path) {
        Ok(answer) => answer.to_string(),
        Err(error) => error.problem().unwrap().to_string(),
    }
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Deleted,
    /// Of each file of the folder.
    Emptied,
    Halved,
    Random,
    /// A file where the folder should be.
    NoFolder,
}

impl Damage {
    fn inflict(self, index: &Path) {
        if matches!(self, Damage::Deleted | Damage::NoFolder) {
            fs::remove_dir_all(index).unwrap();
        }
        match self {
            Damage::Deleted => {}
            Damage::NoFolder => fs::write(index, "no folder").unwrap(),
            Damage::Emptied => rewrite(index, |_| Vec::new()),
            Damage::Halved => rewrite(index, |bytes| bytes[..bytes.len() / 2].to_vec()),
            Damage::Random => rewrite(index, |bytes| Numbers(6).bytes(bytes.len())),
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<_> = all.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn rewrite(folder: &Path, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    for file in files(folder) {
        fs::write(&file, change(fs::read(&file).unwrap())).unwrap();
    }
}

#[rstest]
#[case(&[Damage::Deleted, Damage::Emptied, Damage::Halved, Damage::Random, Damage::NoFolder])]
fn a_lost_or_damaged_index_is_made_anew_and_every_answer_stays(#[case] damages: &[Damage]) {
    let data = story();
    let server = Server::start(data.path());
    let before = answers(data.path(), &server);
    assert!(before.len() > 500, "{}", before.len());
    assert_eq!(server.stop().code, Some(0));
    for damage in damages {
        damage.inflict(&data.path().join("index"));
        let server = Server::start(data.path());
        let after = answers(data.path(), &server);
        let differs = before
            .iter()
            .find(|(key, answer)| after.get(*key) != Some(*answer));
        assert_eq!((differs, after.len()), (None, before.len()), "{damage:?}");
        let ended = server.stop();
        assert_eq!(ended.code, Some(0), "{}", ended.log);
    }
}

/// What is looked up in the index: operations and feeds.
fn lookups(data: &Path) -> (Vec<Option<u64>>, Vec<Vec<u64>>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let config = Config {
        clock: ClockChoice::Manual,
        verify_threads: Some(1),
        ..Config::new(data)
    };
    let ledger = Ledger::open(config, &mut |_, _| ()).unwrap();
    let op = |(entry, _): &(Entry, Line)| OpId(*entry.envelope().op_id().as_bytes());
    let ops = lines(data).iter().map(op).collect::<Vec<_>>();
    let found = ops
        .iter()
        .map(|op| runtime.block_on(ledger.operation(op)).unwrap());
    let found = found.collect();
    let feed = |name: &&str| {
        let party = Feed::Party(Party::of(data, name).id.parse().unwrap());
        let shown = runtime.block_on(ledger.feed(party, 0, 1_000)).unwrap();
        shown.iter().map(|shown| shown.n).collect()
    };
    (found, PARTIES.iter().map(feed).collect())
}

#[test]
fn after_random_damage_to_the_index_lookups_find_what_they_found() {
    let data = story();
    let before = lookups(data.path());
    assert!(
        before
            .0
            .iter()
            .enumerate()
            .all(|(n, found)| *found == Some(n as u64))
    );
    let mut numbers = Numbers(7);
    for round in 0..30 {
        let files = files(&data.path().join("index"));
        let file = &files[numbers.below(files.len())];
        let mut bytes = fs::read(file).unwrap();
        match round % 4 {
            0 => bytes.truncate(numbers.below(bytes.len())),
            1 => fs::remove_file(file).unwrap(),
            _ => drop(numbers.flip(&mut bytes)),
        }
        if file.exists() {
            fs::write(file, bytes).unwrap();
        }
        assert_eq!(
            lookups(data.path()),
            before,
            "round {round}, {}",
            file.display()
        );
    }
}
