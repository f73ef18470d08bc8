//! A party's bank account, which only its servicing bank's word makes usable.

use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::table::Object;
use crate::domain::values::{AccountId, Currency, Instant, Label, PartyId, UtcOffset};

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// Waits for its bank until the instant.
    Added {
        /// From here on the proposal is no more.
        ends: Instant,
    },
    /// Its bank attested it.
    Attested {
        /// Usable from here on, when it has cooled.
        usable: Instant,
    },
    /// Closed since.
    Closed(Instant),
}

/// An account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whose.
    pub party: PartyId,
    /// The party that services it.
    pub bank: PartyId,
    /// Its number at the bank (an IBAN where the country has it).
    pub number: Label,
    /// Its currency.
    pub currency: Currency,
    /// Whether its party's fens are paid to it once it is usable.
    pub default: bool,
    /// Where it stands.
    pub state: AccountState,
}

/// What an account is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountKey {
    /// Its party.
    Party(PartyId),
    /// Its bank.
    Bank(PartyId),
    /// Its party and currency.
    Of(PartyId, Currency),
}

impl Object for Account {
    type Id = AccountId;
    type Key = AccountKey;

    fn id(&self) -> AccountId {
        self.id
    }

    fn keys(&self) -> Vec<AccountKey> {
        vec![
            AccountKey::Party(self.party),
            AccountKey::Bank(self.bank),
            AccountKey::Of(self.party, self.currency),
        ]
    }

    fn notices(&self, _: UtcOffset) -> Vec<Notice> {
        let parties = [self.party, self.bank];
        match self.state {
            AccountState::Added { ends } => vec![Notice::to(ends, NoticeWord::Expired, parties)],
            AccountState::Attested { usable } => {
                vec![Notice::to(usable, NoticeWord::Usable, parties)]
            }
            AccountState::Closed(_) => Vec::new(),
        }
    }
}

impl Account {
    /// Whether it waits for its bank at `time`.
    pub fn waits(&self, time: Instant) -> bool {
        matches!(self.state, AccountState::Added { ends } if ends > time)
    }

    /// Since when it has been usable at `time`, if it is.
    pub fn usable_since(&self, time: Instant) -> Option<Instant> {
        match self.state {
            AccountState::Attested { usable } if usable <= time => Some(usable),
            _ => None,
        }
    }
}
