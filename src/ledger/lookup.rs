//! Finding entries: by operation, by feed, by object. The index lags a little, so a lookup waits for it.

use crate::chain::Hash;
use crate::domain::values::{OpId, PartyId};
use crate::store::{IndexError, Shown};

use super::handle::{Inner, Ledger};
use super::indexer::Progress;
use super::status::Stopped;

/// Entries in the order in which somebody may read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// Those of which the party is told.
    Party(PartyId),
    /// All, for an authority with the scope `audit`.
    Authority,
}

/// Why a lookup has no answer.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The ledger has stopped.
    #[error("{0}")]
    Stopped(#[from] Stopped),
    /// The index broke; the next start makes it anew. Entries are not affected.
    #[error("lookups fail until the ledger is started again: {0}")]
    Index(String),
}

impl From<IndexError> for LookupError {
    fn from(error: IndexError) -> LookupError {
        LookupError::Index(error.to_string())
    }
}

impl Ledger {
    /// Number of the entry that an operation became, for ever.
    pub async fn operation(&self, op_id: &OpId) -> Result<Option<u64>, LookupError> {
        self.inner.operation(op_id).await
    }

    /// What a feed shows at its places `from`, `from + 1`, …; at most `limit`, fewer at its end.
    pub async fn feed(
        &self,
        feed: Feed,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Shown>, LookupError> {
        let size = self.published().size;
        match feed {
            // An authority reads all: its places are the entries' numbers.
            Feed::Authority => {
                let all = (from..size).take(limit);
                Ok(all.map(|n| Shown { n, with: n }).collect())
            }
            Feed::Party(party) => {
                self.inner.indexed(size).await?;
                Ok(self.inner.index.feed(&party.to_string(), from, limit)?)
            }
        }
    }

    /// Whether the party may read entry `n` now: it was told of it, or is to be told from an instant that has come.
    pub async fn is_told(&self, party: PartyId, n: u64) -> Result<bool, LookupError> {
        let inner = &self.inner;
        let clock = inner.clock.now();
        let (size, due) = inner.shared.at_head(|head| {
            let time = clock.map_or(head.time(), |now| head.time_at(now));
            (head.size(), head.is_due(party, n, time))
        })?;
        inner.shared.status.durable(size).await?;
        inner.indexed(size).await?;
        Ok(inner.index.shows(&party.to_string(), n)? || due)
    }

    /// The ids of the objects that entry `n` touches. Whom they are told to must be able to see them.
    pub async fn touched(&self, n: u64) -> Result<Vec<String>, LookupError> {
        self.inner.indexed(self.published().size).await?;
        Ok(self.inner.index.touched(n)?)
    }

    /// The numbers of the entries that touch an object, from entry `from` on; at most `limit`. Who asks must be able to see the object.
    pub async fn entries_of(
        &self,
        object: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, LookupError> {
        self.inner.indexed(self.published().size).await?;
        Ok(self.inner.index.object(object, from, limit)?)
    }
}

impl Inner {
    /// Waits until the index covers the first `size` entries.
    pub(super) async fn indexed(&self, size: u64) -> Result<(), LookupError> {
        let mut progress = self.indexed.clone();
        let seen = progress
            .wait_for(|progress| match progress {
                Progress::Covers(covered) => *covered >= size,
                Progress::Broken(_) => true,
            })
            .await;
        match seen.as_deref() {
            Ok(Progress::Covers(_)) => Ok(()),
            Ok(Progress::Broken(reason)) => Err(LookupError::Index(reason.clone())),
            Err(_) => Err(LookupError::Index("its thread broke".to_owned())),
        }
    }

    pub(super) async fn operation(&self, op_id: &OpId) -> Result<Option<u64>, LookupError> {
        let (size, recent) = self
            .shared
            .at_head(|head| (head.size(), head.recall(op_id)))?;
        self.shared.status.durable(size).await?;
        if recent.is_some() {
            return Ok(recent);
        }
        self.indexed(size).await?;
        Ok(self.index.find(&Hash::new(*op_id.as_bytes()))?)
    }
}
