//! Keys and policies: of those who trade nothing here, so that trade goes on under the keys it began with.

use counterfoil::domain::ops::key::{add::Add, recover::Recover, revoke::Revoke, veto::Veto};
use counterfoil::domain::ops::ledger::create::KeyGrant;
use counterfoil::domain::ops::policy::set::Set;
use counterfoil::domain::policy::PolicyRule;
use counterfoil::domain::values::{OpId, PartyId, Power, Role};

use super::super::step::key_of;
use super::super::world::{digest, wire};
use super::{Generator, Move, alone, with};

/// Of one band and one key each.
const POLICIES: [&str; 4] = [
    r#"[]"#,
    r#"[{"bands":[{"keys":[{"power":"maker","count":1}]}]}]"#,
    r#"[{"operations":["key.add","policy.set"],"bands":[{"keys":[{"power":"admin","count":1}]}]}]"#,
    r#"[{"operations":["account.add"],"bands":[{"keys":[{"power":"admin","count":1}]}]},
        {"bands":[{"keys":[{"power":"checker","count":1}]}]}]"#,
];

impl Generator<'_> {
    /// A live key of the party, the first if it is one; else the party's name.
    pub(super) fn a_key(&self, party: PartyId) -> PartyId {
        let keys = self.book.parties.get(&party).map(|party| &party.keys.live);
        let first = keys.filter(|live| !live.contains_key(&party));
        let other = first.and_then(|live| live.keys().next().copied());
        other.unwrap_or(party)
    }

    fn a_guarantor(&mut self) -> Option<PartyId> {
        let parties = self.book.parties.iter();
        let guarantors = parties.filter(|(_, party)| party.roles.contains(&Role::Guarantor));
        self.rng.pick(guarantors.map(|(id, _)| *id))
    }

    fn a_new_key(&mut self) -> (PartyId, KeyGrant) {
        let name = match self.errs() {
            true => self.anybody(),
            false => wire(&format!("x:key-{}", self.number)),
        };
        let powers = match self.rng.between(1, 4) {
            1 => vec![Power::Maker],
            2 => vec![Power::Maker, Power::Checker],
            _ => vec![Power::Admin, Power::Maker],
        };
        let grant = KeyGrant {
            key: key_of(name),
            label: wire("another"),
            person: wire(&name.to_string()),
            powers,
        };
        (name, grant)
    }

    pub(super) fn key_add(&mut self) -> Option<Move> {
        let by = self.a_guarantor()?;
        let (name, key) = self.a_new_key();
        match self.errs() {
            true => alone(by, Add { key }),
            false => with(by, name, Add { key }),
        }
    }

    pub(super) fn key_revoke(&mut self) -> Option<Move> {
        let by = self.a_guarantor()?;
        let live = self.book.parties[&by].keys.live.keys().copied();
        let all: Vec<PartyId> = live.collect();
        let name = match self.errs() {
            true => self.anybody(),
            false => self.rng.pick(all)?,
        };
        alone(by, Revoke { key: key_of(name) })
    }

    pub(super) fn key_recover(&mut self) -> Option<Move> {
        let party = self.a_guarantor()?;
        let (name, mut key) = self.a_new_key();
        key.powers = vec![Power::Admin, Power::Maker];
        let vouched_by = match self.rng.chance(10) {
            true => self.anybody(),
            false => self.cast.tax,
        };
        let body = Recover {
            party,
            key,
            evidence: digest("shown again"),
            vouched_by,
        };
        Some(Move {
            by: self.cast.operator,
            also: vec![vouched_by, name],
            body: body.into(),
        })
    }

    pub(super) fn key_veto(&mut self) -> Option<Move> {
        let parties = self.book.parties.iter();
        let pending = parties.flat_map(|(id, party)| {
            let pending = party.keys.pending.iter();
            pending.map(|one| (*id, one.op))
        });
        let (by, operation) = self.rng.pick(pending)?;
        let operation = if self.errs() {
            OpId([7; 32])
        } else {
            operation
        };
        alone(by, Veto { operation })
    }

    pub(super) fn policy_set(&mut self) -> Option<Move> {
        let by = self.a_guarantor()?;
        let rules = self.rng.pick(POLICIES)?;
        let rules: Vec<PolicyRule> = serde_json::from_str(rules).unwrap();
        alone(by, Set { rules })
    }
}
