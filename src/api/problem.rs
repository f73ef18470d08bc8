//! Errors as RFC 9457 problems: a stable code for programs, a sentence for people, and where it can be said, what
//! was wrong where and what would be right.

use serde::Serialize;
use warp::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{Response, StatusCode};
use warp::reply::Response as Reply;

use super::{codes, manual};
use crate::domain::Refusal;
use crate::domain::refusal::Input;
use crate::domain::values::{Instant, OpId};

/// Media type of a problem (RFC 9457 §3).
pub const PROBLEM_TYPE: &str = "application/problem+json";

/// One error answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Details>);

/// What a problem says (RFC 9457 §3.1, and our own members).
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct Details {
    /// `about:blank`: the code says what kind of problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16)]
    pub status: StatusCode,
    /// What was wrong, in a sentence.
    pub detail: String,
    /// Stable name of the problem, for programs.
    pub code: &'static str,
    /// The rule of the ledger that refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// The values that broke the rule, those that the caller may see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// What would satisfy the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The operation that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op_id: Option<OpId>,
    /// Until when the same envelope may still be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usable_until: Option<Instant>,
    /// What is wrong at which place of the request's body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl std::ops::Deref for Problem {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

/// What is wrong at one place of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the place; empty for the whole.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl Problem {
    /// A problem with this status and code.
    ///
    /// Only of those that the API document lists: [`codes`], and the rules of contracts/OPERATIONS.md.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        debug_assert!(
            codes::is_listed(status.as_u16(), code) || manual::rules().contains(code),
            "{status} {code} is no documented problem"
        );
        Problem(Box::new(Details {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            detail: detail.into(),
            code,
            rule: None,
            inputs: Vec::new(),
            remedy: None,
            op_id: None,
            usable_until: None,
            errors: Vec::new(),
            headers: Vec::new(),
        }))
    }

    /// 400: what came cannot be read.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// The one answer for what does not exist and for what the caller may not see.
    pub fn not_found() -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is nothing here, or nothing that this party may see",
        )
    }

    /// 401: the caller has to show a session.
    pub fn unauthorized(code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, code, detail)
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: the session is good, and the request is not as it must be with it.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 405, with the methods that are right.
    pub fn wrong_method(allow: &'static str) -> Problem {
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method.not_allowed",
            format!("this resource takes {allow}"),
        )
        .header(ALLOW, HeaderValue::from_static(allow))
    }

    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body.too_large", detail)
    }

    /// 415, with the media type that is right.
    pub fn wrong_type(expected: &str) -> Problem {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content_type.unsupported",
            format!("the body must come with Content-Type: {expected}"),
        )
    }

    /// 503, to be tried again after so many seconds.
    pub fn unavailable(code: &'static str, detail: impl Into<String>, seconds: u32) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
            .header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// 429, to be tried again in a minute.
    pub fn too_many(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "quota.exceeded", detail)
            .header(RETRY_AFTER, HeaderValue::from(60))
    }

    /// 429, when an address has sent too much for a while.
    pub fn too_fast(wait: std::time::Duration) -> Problem {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let detail =
            format!("too many requests come from this address; the next is taken in {seconds} s");
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate.exceeded", detail)
            .header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// What `status` says of a refusal; a pointer among its inputs says where.
    pub fn of_refusal(status: StatusCode, refusal: Refusal) -> Problem {
        let rule = refusal.rule;
        let mut problem = Problem::new(status, rule, refusal.message).ruled(rule, refusal.remedy);
        for input in refusal.inputs {
            if input.name == "pointer" {
                let detail = problem.detail.clone();
                problem = problem.error(input.value, detail);
            } else {
                problem.0.inputs.push(input);
            }
        }
        problem
    }

    /// Names the rule that refused, and what would satisfy it.
    #[must_use]
    pub fn ruled(mut self, rule: &'static str, remedy: Option<String>) -> Problem {
        self.0.rule = Some(rule);
        self.0.remedy = remedy;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: &str) -> Problem {
        self.0.remedy = Some(remedy.to_owned());
        self
    }

    /// Names the operation that was refused, and until when it may still be accepted.
    #[must_use]
    pub fn of_operation(mut self, op_id: OpId, usable_until: Option<Instant>) -> Problem {
        self.0.op_id = Some(op_id);
        self.0.usable_until = usable_until;
        self
    }

    /// 400 or 413 for what is no envelope of a canonical operation.
    pub fn malformed(refusal: Refusal) -> Problem {
        let status = if refusal.rule.ends_with("too_long") {
            StatusCode::PAYLOAD_TOO_LARGE
        } else {
            StatusCode::BAD_REQUEST
        };
        Problem::of_refusal(status, refusal)
    }

    /// Adds what is wrong at one place.
    #[must_use]
    pub fn error(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Problem {
        self.0.errors.push(FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        });
        self
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.headers.push((name, value));
        self
    }

    /// The answer on the wire.
    pub fn reply(self) -> Reply {
        let body = serde_json::to_vec(&self).expect("a problem is plain data, which JSON can hold");
        let mut reply = Response::new(body.into());
        *reply.status_mut() = self.status;
        let headers = reply.headers_mut();
        headers.insert("content-type", HeaderValue::from_static(PROBLEM_TYPE));
        headers.extend(self.0.headers);
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::PartyId;

    #[test]
    fn a_refusal_keeps_rule_inputs_and_remedy() {
        let owner: PartyId = "x:lender".parse().expect("a party");
        let other: PartyId = "x:factor".parse().expect("a party");
        let refusal = Refusal::new("limit.exceeded", "no room")
            .input("asked", 5)
            .input_of(owner, "left", 4)
            .remedy("ask for less")
            .for_party(other);
        let problem = Problem::of_refusal(StatusCode::UNPROCESSABLE_ENTITY, refusal);
        let json = serde_json::to_string(&problem).expect("plain data");
        assert_eq!(
            json,
            concat!(
                r#"{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"no room","#,
                r#""code":"limit.exceeded","rule":"limit.exceeded","inputs":[{"name":"asked","value":"5"}],"#,
                r#""remedy":"ask for less"}"#
            )
        );
    }

    #[test]
    fn a_pointer_says_where() {
        let refusal = Refusal::new("envelope.base64", "not base64").input("pointer", "/payload");
        let problem = Problem::malformed(refusal);
        assert_eq!(problem.status.as_u16(), 400);
        assert!(problem.inputs.is_empty());
        assert_eq!(problem.errors[0].pointer, "/payload");
    }

    #[test]
    fn too_much_is_413() {
        let refusal = Refusal::new("envelope.payload_too_long", "too long");
        assert_eq!(Problem::malformed(refusal).status.as_u16(), 413);
    }
}
