//! What the ledger proves of its own history: tiles, inclusion, consistency. Only of what is durable.

use crate::chain::tiles::TilePath;
use crate::chain::{Hash, tlog_proof};

use super::committer::Published;
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
        self.inner
            .proved(self.inner.shared.history.consistency(old, new))
    }
}

impl Inner {
    /// The proof that entry `n` is in the tree of this checkpoint.
    pub(super) fn proof(&self, n: u64, published: &Published) -> Result<Option<String>, Stopped> {
        let hashes = self.proved(self.shared.history.inclusion(n, published.size))?;
        Ok(hashes.map(|hashes| tlog_proof::encode(None, n, &hashes, &published.checkpoint)))
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
