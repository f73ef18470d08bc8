//! Makes batches durable and signs what is: append and sync, extend the tree, sign the checkpoint, write the head.

use std::sync::Arc;

use crate::chain::note::VkeyError;
use crate::chain::{Checkpoint, Hash, Line, Tree};
use crate::store::{Journal, JournalError};

use super::secrets::{Secrets, SecretsError};

/// How far the ledger is durable, and its signed word for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Number of durable entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// The signed checkpoint, as every receipt under it tells it: written out once.
    pub checkpoint: Arc<str>,
    /// Whether it is the first behind a change of key, which the old key signed too.
    pub is_crossing: bool,
}

/// Why a commit is in doubt. Nobody retries: the process ends, and the next start finds out what is durable.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The journal failed, or has another size than was thought.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The checkpoint cannot be signed.
    #[error("the checkpoint cannot be signed: {0}")]
    Sign(#[from] VkeyError),
    /// A checkpoint that two keys signed cannot be kept.
    #[error("the file `rekeyed`: {0}")]
    Keep(std::io::Error),
    /// The new key cannot take the place of the old one.
    #[error("{0}")]
    Key(#[from] SecretsError),
}

/// Owns the journal. One thread has it.
pub struct Committer {
    journal: Box<dyn Journal>,
    tree: Tree,
    origin: String,
    secrets: Arc<Secrets>,
    /// What the last checkpoint covered.
    before: u64,
}

impl Committer {
    /// Over a journal whose entries have this tree.
    pub(super) fn new(
        journal: Box<dyn Journal>,
        tree: Tree,
        origin: String,
        secrets: Arc<Secrets>,
    ) -> Committer {
        let before = journal.head().map_or(0, |head| head.checkpoint.size);
        Committer {
            journal,
            tree,
            origin,
            secrets,
            before,
        }
    }

    /// Makes lines durable and returns the checkpoint that covers them. After an error nothing may be committed any more.
    /// `now_ms` is a clock that never runs backwards.
    pub fn commit(&mut self, lines: &[Line], now_ms: u64) -> Result<Published, CommitError> {
        self.journal.append(self.tree.size(), lines)?;
        for line in lines {
            self.tree.append(*line.leaf());
        }
        self.publish(now_ms)
    }

    /// Signs a checkpoint over what is durable and hands it to the journal, which writes it "at most once a second". One that two keys
    /// sign is durable before anybody sees it, and the old key gone: nothing is ever signed by the new one alone without it.
    pub fn publish(&mut self, now_ms: u64) -> Result<Published, CommitError> {
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: self.tree.size(),
            root: self.tree.root(),
        };
        let (note, is_crossing) = self.secrets.sign(&checkpoint, self.before)?;
        let text = note.encode().into();
        if is_crossing {
            let kept = self.secrets.keep(&note);
            kept.map_err(CommitError::Keep)?;
        }
        self.journal.publish_head(note, now_ms)?;
        if is_crossing {
            self.journal.flush_head()?;
            self.secrets.settle(checkpoint.size)?;
        }
        self.before = checkpoint.size;
        Ok(Published {
            size: checkpoint.size,
            root: checkpoint.root,
            checkpoint: text,
            is_crossing,
        })
    }

    /// Writes the last checkpoint beside the entries, where that is not done.
    pub fn flush(&mut self) -> Result<(), CommitError> {
        Ok(self.journal.flush_head()?)
    }
}
