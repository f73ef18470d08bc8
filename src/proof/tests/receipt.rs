//! What a receipt says of an entry, and where it is refused.

use rstest::rstest;

use super::*;

fn check(receipt: &Receipt, policy: &str) -> Report {
    check_receipt(receipt.encode().as_bytes(), policy.as_bytes())
}

#[test]
fn a_receipt_is_good_and_says_what_was_checked() {
    let lines = lines(3);
    let report = check(&receipt(&lines, 1), &policy());
    assert_eq!(failed(&report), "", "{report:#?}");
    let codes: Vec<&str> = report.steps().iter().map(|step| step.code).collect();
    let expected = [
        "policy.read",
        "receipt.read",
        "line.canonical",
        "entry.signatures",
        "proof.read",
        "leaf",
        "checkpoint.origin",
        "checkpoint.log_signature",
        "checkpoint.quorum",
        "entry.payload",
        "inclusion",
        "time",
    ];
    assert_eq!(codes, expected);
    assert_eq!(
        found(&report, "policy.read"),
        "1 log, 1 witness, quorum `w1`"
    );
    let said = found(&report, "checkpoint.origin");
    assert!(
        said.starts_with("ledger.example/receivables, 3 entries, root "),
        "{said}"
    );
    let said = found(&report, "checkpoint.quorum");
    assert_eq!(said, "`w1` is met: cosigned by w1 at 2026-11-23T07:23:22Z");
    assert_eq!(
        found(&report, "inclusion"),
        "entry 1 of 3 is under the root"
    );
    let said = found(&report, "entry.signatures");
    assert!(said.starts_with("2 signatures, by "), "{said}");
}

#[test]
fn every_entry_of_a_ledger_has_its_receipt() {
    let lines = lines(9);
    for n in 0..9 {
        assert_eq!(failed(&check(&receipt(&lines, n), &policy())), "");
    }
}

#[test]
fn a_receipt_is_written_in_one_way() {
    let receipt = receipt(&lines(2), 0);
    let text = receipt.encode();
    assert!(text.starts_with("{\"line\":\"{\\\"n\\\":0,"));
    assert!(text.contains("}\",\"proof\":\"c2sp.org/tlog-proof@v1\\nindex 0\\n"));
    assert_eq!(Receipt::decode(text.as_bytes()), Ok(receipt.clone()));
    assert_eq!(Receipt::decode((text + "\n").as_bytes()), Ok(receipt));
}

#[rstest]
#[case::white_space("{\"line\":\"a\",\"proof\":\"b\"} ")]
#[case::two_newlines("{\"line\":\"a\",\"proof\":\"b\"}\n\n")]
#[case::order("{\"proof\":\"b\",\"line\":\"a\"}")]
#[case::unknown_field("{\"line\":\"a\",\"proof\":\"b\",\"x\":1}")]
#[case::field_twice("{\"line\":\"a\",\"line\":\"a\",\"proof\":\"b\"}")]
#[case::missing_field("{\"line\":\"a\"}")]
#[case::list("[\"a\",\"b\"]")]
#[case::escape("{\"line\":\"\\u0061\",\"proof\":\"b\"}")]
#[case::number("{\"line\":1,\"proof\":\"b\"}")]
#[case::empty("")]
#[case::cut("{\"line\":\"a\",\"proof\":\"b")]
fn other_spellings_are_refused(#[case] text: &str) {
    assert!(Receipt::decode(text.as_bytes()).is_err());
    let report = check_receipt(text.as_bytes(), policy().as_bytes());
    assert_eq!(failed(&report), "receipt.read");
}

#[test]
fn a_receipt_that_is_too_long_is_not_read() {
    let report = check_receipt(&vec![b' '; RECEIPT_LEN_MAX + 1], policy().as_bytes());
    assert_eq!(failed(&report), "receipt.read");
    assert!(why(&report).contains("524289 bytes"), "{report:?}");
}

/// The longest line and the longest proof fit.
#[test]
fn the_longest_receipt_can_be_read() {
    const {
        assert!(
            RECEIPT_LEN_MAX
                > 2 * (crate::chain::line::LINE_LEN_MAX + crate::chain::tlog_proof::PROOF_LEN_MAX)
        )
    };
}

#[test]
fn a_policy_that_cannot_be_read_is_the_first_thing_said() {
    let report = check(&receipt(&lines(2), 0), "quorum w1\n");
    assert_eq!(failed(&report), "policy.read");
    assert_eq!(
        why(&report),
        "line 1: `w1` is no witness and no group of a line before"
    );
    let reached = |step: &&Step| step.outcome != Outcome::NotReached;
    assert_eq!(report.steps().iter().filter(reached).count(), 1);
    assert_eq!(report.steps().len(), 12);
}

