//! Many envelopes at once: a line each, judged in order and each by itself, answered a line each as they become
//! durable.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use warp::Reply as _;
use warp::Stream;
use warp::http::header::{CONTENT_TYPE, HeaderValue};

use super::Api;
use super::body::{Most, expect_type};
use super::operations::{ReceiptRow, busy, told};
use super::peer::Peer;
use super::problem::Problem;
use super::reply::{Handled, NDJSON_TYPE};
use crate::ledger::Pending;

/// Most bytes of a batch, and the time it may take to arrive.
pub(super) const MOST: Most = Most {
    bytes: 16 * 1024 * 1024,
    time: Duration::from_secs(120),
};
/// Most lines of a batch.
pub(super) const LINES_MAX: usize = 10_000;
/// Bytes of answers that go out together, where so many are ready.
const AT_ONCE: usize = 16 * 1024;
/// How often so many may wait for a slow reader.
const ANSWERS_AHEAD: usize = 4;
/// How long one of them may wait: whoever reads no further holds thousands of answers in memory.
const READ_IN: Duration = Duration::from_secs(10);

/// The batches that are under way: so many in all, and of one address a share of them, so that nobody shuts the others
/// out by sending slowly.
#[derive(Debug)]
pub(super) struct Rooms {
    all: Arc<Semaphore>,
    share: usize,
    of: Mutex<HashMap<IpAddr, usize>>,
}

/// One batch's place; given back when dropped.
pub(super) struct Room {
    rooms: Arc<Rooms>,
    /// Whose share it counts against, if anybody's.
    network: Option<IpAddr>,
    _permit: OwnedSemaphorePermit,
}

impl Rooms {
    /// So many in all; a quarter of them for one address.
    pub(super) fn new(most: usize) -> Rooms {
        Rooms {
            all: Arc::new(Semaphore::new(most)),
            share: most.div_ceil(4),
            of: Mutex::default(),
        }
    }

    /// A place, if there is one: for whoever is limited by address, within its share.
    pub(super) fn enter(rooms: &Arc<Rooms>, network: Option<IpAddr>) -> Option<Room> {
        let permit = Arc::clone(&rooms.all).try_acquire_owned().ok()?;
        if let Some(network) = network {
            let mut of = rooms.of.lock().unwrap_or_else(PoisonError::into_inner);
            let own = of.entry(network).or_default();
            if *own >= rooms.share {
                return None;
            }
            *own += 1;
        }
        Some(Room {
            rooms: Arc::clone(rooms),
            network,
            _permit: permit,
        })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let of = &self.rooms.of;
        let mut of = of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = of.get_mut(&network) {
            *own -= 1;
            if *own == 0 {
                of.remove(&network);
            }
        }
    }
}

/// One line of the answer.
#[derive(Serialize)]
#[serde(untagged)]
enum LineRow {
    Receipt {
        status: u16,
        #[serde(flatten)]
        receipt: ReceiptRow,
    },
    Problem(Problem),
}

impl Api {
    /// `POST /v1/operations:batch`. The room is given back with the last answer.
    pub(super) async fn submit_batch(
        &self,
        peer: Peer,
        content_type: Option<&str>,
        body: Vec<u8>,
        room: Room,
    ) -> Handled {
        expect_type(content_type, NDJSON_TYPE)?;
        let lines = lines(&body).count();
        if lines > LINES_MAX {
            return Err(Problem::too_large(format!(
                "a batch may have at most {LINES_MAX} lines"
            )));
        }
        let pending = self.ledger.submit_many(lines_of(body));
        let (answers, stream) = mpsc::channel(ANSWERS_AHEAD);
        let drill = self.drill;
        tokio::spawn(async move {
            let blame = |problem: &Problem| peer.blame(problem);
            answer(pending, Out::to(answers), drill, blame).await;
            drop(room);
        });
        let mut reply = warp::reply::stream(Answers(stream)).into_response();
        reply
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON_TYPE));
        Ok(reply)
    }

    /// Room for one more batch: each takes much memory.
    pub(super) fn batch_room(&self, peer: &Peer) -> Result<Room, Problem> {
        Rooms::enter(&self.batches, peer.limited()).ok_or_else(busy)
    }
}

