//! Sessions for browsers: the token in a cookie that no script reads and no other site's request carries.
//!
//! A browser adds its cookies by itself, so a request by cookie that changes anything must also carry a header that only
//! a script of our own origin can set.

use warp::http::{HeaderValue, Method};

use super::problem::Problem;

/// `__Host-`: set by this very host, over TLS, for all of its paths (RFC 6265bis §4.1.3).
pub(super) const NAME: &str = "__Host-counterfoil";

/// Asks `POST /v1/sessions` for a cookie instead of a token: `Counterfoil-Session: cookie`.
pub(super) const SESSION_HEADER: &str = "counterfoil-session";
/// What a request by cookie carries besides, whatever its value.
pub(super) const REQUEST_HEADER: &str = "counterfoil-request";

/// Keeps a token in the browser for as long as it is good.
pub(super) fn keep(token: &str, seconds: u64) -> Option<HeaderValue> {
    let cookie =
        format!("{NAME}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    HeaderValue::from_str(&cookie).ok()
}

/// Makes the browser forget it.
pub(super) fn forget() -> Option<HeaderValue> {
    keep("", 0)
}

/// What a request shows as its session: the `Authorization` header, else the cookie as if it stood there.
pub(super) fn shown(
    method: &Method,
    authorization: Option<String>,
    cookies: Option<&str>,
    has_request_header: bool,
) -> Result<Option<String>, Problem> {
    if authorization.is_some() {
        return Ok(authorization);
    }
    let pairs = cookies.into_iter().flat_map(|cookies| cookies.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    let Some((_, token)) = pairs.find(|(name, _)| *name == NAME) else {
        return Ok(None);
    };
    let is_safe = [Method::GET, Method::HEAD].contains(method);
    if is_safe || has_request_header {
        Ok(Some(format!("Bearer {token}")))
    } else {
        Err(Problem::forbidden(
            "session.request_header",
            "by cookie, what is no GET takes the header Counterfoil-Request: 1 too",
        ))
    }
}
