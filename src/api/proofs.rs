//! What proves that the ledger is one: tiles of its tree for everybody, its entries' bundles for who audits, and receipts.

use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::http::{Response, StatusCode};

use super::entries::EntryReader;
use super::problem::Problem;
use super::reply::{Handled, json};
use super::{Api, status};
use crate::chain::tiles::{TileKind, TilePath};
use crate::ledger::{Receipt, Stopped};
use crate::proof;

/// "This endpoint is immutable, so its caching headers SHOULD be long-lived."
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// How much a receipt proves.
enum Level {
    /// That the ledger said so.
    Committed,
    /// That a quorum of witnesses saw the ledger say so.
    Witnessed,
}

impl Level {
    fn read(query: &[(String, String)]) -> Result<Level, Problem> {
        match query {
            [] => Ok(Level::Committed),
            [(name, value)] if name == "level" => match value.as_str() {
                "committed" => Ok(Level::Committed),
                "witnessed" => Ok(Level::Witnessed),
                _ => Err(Problem::bad_request(
                    "query.level",
                    "`level` is committed or witnessed",
                )),
            },
            _ => Err(Problem::bad_request(
                "query.unknown",
                "a receipt takes the parameter level, once",
            )),
        }
    }
}

impl Api {
    /// `GET /tile/<L>/<N>[.p/<W>]` for everybody, `GET /tile/entries/<N>[.p/<W>]` for an authority that audits.
    pub(super) async fn tile(&self, authorization: Option<&str>, path: &str) -> Handled {
        let path: TilePath = path
            .trim_start_matches('/')
            .parse()
            .map_err(|_| Problem::not_found())?;
        let kept = match path.kind() {
            TileKind::Hashes(_) => Some(FOR_EVER),
            TileKind::Entries => {
                let reader = self.entry_reader(authorization).await?;
                if !reader.audits() {
                    return Err(Problem::not_found());
                }
                // They do not change, but who may read them does.
                None
            }
        };
        let ledger = self.ledger.clone();
        let tile = reading(move || ledger.tile(path)).await?;
        let mut reply = Response::new(tile.ok_or_else(Problem::not_found)?.into());
        let headers = reply.headers_mut();
        let octets = HeaderValue::from_static("application/octet-stream");
        headers.insert(CONTENT_TYPE, octets);
        if let Some(kept) = kept {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
        }
        Ok(reply)
    }

    /// `GET /v1/entries/<n>/receipt`: for whoever may read the entry. `level=witnessed` asks for the first checkpoint over it that a
    /// quorum of witnesses cosigned, `level=committed`, or none, for the newest.
    pub(super) async fn receipt(
        &self,
        authorization: Option<&str>,
        n: &str,
        query: &[(String, String)],
    ) -> Handled {
        let reader = self.entry_reader(authorization).await?;
        let receipt = match Level::read(query)? {
            Level::Committed => self.receipt_of(&reader, n.parse().ok()).await?,
            Level::Witnessed => {
                let (entry, _) = self.readable_entry(&reader, n.parse().ok()).await?;
                let ledger = self.ledger.clone();
                let receipt = reading(move || ledger.witnessed_receipt(entry.n())).await?;
                receipt.ok_or_else(unwitnessed)?
            }
        };
        let file = proof::Receipt::new(&receipt.line, receipt.proof);
        Ok(json(StatusCode::OK, &file))
    }

    /// The receipt of an entry that the reader may read, under the newest checkpoint.
    pub(super) async fn receipt_of(
        &self,
        reader: &EntryReader,
        n: Option<u64>,
    ) -> Result<Receipt, Problem> {
        let (entry, _) = self.readable_entry(reader, n).await?;
        let ledger = self.ledger.clone();
        let receipt = reading(move || ledger.receipt(entry.n())).await?;
        receipt.ok_or_else(Problem::not_found)
    }
}

/// There is no such receipt yet.
fn unwitnessed() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "receipt.unwitnessed",
        "no quorum of witnesses has cosigned a checkpoint over this entry yet; level=committed is there at once",
    )
}

/// Does what may read a file off the threads that serve everybody.
async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Stopped> + Send + 'static,
) -> Result<T, Problem> {
    let read = tokio::task::spawn_blocking(read).await;
    read.ok().and_then(Result::ok).ok_or_else(status::stopped)
}