/// The lines of a body; a newline at its end begins no further one.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let none = body.is_empty();
    body.split(|byte| *byte == b'\n').filter(move |_| !none)
}

fn lines_of(body: Vec<u8>) -> Vec<Bytes> {
    let body = Bytes::from(body);
    lines(&body).map(|line| body.slice_ref(line)).collect()
}

/// Answers in order, each when it is durable. Where nobody reads any more, the operations go their way all the same, and what
/// became of them is told by their ids.
async fn answer(pending: Vec<Pending>, mut out: Out, drill: bool, blame: impl Fn(&Problem)) {
    for pending in pending {
        let mut answer = pin!(pending.answer());
        let ready = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context)));
        let answer = match ready.await {
            Poll::Ready(answer) => answer,
            Poll::Pending if out.send(0).await => answer.await,
            Poll::Pending => return,
        };
        let row = match told(answer, drill) {
            (status, Ok(receipt)) => LineRow::Receipt {
                status: status.as_u16(),
                receipt,
            },
            (_, Err(problem)) => {
                blame(&problem);
                LineRow::Problem(problem)
            }
        };
        serde_json::to_writer(&mut out.ready, &row)
            .expect("an answer is plain data, which JSON can hold");
        out.ready.push(b'\n');
        if !out.send(out.at_once).await {
            return;
        }
    }
    out.send(0).await;
}

/// Where answers go: some at once, for each part that is sent has its price.
struct Out {
    ready: Vec<u8>,
    at_once: usize,
    read_in: Duration,
    to: mpsc::Sender<Vec<u8>>,
}

impl Out {
    fn to(to: mpsc::Sender<Vec<u8>>) -> Out {
        Out {
            ready: Vec::new(),
            at_once: AT_ONCE,
            read_in: READ_IN,
            to,
        }
    }

    /// Sends what is ready where that is more than so many bytes; whether there is still a reader.
    async fn send(&mut self, more_than: usize) -> bool {
        if self.ready.len() <= more_than {
            return true;
        }
        let ready = std::mem::replace(&mut self.ready, Vec::with_capacity(2 * self.at_once));
        let read = tokio::time::timeout(self.read_in, self.to.send(ready)).await;
        matches!(read, Ok(Ok(())))
    }
}

struct Answers(mpsc::Receiver<Vec<u8>>);

impl Stream for Answers {
    type Item = Result<Vec<u8>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|line| line.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::api::tests::served::Served;

    #[test]
    fn who_does_not_read_the_answers_does_not_keep_them_in_memory() {
        let served = Served::empty();
        let pending = served.ledger.submit_many(vec!["no envelope"; 5]);
        let (answers, mut read) = mpsc::channel(2);
        let out = Out {
            at_once: 0,
            read_in: Duration::ZERO,
            ..Out::to(answers)
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(answer(pending, out, false, |_| ()));
        let lines = std::iter::from_fn(|| read.blocking_recv());
        assert_eq!(lines.count(), 2);
    }

    #[rstest]
    #[case("", 0)]
    #[case("\n", 0)]
    #[case("a", 1)]
    #[case("a\n", 1)]
    #[case("a\nb\n", 2)]
    #[case("a\n\nb", 3)]
    fn a_batch_has_so_many_lines(#[case] body: &str, #[case] count: usize) {
        assert_eq!(lines_of(body.into()).len(), count);
    }

    #[test]
    fn one_address_has_a_share_of_the_places_and_no_more() {
        let rooms = Arc::new(Rooms::new(8));
        let [one, other] = [1, 2].map(|n: u32| Some(IpAddr::from(std::net::Ipv4Addr::from(n))));
        let held = [one, one].map(|network| Rooms::enter(&rooms, network));
        assert!(held.iter().all(Option::is_some));
        assert!(Rooms::enter(&rooms, one).is_none());
        assert!(Rooms::enter(&rooms, other).is_some());
        drop(held);
        assert!(Rooms::enter(&rooms, one).is_some(), "places are given back");
        let all: Vec<_> = (0..8).map(|_| Rooms::enter(&rooms, None)).collect();
        assert!(
            all.iter().all(Option::is_some),
            "whoever is not limited has no share"
        );
        assert!(Rooms::enter(&rooms, other).is_none(), "eight are all");
    }
}
