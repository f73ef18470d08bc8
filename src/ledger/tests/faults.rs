use rstest::rstest;

use super::accepted;
use crate::chain::Line;
use crate::ledger::testing::{Drill, Hook, hook};
use crate::ledger::{Answer, StopReason};
use crate::store::JournalError;

/// Breaks the append of this number, before or after it is persisted.
struct Breaks {
    left: u32,
    persisted: bool,
}

impl Breaks {
    fn now(&mut self, here: bool) -> Result<(), JournalError> {
        match here && self.left == 0 {
            true => Err(JournalError::Io {
                path: "disk".into(),
                source: std::io::Error::other("broke"),
            }),
            false => Ok(()),
        }
    }
}

impl Hook for Breaks {
    fn before(&mut self, _: &[Line]) -> Result<(), JournalError> {
        self.left -= 1;
        self.now(!self.persisted)
    }

    fn after(&mut self) -> Result<(), JournalError> {
        self.now(self.persisted)
    }
}

#[rstest]
#[tokio::test]
async fn failed_commit_stops_the_ledger_and_loses_nothing_acknowledged(
    #[values(1, 2, 4)] at: u32,
    #[values(false, true)] persisted: bool,
) {
    let drill = Drill::new();
    let ledger = drill.open_with(|parts| {
        hook(
            parts,
            Breaks {
                left: at,
                persisted,
            },
        )
    });
    let mut acknowledged = Vec::new();
    for number in 1..=5 {
        match ledger.submit(drill.admission(number)).await {
            Answer::Stopped => {}
            answer => acknowledged.push((number, accepted(&answer))),
        }
    }
    assert_eq!(acknowledged.len() as u32, at - 1);
    assert!(
        matches!(ledger.stopped().await, StopReason::Failed(reason) if reason.contains("broke"))
    );
    assert!(
        ledger.read(|at| at.size).await.is_err(),
        "what is not durable is not read"
    );
    assert!(matches!(ledger.stop(), StopReason::Failed(_)));
    drop(ledger);

    let ledger = drill.open();
    assert_eq!(
        ledger.published().size,
        u64::from(at + u32::from(persisted))
    );
    for (number, n) in acknowledged {
        assert_eq!(
            super::repeated(&ledger.submit(drill.admission(number)).await),
            n
        );
    }
    // "An entry that was persisted but not acknowledged is committed."
    let unknown = ledger.submit(drill.admission(at as u8)).await;
    assert_eq!(
        matches!(unknown, Answer::Repeat { .. }),
        persisted,
        "{unknown:?}"
    );
}

/// Breaks the thread that commits.
struct Panics;

impl Hook for Panics {
    fn before(&mut self, _: &[Line]) -> Result<(), JournalError> {
        panic!("a bug, made by the test");
    }
}

#[tokio::test]
async fn broken_thread_stops_the_ledger() {
    let drill = Drill::new();
    let ledger = drill.open_with(|parts| hook(parts, Panics));
    assert_eq!(ledger.submit(drill.admission(1)).await, Answer::Stopped);
    assert!(matches!(ledger.stop(), StopReason::Failed(_)));
}
