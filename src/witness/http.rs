//! What a witness answers over HTTP: add-checkpoint, the checkpoints that it cosigned last, how it is.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::judge::{Refusal, Suspicion};
use super::{AddError, Seen, Witness};
use crate::chain::Hash;
use crate::chain::add_checkpoint::ADD_CHECKPOINT_LEN_MAX;

pub(super) type Reply = Response<Full<Bytes>>;

const TEXT: &str = "text/plain; charset=utf-8";
/// "The response MUST have a `Content-Type` of `text/x.tlog.size`."
const SIZE: &str = "text/x.tlog.size";

/// Answers one request; its body must be there in `body_read`.
pub(super) async fn answer<B>(
    witness: Arc<Witness>,
    request: Request<B>,
    body_read: Duration,
) -> Result<Reply, Infallible>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let path = request.uri().path();
    if path == "/add-checkpoint" {
        if request.method() != Method::POST {
            return Ok(logged("/add-checkpoint", wrong_method("POST")));
        }
        return Ok(add_checkpoint(witness, request.into_body(), body_read).await);
    }
    let (route, find): (_, Box<dyn FnOnce() -> Option<String> + Send>) = match path {
        "/healthz" => ("/healthz", Box::new(|| Some("ok\n".to_owned()))),
        "/metrics" => ("/metrics", Box::new(move || Some(witness.metrics()))),
        // "GET <monitoring prefix>/<origin hash>/checkpoint"
        _ => match path
            .strip_prefix('/')
            .and_then(|path| path.strip_suffix("/checkpoint"))
        {
            Some(origin) => {
                let origin = origin.parse::<Hash>().ok();
                // "If the witness has never cosigned a checkpoint for that log, it MUST respond with a "404 Not Found""
                let find = move || Some(witness.newest(&origin?)?.note.encode());
                ("/{origin hash}/checkpoint", Box::new(find))
            }
            None => ("other", Box::new(|| None)),
        },
    };
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Ok(logged(route, wrong_method("GET, HEAD")));
    }
    // What was cosigned last waits for the disk while the next is written.
    let found = spawn_blocking(find).await;
    Ok(logged(
        route,
        match found {
            Ok(Some(text)) => reply(StatusCode::OK, TEXT, text),
            Ok(None) => plain(StatusCode::NOT_FOUND, "not found"),
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "it failed"),
        },
    ))
}

async fn add_checkpoint<B>(witness: Arc<Witness>, body: B, body_read: Duration) -> Reply
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let body = match read(body, body_read).await {
        Ok(body) => body,
        Err(mut reply) => {
            // What is left of the body is not read, so nothing can follow it.
            let close = HeaderValue::from_static("close");
            reply.headers_mut().insert(CONNECTION, close);
            return logged("/add-checkpoint", reply);
        }
    };
    // Who went away meanwhile is not answered; what was begun is finished.
    let added = spawn_blocking(move || {
        let (seen, answer) = witness.add_checkpoint(&body, unix_now());
        let reply = match &answer {
            // "The response body MUST be a sequence of one or more note signature lines"
            Ok(line) => reply(StatusCode::OK, TEXT, format!("{line}\n")),
            Err(error) => refused(error),
        };
        tell(&seen, &answer.err(), reply.status());
        reply
    });
    added.await.unwrap_or_else(|_| {
        let reply = plain(StatusCode::INTERNAL_SERVER_ERROR, "it failed");
        logged("/add-checkpoint", reply)
    })
}

async fn read<B>(body: B, within: Duration) -> Result<Bytes, Reply>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let too_large = || {
        let most = format!("a request has at most {ADD_CHECKPOINT_LEN_MAX} bytes");
        Err(plain(StatusCode::PAYLOAD_TOO_LARGE, &most))
    };
    // One that is announced to be too large is not waited for.
    if usize::try_from(body.size_hint().lower()).map_or(true, |len| len > ADD_CHECKPOINT_LEN_MAX) {
        return too_large();
    }
    let body = Limited::new(body, ADD_CHECKPOINT_LEN_MAX).collect();
    match timeout(within, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => too_large(),
        Ok(Err(_)) => Err(plain(StatusCode::BAD_REQUEST, "the body broke off")),
        Err(_) => Err(plain(StatusCode::REQUEST_TIMEOUT, "the body did not come")),
    }
}

fn refused(error: &AddError) -> Reply {
    let status = StatusCode::from_u16(error.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match error {
        // "The response body MUST consist of the tree size of the latest cosigned checkpoint in decimal, followed by a newline"
        AddError::Refused(Refusal::Conflict(size)) => reply(status, SIZE, format!("{size}\n")),
        AddError::Refused(refusal) => plain(status, &refusal.to_string()),
        // What failed here is told to whoever reads the log.
        AddError::NotKept(_) => plain(status, "it could not be kept"),
    }
}

fn wrong_method(allowed: &'static str) -> Reply {
    let mut reply = plain(StatusCode::METHOD_NOT_ALLOWED, "the method is not allowed");
    let allowed = HeaderValue::from_static(allowed);
    reply.headers_mut().insert(ALLOW, allowed);
    reply
}

fn plain(status: StatusCode, text: &str) -> Reply {
    reply(status, TEXT, format!("{text}\n"))
}

fn reply(status: StatusCode, kind: &'static str, text: String) -> Reply {
    let mut reply = Response::new(Full::from(text));
    *reply.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}

/// The log's line of a request that asks for no cosignature, or that could not be read.
fn logged(route: &'static str, reply: Reply) -> Reply {
    let status = reply.status().as_u16();
    tracing::info!(target: "counterfoil::access", route, status, "request");
    reply
}

/// The log's line of a request for a cosignature. What is not known here is not told: anybody can make it up.
fn tell(seen: &Seen<'_>, error: &Option<AddError>, status: StatusCode) {
    let Seen {
        origin, old, size, ..
    } = *seen;
    let (route, status) = ("/add-checkpoint", status.as_u16());
    match (error, seen.suspicion) {
        (Some(AddError::NotKept(error)), _) => tracing::error!(
            target: "counterfoil::access", route, origin, old, size, status, %error,
            "it could not be kept"
        ),
        (_, Some(Suspicion::Fork)) => tracing::error!(
            target: "counterfoil::access", route, origin, old, size, status,
            "the log signed two histories"
        ),
        (_, Some(Suspicion::Unproven)) => tracing::warn!(
            target: "counterfoil::access", route, origin, old, size, status,
            "signed, and not proven to be consistent"
        ),
        (_, None) => tracing::info!(
            target: "counterfoil::access", route, origin, old, size, status, "request"
        ),
    }
}

fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
