//! One receivable passed on, financed and locked, and everything around it: what each party reads.

mod scene;

use std::collections::BTreeSet;

use rstest::rstest;
use serde::Serialize;
use serde_json::Value;

use self::scene::{ATTESTER, Scene};
use super::*;
use crate::domain::objects::*;
use crate::domain::testing::{
    BANK, FACTOR, HOSPITAL, LENDER, MAKER, OPERATOR, STRANGER, SUPPLIER, TAX, id,
};
use crate::domain::state::Stored;

fn json(row: &impl Serialize) -> Value {
    serde_json::to_value(row).expect("a row is plain data")
}

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

/// The one object of a kind as `viewer` reads it, or nothing.
fn read<T: Shown>(scene: &Scene, viewer: &str) -> Option<Value> {
    let viewer = scene.viewer(viewer);
    let object = T::table(viewer.state).iter().last().expect("one of each");
    viewer.find::<T>(object.id()).map(|object| json(&object.row(&viewer)))
}

fn claims_of(scene: &Scene, viewer: &str) -> Option<Value> {
    let viewer = scene.viewer(viewer);
    let object = Receivable::table(viewer.state).iter().last()?;
    viewer
        .find::<Receivable>(object.id())
        .map(|receivable| json(&claims(receivable, &viewer)))
}

/// The table of §7: for each kind and viewer the parties that may stand in what it reads. Who is not named here
/// reads nothing.
#[rstest]
#[case::contract(read::<Contract>, &[
    (SUPPLIER, &[SUPPLIER, HOSPITAL]), (HOSPITAL, &[SUPPLIER, HOSPITAL]), (TAX, &[SUPPLIER, HOSPITAL]),
])]
#[case::invoice(read::<Invoice>, &[
    (SUPPLIER, &[SUPPLIER, HOSPITAL, TAX]), (HOSPITAL, &[SUPPLIER, HOSPITAL, TAX]),
    (TAX, &[SUPPLIER, HOSPITAL, TAX]), (ATTESTER, &[SUPPLIER, HOSPITAL, TAX]),
])]
#[case::receivable(read::<Receivable>, &[
    (SUPPLIER, &[SUPPLIER, HOSPITAL]), (HOSPITAL, &[SUPPLIER, HOSPITAL]), (MAKER, &[SUPPLIER, HOSPITAL]),
    (LENDER, &[SUPPLIER, HOSPITAL]), (FACTOR, &[SUPPLIER, HOSPITAL]), (TAX, &[SUPPLIER, HOSPITAL]),
])]
#[case::claims(claims_of, &[
    // The debtor: payees. The supplier: its own hops. A holder: the hops up to it. Never who came after.
    (HOSPITAL, &[SUPPLIER, MAKER, LENDER, FACTOR]),
    (SUPPLIER, &[SUPPLIER, MAKER, LENDER]),
    (MAKER, &[SUPPLIER, MAKER, FACTOR]),
    (FACTOR, &[SUPPLIER, MAKER, FACTOR]),
    (LENDER, &[SUPPLIER, LENDER]),
    (TAX, &[SUPPLIER, MAKER, LENDER, FACTOR]),
])]
#[case::transfer(read::<Transfer>, &[
    (SUPPLIER, &[SUPPLIER, MAKER, HOSPITAL]), (MAKER, &[SUPPLIER, MAKER, HOSPITAL]),
    (TAX, &[SUPPLIER, MAKER, HOSPITAL]),
])]
#[case::request(read::<Request>, &[
    (SUPPLIER, &[SUPPLIER, HOSPITAL, LENDER, FACTOR]), (LENDER, &[SUPPLIER, HOSPITAL]),
    (FACTOR, &[SUPPLIER, HOSPITAL]), (TAX, &[SUPPLIER, HOSPITAL, LENDER, FACTOR]),
])]
#[case::offer(read::<Offer>, &[
    (SUPPLIER, &[SUPPLIER, LENDER, BANK]), (LENDER, &[LENDER, BANK]), (TAX, &[SUPPLIER, LENDER, BANK]),
])]
#[case::financing(read::<Financing>, &[
    (SUPPLIER, &[SUPPLIER, LENDER, HOSPITAL, BANK]), (LENDER, &[SUPPLIER, LENDER, HOSPITAL, BANK]),
    (TAX, &[SUPPLIER, LENDER, HOSPITAL, BANK]),
])]
#[case::limit(read::<Limit>, &[(LENDER, &[LENDER, HOSPITAL]), (TAX, &[LENDER, HOSPITAL])])]
#[case::account(read::<Account>, &[
    (SUPPLIER, &[SUPPLIER, BANK]), (BANK, &[SUPPLIER, BANK]), (TAX, &[SUPPLIER, BANK]),
])]
#[case::leg(read::<Leg>, &[
    (SUPPLIER, &[SUPPLIER, LENDER, BANK]), (LENDER, &[SUPPLIER, LENDER, BANK]),
    (BANK, &[SUPPLIER, LENDER, BANK]), (TAX, &[SUPPLIER, LENDER, BANK]),
])]
#[case::obligation(read::<Obligation>, &[
    (LENDER, &[LENDER, BANK]), (BANK, &[LENDER, BANK]), (TAX, &[LENDER, BANK]),
])]
fn a_row_names_no_party_beyond_what_its_reader_may_know(
    #[case] read: fn(&Scene, &str) -> Option<Value>,
    #[case] allowed: &[(&str, &[&str])],
) {
    let scene = Scene::new();
    for viewer in [
        OPERATOR, TAX, ATTESTER, BANK, HOSPITAL, SUPPLIER, MAKER, STRANGER, LENDER, FACTOR,
    ] {
        let row = read(&scene, viewer);
        let Some((_, allowed)) = allowed.iter().find(|(by, _)| *by == viewer) else {
            assert_eq!(row, None, "{viewer} reads nothing");
            continue;
        };
        let row = row.unwrap_or_else(|| panic!("{viewer} reads a row"));
        let mut found = BTreeSet::new();
        parties_in(&row, &mut found);
        let allowed: BTreeSet<String> = allowed.iter().map(|party| (*party).to_owned()).collect();
        assert_eq!(found, allowed, "{viewer} reads {row:#}");
    }
}

