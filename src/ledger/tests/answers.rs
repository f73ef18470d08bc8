use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rstest::rstest;

use super::{accepted, refused, repeated};
use crate::chain::{Checkpoint, Envelope, TlogProof};
use crate::domain::testing::{OPERATOR, id};
use crate::domain::values::{OpId, PartyId};
use crate::ledger::testing::{Drill, authority, key, start};
use crate::ledger::{Answer, Feed};

#[tokio::test]
async fn accepted_operation_is_answered_with_its_entry_and_a_checkpoint_over_it() {
    let drill = Drill::new();
    let ledger = drill.open();
    let Answer::Accepted { receipt, warnings } = ledger.submit(drill.admission(1)).await else {
        panic!("not accepted");
    };
    assert_eq!((receipt.time, warnings.len()), (start(), 0));
    let (entry, line) = ledger.entry(1).unwrap().unwrap();
    assert_eq!(entry.op_id().as_bytes(), receipt.op_id.as_bytes());
    assert_eq!(line, receipt.line);
    let vkey = ledger.ready().vkey.parse().unwrap();
    let proof = TlogProof::decode(receipt.proof.as_bytes()).unwrap();
    let checkpoint = Checkpoint::open(&proof.checkpoint, &vkey).unwrap();
    assert!(proof.proves(line.leaf(), checkpoint.size, &checkpoint.root));
    assert_eq!(checkpoint.size, 2);
    assert_eq!(checkpoint.root, ledger.published().root);
}

#[tokio::test]
async fn repeat_is_answered_with_the_first_entry_and_the_signatures_that_it_lacks() {
    let drill = Drill::new();
    let ledger = drill.open();
    let first = ledger.submit(drill.admission(1)).await;
    accepted(&first);
    let mut again = Envelope::decode(&drill.admission(1)).unwrap();
    again.sign(&key(9)).unwrap();
    let Answer::Repeat {
        receipt,
        signatures_not_recorded,
    } = ledger.submit(again.encode()).await
    else {
        panic!("no repeat");
    };
    assert_eq!(receipt.line.n(), 1);
    assert_eq!(signatures_not_recorded, [key(9).public_key()]);
    assert_eq!(ledger.published().size, 2);
}

#[tokio::test]
async fn forged_signature_is_refused_whoever_else_signed() {
    let drill = Drill::new();
    let ledger = drill.open();
    let good = Envelope::decode(&drill.admission(1)).unwrap();
    let other = Envelope::decode(&drill.admission(2)).unwrap();
    let mut forged = Envelope::new(good.payload_type(), good.payload()).unwrap();
    for (signer, signature) in good.signatures() {
        let stolen = other.signatures().iter().find(|(by, _)| by == signer);
        let signature = stolen.map_or(*signature, |(_, signature)| *signature);
        forged.add_signature(*signer, signature).unwrap();
    }
    assert_eq!(
        refused(&ledger.submit(forged.encode()).await),
        "signature.invalid"
    );
    accepted(&ledger.submit(good.encode()).await);
}

#[rstest]
#[case::no_json(b"{".to_vec(), "envelope.malformed")]
#[case::another_type(
    Envelope::new("application/vnd.counterfoil.session.v1+json", "{}").map(|mut e| { e.sign(&key(1)).unwrap(); e.encode() }).unwrap(),
    "envelope.payload_type"
)]
#[case::no_payload(
    Envelope::new(crate::chain::pae::OP_TYPE, "{}").map(|mut e| { e.sign(&key(1)).unwrap(); e.encode() }).unwrap(),
    "payload.malformed"
)]
#[tokio::test]
async fn what_is_no_operation_is_malformed(#[case] bytes: Vec<u8>, #[case] rule: &str) {
    let drill = Drill::new();
    let answer = drill.open().submit(bytes).await;
    assert!(matches!(answer, Answer::Malformed(refusal) if refusal.rule == rule));
}

#[tokio::test]
async fn refused_operation_says_until_when_it_stays_usable() {
    let drill = Drill::new();
    let ledger = drill.open();
    accepted(&ledger.submit(drill.admission(1)).await);
    let until = start().plus_minutes(3);
    let again = drill.signed_until(9, until, authority(1), &[101]);
    let answer = ledger.submit(again.encode()).await;
    assert_eq!(refused(&answer), "party.known");
    assert!(matches!(answer, Answer::Refused { usable_until, .. } if usable_until == Some(until)));
}

