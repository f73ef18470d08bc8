//! Answers that are no errors, and the headers that every answer carries.

use serde::Serialize;
use warp::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue, LINK};
use warp::http::{Response, StatusCode};
use warp::reply::Response as Reply;

use super::problem::Problem;

/// What a handler makes of a request.
pub(super) type Handled = Result<Reply, Problem>;

/// Media type of JSON, in requests and answers.
pub(super) const JSON_TYPE: &str = "application/json";
/// Media type of lines of JSON, in requests and answers.
pub(super) const NDJSON_TYPE: &str = "application/x-ndjson";

/// A JSON body under a status.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    let bytes = serde_json::to_vec(body).expect("a row is plain data, which JSON can hold");
    typed(status, HeaderValue::from_static(JSON_TYPE), bytes)
}

/// A plain text body.
pub(super) fn text(body: impl Into<Vec<u8>>) -> Reply {
    let media_type = HeaderValue::from_static("text/plain; charset=utf-8");
    typed(StatusCode::OK, media_type, body.into())
}

/// A CSV file, with where the next one is.
pub(super) fn file(name: &str, body: String, next: Option<&str>) -> Reply {
    let mut reply = typed(
        StatusCode::OK,
        HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
        body.into(),
    );
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let headers = [
        (CONTENT_DISPOSITION, Some(disposition.as_str())),
        (LINK, next),
    ];
    for (header, value) in headers {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            reply.headers_mut().insert(header, value);
        }
    }
    reply
}

/// A body of a media type under a status.
pub(super) fn typed(status: StatusCode, media_type: HeaderValue, body: Vec<u8>) -> Reply {
    let mut reply = Response::new(body.into());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, media_type);
    reply
}

/// Adds what every answer carries: nothing here is to be cached, framed, sniffed, run or read by another site.
pub(super) fn secured(mut reply: Reply) -> Reply {
    const HEADERS: [(&str, &str); 5] = [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in HEADERS {
        // What runs a page of ours has said what it may load.
        reply
            .headers_mut()
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    reply
}
