//! One receivable passed on, financed and locked, and everything around it: what each party reads.

mod offers;
mod scene;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::scene::{ATTESTER, Scene};
use super::Shown;
use crate::domain::objects::*;
use crate::domain::table::Object;
use crate::domain::testing::{
    BANK, FACTOR, HOSPITAL, LENDER, MAKER, OPERATOR, OTHER_BANK, STRANGER, SUPPLIER, TAX, id,
};

/// Every party that stands anywhere in a row.
fn parties_in(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.parse::<crate::domain::values::PartyId>().is_ok() => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| parties_in(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| parties_in(field, found)),
        _ => {}
    }
}

type Read = fn(&Scene, &str) -> Option<Value>;
type Readers = &'static [(&'static str, &'static [&'static str])];

/// "Who sees what": for each kind its readers, with the parties that stand in what each reads. Who is not named
/// reads nothing.
const WHO_SEES_WHAT: &[(&str, Read, Readers)] = &[
    (
        "contract",
        |scene, by| scene.read::<Contract>(scene.contract, by),
        &[
            (SUPPLIER, &[SUPPLIER, HOSPITAL]),
            (HOSPITAL, &[SUPPLIER, HOSPITAL]),
            (TAX, &[SUPPLIER, HOSPITAL]),
        ],
    ),
    (
        "invoice",
        |scene, by| scene.read::<Invoice>(scene.invoice, by),
        &[
            (SUPPLIER, &[SUPPLIER, HOSPITAL]),
            (HOSPITAL, &[SUPPLIER, HOSPITAL]),
            (TAX, &[SUPPLIER, HOSPITAL]),
            (ATTESTER, &[SUPPLIER, HOSPITAL]),
        ],
    ),
    (
        "receivable",
        |scene, by| scene.read::<Receivable>(scene.receivable, by),
        &[
            (SUPPLIER, &[SUPPLIER, HOSPITAL]),
            (HOSPITAL, &[SUPPLIER, HOSPITAL]),
            (MAKER, &[SUPPLIER, HOSPITAL]),
            (LENDER, &[SUPPLIER, HOSPITAL]),
            (FACTOR, &[SUPPLIER, HOSPITAL]),
            (TAX, &[SUPPLIER, HOSPITAL]),
        ],
    ),
    // The debtor: payees. The supplier: its own hops. A holder: the hops up to it. Nobody: who came after, or beside.
    (
        "claims",
        Scene::claims,
        &[
            (HOSPITAL, &[SUPPLIER, MAKER, LENDER, FACTOR]),
            (SUPPLIER, &[SUPPLIER, MAKER, LENDER]),
            (MAKER, &[SUPPLIER, MAKER, FACTOR]),
            (FACTOR, &[SUPPLIER, MAKER, FACTOR]),
            (LENDER, &[SUPPLIER, LENDER]),
            (TAX, &[SUPPLIER, MAKER, LENDER, FACTOR]),
        ],
    ),
    (
        "transfer",
        |scene, by| scene.read::<Transfer>(scene.transfer, by),
        &[
            (SUPPLIER, &[SUPPLIER, MAKER, HOSPITAL]),
            (MAKER, &[SUPPLIER, MAKER, HOSPITAL]),
            (TAX, &[SUPPLIER, MAKER, HOSPITAL]),
        ],
    ),
    // A lender reads the supplier of the fens, not who asks; here they are one.
    (
        "request",
        |scene, by| scene.read::<Request>(scene.request, by),
        &[
            (SUPPLIER, &[SUPPLIER, HOSPITAL, LENDER, FACTOR]),
            (LENDER, &[SUPPLIER, HOSPITAL]),
            (FACTOR, &[SUPPLIER, HOSPITAL]),
            (TAX, &[SUPPLIER, HOSPITAL, LENDER, FACTOR]),
        ],
    ),
    (
        "offer",
        |scene, by| scene.read::<Offer>(scene.offer, by),
        &[
            (SUPPLIER, &[SUPPLIER, LENDER, BANK]),
            (LENDER, &[LENDER, BANK]),
            (TAX, &[SUPPLIER, LENDER, BANK]),
        ],
    ),
    (
        "financing",
        |scene, by| scene.read::<Financing>(scene.financing, by),
        &[
            (SUPPLIER, &[SUPPLIER, LENDER, HOSPITAL, BANK]),
            (LENDER, &[SUPPLIER, LENDER, HOSPITAL, BANK]),
            (TAX, &[SUPPLIER, LENDER, HOSPITAL, BANK]),
        ],
    ),
    (
        "limit",
        |scene, by| scene.read::<Limit>(scene.limit, by),
        &[(LENDER, &[LENDER, HOSPITAL]), (TAX, &[LENDER, HOSPITAL])],
    ),
    (
        "account",
        |scene, by| scene.read::<Account>(scene.account, by),
        &[
            (SUPPLIER, &[SUPPLIER, BANK]),
            (BANK, &[SUPPLIER, BANK]),
            (TAX, &[SUPPLIER, BANK]),
        ],
    ),
    (
        "leg",
        |scene, by| scene.read::<Leg>(scene.leg, by),
        &[
            (SUPPLIER, &[SUPPLIER, LENDER, OTHER_BANK]),
            (LENDER, &[SUPPLIER, LENDER, OTHER_BANK]),
            (OTHER_BANK, &[SUPPLIER, LENDER, OTHER_BANK]),
            (TAX, &[SUPPLIER, LENDER, OTHER_BANK]),
        ],
    ),
    (
        "obligation",
        |scene, by| scene.read::<Obligation>(scene.obligation, by),
        &[
            (LENDER, &[LENDER, BANK]),
            (BANK, &[LENDER, BANK]),
            (TAX, &[LENDER, BANK]),
        ],
    ),
];

