//! Which path takes what, and what is told where it does not fit.

use rstest::rstest;

use super::served::Served;
use crate::domain::testing::SUPPLIER;

const ABSENT: &str = "5d52261ac3928fc2371ff05e51e6d517c6ad9526bd1d0527cf3b2412c6918bd0";

#[rstest]
#[case("GET /nowhere", 404, "not_found")]
#[case("GET /", 404, "not_found")]
#[case("GET /v1", 404, "not_found")]
#[case("GET /v1/nothings", 404, "not_found")]
#[case("GET /v1/receivables/x/y/z", 404, "not_found")]
#[case("POST /nowhere", 404, "not_found")]
#[case("POST /checkpoint", 405, "method.not_allowed")]
#[case("DELETE /v1/contracts", 405, "method.not_allowed")]
#[case("OPTIONS /v1/contracts", 405, "method.not_allowed")]
#[case("PUT /v1/contracts/x", 405, "method.not_allowed")]
#[case("POST /v1/receivables/x/claims", 405, "method.not_allowed")]
#[case("POST /v1/entries/0", 405, "method.not_allowed")]
#[case("GET /v1/operations", 405, "method.not_allowed")]
#[case("HEAD /v1/sessions", 405, "method.not_allowed")]
#[case("GET /v1/operations:batch", 405, "method.not_allowed")]
#[case("GET /v1/operations:check", 405, "method.not_allowed")]
#[case("GET /v1/challenges", 405, "method.not_allowed")]
#[case("GET /v1/drill/clock", 405, "method.not_allowed")]
fn a_path_or_method_that_does_not_fit_is_told_so(
    #[case] request: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let served = Served::empty();
    let answer = served.request(&format!("{request} HTTP/1.1"), b"");
    assert_eq!(answer.status, status, "{answer:?}");
    if !request.starts_with("HEAD") {
        assert_eq!(answer.code(), code);
    }
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    let served = Served::empty();
    let write = served.request("GET /v1/operations HTTP/1.1", b"");
    assert!(write.has("allow: post"), "{write:?}");
    let read = served.request("POST /v1/contracts HTTP/1.1", b"");
    assert!(read.has("allow: get, head"), "{read:?}");
}

#[rstest]
fn a_read_takes_a_session(
    #[values(
        "/v1/parties",
        "/v1/contracts?limit=3",
        "/v1/contracts/ctr_2xa8k1ngwjhz13e7zgbs8ydn8q",
        "/v1/receivables/rcv_2xa8k1ngwjhz13e7zgbs8ydn8q/claims",
        "/v1/receivables/rcv_2xa8k1ngwjhz13e7zgbs8ydn8q/payoff",
        "/v1/entries/0",
        "/v1/operations/5d52261ac3928fc2371ff05e51e6d517c6ad9526bd1d0527cf3b2412c6918bd0"
    )]
    path: &str,
) {
    let served = Served::empty();
    let answer = served.request(&format!("GET {path} HTTP/1.1"), b"");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "session.missing")
    );
    assert!(answer.has("www-authenticate: bearer"));
}

#[test]
fn what_is_public_takes_no_session() {
    let served = Served::empty();
    for path in ["/checkpoint", "/v1/checkpoint", "/healthz", "/readyz"] {
        let answer = served.request(&format!("GET {path} HTTP/1.1"), b"");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    let ready = served.request("GET /readyz HTTP/1.1", b"").json();
    assert_eq!(ready["origin"], served.origin.as_str());
    assert_eq!((&ready["drill"], &ready["size"]), (&true.into(), &1.into()));
}

#[test]
fn head_answers_as_get_without_a_body() {
    let served = Served::empty();
    let get = served.request("GET /checkpoint HTTP/1.1", b"");
    let head = served.request("HEAD /checkpoint HTTP/1.1", b"");
    assert_eq!((get.status, head.status), (200, 200));
    assert!(!get.body.is_empty() && head.body.is_empty());
}

#[rstest]
#[case("GET /healthz")]
#[case("GET /nowhere")]
#[case("POST /healthz")]
#[case("GET /v1/contracts")]
fn every_answer_carries_the_security_headers(#[case] request: &str) {
    let served = Served::empty();
    let answer = served.request(
        &format!("{request} HTTP/1.1\r\norigin: http://evil.example"),
        b"",
    );
    for header in [
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; frame-ancestors 'none'",
        "referrer-policy: no-referrer",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(answer.has(header), "{header}: {answer:?}");
    }
    assert!(!answer.head.contains("access-control"), "no CORS");
}

#[rstest]
#[case::not_a_number("limit=ten", "query.limit")]
#[case::none("limit=0", "query.limit")]
#[case::too_many("limit=201", "query.limit")]
#[case::negative("limit=-1", "query.limit")]
#[case::of_another_kind("after=rcv_2xa8k1ngwjhz13e7zgbs8ydn8q", "query.after")]
#[case::unknown("page=2", "query.unknown")]
fn a_list_takes_after_and_limit_alone(#[case] query: &str, #[case] code: &str) {
    let served = Served::new();
    let token = served.token_of(SUPPLIER);
    let head = format!("GET /v1/contracts?{query} HTTP/1.1\r\nauthorization: Bearer {token}");
    let answer = served.request(&head, b"");
    assert_eq!((answer.status, answer.code().as_str()), (400, code));
}

#[rstest]
#[case::unseen_op(&format!("/v1/operations/{ABSENT}"), 404, "not_found")]
#[case::no_op_id("/v1/operations/xyz", 404, "not_found")]
#[case::no_entry("/v1/entries/999", 404, "not_found")]
#[case::no_number("/v1/entries/-1", 404, "not_found")]
#[case::no_id("/v1/contracts/hello", 404, "not_found")]
#[case::not_utf8("/v1/contracts/%ff%fe", 404, "not_found")]
#[case::no_day(
    "/v1/receivables/rcv_2xa8k1ngwjhz13e7zgbs8ydn8q/payoff?day=tomorrow",
    400,
    "query.day"
)]
#[case::no_parameter(
    "/v1/receivables/rcv_2xa8k1ngwjhz13e7zgbs8ydn8q/payoff?date=2026-01-01",
    400,
    "query.unknown"
)]
fn a_reader_is_told_what_does_not_fit(#[case] path: &str, #[case] status: u16, #[case] code: &str) {
    let served = Served::new();
    let token = served.token_of(SUPPLIER);
    let head = format!("GET {path} HTTP/1.1\r\nauthorization: Bearer {token}");
    let answer = served.request(&head, b"");
    assert_eq!((answer.status, answer.code().as_str()), (status, code));
}

#[test]
fn the_documentation_loads_nothing_from_elsewhere() {
    let served = Served::empty();
    let begin = served.request("GET /docs HTTP/1.1", b"");
    assert!(begin.has("location: /docs/"), "{begin:?}");
    for file in [
        "",
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-initializer.js",
    ] {
        let answer = served.request(&format!("GET /docs/{file} HTTP/1.1"), b"");
        assert_eq!(answer.status, 200, "{file}");
        assert!(answer.head.contains("script-src 'self'"), "{answer:?}");
    }
    let none = served.request("GET /docs/no-such-file HTTP/1.1", b"");
    assert_eq!(none.code(), "not_found");
}
