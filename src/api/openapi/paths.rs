//! The paths that are not of a kind, listed once.

use serde_json::{Value, json};

use super::super::codes::{self, Group};
use super::super::reply::{JSON_TYPE, NDJSON_TYPE};
use super::super::{feed, operations, reads, register, status};
use super::{Path, READ, envelope, of, said};
use crate::domain::rows;
use crate::domain::rulebook::Rulebook;
use crate::proof::Receipt;

/// The problems of submitting operations, beside the rules that refuse them.
const SUBMIT: &[Group] = &[
    codes::BODY,
    codes::ENVELOPE,
    codes::PAYLOAD,
    codes::CLOSED,
    codes::ENTERING,
    codes::INDEX,
    codes::LEDGER,
];

pub(super) fn public() -> [Path; 6] {
    let get = |path, summary, gives| Path {
        path,
        method: "get",
        summary,
        session: false,
        takes: None,
        gives,
        problems: &[],
    };
    let note = || said("A signed note (FORMAT.md, section 9).");
    let plain = |said| (&[200][..], "text/plain", said);
    [
        Path {
            problems: &[codes::LEDGER],
            ..get(
                "/healthz",
                "Whether the process serves",
                plain(said("The word ok.")),
            )
        },
        get(
            "/readyz",
            "Whether operations are taken, and what a client needs to build one",
            (&[200, 503], JSON_TYPE, of::<status::Readiness>()),
        ),
        Path {
            problems: &[codes::ABSENT],
            ..get(
                "/metrics",
                "What an operator watches, in Prometheus' text format; for the operator's addresses alone",
                plain(said("Prometheus' text format.")),
            )
        },
        Path {
            problems: &[codes::UNWITNESSED],
            ..get(
                "/checkpoint",
                "The newest signed checkpoint; where witnesses are asked, the newest that a quorum of them cosigned. Tiles of the tree lie beside it, under /tile (C2SP tlog-tiles)",
                plain(note()),
            )
        },
        get(
            "/v1/checkpoint",
            "The newest signed checkpoint",
            plain(note()),
        ),
        get(
            "/openapi.json",
            "This document",
            (
                &[200],
                JSON_TYPE,
                json!({ "type": "object", "description": "An OpenAPI 3.1 document." }),
            ),
        ),
    ]
}

pub(super) fn writes() -> [Path; 7] {
    let post = |path, summary, takes, gives, problems| Path {
        path,
        method: "post",
        summary,
        session: false,
        takes,
        gives,
        problems,
    };
    let lines = "Lines of JSON, one for each envelope in its order: a `status` with the fields of ReceiptRow, or a Problem.";
    [
        post(
            "/v1/operations",
            "Submit one signed operation: 201 when it is durable, 200 where it already was",
            Some((JSON_TYPE, envelope())),
            (&[200, 201], JSON_TYPE, of::<operations::ReceiptRow>()),
            SUBMIT,
        ),
        post(
            "/v1/operations:batch",
            "Submit many, a line each; the answers come in order, a line each",
            Some((NDJSON_TYPE, envelope())),
            (&[200], NDJSON_TYPE, said(lines)),
            &[codes::BODY, codes::BATCH, codes::LEDGER],
        ),
        Path {
            session: true,
            ..post(
                "/v1/operations:check",
                "What would become of an unsigned payload",
                Some((JSON_TYPE, json!({ "$ref": "#/components/schemas/Payload" }))),
                (&[200], JSON_TYPE, of::<operations::CheckedRow>()),
                &[
                    codes::SESSION,
                    codes::BODY,
                    codes::PAYLOAD,
                    codes::CHECK,
                    codes::CLOSED,
                    codes::LEDGER,
                ],
            )
        },
        post(
            "/v1/challenges",
            "Ask for a challenge, which a request for a session names",
            None,
            (&[201], JSON_TYPE, of::<reads::ChallengeRow>()),
            &[codes::CHALLENGE],
        ),
        post(
            "/v1/sessions",
            "Open a session with a signed request, which is an envelope of its own type",
            Some((JSON_TYPE, envelope())),
            (&[201], JSON_TYPE, of::<reads::SessionRow>()),
            &[codes::BODY, codes::ENVELOPE, codes::OPENING, codes::LEDGER],
        ),
        Path {
            method: "delete",
            session: true,
            ..post(
                "/v1/sessions",
                "End the session that the request shows",
                None,
                (&[204], JSON_TYPE, Value::Null),
                &[codes::SESSION],
            )
        },
        post(
            "/v1/drill/clock",
            "Move a drill's time forward",
            Some((JSON_TYPE, of::<status::Clock>())),
            (&[200], JSON_TYPE, of::<status::Clock>()),
            &[codes::BODY, codes::SHAPE, codes::CLOCK],
        ),
    ]
}

pub(super) fn entries() -> [Path; 9] {
    let get = |path, summary, gives| Path {
        path,
        method: "get",
        summary,
        session: true,
        takes: None,
        gives: (&[200], JSON_TYPE, gives),
        problems: READ,
    };
    [
        get(
            "/v1/me",
            "The party, key and end of the session",
            of::<register::MeRow>(),
        ),
        get(
            "/v1/ledger",
            "The ledger's own record, and its time",
            of::<rows::LedgerRow>(),
        ),
        get(
            "/v1/rulebooks/{version}",
            "A rulebook whole: currencies with their decimals, business days, rates, rules",
            of::<Rulebook>(),
        ),
        get(
            "/v1/operations/{id}",
            "The receipt of an operation that this party may read",
            of::<operations::ReceiptRow>(),
        ),
        get(
            "/v1/entries/{n}",
            "An entry's line, byte for byte, to those whom it was told",
            json!({
                "type": "object",
                "description": "The line of an entry (FORMAT.md, section 7).",
            }),
        ),
        Path {
            problems: &[
                codes::SESSION,
                codes::LEVEL,
                codes::ABSENT,
                codes::INDEX,
                codes::LEDGER,
            ],
            ..get(
                "/v1/entries/{n}/receipt",
                "What proves offline that an entry is in the ledger, to those who may read it",
                of::<Receipt>(),
            )
        },
        Path {
            problems: &[
                codes::SESSION,
                codes::QUERY,
                codes::PAGE,
                codes::STREAM,
                codes::INDEX,
                codes::LEDGER,
            ],
            ..get(
                "/v1/events",
                "The party's feed: entries that it was told, under numbers of its own; a stream as text/event-stream",
                of::<feed::Events>(),
            )
        },
        Path {
            problems: &[
                codes::SESSION,
                codes::QUERY,
                codes::ABSENT,
                codes::PAST,
                codes::LEDGER,
            ],
            ..get(
                "/v1/receivables/{id}/claims",
                "The fens of a receivable, as the party may know them, or as it knew them",
                of::<rows::ClaimsRow>(),
            )
        },
        Path {
            problems: &[
                codes::SESSION,
                codes::QUERY,
                codes::DAY,
                codes::ABSENT,
                codes::LEDGER,
            ],
            ..get(
                "/v1/receivables/{id}/payoff",
                "Whom to pay how much on a day",
                of::<rows::PayoffRow>(),
            )
        },
    ]
}
