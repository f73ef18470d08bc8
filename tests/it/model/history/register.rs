//! What the operator does to the register and to the rules.

use std::sync::OnceLock;

use counterfoil::domain::ops::ledger::{rekey::Rekey, upgrade::Upgrade};
use counterfoil::domain::ops::party::{amend::Amend, reinstate::Reinstate, suspend::Suspend};
use counterfoil::domain::ops::rulebook::publish::Publish;
use counterfoil::domain::rulebook::Rulebook;
use counterfoil::domain::values::{PartyId, Role, Size};

use super::super::days::DAY;
use super::super::step::{key_of, vkey_of};
use super::super::world::{digest, rulebooks, wire};
use super::{Generator, Move, alone, day, instant};

impl Generator<'_> {
    /// The operator, most often.
    fn operator(&mut self) -> PartyId {
        match self.errs() {
            true => self.anybody(),
            false => self.cast.operator,
        }
    }

    fn signed_by(by: PartyId, also: Vec<PartyId>, body: impl Into<super::Body>) -> Option<Move> {
        let body = body.into();
        Some(Move { by, also, body })
    }

    pub(super) fn party_amend(&mut self) -> Option<Move> {
        let by = self.operator();
        let party = self.anybody();
        let record = self.book.parties.get(&party)?;
        let mut roles: Vec<Role> = record.roles.iter().copied().collect();
        match self.rng.between(1, 12) {
            1 => roles = vec![Role::Guarantor],
            2 => roles.retain(|role| *role != Role::Lender),
            3 => roles.reverse(),
            4 => roles.push(Role::Operator),
            _ => {}
        }
        let trades = roles.contains(&Role::Supplier) || roles.contains(&Role::Debtor);
        let vouched_by = match self.rng.between(1, 12) {
            1 => None,
            2 => Some(self.anybody()),
            3 => Some(party),
            _ => Some(self.cast.tax),
        };
        let authority = roles.contains(&Role::Authority) || self.errs();
        let scopes = record.scopes.iter().copied().filter(|_| authority);
        let days = self.rng.between(-5, 200);
        let body = Amend {
            party,
            aliases: Vec::new(),
            name: wire(&format!("Party {}", self.number)),
            scopes: scopes.collect(),
            size: (trades && !self.errs()).then_some(Size::Small),
            roles,
            evidence: digest(&format!("evidence {}", self.number)),
            kyc_valid_to: day(self.today() + days),
            vouched_by,
        };
        let also = [party].into_iter().chain(vouched_by);
        Self::signed_by(by, also.collect(), body)
    }

    pub(super) fn party_suspend(&mut self) -> Option<Move> {
        let by = self.operator();
        let suspended = self.book.parties.iter();
        let suspended = suspended.filter(|(_, one)| one.suspension.is_some());
        let again = self.rng.pick(suspended.map(|(id, _)| *id));
        let party = match again {
            Some(party) if self.rng.chance(50) => party,
            _ => self.anybody(),
        };
        let authority = self.authority(30);
        let days = match self.rng.between(1, 8) {
            1 => 31,
            2 => 30,
            3 => self.rng.between(-1, 400),
            _ => self.rng.between(1, 20),
        };
        let body = Suspend {
            party,
            reason: wire("documents do not agree"),
            ends: instant(self.book.now + days * DAY),
            authority,
        };
        Self::signed_by(by, authority.into_iter().collect(), body)
    }

    pub(super) fn party_reinstate(&mut self) -> Option<Move> {
        let by = self.operator();
        let (careless, now) = (self.rng.chance(10), self.book.now);
        let suspended = self
            .book
            .parties
            .iter()
            .filter(|(_, one)| careless || one.suspension.is_some_and(|one| one.ends > now));
        let party = self.rng.pick(suspended.map(|(id, _)| *id))?;
        let authority = self.authority(50);
        let body = Reinstate { party, authority };
        Self::signed_by(by, authority.into_iter().collect(), body)
    }

    fn authority(&mut self, percent: i64) -> Option<PartyId> {
        let authority = match self.errs() {
            true => self.anybody(),
            false => self.cast.tax,
        };
        self.rng.chance(percent).then_some(authority)
    }

    /// With other numbers than any before.
    pub(super) fn rulebook_publish(&mut self) -> Option<Move> {
        static BOOKS: OnceLock<[Rulebook; 2]> = OnceLock::new();
        let by = self.operator();
        let mut rulebook = self.rng.pick(BOOKS.get_or_init(rulebooks))?.clone();
        rulebook.version = self.book.editions.len() as u32 + if self.errs() { 0 } else { 1 };
        let authority = self.authority(50);
        let days = match authority {
            Some(_) => self.rng.between(0, 3),
            None => self.rng.between(6, 12),
        };
        rulebook.valid_from = day(self.today() + days);
        let least = if self.errs() { 0 } else { 1 };
        let unit = self.rng.between(least, 4) as u64;
        let (hops, cut_off) = (self.rng.between(1, 4), self.rng.between(1, 6));
        let (cooling, leg) = (self.rng.between(0, 4), self.rng.between(1, 4));
        let (reveal, months) = (self.rng.between(1, 20), self.rng.between(2, 5));
        let government = self.rng.between(15, 30);
        let rules = &mut rulebook.rules;
        rules.claim_unit.params.fen = unit;
        rules.claim_depth.params.hops_at_most = hops as u32;
        rules.claim_cutoff.params.business_days_before_due = cut_off as u32;
        rules.account_cooling.params.days = cooling as u32;
        rules.leg_days.params.business_days = leg as u32;
        rules.reveal.params.hours = reveal as u32;
        rules.voucher_term.params.months_in_principle = months as u32;
        rules.sme_term.params.government_days = government as u32;
        if self.errs() {
            rulebook.currencies = serde_json::from_str(r#"{"CNY":2}"#).unwrap();
        }
        let body = Publish {
            rulebook,
            authority,
        };
        Self::signed_by(by, authority.into_iter().collect(), body)
    }

    pub(super) fn ledger_upgrade(&mut self) -> Option<Move> {
        let by = self.operator();
        let engine = self.book.engine + if self.errs() { 2 } else { 1 };
        let known = engine <= 2 || self.rng.chance(10);
        alone(by, Upgrade { engine }).filter(|_| known)
    }

    /// To a key of nobody; now and then to somebody's, or to what is none.
    pub(super) fn ledger_rekey(&mut self) -> Option<Move> {
        let by = self.operator();
        let name = match self.errs() {
            true => self.anybody(),
            false => wire(&format!("x:ledger-{}", self.number)),
        };
        let mut vkey = vkey_of(key_of(name));
        if self.errs() {
            vkey = vkey.replace("AQ", "AR");
            vkey.push('A');
        }
        let body = Rekey {
            new_vkey: wire(&vkey),
        };
        Self::signed_by(by, vec![name], body)
    }
}
