//! Every code of a problem that is no rule of an operation, in the groups in which requests meet them. The API document
//! says for each path which it may answer; the rules of operations stand in contracts/OPERATIONS.md.

/// A code: the status that it comes with and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The HTTP status.
    pub status: u16,
    /// Its stable name.
    pub name: &'static str,
    /// When it is answered.
    pub about: &'static str,
}

/// Codes that come together.
pub type Group = &'static [Code];

const fn code(status: u16, name: &'static str, about: &'static str) -> Code {
    Code {
        status,
        name,
        about,
    }
}

/// A path that is there, asked by another method than it takes: no documented request meets it.
pub const METHOD: Group = &[code(
    405,
    "method.not_allowed",
    "the path does not take this method",
)];

/// Any request may be one too many.
pub const ANY: Group = &[code(
    429,
    "rate.exceeded",
    "too many requests come from the address",
)];

/// A session by cookie, in a request that is no GET.
pub const COOKIE: Group = &[code(
    403,
    "session.request_header",
    "by cookie, what is no GET takes the header Counterfoil-Request: 1 too",
)];

/// What can be said to everybody who is answered from the ledger.
pub const LEDGER: Group = &[code(503, "ledger.stopped", "the ledger has stopped")];

/// Who shows no session that is alive.
pub const SESSION: Group = &[
    code(400, "header.malformed", "a header cannot be read"),
    code(401, "session.missing", "the request shows no session"),
    code(
        401,
        "session.ended",
        "there is no such session, or it or its key has ended",
    ),
];

/// There is nothing there, or nothing that this party may see: the two are told alike.
pub const ABSENT: Group = &[code(
    404,
    "not_found",
    "there is nothing, or nothing that this party may see",
)];

/// Entries are found by an index.
pub const INDEX: Group = &[code(
    503,
    "index.unavailable",
    "entries cannot be looked up until the ledger is started again",
)];

/// A query that is none.
pub const QUERY: Group = &[
    code(
        400,
        "query.malformed",
        "the query is not percent-encoded UTF-8",
    ),
    code(400, "query.unknown", "a parameter that is not taken here"),
];

/// A page of a list.
pub const PAGE: Group = &[
    code(
        400,
        "query.after",
        "`after` is not what `next` of the page before said",
    ),
    code(
        400,
        "query.limit",
        "`limit` is no number, 0, or more than a page or file may have",
    ),
];

/// Filters, order and format of a list.
pub const LIST: Group = &[
    code(400, "query.twice", "a parameter is given twice"),
    code(400, "query.format", "`format` is neither json nor csv"),
    code(400, "query.sort", "the list has no such column to sort by"),
    code(
        400,
        "query.too_many",
        "more objects than can be put in order",
    ),
];

/// A day in a query.
pub const DAY: Group = &[code(
    400,
    "query.day",
    "a day that is none, or in another form than YYYY-MM-DD",
)];

/// An instant in a query.
pub const INSTANT: Group = &[code(
    400,
    "query.instant",
    "an instant that is none, or in another form than YYYY-MM-DDThh:mm:ssZ",
)];

/// Looking back.
pub const PAST: Group = &[
    code(
        400,
        "query.as_of",
        "`as_of` is no number, 0, or more than the entries of the newest checkpoint",
    ),
    code(
        404,
        "not_found",
        "the party read of others then and no longer does",
    ),
    code(
        429,
        "quota.exceeded",
        "the party has gone back in time too often this minute",
    ),
    code(
        503,
        "as_of.busy",
        "another goes back in time, or it takes long: ask again",
    ),
    code(503, "as_of.broken", "the entries cannot be read again"),
];

/// What a receipt may be asked for.
pub const LEVEL: Group = &[
    code(
        400,
        "query.level",
        "a level that is neither committed nor witnessed",
    ),
    code(400, "query.unknown", "a parameter that is not taken here"),
    code(
        404,
        "receipt.unwitnessed",
        "no quorum of witnesses has cosigned a checkpoint over the entry yet",
    ),
];

/// Where a quorum of witnesses is asked for.
pub const UNWITNESSED: Group = &[code(
    503,
    "checkpoint.unwitnessed",
    "no quorum of witnesses has cosigned it yet",
)];

/// Streams of events.
pub const STREAM: Group = &[
    code(
        429,
        "quota.exceeded",
        "the party has as many streams as it may",
    ),
    code(
        503,
        "streams.full",
        "the server has as many streams as it may",
    ),
];

/// A body that does not arrive, or is not of the type that is taken.
pub const BODY: Group = &[
    code(400, "header.malformed", "a header cannot be read"),
    code(400, "body.incomplete", "the body ended before its end"),
    code(408, "body.timeout", "the body did not arrive in time"),
    code(
        413,
        "body.too_large",
        "the body is longer than is taken here",
    ),
    code(
        415,
        "content_type.unsupported",
        "the body is of another media type than is taken here",
    ),
];

/// A small JSON body of another shape.
pub const SHAPE: Group = &[code(
    400,
    "body.malformed",
    "the body is not what the path takes",
)];

