//! A batch on its way: as few requests as the limits allow, each answer kept as it comes.

use std::time::Duration;

use super::results::Results;
use crate::chain::Envelope;
use crate::cli::Failure;
use crate::cli::export::progress;
use crate::cli::remote::Remote;
use crate::client::ClientError;

/// Most lines and bytes of one request; a server takes somewhat more.
const LINES_MAX: usize = 8_000;
const BYTES_MAX: usize = 12 * 1024 * 1024;
/// How often what a full server did not take is offered again, and after what pause.
const ROUNDS: usize = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// How far it came.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Answers that arrived.
    pub(super) answered: usize,
    /// Why no more did.
    pub(super) failure: Option<Failure>,
}

/// Sends signed rows in order and keeps each answer as it comes.
pub(super) fn transmit(
    remote: &Remote,
    batch: &[(u64, Envelope)],
    results: &mut Results,
) -> Outcome {
    let bar = progress(batch.len() as u64, "answered");
    let mut answered = 0;
    let mut left: Vec<&(u64, Envelope)> = batch.iter().collect();
    for round in 0..ROUNDS {
        if round > 0 {
            std::thread::sleep(PAUSE);
        }
        let mut not_taken = Vec::new();
        for part in parts(&left) {
            let sent = send(remote, part, results, &mut |row, taken| {
                if taken {
                    answered += 1;
                    bar.inc(1);
                } else {
                    not_taken.push(row);
                }
            });
            if let Err(failure) = sent {
                bar.finish_and_clear();
                let failure = Some(failure);
                return Outcome { answered, failure };
            }
        }
        left.retain(|(row, _)| not_taken.contains(row));
        if left.is_empty() {
            break;
        }
    }
    bar.finish_and_clear();
    Outcome {
        answered,
        failure: None,
    }
}

/// One request. Tells of each row that has an answer whether the ledger took it up.
fn send(
    remote: &Remote,
    part: &[&(u64, Envelope)],
    results: &mut Results,
    tell: &mut dyn FnMut(u64, bool),
) -> Result<(), Failure> {
    let envelopes: Vec<Envelope> = part.iter().map(|(_, envelope)| envelope.clone()).collect();
    let mut rows = part.iter().map(|(row, _)| *row);
    let mut kept = Ok(());
    let sent = remote.client().submit_each(&envelopes, &mut |answer| {
        let Some(row) = rows.next() else { return };
        let busy = answer.as_ref().is_err_and(|problem| problem.status == 503);
        tell(row, !busy);
        if kept.is_ok() {
            kept = results.answered(row, answer);
        }
    });
    kept?;
    match sent {
        Ok(()) => Ok(()),
        // The whole request, for want of room: each of its rows may be offered again.
        Err(ClientError::Refused(problem)) if problem.status == 503 => {
            rows.for_each(|row| tell(row, false));
            Ok(())
        }
        Err(error) => Err(remote.failure(&error)),
    }
}

/// The rows in requests.
fn parts<'p, 'e>(all: &'p [&'e (u64, Envelope)]) -> Vec<&'p [&'e (u64, Envelope)]> {
    let mut parts = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (at, (_, envelope)) in all.iter().enumerate() {
        let length = envelope.encode().len() + 1;
        if at > begin && (at - begin == LINES_MAX || bytes + length > BYTES_MAX) {
            parts.push(&all[begin..at]);
            (begin, bytes) = (at, 0);
        }
        bytes += length;
    }
    if begin < all.len() {
        parts.push(&all[begin..]);
    }
    parts
}