#[test]
fn a_row_names_no_party_beyond_what_its_reader_may_know() {
    let scene = Scene::new();
    for (kind, read, readers) in WHO_SEES_WHAT {
        for viewer in EVERYBODY {
            let row = read(&scene, viewer);
            let Some((_, allowed)) = readers.iter().find(|(by, _)| *by == viewer) else {
                assert_eq!(row, None, "{viewer} reads no {kind}");
                continue;
            };
            let row = row.unwrap_or_else(|| panic!("{viewer} reads the {kind}"));
            let mut found = BTreeSet::new();
            parties_in(&row, &mut found);
            let allowed = allowed.iter().map(ToString::to_string).collect();
            assert_eq!(found, allowed, "{viewer} reads the {kind} {row:#}");
        }
    }
}

const EVERYBODY: [&str; 11] = [
    OPERATOR, TAX, ATTESTER, BANK, OTHER_BANK, HOSPITAL, SUPPLIER, MAKER, STRANGER, LENDER, FACTOR,
];

/// Whether what each party finds by its index keys is what a scan says that it may see.
fn found_is_seen<T: Shown>(scene: &Scene) {
    for party in EVERYBODY {
        let viewer = scene.viewer(party);
        let table = T::table(viewer.state);
        let seen: BTreeSet<T::Id> = table
            .iter()
            .filter(|object| object.seen_by(&viewer))
            .map(Object::id)
            .collect();
        let keys = T::found_by(&viewer);
        let found = keys.iter().flat_map(|key| table.by(key));
        let found: BTreeSet<T::Id> = found
            .filter(|object| object.concerns(&viewer))
            .map(Object::id)
            .collect();
        let all = T::sees_all(&viewer) && seen.len() == table.iter().count();
        assert!(all || found == seen, "{party}, {}", T::KIND);
    }
}

#[test]
fn what_a_party_finds_by_index_is_all_that_it_may_see() {
    let mut scene = Scene::new();
    for _ in 0..2 {
        found_is_seen::<Party>(&scene);
        found_is_seen::<Contract>(&scene);
        found_is_seen::<Delivery>(&scene);
        found_is_seen::<Invoice>(&scene);
        found_is_seen::<Receivable>(&scene);
        found_is_seen::<Transfer>(&scene);
        found_is_seen::<Request>(&scene);
        found_is_seen::<Offer>(&scene);
        found_is_seen::<Financing>(&scene);
        found_is_seen::<Limit>(&scene);
        found_is_seen::<Account>(&scene);
        found_is_seen::<Leg>(&scene);
        found_is_seen::<Obligation>(&scene);
        scene.world.later_by_hours(24 * 30);
    }
}

