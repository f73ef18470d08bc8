//! What is unique is unique within one's own trade: nobody learns from a number that it has been used by another.

use counterfoil::chain::pae::SESSION_TYPE;
use counterfoil::chain::{Envelope, SigningKey};
use serde_json::json;

use super::answers::{Answer, Reader};
use super::first_trade::Paper;
use super::money::Leg;
use super::scene::{Scene, digest};

/// Nobody has this identifier.
const UNKNOWN: &str = "x:nobody-at-all";

#[test]
fn numbers_documents_and_references_of_another_trade_are_free() {
    let mut scene = Scene::played();
    // The scene fails where one of these is refused.
    let paper = Paper {
        supplier: ("workshop", "small"),
        debtor: ("works", "large"),
        number: "HT-11-MAIN",
        value: "1200011.00",
    };
    scene.conclude("ctr-same", &paper);
    let two = ("ctr-two", "workshop", "works");
    scene.deliver("dlv-same", two, "LS-21-MAIN", "900029.00");
    scene.bill(
        "inv-same",
        two,
        ["FP-31-MAIN", "796475.22", "103541.78", "900017.00"],
        &[],
    );
    let body = json!({
        "invoice": scene.id("inv-same"), "number": "FP-39-CREDIT", "amount": "1009.00", "document": digest("FP-39-CREDIT"),
    });
    scene.act("workshop", "works", "invoice.credit", body);
    let body = json!({
        "bank": scene.party("bank-a").id, "number": "6200000000000001", "currency": "CNY", "default": false,
    });
    scene.act("workshop", "bank-a", "account.add", body);
    let body = json!({
        "debtor": scene.party("hospital").id, "currency": "CNY", "amount": "1000131.00", "valid_to": "2026-12-31",
    });
    scene.act("fund", "", "limit.set", body);
    let leg = Leg {
        purpose: "payment",
        payer: "works",
        payee: "workshop",
        account: "acc-workshop",
        bank: "bank-c",
        amount: "80031.00",
        day: "2026-06-02",
        reference: "E2E-44-PAID",
        pays: ("receivable", "rcv-two"),
    };
    scene.announce("leg-same", &leg);
    scene.book("leg-same", &leg, "80031.00", "BK-54-PAID");
}

/// An answer to an operation that names `party`, without what differs by itself.
fn bare(mut answer: Answer, party: &str, op_id: &str) -> Answer {
    answer.body = answer.body.replace(party, "PARTY").replace(op_id, "OP");
    answer.headers.retain(|(name, _)| name != "content-length");
    answer
}

#[test]
fn nobody_but_the_operator_learns_by_admitting_who_is_admitted() {
    let scene = Scene::new();
    let nobody = Reader::nobody(&scene);
    let key = SigningKey::from_seed(&[9; 32]);
    let answers = [scene.party("fund").id.as_str(), UNKNOWN].map(|party| {
        let body = json!({
            "party": party, "name": "Somebody", "roles": ["lender"],
            "key": { "key": key.public_key().to_string(), "label": "first", "person": "somebody", "powers": ["admin"] },
            "evidence": digest("evidence"), "agreement": digest("agreement"), "kyc_valid_to": "2028-12-31",
        });
        let mut envelope = scene.envelope("stranger", "party.admit", &body);
        envelope.sign(&key).unwrap();
        let answer = nobody.post("/v1/operations", "application/json", &envelope.encode());
        bare(answer, party, &envelope.op_id().to_string())
    });
    assert_eq!(answers[0].status, 422);
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn an_outsider_does_not_learn_who_is_admitted() {
    let scene = Scene::new();
    let nobody = Reader::nobody(&scene);
    let key = SigningKey::from_seed(&[9; 32]);
    let answers = [scene.party("fund").id.as_str(), UNKNOWN].map(|party| {
        let outsider = crate::served::Party { id: party.to_owned(), key: SigningKey::from_seed(&[9; 32]) };
        let body = json!({ "debtor": party, "currency": "CNY", "amount": "1.00", "valid_to": "2026-12-31" });
        let envelope = outsider.envelope(scene.server.origin(), "2026-05-18T09:00:00Z", "limit.set", &body);
        let sent = nobody.post("/v1/operations", "application/json", &envelope.encode());

        let challenge = nobody.post("/v1/challenges", "application/json", b"").json();
        let asked = json!({
            "ledger": challenge["ledger"], "audience": challenge["audience"], "party": party,
            "challenge": challenge["challenge"], "expires": challenge["expires"],
        });
        let mut session = Envelope::new(SESSION_TYPE, asked.to_string()).unwrap();
        session.sign(&key).unwrap();
        let session = nobody.post("/v1/sessions", "application/json", &session.encode());
        let op_id = envelope.op_id().to_string();
        [bare(sent, party, &op_id), bare(session, party, &op_id)]
    });
    assert_eq!([answers[0][0].status, answers[0][1].status], [422, 401]);
    assert_eq!(answers[0], answers[1]);
}
