//! Sealed offers: what the requester reads of them in the window in which they are revealed, and when it ends.

use counterfoil::domain::values::OfferId;
use serde_json::json;

use super::answers::{Answer, Reader};
use super::cast::everybody;
use super::first_trade::SEALED;
use super::money::Sale;
use super::scene::Scene;

const SALT_A: &str = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
const SALT_B: &str = "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2";

impl Scene {
    /// A sealed request that any lender reads: bank A has revealed its offer, bank B has not, and 16:00 UTC is still to
    /// come.
    pub(super) fn play_window(&mut self) {
        let sale = Sale {
            requester: "supplier",
            receivable: "rcv-main",
            fens: SEALED,
            invited: &[],
            closes: "2026-06-02T04:00:00Z",
            accept_by: "2026-06-04T10:00:00Z",
        };
        self.ask("req-sealed", "sealed", &sale);
        let revealed = self.terms("0.0429", Some(("bank-b", "79.79")));
        let kept = self.terms("0.0431", Some(("bank-a", "83.83")));
        for (name, lender, salt, terms) in [
            ("ofr-sealed-a", "bank-a", SALT_A, &revealed),
            ("ofr-sealed-b", "bank-b", SALT_B, &kept),
        ] {
            let commitment = self.commitment("req-sealed", lender, salt, terms);
            let body = json!({ "request": self.id("req-sealed"), "commitment": commitment });
            self.make::<OfferId>(name, lender, "", "offer.commit", body);
        }
        self.on("2026-06-02", "08:00");
        let body = json!({ "request": self.id("req-sealed"), "salt": SALT_A, "offer": revealed });
        self.act("bank-a", "", "offer.reveal", body);
    }
}

/// Everybody who reads the reveal of bank A's offer: the offer, and the entry.
fn readers_of_the_reveal(scene: &Scene) -> [Vec<&'static str>; 2] {
    let offer = format!("/v1/offers/{}", scene.id("ofr-sealed-a"));
    let reveal = scene
        .entries
        .iter()
        .find(|entry| entry.op == "offer.reveal")
        .unwrap();
    [offer, format!("/v1/entries/{}", reveal.n)].map(|path| {
        let reads = |who: &&str| match Reader::of(scene, who).get(&path) {
            Answer {
                status: 200, body, ..
            } => body.contains("79.79"),
            _ => false,
        };
        everybody().filter(reads).collect()
    })
}

#[test]
fn a_requester_reads_a_reveal_from_the_end_of_the_window_on_and_other_lenders_never_do() {
    let mut scene = Scene::played();
    let before = ["tax", "bank-a"];
    let after = ["tax", "bank-a", "supplier"];
    assert_eq!(readers_of_the_reveal(&scene), [before; 2]);
    scene.on("2026-06-02", "15:59");
    assert_eq!(readers_of_the_reveal(&scene), [before; 2]);
    scene.on("2026-06-02", "16:00");
    // By comparison, with no entry since.
    assert_eq!(readers_of_the_reveal(&scene), [after; 2]);
    let body = json!({ "debtor": scene.party("works").id, "currency": "CNY", "amount": "1.00", "valid_to": "2026-12-31" });
    scene.act("fund", "", "limit.set", body);
    assert_eq!(readers_of_the_reveal(&scene), [after; 2]);
    // What was not revealed stays its lender's.
    let kept = format!("/v1/offers/{}", scene.id("ofr-sealed-b"));
    let reads = |who: &&str| Reader::of(&scene, who).get(&kept).status == 200;
    assert_eq!(
        everybody().filter(reads).collect::<Vec<_>>(),
        ["tax", "bank-b"]
    );
}

#[test]
fn a_request_that_has_ended_is_absent_to_lenders_and_their_own_offers_stay() {
    let mut scene = Scene::played();
    let [sealed, live, any] = ["req-sealed", "req-live", "req-any"]
        .map(|name| format!("/v1/requests/{}", scene.id(name)));
    let readers = |scene: &Scene, path: &str| -> Vec<&str> {
        let reads = |who: &&str| Reader::of(scene, who).get(path).status == 200;
        everybody().filter(reads).collect()
    };
    assert_eq!(
        readers(&scene, &sealed),
        ["tax", "bank-a", "bank-b", "factor", "supplier", "fund"]
    );
    scene.on("2026-06-04", "10:00");
    assert_eq!(readers(&scene, &sealed), ["tax", "supplier"]);
    assert_eq!(
        readers(&scene, &live),
        ["tax", "bank-a", "factor", "supplier"]
    );
    scene.on("2026-06-05", "11:00");
    assert_eq!(readers(&scene, &live), ["tax", "supplier"]);
    assert_eq!(readers(&scene, &any), ["tax", "workshop"]);
    let own = Reader::of(&scene, "factor").get(&format!("/v1/offers/{}", scene.id("ofr-live-f")));
    assert_eq!(own.json()["state"], "lost");
}
