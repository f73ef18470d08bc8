//! Keys and policies of a party. What is asked for happens when its time has come, unless it was vetoed.

use counterfoil::domain::ops::key::{add::Add, recover::Recover};
use counterfoil::domain::ops::policy::set::Set;
use counterfoil::domain::policy::PolicyRule;
use counterfoil::domain::values::{OpId, PartyId, Power, PublicKey, Role};

use super::super::book::{AccountState, Book, Change, Keys, Pending};
use super::super::days::{DAY, Time};
use super::super::step::{Body, Step, key_of};
use super::{Faults, Verdict};

const MAKER_OR_ADMIN: [Power; 2] = [Power::Maker, Power::Admin];

impl Keys {
    /// The key that a party is admitted with.
    pub(in super::super) fn first(party: PartyId) -> Keys {
        Keys {
            live: [(party, MAKER_OR_ADMIN.into())].into(),
            ever: vec![key_of(party)],
            rules: Vec::new(),
            pending: Vec::new(),
            asked: Vec::new(),
        }
    }

    pub(in super::super) fn pass_time(&mut self, now: Time) {
        self.asked.retain(|at| *at > now);
        while self.pending.first().is_some_and(|one| one.at <= now) {
            match self.pending.remove(0).change {
                Change::Add(name, powers) => _ = self.live.insert(name, powers),
                Change::Revoke(name) => _ = self.live.remove(&name),
                Change::Policy(rules) => self.rules = rules,
                Change::Recover(name, powers) => {
                    self.live = [(name, powers)].into();
                    self.rules.clear();
                }
            }
        }
    }

    fn ask(&mut self, op: OpId, at: Time, change: Change) {
        self.asked.push(at);
        self.pending.push(Pending { op, at, change });
        self.pending.sort_by_key(|one| one.at);
    }

    fn recovering(&self) -> bool {
        let mut pending = self.pending.iter();
        pending.any(|one| matches!(one.change, Change::Recover(..)))
    }

    /// Whether a key with the power would still be there when all that waits has happened.
    fn lasts(&self, power: Power, without: Option<PublicKey>) -> bool {
        let ends = |name: &PartyId| {
            let mut pending = self.pending.iter();
            pending.any(|one| matches!(one.change, Change::Revoke(gone) if gone == *name))
        };
        let mut live = self.live.iter();
        live.any(|(name, powers)| {
            powers.contains(&power) && !ends(name) && Some(key_of(*name)) != without
        })
    }

    fn lasting_for(&self, rules: &[PolicyRule], without: Option<PublicKey>) -> bool {
        let asked = rules.iter().map(power_of).chain([Power::Admin]);
        asked.into_iter().all(|power| self.lasts(power, without))
    }

    /// What the policy asks for an operation, where it asks anything.
    pub(super) fn rule_for(&self, operation: &str) -> Option<Power> {
        let names = |rule: &&PolicyRule| {
            let mut names = rule.operations.iter();
            names.any(|name| name.to_string() == operation)
        };
        let general = self.rules.iter().find(|rule| rule.operations.is_empty());
        self.rules.iter().find(names).or(general).map(power_of)
    }

    fn sign(&self, step: &Step, power: Power) -> usize {
        let signers = step
            .signers
            .iter()
            .collect::<std::collections::BTreeSet<_>>();
        let powers = signers.into_iter().filter_map(|name| self.live.get(name));
        powers.filter(|powers| powers.contains(&power)).count()
    }

    pub(super) fn usual(&self, step: &Step) -> bool {
        match self.rule_for(step.body.name()) {
            Some(power) => self.sign(step, power) > 0,
            None => MAKER_OR_ADMIN
                .iter()
                .any(|power| self.sign(step, *power) > 0),
        }
    }

    /// What the acting party's keys have to satisfy.
    pub(super) fn satisfied(&self, step: &Step) -> bool {
        let admins = self.sign(step, Power::Admin);
        match step.body {
            Body::KeyVeto(_) => admins > 0,
            Body::KeyAdd(_) | Body::KeyRevoke(_) | Body::PolicySet(_) | Body::LedgerRekey(_) => {
                let mut rules = self.rules.iter();
                admins > 0 && rules.all(|rule| self.sign(step, power_of(rule)) > 0)
            }
            Body::AccountAdd(_) | Body::AccountClose(_) => {
                let powers = self.live.values();
                let there = powers
                    .filter(|powers| powers.contains(&Power::Admin))
                    .count();
                admins >= there.clamp(1, 2) && self.usual(step)
            }
            _ => self.usual(step),
        }
    }
}

