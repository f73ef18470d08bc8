//! Writes: one envelope, an unsigned payload to be checked, and what became of an operation.

use serde::Serialize;
use warp::http::StatusCode;

use super::body::expect_type;
use super::metrics::Outcome;
use super::problem::Problem;
use super::reply::{Handled, JSON_TYPE, json};
use super::{Api, metrics, status};
use crate::chain::envelope::ENVELOPE_LEN_MAX;
use crate::chain::{Hash, PublicKey};
use crate::domain::Refusal;
use crate::domain::values::{Instant, OpId};
use crate::ledger::{Answer, LookupError, Receipt};
use crate::proof;

/// Most bytes of an envelope's or a payload's body.
pub(super) const BODY_MAX: usize = ENVELOPE_LEN_MAX;

/// Where an operation stands in the chain, as it is told.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReceiptRow {
    /// The operation's id.
    op_id: OpId,
    /// The number of its entry.
    n: u64,
    /// The ledger's time of the entry.
    time: Instant,
    /// The leaf hash of the entry's line, in hex.
    #[schema(value_type = String)]
    leaf: Hash,
    /// What proves it to others, offline: to be kept.
    receipt: proof::Receipt,
    /// There, and true, where the ledger is a drill and its money play.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    drill: bool,
    /// Rules that did not hold and only warn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Refusal>,
    /// Keys whose signatures came with a repeat and are not recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    signatures_not_recorded: Vec<PublicKey>,
}

/// What would become of a payload: it would be accepted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CheckedRow {
    /// The id that the operation would have.
    op_id: OpId,
    /// Rules that do not hold and only warn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Refusal>,
}

impl ReceiptRow {
    fn of(receipt: Receipt, drill: bool) -> ReceiptRow {
        ReceiptRow {
            op_id: receipt.op_id,
            n: receipt.line.n(),
            time: receipt.time,
            leaf: *receipt.line.leaf(),
            receipt: proof::Receipt::new(&receipt.line, receipt.proof),
            drill,
            warnings: Vec::new(),
            signatures_not_recorded: Vec::new(),
        }
    }
}

/// What an answer is over HTTP: the status, with a receipt or a problem.
pub(super) fn told(answer: Answer, drill: bool) -> (StatusCode, Result<ReceiptRow, Problem>) {
    metrics::operation(outcome_of(&answer));
    let problem = match answer {
        Answer::Accepted { receipt, warnings } => {
            let mut row = ReceiptRow::of(receipt, drill);
            row.warnings = warnings;
            return (StatusCode::CREATED, Ok(row));
        }
        Answer::Repeat {
            receipt,
            signatures_not_recorded,
        } => {
            let mut row = ReceiptRow::of(receipt, drill);
            row.signatures_not_recorded = signatures_not_recorded;
            return (StatusCode::OK, Ok(row));
        }
        Answer::Malformed(refusal) => Problem::malformed(refusal),
        Answer::Refused {
            op_id,
            refusal,
            usable_until,
        } => Problem::of_refusal(StatusCode::UNPROCESSABLE_ENTITY, refusal)
            .of_operation(op_id, usable_until),
        Answer::Closed(refusal) => closed(refusal),
        Answer::Busy => busy(),
        Answer::Stopped => {
            status::stopped().remedy("once it runs again, ask for the operation by its id")
        }
    };
    (problem.status, Err(problem))
}

/// How an operation was answered, for the metrics.
fn outcome_of(answer: &Answer) -> Outcome {
    match answer {
        Answer::Accepted { .. } => Outcome::Accepted,
        Answer::Repeat { .. } => Outcome::Repeat,
        Answer::Malformed(_) => Outcome::Malformed,
        Answer::Refused { .. } => Outcome::Refused,
        Answer::Closed(_) => Outcome::Closed,
        Answer::Busy => Outcome::Busy,
        Answer::Stopped => Outcome::Stopped,
    }
}

