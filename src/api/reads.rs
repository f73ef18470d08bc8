//! Reads: lists, objects, the claims of a receivable, sessions.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use warp::http::StatusCode;
use warp::http::header::SET_COOKIE;
use warp::reply::Response as Reply;

use super::Api;
use super::body;
use super::cookie;
use super::csv;
use super::list::{Kind, Rows};
use super::past::Source;
use super::problem::Problem;
use super::query::{Format, LOOKED_MAX, Place, Query, Sort, as_of};
use super::reply::{Handled, JSON_TYPE, file, json};
use super::session::{Asked, CHALLENGE_LASTS, Challenge, SESSION_LASTS};
use super::status;
use crate::domain::objects::Receivable;
use crate::domain::rows;
use crate::domain::values::{Day, DayError, Instant, PartyId};

/// Objects looked at under one lock of the head: a long list keeps nobody from entering operations.
const CHUNK: usize = 256;

fn value(row: &RawValue) -> Value {
    serde_json::from_str(row.get()).expect("a row is JSON")
}

/// A file of the rows; where it does not hold all of them, the header `Link` leads to the next (RFC 8288).
fn csv_reply(kind: &Kind, pairs: &[(String, String)], rows: &Rows) -> Reply {
    let next = rows.next.as_deref().map(|next| {
        let kept = pairs.iter().filter(|(name, _)| name != "after");
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = kept.chain([("after", next)]);
        let query: Vec<String> = pairs
            .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
            .collect();
        format!("</v1/{}?{}>; rel=\"next\"", kind.plural, query.join("&"))
    });
    file(kind.plural, csv::file(kind, &rows.items), next.as_deref())
}

/// Percent-encoded (RFC 3986 §2.1).
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| match byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// What a request for a session names: all but the party.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ChallengeRow {
    /// The ledger's origin.
    ledger: String,
    /// Where this server is reached.
    audience: String,
    /// 112 hex digits, good for one session within two minutes.
    #[schema(value_type = String)]
    challenge: Challenge,
    /// By the ledger's time; what the request for a session says in `expires`.
    expires: Instant,
}

fn day_of_query(query: &[(String, String)]) -> Result<Option<Day>, Problem> {
    match query {
        [] => Ok(None),
        [(name, day)] if name == "day" => day
            .parse()
            .map(Some)
            .map_err(|error: DayError| Problem::bad_request("query.day", error.to_string())),
        _ => Err(Problem::bad_request(
            "query.unknown",
            "a payoff list takes the parameter `day`",
        )),
    }
}

fn past_of_query(query: &[(String, String)]) -> Result<Option<u64>, Problem> {
    match query {
        [] => Ok(None),
        [(name, size)] if name == "as_of" => as_of(size).map(Some),
        _ => Err(Problem::bad_request(
            "query.unknown",
            "the claims of a receivable take the parameter `as_of`",
        )),
    }
}

/// A session.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SessionRow {
    /// What requests show: `Authorization: Bearer <token>`; absent where it is in the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Whose session it is.
    party: PartyId,
    /// After how many seconds it ends; with its key in any case.
    expires_in_s: u64,
}

impl Api {
    /// `POST /v1/challenges`: what a request for a session must name.
    pub(super) fn challenge(&self) -> Handled {
        let time = self.ledger.ready().time;
        let seconds = time.millis() / 1_000 + CHALLENGE_LASTS.as_secs() as i64;
        let row = ChallengeRow {
            ledger: self.ledger.origin().to_owned(),
            audience: self.audience.clone(),
            challenge: self.sessions.challenge()?,
            expires: Instant::from_millis(seconds * 1_000),
        };
        Ok(json(StatusCode::CREATED, &row))
    }

    /// `POST /v1/sessions`: a token for a signed request; kept in a cookie where `kept` says so.
    pub(super) async fn open_session(
        &self,
        content_type: Option<&str>,
        kept: Option<&str>,
        bytes: &[u8],
    ) -> Handled {
        body::expect_type(content_type, JSON_TYPE)?;
        if kept.is_some_and(|kept| kept != "cookie") {
            return Err(Problem::bad_request(
                "session.kept",
                "Counterfoil-Session may be `cookie`; without it the token is in the answer",
            ));
        }
        let asked = Asked::read(bytes)?;
        let opened = self.ledger.read(|at| {
            self.sessions
                .open(&asked, &self.audience, at.state, at.time)
        });
        let token = opened.await.map_err(|_| status::stopped())??;
        let lasts = SESSION_LASTS.as_secs();
        let cookie = kept.and_then(|_| cookie::keep(&token, lasts));
        let row = SessionRow {
            // What a cookie hides from scripts, the answer does not tell them.
            token: cookie.is_none().then_some(token),
            party: asked.party(),
            expires_in_s: lasts,
        };
        let mut reply = json(StatusCode::CREATED, &row);
        reply
            .headers_mut()
            .extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
        Ok(reply)
    }

    /// `DELETE /v1/sessions`: ends the session that the request shows.
    pub(super) fn end_session(&self, authorization: Option<&str>) -> Handled {
        self.sessions.end(authorization)?;
        let mut reply = Reply::default();
        *reply.status_mut() = StatusCode::NO_CONTENT;
        reply
            .headers_mut()
            .extend(cookie::forget().map(|cookie| (SET_COOKIE, cookie)));
        Ok(reply)
    }

