//! Raw entries: only to those whom an entry was told, and to an authority that audits.

use serde_json::value::RawValue;
use warp::http::StatusCode;

use super::operations::unlooked;
use super::problem::Problem;
use super::reply::{Handled, json};
use super::{Api, status};
use crate::chain::{Entry, Line};
use crate::domain::values::PartyId;

/// Who asks for entries.
pub(super) struct EntryReader {
    party: PartyId,
    audits: bool,
}

impl EntryReader {
    /// Whether it is an authority that reads every entry.
    pub(super) fn audits(&self) -> bool {
        self.audits
    }
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
        let told = self.ledger.is_told(reader.party, n).await;
        let told = told.map_err(unlooked)?;
        if !told && !reader.audits {
            return Err(Problem::not_found());
        }
        let found = self.ledger.entry(n).map_err(|_| status::stopped())?;
        found.ok_or_else(Problem::not_found)
    }
}
