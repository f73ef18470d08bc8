//! Which path and method goes where. The path is looked at before the method, so that a wrong method on a right path
//! is told what is right; `HEAD` goes where `GET` does.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use warp::filters::BoxedFilter;
use warp::http::{Method, StatusCode};
use warp::reject::{InvalidHeader, InvalidQuery, Reject};
use warp::reply::Response as Reply;
use warp::{Filter, Rejection, path};

use super::cookie::{REQUEST_HEADER, SESSION_HEADER};
use super::feed::EVENTS_TYPE;
use super::list::{KindName, ListName};
use super::operations::BODY_MAX;
use super::peer::Peer;
use super::problem::Problem;
use super::reply::{Handled, json, secured};
use super::{Api, batch, body, cookie, docs, openapi};

/// Most bytes of a body that has no business being long.
const SMALL_MAX: usize = 4 * 1024;

type Route = BoxedFilter<(Reply,)>;
type Authorization = Option<String>;
type ContentType = Option<String>;
type Header = Option<String>;
type Query = Vec<(String, String)>;

/// Every route, with every error as a problem.
pub(super) fn routes(api: Arc<Api>) -> BoxedFilter<(Reply,)> {
    // They are asked one after the other: what is wanted most goes first.
    let all = writes(&api)
        .or(objects(&api))
        .unify()
        .or(entries(&api))
        .unify()
        .or(sessions(&api))
        .unify()
        .or(register(&api))
        .unify()
        .or(public(&api))
        .unify();
    all.recover(|rejection: Rejection| async move {
        Ok::<_, Infallible>(problem_of(&rejection).reply())
    })
    .unify()
    .map(secured)
    .boxed()
}

fn public(api: &Arc<Api>) -> Route {
    let health = path!("healthz")
        .and(read())
        .and(with(api))
        .then(|api: Arc<Api>| answer(async move { api.health() }));
    let ready = path!("readyz")
        .and(read())
        .and(with(api))
        .then(|api: Arc<Api>| answer(async move { api.readiness() }));
    let committed = path!("v1" / "checkpoint")
        .and(read())
        .and(with(api))
        .then(|api: Arc<Api>| answer(async move { api.committed_checkpoint() }));
    let checkpoint = path!("checkpoint")
        .and(read())
        .and(with(api))
        .then(|api: Arc<Api>| answer(async move { api.checkpoint().await }));
    let tile = path!("tile" / ..)
        .and(read())
        .and(with(api))
        .and(authorization())
        .and(path::full())
        .then(|api: Arc<Api>, by: Authorization, path: path::FullPath| {
            answer(async move { api.tile(by.as_deref(), path.as_str()).await })
        });
    let document = path!("openapi.json")
        .and(read())
        .map(|| json(StatusCode::OK, openapi::document()));
    let metrics = path!("metrics")
        .and(read())
        .and(with(api))
        .and(peer())
        .then(|api: Arc<Api>, peer: Peer| answer(async move { api.metrics(&peer) }));
    let docs = path!("docs" / ..)
        .and(read())
        .and(path::full())
        .map(|path: path::FullPath| docs::page(path.as_str()).unwrap_or_else(Problem::reply));
    health
        .or(docs)
        .unify()
        .or(ready)
        .unify()
        .or(metrics)
        .unify()
        .or(checkpoint)
        .unify()
        .or(committed)
        .unify()
        .or(tile)
        .unify()
        .or(document)
        .unify()
        .boxed()
}

fn writes(api: &Arc<Api>) -> Route {
    let submit = path!("v1" / "operations")
        .and(write())
        .and(with(api))
        .and(peer())
        .and(content_type())
        .and(small_body(BODY_MAX))
        .then(|api: Arc<Api>, peer: Peer, of: ContentType, body: Body| {
            answer(async move { peer.blamed(api.submit(of.as_deref(), body?).await) })
        });
    let check = path!("v1" / "operations:check")
        .and(write())
        .and(with(api))
        .and(authorization())
        .and(content_type())
        .and(small_body(BODY_MAX))
        .then(
            |api: Arc<Api>, by: Authorization, of: ContentType, body: Body| {
                answer(async move { api.check(by.as_deref(), of.as_deref(), &body?).await })
            },
        );
    let clock = path!("v1" / "drill" / "clock")
        .and(write())
        .and(with(api))
        .and(content_type())
        .and(small_body(SMALL_MAX))
        .then(|api: Arc<Api>, of: ContentType, body: Body| {
            answer(async move { api.move_clock(of.as_deref(), &body?) })
        });
    submit
        .or(batches(api))
        .unify()
        .or(check)
        .unify()
        .or(clock)
        .unify()
        .boxed()
}

