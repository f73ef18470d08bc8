use super::accepted;
use crate::ledger::PastError;
use crate::ledger::testing::Drill;

#[tokio::test]
async fn the_past_is_what_the_head_was() {
    let drill = Drill::new();
    let ledger = drill.open();
    let mut states = vec![ledger.read(|at| at.state.clone()).await.unwrap()];
    for number in 1..=5 {
        accepted(&ledger.submit(drill.admission(number)).await);
        states.push(ledger.read(|at| at.state.clone()).await.unwrap());
    }
    // Forward, back, again, and to the head.
    for size in [2, 4, 4, 1, 6, 3] {
        let past = ledger.past(size).await.unwrap();
        let at = past.at().unwrap();
        assert_eq!(at.size, size);
        assert_eq!(*at.state, states[size as usize - 1]);
    }
}

#[tokio::test]
async fn there_is_no_past_of_nothing_nor_of_what_is_to_come() {
    let drill = Drill::new();
    let ledger = drill.open();
    for size in [0, 2, u64::MAX] {
        let error = ledger.past(size).await.unwrap_err();
        assert!(matches!(error, PastError::Beyond { size: 1 }), "{error}");
    }
}

#[tokio::test]
async fn one_reader_at_a_time_has_the_past() {
    let drill = Drill::new();
    let ledger = drill.open();
    let past = ledger.past(1).await.unwrap();
    let error = ledger.past(1).await.unwrap_err();
    assert!(matches!(error, PastError::Busy), "{error}");
    drop(past);
    assert!(ledger.past(1).await.is_ok());
}

#[tokio::test]
async fn a_ledger_that_stops_reads_no_entries_again() {
    let drill = Drill::new();
    let ledger = drill.open();
    ledger.stop();
    let error = ledger.past(1).await.unwrap_err();
    assert!(matches!(error, PastError::Stopped(_)), "{error}");
}
