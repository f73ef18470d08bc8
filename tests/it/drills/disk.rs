//! What was shown is taken back: an earlier day's disk, an old checkpoint.

use std::time::Duration;

use counterfoil::chain::{AddCheckpoint, Note};
use ureq::Agent;

use super::front::Front;
use super::{Scene, assert_alarm, assert_good, failed_step};
use crate::served::{Server, text};
use crate::witnessed::Town;

/// An operator that does not know better is stopped by the witnesses; one that asks nobody is not believed.
#[test]
fn a_rolled_back_disk_is_not_served_and_is_a_rollback() {
    let town = Town::new(2, "all");
    town.serve().stop();
    let earlier = town.copied();
    let server = town.serve();
    let n = town.enter(&server, 1_000);
    town.await_witnessed(&server, n + 1);
    assert_good(&town.monitor(server.base(), &[]));
    server.stop();
    let refused = town.try_serve(earlier.path(), &[]).err().unwrap();
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.log.contains("an earlier day"), "{refused:?}");
    // Nor with the flag, which is for witnesses that do not answer.
    let flag = ["--allow-unwitnessed-start"];
    assert!(town.try_serve(earlier.path(), &flag).is_err());
    // Served without asking anybody, it is told by what the monitor saw, and of a new one by what a witness holds.
    let old = Server::start(earlier.path());
    let told = |by: &str| {
        format!(
            "rollback: {by} saw {} entries, and the ledger shows {n}",
            n + 1
        )
    };
    assert_alarm(&town.monitor(old.base(), &[]), &told("this monitor"));
    let new = town.new_monitor(old.base(), &[]);
    assert_alarm(&new, "rollback: w");
    old.stop();
    town.serve().stop();
}

/// The ledger goes on; its server shows an old checkpoint to those whom it wants to know no more.
#[test]
fn an_old_checkpoint_is_a_rollback() {
    let scene = Scene::new();
    let town = &scene.town;
    let front = Front::new();
    let server = town.serve();
    front.before(server.base());
    let old = server.client().checkpoint().unwrap();
    let n = town.enter(&server, 4_000);
    town.await_witnessed(&server, n + 1);
    assert_good(&town.monitor(front.base(), &[]));

    // Where it is shown to everybody who asks for what witnesses cosigned.
    let shown = old.clone();
    front.change(move |path, answer| match path {
        "/checkpoint" => shown.clone().into_bytes(),
        _ => answer,
    });
    let told = |by: &str| {
        format!(
            "rollback: {by} saw {} entries, and the ledger shows {n}",
            n + 1
        )
    };
    let at = told("this monitor at /checkpoint");
    assert_alarm(&town.monitor(front.base(), &[]), &at);
    // And where it is all that is shown.
    let shown = old.clone();
    front.change(move |path, answer| match path.ends_with("/checkpoint") {
        true => shown.clone().into_bytes(),
        false => answer,
    });
    assert_alarm(&town.monitor(front.base(), &[]), &told("this monitor"));
    assert_alarm(&town.new_monitor(front.base(), &[]), "rollback: w");

    // No witness cosigns it again, and no newer receipt leads there.
    let note = Note::decode(old.as_bytes()).unwrap();
    for witness in town.witnesses.iter().flatten() {
        let request = AddCheckpoint {
            old: n,
            proof: Vec::new(),
            checkpoint: note.clone(),
        };
        assert_eq!(asked(witness, &request), (409, format!("{}\n", n + 1)));
    }
    let receipt = super::receipt(town, &server, "bank-a", n);
    let receipt = receipt.replace(
        &escaped(&server.client().checkpoint().unwrap()),
        &escaped(&old),
    );
    let receipt = text(&town.file("new.receipt.json", &receipt));
    assert_eq!(failed_step(&[&receipt], &town.policy()), "inclusion");
}

/// A text within a text of JSON.
fn escaped(text: &str) -> String {
    text.replace('\n', "\\n")
}

/// Status and body of a witness's answer.
fn asked(witness: &Server, request: &AddCheckpoint) -> (u16, String) {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)));
    let url = format!("{}/add-checkpoint", witness.base());
    let answer = config
        .build()
        .new_agent()
        .post(url)
        .send(request.to_string());
    let answer = answer.unwrap();
    let status = answer.status().as_u16();
    (status, answer.into_body().read_to_string().unwrap())
}