#[tokio::test]
async fn expired_is_said_only_of_what_is_no_entry_however_old() {
    let drill = Drill::new();
    let ledger = drill.open();
    accepted(&ledger.submit(drill.admission(1)).await);
    ledger.advance(start().plus_hours(1)).unwrap();
    // The next entry makes the sequencer forget the first, so that only the index knows it.
    let later = drill.signed_until(3, start().plus_hours(2), authority(3), &[103]);
    accepted(&ledger.submit(later.encode()).await);
    assert_eq!(repeated(&ledger.submit(drill.admission(1)).await), 1);
    let answer = ledger.submit(drill.admission(2)).await;
    assert_eq!(refused(&answer), "operation.expired");
    assert!(matches!(
        answer,
        Answer::Refused {
            usable_until: None,
            ..
        }
    ));
}

#[tokio::test]
async fn entries_are_found_by_operation_feed_and_object() {
    let drill = Drill::new();
    let ledger = drill.open();
    for number in 1..=3 {
        accepted(&ledger.submit(drill.admission(number)).await);
    }
    let op = Envelope::decode(&drill.admission(2)).unwrap().op_id();
    let op = OpId(*op.as_bytes());
    assert_eq!(ledger.operation(&op).await.unwrap(), Some(2));
    assert_eq!(ledger.operation(&OpId([7; 32])).await.unwrap(), None);
    let second: PartyId = id("x:authority-2");
    let feed = |party| Feed::Party(party);
    for (feed, from, limit, expected) in [
        (feed(second), 0, 10, vec![2]),
        (feed(id(OPERATOR)), 1, 2, vec![1, 2]),
        (Feed::Authority, 2, 10, vec![2, 3]),
    ] {
        let shown = ledger.feed(feed, from, limit).await.unwrap();
        let shown: Vec<u64> = shown.iter().map(|shown| shown.n).collect();
        assert_eq!(shown, expected);
    }
    let touched = ledger.entries_of("x:authority-2", 0, 10).await.unwrap();
    assert_eq!(touched, [2]);
}

#[tokio::test]
async fn check_judges_as_if_all_had_signed_and_enters_nothing() {
    let drill = Drill::new();
    let ledger = drill.open();
    let payload = drill.signed(1, authority(1), &[]).payload().to_owned();
    let checked = ledger.check(id(OPERATOR), &payload).await.unwrap().unwrap();
    assert_eq!(checked.objects, ["x:authority-1"]);
    assert_eq!(ledger.published().size, 1);
    accepted(&ledger.submit(drill.admission(1)).await);
    let again = drill.signed(2, authority(1), &[]).payload().to_owned();
    let refusal = ledger
        .check(id(OPERATOR), &again)
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(refusal.rule, "party.known");
    let other = ledger.check(id("x:authority-1"), &again).await.unwrap();
    assert_eq!(other.unwrap_err().rule, "check.party");
}

#[tokio::test]
async fn storage_full_refuses_writes_and_answers_reads() {
    let drill = Drill::new();
    let ledger = drill.open_with(|parts| parts.free_bytes = Box::new(|| Ok(1_000)));
    let answer = ledger.submit(drill.admission(1)).await;
    assert!(matches!(answer, Answer::Closed(refusal) if refusal.rule == "storage.full"));
    assert_eq!(ledger.read(|at| at.size).await, Ok(1));
    assert!(ledger.ready().storage_full);
}

/// Whoever waits for readiness sends no operation, and must learn of it all the same.
#[test]
fn readiness_measures_the_room_itself() {
    let drill = Drill::new();
    let free = Arc::new(AtomicU64::new(1_000));
    let measured = Arc::clone(&free);
    let ledger = drill.open_with(|parts| {
        parts.free_bytes = Box::new(move || Ok(measured.load(Ordering::Relaxed)));
    });
    assert!(ledger.ready().storage_full);
    free.store(u64::MAX, Ordering::Relaxed);
    assert!(!ledger.ready().storage_full);
}
