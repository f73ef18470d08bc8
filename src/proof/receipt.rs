//! Receipts: an entry's line with the proof that it is in the ledger.
//!
//! ```text
//! {"line":"<the entry's line>","proof":"<C2SP tlog-proof>"}
//! ```

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::chain::{LINE, PAYLOAD, SIGNATURES, payload_found, signed};
use super::report::{Failed, Planned, Report, Steps, count};
use super::under::{LOG, ORIGIN, POLICY, QUORUM, TIME, check_checkpoint, check_time, read_policy};
use crate::chain::instant::format_time;
use crate::chain::{Entry, Line, TlogProof, Verifier};

/// Most bytes of a receipt: a line and a proof, both with every character escaped.
pub const RECEIPT_LEN_MAX: usize = 512 * 1024;

const RECEIPT: Planned = Planned {
    code: "receipt.read",
    rule: "the receipt is an object of `line` and `proof` in its one spelling",
};
const PROOF: Planned = Planned {
    code: "proof.read",
    rule: "the proof has the form of C2SP tlog-proof",
};
const LEAF: Planned = Planned {
    code: "leaf",
    rule: "the proof is of the entry's own place",
};
const INCLUSION: Planned = Planned {
    code: "inclusion",
    rule: "the entry is in the tree of the checkpoint",
};

const PLAN: &[Planned] = &[
    POLICY, RECEIPT, LINE, SIGNATURES, PROOF, LEAF, ORIGIN, LOG, QUORUM, PAYLOAD, INCLUSION, TIME,
];

/// What shows offline, and years later, that an entry is in the ledger (FORMAT.md, “Receipt”): its line, and the proof that leads
/// from it to a checkpoint. As they stand in a file: neither is read yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReceiptFile)]
pub struct Receipt {
    /// The entry's line, byte for byte.
    line: String,
    /// The proof (C2SP tlog-proof), with the signed checkpoint at its end.
    proof: String,
}

/// Why bytes are no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// They are longer than [`RECEIPT_LEN_MAX`].
    #[error("the receipt has {len} bytes; at most {RECEIPT_LEN_MAX} are allowed")]
    TooLong {
        /// Their number.
        len: usize,
    },
    /// They are not the JSON of a receipt.
    #[error("not a receipt: {0}")]
    Json(String),
    /// They spell a receipt otherwise than it is written.
    #[error("not canonical: differs from the receipt's encoding at offset {offset}")]
    NotCanonical {
        /// The first offset that differs.
        offset: usize,
    },
}

impl Receipt {
    /// The receipt of an entry by its proof, or by the text of one.
    pub fn new(line: &Line, proof: impl Display) -> Receipt {
        Receipt {
            line: String::from_utf8_lossy(line.bytes()).into_owned(),
            proof: proof.to_string(),
        }
    }

    /// The entry's line.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The proof, a tlog-proof.
    pub fn proof(&self) -> &str {
        &self.proof
    }

    /// The receipt as a file: JSON without white space.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("two strings are plain data, which JSON can hold")
    }

    /// Reads a receipt in its one spelling, which a newline may end as it ends a line; what its two texts say is not read.
    pub fn decode(bytes: &[u8]) -> Result<Receipt, ReceiptError> {
        let len = bytes.len();
        if len > RECEIPT_LEN_MAX {
            return Err(ReceiptError::TooLong { len });
        }
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let receipt: Receipt =
            serde_json::from_slice(bytes).map_err(|error| ReceiptError::Json(error.to_string()))?;
        let encoded = receipt.encode();
        if encoded.as_bytes() != bytes {
            let same = encoded.bytes().zip(bytes).take_while(|(a, b)| a == *b);
            let offset = same.count();
            return Err(ReceiptError::NotCanonical { offset });
        }
        Ok(receipt)
    }
}

/// Verifies a receipt's file against a policy's.
pub fn check_receipt(receipt: &[u8], policy: &[u8]) -> Report {
    let mut steps = Steps::of(PLAN);
    // A step that failed has been written down.
    let _ = check(&mut steps, receipt, policy);
    steps.finish()
}

fn check(steps: &mut Steps, receipt: &[u8], policy: &[u8]) -> Result<(), Failed> {
    let policy = read_policy(steps, policy)?;
    let receipt = steps.take(RECEIPT, Receipt::decode(receipt), |receipt| {
        let (line, proof) = (receipt.line.len(), receipt.proof.len());
        format!("a line of {line} bytes, its proof of {proof}")
    })?;
    let (entry, line) = check_line(steps, receipt.line.as_bytes())?;
    let proof = TlogProof::decode(receipt.proof.as_bytes());
    let proof = steps.take(PROOF, proof, |proof| {
        let hashes = count(proof.hashes.len() as u64, "hash", "hashes");
        format!("{hashes} for index {} and a checkpoint", proof.index)
    })?;
    let same = (proof.index == line.n()).then_some(()).ok_or_else(|| {
        format!(
            "the proof is for index {}, the entry is {}",
            proof.index,
            line.n()
        )
    });
    steps.take(LEAF, same, |()| {
        format!("entry {} has the leaf hash {}", line.n(), line.leaf())
    })?;
    let witnessed = check_checkpoint(steps, &policy, &proof.checkpoint)?;
    let checkpoint = &witnessed.checkpoint;
    let payload = payload_found(&entry, &checkpoint.origin);
    steps.take(PAYLOAD, payload, String::clone)?;
    let included = proof.proves(line.leaf(), checkpoint.size, &checkpoint.root);
    let included = included.then_some(()).ok_or_else(|| {
        format!(
            "the hashes do not lead from entry {} of {} to the root {}",
            line.n(),
            checkpoint.size,
            checkpoint.root
        )
    });
    steps.take(INCLUSION, included, |()| {
        format!(
            "entry {} of {} is under the root",
            line.n(),
            checkpoint.size
        )
    })?;
    check_time(steps, Some(entry.time_ms()), &witnessed)
}

fn check_line(steps: &mut Steps, line: &[u8]) -> Result<(Entry, Line), Failed> {
    let (entry, line) = steps.take(LINE, Line::decode(line), |(entry, _)| {
        let time = format_time(entry.time_ms()).unwrap_or_default();
        format!("entry {}, accepted at {time}", entry.n())
    })?;
    let forged = entry.envelope().forged(&Verifier::new());
    steps.take(SIGNATURES, signed(&entry, forged), String::clone)?;
    Ok((entry, line))
}
