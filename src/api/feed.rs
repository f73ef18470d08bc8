//! A party's feed: the entries of which it is told, numbered 1, 2, 3, … for it alone, so that the numbers tell
//! nothing of how much others do; and between them notices of what became of its objects with no entry, which have no
//! number and are recomputed whenever somebody reads. As pages, and as a stream that goes on.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use warp::Reply as _;
use warp::http::StatusCode;

use super::following::{Following, WAITING_MAX, follow};
use super::list::sees;
use super::operations::unlooked;
use super::problem::Problem;
use super::query::{LIMIT_DEFAULT, LIMIT_MAX, limit};
use super::reply::{Handled, json};
use super::{Api, status, streams};
use crate::domain::notices::{Behind, NoticeRow};
use crate::domain::values::{Instant, OpId, PartyId};
use crate::ledger::Feed;

/// Media type of a stream of events (HTML, "Server-sent events").
pub(super) const EVENTS_TYPE: &str = "text/event-stream";

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

/// What became of an object of the reader's with no entry that says so.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Noticed {
    /// Behind which event it stands, and when: the `after` to go on from here.
    place: String,
    #[serde(flatten)]
    row: NoticeRow,
}

/// What a feed shows: an entry, or a notice.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(super) enum FeedItem {
    Event(Event),
    Notice(Noticed),
}

/// A page of a party's feed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Events {
    /// The events and notices, in order.
    items: Vec<FeedItem>,
    /// `after` of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Where a reader of a feed stands: behind an event, and behind a notice that came after it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    seq: u64,
    notice: Option<(Instant, String)>,
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.notice {
            None => write!(to, "{}", self.seq),
            Some((at, object)) => write!(to, "{}.{}.{object}", self.seq, at.millis()),
        }
    }
}

