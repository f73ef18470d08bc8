//! What everybody may ask: how the ledger is, and its newest signed checkpoint.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use warp::http::StatusCode;

use super::problem::Problem;
use super::reply::{Handled, json, text};
use super::{Api, body};
use crate::domain::values::Instant;

/// A quorum of witnesses that has not followed for so long is lagging.
const LAGS_AFTER: Duration = Duration::from_secs(60);

/// The answer while the ledger has stopped.
pub(super) fn stopped() -> Problem {
    Problem::unavailable("ledger.stopped", "the ledger has stopped", 5)
}

/// The answer while no checkpoint that is asked for was cosigned.
fn unwitnessed() -> Problem {
    Problem::unavailable(
        "checkpoint.unwitnessed",
        "no quorum of witnesses has cosigned it yet; /v1/checkpoint is the newest without them",
        5,
    )
}

/// How far witnesses have followed.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct WitnessedRow {
    /// How many entries the newest checkpoint covers that a quorum cosigned.
    size: u64,
    /// Seconds for which the quorum has not followed; 0 where it has cosigned all.
    lag_seconds: u64,
    /// Whether that is longer than it should be.
    lagging: bool,
}

/// How the ledger is, and what a client needs to build an operation.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Readiness {
    /// Whether operations are taken.
    ready: bool,
    /// The ledger's name, which every payload says in `ledger`.
    origin: String,
    /// The key of its checkpoints (FORMAT.md, section 9).
    vkey: String,
    /// The ledger's time.
    time: Instant,
    /// How many entries the newest checkpoint covers.
    size: u64,
    /// Where witnesses are asked, how far they have followed: operations are taken all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    witnessed: Option<WitnessedRow>,
    /// Whether it is for trying things out, with time moved by hand.
    drill: bool,
    /// Why operations are not taken: codes of problems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_ready: Vec<String>,
    /// Files that were set aside after a crash.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quarantined: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    now: Instant,
}

/// The time of a drill.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Clock {
    /// The ledger's time.
    now: Instant,
}

impl Api {
    /// `GET /healthz`: whether the process serves.
    pub(super) fn health(&self) -> Handled {
        match self.ledger.ready().stopped {
            None => Ok(text("ok\n")),
            Some(_) => Err(stopped()),
        }
    }

    /// `GET /readyz`: whether operations are taken, and what a client needs to build one.
    pub(super) fn readiness(&self) -> Handled {
        let ready = self.ledger.ready();
        let mut not_ready = Vec::new();
        not_ready.extend(ready.clock.map(|refusal| refusal.rule.to_owned()));
        not_ready.extend(ready.storage_full.then(|| "storage.full".to_owned()));
        not_ready.extend(ready.stopped.map(|_| "ledger.stopped".to_owned()));
        let names = ready.quarantined.iter().filter_map(|path| path.file_name());
        let status = if not_ready.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let readiness = Readiness {
            ready: not_ready.is_empty(),
            origin: ready.origin,
            vkey: ready.vkey,
            time: ready.time,
            size: ready.size,
            witnessed: self.witnessed.then(|| self.followed()),
            drill: ready.drill,
            not_ready,
            quarantined: names
                .map(|name| name.to_string_lossy().into_owned())
                .collect(),
        };
        Ok(json(status, &readiness))
    }

    fn followed(&self) -> WitnessedRow {
        let lag = self.ledger.unwitnessed_for();
        WitnessedRow {
            size: self.ledger.witnessed_size(),
            lag_seconds: lag.as_secs(),
            lagging: lag > LAGS_AFTER,
        }
    }

    /// `GET /v1/checkpoint`: the newest signed note over durable entries.
    pub(super) fn committed_checkpoint(&self) -> Handled {
        Ok(text(&*self.ledger.published().checkpoint))
    }

    /// `GET /checkpoint`: the newest that met the quorum of witnesses; where none is asked for, the newest.
    pub(super) async fn checkpoint(&self) -> Handled {
        if !self.witnessed {
            return self.committed_checkpoint();
        }
        let ledger = self.ledger.clone();
        let newest = tokio::task::spawn_blocking(move || ledger.newest_witnessed()).await;
        match newest {
            Ok(Ok(Some(note))) => Ok(text(note.encode())),
            _ => Err(unwitnessed()),
        }
    }

    /// `POST /v1/drill/clock`: moves a drill's hand-moved clock forward.
    pub(super) fn move_clock(&self, content_type: Option<&str>, bytes: &[u8]) -> Handled {
        if !self.drill {
            return Err(Problem::not_found());
        }
        let ClockBody { now } = body::parse(content_type, bytes)?;
        self.ledger.advance(now).map_err(|refusal| {
            let status = match refusal.rule {
                "clock.not_manual" => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            Problem::of_refusal(status, refusal)
        })?;
        Ok(json(StatusCode::OK, &Clock { now }))
    }
}