#[test]
fn a_lender_looks_through_no_request_that_was_answered() {
    let scene = Scene::new();
    let key = RequestKey::Invited(id(LENDER));
    let asked = scene.world.state.requests.by(&key);
    let asked: Vec<_> = asked.map(|request| request.id).collect();
    assert_eq!(asked, [scene.request]);
}

/// The names of an object's fields, sorted.
fn fields(row: &Value) -> Vec<&str> {
    let fields = row.as_object().expect("an object").keys();
    let sorted: BTreeSet<&str> = fields.map(String::as_str).collect();
    sorted.into_iter().collect()
}

fn items<'v>(row: &'v Value, field: &str) -> &'v [Value] {
    row[field].as_array().expect("a list")
}

/// Which fens the rows of a list name, without the receivable.
fn places<'v>(row: &'v Value, field: &str) -> Vec<&'v str> {
    let address = |item: &'v Value| {
        item["address"]
            .as_str()
            .and_then(|text| text.split_once(':'))
    };
    let placed = items(row, field).iter().filter_map(address);
    placed.map(|(_, place)| place).collect()
}

#[test]
fn the_register_shows_keys_and_neither_people_nor_evidence() {
    let scene = Scene::new();
    let row = scene.read::<Party>(id(MAKER), STRANGER).expect("admitted");
    assert_eq!(
        fields(&row),
        ["admitted", "id", "keys", "name", "roles", "size"]
    );
    assert_eq!(fields(&row["keys"][0]), ["from", "key", "powers"]);
    let own = scene.read::<Party>(id(MAKER), MAKER).expect("admitted");
    assert!(own["evidence"].is_string() && own["keys"][0]["person"].is_string());
}

#[test]
fn a_holder_reads_its_own_runs_and_of_earlier_hops_parties_and_recourse() {
    let claims = Scene::new().claims(FACTOR).expect("a holder");
    assert_eq!(places(&claims, "claims"), ["0-1000000"]);
    let own = &claims["claims"][0];
    assert_eq!(
        (&own["face"], &own["state"]),
        (&json!("10000.00"), &json!("settled"))
    );
    let [first, last] = [&own["hops"][0], &own["hops"][1]];
    assert_eq!(
        *first,
        json!({"from": SUPPLIER, "to": MAKER, "recourse": "last"})
    );
    assert!(last["by"]["financing"].is_string() && last["at"].is_string());
    assert_eq!(claims["face"], "150000.00");
    assert_eq!(claims["totals"]["open"], "140000.00");
    assert_eq!(claims["totals"]["settled"], "10000.00");
    assert!(claims.get("payees").is_none() && claims.get("passed").is_none());
}

#[test]
fn what_was_passed_on_reads_as_it_was_passed_on() {
    let claims = Scene::new().claims(SUPPLIER).expect("the supplier");
    // The factor's purchase cut the first of these; that is not the supplier's to know.
    assert_eq!(places(&claims, "passed"), ["0-3000000", "3000000-6000000"]);
    assert!(
        items(&claims, "passed")
            .iter()
            .all(|row| row.get("state").is_none())
    );
    let held = ["6000000-6500000", "6500000-7500000", "7500000-15000000"];
    assert_eq!(places(&claims, "claims"), held);
    assert!(claims["claims"][0]["lock"]["by"]["transfer"].is_string());
    assert!(claims["claims"][1]["lock"]["by"]["request"].is_string());
    assert!(claims["claims"][2].get("lock").is_none());
}

#[test]
fn the_debtor_reads_payees_and_amounts_and_no_addresses() {
    let claims = Scene::new().claims(HOSPITAL).expect("the debtor");
    assert_eq!(claims["claims"], json!([]));
    let payees = items(&claims, "payees").iter();
    let mut payees: Vec<_> = payees.map(|row| (&row["payee"], &row["open"])).collect();
    payees.sort_by_key(|(payee, _)| payee.to_string());
    let expected = [
        (SUPPLIER, "90000.00"),
        (MAKER, "20000.00"),
        (FACTOR, "0.00"),
        (LENDER, "30000.00"),
    ];
    let mut expected = expected.map(|(payee, open)| (json!(payee), json!(open)));
    expected.sort_by_key(|(payee, _)| payee.to_string());
    let expected: Vec<_> = expected.iter().map(|(payee, open)| (payee, open)).collect();
    assert_eq!(payees, expected);
}