/// What is no envelope (FORMAT.md, section 6).
pub const ENVELOPE: Group = &[
    code(
        400,
        "envelope.malformed",
        "the envelope is not JSON of its shape",
    ),
    code(
        400,
        "envelope.unknown_field",
        "a field that an envelope does not have",
    ),
    code(400, "envelope.duplicate_field", "a field stands twice"),
    code(400, "envelope.missing_field", "a field is missing"),
    code(
        400,
        "envelope.payload_type",
        "the payload type is not the one of this path",
    ),
    code(
        400,
        "envelope.base64",
        "payload or signature is not base64 in its one form",
    ),
    code(400, "envelope.payload_not_utf8", "the payload is not UTF-8"),
    code(400, "envelope.unsigned", "there is no signature"),
    code(
        400,
        "envelope.too_many_signatures",
        "there are more than 16 signatures",
    ),
    code(
        400,
        "envelope.keyid",
        "a `keyid` is not a public key in hex",
    ),
    code(400, "envelope.signature", "a signature is not 64 bytes"),
    code(
        400,
        "envelope.duplicate_key",
        "two signatures are of one key",
    ),
    code(
        413,
        "envelope.too_long",
        "the envelope is longer than 65,536 bytes",
    ),
    code(
        413,
        "envelope.payload_too_long",
        "the payload is longer than 40,960 bytes, or than 62,000 once escaped",
    ),
];

/// What is no payload of an operation (FORMAT.md, section 3).
pub const PAYLOAD: Group = &[
    code(
        400,
        "payload.malformed",
        "the payload is not JSON of the shape of its operation; `errors` says where",
    ),
    code(
        400,
        "payload.not_canonical",
        "the payload is not its own canonical encoding from byte `offset` on",
    ),
    code(
        400,
        "operation.unknown",
        "there is no operation of that name",
    ),
];

/// Nothing is judged for a reason that is not the operation's.
pub const CLOSED: Group = &[code(
    503,
    "clock.unconfirmed",
    "the machine's clock disagrees with the ledger's and waits for the operator",
)];

/// There is no room for one more.
pub const QUEUE_FULL: Code = code(503, "queue.full", "too much is waiting already");

/// The ledger could not sign its next checkpoint.
const SECRET_MISSING: Code = code(
    422,
    "ledger.secret",
    "the server is not ready to sign the checkpoints by the key that is to sign them",
);

/// A batch as a whole; the problems of a line stand in its line.
pub const BATCH: Group = &[QUEUE_FULL];

/// Nothing is entered for a reason that is not the operation's.
pub const ENTERING: Group = &[
    code(
        422,
        "signature.invalid",
        "a signature on the envelope does not verify",
    ),
    SECRET_MISSING,
    QUEUE_FULL,
    code(503, "storage.full", "the disk is full"),
];

/// Checking what is unsigned.
pub const CHECK: Group = &[
    code(
        400,
        "check.envelope",
        "what is signed already goes to POST /v1/operations",
    ),
    code(
        422,
        "check.party",
        "the payload is another party's than the session's",
    ),
    SECRET_MISSING,
    code(
        429,
        "quota.exceeded",
        "the party has checked too often this minute",
    ),
];

/// Asking for a session.
pub const OPENING: Group = &[
    code(
        400,
        "session.kept",
        "`Counterfoil-Session` is another word than `cookie`",
    ),
    code(400, "payload.malformed", "the payload asks for no session"),
    code(
        400,
        "payload.not_canonical",
        "the payload is not the canonical encoding of what it says",
    ),
    code(400, "session.one_signature", "not one key alone signed"),
    code(401, "signature.invalid", "the signature does not verify"),
    code(
        401,
        "session.elsewhere",
        "the request was signed for another ledger or server",
    ),
    code(
        401,
        "session.request_expired",
        "the request's time has passed",
    ),
    code(
        401,
        "key.unknown",
        "the signature is not by a live key of the party",
    ),
    code(
        401,
        "session.challenge",
        "the challenge is none of this server's, was answered before or has ended",
    ),
    code(
        429,
        "quota.exceeded",
        "the party has opened too many sessions this minute",
    ),
    code(503, "session.full", "there are too many sessions"),
    code(503, "random.none", "the system gives no random numbers"),
];

/// Challenges are made of random numbers.
pub const CHALLENGE: Group = &[code(
    503,
    "random.none",
    "the system gives no random numbers",
)];

/// A drill's time.
pub const CLOCK: Group = &[
    code(404, "not_found", "the ledger is no drill"),
    code(
        409,
        "clock.not_manual",
        "the ledger's time is not moved by hand",
    ),
    code(
        422,
        "clock.backwards",
        "the ledger's time only moves forward",
    ),
];

/// All of them.
pub const ALL: &[Group] = &[
    ANY,
    COOKIE,
    INSTANT,
    METHOD,
    LEDGER,
    SESSION,
    ABSENT,
    INDEX,
    QUERY,
    PAGE,
    LIST,
    DAY,
    PAST,
    LEVEL,
    UNWITNESSED,
    STREAM,
    BODY,
    SHAPE,
    ENVELOPE,
    PAYLOAD,
    CLOSED,
    ENTERING,
    CHECK,
    OPENING,
    CHALLENGE,
    CLOCK,
];

/// Whether a problem of this status and code is one of these.
pub fn is_listed(status: u16, name: &str) -> bool {
    let mut codes = ALL.iter().copied().flatten();
    codes.any(|code| (code.status, code.name) == (status, name))
}