    /// `GET /v1/<kind>`, `GET /v1/due`: a page of what the party may see, or a file of it.
    pub(super) async fn list(
        &self,
        authorization: Option<&str>,
        kind: &'static Kind,
        pairs: &[(String, String)],
    ) -> Handled {
        // Who shows no session is told nothing else.
        self.as_party(authorization, |_| ()).await?;
        let query = Query::read(kind, pairs)?;
        let from = self.source(authorization, query.as_of).await?;
        let rows = match query.sort {
            None => self.in_order_of_id(&from, kind, &query).await?,
            Some(sort) => self.sorted(&from, kind, &query, sort).await?,
        };
        match query.format {
            Format::Json => Ok(json(StatusCode::OK, &rows)),
            Format::Csv => Ok(csv_reply(kind, pairs, &rows)),
        }
    }

    /// Looks at no more than it must: a page may be short of rows that pass the filters, and still name a next.
    async fn in_order_of_id(
        &self,
        from: &Source<'_>,
        kind: &Kind,
        query: &Query,
    ) -> Result<Rows, Problem> {
        let (mut found, mut looked, mut next) = (Vec::new(), 0, query.after.clone());
        loop {
            let most = if query.takes_all() {
                CHUNK.min(query.limit - found.len())
            } else {
                CHUNK
            };
            let scanned = self.look(from, |viewer| {
                (kind.scan)(viewer, query, next.as_deref(), most)
            });
            let scanned = scanned.await??;
            looked += scanned.looked;
            next = scanned.next;
            let taken = scanned.rows.into_iter();
            found.extend(taken.filter(|(_, row)| query.takes_all() || query.takes(&value(row))));
            if found.len() > query.limit {
                found.truncate(query.limit);
                next = found.last().map(|(id, _)| id.clone());
            }
            if next.is_none() || found.len() >= query.limit || looked >= LOOKED_MAX {
                let items = found.into_iter().map(|(_, row)| row).collect();
                return Ok(Rows { items, next });
            }
        }
    }

    /// All that passes the filters, to be put in order: bounded, as it cannot be done page by page.
    async fn sorted(
        &self,
        from: &Source<'_>,
        kind: &Kind,
        query: &Query,
        sort: Sort,
    ) -> Result<Rows, Problem> {
        let after = query.after.as_deref().map(Place::decode).transpose()?;
        let (mut found, mut looked, mut next) = (Vec::new(), 0, None::<String>);
        loop {
            let scanned = self.look(from, |viewer| {
                (kind.scan)(viewer, query, next.as_deref(), CHUNK)
            });
            let scanned = scanned.await??;
            looked += scanned.looked;
            for (id, row) in scanned.rows {
                let read = value(&row);
                if query.takes(&read) {
                    found.push((sort.place(&id, &read), row));
                }
            }
            next = scanned.next;
            if next.is_none() {
                break;
            }
            if looked >= LOOKED_MAX {
                return Err(Problem::bad_request(
                    "query.too_many",
                    format!("more than {LOOKED_MAX} objects cannot be put in order"),
                ));
            }
        }
        found.retain(|(place, _)| {
            after
                .as_ref()
                .is_none_or(|after| sort.order(place, after).is_gt())
        });
        found.sort_by(|(one, _), (other, _)| sort.order(one, other));
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        Ok(Rows {
            next: found
                .last()
                .filter(|_| more)
                .map(|(place, _)| place.encode()),
            items: found.into_iter().map(|(_, row)| row).collect(),
        })
    }

    /// `GET /v1/<kind>/<id>`: one object, if the party may see it.
    pub(super) async fn object(
        &self,
        authorization: Option<&str>,
        kind: &'static Kind,
        id: &str,
    ) -> Handled {
        // The one character of an id that clients may write as an escape.
        let id = id.replace("%3A", ":");
        let row = self.as_party(authorization, |viewer| (kind.one)(viewer, &id));
        let row = row.await?.ok_or_else(Problem::not_found)?;
        Ok(json(StatusCode::OK, &row))
    }

    /// `GET /v1/receivables/<id>/claims?as_of=`: its fens, as the party may know them, or as it knew them.
    pub(super) async fn claims(
        &self,
        authorization: Option<&str>,
        id: &str,
        query: &[(String, String)],
    ) -> Handled {
        // Who shows no session is told nothing else.
        self.as_party(authorization, |_| ()).await?;
        let from = self.source(authorization, past_of_query(query)?).await?;
        let claims = self.look(&from, |viewer| {
            let receivable = viewer.find::<Receivable>(id.parse().ok()?)?;
            Some(rows::claims(receivable, viewer))
        });
        let claims = claims.await?.ok_or_else(Problem::not_found)?;
        Ok(json(StatusCode::OK, &claims))
    }

    /// `GET /v1/receivables/<id>/payoff?day=`: whom to pay how much on a day, today where none is named.
    pub(super) async fn payoff(
        &self,
        authorization: Option<&str>,
        id: &str,
        query: &[(String, String)],
    ) -> Handled {
        let day = day_of_query(query);
        let payoff = self.as_party(authorization, |viewer| {
            let day = day?.unwrap_or_else(|| viewer.today());
            let receivable = id.parse().ok().and_then(|id| viewer.find::<Receivable>(id));
            let receivable = receivable.ok_or_else(Problem::not_found)?;
            rows::payoff(receivable, viewer, day)
                .map_err(|refusal| Problem::of_refusal(StatusCode::UNPROCESSABLE_ENTITY, refusal))
        });
        Ok(json(StatusCode::OK, &payoff.await??))
    }
}
