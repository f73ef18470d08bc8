//! Who may sign: keys as operations bring them in and end them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::json::Json;
use super::note::Vkey;
use super::payload::Payload;
use super::plain::{admitted, unhex};

type Key = [u8; 32];

/// The parties of the ledger so far.
#[derive(Clone, Default)]
pub(super) struct Register {
    operator: String,
    /// The keys of the checkpoints, each with the least size that it signs.
    ledger: Vec<(u64, Vkey)>,
    /// Each live key's party and powers.
    live: HashMap<Key, (String, Vec<String>)>,
    /// Every key that was ever named.
    taken: HashSet<Key>,
    /// Every identifier of every party.
    names: HashSet<String>,
    /// The parties that asked for a policy.
    ruled: HashSet<String>,
    /// What operations asked for, by the time at which it happens and the op id in hex.
    waits: BTreeMap<(u64, String), Change>,
}

/// What happens to the keys of a party.
#[derive(Clone)]
struct Change {
    party: String,
    ends: Ends,
    begins: Option<Grant>,
}

#[derive(Clone)]
enum Ends {
    None,
    One(Key),
    All,
}

/// The entry that is followed.
pub(super) struct Followed<'e> {
    pub(super) n: u64,
    pub(super) time_ms: u64,
    pub(super) op_id: String,
    pub(super) payload: &'e Payload,
    pub(super) signers: &'e [Key],
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A key that an entry brings in.
#[derive(Clone)]
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
    /// Takes an entry: its signers must be who its operation asks, and what it does to keys is done or waits.
    pub(super) fn follow(&mut self, entry: &Followed<'_>) -> Result<(), String> {
        let (payload, signers) = (entry.payload, entry.signers);
        self.happen(entry.time_ms);
        match (entry.n, payload.op.as_str()) {
            (0, "ledger.create") => self.create(payload, signers),
            (0, _) => Err("entry 0 is not ledger.create".to_owned()),
            (_, "ledger.create") => Err("ledger.create stands again".to_owned()),
            (_, "party.admit") => self.admit(payload, signers),
            (_, "key.add" | "key.recover") => self.begin(entry),
            (_, "ledger.rekey") => self.rekey(entry),
            (_, op) => {
                self.known(signers, None)?;
                match op {
                    "key.revoke" => self.revoke(entry),
                    "key.veto" => self.veto(entry),
                    _ => self.signed(&payload.party, signers),
                }?;
                if op == "policy.set" {
                    self.ruled.insert(payload.party.clone());
                    let change = Change {
                        party: payload.party.clone(),
                        ends: Ends::None,
                        begins: None,
                    };
                    self.wait(entry, 1, change);
                }
                Ok(())
            }
        }
    }

    /// What has waited until now happens.
    fn happen(&mut self, time_ms: u64) {
        while let Some(first) = self
            .waits
            .first_entry()
            .filter(|one| one.key().0 <= time_ms)
        {
            let change = first.remove();
            match change.ends {
                Ends::None => {}
                Ends::One(key) => _ = self.live.remove(&key),
                Ends::All => self.live.retain(|_, (owner, _)| *owner != change.party),
            }
            if let Some(grant) = change.begins {
                self.live.insert(grant.key, (change.party, grant.powers));
            }
        }
    }

    /// Every signature is by a live key, or by the one that the entry brings in.
    fn known(&self, signers: &[Key], new: Option<Key>) -> Result<(), String> {
        let stranger = |key: &&Key| !self.live.contains_key(*key) && Some(**key) != new;
        match signers.iter().find(stranger) {
            Some(key) => Err(format!("key {} belongs to no party now", hex::encode(key))),
            None => Ok(()),
        }
    }

    fn begin(&mut self, entry: &Followed<'_>) -> Result<(), String> {
        let (payload, signers) = (entry.payload, entry.signers);
        let recovers = payload.op == "key.recover";
        let (party, key) = if recovers {
            let names = ["party", "key", "evidence", "vouched_by"];
            let fields = payload.body.fields(names)?;
            let [party, key, _, vouched_by] = fields.map(|field| field.expect("asked for"));
            if payload.party != self.operator || !self.names.contains(party.text()?) {
                return Err("only the operator recovers, and a party".to_owned());
            }
            self.signed(&payload.party, signers)?;
            self.signed(vouched_by.text()?, signers)?;
            (party.text()?, key)
        } else {
            self.administered(payload, signers)?;
            let [key] = payload.body.fields(["key"])?;
            (payload.party.as_str(), key.expect("asked for"))
        };
        let grant = Grant::read(key)?;
        if recovers && !grant.has("admin") {
            return Err("a recovered party's key has the power admin".to_owned());
        }
        self.known(signers, Some(grant.key))?;
        if !signers.contains(&grant.key) {
            return Err("the new key does not sign".to_owned());
        }
        self.take(&grant)?;
        let change = Change {
            party: party.to_owned(),
            ends: if recovers { Ends::All } else { Ends::None },
            begins: Some(grant),
        };
        self.wait(entry, if recovers { 7 } else { 1 }, change);
        Ok(())
    }

    fn rekey(&mut self, entry: &Followed<'_>) -> Result<(), String> {
        let (payload, signers) = (entry.payload, entry.signers);
        if payload.party != self.operator {
            return Err("only the operator changes the ledger's key".to_owned());
        }
        self.administered(payload, signers)?;
        let [vkey] = payload.body.fields(["new_vkey"])?;
        let key = self.checkpoints_by(
            entry.n + 1,
            vkey.expect("asked for").text()?,
            &payload.ledger,
        )?;
        self.known(signers, Some(key))?;
        match signers.contains(&key) {
            true => Ok(()),
            false => Err("the ledger's new key does not sign".to_owned()),
        }
    }

    /// Checkpoints of so many entries and more are signed by this key.
    fn checkpoints_by(&mut self, from: u64, vkey: &str, ledger: &str) -> Result<Key, String> {
        let vkey = Vkey::parse(vkey)?;
        if vkey.name != ledger {
            return Err("the verifier key is named otherwise than the ledger".to_owned());
        }
        let key = vkey.key;
        if !self.taken.insert(key) {
            return Err(format!("key {} is taken", hex::encode(key)));
        }
        self.ledger.push((from, vkey));
        Ok(key)
    }

    /// The keys that sign checkpoints of at most so many entries, in order; the last signs those of so many.
    pub(super) fn ledger_keys(&self, size: u64) -> Vec<&Vkey> {
        let keys = self.ledger.iter();
        let keys = keys.take_while(|(from, _)| *from <= size);
        keys.map(|(_, vkey)| vkey).collect()
    }

    fn revoke(&mut self, entry: &Followed<'_>) -> Result<(), String> {
        self.administered(entry.payload, entry.signers)?;
        let [key] = entry.payload.body.fields(["key"])?;
        let key = unhex(key.expect("asked for").text()?)?;
        let owner = self.live.get(&key).map(|(owner, _)| owner);
        if owner != Some(&entry.payload.party) {
            return Err("what is to end is no live key of the party".to_owned());
        }
        let change = Change {
            party: entry.payload.party.clone(),
            ends: Ends::One(key),
            begins: None,
        };
        self.wait(entry, 1, change);
        Ok(())
    }

    fn veto(&mut self, entry: &Followed<'_>) -> Result<(), String> {
        self.administered(entry.payload, entry.signers)?;
        let [operation] = entry.payload.body.fields(["operation"])?;
        let operation = operation.expect("asked for").text()?;
        let before = self.waits.len();
        self.waits
            .retain(|(_, op_id), change| op_id != operation || change.party != entry.payload.party);
        match self.waits.len() < before {
            true => Ok(()),
            false => Err("nothing waits that is vetoed".to_owned()),
        }
    }

    fn wait(&mut self, entry: &Followed<'_>, days: u64, change: Change) {
        let at = entry.time_ms + days * DAY_MS;
        self.waits.insert((at, entry.op_id.clone()), change);
    }

    /// Whether a live admin key of the acting party signed.
    fn administered(&self, payload: &Payload, signers: &[Key]) -> Result<(), String> {
        self.signed_with(&payload.party, signers, &["admin"])
    }

    /// Whether a key that can stand for the party signed.
    fn signed(&self, party: &str, signers: &[Key]) -> Result<(), String> {
        match self.ruled.contains(party) {
            true => self.signed_with(party, signers, &["admin", "maker", "checker"]),
            false => self.signed_with(party, signers, &["admin", "maker"]),
        }
    }

    fn signed_with(&self, party: &str, signers: &[Key], powers: &[&str]) -> Result<(), String> {
        let stands = |key: &Key| {
            self.live.get(key).is_some_and(|(owner, has)| {
                owner == party && has.iter().any(|power| powers.contains(&power.as_str()))
            })
        };
        match signers.iter().any(stands) {
            true => Ok(()),
            false => Err(format!("no {} key of {party} signed", powers.join(" or "))),
        }
    }

    fn create(&mut self, payload: &Payload, signers: &[Key]) -> Result<(), String> {
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
        if origin.text()? != payload.ledger {
            return Err("entry 0 names another ledger".to_owned());
        }
        let named = self.checkpoints_by(0, named.text()?, &payload.ledger);
        named.map_err(|what| format!("another verifier key: {what}"))?;
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
            .try_for_each(|grant| self.grant(&payload.party, grant))
    }

    fn admit(&mut self, payload: &Payload, signers: &[Key]) -> Result<(), String> {
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
            "policy?",
            "vouched_by?",
        ];
        let [
            party,
            aliases,
            _,
            roles,
            _,
            _,
            key,
            _,
            _,
            _,
            policy,
            vouched_by,
        ] = payload.body.fields(names)?;
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
            let owner = self.live.get(key).map(|(owner, _)| owner.as_str());
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
        if policy.is_some() {
            self.ruled.insert(party.to_owned());
        }
        self.grant(party, &grant)
    }

    fn name(&mut self, name: &str) -> Result<(), String> {
        match self.names.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(format!("{name} is a party already")),
        }
    }

    fn grant(&mut self, party: &str, grant: &Grant) -> Result<(), String> {
        self.take(grant)?;
        let own = (party.to_owned(), grant.powers.clone());
        self.live.insert(grant.key, own);
        Ok(())
    }

    fn take(&mut self, grant: &Grant) -> Result<(), String> {
        let key = hex::encode(grant.key);
        if !admitted(&grant.key) {
            return Err(format!("key {key} is unfit to be registered"));
        }
        match self.taken.insert(grant.key) {
            true => Ok(()),
            false => Err(format!("key {key} is taken")),
        }
    }
}