#[test]
fn the_register_shows_keys_and_neither_people_nor_evidence() {
    let scene = Scene::new();
    let party = scene.world.state.parties.get(id(MAKER)).expect("admitted");
    let others = json(&party.row(&scene.viewer(STRANGER)));
    let fields: Vec<_> = others.as_object().expect("a row").keys().cloned().collect();
    assert_eq!(fields, ["admitted", "id", "keys", "name", "roles", "size"]);
    let key: Vec<_> = others["keys"][0].as_object().expect("a key").keys().cloned().collect();
    assert_eq!(key, ["from", "key", "powers"]);
    let own = json(&party.row(&scene.viewer(MAKER)));
    assert!(own["evidence"].is_string() && own["keys"][0]["person"].is_string());
}

#[test]
fn a_holder_reads_its_own_runs_and_of_earlier_hops_parties_and_recourse() {
    let claims = claims_of(&Scene::new(), FACTOR).expect("a holder");
    let own = claims["claims"].as_array().expect("claims");
    assert_eq!(own.len(), 1);
    assert!(own[0]["address"].as_str().expect("text").ends_with(":0-10000"));
    assert_eq!(own[0]["face"], "100.00");
    let [first, last] = [&own[0]["hops"][0], &own[0]["hops"][1]];
    assert_eq!((&first["from"], &first["to"]), (&SUPPLIER.into(), &MAKER.into()));
    assert_eq!(first["recourse"], "last");
    assert!(first.get("by").is_none() && first.get("at").is_none());
    assert!(last["by"]["transfer"].is_string() && last["at"].is_string());
    assert_eq!(claims["face"], "1000.00");
    assert_eq!(claims["totals"]["open"], "900.00");
    assert_eq!(claims["totals"]["settled"], "100.00");
    assert!(claims.get("payees").is_none() && claims.get("passed").is_none());
}

