//! One history twice, on ledgers of one name: alone, and with another trade between any two of its operations. Whatever
//! a party of it reads is the same, byte for byte, but for the numbers of entries: how many there are is public.

use serde_json::Value;

use super::answers::{Answer, Reader};
use super::scene::Scene;
use super::table::{KINDS, TABLE};

/// Everybody who has no part in the other trade; who attests invoices reads all of them. A lender might have been asked
/// there, and was not.
const APART: [&str; 10] = [
    "supplier", "hospital", "maker", "carrier", "smith", "factor", "bank-a", "bank-b", "stranger",
    "operator",
];

/// Plays the first trade, and on to the end of the window in which its sealed offers are revealed.
fn play(scene: &mut Scene) {
    scene.open_accounts();
    scene.play_first_trade();
    scene.on("2026-06-01", "01:00");
    if scene.is_busy() {
        scene.play_among_four();
    }
    scene.play_window();
    // The window ends at 16:00. What was revealed in it is told to the supplier with its own next entry, not with
    // whatever comes.
    scene.on("2026-06-02", "17:00");
    scene.make_noise("supplier");
}

/// An answer without the numbers of entries, and so without its length.
fn unnumbered(answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    let page = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    let items = page["items"].as_array().into_iter().flatten();
    for n in items.filter_map(|item| item.get("entry").and(item["n"].as_u64())) {
        for number in [format!("\"n\":{n},"), format!("/v1/entries/{n}\"")] {
            assert_eq!(answer.body.matches(&number).count(), 1, "{n}");
            answer.body = answer.body.replace(&number, "");
        }
        answer.headers.retain(|(name, _)| name != "content-length");
    }
    answer
}

/// All that a party may ask, of its own and of others' objects.
fn paths(scene: &Scene) -> Vec<String> {
    let lists = KINDS.into_iter().chain(["due", "claims"]);
    let mut paths: Vec<String> = lists
        .flat_map(|kind| {
            [
                format!("/v1/{kind}?limit=200"),
                format!("/v1/{kind}?limit=2"),
                format!("/v1/{kind}?format=csv"),
            ]
        })
        .collect();
    paths.extend(
        ["?limit=200", "?limit=3", "?after=4&limit=9"].map(|query| format!("/v1/events{query}")),
    );
    let known = TABLE.iter().filter(|(_, name, _)| scene.knows(name));
    paths.extend(known.map(|(kind, name, _)| format!("/v1/{kind}/{}", scene.id(name))));
    paths.extend(
        ["claims", "payoff"].map(|part| format!("/v1/receivables/{}/{part}", scene.id("rcv-main"))),
    );
    paths
}

#[test]
fn nothing_that_a_party_reads_tells_of_others_traffic() {
    let [mut quiet, mut busy] = Scene::quiet_and_busy();
    play(&mut quiet);
    play(&mut busy);
    let asked = paths(&quiet);
    assert!(asked.len() > 100, "{}", asked.len());
    for who in APART {
        let [alone, among] = [&quiet, &busy].map(|scene| Reader::of(scene, who));
        for path in &asked {
            let answers = [&alone, &among].map(|reader| unnumbered(&reader.get(path)));
            assert_eq!(answers[0], answers[1], "{who} {path}");
        }
        let whole = alone.get("/v1/events?limit=200").json();
        assert_eq!(whole.get("next"), None, "{who}: all of it is compared");
        let events = whole["items"].as_array().unwrap().len();
        let streams = [&alone, &among].map(|reader| reader.stream(events));
        assert_eq!(streams[0], streams[1], "{who}");
    }
    let grown = busy.entries.len() - quiet.entries.len();
    assert!(grown > 60, "the other trade is there: {grown}");
}
