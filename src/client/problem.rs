//! What can go wrong between a client and its ledger.

use serde::Deserialize;

use crate::chain::EnvelopeError;

/// Why there is no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server was not reached, or went away.
    #[error("the server was not reached: {0}")]
    Transport(#[from] ureq::Error),
    /// The server says why not.
    #[error("{0}")]
    Refused(Box<ProblemReport>),
    /// An error without a reason: this is no ledger's server.
    #[error("the server answered {0} and gave no reason; is it a ledger's?")]
    Status(u16),
    /// The server takes sessions under another origin than the one it was reached at.
    #[error("the server calls itself {said} and was reached at {base}: reach it by its own origin")]
    Audience {
        /// What it calls itself.
        said: String,
        /// Where it was reached.
        base: String,
    },
    /// The answer is not what was asked for.
    #[error("the server's answer cannot be read: {0}")]
    Unreadable(String),
    /// The request for a session does not fit an envelope.
    #[error("{0}")]
    Envelope(EnvelopeError),
}

impl ClientError {
    pub(super) fn unreadable(error: serde_json::Error) -> ClientError {
        ClientError::Unreadable(error.to_string())
    }

    /// The problem, where the server gave one.
    pub fn problem(&self) -> Option<&ProblemReport> {
        match self {
            ClientError::Refused(problem) => Some(problem),
            _ => None,
        }
    }
}

/// A problem as the server tells it (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProblemReport {
    /// The HTTP status.
    pub status: u16,
    /// Stable name of the problem.
    pub code: String,
    /// What was wrong, in a sentence.
    pub detail: String,
    /// The rule of the ledger that refused.
    pub rule: Option<String>,
    /// The values that broke it.
    #[serde(default)]
    pub inputs: Vec<Given>,
    /// What would satisfy it.
    pub remedy: Option<String>,
    /// The operation that was refused.
    pub op_id: Option<String>,
    /// Until when the same envelope may still be accepted.
    pub usable_until: Option<String>,
    /// What is wrong at which place of the body.
    #[serde(default)]
    pub errors: Vec<Misplaced>,
}

/// A value that broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Given {
    /// What it is.
    pub name: String,
    /// The value.
    pub value: String,
}

/// What is wrong at one place of a body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Misplaced {
    /// JSON pointer to the place.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl std::fmt::Display for ProblemReport {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}: {}", self.code, self.detail)?;
        for input in &self.inputs {
            write!(to, "; {} {}", input.name, input.value)?;
        }
        for error in self
            .errors
            .iter()
            .filter(|error| error.detail != self.detail)
        {
            write!(to, "; at `{}`: {}", error.pointer, error.detail)?;
        }
        match &self.remedy {
            Some(remedy) => write!(to, " ({remedy})"),
            None => Ok(()),
        }
    }
}
