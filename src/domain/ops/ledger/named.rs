//! The keys of a ledger's checkpoints, for who reads its entries and does not judge them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::create::Create;
use super::ledger_key;
use super::rekey::Rekey;
use crate::domain::objects::LedgerKey;
use crate::domain::operation::Operation as _;
use crate::domain::ops::key::{add::Add, recover::Recover};
use crate::domain::values::{Name, PartyId, Power, PublicKey, Succession};

/// What the entries so far name, taken from their payloads. It is worth what vouches for the entries.
#[derive(Debug, Default)]
pub struct NamedKeys {
    found: Option<Found>,
    fault: Option<(u64, &'static str)>,
}

#[derive(Debug)]
struct Found {
    ledger: Name,
    keys: Succession<LedgerKey>,
    operator: PartyId,
    /// The keys that the operator was ever given, and whether each may administer. When one begins and ends, only a judge of all
    /// entries knows.
    operators: BTreeMap<PublicKey, bool>,
}

/// A payload's fields that say who does what.
#[derive(Deserialize)]
struct Act<'p> {
    ledger: Name,
    op: &'p str,
    party: PartyId,
    #[serde(borrow)]
    body: &'p RawValue,
}

impl Act<'_> {
    fn body<T: for<'b> Deserialize<'b>>(&self) -> Option<T> {
        serde_json::from_str(self.body.get()).ok()
    }
}

/// The fields of bodies that name a key of the ledger or of the operator.
#[derive(Deserialize)]
struct Created {
    vkey: Name,
    #[serde(default)]
    keys: Vec<Grant>,
}

#[derive(Deserialize)]
struct Given {
    party: Option<PartyId>,
    key: Grant,
}

#[derive(Deserialize)]
struct Grant {
    key: PublicKey,
    powers: Vec<Power>,
}

impl Grant {
    fn administers(&self) -> bool {
        self.powers.contains(&Power::Admin)
    }
}

impl NamedKeys {
    /// Takes the payload of entry `n` in, whatever its operation; `signed` says whether a key signed it.
    pub fn take(&mut self, n: u64, payload: &str, signed: impl Fn(&[u8; 32]) -> bool) {
        // Few are of keys: the others are not read.
        let op = payload.split_once(r#""op":""#).map_or("", |(_, op)| op);
        if !op.starts_with("ledger.") && !op.starts_with("key.") {
            return;
        }
        let Ok(act) = serde_json::from_str::<Act<'_>>(payload) else {
            return;
        };
        match (act.op, &mut self.found) {
            (Create::NAME, found @ None) if n == 0 => *found = Found::by(&act),
            (Rekey::NAME, Some(found)) => {
                if let Err(fault) = found.rekey(n, &act, signed) {
                    self.fault.get_or_insert((n, fault));
                }
            }
            (Add::NAME | Recover::NAME, Some(found)) => found.give(&act, signed),
            _ => {}
        }
    }

    /// The ledger's name and keys; nothing before entry 0.
    pub fn found(&self) -> Option<(&Name, &Succession<LedgerKey>)> {
        let found = self.found.as_ref()?;
        Some((&found.ledger, &found.keys))
    }

    /// The first entry that would change the key and may not, and why.
    pub fn fault(&self) -> Option<(u64, &'static str)> {
        self.fault
    }
}

impl Found {
    fn by(act: &Act<'_>) -> Option<Found> {
        let body: Created = act.body()?;
        let grants = body.keys.iter();
        Some(Found {
            keys: Succession::new(ledger_key(&body.vkey, &act.ledger).ok()?),
            ledger: act.ledger.clone(),
            operator: act.party,
            operators: grants
                .map(|grant| (grant.key, grant.administers()))
                .collect(),
        })
    }

    /// What can be told of a change without judging the entries before: that the operator made it, by a key that was given to it, and the
    /// new key with it, which never was the ledger's.
    fn rekey(
        &mut self,
        n: u64,
        act: &Act<'_>,
        signed: impl Fn(&[u8; 32]) -> bool,
    ) -> Result<(), &'static str> {
        let body: Rekey = act.body().ok_or("its body cannot be read")?;
        let key =
            ledger_key(&body.new_vkey, &self.ledger).map_err(|_| "it names no verifier key")?;
        if self.keys.iter().any(|(_, earlier)| earlier.key == key.key) {
            return Err("it names a key that the ledger had before");
        }
        if !signed(key.key.as_bytes()) {
            return Err("the new key did not sign it");
        }
        if act.party != self.operator || !self.is_signed(signed, true) {
            return Err("no admin key of the operator signed it");
        }
        self.keys.push(n + 1, key);
        Ok(())
    }

    /// A key that is given to the operator.
    fn give(&mut self, act: &Act<'_>, signed: impl Fn(&[u8; 32]) -> bool) {
        let Some(Given { party, key: grant }) = act.body() else {
            return;
        };
        let to = party.unwrap_or(act.party);
        let by_admin = act.op == Add::NAME;
        if act.party == self.operator && to == self.operator && self.is_signed(signed, by_admin) {
            self.operators.insert(grant.key, grant.administers());
        }
    }

    /// Whether a key of the operator signed; one with `admin` where that is asked for.
    fn is_signed(&self, signed: impl Fn(&[u8; 32]) -> bool, by_admin: bool) -> bool {
        let mut keys = self.operators.iter();
        keys.any(|(key, administers)| (*administers || !by_admin) && signed(key.as_bytes()))
    }
}
