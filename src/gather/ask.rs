//! One request to one witness (C2SP tlog-witness, client side).

use std::time::Duration;

use ureq::Agent;

use crate::chain::note::{NOTE_LEN_MAX, NoteSignature};
use crate::chain::{AddCheckpoint, Checkpoint, Hash, Note, VerifierKey};
use crate::outside;

/// How long a witness may take to answer: it is asked again later, and nobody else waits.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it may say that it knows another size before it is left for later.
const TURNS: usize = 4;

/// A witness, and how it is reached.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    pub(super) name: String,
    pub(super) vkey: VerifierKey,
    url: String,
    agent: Agent,
    /// The size that it cosigned last, as far as we know.
    knows: u64,
}

/// What is to be cosigned.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) checkpoint: Checkpoint,
    /// Signed by the ledger alone.
    pub(super) note: Note,
}

/// Why there is no cosignature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It cosigned more entries than the ledger has: the ledger's disk is that of an earlier day, or its history another.
    #[error("it has cosigned {knows} entries of this ledger, which has {size}")]
    Ahead {
        /// What it cosigned.
        knows: u64,
        /// What the ledger has.
        size: u64,
    },
    /// It cosigned another history of the same ledger.
    #[error("it has cosigned another history of this ledger: {0}")]
    OtherHistory(String),
    /// It does not answer, or not as the specification says.
    #[error("{0}")]
    Other(String),
}

/// What a witness said.
enum Said {
    Cosigned(NoteSignature),
    Knows(u64),
}

impl Witness {
    pub(super) fn new(name: &str, vkey: &VerifierKey, url: String) -> Witness {
        let config = outside::agent().timeout_global(Some(PATIENCE)).build();
        Witness {
            name: name.to_owned(),
            vkey: vkey.clone(),
            url,
            agent: config.new_agent(),
            knows: 0,
        }
    }

    /// Has it cosign a checkpoint. `proof` proves the tree of so many entries a prefix of the target's; `None` where that fails.
    pub(super) fn cosign(
        &mut self,
        target: &Target,
        proof: impl Fn(u64) -> Option<Vec<Hash>>,
    ) -> Result<NoteSignature, AskError> {
        let size = target.checkpoint.size;
        for _ in 0..TURNS {
            if self.knows > size {
                let knows = self.knows;
                return Err(AskError::Ahead { knows, size });
            }
            let hashes = proof(self.knows)
                .ok_or_else(|| AskError::Other("there is no proof of consistency".to_owned()))?;
            match self.add_checkpoint(hashes, &target.note)? {
                Said::Knows(other) => self.knows = other,
                Said::Cosigned(signature) => {
                    self.knows = size;
                    return Ok(signature);
                }
            }
        }
        Err(AskError::Other(
            "each time it knows another size".to_owned(),
        ))
    }

    /// `POST <submission prefix>/add-checkpoint`
    fn add_checkpoint(&self, proof: Vec<Hash>, note: &Note) -> Result<Said, AskError> {
        let other = |said: String| AskError::Other(said);
        let request = AddCheckpoint {
            old: self.knows,
            proof,
            checkpoint: note.clone(),
        };
        let url = format!("{}/add-checkpoint", self.url);
        let sent = self.agent.post(&url).send(request.to_string().as_bytes());
        let mut answer = sent.map_err(|error| other(format!("{url}: {error}")))?;
        let limited = answer.body_mut().with_config().limit(NOTE_LEN_MAX as u64);
        let text = limited.read_to_string();
        let text = text.map_err(|error| other(format!("{url}: {error}")))?;
        match answer.status().as_u16() {
            200 => self.cosignature(note, &text).map(Said::Cosigned),
            // "The response body MUST consist of the tree size of the latest cosigned checkpoint in decimal, followed by a newline"
            409 => {
                let size = text.strip_suffix('\n').and_then(|text| text.parse().ok());
                let size = size.filter(|size| *size != self.knows);
                size.map(Said::Knows)
                    .ok_or_else(|| other(format!("its status is 409, but its size {text:?}")))
            }
            422 => Err(AskError::OtherHistory(first_line(&text))),
            // "the log is known, but no trusted key of it signed": so it is behind a change of key.
            403 => Err(other(format!(
                "it knows no key that signed ({}): has the ledger changed its key, `counterfoil witness add-log` tells it",
                first_line(&text)
            ))),
            status => Err(other(format!(
                "its status is {status}: {}",
                first_line(&text)
            ))),
        }
    }

    /// "The client MUST ignore any cosignatures from unknown keys. To parse the response, the client MAY concatenate it to the
    /// checkpoint, and use a note verification function configured with the witness keys it trusts."
    fn cosignature(&self, note: &Note, lines: &str) -> Result<NoteSignature, AskError> {
        let unsigned = Note::decode(format!("{}\n{lines}", note.text()).as_bytes());
        let unfit = |error: &dyn std::fmt::Display| AskError::Other(format!("its answer: {error}"));
        let answered = unsigned.map_err(|error| unfit(&error))?;
        // An answer with a blank line in it would be read as more text.
        if answered.text() != note.text() {
            return Err(unfit(&"more than signature lines"));
        }
        answered
            .verified(std::slice::from_ref(&self.vkey))
            .map_err(|error| unfit(&error))?;
        let (name, key_id) = (self.vkey.name(), self.vkey.key_id());
        let signatures = answered.signatures().iter();
        let mut own = signatures.filter(|line| line.name() == name && line.key_id() == key_id);
        own.next().cloned().ok_or_else(|| unfit(&"no cosignature"))
    }
}

/// What a person is told of an answer that may be anything.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}
