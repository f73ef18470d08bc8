//! The sample story, played on the bare state machine.

use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::chain::{Envelope, SigningKey, verify};
use crate::domain::judge::judge;
use crate::domain::payload::Payload;
use crate::domain::rulebook::Rulebook;
use crate::domain::state::State;
use crate::domain::testing::{VKEY, create};
use crate::domain::values::{Instant, Name, OpId, PublicKey};

const ORIGIN: &str = "drill.test/0123456789abcdef";

/// The state machine with nothing around it.
struct Bare {
    state: State,
    time: Instant,
    known: HashMap<OpId, u64>,
}

impl Stage for Bare {
    fn set_time(&mut self, now: Instant) -> Result<(), String> {
        assert!(now >= self.time, "a story goes forward");
        self.time = now;
        Ok(())
    }

    fn send(&mut self, envelope: &Envelope) -> Result<Act, String> {
        let op = OpId(*envelope.op_id().as_bytes());
        if let Some(n) = self.known.get(&op) {
            return Ok(Act::Repeat(*n));
        }
        let refused = |rule: &str| Act::Refused {
            rule: rule.to_owned(),
            message: String::new(),
        };
        let signed = envelope.signed_bytes();
        if !envelope
            .signatures()
            .iter()
            .all(|(key, signature)| verify(key, &signed, signature))
        {
            return Ok(refused("signature.invalid"));
        }
        let keys: Vec<PublicKey> = envelope
            .signatures()
            .iter()
            .map(|(key, _)| PublicKey(*key.as_bytes()))
            .collect();
        let payload = Payload::decode(envelope.payload()).map_err(|error| error.to_string())?;
        match judge(&self.state, &payload, &keys, op, self.time) {
            Ok(effects) => {
                self.state.apply(effects);
                let n = self.known.len() as u64 + 1;
                self.known.insert(op, n);
                Ok(Act::Accepted(n))
            }
            Err(refusal) => Ok(Act::Refused {
                rule: refusal.rule.to_owned(),
                message: format!("{refusal:?}"),
            }),
        }
    }
}

fn played() -> (Script, State, Vec<(String, Act)>) {
    let script = Script::read(SAMPLE).expect("the sample reads");
    let keys: BTreeMap<String, SigningKey> = script
        .parties
        .iter()
        .enumerate()
        .map(|(i, player)| {
            (
                player.name.clone(),
                SigningKey::from_seed(&[i as u8 + 20; 32]),
            )
        })
        .collect();
    let operator = &script.parties[0];
    let mut rulebook = create(
        Rulebook::from_toml(include_str!("../../contracts/rulebooks/cn-2025.toml")).unwrap(),
    );
    rulebook.keys[0].key = PublicKey(*keys[&operator.name].public_key().as_bytes());
    assert!(VKEY.starts_with(ORIGIN));
    let mut stage = Bare {
        state: State::default(),
        time: script.steps[0].at,
        known: HashMap::new(),
    };
    let payload = Payload {
        ledger: Name::new(ORIGIN).unwrap(),
        party: operator.id,
        nonce: crate::domain::values::Nonce([0; 16]),
        not_after: script.steps[0].at.plus_hours(1),
        act: Box::new(rulebook),
    };
    let mut envelope = Envelope::new(crate::chain::pae::OP_TYPE, payload.encode()).unwrap();
    envelope.sign(&keys[&operator.name]).unwrap();
    assert_eq!(stage.send(&envelope), Ok(Act::Accepted(1)));
    let mut acts = Vec::new();
    let told = play(
        &script,
        &Name::new(ORIGIN).unwrap(),
        &keys,
        &mut stage,
        &mut |played| {
            acts.push((played.step.say.clone(), played.act.clone()));
        },
    );
    told.unwrap_or_else(|error| panic!("{error}"));
    let state = stage.state;
    (script, state, acts)
}

#[test]
fn the_sample_plays_to_its_end_and_adds_up() {
    let (_, state, acts) = played();
    let told = account(&state);
    println!("{told}");
    assert!(acts.iter().any(|(_, act)| matches!(act, Act::Repeat(_))));
    assert!(
        !told.contains("still owed"),
        "every fen is settled:\n{told}"
    );
    assert!(
        state
            .obligations
            .iter()
            .all(|obligation| obligation.outstanding().is_zero())
    );
    assert_eq!(
        crate::domain::invariants::of_state(&state),
        Vec::<String>::new()
    );
}
