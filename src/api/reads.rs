//! Reads: lists, objects, the claims of a receivable, sessions.

use serde::Serialize;
use warp::http::StatusCode;

use super::Api;
use super::body;
use super::list::{Kind, Page};
use super::problem::Problem;
use super::reply::{Handled, JSON_TYPE, json};
use super::session::{Asked, CHALLENGE_LASTS, Challenge, SESSION_LASTS};
use super::status;
use crate::domain::objects::Receivable;
use crate::domain::rows;
use crate::domain::values::{Day, DayError, Instant, PartyId};

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ChallengeRow {
    ledger: String,
    audience: String,
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

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SessionRow {
    token: String,
    party: PartyId,
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

    /// `POST /v1/sessions`: a token for a signed request.
    pub(super) async fn open_session(&self, content_type: Option<&str>, bytes: &[u8]) -> Handled {
        body::expect_type(content_type, JSON_TYPE)?;
        let asked = Asked::read(bytes)?;
        let opened = self.ledger.read(|at| {
            self.sessions
                .open(&asked, &self.audience, at.state, at.time)
        });
        let token = opened.await.map_err(|_| status::stopped())??;
        let row = SessionRow {
            token,
            party: asked.party(),
            expires_in_s: SESSION_LASTS.as_secs(),
        };
        Ok(json(StatusCode::CREATED, &row))
    }

    /// `GET /v1/<kind>`: a page of what the party may see.
    pub(super) async fn list(
        &self,
        authorization: Option<&str>,
        kind: &'static Kind,
        query: &[(String, String)],
    ) -> Handled {
        let page = Page::of_query(query);
        let rows = self.as_party(authorization, |viewer| (kind.list)(viewer, &page?));
        Ok(json(StatusCode::OK, &rows.await??))
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

    /// `GET /v1/receivables/<id>/claims`: its fens, as the party may know them.
    pub(super) async fn claims(&self, authorization: Option<&str>, id: &str) -> Handled {
        let claims = self.as_party(authorization, |viewer| {
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