/// 503 while too much is waiting.
pub(super) fn busy() -> Problem {
    Problem::unavailable("queue.full", "too much is waiting already", 1)
}

/// 503 while nothing is entered for a reason that is not the operation's.
fn closed(refusal: Refusal) -> Problem {
    Problem::unavailable(refusal.rule, refusal.message, 30).ruled(refusal.rule, refusal.remedy)
}

/// The answer to a lookup that failed.
pub(super) fn unlooked(error: LookupError) -> Problem {
    match error {
        LookupError::Stopped(_) => status::stopped(),
        LookupError::Index(_) => Problem::unavailable(
            "index.unavailable",
            "entries cannot be looked up until the ledger is started again",
            60,
        ),
    }
}

impl Api {
    /// `POST /v1/operations`: one signed envelope; answered when it is durable.
    pub(super) async fn submit(&self, content_type: Option<&str>, envelope: Vec<u8>) -> Handled {
        expect_type(content_type, JSON_TYPE)?;
        let answer = self.ledger.submit(envelope).await;
        let (status, told) = told(answer, self.drill);
        Ok(json(status, &told?))
    }

    /// `POST /v1/operations:check`: what would become of an unsigned payload of the session's party.
    pub(super) async fn check(
        &self,
        authorization: Option<&str>,
        content_type: Option<&str>,
        payload: &[u8],
    ) -> Handled {
        let party = self.as_party(authorization, |viewer| viewer.party).await?;
        self.checks.take(party)?;
        expect_type(content_type, JSON_TYPE)?;
        let payload = std::str::from_utf8(payload)
            .map_err(|_| Problem::bad_request("payload.malformed", "the payload is not UTF-8"))?;
        refuse_envelope(payload)?;
        let checked = self.ledger.check(party, payload).await;
        match checked.map_err(|_| status::stopped())? {
            // Not the objects it would touch: some of them may be another party's.
            Ok(checked) => Ok(json(
                StatusCode::OK,
                &CheckedRow {
                    op_id: checked.op_id,
                    warnings: checked.warnings,
                },
            )),
            Err(refusal) if refusal.rule.starts_with("clock.") => Err(closed(refusal)),
            Err(refusal) if is_malformed(&refusal) => Err(Problem::malformed(refusal)),
            Err(refusal) => Err(Problem::of_refusal(
                StatusCode::UNPROCESSABLE_ENTITY,
                refusal,
            )),
        }
    }

    /// `GET /v1/operations/<op id>`: the receipt, for ever, to those who may read the entry.
    pub(super) async fn operation(&self, authorization: Option<&str>, op_id: &str) -> Handled {
        let reader = self.entry_reader(authorization).await?;
        let op_id: OpId = op_id.parse().map_err(|_| Problem::not_found())?;
        let n = self.ledger.operation(&op_id).await.map_err(unlooked)?;
        let receipt = self.receipt_of(&reader, n).await?;
        Ok(json(StatusCode::OK, &ReceiptRow::of(receipt, self.drill)))
    }
}

fn is_malformed(refusal: &Refusal) -> bool {
    let rule = refusal.rule;
    rule.starts_with("payload.") || rule.starts_with("envelope.") || rule == "operation.unknown"
}

/// "One payload type per endpoint": what is signed already is not to be checked but to be sent.
fn refuse_envelope(payload: &str) -> Result<(), Problem> {
    #[derive(serde::Deserialize)]
    struct Signed {
        #[serde(rename = "payloadType")]
        payload_type: Option<serde::de::IgnoredAny>,
        signatures: Option<serde::de::IgnoredAny>,
    }
    let signed = serde_json::from_str::<Signed>(payload);
    match signed {
        Ok(Signed {
            payload_type,
            signatures,
        }) if payload_type.is_some() || signatures.is_some() => Err(Problem::bad_request(
            "check.envelope",
            "this checks an unsigned payload; a signed envelope goes to POST /v1/operations",
        )),
        _ => Ok(()),
    }
}
