//! A party's feed: the entries of which it is told, numbered 1, 2, 3, … for it alone, so that the numbers tell
//! nothing of how much others do. As pages, and as a stream that goes on as entries come.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::Instant as Moment;
use warp::Reply as _;
use warp::Stream;
use warp::http::StatusCode;
use warp::sse::Event as Told;

use super::list::sees;
use super::operations::unlooked;
use super::problem::Problem;
use super::query::{LIMIT_DEFAULT, LIMIT_MAX, limit};
use super::reply::{Handled, json};
use super::streams::Place;
use super::{Api, status, streams};
use crate::domain::values::{Instant, OpId, PartyId};
use crate::ledger::Feed;

/// Media type of a stream of events (HTML, "Server-sent events").
pub(super) const EVENTS_TYPE: &str = "text/event-stream";

/// How long a stream is silent at most: then it sends a comment, which also shows that somebody still reads.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that wait for a reader.
const WAITING_MAX: usize = 32;
/// A reader who takes nothing for so long is cut; it goes on with the id of its last event.
const SLOW_MAX: Duration = Duration::from_secs(30);
/// A stream ends after so long, within what a connection may last.
const STREAM_LASTS: Duration = Duration::from_secs(9 * 60);

/// One entry, as its feed shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Event {
    /// Its place in this feed, from 1.
    seq: u64,
    /// The entry's number.
    n: u64,
    /// The ledger's time of the entry.
    time: Instant,
    /// Which operation it is.
    op: String,
    /// Its id.
    op_id: OpId,
    /// The objects that it touches, those that the reader may see.
    objects: Vec<String>,
    /// Where its line is.
    entry: String,
}

/// A page of a party's feed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Events {
    /// The events, in order.
    items: Vec<Event>,
    /// `after` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

#[derive(Debug, PartialEq, Eq)]
struct Page {
    after: u64,
    limit: usize,
}

impl Page {
    fn read(pairs: &[(String, String)]) -> Result<Page, Problem> {
        let mut page = Page {
            after: 0,
            limit: LIMIT_DEFAULT,
        };
        for (name, value) in pairs {
            match name.as_str() {
                "after" => page.after = seq(value)?,
                "limit" => page.limit = limit(value, LIMIT_MAX)?,
                _ => {
                    let detail = "the feed takes the parameters `after` and `limit`";
                    return Err(Problem::bad_request("query.unknown", detail));
                }
            }
        }
        Ok(page)
    }
}

fn seq(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| {
        let detail = "`after` and `Last-Event-ID` are the `seq` of an event, or 0";
        Problem::bad_request("query.after", detail)
    })
}

/// Whose feed is read, looked at anew before each event.
async fn feed_of(api: &Api, authorization: Option<&str>) -> Result<(PartyId, Feed), Problem> {
    let reader = api.as_party(authorization, |viewer| {
        let feed = match viewer.audits() {
            true => Feed::Authority,
            false => Feed::Party(viewer.party),
        };
        (viewer.party, feed)
    });
    reader.await
}

impl Api {
    /// The streams that are open.
    pub(super) fn streams(&self) -> Arc<streams::Streams> {
        Arc::clone(&self.streams)
    }

    /// `GET /v1/events`: a page of the party's feed.
    pub(super) async fn events(
        &self,
        authorization: Option<&str>,
        pairs: &[(String, String)],
    ) -> Handled {
        let (_, feed) = feed_of(self, authorization).await?;
        let Page { after, limit } = Page::read(pairs)?;
        let found = self.ledger.feed(feed, after, limit + 1).await;
        let found = found.map_err(unlooked)?;
        let mut items = Vec::new();
        for (seq, n) in (after + 1..).zip(found.iter().take(limit)) {
            items.push(self.event(authorization, seq, *n).await?);
        }
        let next = items.last().map(|last| last.seq);
        let next = next.filter(|_| found.len() > limit);
        Ok(json(StatusCode::OK, &Events { items, next }))
    }

