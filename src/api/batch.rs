//! Many envelopes at once: a line each, judged in order and each by itself, answered a line each as they become
//! durable.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use warp::Reply as _;
use warp::Stream;
use warp::http::header::{CONTENT_TYPE, HeaderValue};

use super::body::{Most, expect_type};
use super::operations::{ReceiptRow, busy, told};
use super::problem::Problem;
use super::reply::{Handled, NDJSON_TYPE};
use super::{Api, status};
use crate::ledger::Pending;

/// Most bytes of a batch, and the time it may take to arrive.
pub(super) const MOST: Most = Most {
    bytes: 16 * 1024 * 1024,
    time: Duration::from_secs(120),
};
/// Most lines of a batch.
pub(super) const LINES_MAX: usize = 10_000;
/// Answers that may wait for a slow reader.
const ANSWERS_AHEAD: usize = 64;

/// One line of the answer.
#[derive(Serialize)]
#[serde(untagged)]
enum LineRow {
    Receipt {
        status: u16,
        #[serde(flatten)]
        receipt: ReceiptRow,
    },
    Problem(Problem),
}

impl Api {
    /// `POST /v1/operations:batch`.
    pub(super) async fn submit_batch(&self, content_type: Option<&str>, body: Vec<u8>) -> Handled {
        expect_type(content_type, NDJSON_TYPE)?;
        let lines = lines(&body).count();
        if lines > LINES_MAX {
            return Err(Problem::too_large(format!(
                "a batch may have at most {LINES_MAX} lines"
            )));
        }
        let ledger = self.ledger.clone();
        // Thousands of envelopes are decoded on a thread of their own; their tickets follow one another.
        let sent = tokio::task::spawn_blocking(move || ledger.submit_many(&lines_of(&body)));
        let pending = sent.await.map_err(|_| status::stopped())?;
        let (answers, stream) = mpsc::channel(ANSWERS_AHEAD);
        tokio::spawn(answer(pending, answers, self.drill));
        let mut reply = warp::reply::stream(Answers(stream)).into_response();
        reply
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON_TYPE));
        Ok(reply)
    }

    /// Whether one more batch may be read now: each takes much memory.
    pub(super) fn batch_room(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Problem> {
        self.batches.try_acquire().map_err(|_| busy())
    }
}

/// The lines of a body; a newline at its end begins no further one.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let none = body.is_empty();
    body.split(|byte| *byte == b'\n').filter(move |_| !none)
}

fn lines_of(body: &[u8]) -> Vec<&[u8]> {
    lines(body).collect()
}

/// Answers in order, each when it is durable. Where nobody reads any more, the operations go their way all the same.
async fn answer(pending: Vec<Pending>, answers: mpsc::Sender<Vec<u8>>, drill: bool) {
    for pending in pending {
        let row = match told(pending.answer().await, drill) {
            (status, Ok(receipt)) => LineRow::Receipt {
                status: status.as_u16(),
                receipt,
            },
            (_, Err(problem)) => LineRow::Problem(problem),
        };
        let mut line =
            serde_json::to_vec(&row).expect("an answer is plain data, which JSON can hold");
        line.push(b'\n');
        if answers.send(line).await.is_err() {
            return;
        }
    }
}

struct Answers(mpsc::Receiver<Vec<u8>>);

impl Stream for Answers {
    type Item = Result<Vec<u8>, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|line| line.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", 0)]
    #[case("\n", 0)]
    #[case("a", 1)]
    #[case("a\n", 1)]
    #[case("a\nb\n", 2)]
    #[case("a\n\nb", 3)]
    fn a_batch_has_so_many_lines(#[case] body: &str, #[case] count: usize) {
        assert_eq!(lines_of(body.as_bytes()).len(), count);
    }
}
