//! A party: a legal entity that was admitted, with its keys.

use std::collections::BTreeSet;

use crate::domain::refusal::{Refusal, ensure};
use crate::domain::table::Object;
use crate::domain::values::{
    Day, Digest, Instant, Label, Name, PartyId, Power, PublicKey, Role, Scope, Size,
};

/// One signing key of a party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyKey {
    /// The key: its party's for ever.
    pub key: PublicKey,
    /// What the party calls it.
    pub label: Label,
    /// The person who holds it.
    pub person: Label,
    /// What it may sign.
    pub powers: BTreeSet<Power>,
    /// Live from here on.
    pub from: Instant,
}

/// An admitted party.
#[derive(Debug, Clone, PartialEq)]
pub struct Party {
    /// The identifier it acts under.
    pub id: PartyId,
    /// Its other identifiers: one legal entity is one party.
    pub aliases: BTreeSet<PartyId>,
    /// Its legal name.
    pub name: Name,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// Which powers an authority has.
    pub scopes: BTreeSet<Scope>,
    /// Its size class, where it has one.
    pub size: Option<Size>,
    /// Since when.
    pub admitted: Instant,
    /// The last day of its identification; from the next on it takes no new obligation.
    pub kyc_valid_to: Option<Day>,
    /// Digest of what binds its key to its identifier.
    pub evidence: Option<Digest>,
    /// Digest of the platform agreement it signed.
    pub agreement: Option<Digest>,
    /// Its keys, in order of admission.
    pub keys: Vec<PartyKey>,
}

/// What a party is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartyLink {
    /// One of its keys.
    Key(PublicKey),
    /// One of its identifiers, the first among them.
    Alias(PartyId),
    /// One of its roles.
    Role(Role),
}

impl Object for Party {
    type Id = PartyId;
    type Key = PartyLink;

    fn id(&self) -> PartyId {
        self.id
    }

    fn keys(&self) -> Vec<PartyLink> {
        let keys = self.keys.iter().map(|key| PartyLink::Key(key.key));
        let aliases = self
            .aliases
            .iter()
            .chain([&self.id])
            .map(|id| PartyLink::Alias(*id));
        keys.chain(aliases)
            .chain(self.roles.iter().map(|role| PartyLink::Role(*role)))
            .collect()
    }
}

impl Party {
    /// Whether it has the role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether it is an authority with the scope.
    pub fn has_scope(&self, scope: Scope) -> bool {
        self.is(Role::Authority) && self.scopes.contains(&scope)
    }

    /// The party, if it has the role.
    pub fn with_role(&self, role: Role) -> Result<&Party, Refusal> {
        ensure(self.is(role), || {
            Refusal::new(
                "party.role",
                "the party does not have the role that this takes",
            )
            .input("party", self.id)
            .input("role", role.as_str())
        })?;
        Ok(self)
    }

    /// The party, if it may take new obligations on `today`: `kyc_valid_to`'s lapse stops them.
    pub fn may_take_obligations(&self, today: Day) -> Result<&Party, Refusal> {
        ensure(self.kyc_valid_to.is_none_or(|last| today <= last), || {
            Refusal::new(
                "party.kyc_lapsed",
                "the party's identification has lapsed, so it takes no new obligation",
            )
            .input("party", self.id)
            .remedy("the operator renews the party's identification")
        })?;
        Ok(self)
    }

    /// The key, if it is one of this party's and live at `time`.
    pub fn live_key(&self, key: &PublicKey, time: Instant) -> Option<&PartyKey> {
        self.keys
            .iter()
            .find(|own| own.key == *key && own.from <= time)
    }
}
