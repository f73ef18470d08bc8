//! Where a read looks: at the head, or at what the first entries had led to.

use super::problem::Problem;
use super::{Api, status};
use crate::domain::values::PartyId;
use crate::domain::visibility::Viewer;
use crate::ledger::{Past, PastError};

/// What a read looks at, and who reads.
#[derive(Debug)]
pub(super) enum Source<'a> {
    /// The head, as the party whose session the `Authorization` header shows: looked up again each time.
    Head(Option<&'a str>),
    /// What had been, as the party that it is and was.
    Past(Past, PartyId),
}

impl Api {
    /// The head, or what the first `as_of` entries had led to. A party reads there what it might have read then.
    pub(super) async fn source<'a>(
        &self,
        authorization: Option<&'a str>,
        as_of: Option<u64>,
    ) -> Result<Source<'a>, Problem> {
        let Some(size) = as_of else {
            return Ok(Source::Head(authorization));
        };
        let reader = self.as_party(authorization, |viewer| (viewer.party, viewer.audits()));
        let (party, audits) = reader.await?;
        self.pasts.take(party)?;
        let past = self.ledger.past(size).await.map_err(problem)?;
        // Who audited once and does no more reads no more of others.
        if viewer(&past, party)?.audits() && !audits {
            return Err(Problem::not_found());
        }
        Ok(Source::Past(past, party))
    }

    /// Looks there as the party.
    pub(super) async fn look<R>(
        &self,
        from: &Source<'_>,
        look: impl FnOnce(&Viewer<'_>) -> R,
    ) -> Result<R, Problem> {
        match from {
            Source::Head(authorization) => self.as_party(*authorization, look).await,
            Source::Past(past, party) => Ok(look(&viewer(past, *party)?)),
        }
    }
}

fn viewer(past: &Past, party: PartyId) -> Result<Viewer<'_>, Problem> {
    let at = past.at().ok_or_else(busy)?;
    Ok(Viewer {
        state: at.state,
        party,
        time: at.time,
    })
}

fn busy() -> Problem {
    problem(PastError::Busy)
}

fn problem(error: PastError) -> Problem {
    match error {
        PastError::Beyond { .. } => Problem::bad_request("query.as_of", error.to_string()),
        PastError::Busy => Problem::unavailable("as_of.busy", error.to_string(), 2),
        PastError::Stopped(_) => status::stopped(),
        PastError::Broken(why) => {
            tracing::error!(%why, "the past cannot be read");
            Problem::unavailable("as_of.broken", "the entries cannot be read again", 60)
        }
    }
}