/// A line under the proof of another, and one that another ledger's parties meant.
#[test]
fn the_proof_is_of_this_entry() {
    let lines = lines(3);
    let (one, two) = (receipt(&lines, 1), receipt(&lines, 2));
    let exchanged = |line: &Receipt, proof: &Receipt| {
        let (line, proof) = (line.line(), proof.proof());
        let json = serde_json::json!({"line": line, "proof": proof}).to_string();
        check_receipt(json.as_bytes(), policy().as_bytes())
    };
    assert_eq!(failed(&exchanged(&one, &one)), "");
    let report = exchanged(&one, &two);
    assert_eq!(failed(&report), "leaf");
    assert_eq!(why(&report), "the proof is for index 2, the entry is 1");
}

#[test]
fn an_entry_of_another_history_is_not_under_the_root() {
    let mut other = lines(3);
    let real = receipt(&other, 1);
    other[1] = entry(1, *other[0].leaf(), &payload(ORIGIN, 77));
    let json = serde_json::json!({
        "line": String::from_utf8_lossy(other[1].bytes()),
        "proof": real.proof(),
    });
    let report = check_receipt(json.to_string().as_bytes(), policy().as_bytes());
    assert_eq!(failed(&report), "inclusion");
}

#[rstest]
#[case::other_ledger(
    payload("ledger.example/other", 1),
    "it is meant for ledger.example/other, not for ledger.example/receivables"
)]
#[case::expired(payload(ORIGIN, 1).replace("11-24T00", "11-23T00"), "it expired at 2026-11-23T00:00:00.000Z and was entered at 2026-11-23T07:22:22.124Z")]
#[case::no_payload("{}".to_owned(), "the payload cannot be read: missing field `ledger` at line 1 column 2")]
fn what_was_not_meant_to_be_here_is_refused(#[case] payload: String, #[case] expected: &str) {
    let mut lines = lines(1);
    lines.push(entry(1, *lines[0].leaf(), &payload));
    let report = check(&receipt(&lines, 1), &policy());
    assert_eq!((failed(&report), why(&report)), ("entry.payload", expected));
}

/// A receipt of one entry whose checkpoint `w1` cosigned at this second.
fn seen_at(origin: &str, time_s: u64) -> Report {
    let line = entry(0, Hash::ZERO, &payload(origin, 0));
    let (size, root) = (1, *line.leaf());
    let origin = origin.to_owned();
    let vkey = VerifierKey::of(&origin, KeyKind::Ed25519, &key(1)).unwrap();
    let checkpoint = Checkpoint { origin, size, root };
    let mut note = checkpoint.sign(&[&key(1)]).unwrap();
    note.add(cosign(&note, "witness.example/w1", &key(2), time_s).unwrap());
    let proof = TlogProof {
        extra: None,
        index: 0,
        hashes: Vec::new(),
        checkpoint: note,
    };
    let witness = policy()
        .lines()
        .skip(1)
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    check(
        &Receipt::new(&line, proof),
        &format!("log {vkey}\n{witness}"),
    )
}

#[rstest]
#[case::later(SEEN_S, "")]
#[case::clocks_apart(SEEN_S - 60 - 299, "")]
#[case::long_before_the_entry(SEEN_S - 60 - 301, "time")]
#[case::at_the_beginning(0, "time")]
#[case::at_the_end_of_time(u64::MAX >> 1, "")]
#[case::beyond(u64::MAX, "checkpoint.quorum")]
fn no_entry_is_younger_than_its_cosignature(#[case] time_s: u64, #[case] step: &str) {
    let report = seen_at(ORIGIN, time_s);
    assert_eq!(failed(&report), step, "{report:#?}");
}

#[test]
fn the_time_of_a_drill_says_nothing() {
    let report = seen_at("drill.example/1", 0);
    assert_eq!(failed(&report), "", "{report:#?}");
    assert!(found(&report, "time").ends_with("is the time of a drill, which is set by hand"));
}

#[test]
fn without_a_witness_the_time_is_the_ledgers_word() {
    let policy = policy().replace("quorum w1", "quorum none");
    let policy: Vec<&str> = policy
        .lines()
        .filter(|line| !line.starts_with("witness"))
        .collect();
    let report = check(&receipt(&lines(2), 1), &(policy.join("\n") + "\n"));
    assert_eq!(failed(&report), "");
    assert_eq!(
        found(&report, "checkpoint.quorum"),
        "the policy asks for no witness, and none cosigned"
    );
    assert!(found(&report, "time").ends_with("is the ledger's word: no witness bounds it"));
}
