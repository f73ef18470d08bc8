//! Raw entries: only to those whom an entry was told, and to an authority that audits.

use serde_json::value::RawValue;
use warp::http::StatusCode;

use super::operations::unlooked;
use super::problem::Problem;
use super::reply::{Handled, json};
use super::{Api, status};
use crate::chain::{Entry, Line};
use crate::domain::values::PartyId;
use crate::ledger::Feed;

/// Who asks for entries.
pub(super) struct EntryReader {
    party: PartyId,
    audits: bool,
}

impl Api {
    pub(super) async fn entry_reader(
        &self,
        authorization: Option<&str>,
    ) -> Result<EntryReader, Problem> {
        let look = self.as_party(authorization, |viewer| EntryReader {
            party: viewer.party,
            audits: viewer.audits(),
        });
        look.await
    }

    /// `GET /v1/entries/<n>`: the line, byte for byte.
    pub(super) async fn entry(&self, authorization: Option<&str>, n: &str) -> Handled {
        let reader = self.entry_reader(authorization).await?;
        let (_, line) = self.readable_entry(&reader, n.parse().ok()).await?;
        let line = String::from_utf8_lossy(line.bytes()).into_owned();
        let line = RawValue::from_string(line).expect("a line is JSON");
        Ok(json(StatusCode::OK, &line))
    }

    /// The entry, if the reader may read it; one that it may not read, and none, take the same steps to the same
    /// answer.
    pub(super) async fn readable_entry(
        &self,
        reader: &EntryReader,
        n: Option<u64>,
    ) -> Result<(Entry, Line), Problem> {
        let n = n.unwrap_or(u64::MAX);
        let told = self.is_told(reader.party, n).await?;
        if !told && !reader.audits {
            return Err(Problem::not_found());
        }
        let found = self.ledger.entry(n).map_err(|_| status::stopped())?;
        found.ok_or_else(Problem::not_found)
    }

    /// Whether entry `n` is in the party's feed, whose entries ascend: a search by halves.
    async fn is_told(&self, party: PartyId, n: u64) -> Result<bool, Problem> {
        // Below `low` every entry is before n; at `high`, where known, one is n or behind it, or there is none.
        let (mut low, mut high) = (0, 1);
        while self.feed_at(party, high).await?.is_some_and(|at| at < n) {
            (low, high) = (high, high * 2);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.feed_at(party, middle).await?.is_some_and(|at| at < n) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(self.feed_at(party, low).await? == Some(n))
    }

    async fn feed_at(&self, party: PartyId, place: u64) -> Result<Option<u64>, Problem> {
        let found = self.ledger.feed(Feed::Party(party), place, 1).await;
        Ok(found.map_err(unlooked)?.first().copied())
    }
}
