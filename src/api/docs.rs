//! `/docs`: the API document to read and to try, with nothing loaded from elsewhere.

use std::sync::Arc;

use utoipa_swagger_ui::{Config, serve};
use warp::http::header::{CONTENT_SECURITY_POLICY, HeaderValue, LOCATION};
use warp::http::{Response, StatusCode};
use warp::reply::Response as Reply;

use super::problem::Problem;
use super::reply::{Handled, typed};

/// The pages bring their own styles into the document; scripts and data come from here alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; frame-ancestors 'none'";

/// `GET /docs` leads to `/docs/`, so that what the page names beside itself is found; behind it are the files.
pub(super) fn page(path: &str) -> Handled {
    path.strip_prefix("/docs/")
        .map_or_else(|| Ok(begin()), file)
}

fn begin() -> Reply {
    let mut reply = Response::new(Vec::new().into());
    *reply.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let place = HeaderValue::from_static("/docs/");
    reply.headers_mut().insert(LOCATION, place);
    reply
}

fn file(name: &str) -> Handled {
    // Credentials that a page holds would be anybody's who can run a script in it, so none are kept.
    let config = Config::from("/openapi.json").persist_authorization(false);
    let found = serve(name, Arc::new(config)).ok().flatten();
    let found = found.ok_or_else(Problem::not_found)?;
    let media_type =
        HeaderValue::from_str(&found.content_type).map_err(|_| Problem::not_found())?;
    let mut reply = typed(StatusCode::OK, media_type, found.bytes.into_owned());
    let policy = HeaderValue::from_static(POLICY);
    reply.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(reply)
}
