use super::*;
use crate::chain::keys::SigningKey;
use crate::chain::pae::{OP_TYPE, pae};
use proptest::prelude::*;
use rstest::rstest;

const PAYLOAD: &str = "{\"ledger\":\"ledger.example/receivables\",\"op\":\"test.vector\",\"party\":\"x:tester\",\"nonce\":\"000102030405060708090a0b0c0d0e0f\",\"not_after\":\"2026-11-24T00:00:00Z\",\"body\":{\"text\":\"a/b \\\"q\\\" \\\\ é 链\u{2028}\u{7f}\\t\"}}";
const TIME_MS: i64 = 1_795_418_542_123;

fn entry(n: u64, time_ms: i64, prev: Hash, payload: &str, seeds: &[u8]) -> Entry {
    let mut envelope = Envelope::new(OP_TYPE, payload).unwrap();
    for seed in seeds {
        envelope.sign(&SigningKey::from_seed(&[*seed; 32])).unwrap();
    }
    Entry::new(n, time_ms, prev, envelope).unwrap()
}

fn golden() -> Entry {
    entry(0, TIME_MS, Hash::ZERO, PAYLOAD, &[3])
}

#[test]
fn golden_vector_of_the_format() {
    let entry = golden();
    assert_eq!(PAYLOAD.len(), 199);
    assert_eq!(
        entry.op_id().to_string(),
        "5d52261ac3928fc2371ff05e51e6d517c6ad9526bd1d0527cf3b2412c6918bd0"
    );
    let line = entry.encode();
    assert_eq!(line.bytes().len(), 577);
    assert_eq!(
        line.leaf().to_string(),
        "e563b96ff6611b807696a6cc2cc16671a8e65562cdc47e554973bf35a8003886"
    );
    assert_eq!(Entry::decode(line.bytes()), Ok(entry));
}

#[test]
fn line_is_json_whose_payload_is_the_signed_bytes() {
    let entry = golden();
    let json: serde_json::Value = serde_json::from_slice(entry.encode().bytes()).unwrap();
    let payload = json["payload"].as_str().unwrap();
    let (key, sig) = entry.sigs()[0];
    assert!(crate::chain::verify(
        &key,
        &pae(OP_TYPE, payload.as_bytes()),
        &sig
    ));
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 6);
}

#[rstest]
#[case::space("\"n\":0,", "\"n\": 0,")]
#[case::leading_zero("\"n\":0,", "\"n\":00,")]
#[case::sign("\"n\":0,", "\"n\":-0,")]
#[case::fraction("\"n\":0,", "\"n\":0.0,")]
#[case::too_large("\"n\":0,", "\"n\":18446744073709551616,")]
#[case::no_number("\"n\":0,", "\"n\":,")]
#[case::leap_second("22:22.123", "22:60.123")]
#[case::lower_case_time("07:22:22.123Z", "07:22:22.123z")]
#[case::capital_hex("\"sigs\":[[\"ed", "\"sigs\":[[\"ED")]
#[case::escaped_slash("a/b", "a\\/b")]
#[case::escaped_unicode("é", "\\u00e9")]
#[case::escaped_letter("test", "\\u0074est")]
#[case::no_sigs_end("]]}", "]]")]
#[case::trailing("]]}", "]]}\n")]
#[case::extra_field("]]}", "]],\"x\":1}")]
#[case::unpadded("==\"]", "\"]")]
fn other_spellings_of_an_entry_are_refused(#[case] from: &str, #[case] to: &str) {
    let good = String::from_utf8(golden().encode().bytes().to_vec()).unwrap();
    let bad = good.replacen(from, to, 1);
    assert_ne!(bad, good);
    assert!(Entry::decode(bad.as_bytes()).is_err());
}

