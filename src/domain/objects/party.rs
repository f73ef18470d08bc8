//! A party: a legal entity that was admitted, with its keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::head::Head;
use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::policy::Policy;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::table::Object;
use crate::domain::values::{
    Currency, Day, Digest, Fen, Instant, Label, Name, OpId, PartyId, Power, PublicKey, Reason,
    Role, Scope, Size, UtcOffset,
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
    /// And live no more from here on. A key whose end is its beginning never lived.
    pub until: Option<Instant>,
}

/// A policy and when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedPolicy {
    /// In force from here on.
    pub from: Instant,
    /// The operation that set it.
    pub op: OpId,
    /// What it asks.
    pub policy: Policy,
}

/// What a change of keys or policy does when it takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChange {
    /// A key begins.
    Add(PublicKey),
    /// A key ends.
    Revoke(PublicKey),
    /// Another policy is in force.
    Policy,
    /// Every earlier key and policy ends, and this key begins.
    Recover(PublicKey),
}

/// A change of keys or policy that any admin key of the party can veto until it takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingChange {
    /// The operation that asked for it.
    pub op: OpId,
    /// When it takes effect.
    pub effective: Instant,
    /// What then happens.
    pub change: KeyChange,
    /// Whether it was vetoed.
    pub vetoed: bool,
}

/// A time in which a party takes no new obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// Why.
    pub reason: Reason,
    /// From here on: what was begun before runs out normally.
    pub from: Instant,
    /// Until here.
    pub ends: Instant,
    /// Where the days begin that the operator may decide on alone: suspensions that follow one another count as one.
    pub counted_from: Instant,
    /// Whether an authority signed it.
    pub by_authority: bool,
}

impl Suspension {
    /// Whether it is in force at `time`.
    pub fn holds(&self, time: Instant) -> bool {
        self.from <= time && time < self.ends
    }
}