impl FromStr for Place {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Place, Problem> {
        let mut parts = text.splitn(3, '.');
        let seq = parts.next().and_then(|seq| seq.parse().ok());
        let notice = match (parts.next(), parts.next()) {
            (None, _) => Some(None),
            (Some(at), Some(object)) => {
                let at = at.parse().ok().map(Instant::from_millis);
                at.map(|at| Some((at, object.to_owned())))
            }
            (Some(_), None) => None,
        };
        let (Some(seq), Some(notice)) = (seq, notice) else {
            let detail = "`after` and `Last-Event-ID` are the `seq` of an event, the `place` of a notice, or 0";
            return Err(Problem::bad_request("query.after", detail));
        };
        Ok(Place { seq, notice })
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Page {
    after: Place,
    limit: usize,
}

impl Page {
    fn read(pairs: &[(String, String)]) -> Result<Page, Problem> {
        let mut page = Page {
            after: Place::default(),
            limit: LIMIT_DEFAULT,
        };
        for (name, value) in pairs {
            match name.as_str() {
                "after" => page.after = value.parse()?,
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

/// What a feed shows behind a place, each with the place behind it.
pub(super) struct Read {
    pub(super) items: Vec<(Place, FeedItem)>,
    /// Whether more follows already.
    more: bool,
    /// When the next notice comes, as far as is known.
    pub(super) next_notice: Option<Instant>,
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
        // Who shows no session is told nothing else.
        self.as_party(authorization, |_| ()).await?;
        let Page { after, limit } = Page::read(pairs)?;
        let read = self.read_feed(authorization, &after, limit).await?;
        let last = read.items.last().map(|(place, _)| place.to_string());
        let page = Events {
            next: last.filter(|_| read.more),
            items: read.items.into_iter().map(|(_, item)| item).collect(),
        };
        Ok(json(StatusCode::OK, &page))
    }

    /// At most `limit` items behind a place. A notice stands before the first event whose time is not before its
    /// own: what has ended by then had ended when that entry was judged.
    pub(super) async fn read_feed(
        &self,
        authorization: Option<&str>,
        after: &Place,
        limit: usize,
    ) -> Result<Read, Problem> {
        let reader = self.as_party(authorization, |viewer| {
            let feed = match viewer.audits() {
                true => Feed::Authority,
                false => Feed::Party(viewer.party),
            };
            (feed, viewer.time)
        });
        let (feed, now) = reader.await?;
        // The event that the reader stands behind says since when there may be notices.
        let before = usize::from(after.seq > 0);
        let found = self
            .ledger
            .feed(feed, after.seq - before as u64, before + limit + 1);
        let mut shown = VecDeque::from(found.await.map_err(unlooked)?);
        let mut since = Instant::MIN;
        if before > 0 {
            // A place that the feed has not reached has nothing behind it.
            since = match shown.pop_front() {
                Some(last) => self.time_of(last.with)?,
                None => Instant::MAX,
            };
        }
        let mut read = Read {
            items: Vec::new(),
            more: shown.len() > limit,
            next_notice: None,
        };
        shown.truncate(limit);
        let mut events = Vec::new();
        for (seq, shown) in (after.seq.saturating_add(1)..).zip(&shown) {
            let event = self.event(authorization, seq, shown.n).await?;
            let time = match shown.with == shown.n {
                true => event.time,
                false => self.time_of(shown.with)?,
            };
            events.push((time, event));
        }
        let last = events.last().map(|(time, _)| *time);
        let until = match last {
            Some(last) if read.more => last,
            Some(last) => last.max(now),
            None => now,
        };
        let behind = behind(after, since);
        let notices = self.as_party(authorization, |viewer| {
            let notices = viewer.notices(&behind, until, limit + 1);
            (notices, viewer.next_notice(until))
        });
        let (notices, next_notice) = notices.await?;
        read.next_notice = next_notice;
        read.fill(after, events, notices, limit);
        Ok(read)
    }

    fn time_of(&self, n: u64) -> Result<Instant, Problem> {
        let found = self.ledger.entry(n).map_err(|_| status::stopped())?;
        let (entry, _) = found.ok_or_else(Problem::not_found)?;
        Ok(Instant::from_millis(entry.time_ms()))
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
        let party: PartyId = api
            .as_party(authorization.as_deref(), |viewer| viewer.party)
            .await?;
        let page = Page::read(pairs)?;
        let after = last.as_deref().map_or(Ok(page.after), str::parse)?;
        let place = streams::Streams::place(&api.streams, party)?;
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move { follow(&api, authorization.as_deref(), after, &sender).await });
        let told = Following::of(receiver, place);
        Ok(warp::sse::reply(told).into_response())
    }
}

/// The notices that a reader has read: those before the event that it stands behind, and before the notice.
fn behind(after: &Place, since: Instant) -> Behind {
    let event = Behind {
        at: since,
        object: None,
    };
    match &after.notice {
        Some((at, object)) if *at > since => Behind {
            at: *at,
            object: Some(object.clone()),
        },
        _ => event,
    }
}

impl Read {
    fn fill(
        &mut self,
        after: &Place,
        events: Vec<(Instant, Event)>,
        notices: Vec<NoticeRow>,
        limit: usize,
    ) {
        let mut place = after.clone();
        let mut notices = VecDeque::from(notices);
        let mut events = VecDeque::from(events);
        loop {
            let event_first = match (events.front(), notices.front()) {
                (Some((time, _)), Some(notice)) => *time < notice.time,
                (Some(_), None) => true,
                (None, _) => false,
            };
            let item = if event_first {
                events.pop_front().map(|(time, event)| {
                    place.seq = event.seq;
                    place.notice = place.notice.take().filter(|(at, _)| *at > time);
                    FeedItem::Event(event)
                })
            } else {
                notices.pop_front().map(|row| {
                    place.notice = Some((row.time, row.object.clone()));
                    let place = place.to_string();
                    FeedItem::Notice(Noticed { place, row })
                })
            };
            match item {
                None => return,
                Some(_) if self.items.len() == limit => {
                    self.more = true;
                    return;
                }
                Some(item) => self.items.push((place.clone(), item)),
            }
        }
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
