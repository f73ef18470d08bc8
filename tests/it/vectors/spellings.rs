//! What is refused before anybody judges it: payloads that are not the canonical encoding of an operation, envelopes that
//! are none, requests for sessions.

use std::collections::BTreeMap;

use counterfoil::api::session::Asked;
use counterfoil::chain::pae::SESSION_TYPE;
use counterfoil::chain::{Envelope, SigningKey};
use counterfoil::domain::payload::Payload;
use serde::Serialize;
use serde_json::{Value, json};

use super::operations::EntryVector;

#[derive(Serialize)]
pub(super) struct Spellings {
    /// Payloads that no ledger takes, whoever signs them.
    payloads: Vec<PayloadVector>,
    /// Envelopes that no ledger takes, whatever they say.
    envelopes: Vec<EnvelopeVector>,
    session: SessionVector,
}

/// One payload; where it can be read but is not canonical, with the byte at which it differs from what it ought to be.
#[derive(Serialize)]
struct PayloadVector {
    what: &'static str,
    payload: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
}

#[derive(Serialize)]
struct EnvelopeVector {
    what: &'static str,
    envelope: String,
    code: &'static str,
}

/// A request for a session as it is signed, and some that are refused.
#[derive(Serialize)]
struct SessionVector {
    signer: &'static str,
    payload: String,
    pae: String,
    envelope: String,
    refused: Vec<EnvelopeVector>,
}

/// What is wrong, what of a good text stands so, what stands there instead, and the code of the refusal.
type Fault = (&'static str, &'static str, &'static str, &'static str);

const NOT_CANONICAL: &str = "payload.not_canonical";
const MALFORMED: &str = "payload.malformed";

/// On the `contract.propose` of the story.
const PAYLOADS: &[Fault] = &[
    (
        "white space after a colon",
        r#""op":"#,
        r#""op": "#,
        NOT_CANONICAL,
    ),
    ("a line break at the end", "}}", "}}\n", NOT_CANONICAL),
    (
        "two fields in another order",
        r#""op":"contract.propose","party":"uscc:91110108MA01K7C535""#,
        r#""party":"uscc:91110108MA01K7C535","op":"contract.propose""#,
        NOT_CANONICAL,
    ),
    (
        "two fields of the body in another order",
        r#""inspection_days":7,"supplier_size":"small""#,
        r#""supplier_size":"small","inspection_days":7"#,
        NOT_CANONICAL,
    ),
    (
        "an escape where none is needed",
        "HT-2026-0417",
        r"HT-2026\u002d0417",
        NOT_CANONICAL,
    ),
    (
        "an escaped solidus",
        "drill.example/",
        r"drill.example\/",
        NOT_CANONICAL,
    ),
    (
        "a field that is absent, as null",
        r#""payment_days""#,
        r#""ends":null,"payment_days""#,
        NOT_CANONICAL,
    ),
    (
        "null where a value stands",
        r#""value":"1200000.00""#,
        r#""value":null"#,
        NOT_CANONICAL,
    ),
    (
        "a field twice",
        r#""grace_days":0"#,
        r#""grace_days":0,"grace_days":0"#,
        MALFORMED,
    ),
    (
        "a field that is not known",
        r#""grace_days":0"#,
        r#""grace_days":0,"color":"red""#,
        MALFORMED,
    ),
    (
        "a field that is missing",
        r#""grace_days":0,"#,
        "",
        MALFORMED,
    ),
    (
        "a number with a fraction",
        r#""payment_days":60"#,
        r#""payment_days":60.0"#,
        MALFORMED,
    ),
    (
        "a number with an exponent",
        r#""payment_days":60"#,
        r#""payment_days":6e1"#,
        MALFORMED,
    ),
    (
        "a number with a zero before it",
        r#""payment_days":60"#,
        r#""payment_days":060"#,
        MALFORMED,
    ),
    (
        "a number below zero",
        r#""payment_days":60"#,
        r#""payment_days":-60"#,
        MALFORMED,
    ),
    (
        "a number as text",
        r#""payment_days":60"#,
        r#""payment_days":"60""#,
        MALFORMED,
    ),
    (
        "an amount as a number",
        r#""1200000.00""#,
        "1200000.00",
        MALFORMED,
    ),
    ("an amount with an exponent", "1200000.00", "1E5", MALFORMED),
    (
        "an amount without a digit before the point",
        "1200000.00",
        ".5",
        MALFORMED,
    ),
    (
        "an amount without a digit behind the point",
        "1200000.00",
        "5.",
        MALFORMED,
    ),
    (
        "an amount with a zero before it",
        "1200000.00",
        "01.00",
        MALFORMED,
    ),
    ("an amount with a sign", "1200000.00", "+1.00", MALFORMED),
    ("an amount below zero", "1200000.00", "-1.00", MALFORMED),
    (
        "an amount with separators",
        "1200000.00",
        "1,200,000.00",
        MALFORMED,
    ),
    (
        "an amount of 19 digits",
        "1200000.00",
        "12345678901234567.89",
        MALFORMED,
    ),
    (
        "a rate with a zero at its end",
        r#""grace_days":0"#,
        r#""late_rate":"0.00050","grace_days":0"#,
        MALFORMED,
    ),
    (
        "a day that there is not",
        "2026-05-20",
        "2026-02-30",
        MALFORMED,
    ),
    (
        "a day in another form",
        "2026-05-20",
        "20.05.2026",
        MALFORMED,
    ),
    (
        "an instant with a lower-case letter",
        "00Z",
        "00z",
        MALFORMED,
    ),
    ("an instant with milliseconds", "00Z", "00.000Z", MALFORMED),
    ("an instant with an offset", "00Z", "00+00:00", MALFORMED),
    ("a leap second", ":00Z", ":60Z", MALFORMED),
    (
        "a nonce in upper case",
        r#""nonce":""#,
        r#""nonce":"A"#,
        MALFORMED,
    ),
    (
        "an identifier with a wrong check character",
        "91110108MA01K7C535",
        "91110108MA01K7C536",
        MALFORMED,
    ),
    (
        "an identifier of no known kind",
        "uscc:121100004006864946",
        "duns:150483782",
        MALFORMED,
    ),
    (
        "a word that there is not",
        r#""small""#,
        r#""tiny""#,
        MALFORMED,
    ),
    (
        "a word in upper case",
        r#""small""#,
        r#""Small""#,
        MALFORMED,
    ),
    (
        "true as a word",
        r#""vouchers":true"#,
        r#""vouchers":"true""#,
        MALFORMED,
    ),
    ("a digest that is too short", "\"}}", "0\"}}", MALFORMED),
    (
        "white space at the end of a text",
        "HT-2026-0417",
        "HT-2026-0417 ",
        MALFORMED,
    ),
    (
        "a text with a zero-width space",
        "HT-2026-0417",
        "HT-2026\u{200b}-0417",
        MALFORMED,
    ),
    (
        "a currency in lower case",
        r#""CNY""#,
        r#""cny""#,
        MALFORMED,
    ),
    (
        "a body that is a list",
        r#""body":{"#,
        r#""body":[{"#,
        MALFORMED,
    ),
    ("something behind the payload", "}}", "}}{}", MALFORMED),
    (
        "an operation that there is not",
        "contract.propose",
        "contract.purpose",
        "operation.unknown",
    ),
];