fn batches(api: &Arc<Api>) -> Route {
    path!("v1" / "operations:batch")
        .and(write())
        .and(with(api))
        .and(peer())
        .and(content_type())
        .and(warp::body::stream())
        .then(|api: Arc<Api>, peer: Peer, of: ContentType, stream| {
            answer(async move {
                let room = api.batch_room(&peer)?;
                let body = body::read(stream, batch::MOST).await?;
                api.submit_batch(peer, of.as_deref(), body, room).await
            })
        })
        .boxed()
}

fn sessions(api: &Arc<Api>) -> Route {
    let challenges = path!("v1" / "challenges")
        .and(write())
        .and(with(api))
        .then(|api: Arc<Api>| answer(async move { api.challenge() }));
    let sessions = path!("v1" / "sessions")
        .and(method_among(&[Method::POST], "POST, DELETE"))
        .and(with(api))
        .and(peer())
        .and(content_type())
        .and(warp::header::optional(SESSION_HEADER))
        .and(small_body(SMALL_MAX))
        .then(
            |api: Arc<Api>, peer: Peer, of: ContentType, kept: Header, body: Body| {
                answer(async move {
                    let body = body?;
                    let opened = api.open_session(of.as_deref(), kept.as_deref(), &body);
                    peer.blamed(opened.await)
                })
            },
        );
    let end = path!("v1" / "sessions")
        .and(method_among(&[Method::DELETE], "POST, DELETE"))
        .and(with(api))
        .and(authorization())
        .then(|api: Arc<Api>, by: Authorization| {
            answer(async move { api.end_session(by.as_deref()) })
        });
    challenges.or(sessions).unify().or(end).unify().boxed()
}

fn entries(api: &Arc<Api>) -> Route {
    let operation = path!("v1" / "operations" / String)
        .and(read())
        .and(with(api))
        .and(authorization())
        .then(|id: String, api: Arc<Api>, by: Authorization| {
            answer(async move { api.operation(by.as_deref(), &id).await })
        });
    let entry = path!("v1" / "entries" / String)
        .and(read())
        .and(with(api))
        .and(authorization())
        .then(|n: String, api: Arc<Api>, by: Authorization| {
            answer(async move { api.entry(by.as_deref(), &n).await })
        });
    let receipt = path!("v1" / "entries" / String / "receipt")
        .and(read())
        .and(with(api))
        .and(authorization())
        .and(warp::query::<Query>())
        .then(
            |n: String, api: Arc<Api>, by: Authorization, query: Query| {
                answer(async move { api.receipt(by.as_deref(), &n, &query).await })
            },
        );
    let events = path!("v1" / "events")
        .and(read())
        .and(with(api))
        .and(authorization())
        .and(warp::header::optional("accept"))
        .and(warp::header::optional("last-event-id"))
        .and(warp::query::<Query>())
        .then(
            |api: Arc<Api>, by: Authorization, accept: Header, last: Header, query: Query| {
                answer(async move {
                    if accept.is_some_and(|accept| accept.contains(EVENTS_TYPE)) {
                        return Api::stream(api, by, last, &query).await;
                    }
                    api.events(by.as_deref(), &query).await
                })
            },
        );
    operation
        .or(entry)
        .unify()
        .or(receipt)
        .unify()
        .or(events)
        .unify()
        .boxed()
}

fn register(api: &Arc<Api>) -> Route {
    let me = path!("v1" / "me")
        .and(read())
        .and(with(api))
        .and(authorization())
        .then(|api: Arc<Api>, by: Authorization| {
            answer(async move { api.me(by.as_deref()).await })
        });
    let ledger = path!("v1" / "ledger")
        .and(read())
        .and(with(api))
        .and(authorization())
        .then(|api: Arc<Api>, by: Authorization| {
            answer(async move { api.record(by.as_deref()).await })
        });
    let rulebook = path!("v1" / "rulebooks" / String)
        .and(read())
        .and(with(api))
        .and(authorization())
        .then(|version: String, api: Arc<Api>, by: Authorization| {
            answer(async move { api.rulebook(by.as_deref(), &version).await })
        });
    me.or(ledger).unify().or(rulebook).unify().boxed()
}

