//! A stream of events: a feed that is followed as it grows, and as the time of its notices comes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant as Moment;
use warp::Stream;
use warp::sse::Event as Told;

use super::Api;
use super::feed::{FeedItem, Place};
use super::problem::Problem;
use super::streams;

/// How long a stream is silent at most: then it sends a comment, which also shows that somebody still reads.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that wait for a reader.
pub(super) const WAITING_MAX: usize = 32;
/// A reader who takes nothing for so long is cut; it goes on with the id of its last event.
const SLOW_MAX: Duration = Duration::from_secs(30);
/// A stream ends after so long, within what a connection may last.
const STREAM_LASTS: Duration = Duration::from_secs(9 * 60);

/// No more is sent: the session or the ledger is at its end, or the reader takes nothing.
struct Ended;

impl From<Problem> for Ended {
    fn from(_: Problem) -> Ended {
        Ended
    }
}

/// Sends what the feed shows behind a place until the stream is at its end. Whatever ends it, the reader asks again
/// from its last event on and is told.
pub(super) async fn follow(
    api: &Api,
    authorization: Option<&str>,
    after: Place,
    to: &mpsc::Sender<Told>,
) {
    tokio::select! {
        _ = followed(api, authorization, after, to) => {}
        () = api.streams.stopped() => {}
        () = tokio::time::sleep(STREAM_LASTS) => {}
        () = to.closed() => {}
    }
}

async fn followed(
    api: &Api,
    authorization: Option<&str>,
    mut after: Place,
    to: &mpsc::Sender<Told>,
) -> Result<Infallible, Ended> {
    send(to, Told::default().comment("begins")).await?;
    let mut silent_until = Moment::now() + HEARTBEAT;
    loop {
        let size = api.ledger.published().size;
        let next_notice = loop {
            // The session and its key are looked at before every event.
            let mut read = api.read_feed(authorization, &after, 1).await?;
            let Some((place, item)) = read.items.pop() else {
                break read.next_notice;
            };
            send(to, told(&place, &item)).await?;
            after = place;
            silent_until = Moment::now() + HEARTBEAT;
        };
        let notice_comes = async {
            match next_notice {
                Some(at) => api.ledger.reaches(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            more = api.ledger.durable(size + 1) => drop(more.map_err(|_| Ended)?),
            () = notice_comes => {}
            () = tokio::time::sleep_until(silent_until) => {}
        }
        // By the clock alone: a comment that others' entries put off would tell of them.
        if Moment::now() >= silent_until {
            send(to, Told::default().comment("goes on")).await?;
            silent_until = Moment::now() + HEARTBEAT;
        }
    }
}

fn told(place: &Place, item: &FeedItem) -> Told {
    let data = serde_json::to_string(item).expect("an event is plain data");
    let told = Told::default().id(place.to_string()).data(data);
    match item {
        FeedItem::Event(_) => told,
        FeedItem::Notice(_) => told.event("notice"),
    }
}

async fn send(to: &mpsc::Sender<Told>, told: Told) -> Result<(), Ended> {
    to.send_timeout(told, SLOW_MAX).await.map_err(|_| Ended)
}

/// The events of one stream, as its reader takes them.
pub(super) struct Following {
    receiver: mpsc::Receiver<Told>,
    _place: streams::Place,
}

impl Following {
    /// What is sent, for as long as the stream has its place.
    pub(super) fn of(receiver: mpsc::Receiver<Told>, place: streams::Place) -> Following {
        Following {
            receiver,
            _place: place,
        }
    }
}

impl Stream for Following {
    type Item = Result<Told, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(cx).map(|told| told.map(Ok))
    }
}

#[cfg(test)]
mod tests;
