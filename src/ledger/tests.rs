//! The pipeline as a whole, on a real store.

mod answers;
mod durability;
mod faults;
mod order;
mod past;
mod proofs;
mod rekey;
mod restart;

use super::Answer;

/// The number of the entry that an accepted operation became.
fn accepted(answer: &Answer) -> u64 {
    match answer {
        Answer::Accepted { receipt, .. } => receipt.line.n(),
        other => panic!("not accepted: {other:?}"),
    }
}

/// The number of the first entry of a repeated operation.
fn repeated(answer: &Answer) -> u64 {
    match answer {
        Answer::Repeat { receipt, .. } => receipt.line.n(),
        other => panic!("no repeat: {other:?}"),
    }
}

/// The rule that an operation was refused by.
fn refused(answer: &Answer) -> &'static str {
    match answer {
        Answer::Refused { refusal, .. } => refusal.rule,
        other => panic!("not refused: {other:?}"),
    }
}