    async fn event(&self, authorization: Option<&str>, seq: u64, n: u64) -> Result<Event, Problem> {
        let touched = self.ledger.touched(n).await.map_err(unlooked)?;
        let objects = self.as_party(authorization, |viewer| {
            let seen = touched.into_iter().filter(|id| sees(viewer, id));
            seen.collect()
        });
        let objects = objects.await?;
        let found = self.ledger.entry(n).map_err(|_| status::stopped())?;
        let (entry, _) = found.ok_or_else(Problem::not_found)?;
        Ok(Event {
            seq,
            n,
            time: Instant::from_millis(entry.time_ms()),
            op: name_of(entry.payload()),
            op_id: OpId(*entry.op_id().as_bytes()),
            objects,
            entry: format!("/v1/entries/{n}"),
        })
    }

    /// `GET /v1/events` with `Accept: text/event-stream`: the feed from `Last-Event-ID` (or `after`) on, as it grows.
    pub(super) async fn stream(
        api: Arc<Api>,
        authorization: Option<String>,
        last: Option<String>,
        pairs: &[(String, String)],
    ) -> Handled {
        let (party, _) = feed_of(&api, authorization.as_deref()).await?;
        let page = Page::read(pairs)?;
        let after = last.as_deref().map_or(Ok(page.after), seq)?;
        let place = streams::Streams::place(&api.streams, party)?;
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            let follows = follow(&api, authorization.as_deref(), after, &sender);
            tokio::select! {
                // Whatever ends a stream, the reader asks again from its last event on and is told.
                _ = follows => {}
                () = api.streams.stopped() => {}
                () = tokio::time::sleep(STREAM_LASTS) => {}
                () = sender.closed() => {}
            }
        });
        let told = Following {
            receiver,
            _place: place,
        };
        Ok(warp::sse::reply(told).into_response())
    }
}

/// What of an entry's payload its event says.
fn name_of(payload: &str) -> String {
    #[derive(Deserialize)]
    struct Named {
        op: String,
    }
    let named = serde_json::from_str::<Named>(payload);
    named.map(|named| named.op).unwrap_or_default()
}

/// No more is sent: the session or the ledger is at its end, or the reader takes nothing.
struct Ended;

impl From<Problem> for Ended {
    fn from(_: Problem) -> Ended {
        Ended
    }
}

async fn follow(
    api: &Api,
    authorization: Option<&str>,
    mut after: u64,
    to: &mpsc::Sender<Told>,
) -> Result<Infallible, Ended> {
    send(to, Told::default().comment("begins")).await?;
    let mut silent_until = Moment::now() + HEARTBEAT;
    loop {
        let size = api.ledger.published().size;
        loop {
            // The session and its key are looked at before every event.
            let (_, feed) = feed_of(api, authorization).await?;
            let found = api.ledger.feed(feed, after, 1).await.map_err(unlooked)?;
            let Some(n) = found.first() else { break };
            let event = api.event(authorization, after + 1, *n).await?;
            after = event.seq;
            let data = serde_json::to_string(&event).expect("an event is plain data");
            let told = Told::default().id(after.to_string()).data(data);
            send(to, told).await?;
            silent_until = Moment::now() + HEARTBEAT;
        }
        let more = api.ledger.durable(size + 1);
        if let Ok(Err(_)) = tokio::time::timeout_at(silent_until, more).await {
            return Err(Ended);
        }
        // By the clock alone: a comment that others' entries put off would tell of them.
        if Moment::now() >= silent_until {
            send(to, Told::default().comment("goes on")).await?;
            silent_until = Moment::now() + HEARTBEAT;
        }
    }
}

async fn send(to: &mpsc::Sender<Told>, told: Told) -> Result<(), Ended> {
    to.send_timeout(told, SLOW_MAX).await.map_err(|_| Ended)
}

/// The events of one stream, as its reader takes them.
struct Following {
    receiver: mpsc::Receiver<Told>,
    _place: Place,
}

impl Stream for Following {
    type Item = Result<Told, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(cx).map(|told| told.map(Ok))
    }
}
