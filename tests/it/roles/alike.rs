//! What every admitted party reads alike: the ledger's record and its rulebooks; and what each reads of itself.

use serde_json::json;

use super::answers::Reader;
use super::cast::{CAST, everybody};
use super::scene::Scene;

#[test]
fn everybody_reads_the_ledger_and_its_rulebooks_alike_and_nobody_else_does() {
    let scene = Scene::new();
    let paths = [
        "/v1/ledger",
        "/v1/rulebooks",
        "/v1/rulebooks?format=csv",
        "/v1/rulebooks/1",
        "/v1/rulebooks/2",
        "/v1/rulebooks/one",
    ];
    let first = Reader::of(&scene, "operator");
    let expected = paths.map(|path| first.get(path));
    for who in everybody() {
        let reader = Reader::of(&scene, who);
        assert_eq!(paths.map(|path| reader.get(path)), expected, "{who}");
    }
    let [ledger, list, file, book, none, no_number] = &expected;
    assert_eq!(ledger.json()["origin"], scene.server.origin());
    assert_eq!(ledger.json()["rulebook"], 1);
    let valid_from = book.json()["valid_from"].clone();
    let row = json!({ "version": 1, "id": book.json()["id"], "valid_from": valid_from, "in_force": true });
    assert_eq!(list.json(), json!({ "items": [row] }));
    assert_eq!(file.body.lines().count(), 2);
    assert_eq!(book.json()["currencies"]["CNY"], 2, "{}", book.body);
    assert_eq!([none.status, no_number.status], [404, 404]);
    let nobody = Reader::nobody(&scene);
    for path in paths.into_iter().chain(["/v1/me"]) {
        assert_eq!(nobody.get(path).status, 401, "{path}");
    }
}

#[test]
fn a_session_says_whom_it_acts_for_and_by_which_key() {
    let scene = Scene::new();
    for actor in CAST {
        let me = Reader::of(&scene, actor.name).get("/v1/me").json();
        assert_eq!(me["party"], actor.id);
        assert_eq!(
            me["key"],
            scene.party(actor.name).key.public_key().to_string()
        );
        assert_eq!(me["powers"], json!(["admin", "maker"]));
        assert_eq!(me["roles"].as_array().unwrap().len(), actor.roles.len());
        let left = me["expires_in_s"].as_u64().unwrap();
        assert!((800..=900).contains(&left), "{left}");
    }
}