#[test]
fn what_was_passed_on_reads_as_it_was_passed_on() {
    let claims = claims_of(&Scene::new(), SUPPLIER).expect("the supplier");
    let passed = claims["passed"].as_array().expect("passed");
    let addresses: Vec<_> = passed.iter().map(|row| &row["address"]).collect();
    assert_eq!(addresses.len(), 2, "cuts that others made do not show: {addresses:?}");
    assert!(addresses[0].as_str().expect("text").ends_with(":0-30000"));
    assert!(addresses[1].as_str().expect("text").ends_with(":30000-60000"));
    assert!(passed.iter().all(|row| row.get("state").is_none()));
    let own = claims["claims"].as_array().expect("claims");
    let locks: Vec<_> = own.iter().map(|row| row["lock"]["by"]["request"].is_string()).collect();
    assert_eq!(locks, [true, false]);
}

#[test]
fn the_debtor_reads_payees_and_amounts_and_no_addresses() {
    let claims = claims_of(&Scene::new(), HOSPITAL).expect("the debtor");
    assert_eq!(claims["claims"], serde_json::json!([]));
    let payees = claims["payees"].as_array().expect("payees");
    let open = |payee: &str| {
        let row = payees.iter().find(|row| row["payee"] == payee);
        row.expect("a payee")["open"].clone()
    };
    assert_eq!(open(FACTOR), "0.00");
    assert_eq!(open(MAKER), "200.00");
    assert_eq!(open(LENDER), "300.00");
    assert_eq!(open(SUPPLIER), "400.00");
}

#[test]
fn a_holder_reads_invoice_number_and_share_and_a_supplier_its_registration() {
    let scene = Scene::new();
    let holder = read::<Receivable>(&scene, MAKER).expect("a holder");
    assert_eq!(holder["invoices"][0]["number"], "INV-1");
    assert_eq!(holder["invoices"][0]["share"], "1000.00");
    assert!(holder.get("registration").is_none());
    let supplier = read::<Receivable>(&scene, SUPPLIER).expect("the supplier");
    assert_eq!(supplier["registration"]["shares"][0]["confirmed"], "1000.00");
    assert!(supplier.get("invoices").is_none());
    let debtor = read::<Receivable>(&scene, HOSPITAL).expect("the debtor");
    assert!(debtor.get("held").is_none());
}

#[test]
fn a_former_holder_reads_the_view_at_its_exit() {
    let mut scene = Scene::new();
    scene.pass_on_all_of(SUPPLIER, MAKER);
    scene.pass_on_all_of(MAKER, FACTOR);
    let row = read::<Receivable>(&scene, MAKER).expect("a former holder");
    assert!(row.get("totals").is_none() && row.get("held").is_none());
    let claims = claims_of(&scene, MAKER).expect("a former holder");
    assert!(claims.get("totals").is_none());
    assert_eq!(claims["claims"], serde_json::json!([]));
    assert_eq!(claims["passed"].as_array().expect("passed").len(), 3);
}

#[test]
fn a_lender_reads_no_addresses_no_requester_and_no_other_lender() {
    let scene = Scene::new();
    let row = read::<Request>(&scene, LENDER).expect("a lender that is asked");
    for hidden in ["requester", "addresses", "invited"] {
        assert!(row.get(hidden).is_none(), "{hidden}");
    }
    assert_eq!(row["parts"][0]["face"], "100.00");
    assert_eq!(row["parts"][0]["recourse"], serde_json::json!([]));
    assert_eq!(row["parts"][0]["defences"]["waived"], serde_json::json!(["quality"]));
}

