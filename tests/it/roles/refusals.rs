//! What a refusal, a dry run and a uniqueness check hold back: the facts of the other side of one's own trade.

use serde_json::{Value, json};

use super::answers::{Answer, Reader};
use super::scene::{Scene, digest};

/// What becomes of an operation, sent and checked.
fn sent_and_checked(scene: &Scene, by: &str, op: &str, body: &Value) -> [Answer; 2] {
    let reader = Reader::of(scene, by);
    let envelope = scene.envelope(by, op, body);
    let check = reader.post(
        "/v1/operations:check",
        "application/json",
        envelope.payload().as_bytes(),
    );
    let sent = reader.post("/v1/operations", "application/json", &envelope.encode());
    [sent, check]
}

fn code(answer: &Answer) -> String {
    answer.json()["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Whatever stands against an offer on its lender's side, the requester is told that it is not to be had.
#[test]
fn a_requester_is_not_told_of_its_lenders_limit() {
    let mut scene = Scene::played();
    let body = json!({
        "debtor": scene.party("hospital").id, "currency": "CNY", "amount": "100149.00", "valid_to": "2026-12-31",
    });
    scene.act("bank-a", "", "limit.set", body);
    let body = json!({ "offer": scene.id("ofr-live-a") });
    for answer in sent_and_checked(&scene, "supplier", "offer.accept", &body) {
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (422, "offer.unavailable")
        );
        for fact in ["limit", "100149", "10014900", scene.id("lim-a")] {
            let told = answer.body.replace("offer.unavailable", "");
            assert!(!told.contains(fact), "{fact}: {}", answer.body);
        }
    }
    // The other offer of the request is still to be had, and the lender itself is told what is wrong.
    let body = json!({ "offer": scene.id("ofr-live-f") });
    let [_, check] = sent_and_checked_dry(&scene, "supplier", "offer.accept", &body);
    assert_eq!(check.status, 200, "{}", check.body);
    let body = json!({ "request": scene.id("req-live"), "offer": scene.terms("0.05", None) });
    let told = Reader::of(&scene, "bank-a").post(
        "/v1/operations:check",
        "application/json",
        scene
            .envelope("bank-a", "offer.make", &body)
            .payload()
            .as_bytes(),
    );
    assert_eq!(told.status, 422, "{}", told.body);
}

/// The check alone, so that nothing is done.
fn sent_and_checked_dry(scene: &Scene, by: &str, op: &str, body: &Value) -> [Answer; 2] {
    let reader = Reader::of(scene, by);
    let envelope = scene.envelope(by, op, body);
    let check = || {
        reader.post(
            "/v1/operations:check",
            "application/json",
            envelope.payload().as_bytes(),
        )
    };
    [check(), check()]
}

/// A number that somebody has used towards others reads to its partner as one that nobody has.
#[test]
fn numbers_that_a_partner_uses_towards_others_are_free() {
    let mut scene = Scene::played();
    // The supplier has billed the hospital; the carrier bills the supplier and is billed by the smith.
    let self_billed = |scene: &Scene, number: &str, document: &str| {
        json!({
            "contract": scene.id("ctr-haul"), "number": number, "type_code": 389, "issued": "2026-05-25", "currency": "CNY",
            "net": "4.00", "tax": "1.00", "gross": "5.00", "document": digest(document),
        })
    };
    // The supplier, debtor of the carrier, bills in its name: numbers that the carrier has used or not read alike.
    let used = self_billed(&scene, "FP-37-HAUL", "FP-37-HAUL");
    let new = self_billed(&scene, "FP-99-NEW", "FP-99-NEW");
    let answers = [used, new].map(|body| {
        sent_and_checked(&scene, "supplier", "invoice.issue", &body)
            .map(|answer| (answer.status, code(&answer)))
    });
    assert_eq!(answers[0], answers[1]);
    assert!(
        answers[0].iter().all(|(status, _)| *status == 422),
        "{answers:?}"
    );
    // A contract's number is the proposer's towards one partner: another partner's is free, and so is the other's own.
    for (by, supplier, debtor, number) in [
        (
            "hospital",
            ("workshop", "small"),
            ("hospital", "public_body"),
            "HT-15-OPEN",
        ),
        (
            "supplier",
            ("supplier", "small"),
            ("hospital", "public_body"),
            "HT-15-OPEN",
        ),
    ] {
        let paper = super::first_trade::Paper {
            supplier,
            debtor,
            number,
            value: "5.00",
        };
        let body = scene.paper(&paper);
        let told = if by == supplier.0 {
            debtor.0
        } else {
            supplier.0
        };
        scene.act(by, told, "contract.propose", body);
    }
    // A payer's reference is its own: the factor may use the one that the hospital has used towards it, and a bank's
    // booking reference may be another bank's.
    let account = json!({
        "bank": scene.party("bank-a").id, "number": "6200000000000002", "currency": "CNY", "default": false,
    });
    scene.act("supplier", "bank-a", "account.add", account);
}

/// A check says what the operation itself would be told, no more: neither what it would touch nor for another party.
#[test]
fn a_check_tells_no_more_than_the_operation_would() {
    let scene = Scene::played();
    let body = json!({ "request": scene.id("req-live") });
    let envelope = scene.envelope("supplier", "request.withdraw", &body);
    let payload = envelope.payload().as_bytes();
    let check =
        |who| Reader::of(&scene, who).post("/v1/operations:check", "application/json", payload);
    let own = check("supplier");
    assert_eq!(own.status, 200, "{}", own.body);
    let said: Vec<String> = own.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(said, ["op_id"]);
    for who in ["bank-a", "stranger", "operator", "tax"] {
        let other = check(who);
        assert_eq!(
            (other.status, code(&other).as_str()),
            (422, "check.party"),
            "{who}"
        );
        assert!(!other.body.contains(scene.id("req-live")), "{who}");
    }
    assert_eq!(
        Reader::nobody(&scene)
            .post("/v1/operations:check", "application/json", payload)
            .status,
        401
    );
}

/// What stands in the way of a bill that the debtor makes in its supplier's name is the supplier's to know.
#[test]
fn a_refusal_names_an_object_to_its_owner_alone() {
    let scene = Scene::played();
    let bill = |type_code: u16| {
        json!({
            "contract": scene.id("ctr-main"), "number": "FP-31-MAIN", "type_code": type_code, "issued": "2026-05-25",
            "currency": "CNY", "net": "4.00", "tax": "1.00", "gross": "5.00", "document": digest("another"),
        })
    };
    let told = |by: &str, also: Option<&str>, type_code| {
        let mut envelope = scene.envelope(by, "invoice.issue", &bill(type_code));
        if let Some(also) = also {
            envelope.sign(&scene.party(also).key).unwrap();
        }
        let nobody = Reader::nobody(&scene);
        nobody.post("/v1/operations", "application/json", &envelope.encode())
    };
    let own = told("supplier", None, 380);
    let others = told("hospital", Some("supplier"), 389);
    assert_eq!(
        [code(&own), code(&others)],
        ["invoice.duplicate", "invoice.duplicate"]
    );
    let names = |answer: &Answer| answer.body.contains(scene.id("inv-main"));
    assert_eq!([names(&own), names(&others)], [true, false]);
}
