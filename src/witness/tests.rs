//! A witness as a whole: whatever is sent, by however many at once, it cosigns one history that grows.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use proptest::prelude::*;

use super::testing::{NOW_S, TestLog, folder, opened};
use super::*;
use crate::chain::Checkpoint;

mod rekeyed;

fn status(answer: &Result<NoteSignature, AddError>) -> u16 {
    answer.as_ref().map_or_else(AddError::status, |_| 200)
}

#[test]
fn a_cosignature_verifies_and_is_what_is_served() {
    let log = TestLog::of_the_vectors();
    let dir = folder(&[&log]);
    let witness = opened(&dir);
    let hash = origin_hash(&log.origin);
    assert_eq!(witness.newest(&hash), None);
    witness.add_checkpoint(&log.body(0, 2), NOW_S).1.unwrap();
    let line = witness
        .add_checkpoint(&log.body(2, 3), NOW_S + 5)
        .1
        .unwrap();
    let mut note = log.request(2, 3).checkpoint;
    note.add(line);
    let signed = note
        .verified(&[log.vkey(), witness.vkey().clone()])
        .unwrap();
    assert_eq!(signed.len(), 2);
    assert_eq!(signed[1].time_s, Some(NOW_S + 5));
    // "it MUST include the cosignature(s) [...] and the cosignature from the log key(s) that the witness verified"
    assert_eq!(witness.newest(&hash).unwrap().note, note);
}

/// Witness key and time of the vectors.
#[test]
fn the_cosignature_of_the_vectors() {
    let log = TestLog::of_the_vectors();
    let dir = folder(&[&log]);
    let key = SigningKey::from_seed(&[2; 32]);
    let path = dir.path().join("witness.key");
    fs::remove_file(&path).unwrap();
    crate::files::key::write(&path, &key, None).unwrap();
    let vkey = "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";
    fs::write(dir.path().join("witness.vkey"), vkey).unwrap();
    let witness = opened(&dir);
    witness.add_checkpoint(&log.body(0, 2), NOW_S).1.unwrap();
    let line = witness.add_checkpoint(&log.body(2, 3), NOW_S).1.unwrap();
    assert_eq!(
        line.to_string(),
        "— witness.example/w1 3xwKNQAAAABlU/EA4e6cC0bnqbjhOJ6+R0FshRl9R0OgfJZz/Vg+RDzQxm7VfyBaps8eQXp/7DfFrYgdVgD7avST7xUelxl8UGb8DA=="
    );
}

#[test]
fn each_log_has_a_record_of_its_own() {
    let (a, b) = (TestLog::new("a", 3, 9), TestLog::new("b", 4, 9));
    let dir = folder(&[&a, &b]);
    let witness = opened(&dir);
    let add = |body: Vec<u8>| status(&witness.add_checkpoint(&body, NOW_S).1);
    assert_eq!(add(a.body(0, 9)), 200);
    assert_eq!(add(b.body(0, 4)), 200);
    assert_eq!(add(b.body(4, 5)), 200);
    assert_eq!(add(a.body(0, 9)), 409);
    assert_eq!(add(TestLog::new("c", 3, 9).body(0, 9)), 404);
    let named_a = TestLog {
        origin: "a".to_owned(),
        ..b
    };
    assert_eq!(add(named_a.body(9, 9)), 403);
}

#[test]
fn time_does_not_go_back_with_the_clock_nor_over_a_restart() {
    let log = TestLog::new("a", 3, 9);
    let dir = folder(&[&log]);
    let time = |old, size, now_s| {
        let witness = opened(&dir);
        witness
            .add_checkpoint(&log.body(old, size), now_s)
            .1
            .unwrap();
        witness.newest(&origin_hash("a")).unwrap().time_s
    };
    assert_eq!(time(0, 1, 0), 1);
    assert_eq!(time(1, 2, NOW_S), NOW_S);
    assert_eq!(time(2, 3, NOW_S - 60), NOW_S);
    assert_eq!(time(3, 3, NOW_S + 1), NOW_S + 1);
}