#[test]
fn signatures_are_sorted_by_key_and_unique() {
    let entry = entry(0, 0, Hash::ZERO, "{}", &[1, 2]);
    let line = String::from_utf8(entry.encode().bytes().to_vec()).unwrap();
    let at = line.find(",\"sigs\":[").unwrap() + ",\"sigs\":[".len();
    let (one, two) = line[at..line.len() - 2].split_at((line.len() - 3 - at) / 2);
    let two = &two[1..];
    let with = |sigs: String| format!("{}{sigs}]}}", &line[..at]).into_bytes();
    assert_eq!(
        Entry::decode(&with(format!("{one},{two}"))),
        Ok(entry.clone())
    );
    assert!(matches!(
        Entry::decode(&with(format!("{two},{one}"))),
        Err(LineError::NotCanonical { .. })
    ));
    assert!(matches!(
        Entry::decode(&with(format!("{one},{one}"))),
        Err(LineError::Envelope(_))
    ));
    assert!(Entry::decode(&with(String::new())).is_err());
}

#[test]
fn entry_needs_a_signature_and_a_time_that_can_be_written() {
    let envelope = Envelope::new(OP_TYPE, "{}").unwrap();
    assert_eq!(
        Entry::new(0, 0, Hash::ZERO, envelope),
        Err(LineError::Unsigned)
    );
    let envelope = golden().envelope().clone();
    assert_eq!(
        Entry::new(0, -1, Hash::ZERO, envelope),
        Err(LineError::Time { time_ms: -1 })
    );
}

#[test]
fn largest_envelope_fits_a_line() {
    let seeds: Vec<u8> = (0..16).collect();
    let mut envelope = Envelope::new("x".repeat(128), "\"".repeat(31_000)).unwrap();
    for seed in seeds {
        envelope.sign(&SigningKey::from_seed(&[seed; 32])).unwrap();
    }
    let entry = Entry::new(u64::MAX, TIME_MS, Hash::ZERO, envelope).unwrap();
    let line = entry.encode();
    assert!(line.bytes().len() <= LINE_LEN_MAX);
    assert_eq!(Entry::decode(line.bytes()), Ok(entry));
    let long = vec![b' '; LINE_LEN_MAX + 1];
    assert_eq!(
        Entry::decode(&long),
        Err(LineError::TooLong {
            len: LINE_LEN_MAX + 1
        })
    );
}

#[test]
fn any_changed_byte_is_refused_or_is_another_entry() {
    let line = golden().encode();
    for at in 0..line.bytes().len() {
        for to in 0..=255 {
            let mut bytes = line.bytes().to_vec();
            if bytes[at] == to {
                continue;
            }
            bytes[at] = to;
            if let Ok((entry, read)) = Line::decode(&bytes) {
                assert_eq!(entry.encode().bytes(), bytes);
                assert_ne!(read.leaf(), line.leaf());
            }
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    let line = golden().encode();
    for len in 0..line.bytes().len() {
        assert!(Entry::decode(&line.bytes()[..len]).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_reads_back(
        n in any::<u64>(),
        time_ms in 0..=crate::chain::instant::TIME_MS_MAX,
        prev in any::<[u8; 32]>(),
        payload in any::<String>(),
        seeds in proptest::collection::btree_set(any::<u8>(), 1..4),
    ) {
        let seeds: Vec<u8> = seeds.into_iter().collect();
        let entry = entry(n, time_ms, Hash::new(prev), &payload, &seeds);
        let line = entry.encode();
        prop_assert_eq!(Line::decode(line.bytes()), Ok((entry, line)));
    }

    #[test]
    fn what_is_read_is_what_its_encoding_says(
        at in any::<prop::sample::Index>(),
        gone in 0usize..3,
        piece in prop::sample::select(vec![
            "", "0", "1", "a", "A", " ", "\\", "\\n", "\\u000a", "\\u001f", "\\u001F", "\"", "=", ",", "],[", "é",
        ]),
    ) {
        let mut bytes = golden().encode().bytes().to_vec();
        let at = at.index(bytes.len());
        let end = bytes.len().min(at + gone);
        bytes.splice(at..end, piece.bytes());
        if let Ok((entry, line)) = Line::decode(&bytes) {
            prop_assert_eq!(entry.encode(), line.clone());
            prop_assert_eq!(line.bytes(), bytes);
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        let _ = Entry::decode(text.as_bytes());
    }
}
