use rstest::rstest;

use super::super::testing::TestLog;
use super::*;
use crate::chain::{SigningKey, Tree};

/// Size 2 of the vectors' log was cosigned.
fn last() -> Last {
    let two = TestLog::of_the_vectors().checkpoint(2);
    Last {
        size: two.size,
        root: two.root,
    }
}

/// The whole judgement of a witness that knows the vectors' log.
fn judged(body: &[u8], last: &Last) -> Result<(), Refusal> {
    let log = TestLog::of_the_vectors();
    let request = Request::read(body)?;
    if request.checkpoint.origin != log.origin {
        return Err(Refusal::UnknownOrigin);
    }
    request.signed(&[log.vkey()])?.judge(last)
}

fn status(verdict: &Result<(), Refusal>) -> u16 {
    verdict.as_ref().map_or_else(Refusal::status, |()| 200)
}

/// A request of the vectors' log, altered, by its log's key or another.
fn signed(old: u64, checkpoint: &Checkpoint, proof: &[Hash], seed: u8) -> Vec<u8> {
    let key = SigningKey::from_seed(&[seed; 32]);
    let request = AddCheckpoint {
        old,
        proof: proof.to_vec(),
        checkpoint: checkpoint.sign(&[&key]).unwrap(),
    };
    request.to_string().into_bytes()
}

#[test]
fn the_request_of_the_vectors_is_cosigned() {
    let body = TestLog::of_the_vectors().body(2, 3);
    assert!(body.starts_with(b"old 2\nTHnQ1i989cqIdBVfLTuHXyYl2iuzq8hrvWgz8lupDlE=\n\n"));
    assert_eq!(judged(&body, &last()), Ok(()));
}

/// "The request body MUST be a sequence of an old size line, zero or more consistency proof lines, and an empty line, followed by a
/// checkpoint."
#[rstest]
#[case::nothing("", "")]
#[case::no_old_size("old 2\n", "")]
#[case::leading_zero("old 2", "old 02")]
#[case::no_empty_line("=\n\n", "=\n")]
#[case::no_hash("THnQ", "T")]
#[case::no_signature("\n\n—", "\n—")]
#[case::no_size("\n3\n", "\n")]
#[case::size_with_leading_zero("\n3\n", "\n03\n")]
#[case::no_root("OF2jDzkX", "")]
fn what_is_no_request_is_400(#[case] from: &str, #[case] to: &str) {
    let body = String::from_utf8(TestLog::of_the_vectors().body(2, 3)).unwrap();
    let body = if from.is_empty() {
        String::new()
    } else {
        body.replacen(from, to, 1)
    };
    assert_eq!(status(&judged(body.as_bytes(), &last())), 400, "{body}");
}

#[test]
fn the_checks_answer_as_the_specification_says() {
    let log = TestLog::of_the_vectors();
    let (one, two, three) = (log.checkpoint(1), log.checkpoint(2), log.checkpoint(3));
    let proof = log.request(2, 3).proof;
    let zero = Checkpoint {
        size: 0,
        root: Hash::ZERO,
        ..one.clone()
    };
    let other = |size| log.forked(0).checkpoint(size);
    let none = Last::default();
    let conflict = |size| Err(Refusal::Conflict(size));
    let fork = Err(Refusal::Inconsistent(Suspicion::Fork));
    let unproven = Err(Refusal::Inconsistent(Suspicion::Unproven));

    // "The witness MUST verify the checkpoint signature against the public key(s) it trusts": none of them signed.
    let by_another = signed(2, &three, &proof, 9);
    assert_eq!(judged(&by_another, &last()), Err(Refusal::Untrusted));
    // "The old size MUST be equal to or lower than the checkpoint size."
    assert_eq!(
        judged(&signed(3, &two, &[], 1), &last()),
        Err(Refusal::OldSize)
    );
    // "The witness MUST check that the old size matches the size of the latest checkpoint it cosigned"
    assert_eq!(judged(&log.body(1, 3), &last()), conflict(2));
    assert_eq!(judged(&log.body(3, 3), &last()), conflict(2));
    assert_eq!(judged(&log.body(2, 3), &none), conflict(0));
    // "it MAY initially make a request with a old size of zero to obtain it"
    assert_eq!(judged(&log.body(0, 3), &last()), conflict(2));
    // "(or zero if it never cosigned a checkpoint for that origin)"
    assert_eq!(judged(&log.body(0, 3), &none), Ok(()));
    // "A checkpoint of size zero MUST have the root hash of the empty tree"
    assert_eq!(judged(&signed(0, &zero, &[], 1), &none), fork);
    assert_eq!(judged(&log.body(0, 0), &none), Ok(()));
    // "If the old size is zero, the consistency proof MUST be empty"
    assert_eq!(judged(&signed(0, &three, &proof, 1), &none), unproven);
    // "Otherwise, the consistency proof lines MUST encode a Merkle Consistency Proof"
    assert_eq!(judged(&signed(2, &three, &[], 1), &last()), unproven);
    assert_eq!(
        judged(&signed(2, &three, &[one.root], 1), &last()),
        unproven
    );
    assert_eq!(judged(&signed(2, &other(3), &proof, 1), &last()), unproven);
    // "If the old size matches the checkpoint size, the witness MUST check that the root hashes are also identical."
    assert_eq!(judged(&signed(2, &other(2), &[], 1), &last()), fork);
    assert_eq!(judged(&log.body(2, 2), &last()), Ok(()));
    assert_eq!(judged(&signed(2, &two, &[one.root], 1), &last()), unproven);
}

