//! The world of the tests in which a party has several keys, each called by a name, and a policy.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest as _, Sha256};

use super::{VKEY, World, id, key_of, wire};
use crate::domain::objects::Party;
use crate::domain::operation::Operation;
use crate::domain::ops::key::add::Add;
use crate::domain::ops::ledger::create::KeyGrant;
use crate::domain::ops::policy::set::Set;
use crate::domain::policy::PolicyRule;
use crate::domain::values::{Name, OpId, Power, PublicKey};

pub(crate) const ADMIN: &[Power] = &[Power::Admin];
pub(crate) const MAKER: &[Power] = &[Power::Maker];
pub(crate) const CHECKER: &[Power] = &[Power::Checker];

/// The key of a name.
pub(crate) fn named(name: &str) -> PublicKey {
    key_of(id(name))
}

/// A key as the verifier key of the ledger of the tests.
pub(crate) fn vkey_of(key: PublicKey) -> Name {
    let (origin, _) = VKEY.split_once('+').expect("a vkey begins with its name");
    vkey_named(origin, key)
}

/// The same of another ledger.
pub(crate) fn vkey_named(origin: &str, key: PublicKey) -> Name {
    let typed = [&[0x01][..], key.as_bytes()].concat();
    let named = [origin.as_bytes(), b"\n", &typed].concat();
    let id = hex::encode(&Sha256::digest(named)[..4]);
    wire(&format!("{origin}+{id}+{}", BASE64_STANDARD.encode(typed)))
}

/// The body that adds a key of a name, whose holder is called the same.
pub(crate) fn adding(name: &str, powers: &[Power]) -> Add {
    Add {
        key: KeyGrant {
            key: named(name),
            label: wire("another"),
            person: wire(name),
            powers: powers.to_vec(),
        },
    }
}

/// Rules as they are written on the wire.
pub(crate) fn rules(json: &str) -> Vec<PolicyRule> {
    serde_json::from_str(json).expect("the test writes rules in their wire form")
}

impl World {
    /// Gives a party more keys, live now: a day has passed.
    pub(crate) fn keyed(&mut self, party: &str, keys: &[(&str, &[Power])]) -> &mut World {
        for (name, powers) in keys {
            self.act(party, adding(name, powers));
        }
        self.later_by_hours(24)
    }

    /// Gives a party a policy, in force now: a day has passed.
    pub(crate) fn ruled(&mut self, party: &str, json: &str) -> &mut World {
        self.act(party, Set { rules: rules(json) });
        self.later_by_hours(24)
    }

    /// The operation of a party that exactly the keys of these names sign: its id, or the rule that refuses it.
    pub(crate) fn signed<T: Operation>(
        &mut self,
        by: &str,
        names: &[&str],
        body: T,
    ) -> Result<OpId, &'static str> {
        let keys = names.iter().map(|name| named(name)).collect();
        let (op, judged) = self.judge_by_keys(by, keys, body);
        self.state.apply(judged.map_err(|refusal| refusal.rule)?);
        Ok(op)
    }

    /// The party.
    pub(crate) fn party(&self, party: &str) -> &Party {
        self.get::<Party>(id(party))
    }
}