/// The notes of one kind that are kept, by size and root.
fn kept(dir: &tempfile::TempDir, kind: &str) -> Vec<Checkpoint> {
    let folder = dir
        .path()
        .join("evidence")
        .join(origin_hash("a").to_string());
    let Ok(files) = fs::read_dir(folder.join(kind)) else {
        return Vec::new();
    };
    let mut found: Vec<Checkpoint> = files
        .map(|file| {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            let note = crate::chain::Note::decode(&bytes).unwrap();
            note.verified(&[TestLog::new("a", 3, 0).vkey()]).unwrap();
            Checkpoint::parse(note.text()).unwrap()
        })
        .collect();
    found.sort_by_key(|checkpoint| (checkpoint.size, checkpoint.root));
    found
}

#[test]
fn two_histories_are_kept_as_evidence() {
    let log = TestLog::new("a", 3, 9);
    let fork = log.forked(4);
    let dir = folder(&[&log]);
    let witness = opened(&dir);
    let add = |body: Vec<u8>| {
        let (seen, answer) = witness.add_checkpoint(&body, NOW_S);
        (status(&answer), seen.suspicion)
    };
    assert_eq!(add(log.body(0, 7)), (200, None));
    assert_eq!(add(log.body(3, 5)), (409, None));
    assert_eq!(kept(&dir, "fork"), []);
    // The same size with another root, whatever old size comes with it.
    assert_eq!(add(fork.body(7, 7)), (422, Some(Suspicion::Fork)));
    assert_eq!(add(fork.body(0, 7)), (409, Some(Suspicion::Fork)));
    let mut both = [log.checkpoint(7), fork.checkpoint(7)];
    both.sort_by_key(|checkpoint| checkpoint.root);
    assert_eq!(kept(&dir, "fork"), both);
    // Another history from a size on is only said not to be proven: the proof is whoever sent it's.
    assert_eq!(add(fork.body(7, 9)), (422, Some(Suspicion::Unproven)));
    assert_eq!(
        kept(&dir, "unproven"),
        [log.checkpoint(7), fork.checkpoint(9)]
    );
    // What the log did not sign is nobody's evidence.
    let stranger = TestLog { seed: 9, ..fork };
    assert_eq!(add(stranger.body(7, 8)), (403, None));
    assert_eq!(kept(&dir, "unproven").len(), 2);
    let metrics = witness.metrics();
    for line in [
        "counterfoil_witness_answers_total{status=\"422\"} 2",
        "counterfoil_witness_evidence_total{kind=\"fork\"} 2",
        "counterfoil_witness_log_size{log=\"a\"} 7",
        "counterfoil_witness_log_cosigned_timestamp_seconds{log=\"a\"} 1700000000",
    ] {
        assert!(
            metrics.lines().any(|told| told == line),
            "{line} in {metrics}"
        );
    }
}

/// Steps 1 to 6 of the specification: A of size N and B of size N+K are checked, B is stored, then A would roll K leaves back.
#[test]
fn of_two_that_race_only_one_is_cosigned() {
    let log = TestLog::new("a", 3, 9);
    for _ in 0..10 {
        let dir = folder(&[&log]);
        let witness = opened(&dir);
        witness.add_checkpoint(&log.body(0, 4), NOW_S).1.unwrap();
        let start = Barrier::new(2);
        let race = |size| {
            start.wait();
            witness.add_checkpoint(&log.body(4, size), NOW_S).1
        };
        let (a, b) = thread::scope(|scope| {
            let (a, b) = (scope.spawn(|| race(5)), scope.spawn(|| race(9)));
            (a.join().unwrap(), b.join().unwrap())
        });
        let won = match (&a, &b) {
            (Ok(_), Err(AddError::Refused(Refusal::Conflict(5)))) => 5,
            (Err(AddError::Refused(Refusal::Conflict(9))), Ok(_)) => 9,
            other => panic!("{other:?}"),
        };
        let size = || {
            opened(&dir)
                .newest(&origin_hash("a"))
                .unwrap()
                .checkpoint
                .size
        };
        assert_eq!(
            witness.newest(&origin_hash("a")).unwrap().checkpoint.size,
            won
        );
        drop(witness);
        assert_eq!(size(), won);
    }
}