fn objects(api: &Arc<Api>) -> Route {
    let list = path!("v1" / ListName)
        .and(read())
        .and(with(api))
        .and(authorization())
        .and(warp::query::<Query>())
        .then(
            |kind: ListName, api: Arc<Api>, by: Authorization, query: Query| {
                answer(async move { api.list(by.as_deref(), kind.0, &query).await })
            },
        );
    let object = path!("v1" / KindName / String)
        .and(read())
        .and(with(api))
        .and(authorization())
        .then(
            |kind: KindName, id: String, api: Arc<Api>, by: Authorization| {
                answer(async move { api.object(by.as_deref(), kind.0, &id).await })
            },
        );
    let claims = path!("v1" / "receivables" / String / "claims")
        .and(read())
        .and(with(api))
        .and(authorization())
        .and(warp::query::<Query>())
        .then(
            |id: String, api: Arc<Api>, by: Authorization, query: Query| {
                answer(async move { api.claims(by.as_deref(), &id, &query).await })
            },
        );
    let payoff = path!("v1" / "receivables" / String / "payoff")
        .and(read())
        .and(with(api))
        .and(authorization())
        .and(warp::query::<Query>())
        .then(
            |id: String, api: Arc<Api>, by: Authorization, query: Query| {
                answer(async move { api.payoff(by.as_deref(), &id, &query).await })
            },
        );
    list.or(object)
        .unify()
        .or(claims)
        .unify()
        .or(payoff)
        .unify()
        .boxed()
}

/// A body read whole, or why it was not.
type Body = Result<Vec<u8>, Problem>;

fn small_body(bytes: usize) -> impl Filter<Extract = (Body,), Error = Rejection> + Copy {
    warp::body::stream().then(move |stream| body::read(stream, body::Most::bytes(bytes)))
}

fn with(api: &Arc<Api>) -> impl Filter<Extract = (Arc<Api>,), Error = Infallible> + Clone + use<> {
    let api = Arc::clone(api);
    warp::any().map(move || Arc::clone(&api))
}

fn peer() -> impl Filter<Extract = (Peer,), Error = Rejection> + Copy {
    warp::ext::get()
}

/// The session that a request shows, in its header or its cookie.
fn authorization() -> impl Filter<Extract = (Authorization,), Error = Rejection> + Copy {
    warp::method()
        .and(warp::header::optional("authorization"))
        .and(warp::header::optional("cookie"))
        .and(warp::header::optional(REQUEST_HEADER))
        .and_then(
            |method: Method, by: Authorization, cookies: Header, own: Header| async move {
                cookie::shown(&method, by, cookies.as_deref(), own.is_some())
                    .map_err(|problem| warp::reject::custom(Refused(problem)))
            },
        )
}

fn content_type() -> impl Filter<Extract = (ContentType,), Error = Rejection> + Copy {
    warp::header::optional("content-type")
}

async fn answer(handled: impl Future<Output = Handled>) -> Reply {
    handled.await.unwrap_or_else(Problem::reply)
}

/// What a request shows is not taken.
#[derive(Debug)]
struct Refused(Problem);

impl Reject for Refused {}

/// The path was right and the method was not.
#[derive(Debug)]
struct WrongMethod(&'static str);

impl Reject for WrongMethod {}

fn read() -> impl Filter<Extract = (), Error = Rejection> + Copy {
    method_among(&[Method::GET, Method::HEAD], "GET, HEAD")
}

fn write() -> impl Filter<Extract = (), Error = Rejection> + Copy {
    method_among(&[Method::POST], "POST")
}

fn method_among(
    methods: &'static [Method],
    allow: &'static str,
) -> impl Filter<Extract = (), Error = Rejection> + Copy {
    warp::method()
        .and_then(move |method: Method| async move {
            if methods.contains(&method) {
                Ok(())
            } else {
                Err(warp::reject::custom(WrongMethod(allow)))
            }
        })
        .untuple_one()
}

fn problem_of(rejection: &Rejection) -> Problem {
    if let Some(Refused(problem)) = rejection.find() {
        return problem.clone();
    }
    if let Some(WrongMethod(allow)) = rejection.find() {
        return Problem::wrong_method(allow);
    }
    if rejection.find::<InvalidQuery>().is_some() {
        return Problem::bad_request("query.malformed", "the query cannot be read");
    }
    if let Some(header) = rejection.find::<InvalidHeader>() {
        return Problem::bad_request(
            "header.malformed",
            format!("the header {} cannot be read", header.name()),
        );
    }
    Problem::not_found()
}
