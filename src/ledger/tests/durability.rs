use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{accepted, refused};
use crate::chain::Line;
use crate::ledger::Ledger;
use crate::ledger::testing::{Drill, Hook, authority, hook};
use crate::store::JournalError;

/// Holds every append up until the test lets it go, and tells how many lines each has.
struct Held {
    came: Sender<usize>,
    go: Receiver<()>,
}

impl Hook for Held {
    fn before(&mut self, lines: &[Line]) -> Result<(), JournalError> {
        self.came.send(lines.len()).unwrap();
        self.go.recv().ok();
        Ok(())
    }
}

fn held(drill: &Drill) -> (Ledger, Receiver<usize>, Sender<()>) {
    let (came, appends) = unbounded();
    let (release, go) = unbounded();
    let ledger = drill.open_with(|parts| hook(parts, Held { came, go }));
    (ledger, appends, release)
}

fn is_ready(future: std::pin::Pin<&mut impl Future>) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(future.poll(&mut context), Poll::Ready(_))
}

/// Until the sequencer has entered so many; all that was submitted before is judged then.
fn await_size(ledger: &Ledger, size: u64) {
    while ledger.inner.shared.at_head(|head| head.size()) != Ok(size) {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn every_answer_waits_until_what_it_rests_on_is_durable() {
    let drill = Drill::new();
    let (ledger, appends, release) = held(&drill);
    let again = drill.signed(9, authority(1), &[101]).encode();
    let all = vec![
        drill.admission(1),
        again,
        drill.admission(1),
        drill.admission(2),
    ];
    let mut pending = ledger.submit_many(all).into_iter();
    let mut next = || Box::pin(pending.next().unwrap().answer());
    let (mut entered, mut refusal, mut repeat, last) = (next(), next(), next(), next());
    appends.recv().unwrap();
    await_size(&ledger, 3);
    let mut read = pin!(ledger.read(|at| at.size));
    let payload = drill.signed(10, authority(3), &[]).payload().to_owned();
    let mut check = pin!(ledger.check(crate::domain::testing::id("x:operator"), &payload));
    assert!(!is_ready(entered.as_mut()), "an entry");
    assert!(!is_ready(refusal.as_mut()), "a refusal");
    assert!(!is_ready(repeat.as_mut()), "a repeat");
    assert!(!is_ready(read.as_mut()), "a read");
    assert!(!is_ready(check.as_mut()), "a check");
    assert_eq!(ledger.published().size, 1);
    assert_eq!(ledger.entry(1), Ok(None));
    drop(release);
    assert_eq!(accepted(&entered.await), 1);
    assert_eq!(refused(&refusal.await), "party.known");
    assert_eq!(super::repeated(&repeat.await), 1);
    assert_eq!(accepted(&last.await), 2);
    assert_eq!(read.await, Ok(3));
    assert!(check.await.unwrap().is_ok());
}

#[tokio::test]
async fn what_comes_during_a_commit_is_committed_together_after_it() {
    let drill = Drill::new();
    let (ledger, appends, release) = held(&drill);
    let first = ledger.submit_many(vec![drill.admission(1)]);
    assert_eq!(appends.recv(), Ok(1));
    let rest: Vec<_> = (2..=6).map(|number| drill.admission(number)).collect();
    let rest = ledger.submit_many(rest);
    await_size(&ledger, 7);
    drop(release);
    assert_eq!(appends.recv(), Ok(5));
    for (i, pending) in first.into_iter().chain(rest).enumerate() {
        assert_eq!(accepted(&pending.answer().await), i as u64 + 1);
    }
}

#[tokio::test]
async fn stop_finishes_what_has_a_ticket_and_takes_nothing_more() {
    let drill = Drill::new();
    let ledger = drill.open();
    let pending = ledger.submit_many(vec![drill.admission(1), drill.admission(2)]);
    assert_eq!(ledger.stop(), crate::ledger::StopReason::Asked);
    for (i, pending) in pending.into_iter().enumerate() {
        assert_eq!(accepted(&pending.answer().await), i as u64 + 1);
    }
    let answer = ledger.submit(drill.admission(3)).await;
    assert_eq!(answer, crate::ledger::Answer::Stopped);
    let head = std::fs::read_to_string(drill.dir.path().join("data/head")).unwrap();
    assert_eq!(head.lines().nth(1), Some("3"));
}

/// `export` and `checkpoint` read it beside the server, and go by what it covers.
#[tokio::test]
async fn head_covers_everything_soon_after_the_last_entry() {
    let drill = Drill::new();
    let ledger = drill.open();
    for number in 1..=3 {
        accepted(&ledger.submit(drill.admission(number)).await);
    }
    let path = drill.dir.path().join("data/head");
    let covered = || std::fs::read_to_string(&path).unwrap().lines().nth(1) == Some("4");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !covered() {
        assert!(std::time::Instant::now() < deadline, "the head lags");
        std::thread::yield_now();
    }
}