#[test]
fn an_earlier_check_goes_before_a_later_one() {
    let log = TestLog::of_the_vectors();
    let other = log.forked(0).checkpoint(2);
    // Each request fails every check from one on.
    let unknown = Checkpoint {
        origin: "unknown.example".to_owned(),
        ..other.clone()
    };
    let bodies = [
        (b"old 9\nrubbish".to_vec(), 400),
        (signed(9, &unknown, &[Hash::ZERO], 9), 404),
        (signed(9, &other, &[Hash::ZERO], 9), 403),
        (signed(9, &other, &[Hash::ZERO], 1), 400),
        (signed(1, &other, &[Hash::ZERO], 1), 409),
        (signed(2, &other, &[Hash::ZERO], 1), 422),
    ];
    for (body, expected) in bodies {
        assert_eq!(status(&judged(&body, &last())), expected);
    }
}

#[test]
fn signatures_of_others_are_ignored_and_not_kept() {
    let log = TestLog::of_the_vectors();
    let stranger = TestLog {
        seed: 9,
        ..log.clone()
    };
    let mut request = log.request(2, 3);
    let strange = stranger.request(2, 3).checkpoint.signatures()[0].clone();
    request.checkpoint.add(strange);
    let read = Request::read(request.to_string().as_bytes()).unwrap();
    let submission = read.signed(&[log.vkey()]).unwrap();
    assert_eq!(*submission.note(), log.request(2, 3).checkpoint);
    // "a signature line's key name and ID match a trusted key but the signature itself fails to verify"
    let text = log.request(2, 3).to_string();
    let forged = text.replace("ZOleCA5c", "ZOleCA5d");
    assert_ne!(forged, text);
    assert_eq!(judged(forged.as_bytes(), &last()), Err(Refusal::Untrusted));
    let both = forged + &request.checkpoint.signatures()[0].to_string() + "\n";
    assert_eq!(judged(both.as_bytes(), &last()), Err(Refusal::Untrusted));
}

#[test]
fn a_log_that_changes_its_key_signs_with_either_or_both() {
    let log = TestLog::of_the_vectors();
    let renewed = TestLog {
        seed: 5,
        ..log.clone()
    };
    let trusted = [log.vkey(), renewed.vkey()];
    let mut both = log.request(2, 3);
    both.checkpoint
        .sign(&log.origin, &SigningKey::from_seed(&[5; 32]))
        .unwrap();
    for (request, signatures) in [
        (log.request(2, 3), 1),
        (renewed.request(2, 3), 1),
        (both, 2),
    ] {
        let read = Request::read(request.to_string().as_bytes()).unwrap();
        let submission = read.signed(&trusted).unwrap();
        assert_eq!(submission.note().signatures().len(), signatures);
        assert_eq!(submission.judge(&last()), Ok(()));
    }
}

#[test]
fn a_fork_is_seen_whatever_old_size_comes_with_it() {
    let log = TestLog::of_the_vectors();
    for old in 0..=2 {
        let body = signed(old, &log.forked(1).checkpoint(2), &[], 1);
        let submission = Request::read(&body).unwrap().signed(&[log.vkey()]).unwrap();
        let refusal = submission.judge(&last()).unwrap_err();
        let seen = submission.suspicion(&last(), &refusal);
        assert_eq!(seen, Some(Suspicion::Fork), "old {old}");
    }
    let submission = Request::read(&log.body(0, 3)).unwrap();
    let submission = submission.signed(&[log.vkey()]).unwrap();
    let refusal = submission.judge(&last()).unwrap_err();
    assert_eq!(submission.suspicion(&last(), &refusal), None);
}

#[test]
fn time_never_goes_back_and_is_never_zero() {
    assert_eq!(cosigned_at(0, 0), 1);
    assert_eq!(cosigned_at(5, 0), 5);
    assert_eq!(cosigned_at(5, 7), 7);
    assert_eq!(cosigned_at(8, 7), 8);
}

#[test]
fn nothing_was_cosigned_means_the_empty_tree() {
    assert_eq!(Last::default().root, Tree::new().root());
}
