//! Who may sign: keys as `ledger.create` and `party.admit` bring them in.

use std::collections::{HashMap, HashSet};

use super::json::Json;
use super::note::Vkey;
use super::payload::Payload;
use super::plain::{admitted, unhex};

type Key = [u8; 32];

/// The parties of the ledger so far.
#[derive(Clone, Default)]
pub(super) struct Register {
    operator: String,
    /// Each key's party, and whether its signature can stand for the party: with the power admin or maker.
    keys: HashMap<Key, (String, bool)>,
    /// Every identifier of every party.
    names: HashSet<String>,
}

/// A key that an entry brings in.
struct Grant {
    key: Key,
    powers: Vec<String>,
}

impl Grant {
    fn read(json: &Json) -> Result<Grant, String> {
        let fields = json.fields(["key", "label", "person", "powers"])?;
        let [key, _, _, powers] = fields.map(|field| field.expect("asked for"));
        let powers: Vec<String> = words(powers)?;
        let order = ["admin", "maker", "checker", "seal"];
        let places: Option<Vec<usize>> = powers
            .iter()
            .map(|power| order.iter().position(|word| word == power))
            .collect();
        if powers.is_empty() || places.is_none_or(|places| !places.is_sorted_by(|a, b| a < b)) {
            return Err("a key's powers are not a sorted list of at least one".to_owned());
        }
        let key = unhex(key.text()?)?;
        Ok(Grant { key, powers })
    }

    fn has(&self, power: &str) -> bool {
        self.powers.iter().any(|own| own == power)
    }
}

fn words(json: &Json) -> Result<Vec<String>, String> {
    json.list()?
        .iter()
        .map(|word| word.text().map(str::to_owned))
        .collect()
}

impl Register {
    /// Takes entry `n`: its signers must be who its operation asks, and the keys it brings in become the party's.
    pub(super) fn follow(
        &mut self,
        n: u64,
        payload: &Payload,
        signers: &[Key],
        vkey: &Vkey,
    ) -> Result<(), String> {
        match (n, payload.op.as_str()) {
            (0, "ledger.create") => self.create(payload, signers, vkey),
            (0, _) => Err("entry 0 is not ledger.create".to_owned()),
            (_, "ledger.create") => Err("ledger.create stands again".to_owned()),
            (_, "party.admit") => self.admit(payload, signers, vkey),
            _ => {
                let known = signers.iter().find(|key| !self.keys.contains_key(*key));
                if let Some(key) = known {
                    return Err(format!("key {} belongs to no party", hex::encode(key)));
                }
                self.signed(&payload.party, signers)
            }
        }
    }

    /// Whether a key that can stand for the party signed.
    fn signed(&self, party: &str, signers: &[Key]) -> Result<(), String> {
        let stands = |key: &Key| {
            let owner = self.keys.get(key);
            owner.is_some_and(|(owner, stands)| *stands && owner == party)
        };
        match signers.iter().any(stands) {
            true => Ok(()),
            false => Err(format!("no admin or maker key of {party} signed")),
        }
    }

    fn create(&mut self, payload: &Payload, signers: &[Key], vkey: &Vkey) -> Result<(), String> {
        let names = [
            "origin",
            "operator",
            "keys",
            "vkey",
            "rulebook",
            "utc_offset",
            "engine",
        ];
        let fields = payload.body.fields(names)?;
        let [origin, _, keys, named, _, _, engine] = fields.map(|field| field.expect("asked for"));
        if origin.text()? != payload.ledger || named.text()? != vkey.text {
            return Err("entry 0 names another ledger or another verifier key".to_owned());
        }
        if engine.number()? != 1 {
            return Err("the engine is not 1".to_owned());
        }
        let grants: Vec<Grant> = keys
            .list()?
            .iter()
            .map(Grant::read)
            .collect::<Result<_, _>>()?;
        if !grants.iter().any(|grant| grant.has("admin")) {
            return Err("no operator key has the power admin".to_owned());
        }
        let mut keys: Vec<Key> = grants.iter().map(|grant| grant.key).collect();
        keys.sort();
        if keys != signers {
            return Err("the signers are not the operator's keys".to_owned());
        }
        self.operator.clone_from(&payload.party);
        self.name(&payload.party)?;
        grants
            .iter()
            .try_for_each(|grant| self.grant(&payload.party, grant, vkey))
    }

    fn admit(&mut self, payload: &Payload, signers: &[Key], vkey: &Vkey) -> Result<(), String> {
        let names = [
            "party",
            "aliases?",
            "name",
            "roles",
            "scopes?",
            "size?",
            "key",
            "evidence",
            "agreement",
            "kyc_valid_to",
            "vouched_by?",
        ];
        let [party, aliases, _, roles, _, _, key, _, _, _, vouched_by] =
            payload.body.fields(names)?;
        let (party, roles) = (
            party.expect("asked for").text()?,
            words(roles.expect("asked for"))?,
        );
        let grant = Grant::read(key.expect("asked for"))?;
        if payload.party != self.operator {
            return Err("only the operator admits".to_owned());
        }
        let mut asked = vec![payload.party.as_str()];
        if let Some(by) = vouched_by {
            asked.push(by.text()?);
        } else if roles
            .iter()
            .any(|r| ["debtor", "lender", "guarantor", "bank"].contains(&r.as_str()))
        {
            return Err("nobody vouches for the party".to_owned());
        }
        for key in signers.iter().filter(|key| **key != grant.key) {
            let owner = self.keys.get(key).map(|(owner, _)| owner.as_str());
            if owner.is_none_or(|owner| !asked.contains(&owner)) {
                return Err(format!("key {} is not asked to sign", hex::encode(key)));
            }
        }
        asked
            .iter()
            .try_for_each(|party| self.signed(party, signers))?;
        if !signers.contains(&grant.key) {
            return Err("the new key does not sign".to_owned());
        }
        if !grant.has("admin") || grant.has("seal") {
            return Err("a party's first key has the power admin and not seal".to_owned());
        }
        self.name(party)?;
        for alias in aliases.map(words).transpose()?.unwrap_or_default() {
            self.name(&alias)?;
        }
        self.grant(party, &grant, vkey)
    }

    fn name(&mut self, name: &str) -> Result<(), String> {
        match self.names.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(format!("{name} is a party already")),
        }
    }

    fn grant(&mut self, party: &str, grant: &Grant, vkey: &Vkey) -> Result<(), String> {
        let key = hex::encode(grant.key);
        if !admitted(&grant.key) {
            return Err(format!("key {key} is unfit to be registered"));
        }
        let stands = grant.has("admin") || grant.has("maker");
        let before = self.keys.insert(grant.key, (party.to_owned(), stands));
        match before.is_none() && grant.key != vkey.key {
            true => Ok(()),
            false => Err(format!("key {key} is taken")),
        }
    }
}
