//! What every admitted party reads alike: the ledger's own record and its rulebooks; and who it is itself.

use serde::Serialize;
use warp::http::StatusCode;

use super::Api;
use super::list::{Kind, Scanned, written};
use super::problem::Problem;
use super::reply::{Handled, json};
use crate::domain::rows;
use crate::domain::schema;
use crate::domain::values::{Label, Name, PartyId, Power, PublicKey, Role, Scope};

/// Every rulebook, those that are still to come among them.
pub(super) static RULEBOOKS: Kind = Kind {
    plural: "rulebooks",
    columns: &["version", "id", "valid_from", "in_force"],
    filters: &["id", "in_force"],
    days: &["valid_from"],
    instants: &[],
    of_the_past: false,
    sorted_by: None,
    scan: |viewer, _, after, most| {
        let after = after.map(str::parse::<u32>).transpose().map_err(|_| {
            Problem::bad_request("query.after", "`after` is the version of a rulebook")
        })?;
        let books = rows::rulebooks(viewer).into_iter();
        let books = books.filter(|book| after.is_none_or(|after| book.version > after));
        let mut rows: Vec<_> = books
            .map(|book| (book.version.to_string(), written(&book)))
            .collect();
        let more = rows.len() > most;
        rows.truncate(most);
        Ok(Scanned {
            looked: rows.len(),
            next: rows.last().filter(|_| more).map(|(key, _)| key.clone()),
            rows,
        })
    },
    one: |_, _| None,
    schema: schema::shared::<rows::RulebookRow>,
    sees: |_, _| false,
};

/// Whom the session acts for, and by which key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MeRow {
    /// Whom the session acts for.
    party: PartyId,
    /// Its legal name.
    name: Name,
    /// What it may do.
    roles: Vec<Role>,
    /// An authority's scopes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<Scope>,
    /// The key that opened the session.
    key: PublicKey,
    /// What its party calls it.
    label: Label,
    /// Who holds it.
    person: Label,
    /// What it may sign.
    powers: Vec<Power>,
    /// How long the session still lasts, where its key does not end before.
    expires_in_s: u64,
}

impl Api {
    /// `GET /v1/me`: the party, key and end of the session.
    pub(super) async fn me(&self, authorization: Option<&str>) -> Handled {
        let (reader, left) = self.sessions.lasting(authorization)?;
        let row = self.as_party(authorization, |viewer| {
            let party = viewer.state.parties.get(viewer.party)?;
            let key = party.live_key(&reader.key, viewer.time)?;
            Some(MeRow {
                party: party.id,
                name: party.name.clone(),
                roles: party.roles.iter().copied().collect(),
                scopes: party.scopes.iter().copied().collect(),
                key: key.key,
                label: key.label.clone(),
                person: key.person.clone(),
                powers: key.powers.iter().copied().collect(),
                expires_in_s: left.as_secs(),
            })
        });
        let row = row.await?.ok_or_else(Problem::not_found)?;
        Ok(json(StatusCode::OK, &row))
    }

    /// `GET /v1/ledger`: the ledger's own record.
    pub(super) async fn record(&self, authorization: Option<&str>) -> Handled {
        let row = self.as_party(authorization, rows::ledger).await?;
        Ok(json(StatusCode::OK, &row))
    }

    /// `GET /v1/rulebooks/<version>`: a rulebook whole, as it was published.
    pub(super) async fn rulebook(&self, authorization: Option<&str>, version: &str) -> Handled {
        let book = self.as_party(authorization, |viewer| {
            let version = version.parse().ok()?;
            rows::rulebook(viewer, version).map(written)
        });
        let book = book.await?.ok_or_else(Problem::not_found)?;
        Ok(json(StatusCode::OK, &book))
    }
}
