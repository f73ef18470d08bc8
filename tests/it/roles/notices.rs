//! Notices: who is told of what has ended or begun with no entry that says so. Whoever is not named in a row is not.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::Reader;
use super::cast::everybody;
use super::scene::{Scene, names};

/// Object, what became of it, and everybody who is told.
type Row = (&'static str, &'static str, &'static str);

/// In the order of their time, up to 1 July 2026.
const NOTICES: &[Row] = &[
    // An account that has cooled or was not attested: its party and its bank. Not one that was closed.
    ("acc-supplier", "usable", "tax supplier bank-a"),
    ("acc-maker", "usable", "tax maker bank-b"),
    ("acc-factor", "usable", "tax factor bank-a"),
    ("acc-bank-a", "usable", "tax bank-a bank-b"),
    ("acc-workshop", "usable", "tax workshop bank-c"),
    ("acc-smith", "expired", "tax smith bank-b"),
    // A request that is no more: the lenders that it asked, whether they bid or not, and whether it was accepted or
    // withdrawn. Not the requester, whose own doing it was; not the debtor.
    ("req-sold", "ended", "tax bank-a bank-b factor fund"),
    ("req-done", "ended", "tax bank-a factor"),
    ("req-back", "ended", "tax factor"),
    ("req-gone", "ended", "tax bank-b"),
    ("req-wait", "ended", "tax bank-b"),
    ("req-two", "ended", "tax fund"),
    // What waits for time: the requester is told how it ended, lenders that it did.
    (
        "req-sealed",
        "revealing",
        "tax supplier bank-a bank-b factor fund",
    ),
    (
        "req-sealed",
        "closed",
        "tax supplier bank-a bank-b factor fund",
    ),
    ("req-sealed", "expired", "tax supplier"),
    ("req-sealed", "ended", "bank-a bank-b factor fund"),
    ("req-live", "closed", "tax supplier bank-a factor"),
    ("req-live", "expired", "tax supplier"),
    ("req-live", "ended", "bank-a factor"),
    (
        "req-any",
        "closed",
        "tax workshop bank-a bank-b factor fund",
    ),
    ("req-any", "expired", "tax workshop"),
    ("req-any", "ended", "bank-a bank-b factor fund"),
    // An offer that ends before its request: its lender and the requester. Sealed ones were lost with theirs.
    ("ofr-live-a", "expired", "tax supplier bank-a"),
    ("ofr-live-f", "expired", "tax supplier factor"),
    ("dlv-open", "deemed", "tax supplier hospital"),
    ("dlv-parts", "deemed", "tax supplier maker"),
    ("dlv-two", "deemed", "tax workshop works"),
    ("leg-wait", "lapsed", "tax bank-b supplier bank-a"),
    ("leg-paid-two", "lapsed", "tax works workshop bank-c"),
    ("trf-open", "expired", "tax supplier maker"),
    ("fin-wait", "expired", "tax bank-b supplier"),
    ("ctr-parts", "expired", "tax supplier maker"),
    ("ctr-open", "expired", "tax supplier hospital"),
    ("inv-flag", "flag_ended", "tax supplier hospital"),
];

#[test]
fn a_party_is_told_what_ends_of_its_own_and_of_nothing_else() {
    let mut scene = Scene::played();
    scene.on("2026-07-01", "00:00");
    let mut expected: BTreeSet<(&str, String, &str)> = BTreeSet::new();
    let mut objects: BTreeMap<String, &str> = BTreeMap::new();
    for (object, word, readers) in NOTICES {
        objects.insert(scene.id(object).to_owned(), object);
        expected.extend(names(readers).map(|who| (who, (*object).to_owned(), *word)));
    }
    let mut found: BTreeSet<(&str, String, &str)> = BTreeSet::new();
    let words: BTreeSet<&str> = NOTICES.iter().map(|row| row.1).collect();
    for who in everybody() {
        for notice in notices(&Reader::of(&scene, who)) {
            let object = notice["object"].as_str().unwrap();
            let object = objects.get(object).map_or(object, |name| name).to_owned();
            let word = words.iter().find(|word| notice["notice"] == **word);
            let word = word.unwrap_or_else(|| panic!("{notice}"));
            assert!(found.insert((who, object, word)), "{who} twice: {notice}");
        }
    }
    let more: Vec<_> = found.difference(&expected).collect();
    let less: Vec<_> = expected.difference(&found).collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "told: {more:?}; not told: {less:?}"
    );
}

/// Every notice of a feed, page by page.
fn notices(reader: &Reader) -> Vec<serde_json::Value> {
    let (mut notices, mut path) = (Vec::new(), "/v1/events?limit=5".to_owned());
    loop {
        let page = reader.get(&path).json();
        let items = page["items"].as_array().unwrap().iter();
        notices.extend(items.filter(|item| item.get("notice").is_some()).cloned());
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/events?limit=5&after={next}"),
            None => return notices,
        }
    }
}