#[test]
fn a_holder_reads_invoice_number_and_share_and_a_supplier_its_registration() {
    let scene = Scene::new();
    let read = |viewer| {
        scene
            .read::<Receivable>(scene.receivable, viewer)
            .expect("a row")
    };
    let holder = read(MAKER);
    let invoice = scene.world.get_invoice(scene.invoice);
    assert_eq!(holder["invoices"][0]["number"], json!(invoice.number));
    assert_eq!(holder["invoices"][0]["share"], "150000.00");
    assert_eq!(holder["held"]["open"], "20000.00");
    assert!(holder.get("registration").is_none());
    let supplier = read(SUPPLIER);
    assert_eq!(
        supplier["registration"]["shares"][0]["confirmed"],
        "150000.00"
    );
    assert!(supplier.get("invoices").is_none());
    let debtor = read(HOSPITAL);
    assert!(debtor.get("held").is_none() && debtor.get("totals").is_some());
}

#[test]
fn a_former_holder_reads_the_view_at_its_exit() {
    let scene = Scene::where_the_maker_sells(3_000_000);
    let row = scene
        .read::<Receivable>(scene.receivable, MAKER)
        .expect("a former holder");
    assert!(row.get("totals").is_none() && row.get("held").is_none());
    assert_eq!(row["confirmation"]["face"], "150000.00");
    let claims = scene.claims(MAKER).expect("a former holder");
    assert!(claims.get("totals").is_none());
    assert_eq!(claims["claims"], json!([]));
    // The hospital has paid a part of them since.
    assert_eq!(places(&claims, "passed"), ["0-3000000"]);
}

#[test]
fn a_lender_reads_no_addresses_no_requester_and_no_other_lender() {
    let scene = Scene::new();
    let row = scene
        .read::<Request>(scene.request, LENDER)
        .expect("it is asked");
    for hidden in ["requester", "addresses", "invited"] {
        assert!(row.get(hidden).is_none(), "{hidden}");
    }
    let defences = json!({"waived": [], "reserved": []});
    let part = json!({"face": "10000.00", "defences": defences, "recourse": []});
    assert_eq!(row["parts"], json!([part]));
}

#[test]
fn a_lender_does_not_read_a_request_that_has_ended() {
    let mut scene = Scene::new();
    scene.world.later_by_hours(24 * 30);
    assert_eq!(scene.read::<Request>(scene.request, LENDER), None);
    let own = scene
        .read::<Request>(scene.request, SUPPLIER)
        .expect("its own");
    assert_eq!(own["state"], "expired");
    assert!(own.get("parts").is_none());
}

#[test]
fn what_a_lender_draws_is_its_own() {
    let scene = Scene::new();
    let read = |viewer| {
        scene
            .read::<Financing>(scene.financing, viewer)
            .expect("a row")
    };
    let requester = read(SUPPLIER);
    assert!(requester.get("outstanding").is_none() && requester.get("limits").is_none());
    assert_eq!(read(LENDER)["outstanding"], "30000.00");
}

#[test]
fn an_obligation_names_no_cause_that_its_reader_may_not_see() {
    let scene = Scene::new();
    let cause = |viewer| {
        let row = scene.read::<Obligation>(scene.obligation, viewer);
        row.expect("a party of it")["cause"].clone()
    };
    assert_eq!(cause(BANK), json!({}));
    assert_eq!(
        cause(LENDER),
        json!({"leg": scene.leg, "financing": scene.financing})
    );
}

#[test]
fn a_leg_names_what_it_made_to_those_who_may_see_it() {
    let scene = Scene::new();
    let effect = |viewer| {
        let row = scene.read::<Leg>(scene.leg, viewer);
        row.expect("a party of it")["attested"].clone()
    };
    let told = ["made", "funded"];
    let reads = |viewer| told.map(|field| effect(viewer).get(field).is_some());
    assert_eq!(reads(LENDER), [true, true]);
    assert_eq!(reads(SUPPLIER), [false, true]);
    assert_eq!(reads(OTHER_BANK), [false, false]);
    assert_eq!(reads(TAX), [true, true]);
}