/// On the envelope of the same.
const ENVELOPES: &[Fault] = &[
    ("no JSON", "{", "", "envelope.malformed"),
    (
        "a field that is not known",
        r#"{"payloadType""#,
        r#"{"v":1,"payloadType""#,
        "envelope.unknown_field",
    ),
    (
        "a field that is missing",
        r#""payloadType":"application/vnd.counterfoil.op.v1+json","#,
        "",
        "envelope.missing_field",
    ),
    (
        "a field twice",
        r#""signatures":"#,
        r#""payload":"e30=","signatures":"#,
        "envelope.duplicate_field",
    ),
    (
        "a payload type of another kind",
        "op.v1",
        "session.v1",
        "envelope.payload_type",
    ),
    (
        "base64 for URLs, without padding",
        r#""payload":"eyJ"#,
        r#""payload":"_-_"#,
        "envelope.base64",
    ),
    (
        "a key in upper case",
        r#""keyid":""#,
        r#""keyid":"A"#,
        "envelope.keyid",
    ),
    (
        "a signature that is too short",
        r#""sig":""#,
        r#""sig":"AAAA","x":""#,
        "envelope.unknown_field",
    ),
];

fn faulty(good: &str, (what, so, instead, _): &Fault) -> String {
    assert!(good.contains(so), "{what}: {so} does not stand there");
    good.replacen(so, instead, 1)
}

fn payload(good: &str, fault: &Fault) -> PayloadVector {
    let payload = faulty(good, fault);
    let refusal = Payload::decode(&payload).unwrap_err();
    let (what, code) = (fault.0, fault.3);
    assert_eq!(refusal.rule, code, "{what}: {refusal:?}");
    let mut inputs = refusal.inputs.iter();
    let offset = inputs.find(|input| code == NOT_CANONICAL && input.name == "offset");
    PayloadVector {
        what,
        offset: offset.map(|input| input.value.parse().unwrap()),
        payload,
        code,
    }
}

