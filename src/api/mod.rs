//! The ledger over HTTP: routes over one accept loop, sessions, problems, lists.
//!
//! This folder decides nothing: what becomes of an operation is the pipeline's answer, and what a party reads is a
//! row of the domain. It knows no rule, no key and no file but the certificate's.

mod batch;
mod body;
pub mod codes;
mod connections;
mod cookie;
mod csv;
mod docs;
mod due;
mod entries;
mod feed;
mod following;
pub mod list;
pub mod manual;
mod metrics;
pub mod openapi;
mod operations;
mod past;
mod peer;
pub mod problem;
mod proofs;
pub mod query;
mod quota;
mod rates;
mod reads;
mod register;
mod reply;
mod routes;
pub mod server;
pub mod session;
mod status;
mod streams;
mod tls;
mod watch;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::domain::visibility::Viewer;
use crate::ledger::Ledger;

pub use problem::Problem;
pub use server::{Limits, Server};
pub use session::Sessions;
pub use tls::{Tls, TlsError};

/// Most batches at once, from the first byte of the body to the last of the answers: each may hold 16 MiB and 10,000 answers.
const BATCHES_MAX: usize = 8;
/// Most checks of one party in a minute: the rows of a file are checked one by one before they are signed.
const CHECKS_MAX: u32 = 1_200;

/// Most reads of the past of one party in a minute.
const PASTS_MAX: u32 = 60;

/// What every request is answered from.
pub struct Api {
    ledger: Ledger,
    /// Whether it is for trying things out, which every receipt says.
    drill: bool,
    /// Whether the newest checkpoint is the newest that a quorum of witnesses cosigned.
    witnessed: bool,
    audience: String,
    sessions: Sessions,
    checks: quota::Quota,
    pasts: quota::Quota,
    batches: Arc<batch::Rooms>,
    streams: Arc<streams::Streams>,
}

impl Api {
    /// The API of a ledger. `audience` is the origin under which clients reach it, such as `https://ledger.example`:
    /// requests for sessions name it. Fails only when the system has no random numbers.
    pub fn new(ledger: Ledger, audience: impl Into<String>) -> Result<Api, getrandom::Error> {
        Ok(Api {
            drill: ledger.ready().drill,
            witnessed: false,
            ledger,
            audience: audience.into(),
            sessions: Sessions::new()?,
            checks: quota::Quota::new("checks", CHECKS_MAX),
            pasts: quota::Quota::new("reads of the past", PASTS_MAX),
            batches: Arc::new(batch::Rooms::new(BATCHES_MAX)),
            streams: Arc::default(),
        })
    }

    /// Shows everybody the checkpoints alone that a quorum of witnesses cosigned, where its policy asks for one.
    #[must_use]
    pub fn witnessed(self, witnessed: bool) -> Api {
        Api { witnessed, ..self }
    }

    /// Looks at the head as the party whose session the `Authorization` header shows.
    async fn as_party<R>(
        &self,
        authorization: Option<&str>,
        look: impl FnOnce(&Viewer<'_>) -> R,
    ) -> Result<R, Problem> {
        let reader = self.sessions.reader(authorization)?;
        let found = self.ledger.read(|at| {
            let viewer = reader.view(at.state, at.time)?;
            Ok(look(&viewer))
        });
        found.await.map_err(|_| status::stopped())?
    }
}