/// The one power that a rule of the histories asks for: they have one band, of one key.
fn power_of(rule: &PolicyRule) -> Power {
    rule.bands[0].keys[0].power
}

impl Book {
    pub(super) fn has_key(&self, key: PublicKey) -> bool {
        let mut parties = self.parties.values();
        let ledgers = self.ledger_keys.iter().any(|(_, own)| *own == key);
        ledgers || parties.any(|party| party.keys.ever.contains(&key))
    }

    /// The keys of the acting party, if they may be changed.
    fn changeable(&self, by: PartyId, faults: &mut Faults) -> &Keys {
        let keys = &self.parties[&by].keys;
        faults.unless(!keys.recovering(), "key.recovering");
        faults.unless(keys.asked.len() < 16, "key.many_changes");
        keys
    }

    fn ask(&mut self, party: PartyId, at: Time, change: Change) {
        let op = self.op;
        let keys = &mut self.parties.get_mut(&party).unwrap().keys;
        if let Change::Add(name, _) | Change::Recover(name, _) = change {
            keys.ever.push(key_of(name));
        }
        keys.ask(op, at, change);
    }

    pub(super) fn key_add(&mut self, by: PartyId, body: &Add, name: PartyId) -> Verdict {
        let mut faults = Faults::default();
        self.changeable(by, &mut faults);
        faults.unless(!self.has_key(body.key.key), "key.taken");
        faults.verdict()?;
        let powers = body.key.powers.iter().copied().collect();
        self.ask(by, self.now + DAY, Change::Add(name, powers));
        Ok(())
    }

    pub(super) fn key_revoke(&mut self, by: PartyId, key: PublicKey) -> Verdict {
        let mut faults = Faults::default();
        let keys = self.changeable(by, &mut faults);
        let name = keys.live.keys().copied().find(|name| key_of(*name) == key);
        let ends = |name: PartyId| {
            let mut pending = keys.pending.iter();
            pending.any(|one| matches!(one.change, Change::Revoke(gone) if gone == name))
        };
        faults.unless(name.is_some_and(|name| !ends(name)), "key.not_live");
        let to_come = keys.pending.iter().filter_map(|one| match &one.change {
            Change::Policy(rules) => Some(rules),
            _ => None,
        });
        let met = to_come
            .chain([&keys.rules])
            .all(|rules| keys.lasting_for(rules, Some(key)));
        faults.unless(met, "policy.unmeetable");
        faults.verdict()?;
        self.ask(by, self.now + DAY, Change::Revoke(name.unwrap()));
        Ok(())
    }

    pub(super) fn key_recover(&mut self, by: PartyId, body: &Recover, name: PartyId) -> Verdict {
        let mut faults = Faults::default();
        faults.unless(self.is(by, Role::Operator), "party.role");
        self.party(body.party)?;
        self.changeable(body.party, &mut faults);
        faults.unless(!self.has_key(body.key.key), "key.taken");
        let bank = self.accounts.values().any(|account| {
            let attested = matches!(account.state, AccountState::Attested(_));
            attested && account.party == body.party && account.bank == body.vouched_by
        });
        let vouches = self.is(body.vouched_by, Role::Authority) || bank;
        let others = body.party != by && ![by, body.party].contains(&body.vouched_by);
        faults.unless(vouches && others, "key.voucher");
        faults.verdict()?;
        let powers = body.key.powers.iter().copied().collect();
        let change = Change::Recover(name, powers);
        self.ask(body.party, self.now + 7 * DAY, change);
        Ok(())
    }

    pub(super) fn key_veto(&mut self, by: PartyId, operation: OpId) -> Verdict {
        let keys = &mut self.parties.get_mut(&by).unwrap().keys;
        let before = keys.pending.len();
        keys.pending.retain(|one| one.op != operation);
        match keys.pending.len() < before {
            true => Ok(()),
            false => Err(vec!["key.not_pending"]),
        }
    }

    pub(super) fn policy_set(&mut self, by: PartyId, body: &Set) -> Verdict {
        let mut faults = Faults::default();
        let keys = self.changeable(by, &mut faults);
        let met = keys.lasting_for(&body.rules, None);
        faults.unless(met, "policy.unmeetable");
        faults.verdict()?;
        self.ask(by, self.now + DAY, Change::Policy(body.rules.clone()));
        Ok(())
    }
}