#[test]
fn of_many_that_race_each_size_follows_the_one_before() {
    const LEAVES: u64 = 60;
    let log = Arc::new(TestLog::new("a", 3, LEAVES));
    let fork = Arc::new(log.forked(30));
    let dir = folder(&[&log]);
    let witness = opened(&dir);
    let cosigned = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for n in 0..8_u64 {
            let (log, fork) = (Arc::clone(&log), Arc::clone(&fork));
            let (witness, cosigned) = (&witness, &cosigned);
            scope.spawn(move || {
                let log = if n % 4 == 3 { fork } else { log };
                let mut old = 0;
                while old < LEAVES {
                    let size = (old + 1 + n % 3).min(LEAVES);
                    match witness.add_checkpoint(&log.body(old, size), NOW_S).1 {
                        Ok(_) => {
                            cosigned.lock().unwrap().push((old, log.checkpoint(size)));
                            old = size;
                        }
                        Err(AddError::Refused(Refusal::Conflict(size))) => old = size,
                        // Those of the other history.
                        Err(AddError::Refused(Refusal::Inconsistent(_))) => break,
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    // From each size on exactly one step was cosigned, so they make one chain.
    let steps = cosigned.into_inner().unwrap();
    let count = steps.len();
    let by_old: BTreeMap<u64, Checkpoint> = steps.into_iter().collect();
    assert_eq!(by_old.len(), count, "no size was left twice");
    let newest = witness.newest(&origin_hash("a")).unwrap().checkpoint;
    let history = match newest == log.checkpoint(newest.size) {
        true => &log,
        false => &fork,
    };
    let mut at = 0;
    for _ in 0..count {
        let step = &by_old[&at];
        assert_eq!(*step, history.checkpoint(step.size));
        at = step.size;
    }
    assert_eq!(at, newest.size);
}

#[derive(Debug, Clone)]
struct Sent {
    forked: bool,
    old: Option<u64>,
    size: u64,
    proof: Proof,
    by_stranger: bool,
    restart: bool,
}

#[derive(Debug, Clone)]
enum Proof {
    Honest,
    /// That from another old size.
    From(u64),
    None,
}

const LEAVES: u64 = 20;

fn sent() -> impl Strategy<Value = Sent> {
    let proof = prop_oneof![
        6 => Just(Proof::Honest),
        1 => (0..=LEAVES).prop_map(Proof::From),
        1 => Just(Proof::None),
    ];
    let old = proptest::option::weighted(0.3, 0..=LEAVES);
    let flags = (
        prop::bool::ANY,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    );
    (flags, old, 0..=LEAVES, proof).prop_map(
        |((forked, by_stranger, restart), old, size, proof)| Sent {
            forked,
            old,
            size,
            proof,
            by_stranger,
            restart,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is sent: the sizes never fall, and there is one history that all cosigned checkpoints are of.
    #[test]
    fn cosigned_checkpoints_are_of_one_growing_history(all in prop::collection::vec(sent(), 1..40), at in 0..LEAVES) {
        let log = TestLog::new("a", 3, LEAVES);
        let fork = log.forked(usize::try_from(at).unwrap());
        let dir = folder(&[&log]);
        let mut witness = opened(&dir);
        let mut cosigned: Vec<Checkpoint> = Vec::new();
        let mut time_s = 0;
        for (n, sent) in all.into_iter().enumerate() {
            if sent.restart {
                drop(witness);
                witness = opened(&dir);
            }
            let of = if sent.forked { &fork } else { &log };
            let signer = TestLog { seed: if sent.by_stranger { 9 } else { 3 }, ..of.clone() };
            // Mostly the old size that the witness asks for, else nothing would ever be cosigned.
            let known = cosigned.last().map_or(0, |last| last.size);
            let old = sent.old.unwrap_or(known);
            let mut request = signer.request(old, sent.size);
            match sent.proof {
                Proof::Honest => {}
                Proof::From(other) => request.proof = signer.request(other, sent.size).proof,
                Proof::None => request.proof.clear(),
            }
            let now_s = NOW_S - u64::try_from(n).unwrap() % 7;
            let (_, answer) = witness.add_checkpoint(request.to_string().as_bytes(), now_s);
            if answer.is_ok() {
                prop_assert!(!sent.by_stranger);
                prop_assert!(sent.size >= known);
                cosigned.push(of.checkpoint(sent.size));
                let newest = witness.newest(&origin_hash("a")).unwrap();
                prop_assert!(newest.time_s >= time_s);
                time_s = newest.time_s;
            }
            let newest = witness.newest(&origin_hash("a")).map(|newest| newest.checkpoint);
            prop_assert_eq!(newest.as_ref(), cosigned.last());
        }
        let is_of = |history: &TestLog| cosigned.iter().all(|one| *one == history.checkpoint(one.size));
        prop_assert!(is_of(&log) || is_of(&fork));
    }
}
