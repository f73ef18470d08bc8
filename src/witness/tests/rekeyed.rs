//! A log that changes its key: what a witness cosigns that was told, and one that was not.

use rstest::rstest;

use super::*;
use crate::witness::add_log;

/// The log under each of two keys.
fn log() -> [TestLog; 2] {
    [1, 5].map(|seed| TestLog::new("ledger.example/receivables", seed, 9))
}

/// A request under the keys of these places.
fn body(old: u64, size: u64, by: &[usize]) -> Vec<u8> {
    let keys: Vec<SigningKey> = by.iter().map(|place| log()[*place].key()).collect();
    let keys: Vec<&SigningKey> = keys.iter().collect();
    let mut request = log()[0].request(old, size);
    request.checkpoint = log()[0].checkpoint(size).sign(&keys).unwrap();
    request.to_string().into_bytes()
}

/// Checkpoints of sizes under the keys of places, one after the other, and the status of each answer. A size that was refused is
/// not what the next one follows.
#[rstest]
#[case::over_to_the_new(true, "2:0 3:01 4:1", &[200, 200, 200])]
#[case::without_the_one_that_carries_both(true, "2:0 4:1", &[200, 200])]
#[case::the_old_alone_after_both(true, "3:01 4:0 4:01", &[200, 403, 200])]
#[case::the_old_alone_after_the_new(true, "4:1 5:0 5:1", &[200, 403, 200])]
#[case::the_old_goes_on_before(true, "2:0 3:0", &[200, 200])]
#[case::it_was_not_told(false, "2:0 3:01 4:1 4:0", &[200, 200, 403, 200])]
fn checkpoints_across_it(#[case] told: bool, #[case] sizes: &str, #[case] expected: &[u16]) {
    let [old, new] = log();
    let dir = folder(&[&old]);
    let first = body(0, 1, &[0]);
    opened(&dir).add_checkpoint(&first, NOW_S).1.unwrap();
    if told {
        assert!(add_log(dir.path(), &new.vkey()).unwrap());
        assert_eq!(fs::read_dir(dir.path().join("logs")).unwrap().count(), 1);
    }
    let (mut last, mut found) = (1, Vec::new());
    for one in sizes.split(' ') {
        // What it remembers survives a start at any point.
        let witness = opened(&dir);
        let (size, places) = one.split_once(':').unwrap();
        let size = size.parse().unwrap();
        let places = places.chars().map(|c| c.to_digit(10).unwrap() as usize);
        let body = body(last, size, &places.collect::<Vec<_>>());
        let status = status(&witness.add_checkpoint(&body, NOW_S).1);
        if status == 200 {
            last = size;
        }
        found.push(status);
    }
    assert_eq!(found, expected);
}

/// A ledger whose disk is of a day before the change is told so, not that its key has given way.
#[test]
fn a_rolled_back_log_is_told_what_was_cosigned() {
    let [old, new] = log();
    let dir = folder(&[&old, &new]);
    let witness = opened(&dir);
    witness
        .add_checkpoint(&body(0, 4, &[0, 1]), NOW_S)
        .1
        .unwrap();
    assert_eq!(
        status(&witness.add_checkpoint(&body(0, 2, &[0]), NOW_S).1),
        409
    );
}

/// Another root of the size that was cosigned last, and one of a later size: the key that signs says whose word it is.
#[rstest]
#[case::the_key_that_gave_way(&[0], None)]
#[case::the_new_key(&[1], Some(Suspicion::Fork))]
#[case::both(&[0, 1], Some(Suspicion::Fork))]
fn a_key_that_has_given_way_cries_no_fork(
    #[case] by: &[usize],
    #[case] suspicion: Option<Suspicion>,
) {
    let [old, new] = log();
    let dir = folder(&[&old, &new]);
    let witness = opened(&dir);
    let first = body(0, 4, &[0, 1]);
    witness.add_checkpoint(&first, NOW_S).1.unwrap();
    let keys = [old.key(), new.key()];
    let keys: Vec<&SigningKey> = by.iter().map(|place| &keys[*place]).collect();
    let fork = old.forked(2);
    for (size, told) in [(4, suspicion), (5, suspicion.map(|_| Suspicion::Unproven))] {
        let mut request = fork.request(4, size);
        request.checkpoint = fork.checkpoint(size).sign(&keys).unwrap();
        let (seen, answer) = witness.add_checkpoint(request.to_string().as_bytes(), NOW_S);
        assert_eq!((status(&answer), seen.suspicion), (422, told));
    }
    let evidence = dir
        .path()
        .join("evidence")
        .join(origin_hash(&old.origin).to_string());
    assert_eq!(evidence.exists(), suspicion.is_some());
    let told = "counterfoil_witness_evidence_total{kind=\"fork\"} 0";
    let counted = witness.metrics().lines().all(|line| line != told);
    assert_eq!(counted, suspicion.is_some());
}