#[test]
fn a_lender_does_not_read_a_request_that_has_ended() {
    let mut scene = Scene::new();
    scene.world.later_by_hours(24 * 30);
    assert_eq!(read::<Request>(&scene, LENDER), None);
    let own = read::<Request>(&scene, SUPPLIER).expect("its requester");
    assert_eq!(own["state"], "expired");
    assert!(own.get("parts").is_none());
}

#[test]
fn what_a_lender_draws_is_its_own() {
    let scene = Scene::new();
    let requester = read::<Financing>(&scene, SUPPLIER).expect("the requester");
    assert!(requester.get("outstanding").is_none() && requester.get("limits").is_none());
    let lender = read::<Financing>(&scene, LENDER).expect("the lender");
    assert_eq!(lender["outstanding"], "300.00");
}

#[test]
fn an_obligation_names_no_cause_that_its_reader_may_not_see() {
    let scene = Scene::new();
    let payee = read::<Obligation>(&scene, BANK).expect("the fee's payee");
    // The bank services the requester's account, so the leg is its own to read; the financing is not.
    assert!(payee["cause"]["leg"].is_string());
    assert!(payee["cause"].get("financing").is_none());
    let lender = read::<Obligation>(&scene, LENDER).expect("who owes it");
    assert!(lender["cause"]["financing"].is_string());
}

#[test]
fn a_leg_names_what_it_made_to_those_who_may_see_it() {
    let scene = Scene::new();
    let made = |viewer| read::<Leg>(&scene, viewer).expect("a party of the leg")["attested"].clone();
    assert!(made(LENDER)["made"][0].is_string() && made(LENDER)["funded"].is_string());
    assert!(made(SUPPLIER).get("made").is_none() && made(SUPPLIER)["funded"].is_string());
    assert!(made(BANK)["made"][0].is_string() && made(BANK).get("funded").is_none());
}

#[test]
fn a_tax_authority_reads_an_invoice_and_not_its_use() {
    let scene = Scene::new();
    let attester = read::<Invoice>(&scene, ATTESTER).expect("it attests");
    assert_eq!(attester["gross"], "1000.00");
    for hidden in ["contract", "deliveries", "consumed", "unconsumed", "diluted"] {
        assert!(attester.get(hidden).is_none(), "{hidden}");
    }
    let supplier = read::<Invoice>(&scene, SUPPLIER).expect("its seller");
    assert_eq!(supplier["consumed"], "1000.00");
}

#[test]
fn what_has_ended_by_comparison_reads_as_ended() {
    let mut scene = Scene::new();
    let word = |scene: &Scene, read: fn(&Scene, &str) -> Option<Value>| {
        read(scene, SUPPLIER).expect("a row")["state"].clone()
    };
    assert_eq!(word(&scene, read::<Transfer>), "proposed");
    assert_eq!(word(&scene, read::<Offer>), "standing");
    assert_eq!(word(&scene, read::<Account>), "cooling");
    scene.world.later_by_hours(24 * 30);
    assert_eq!(word(&scene, read::<Transfer>), "expired");
    assert_eq!(word(&scene, read::<Offer>), "lost");
    assert_eq!(word(&scene, read::<Account>), "usable");
    let claims = claims_of(&scene, SUPPLIER).expect("the supplier");
    let own = claims["claims"].as_array().expect("claims");
    assert_eq!(own.len(), 1, "an ended lock is absent, and keeps nothing apart");
}

#[test]
fn open_fens_past_their_due_day_read_as_overdue() {
    let mut scene = Scene::new();
    scene.world.on("2026-09-02");
    let claims = claims_of(&scene, LENDER).expect("a holder");
    assert_eq!(claims["claims"][0]["state"], "overdue");
    assert_eq!(claims["totals"]["overdue"], "900.00");
    assert_eq!(claims["totals"]["open"], "900.00");
}
