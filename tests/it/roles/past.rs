//! Claims as they were: what a party reads of the past is what it read then, and no more.

use serde_json::Value;

use super::answers::Reader;
use super::cast::everybody;
use super::first_trade::TO_MAKER;
use super::scene::Scene;

/// The claims of a list, as addresses.
fn addresses(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|row| row["address"].as_str().unwrap()).collect()
}

fn claims_of(reader: &Reader, size: u64) -> Value {
    let answer = reader.get(&format!("/v1/claims?as_of={size}&limit=200"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

#[test]
fn a_holder_reads_its_claims_as_they_were_before_and_after_each_entry() {
    let scene = Scene::played();
    let accepted = scene.entries.iter();
    let taken = accepted
        .filter(|entry| entry.op == "transfer.accept" && entry.readers.contains("maker"))
        .map(|entry| entry.n)
        .next()
        .unwrap();
    let maker = Reader::of(&scene, "maker");
    assert_eq!(claims_of(&maker, taken)["items"], Value::Array(vec![]));
    let then = claims_of(&maker, taken + 1);
    assert_eq!(addresses(&then), [scene.at("rcv-main", TO_MAKER)]);
    assert_eq!(then["items"][0]["state"], "open");
    // It has sold the lower part since.
    let now = maker.get("/v1/claims").json();
    assert_ne!(addresses(&now), addresses(&then));
    let path = format!("/v1/receivables/{}/claims", scene.id("rcv-main"));
    let before = maker.get(&format!("{path}?as_of={taken}"));
    assert_eq!(before.status, 404, "it was no party to it yet");
    let after = maker.get(&format!("{path}?as_of={}", taken + 1)).json();
    assert_eq!(after["claims"].as_array().unwrap().len(), 1);
}

#[test]
fn nobody_reads_more_of_the_past_than_its_own() {
    let scene = Scene::played();
    let size = scene.entries.last().unwrap().n + 1;
    for who in everybody() {
        let reader = Reader::of(&scene, who);
        let id = &scene.party(who).id;
        for size in (1..size).step_by(25).chain([size]) {
            for row in claims_of(&reader, size)["items"].as_array().unwrap() {
                assert!(who == "tax" || row["holder"] == *id, "{who}: {row}");
            }
        }
        let wrong = [(0, "query.as_of"), (size + 1, "query.as_of")];
        for (beyond, code) in wrong {
            let answer = reader.get(&format!("/v1/claims?as_of={beyond}"));
            assert_eq!(
                (answer.status, answer.json()["code"].as_str()),
                (400, Some(code))
            );
        }
    }
    let nobody = Reader::nobody(&scene);
    assert_eq!(nobody.get("/v1/claims?as_of=1").status, 401);
    let reader = Reader::of(&scene, "supplier");
    for (path, code) in [
        ("/v1/claims?as_of=soon", "query.as_of"),
        ("/v1/due?as_of=1", "query.unknown"),
        ("/v1/contracts?as_of=1", "query.unknown"),
    ] {
        assert_eq!(reader.get(path).json()["code"], code, "{path}");
    }
}

/// Nothing ends between the last entry and now, so that the past that is no past reads as the present.
#[test]
fn at_the_head_the_past_is_the_present() {
    let mut scene = Scene::new();
    scene.open_accounts();
    scene.play_first_trade();
    let size = scene.entries.last().unwrap().n + 1;
    for who in ["supplier", "maker", "smith", "bank-a", "hospital", "tax"] {
        let reader = Reader::of(&scene, who);
        let now = reader.get("/v1/claims?limit=200");
        assert_eq!(claims_of(&reader, size), now.json(), "{who}");
        let path = format!("/v1/receivables/{}/claims", scene.id("rcv-main"));
        let then = reader.get(&format!("{path}?as_of={size}"));
        assert_eq!(then, reader.get(&path), "{who}");
    }
}