/// What a party's operations of a kind came to on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayTotal {
    /// The legal day.
    pub day: Day,
    /// The sum.
    pub fen: Fen,
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
    /// Since when it has been a lender, where it is one.
    pub lender_since: Option<Instant>,
    /// The last day of its identification; from the next on it takes no new obligation.
    pub kyc_valid_to: Option<Day>,
    /// Digest of what binds its key to its identifier.
    pub evidence: Option<Digest>,
    /// Digest of the platform agreement it signed.
    pub agreement: Option<Digest>,
    /// Its keys, in order of admission.
    pub keys: Vec<PartyKey>,
    /// Its policies, in order of their beginning: the one in force and those to come.
    pub policies: Vec<DatedPolicy>,
    /// When its keys were recovered: every key that began before ends there, and every policy.
    pub recovered: Vec<Instant>,
    /// Changes of keys and policy that had not taken effect when the last was asked for.
    pub changes: Vec<PendingChange>,
    /// Its latest suspension, which may have ended.
    pub suspension: Option<Suspension>,
    /// What its operations came to by name and currency, on the last day that its policy counted them.
    pub totals: BTreeMap<(&'static str, Currency), DayTotal>,
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

    fn notices(&self, offset: UtcOffset) -> Vec<Notice> {
        let changes = self.changes.iter().filter(|change| !change.vetoed);
        let in_force =
            changes.map(|change| Notice::to(change.effective, NoticeWord::InForce, [self.id]));
        let known = self.kyc_valid_to.iter();
        let lapsed =
            known.map(|last| Notice::to(offset.end_of(*last), NoticeWord::Lapsed, [self.id]));
        let suspended = self.suspension.iter();
        let ended =
            suspended.map(|one| Notice::to(one.ends, NoticeWord::SuspensionEnded, [self.id]));
        in_force.chain(lapsed).chain(ended).collect()
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

    /// The party, unless it is the operator, whom nobody admits, amends or suspends.
    pub fn not_operator(&self) -> Result<&Party, Refusal> {
        ensure(!self.is(Role::Operator), || {
            Refusal::new(
                "party.operator",
                "the operator is the party of ledger.create alone",
            )
            .input("party", self.id)
        })?;
        Ok(self)
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

    /// The party, if it may take new obligations now: neither has its identification lapsed nor is it suspended.
    pub fn may_take_obligations(&self, at: &Head<'_>) -> Result<&Party, Refusal> {
        self.may_go_on(at, at.time)
    }

    /// The party, if it may take an obligation that was begun at `begun`: what was open when a suspension began runs
    /// out normally.
    pub fn may_go_on(&self, at: &Head<'_>, begun: Instant) -> Result<&Party, Refusal> {
        let today = at.today()?;
        ensure(self.kyc_valid_to.is_none_or(|last| today <= last), || {
            Refusal::new(
                "party.kyc_lapsed",
                "the party's identification has lapsed, so it takes no new obligation",
            )
            .input("party", self.id)
            .remedy("the operator renews the party's identification")
        })?;
        let suspension = self.suspension.as_ref();
        let bars = suspension.filter(|one| one.holds(at.time) && one.from <= begun);
        ensure(bars.is_none(), || {
            Refusal::new(
                "party.suspended",
                "the party is suspended, so it takes no new obligation",
            )
            .input("party", self.id)
            .remedy("wait until the suspension ends, or the operator reinstates the party")
        })?;
        Ok(self)
    }

    /// The key, if it is one of this party's and live at `time`.
    pub fn live_key(&self, key: &PublicKey, time: Instant) -> Option<&PartyKey> {
        self.keys
            .iter()
            .find(|own| own.key == *key && self.is_live(own, time))
    }

    /// Its keys that are live at `time`.
    pub fn live_keys(&self, time: Instant) -> impl Iterator<Item = &PartyKey> {
        self.keys.iter().filter(move |key| self.is_live(key, time))
    }

    /// The instant at which a key ends or ended, if one is known: its own end or the next recovery.
    pub fn end_of(&self, key: &PartyKey) -> Option<Instant> {
        let recovered = self.recovered.iter().find(|at| key.from < **at).copied();
        key.until.into_iter().chain(recovered).min()
    }

    fn is_live(&self, key: &PartyKey, time: Instant) -> bool {
        key.from <= time && self.end_of(key).is_none_or(|end| time < end)
    }

    /// The policy in force at `time`, if it has one.
    pub fn policy(&self, time: Instant) -> Option<&Policy> {
        let newest = self
            .policies
            .iter()
            .rev()
            .find(|dated| dated.from <= time)?;
        let ended = self
            .recovered
            .iter()
            .any(|at| newest.from < *at && *at <= time);
        (!ended).then_some(&newest.policy)
    }

    /// The policy in force at `time` and those to come.
    pub fn policies_from(&self, time: Instant) -> impl Iterator<Item = &Policy> {
        let to_come = self.policies.iter().filter(move |dated| dated.from > time);
        let to_come = to_come.map(|dated| &dated.policy);
        self.policy(time).into_iter().chain(to_come)
    }

    /// The changes that wait at `time` for their effect and can be vetoed.
    pub fn pending(&self, time: Instant) -> impl Iterator<Item = &PendingChange> {
        self.changes
            .iter()
            .filter(move |change| !change.vetoed && change.effective > time)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::domain::testing::{SUPPLIER, World, id};

    #[rstest]
    #[case::before_it_begins(-1, Some(2), None, false)]
    #[case::as_it_begins(0, Some(2), None, true)]
    #[case::as_it_ends(2, Some(2), None, false)]
    #[case::after_its_end(3, Some(2), None, false)]
    #[case::without_an_end(3, None, None, true)]
    #[case::that_never_lived(0, Some(0), None, false)]
    #[case::before_a_recovery(0, None, Some(1), true)]
    #[case::as_it_is_recovered(1, None, Some(1), false)]
    #[case::brought_in_by_the_recovery(0, None, Some(0), true)]
    fn a_key_signs_from_its_beginning_and_before_its_end(
        #[case] day: i64,
        #[case] until: Option<i64>,
        #[case] recovered: Option<i64>,
        #[case] live: bool,
    ) {
        let world = World::new();
        let mut party = world
            .state
            .parties
            .get(id(SUPPLIER))
            .expect("admitted")
            .clone();
        let start = world.time;
        party.keys[0].from = start;
        party.keys[0].until = until.map(|days| start.plus_days(days));
        party.recovered = recovered
            .map(|days| start.plus_days(days))
            .into_iter()
            .collect();
        let key = party.keys[0].key;
        assert_eq!(party.live_key(&key, start.plus_days(day)).is_some(), live);
    }
}
