//! Refusals tell nothing: whoever names an object of another's trade is answered as if it named one that never was.

use counterfoil::domain::values::{AccountId, ContractId, MadeId, OpId, ReceivableId};
use serde_json::{Value, json};

use super::answers::{Answer, Reader};
use super::scene::{Scene, digest};
use super::table::{TABLE, absent, sees};

/// Stands in a body for the id that is tried.
const HERE: &str = "HERE";

/// Every operation that names an object, with the object that it is tried on and a body that is right but for whose it is.
fn tries(scene: &Scene) -> Vec<(&'static str, &'static str, Value)> {
    let mut tries: Vec<(&'static str, &'static str, Value)> = ONE_NAME
        .iter()
        .map(|(op, field, object)| (*op, *object, json!({ *field: HERE })))
        .collect();
    tries.extend(with_more(scene));
    tries
}

/// Operation, field and object of those that name one object and nothing else.
const ONE_NAME: &[(&str, &str, &str)] = &[
    ("account.attest", "account", "acc-smith"),
    ("account.close", "account", "acc-maker"),
    ("contract.accept", "contract", "ctr-open"),
    ("contract.decline", "contract", "ctr-open"),
    ("contract.close", "contract", "ctr-main"),
    ("delivery.accept", "delivery", "dlv-open"),
    ("invoice.attest", "invoice", "inv-open"),
    ("invoice.book", "invoice", "inv-open"),
    ("invoice.void", "invoice", "inv-flag"),
    ("receivable.withdraw", "receivable", "rcv-open"),
    ("transfer.accept", "transfer", "trf-open"),
    ("transfer.decline", "transfer", "trf-open"),
    ("transfer.cancel", "transfer", "trf-open"),
    ("request.withdraw", "request", "req-live"),
    ("offer.withdraw", "offer", "ofr-live-a"),
    ("offer.accept", "offer", "ofr-live-a"),
    ("financing.cancel", "financing", "fin-wait"),
    ("leg.contest", "leg", "leg-wait"),
    ("leg.reverse", "leg", "leg-paid"),
    ("obligation.waive", "obligation", "obl-fee"),
];

fn with_more(scene: &Scene) -> Vec<(&'static str, &'static str, Value)> {
    let share = |amount: &str| json!([{ "invoice": scene.id("inv-open"), "amount": amount }]);
    let terms = scene.terms("0.05", None);
    let fens = format!("{HERE}:0-100");
    let bill = |type_code: u16| {
        json!({
            "contract": HERE, "number": "N-1", "type_code": type_code, "issued": "2026-05-25", "currency": "CNY",
            "net": "4.00", "tax": "1.00", "gross": "5.00", "document": digest("N-1"),
        })
    };
    let leg = |pays: &str, to: &str, account: &str| {
        json!({
            "purpose": if pays == "financing" { "disbursement" } else { "payment" }, "payee": scene.party(to).id,
            "account": scene.id(account), "amount": "5.00", "value_date": "2026-06-02", "end_to_end_id": "TRY-1",
            "currency": "CNY", "discharges": [{ pays: HERE }],
        })
    };
    vec![
        (
            "delivery.record",
            "ctr-main",
            json!({
                "contract": HERE, "number": "N-1", "delivered": "2026-05-25", "amount": "5.00",
            }),
        ),
        (
            "delivery.reject",
            "dlv-open",
            json!({ "delivery": HERE, "reason": "none" }),
        ),
        ("invoice.issue", "ctr-main", bill(380)),
        ("invoice.issue", "ctr-main", bill(389)),
        (
            "invoice.flag",
            "inv-open",
            json!({ "invoice": HERE, "reason": "none", "ends": "2026-06-20T00:00:00Z" }),
        ),
        (
            "contract.amend",
            "ctr-main",
            json!({
                "contract": HERE, "payment_days": 30, "inspection_days": 7, "grace_days": 0, "vouchers": true,
                "document": digest("amended"),
            }),
        ),
        (OF_ITS_OP, "ctr-open", json!({ "operation": HERE })),
        (OF_ITS_OP, "ctr-parts", json!({ "operation": HERE })),
        (OF_ITS_OP, "acc-smith", json!({ "operation": HERE })),
        (OF_ITS_OP, "rcv-open", json!({ "operation": HERE })),
        ("invoice.unflag", "inv-flag", json!({ "invoice": HERE })),
        (
            "invoice.credit",
            "inv-open",
            json!({
                "invoice": HERE, "number": "N-2", "amount": "5.00", "document": digest("N-2"),
            }),
        ),
        (
            "receivable.register",
            "ctr-main",
            json!({ "contract": HERE, "shares": share("5.00") }),
        ),
        (
            "receivable.confirm",
            "rcv-open",
            json!({
                "receivable": HERE, "shares": share("5.00"), "due": "2026-07-20", "defences": {}, "notice": "ledger",
            }),
        ),
        (
            "receivable.decline",
            "rcv-open",
            json!({ "receivable": HERE, "reason": "none" }),
        ),
        (
            "receivable.dispute",
            "rcv-open",
            json!({
                "receivable": HERE, "disputes": [{ "invoice": scene.id("inv-open"), "amount": "5.00", "code": "other" }],
            }),
        ),
        (
            "receivable.resolve",
            "rcv-open",
            json!({
                "receivable": HERE, "invoice": scene.id("inv-open"), "amount": "5.00", "outcome": "released",
            }),
        ),
        (
            "claim.extend",
            "rcv-main",
            json!({ "addresses": [fens], "due": "2026-08-20" }),
        ),
        ("claim.waive", "rcv-main", json!({ "addresses": [fens] })),
        (
            "transfer.propose",
            "rcv-main",
            json!({
                "addresses": [fens], "to": scene.party("maker").id, "recourse": "none",
                "basis": { "invoice": scene.id("inv-parts") }, "expires": "2026-06-06T00:00:00Z",
            }),
        ),
        (
            "request.open",
            "rcv-main",
            json!({
                "addresses": [fens], "bidding": "visible", "closes": "2026-06-03T00:00:00Z", "accept_by": "2026-06-04T00:00:00Z",
            }),
        ),
        (
            "offer.make",
            "req-live",
            json!({ "request": HERE, "offer": terms }),
        ),
        (
            "offer.commit",
            "req-sealed",
            json!({ "request": HERE, "commitment": digest("none") }),
        ),
        (
            "offer.reveal",
            "req-sealed",
            json!({ "request": HERE, "salt": digest("salt"), "offer": terms }),
        ),
        (
            "leg.announce",
            "rcv-main",
            leg("receivable", "supplier", "acc-supplier"),
        ),
        (
            "leg.announce",
            "obl-refund",
            leg("obligation", "factor", "acc-factor"),
        ),
        (
            "leg.announce",
            "fin-wait",
            leg("financing", "supplier", "acc-supplier"),
        ),
        (
            "leg.attest",
            "leg-wait",
            json!({
                "leg": HERE, "booked": "69659.45", "value_date": "2026-06-01", "reference": "TRY-2",
            }),
        ),
    ]
}

