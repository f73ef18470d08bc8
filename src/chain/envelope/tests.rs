use super::*;
use crate::chain::pae::OP_TYPE;
use proptest::prelude::*;
use rstest::rstest;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn signed(payload: &str, seeds: &[u8]) -> Envelope {
    let mut envelope = Envelope::new(OP_TYPE, payload).unwrap();
    for seed in seeds {
        envelope.sign(&key(*seed)).unwrap();
    }
    envelope
}

fn json(envelope: &Envelope) -> String {
    String::from_utf8(envelope.encode()).unwrap()
}

#[test]
fn signatures_verify_and_a_forged_one_is_named() {
    let envelope = signed("{}", &[1, 2, 3]);
    assert_eq!(envelope.forged(&Verifier::new()), None);
    assert_eq!(envelope.op_id(), crate::chain::pae::op_id(b"{}"));
    let mut other = signed("{ }", &[1]);
    let (wrong_key, wrong_sig) = *envelope
        .signatures()
        .iter()
        .find(|s| s.0 == key(2).public_key())
        .unwrap();
    other.add_signature(wrong_key, wrong_sig).unwrap();
    assert_eq!(other.forged(&Verifier::new()), Some(wrong_key));
}

#[test]
fn signatures_cover_the_type() {
    let op = signed("{}", &[1]);
    let mut other = Envelope::new("text/plain", "{}").unwrap();
    other
        .add_signature(op.signatures()[0].0, op.signatures()[0].1)
        .unwrap();
    assert_eq!(other.forged(&Verifier::new()), Some(key(1).public_key()));
}

#[test]
fn fields_may_come_in_any_order_and_with_white_space() {
    let envelope = signed("{}", &[1]);
    let (k, s) = envelope.signatures()[0];
    let text = format!(
        " {{ \"signatures\": [ {{\"sig\":\"{s}\",\"keyid\":\"{k}\"}} ],\n\"payload\":\"e30=\", \"payloadType\":\"{OP_TYPE}\" }} "
    );
    assert_eq!(Envelope::decode(text.as_bytes()), Ok(envelope));
}

#[rstest]
#[case::empty("", "", "", "envelope.malformed")]
#[case::trailing("}]}", "}]} x", "", "envelope.malformed")]
#[case::array_for_object("{\"payloadType\"", "[{\"payloadType\"", "", "envelope.malformed")]
#[case::unknown(
    "\"payload\":",
    "\"x\":null,\"payload\":",
    "",
    "envelope.unknown_field"
)]
#[case::unknown_inside(
    "\"sig\":",
    "\"x\":1,\"sig\":",
    "/signatures/0",
    "envelope.unknown_field"
)]
#[case::duplicate(
    "\"payload\":",
    "\"payload\":\"e30=\",\"payload\":",
    "",
    "envelope.duplicate_field"
)]
#[case::duplicate_inside(
    "\"sig\":",
    "\"sig\":\"\",\"sig\":",
    "/signatures/0",
    "envelope.duplicate_field"
)]
#[case::missing("\"payload\":\"e30=\",", "", "", "envelope.missing_field")]
#[case::null("\"e30=\"", "null", "/payload", "envelope.malformed")]
#[case::number("\"e30=\"", "1", "/payload", "envelope.malformed")]
#[case::unpadded("e30=", "e30", "/payload", "envelope.base64")]
#[case::trailing_bits("e30=", "e31=", "/payload", "envelope.base64")]
#[case::url_safe("e30=", "__8=", "/payload", "envelope.base64")]
#[case::not_utf8("e30=", "//8=", "/payload", "envelope.payload_not_utf8")]
#[case::empty_type(OP_TYPE, "", "/payloadType", "envelope.payload_type")]
#[case::control_in_type(OP_TYPE, "a\\nb", "/payloadType", "envelope.payload_type")]
#[case::quote_in_type(OP_TYPE, "a\\\"b", "/payloadType", "envelope.payload_type")]
#[case::short_key(
    "\"keyid\":\"8a",
    "\"keyid\":\"",
    "/signatures/0/keyid",
    "envelope.keyid"
)]
#[case::capital_key(
    "\"keyid\":\"8a",
    "\"keyid\":\"8A",
    "/signatures/0/keyid",
    "envelope.keyid"
)]
#[case::short_sig("==\"}", "\"}", "/signatures/0/sig", "envelope.signature")]
#[case::signature_as_array(
    "[{\"keyid\"",
    "[[\"a\",\"b\"],{\"keyid\"",
    "/signatures/0",
    "envelope.malformed"
)]
fn malformed_envelopes_are_refused_where_they_are_wrong(
    #[case] from: &str,
    #[case] to: &str,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let good = json(&signed("{}", &[1]));
    let bad = if from.is_empty() {
        String::new()
    } else {
        good.replacen(from, to, 1)
    };
    assert_ne!(good, bad);
    let error = Envelope::decode(bad.as_bytes()).unwrap_err();
    assert_eq!(
        (error.pointer.as_str(), error.code()),
        (pointer, code),
        "{error}"
    );
}

