//! What an offer costs and what a financing pays, as its requester and its lender read it.

use serde_json::{Value, json};

use super::scene::Scene;
use crate::domain::objects::*;
use crate::domain::ops::offer::accept::Accept;
use crate::domain::testing::trade::terms_of;
use crate::domain::testing::*;
use crate::domain::values::*;

fn comparison(scene: &Scene, offer: OfferId, viewer: &str) -> Value {
    let row = scene.read::<Offer>(offer, viewer).expect("its reader");
    row["comparison"].clone()
}

/// The factor bids for the scene's request too, at a lower rate and without a fee.
fn with_a_better_offer() -> (Scene, OfferId) {
    let mut scene = Scene::new();
    let terms = OfferTerms {
        rate: wire("0.04"),
        ..terms_of(scene.world.get_request(scene.request))
    };
    let better = scene.world.offered(FACTOR, scene.request, terms);
    (scene, better)
}

/// Compared on Tuesday, 9 June, behind the request's last day; 59 days to 7 August.
#[test]
fn an_offer_reads_with_its_whole_cost_on_the_day_of_comparison() {
    let scene = Scene::new();
    let read = comparison(&scene, scene.offer, LENDER);
    let offer = scene.world.state.offers.get(scene.offer).expect("made");
    let terms = offer.terms().expect("visible");
    let request = scene.world.get_request(scene.request);
    let on: Day = wire("2026-06-09");
    let price =
        crate::domain::price::amount(request.face, terms, request.due, on).expect("a price");
    let all_in = price.all_in(on, request.due).expect("a cost");
    let apr = apr(all_in.cost, all_in.funds, 59).expect("a rate");
    let written = |fen| Amount::of(fen, 2);
    let expected = json!({
        "on": on, "cost": written(all_in.cost), "funds": written(all_in.funds), "days": 59, "apr": apr,
    });
    assert_eq!(read, expected);
    let sum = all_in.cost.checked_add(all_in.funds);
    assert_eq!(sum, Some(request.face), "what is not paid out is cost");
}

#[test]
fn the_requester_reads_the_rank_among_the_offers_it_may_see() {
    let (scene, better) = with_a_better_offer();
    let ranks = |viewer| {
        [better, scene.offer].map(|offer| comparison(&scene, offer, viewer)["rank"].clone())
    };
    assert_eq!(ranks(SUPPLIER), [json!(1), json!(2)]);
    assert_eq!(ranks(TAX), [json!(1), json!(2)]);
}

#[test]
fn a_lender_reads_its_cost_and_no_rank() {
    let (scene, better) = with_a_better_offer();
    for (offer, lender) in [(scene.offer, LENDER), (better, FACTOR)] {
        let read = comparison(&scene, offer, lender);
        assert!(read["apr"].is_string());
        assert!(read.get("rank").is_none(), "it would tell of other offers");
    }
}

#[test]
fn a_financing_reads_with_the_price_of_every_value_date_while_it_waits() {
    let (mut scene, better) = with_a_better_offer();
    let op = scene.world.act(SUPPLIER, Accept { offer: better });
    let financing = FinancingId::of(&op, 0);
    let agreed = scene.world.get_financing(financing).clone();
    for reader in [SUPPLIER, FACTOR] {
        let row = scene
            .read::<Financing>(financing, reader)
            .expect("a party of it");
        let schedule = row["schedule"].as_array().expect("a schedule");
        let first = scene.world.today();
        let days = first.days_until(agreed.terms.disburse_by);
        assert_eq!(schedule.len() as i64, days + 1);
        for (n, row) in schedule.iter().enumerate() {
            let day = first.plus_days(n as i64);
            assert_eq!(row["value_date"], json!(day));
            let price = crate::domain::price::amount(agreed.face, &agreed.terms, agreed.due, day);
            let price = price.expect("it has a price");
            assert_eq!(row["price"], json!(Amount::of(price.amount.result, 2)));
            let [discount, left] = [&row["computed"][0], &row["computed"][1]];
            assert_eq!(discount["formula"], "discount");
            assert_eq!(discount["inputs"]["rate"], "0.04");
            assert_eq!(
                left["inputs"]["discount"],
                json!(discount["result"].to_string())
            );
        }
    }
    scene.world.later_by_hours(24 * 60);
    let row = scene
        .read::<Financing>(financing, SUPPLIER)
        .expect("its own");
    assert!(row.get("schedule").is_none(), "it has ended");
}

#[test]
fn a_funded_financing_reads_with_the_price_that_was_paid() {
    let scene = Scene::new();
    let row = scene
        .read::<Financing>(scene.financing, LENDER)
        .expect("its own");
    assert!(row.get("schedule").is_none());
    let FinancingState::Funded(funding) = &scene.world.get_financing(scene.financing).state else {
        panic!("it was paid");
    };
    let read = &row["funding"];
    assert_eq!(read["price"], json!(Amount::of(funding.price, 2)));
    assert_eq!(read["value_date"], json!(funding.value_date));
    assert_eq!(read["computed"][1]["result"], json!(funding.price));
}
