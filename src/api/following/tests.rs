//! Streams against a clock that the tests move.

use std::time::Duration;

use tokio::sync::mpsc::error::TryRecvError;

use super::*;
use crate::api::session::Reader;
use crate::api::tests::served::{Served, granted};
use crate::domain::operation::Operation;
use crate::domain::ops::key::add::Add;
use crate::domain::ops::key::revoke::Revoke;
use crate::domain::testing::{HOSPITAL, id};

/// The feed of the hospital, followed in the test's own time.
struct Followed {
    served: Served,
    api: Api,
    authorization: String,
}

impl Followed {
    /// By a key that is registered under this name.
    fn by(served: Served, name: &str) -> Followed {
        let api = Api::new(served.ledger.clone(), "http://test").unwrap();
        let reader = Reader {
            party: id(HOSPITAL),
            key: granted(name).key,
        };
        let token = api
            .sessions
            .admit(reader, std::time::Instant::now())
            .unwrap();
        Followed {
            served,
            api,
            authorization: format!("Bearer {token}"),
        }
    }

    fn new() -> Followed {
        Followed::by(Served::new(), HOSPITAL)
    }

    /// Follows until it ends, beside `read`, which gets what is sent and acts meanwhile.
    async fn follow(
        &mut self,
        waiting: usize,
        read: impl AsyncFnOnce(&mut Served, &Api, &str, mpsc::Receiver<Told>),
    ) {
        let (sender, receiver) = mpsc::channel(waiting);
        let Followed {
            served,
            api,
            authorization,
        } = self;
        let follows = async {
            let ended = followed(api, Some(authorization), Place::default(), &sender).await;
            assert!(ended.is_err());
            // The reader sees the end.
            drop(sender);
        };
        tokio::join!(follows, read(served, api, authorization, receiver));
    }
}

fn paused(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(test);
}

/// The next thing that is sent, without its last newlines. A paused clock goes to the next timer whenever all wait, also
/// for the ledger's threads; nobody waits here, so it stands still until a test moves it.
async fn next(receiver: &mut mpsc::Receiver<Told>) -> Option<String> {
    let began = std::time::Instant::now();
    loop {
        match receiver.try_recv() {
            Ok(told) => return Some(told.to_string().trim_end().to_owned()),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => tokio::task::yield_now().await,
        }
        assert!(began.elapsed() < Duration::from_secs(20), "nothing is sent");
    }
}

/// The next event, notices left out.
async fn expect_event(receiver: &mut mpsc::Receiver<Told>, seq: u64) {
    let mut told = next(receiver).await.unwrap();
    while told.starts_with("event:notice") {
        told = next(receiver).await.unwrap();
    }
    assert!(told.contains(&format!("\"seq\":{seq},")), "{told}");
}

#[test]
fn a_heartbeat_comes_by_the_clock_whatever_others_do() {
    let mut followed = Followed::new();
    paused(async {
        let read =
            async |served: &mut Served, api: &Api, by: &str, mut sent: mpsc::Receiver<Told>| {
                assert_eq!(next(&mut sent).await.unwrap(), ":begins");
                expect_event(&mut sent, 1).await;
                for other in ["lei:529986WORKSZZZZZZZ39", "lei:529989WORKSHOPZZZZ97"] {
                    // Another's entry, between two heartbeats.
                    tokio::time::advance(Duration::from_secs(7)).await;
                    served.admit_another(other);
                    for _ in 0..1_000 {
                        tokio::task::yield_now().await;
                    }
                    assert_eq!(sent.try_recv().err(), Some(TryRecvError::Empty));
                    tokio::time::advance(HEARTBEAT - Duration::from_secs(7)).await;
                    assert_eq!(next(&mut sent).await.unwrap(), ":goes on");
                }
                api.sessions.end(Some(by)).unwrap();
                tokio::time::advance(HEARTBEAT).await;
                // It is noticed at the next heartbeat, or before it.
                let mut last = next(&mut sent).await;
                if last.as_deref() == Some(":goes on") {
                    last = next(&mut sent).await;
                }
                assert_eq!(last, None);
            };
        followed.follow(WAITING_MAX, read).await;
    });
}

#[test]
fn a_reader_who_takes_nothing_is_cut() {
    let mut followed = Followed::new();
    followed.served.proposed("HT-0");
    paused(async {
        let (sender, mut sent) = mpsc::channel(1);
        let began = Moment::now();
        let by = Some(followed.authorization.as_str());
        let ended = super::followed(&followed.api, by, Place::default(), &sender).await;
        assert!(ended.is_err());
        let took = began.elapsed();
        assert!(
            took >= SLOW_MAX && took < SLOW_MAX + Duration::from_secs(1),
            "{took:?}"
        );
        drop(sender);
        assert_eq!(next(&mut sent).await.unwrap(), ":begins");
        assert_eq!(next(&mut sent).await, None, "nothing waits for it any more");
    });
}

#[test]
fn the_session_is_looked_at_before_each_event() {
    let mut followed = Followed::new();
    paused(async {
        let read =
            async |served: &mut Served, api: &Api, by: &str, mut sent: mpsc::Receiver<Told>| {
                next(&mut sent).await.unwrap();
                expect_event(&mut sent, 1).await;
                served.proposed("HT-0");
                expect_event(&mut sent, 2).await;
                api.sessions.end(Some(by)).unwrap();
                served.proposed("HT-1");
                assert_eq!(next(&mut sent).await, None);
            };
        followed.follow(WAITING_MAX, read).await;
    });
}

/// Signed by the hospital's first key and these, and entered.
fn act<T: Operation>(served: &mut Served, also: &[&str], body: T) {
    let envelope = served.signed_by(HOSPITAL, also, body);
    served.client().submit(&envelope).unwrap();
}

fn a_day_passes(served: &Served) {
    let time = served.ledger.ready().time;
    served.ledger.advance(time.plus_hours(24)).unwrap();
}

#[test]
fn a_key_that_was_revoked_ends_its_sessions_and_streams() {
    const SECOND: &str = "x:second";
    let mut served = Served::new();
    act(
        &mut served,
        &[SECOND],
        Add {
            key: granted(SECOND),
        },
    );
    a_day_passes(&served);
    let mut followed = Followed::by(served, SECOND);
    paused(async {
        let read =
            async |served: &mut Served, api: &Api, by: &str, mut sent: mpsc::Receiver<Told>| {
                next(&mut sent).await.unwrap();
                expect_event(&mut sent, 1).await;
                expect_event(&mut sent, 2).await;
                act(
                    served,
                    &[],
                    Revoke {
                        key: granted(SECOND).key,
                    },
                );
                expect_event(&mut sent, 3).await;
                a_day_passes(served);
                let ended = api.as_party(Some(by), |_| ()).await.unwrap_err();
                assert_eq!(ended.code, "session.ended");
                served.proposed("HT-0");
                assert_eq!(next(&mut sent).await, None);
            };
        followed.follow(WAITING_MAX, read).await;
    });
}
