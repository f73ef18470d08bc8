//! Many envelopes at once: a line each, judged in order and each by itself, answered a line each as they become
//! durable.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use warp::Reply as _;
use warp::Stream;
use warp::http::header::{CONTENT_TYPE, HeaderValue};

use super::body::{Most, expect_type};
use super::operations::{ReceiptRow, busy, told};
use super::peer::Peer;
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
/// How long one of them may wait: whoever reads no further holds thousands of answers in memory.
const READ_IN: Duration = Duration::from_secs(10);

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
    /// `POST /v1/operations:batch`. The room is given back with the last answer.
    pub(super) async fn submit_batch(
        &self,
        peer: Peer,
        content_type: Option<&str>,
        body: Vec<u8>,
        room: OwnedSemaphorePermit,
    ) -> Handled {
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
        let drill = self.drill;
        tokio::spawn(async move {
            let blame = |problem: &Problem| peer.blame(problem);
            answer(pending, answers, drill, READ_IN, blame).await;
            drop(room);
        });
        let mut reply = warp::reply::stream(Answers(stream)).into_response();
        reply
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON_TYPE));
        Ok(reply)
    }

    /// Room for one more batch: each takes much memory.
    pub(super) fn batch_room(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.batches)
            .try_acquire_owned()
            .map_err(|_| busy())
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

/// Answers in order, each when it is durable. Where nobody reads any more, the operations go their way all the same, and what
/// became of them is told by their ids.
async fn answer(
    pending: Vec<Pending>,
    answers: mpsc::Sender<Vec<u8>>,
    drill: bool,
    read_in: Duration,
    blame: impl Fn(&Problem),
) {
    for pending in pending {
        let row = match told(pending.answer().await, drill) {
            (status, Ok(receipt)) => LineRow::Receipt {
                status: status.as_u16(),
                receipt,
            },
            (_, Err(problem)) => {
                blame(&problem);
                LineRow::Problem(problem)
            }
        };
        let mut line =
            serde_json::to_vec(&row).expect("an answer is plain data, which JSON can hold");
        line.push(b'\n');
        let read = tokio::time::timeout(read_in, answers.send(line)).await;
        if !matches!(read, Ok(Ok(()))) {
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
    use crate::api::tests::served::Served;

    #[test]
    fn who_does_not_read_the_answers_does_not_keep_them_in_memory() {
        let served = Served::empty();
        let pending = served.ledger.submit_many(&["no envelope"; 5]);
        let (answers, mut read) = mpsc::channel(2);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(answer(pending, answers, false, Duration::ZERO, |_| ()));
        let lines = std::iter::from_fn(|| read.blocking_recv());
        assert_eq!(lines.count(), 2);
    }

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
