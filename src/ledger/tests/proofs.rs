use std::os::unix::fs::FileExt as _;

use super::accepted;
use crate::chain::hash::leaf_hash;
use crate::chain::tiles::{TilePath, decode_bundle, decode_hashes};
use crate::chain::tree::verify_consistency;
use crate::chain::{Checkpoint, Hash, SigningKey, TlogProof, Tree};
use crate::domain::ops::ledger::create::KeyGrant;
use crate::domain::ops::party::admit::Admit;
use crate::domain::testing::admission;
use crate::domain::values::{PublicKey, Role, Scope};
use crate::ledger::Ledger;
use crate::ledger::testing::Drill;

/// Entries beyond a full tile.
const ENTRIES: u64 = 300;

async fn grown(drill: &Drill) -> Ledger {
    let ledger = drill.open();
    let admissions = (1..ENTRIES as u16).map(|number| admitted(drill, number));
    for pending in ledger.submit_many(admissions.collect::<Vec<_>>()) {
        accepted(&pending.answer().await);
    }
    assert_eq!(ledger.published().size, ENTRIES);
    ledger
}

/// The admission of one of more authorities than there are seeds of one byte.
fn admitted(drill: &Drill, number: u16) -> Vec<u8> {
    let mut seed = [7; 32];
    seed[..2].copy_from_slice(&number.to_be_bytes());
    let key = SigningKey::from_seed(&seed);
    let name = format!("x:authority-{number}");
    let body = admission(&name, &[Role::Authority], &[Scope::Audit], None, None);
    let body = Admit {
        key: KeyGrant {
            key: PublicKey(*key.public_key().as_bytes()),
            ..body.key
        },
        ..body
    };
    let mut envelope = drill.signed(number, body, &[]);
    envelope.sign(&key).unwrap();
    envelope.encode()
}

fn leaves(ledger: &Ledger) -> Vec<Hash> {
    let lines = (0..ENTRIES).map(|n| ledger.entry(n).unwrap().unwrap().1);
    lines.map(|line| *line.leaf()).collect()
}

#[tokio::test]
async fn every_entry_has_a_receipt_that_proves_it_also_after_a_restart() {
    let drill = Drill::new();
    for restarted in [false, true] {
        let ledger = match restarted {
            false => grown(&drill).await,
            true => drill.open(),
        };
        let vkey = ledger.ready().vkey.parse().unwrap();
        for n in 0..ENTRIES {
            let receipt = ledger.receipt(n).unwrap().unwrap();
            let proof = TlogProof::decode(receipt.proof.as_bytes()).unwrap();
            let checkpoint = Checkpoint::open(&proof.checkpoint, &vkey).unwrap();
            let leaf = leaf_hash(receipt.line.bytes());
            assert_eq!((proof.index, checkpoint.size), (n, ENTRIES));
            assert!(
                proof.proves(&leaf, checkpoint.size, &checkpoint.root),
                "{n}"
            );
        }
        assert!(ledger.receipt(ENTRIES).unwrap().is_none());
        ledger.stop();
    }
}

#[tokio::test]
async fn any_earlier_tree_is_proved_a_prefix_and_nothing_beyond_the_end() {
    let drill = Drill::new();
    let ledger = grown(&drill).await;
    let leaves = leaves(&ledger);
    let root = |size: usize| leaves[..size].iter().copied().collect::<Tree>().root();
    for old in [0, 1, 2, 255, 256, 257, 299, 300] {
        for new in [old, 256.max(old), 257.max(old), 300] {
            let proof = ledger.consistency(old, new).unwrap().unwrap();
            let (from, to) = (root(old as usize), root(new as usize));
            assert!(
                verify_consistency(old, &from, new, &to, &proof),
                "{old} {new}"
            );
        }
    }
    assert!(ledger.consistency(1, ENTRIES + 1).unwrap().is_none());
    assert!(ledger.consistency(2, 1).unwrap().is_none());
}

#[tokio::test]
async fn tiles_hold_the_hashes_and_the_lines_that_are_there() {
    let drill = Drill::new();
    let ledger = grown(&drill).await;
    let leaves = leaves(&ledger);
    let tile = |path: &str| ledger.tile(path.parse::<TilePath>().unwrap()).unwrap();
    let hashes = |path: &str| decode_hashes(&tile(path).unwrap()).unwrap();
    assert_eq!(hashes("tile/0/000"), leaves[..256]);
    assert_eq!(hashes("tile/0/001.p/44"), leaves[256..]);
    assert_eq!(hashes("tile/0/000.p/3"), leaves[..3]);
    let full: Tree = leaves[..256].iter().copied().collect();
    assert_eq!(hashes("tile/1/000.p/1"), [full.root()]);
    let bundle = tile("tile/entries/001.p/44").unwrap();
    let entries = decode_bundle(&bundle).unwrap().into_iter();
    assert!(entries.map(leaf_hash).eq(leaves[256..].iter().copied()));
    for beyond in [
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/0/002.p/1",
        "tile/1/000.p/2",
        "tile/2/000.p/1",
        "tile/63/000.p/1",
        "tile/entries/001",
    ] {
        assert_eq!(tile(beyond), None, "{beyond}");
    }
}

#[tokio::test]
async fn a_line_that_was_altered_on_the_disk_is_not_proved_and_stops_the_ledger() {
    let drill = Drill::new();
    grown(&drill).await.stop();
    let ledger = drill.open();
    let path = drill
        .dir
        .path()
        .join("data/entries/00000000000000000000.jsonl");
    let text = drill.export();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let first = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    file.write_all_at(b"[", first as u64).unwrap();
    // Not that line is asked for, but one of the same tile.
    assert!(ledger.receipt(9).is_err());
    assert!(ledger.ready().stopped.is_some());
}