#[test]
fn unsigned_envelope_is_refused() {
    let bad = json(&Envelope::new(OP_TYPE, "{}").unwrap());
    assert_eq!(
        Envelope::decode(bad.as_bytes()).unwrap_err().code(),
        "envelope.unsigned"
    );
}

#[test]
fn key_signs_once() {
    let mut envelope = signed("{}", &[1]);
    assert_eq!(
        envelope.sign(&key(1)).unwrap_err().code(),
        "envelope.duplicate_key"
    );
    let one = json(&envelope);
    let start = one.find("{\"keyid\"").unwrap();
    let object = &one[start..one.len() - 2];
    let twice = one.replace(object, &format!("{object},{object}"));
    let error = Envelope::decode(twice.as_bytes()).unwrap_err();
    assert_eq!(
        (error.pointer.as_str(), error.code()),
        ("/signatures/1/keyid", "envelope.duplicate_key")
    );
}

#[test]
fn sixteen_signatures_are_the_most() {
    let seeds: Vec<u8> = (1..=16).collect();
    let mut envelope = signed("{}", &seeds);
    assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope.clone()));
    assert_eq!(
        envelope.sign(&key(17)).unwrap_err().code(),
        "envelope.too_many_signatures"
    );
    let extra = json(&signed("{}", &[17]));
    let extra = &extra[extra.find("{\"keyid\"").unwrap()..extra.len() - 2];
    let seventeen = json(&envelope).replace("]}", &format!(",{extra}]}}"));
    assert_eq!(
        Envelope::decode(seventeen.as_bytes()).unwrap_err().code(),
        "envelope.too_many_signatures"
    );
}

#[rstest]
#[case::at_the_limit("a".repeat(PAYLOAD_LEN_MAX), None)]
#[case::above("a".repeat(PAYLOAD_LEN_MAX + 1), Some("envelope.payload_too_long"))]
#[case::escaped_at_the_limit("\"".repeat(31_000), None)]
#[case::escaped_above("\"".repeat(31_001), Some("envelope.payload_too_long"))]
#[case::controls_at_the_limit("\u{1}".repeat(10_333), None)]
#[case::controls_above("\u{1}".repeat(10_334), Some("envelope.payload_too_long"))]
fn payload_is_limited_raw_and_escaped(#[case] payload: String, #[case] code: Option<&str>) {
    let result = Envelope::new(OP_TYPE, payload.clone());
    assert_eq!(result.err().map(|e| e.code()), code);
    let mut bytes = format!(
        "{{\"payloadType\":\"{OP_TYPE}\",\"payload\":\"{}\"",
        base64(payload.as_bytes())
    );
    bytes.push_str(
        &json(&signed("", &[1]))
            [format!("{{\"payloadType\":\"{OP_TYPE}\",\"payload\":\"\"").len()..],
    );
    assert_eq!(
        Envelope::decode(bytes.as_bytes()).err().map(|e| e.code()),
        code
    );
}

#[test]
fn whole_envelope_is_limited() {
    let mut bytes = signed("{}", &[1]).encode();
    bytes.resize(ENVELOPE_LEN_MAX, b' ');
    assert!(Envelope::decode(&bytes).is_ok());
    bytes.push(b' ');
    assert_eq!(
        Envelope::decode(&bytes).unwrap_err().code(),
        "envelope.too_long"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_reads_back(payload in any::<String>(), seeds in proptest::collection::btree_set(any::<u8>(), 1..5)) {
        let seeds: Vec<u8> = seeds.into_iter().collect();
        let envelope = signed(&payload, &seeds);
        prop_assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Envelope::decode(&bytes);
    }

    #[test]
    fn a_changed_byte_never_gives_another_envelope_that_verifies(at in 0usize..400, to in any::<u8>()) {
        let envelope = signed("{\"a\":1}", &[1]);
        let mut bytes = envelope.encode();
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok(read) = Envelope::decode(&bytes) {
            prop_assert!(read == envelope || read.forged(&Verifier::new()).is_some());
        }
    }
}