/// What makes something of nothing, or names nothing but parties of the register, own keys and own changes of them.
const FREE: [&str; 16] = [
    "ledger.create",
    "party.admit",
    "ledger.upgrade",
    "ledger.rekey",
    "rulebook.publish",
    "party.amend",
    "party.suspend",
    "party.reinstate",
    "key.add",
    "key.revoke",
    "key.recover",
    "key.veto",
    "policy.set",
    "account.add",
    "contract.propose",
    "limit.set",
];

/// What names, in place of an object, the operation that made it or proposed its change.
const OF_ITS_OP: &str = "operation.cancel";

/// What is named of an object, and the like that never was.
fn named(scene: &Scene, op: &str, object: &str) -> [String; 2] {
    let id = scene.id(object).to_owned();
    if op != OF_ITS_OP {
        return [id.clone(), absent(&id)];
    }
    let asked = scene.entries.iter().rfind(|entry| match object {
        "ctr-parts" => entry.op == "contract.amend",
        _ => made(&entry.op_id).contains(&id),
    });
    [asked.unwrap().op_id.clone(), "0".repeat(64)]
}

/// The first object of each prefix that an operation would make.
fn made(op_id: &str) -> [String; 3] {
    let op: OpId = op_id.parse().unwrap();
    [
        ContractId::of(&op, 0).to_string(),
        AccountId::of(&op, 0).to_string(),
        ReceivableId::of(&op, 0).to_string(),
    ]
}

/// The same body about an id.
fn about(id: &str, body: &Value) -> Value {
    serde_json::from_str(&body.to_string().replace(HERE, id)).unwrap()
}

/// An answer without what is its own: the id that was tried and the operation's.
fn bare(mut answer: Answer, tried: &str, op_id: &str) -> Answer {
    answer.body = answer.body.replace(tried, HERE).replace(op_id, "OP");
    answer
}

#[test]
fn naming_an_object_of_others_reads_as_naming_none_sent_or_checked() {
    let scene = Scene::played();
    let tries = tries(&scene);
    for operation in counterfoil::domain::registry::REGISTRY {
        let tried = tries.iter().any(|one| one.0 == operation.name);
        assert!(
            tried != FREE.contains(&operation.name),
            "{} is tried or free",
            operation.name
        );
    }
    let mut wrong = Vec::new();
    for who in ["stranger", "workshop", "bank-c", "fund", "operator"] {
        let reader = Reader::of(&scene, who);
        for (op, object, body) in &tries {
            let seen = TABLE.iter().any(|row| row.1 == *object && sees(row, who));
            if seen {
                continue;
            }
            let answers = named(&scene, op, object).map(|id| {
                let envelope = scene.envelope(who, op, &about(&id, body));
                let op_id = envelope.op_id().to_string();
                let sent = reader.post("/v1/operations", "application/json", &envelope.encode());
                let check = reader.post(
                    "/v1/operations:check",
                    "application/json",
                    envelope.payload().as_bytes(),
                );
                [sent, check].map(|answer| bare(answer, &id, &op_id))
            });
            let unknown =
                |answer: &Answer| answer.status == 422 && answer.json()["code"] == "unknown_object";
            // What a party does not see it bars, and that entry is its own.
            let (same, alike): (bool, bool) = match op == &OF_ITS_OP {
                true => (
                    answers[0][1] == answers[1][1],
                    answers.iter().all(|[sent, _]| sent.status == 201),
                ),
                false => (answers[0] == answers[1], answers[0].iter().all(unknown)),
            };
            if !same || !alike {
                wrong.push(format!("{who} {op} of {object}: {answers:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
