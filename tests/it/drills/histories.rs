//! Two histories: one was shown to the witnesses, the monitor and the lender; the other is now.

use std::path::Path;

use super::forge::rewrite;
use super::{Scene, assert_alarm, checkpoint, failed_step, policy_without_witnesses, receipt};
use crate::served::{Server, complaint, run, text};

/// Serves a forged folder, enters so many things more, and stops. Whoever comes is told of a fork: by what the monitor saw, and, of one
/// that has seen nothing, by what a witness holds.
fn is_a_fork(scene: &Scene, forged: &Path, more: u64) {
    let server = Server::start(forged);
    for cap in 0..more {
        scene.town.enter(&server, 7_000 + cap);
    }
    let fork = format!("fork: the first {} entries that ", scene.first + 3);
    let followed = scene.town.monitor(server.base(), &[]);
    assert_alarm(&followed, &format!("{fork}this monitor saw"));
    let new = scene.town.new_monitor(server.base(), &[]);
    assert_alarm(&new, &fork);
    assert!(complaint(&new).contains("that w"), "{}", complaint(&new));
    server.stop();
    is_not_witnessed(scene, forged);
}

/// The witnesses do not cosign, so that the ledger does not even start by the policy, and the lender's receipt stands against it.
fn is_not_witnessed(scene: &Scene, forged: &Path) {
    let refused = scene.town.try_serve(forged, &[]).err().unwrap();
    assert_eq!(refused.code, Some(3), "{refused:?}");
    let said = "it has cosigned another history of this ledger";
    assert!(refused.log.contains(said), "{refused:?}");
    let receipt = scene.receipt_under(&checkpoint(forged));
    let step = |policy: &str| failed_step(&[&receipt], policy);
    assert_eq!(step(&scene.town.policy()), "checkpoint.quorum");
    assert_eq!(step(&policy_without_witnesses(&scene.town)), "inclusion");
}

/// Of one size: the two notes are proof by themselves, and a witness has both.
#[test]
fn two_histories_are_a_fork() {
    let scene = Scene::new();
    let forged = scene.copied();
    let kept = usize::try_from(scene.first).unwrap() + 1;
    rewrite(forged.path(), |entries| entries.truncate(kept));
    is_a_fork(&scene, forged.path(), 2);
    scene.assert_evidence("fork");
}

#[test]
fn a_dropped_entry_is_a_fork() {
    let scene = Scene::new();
    let forged = scene.copied();
    let dropped = usize::try_from(scene.first).unwrap() + 1;
    rewrite(forged.path(), |entries| drop(entries.remove(dropped)));
    let shorter = Server::start(forged.path());
    let followed = scene.town.monitor(shorter.base(), &[]);
    assert_alarm(&followed, "rollback: this monitor saw ");
    shorter.stop();
    // The history goes on, and is the longer one in the end.
    is_a_fork(&scene, forged.path(), 2);
    scene.assert_evidence("unproven");
}

#[test]
fn reordered_entries_are_a_fork() {
    let scene = Scene::new();
    let forged = scene.copied();
    let first = usize::try_from(scene.first).unwrap();
    rewrite(forged.path(), |entries| entries.swap(first, first + 1));
    is_a_fork(&scene, forged.path(), 0);
    scene.assert_evidence("fork");
}

/// Nobody but its party can sign an entry: the ledger's own key makes a history of it that nothing takes.
#[test]
fn an_altered_entry_has_no_signature() {
    let scene = Scene::new();
    let forged = scene.copied();
    let altered = usize::try_from(scene.first).unwrap() + 1;
    rewrite(forged.path(), |entries| {
        entries[altered] = entries[altered].altered("2000.00", "9000.00");
    });
    let chain = text(&forged.path().join("entries/00000000000000000000.jsonl"));
    let head = text(&forged.path().join("head"));
    let export = [chain.as_str(), "--checkpoint", &head];
    let alone = policy_without_witnesses(&scene.town);
    assert_eq!(failed_step(&export, &alone), "entry.signatures");
    assert_eq!(
        failed_step(&export, &scene.town.policy()),
        "checkpoint.quorum"
    );
    let audit = run(&["audit", "--export", &chain, "--checkpoint", &head]);
    assert_eq!(audit.status.code(), Some(1));
    let said = format!("entry {altered}");
    assert!(complaint(&audit).contains(&said), "{}", complaint(&audit));
    // The lender's own line, changed, under the honest root.
    let receipt = std::fs::read_to_string(&scene.receipt).unwrap();
    let receipt = receipt.replacen("2000.00", "9000.00", 1);
    let receipt = text(&scene.town.file("altered.receipt.json", &receipt));
    assert_eq!(failed_step(&[&receipt], &alone), "entry.signatures");
    is_a_fork(&scene, forged.path(), 0);
}

/// An entry in a party's name that no party has seen: the witnesses, who see no entries, cosign it.
#[test]
fn a_forged_entry_is_altered_for_whoever_reads_it() {
    let scene = Scene::new();
    let town = &scene.town;
    rewrite(town.data.path(), |entries| {
        let last = entries.last().unwrap();
        entries.push(last.altered("3000.00", "9000.00"));
    });
    let server = town.serve();
    let n = scene.first + 3;
    town.await_witnessed(&server, n + 1);
    let keys = text(&town.data.path().join("keys"));
    let audits = ["--as", "tax", "--keys", &keys];
    let said = format!("altered: entry {n}: the signature of key ");
    assert_alarm(&town.monitor(server.base(), &audits), &said);
    let receipt = receipt(town, &server, "bank-a", n);
    let receipt = text(&town.file("forged.receipt.json", &receipt));
    assert_eq!(failed_step(&[&receipt], &town.policy()), "entry.signatures");
    server.stop();
    let audit = run(&["audit", "--data", &text(town.data.path())]);
    assert_eq!(audit.status.code(), Some(1));
    let said = format!("entry {n}");
    assert!(complaint(&audit).contains(&said), "{}", complaint(&audit));
}
