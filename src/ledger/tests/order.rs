use std::sync::OnceLock;

use proptest::prelude::*;

use crate::chain::Envelope;
use crate::ledger::testing::{Drill, authority};
use crate::ledger::{Answer, Config, Ledger};

/// One thing that somebody sends.
#[derive(Clone, Debug)]
enum Sent {
    Admission(u8),
    /// The same party under another nonce: refused once it is admitted.
    Again(u8, u16),
    Forged(u8),
    Garbage,
}

fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        4 => (1u8..12).prop_map(Sent::Admission),
        2 => (1u8..12, 100u16..104).prop_map(|(number, nonce)| Sent::Again(number, nonce)),
        1 => (1u8..12).prop_map(Sent::Forged),
        1 => Just(Sent::Garbage),
    ]
}

fn bytes(drill: &Drill, sent: &Sent) -> Vec<u8> {
    match sent {
        Sent::Admission(number) => drill.admission(*number),
        Sent::Again(number, nonce) => drill
            .signed(*nonce, authority(*number), &[100 + number])
            .encode(),
        Sent::Forged(number) => {
            let good = Envelope::decode(&drill.admission(*number)).unwrap();
            let other = Envelope::decode(&drill.admission(99)).unwrap();
            let mut forged = Envelope::new(good.payload_type(), good.payload()).unwrap();
            let (by, signature) = other.signatures()[0];
            forged.add_signature(by, signature).unwrap();
            forged.encode()
        }
        Sent::Garbage => b"{}".to_vec(),
    }
}

/// Answers and entries on so many threads. Which checkpoint covers an entry depends on the batches, so it is left out.
fn play(drill: &Drill, threads: usize, all: &[Vec<u8>]) -> (Vec<String>, Vec<u8>) {
    let drill = drill.copy();
    let config = Config {
        verify_threads: Some(threads),
        ..drill.config()
    };
    let ledger = Ledger::open(config, &mut |_, _| ()).unwrap();
    let pending = ledger.submit_many(all.to_vec());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let answers = runtime.block_on(async {
        let mut answers = Vec::new();
        for pending in pending {
            answers.push(match pending.answer().await {
                Answer::Accepted { receipt, .. } => {
                    format!("accepted {} {}", receipt.line.n(), receipt.line.leaf())
                }
                Answer::Repeat { receipt, .. } => {
                    format!("repeat {} {}", receipt.line.n(), receipt.line.leaf())
                }
                other => format!("{other:?}"),
            });
        }
        answers
    });
    ledger.stop();
    (answers, drill.export())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_thread_count_gives_the_same_entries_and_answers(sent in proptest::collection::vec(sent(), 1..40)) {
        static DRILL: OnceLock<Drill> = OnceLock::new();
        let drill = DRILL.get_or_init(Drill::new);
        let all: Vec<_> = sent.iter().map(|sent| bytes(drill, sent)).collect();
        let one = play(drill, 1, &all);
        prop_assert_eq!(&play(drill, 2, &all), &one);
        prop_assert_eq!(&play(drill, 5, &all), &one);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_operation_sent_by_many_at_once_is_one_entry() {
    let drill = Drill::new();
    let ledger = drill.open();
    let envelope = drill.admission(1);
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (ledger, envelope) = (ledger.clone(), envelope.clone());
            tokio::spawn(async move { ledger.submit(envelope).await })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        match task.await.unwrap() {
            Answer::Accepted { .. } => accepted += 1,
            answer => assert_eq!(super::repeated(&answer), 1),
        }
    }
    assert_eq!((accepted, ledger.published().size), (1, 2));
}
