//! What a ledger must never do, by name.

/// What a monitor found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// Two histories were signed.
    #[error(
        "fork: the first {size} entries that {by} saw are not those that the ledger shows now: {why}"
    )]
    Fork {
        /// Entries of the history that was seen first.
        size: u64,
        /// Who saw it.
        by: String,
        /// How it shows.
        why: String,
    },
    /// What was shown is taken back, or an old checkpoint is served.
    #[error("rollback: {by} saw {seen} entries, and the ledger shows {shown}")]
    Rollback {
        /// Entries that were seen.
        seen: u64,
        /// Entries that are shown.
        shown: u64,
        /// Who saw them.
        by: String,
    },
    /// A checkpoint is none of the ledger's, or too few cosigned it.
    #[error("unbelievable: the checkpoint that the ledger shows: {0}")]
    Unbelievable(String),
    /// Entries are not those of the checkpoint, do not follow one another, or are not signed by whom they name.
    #[error("altered: entry {n}: {why}")]
    Altered {
        /// Which.
        n: u64,
        /// What is wrong.
        why: String,
    },
    /// An entry's time cannot be.
    #[error("impossible time: entry {n} says {time}, and {why}")]
    ImpossibleTime {
        /// Which.
        n: u64,
        /// What it says.
        time: String,
        /// What is known against it.
        why: String,
    },
}

impl Alarm {
    /// Its stable name, for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Alarm::Fork { .. } => "fork",
            Alarm::Rollback { .. } => "rollback",
            Alarm::Unbelievable(_) => "unbelievable",
            Alarm::Altered { .. } => "altered",
            Alarm::ImpossibleTime { .. } => "impossible_time",
        }
    }
}