/// The code under which an envelope of an operation is refused before it is judged.
fn code_of(envelope: &str) -> &'static str {
    match Envelope::decode(envelope.as_bytes()) {
        Err(error) => error.code(),
        Ok(envelope) if envelope.payload_type() == SESSION_TYPE => "envelope.payload_type",
        Ok(envelope) => {
            Payload::decode(envelope.payload()).map_or_else(|refusal| refusal.rule, |_| "none")
        }
    }
}

fn envelope(what: &'static str, envelope: String, code: &'static str) -> EnvelopeVector {
    assert_eq!(code_of(&envelope), code, "{what}");
    EnvelopeVector {
        what,
        envelope,
        code,
    }
}

fn envelopes(good: &str) -> Vec<EnvelopeVector> {
    let from_text = ENVELOPES
        .iter()
        .map(|fault| envelope(fault.0, faulty(good, fault), fault.3));
    let mut all: Vec<EnvelopeVector> = from_text.collect();
    let parsed: Value = serde_json::from_str(good).unwrap();
    let with = |signatures: Vec<Value>| {
        let mut other = parsed.clone();
        other["signatures"] = Value::Array(signatures);
        other.to_string()
    };
    let one = &parsed["signatures"][0];
    let other = |i: u8| json!({ "keyid": hex::encode([i; 32]), "sig": one["sig"] });
    all.extend([
        envelope("no signature", with(vec![]), "envelope.unsigned"),
        envelope(
            "two signatures of one key",
            with(vec![one.clone(), one.clone()]),
            "envelope.duplicate_key",
        ),
        envelope(
            "17 signatures",
            with((0..17).map(other).collect()),
            "envelope.too_many_signatures",
        ),
        envelope(
            "a signature of 63 bytes",
            with(vec![
                json!({ "keyid": one["keyid"], "sig": "A".repeat(84) }),
            ]),
            "envelope.signature",
        ),
    ]);
    all
}

fn session(key: &SigningKey, other: &SigningKey, origin: &str) -> SessionVector {
    let asked = json!({
        "ledger": origin, "audience": "https://ledger.example", "party": "uscc:121100004006864946",
        "challenge": "5a".repeat(56), "expires": "2026-05-18T01:12:00Z",
    });
    let signed = |payload: String, keys: &[&SigningKey]| {
        let mut envelope = Envelope::new(SESSION_TYPE, payload).unwrap();
        keys.iter().for_each(|key| envelope.sign(key).unwrap());
        envelope
    };
    let good = signed(asked.to_string(), &[key]);
    let text = |envelope: &Envelope| String::from_utf8(envelope.encode()).unwrap();
    assert!(Asked::read(&good.encode()).is_ok());
    let spaced = signed(asked.to_string().replace(",\"", ", \""), &[key]);
    let mut more = asked.clone();
    more["more"] = json!(1);
    let (signer, signature) = spaced.signatures()[0];
    let mut forged = signed(asked.to_string(), &[]);
    forged.add_signature(signer, signature).unwrap();
    let cases = [
        (
            "white space in the payload",
            text(&spaced),
            "payload.not_canonical",
        ),
        (
            "a field that is not known",
            text(&signed(more.to_string(), &[key])),
            "payload.malformed",
        ),
        (
            "two signatures",
            text(&signed(asked.to_string(), &[key, other])),
            "session.one_signature",
        ),
        (
            "a signature on the type of an operation",
            text(&good).replace("session.v1", "op.v1"),
            "envelope.payload_type",
        ),
        (
            "a signature on another payload",
            text(&forged),
            "signature.invalid",
        ),
    ];
    let refused = cases.map(|(what, envelope, code)| {
        let refused = Asked::read(envelope.as_bytes()).unwrap_err();
        assert_eq!(refused.code, code, "{what}");
        EnvelopeVector {
            what,
            envelope,
            code,
        }
    });
    SessionVector {
        signer: "hospital",
        payload: good.payload().to_owned(),
        pae: hex::encode(good.signed_bytes()),
        envelope: text(&good),
        refused: refused.into(),
    }
}

/// Made from the first proposal of a contract.
pub(super) fn made(
    entries: &[EntryVector],
    keys: &BTreeMap<String, SigningKey>,
    origin: &str,
) -> Spellings {
    let mut proposals = entries
        .iter()
        .filter(|entry| entry.op == "contract.propose");
    let good = proposals.next().unwrap();
    Spellings {
        payloads: PAYLOADS
            .iter()
            .map(|fault| payload(&good.payload, fault))
            .collect(),
        envelopes: envelopes(&good.envelope),
        session: session(&keys["hospital"], &keys["supplier"], origin),
    }
}
