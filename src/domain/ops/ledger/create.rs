//! `ledger.create`: entry 0. The operator names the ledger, its keys and its first rulebook.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Engine, Ledger, Party, PartyKey};
use crate::domain::operation::{Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::rulebook::Rulebook;
use crate::domain::state::Effects;
use crate::domain::values::{Instant, Label, Name, Power, PublicKey, Role, Succession, UtcOffset};

use super::ledger_key;

/// The number of the engine that a ledger begins under.
pub const ENGINE: u32 = Engine::First as u32;

/// A key with the person who holds it and what it may sign.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyGrant {
    /// The key.
    pub key: PublicKey,
    /// What its party calls it.
    pub label: Label,
    /// Who holds it.
    pub person: Label,
    /// What it may sign: at least one power, in order, each once.
    pub powers: Vec<Power>,
}

impl KeyGrant {
    /// The key as its party keeps it from `from` on.
    pub fn grant(&self, from: Instant) -> Result<PartyKey, Refusal> {
        let sorted = self.powers.windows(2).all(|pair| pair[0] < pair[1]);
        ensure(!self.powers.is_empty() && sorted, || {
            Refusal::new(
                "key.powers",
                "a key has at least one power, each named once, in the order of the schema",
            )
            .input("keyid", self.key)
        })?;
        let powers: BTreeSet<Power> = self.powers.iter().copied().collect();
        Ok(PartyKey {
            key: self.key,
            label: self.label.clone(),
            person: self.person.clone(),
            powers,
            from,
            until: None,
        })
    }
}

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// The ledger's name: what `ledger` says in every payload, and the origin line of its checkpoints.
    pub origin: Name,
    /// The operator's legal name.
    pub operator: Name,
    /// The operator's keys, all of which sign.
    pub keys: Vec<KeyGrant>,
    /// The C2SP verifier key of the ledger's checkpoints, named as the origin.
    pub vkey: Name,
    /// The first rulebook, whole.
    pub rulebook: Rulebook,
    /// Where legal days begin and end.
    pub utc_offset: UtcOffset,
    /// Which behaviour judges: 1.
    pub engine: u32,
}

impl Operation for Create {
    const NAME: &'static str = "ledger.create";
    const SUMMARY: &'static str =
        "The operator begins a ledger: its name, keys, first rulebook and legal day";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            new_keys: self.keys.iter().map(|grant| grant.key).collect(),
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        ensure(at.state.ledger.is_none(), || {
            Refusal::new("ledger.exists", "the ledger has its entry 0 already")
        })?;
        ensure(self.origin == *at.origin, || {
            Refusal::new(
                "ledger.origin",
                "the origin is not the ledger that the payload names",
            )
            .input("origin", &self.origin)
        })?;
        // A ledger begins under the first engine, whatever else the code knows by then.
        ensure(self.engine == ENGINE, || {
            Refusal::new("ledger.engine", "a ledger begins under engine 1")
                .input("engine", self.engine)
                .remedy(format!(
                    "engine {ENGINE}; ledger.upgrade leads on from there"
                ))
        })?;
        let own = ledger_key(&self.vkey, &self.origin)?;
        self.rulebook
            .validate()
            .map_err(|error| Refusal::new("rulebook.invalid", error.to_string()))?;
        let keys: Vec<PartyKey> = self
            .keys
            .iter()
            .map(|grant| grant.grant(at.time))
            .collect::<Result<_, _>>()?;
        let distinct: BTreeSet<PublicKey> = keys.iter().map(|key| key.key).collect();
        ensure(
            distinct.len() == keys.len() && !distinct.contains(&own.key),
            || {
                Refusal::new(
                    "key.taken",
                    "each operator key is named once, and none is the ledger's own key",
                )
            },
        )?;
        ensure(
            keys.iter().any(|key| key.powers.contains(&Power::Admin)),
            || {
                Refusal::new(
                    "key.powers",
                    "the operator needs a key with the power admin",
                )
            },
        )?;

        let mut draft = at.draft();
        draft.put_ledger(Ledger {
            origin: self.origin.clone(),
            operator: at.by,
            keys: Succession::new(own),
            utc_offset: self.utc_offset,
            engine: Engine::First,
            created: at.time,
            rulebooks: vec![Arc::new(self.rulebook.clone())],
        });
        draft.put(Party {
            id: at.by,
            aliases: BTreeSet::new(),
            name: self.operator.clone(),
            roles: BTreeSet::from([Role::Operator]),
            scopes: BTreeSet::new(),
            size: None,
            admitted: at.time,
            lender_since: None,
            kyc_valid_to: None,
            evidence: None,
            agreement: None,
            keys,
            policies: Vec::new(),
            recovered: Vec::new(),
            changes: Vec::new(),
            suspension: None,
            totals: BTreeMap::new(),
        });
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::{OPERATOR, World, create, shipped_rulebook, wire};

    #[test]
    fn entry_0_fixes_the_ledger_and_admits_its_operator() {
        let world = World::empty();
        let ledger = world.state.ledger.as_ref().expect("the ledger is there");
        assert_eq!(ledger.operator, wire(OPERATOR));
        assert_eq!(ledger.keys.newest().key, PublicKey([7; 32]));
        assert_eq!(world.keys(OPERATOR).len(), 1);
    }

    #[test]
    fn there_is_one_entry_0() {
        assert_eq!(
            World::empty()
                .refusal(OPERATOR, create(shipped_rulebook()))
                .rule,
            "ledger.exists"
        );
    }

    #[rstest]
    #[case::another_name(|body: &mut Create| body.origin = wire("drill.test/other"), "ledger.origin")]
    #[case::another_engine(|body: &mut Create| body.engine = 2, "ledger.engine")]
    #[case::vkey_of_another_name(|body: &mut Create| body.vkey = wire("x+e8663b0f+AQcH"), "ledger.vkey")]
    #[case::vkey_with_a_wrong_hash(
        |body: &mut Create| body.vkey = wire(&body.vkey.as_str().replace("e8663b0f", "e8663b0e")), "ledger.vkey")]
    #[case::key_named_twice(|body: &mut Create| body.keys.push(body.keys[0].clone()), "key.taken")]
    #[case::no_admin(|body: &mut Create| body.keys[0].powers = vec![Power::Maker], "key.powers")]
    #[case::powers_twice(|body: &mut Create| body.keys[0].powers = vec![Power::Admin; 2], "key.powers")]
    #[case::the_logs_own_key(|body: &mut Create| body.keys.push(KeyGrant { key: PublicKey([7; 32]), ..body.keys[0].clone() }), "key.taken")]
    fn refused(#[case] spoil: fn(&mut Create), #[case] rule: &str) {
        let mut body = create(shipped_rulebook());
        spoil(&mut body);
        assert_eq!(World::nothing().refusal(OPERATOR, body).rule, rule);
    }
}
