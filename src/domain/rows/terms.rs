//! What a confirmation said, as everybody who holds, held or is offered its fens reads it.

use serde::Serialize;

use crate::domain::objects::{Confirmed, DefenceKind, Defences};
use crate::domain::values::{Amount, Currency, Day, Instant};
use crate::domain::visibility::Viewer;

/// A debtor's confirmation.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ConfirmationRow {
    /// When.
    pub at: Instant,
    /// How much: the fens are `[0, face)`.
    pub face: Amount,
    /// The day it is due.
    pub due: Day,
    /// The debtor's defences.
    pub defences: DefencesRow,
}

/// A debtor's defences: nothing is waived unless named.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DefencesRow {
    /// Given up.
    pub waived: Vec<DefenceKind>,
    /// Expressly kept.
    pub reserved: Vec<ReservedRow>,
}

/// A defence that the debtor keeps.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ReservedRow {
    /// Which.
    pub kind: DefenceKind,
    /// At most this much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<Amount>,
    /// Until that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

impl ConfirmationRow {
    pub(super) fn of(confirmed: &Confirmed, currency: Currency, viewer: &Viewer<'_>) -> Self {
        ConfirmationRow {
            at: confirmed.at,
            face: viewer.amount(confirmed.face, currency),
            due: confirmed.due,
            defences: DefencesRow::of(&confirmed.defences, currency, viewer),
        }
    }
}

impl DefencesRow {
    pub(super) fn of(defences: &Defences, currency: Currency, viewer: &Viewer<'_>) -> Self {
        let reserved = defences.reserved.iter().map(|kept| ReservedRow {
            kind: kept.kind,
            cap: kept.cap.map(|cap| viewer.amount(cap, currency)),
            until: kept.until,
        });
        DefencesRow {
            waived: defences.waived.clone(),
            reserved: reserved.collect(),
        }
    }
}
