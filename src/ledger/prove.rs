//! What the ledger proves of its own history: tiles, consistency, receipts. Only of what is durable.

use std::io;
use std::time::Duration;

use crate::chain::tiles::TilePath;
use crate::chain::{Checkpoint, Hash, Line, Note, tlog_proof};
use crate::domain::values::{Instant, OpId};

use super::answer::Receipt;
use super::handle::{Inner, Ledger};
use super::history::HistoryError;
use super::status::Stopped;

impl Ledger {
    /// A tile's bytes; `None` where the tree does not reach so far. May read a file.
    pub fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, Stopped> {
        let found = self.inner.shared.history.tile(path);
        self.inner.proved(found).map(Option::flatten)
    }

    /// The proof that the tree of `old` entries is a prefix of that of `new`; `None` where that is not durable. May read a file.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Option<Vec<Hash>>, Stopped> {
        let found = self.inner.shared.history.consistency(old, new);
        self.inner.proved(found)
    }

    /// The receipt of entry `n` under the newest checkpoint; `None` where it is not durable. May read a file.
    pub fn receipt(&self, n: u64) -> Result<Option<Receipt>, Stopped> {
        let published = self.published();
        self.receipt_under(n, (published.size, &published.checkpoint))
    }

    /// The receipt of entry `n` under the first checkpoint that covers it and that a quorum cosigned; `None` where there is none yet.
    /// May read a file.
    pub fn witnessed_receipt(&self, n: u64) -> Result<Option<Receipt>, Stopped> {
        let covering = self.inner.witnessed.covering(n.saturating_add(1));
        // No entry depends on it: who asks is told that there is none.
        let covering = covering.inspect_err(|error| {
            tracing::error!(%error, "witnessed checkpoints cannot be read");
        });
        let checkpoint = covering.ok().flatten();
        let size = checkpoint
            .as_ref()
            .and_then(|note| Checkpoint::parse(note.text()).ok());
        match (checkpoint, size) {
            (Some(note), Some(read)) => self.receipt_under(n, (read.size, &note.encode())),
            _ => Ok(None),
        }
    }

    fn receipt_under(&self, n: u64, under: (u64, &str)) -> Result<Option<Receipt>, Stopped> {
        // The entries may reach further by now than the checkpoint.
        if n >= under.0 {
            return Ok(None);
        }
        let Some((entry, line)) = self.inner.entry(n)? else {
            return Ok(None);
        };
        let op_id = OpId(*entry.op_id().as_bytes());
        let time = Instant::from_millis(entry.time_ms());
        self.inner.receipt(op_id, time, line, under).map(Some)
    }

    /// Keeps a checkpoint of this ledger that a quorum of witnesses cosigned; durable when this returns.
    pub fn keep_witnessed(&self, note: &Note) -> io::Result<()> {
        let checkpoint = Checkpoint::parse(note.text()).map_err(io::Error::other)?;
        self.inner.witnessed.keep(checkpoint.size, note)?;
        self.inner.shared.status.witnessed(checkpoint.size);
        Ok(())
    }

    /// For how long a quorum of witnesses has not followed; nothing where it has cosigned all.
    pub fn unwitnessed_for(&self) -> Duration {
        self.inner.shared.status.unwitnessed_for()
    }

    /// How many entries the newest checkpoint covers that a quorum cosigned; 0 where there is none.
    pub fn witnessed_size(&self) -> u64 {
        self.inner.witnessed.size()
    }

    /// The newest checkpoint that a quorum cosigned.
    pub fn newest_witnessed(&self) -> io::Result<Option<Note>> {
        self.inner.witnessed.newest()
    }
}

impl Inner {
    /// The receipt of a durable entry under a checkpoint, of which size and text are given.
    pub(super) fn receipt(
        &self,
        op_id: OpId,
        time: Instant,
        line: Line,
        (size, checkpoint): (u64, &str),
    ) -> Result<Receipt, Stopped> {
        let hashes = self.proved(self.shared.history.inclusion(line.n(), size))?;
        // What is durable, and covered, has a proof.
        let hashes = hashes.ok_or(Stopped)?;
        Ok(Receipt {
            op_id,
            time,
            proof: tlog_proof::encode(None, line.n(), &hashes, checkpoint),
            line,
        })
    }

    /// What is no longer as it was written is a doubt that stops the ledger.
    fn proved<T>(&self, found: Result<T, HistoryError>) -> Result<Option<T>, Stopped> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(HistoryError::Beyond(_)) => Ok(None),
            Err(error) => {
                self.shared.fail(&error.to_string());
                Err(Stopped)
            }
        }
    }
}
