//! An account, which its party and its bank read alike.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{Account, AccountState};
use crate::domain::values::{AccountId, Currency, Instant, Label, PartyId};
use crate::domain::visibility::Viewer;

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountWord {
    /// Waits for its bank.
    Added,
    /// Its bank did not attest it in time.
    Expired,
    /// Attested, and still cooling.
    Cooling,
    /// Usable.
    Usable,
    /// Closed.
    Closed,
}

/// An account.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// Where it stands.
    pub state: AccountWord,
    /// Whose.
    pub party: PartyId,
    /// The party that services it.
    pub bank: PartyId,
    /// Its number at the bank.
    pub number: Label,
    /// Its currency.
    pub currency: Currency,
    /// Whether its party's fens are paid to it.
    pub default: bool,
    /// The bank's attestation is awaited until here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attest_by: Option<Instant>,
    /// Usable from here on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usable: Option<Instant>,
    /// Closed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Instant>,
}

impl Shown for Account {
    type Row = AccountRow;

    fn row(&self, viewer: &Viewer<'_>) -> AccountRow {
        let mut row = AccountRow {
            id: self.id,
            state: AccountWord::Added,
            party: self.party,
            bank: self.bank,
            number: self.number.clone(),
            currency: self.currency,
            default: self.default,
            attest_by: None,
            usable: None,
            closed: None,
        };
        match self.state {
            AccountState::Added { ends } => {
                row.attest_by = Some(ends);
                if ends <= viewer.time {
                    row.state = AccountWord::Expired;
                }
            }
            AccountState::Attested { usable } => {
                row.usable = Some(usable);
                row.state = match self.usable_since(viewer.time) {
                    Some(_) => AccountWord::Usable,
                    None => AccountWord::Cooling,
                };
            }
            AccountState::Closed(at) => {
                row.closed = Some(at);
                row.state = AccountWord::Closed;
            }
        }
        row
    }
}