#[test]
fn a_tax_authority_reads_an_invoice_and_not_its_use() {
    let scene = Scene::new();
    let read = |viewer| scene.read::<Invoice>(scene.invoice, viewer).expect("a row");
    let attester = read(ATTESTER);
    assert_eq!(attester["gross"], "150000.00");
    for hidden in [
        "contract",
        "deliveries",
        "consumed",
        "unconsumed",
        "diluted",
    ] {
        assert!(attester.get(hidden).is_none(), "{hidden}");
    }
    assert_eq!(read(SUPPLIER)["consumed"], "150000.00");
}

#[test]
fn what_has_ended_by_comparison_reads_as_ended() {
    let mut scene = Scene::new();
    let words = |scene: &Scene| {
        let rows = [
            scene.read::<Transfer>(scene.transfer, SUPPLIER),
            scene.read::<Offer>(scene.offer, SUPPLIER),
            scene.read::<Account>(scene.account, SUPPLIER),
        ];
        rows.map(|row| row.expect("its own")["state"].clone())
    };
    assert_eq!(words(&scene), ["proposed", "standing", "cooling"]);
    scene.world.later_by_hours(24 * 30);
    assert_eq!(words(&scene), ["expired", "lost", "usable"]);
    let claims = scene.claims(SUPPLIER).expect("the supplier");
    // An ended lock is absent, and keeps nothing apart.
    assert_eq!(places(&claims, "claims"), ["6000000-15000000"]);
}

#[test]
fn open_fens_past_their_due_day_read_as_overdue() {
    let mut scene = Scene::new();
    scene.world.on("2026-08-10");
    let claims = scene.claims(LENDER).expect("a holder");
    assert_eq!(claims["claims"][0]["state"], "overdue");
    assert_eq!(claims["totals"]["overdue"], "140000.00");
    assert_eq!(claims["totals"]["open"], "140000.00");
}

#[test]
fn a_payoff_list_tells_the_debtor_all_and_a_holder_its_own() {
    let scene = Scene::new();
    let payees = |viewer| {
        let viewer = scene.viewer(viewer);
        let receivable = scene.world.receivable(scene.receivable);
        let list = super::payoff(receivable, &viewer, "2026-08-07".parse().expect("a day"));
        let list = serde_json::to_value(list.expect("no overflow")).expect("plain data");
        let rows = items(&list, "payees").iter();
        rows.map(|row| (row["payee"].clone(), row["amount"].clone()))
            .collect::<Vec<_>>()
    };
    let row = |payee: &str, amount: &str| (json!(payee), json!(amount));
    let all = [
        row(MAKER, "20000.00"),
        row(LENDER, "30000.00"),
        row(SUPPLIER, "90000.00"),
    ];
    assert_eq!(payees(HOSPITAL), all);
    assert_eq!(payees(MAKER), all[..1]);
    assert_eq!(payees(FACTOR), []);
}

#[test]
fn a_payoff_list_names_the_default_account_and_what_paying_late_causes() {
    let scene = Scene::new();
    let late = |day: &str| {
        let viewer = scene.viewer(LENDER);
        let receivable = scene.world.receivable(scene.receivable);
        let list = super::payoff(receivable, &viewer, day.parse().expect("a day"));
        let list = serde_json::to_value(list.expect("no overflow")).expect("plain data");
        list["payees"][0].clone()
    };
    let account = scene.world.account_of(id(LENDER));
    assert_eq!(late("2026-08-07")["account"]["id"], json!(account));
    assert!(late("2026-08-07").get("late_interest").is_none());
    // 30,000.00 · 0.05 % · 4.
    let interest = &late("2026-08-11")["late_interest"];
    assert_eq!(interest["amount"], "60.00");
    let inputs = json!({"overdue": "3000000", "daily_rate": "0.0005", "days": "4"});
    assert_eq!(interest["computed"]["inputs"], inputs);
}
