//! Plays a story: builds each payload, signs it with the keys of those who act, sends it and compares the answer.

use std::collections::BTreeMap;

use super::bodies::Names;
use super::script::{Script, Step, Wrong};
use crate::chain::{Envelope, PublicKey, Signature, SigningKey, pae};
use crate::domain::payload::Payload;
use crate::domain::registry::operation;
use crate::domain::values::{Instant, Name, Nonce, OpId};

/// How long an envelope of the story may be sent.
const MINUTES: i64 = 10;

/// Where a story is played.
pub trait Stage {
    /// Sets the ledger's time.
    fn set_time(&mut self, now: Instant) -> Result<(), String>;
    /// Sends an envelope and waits for the answer.
    fn send(&mut self, envelope: &Envelope) -> Result<Act, String>;
    /// 32 bytes that nobody can guess, for nonces and for keys of strangers; a stage whose story is to be the same every
    /// time brings others.
    fn random(&mut self) -> Result<[u8; 32], String> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

/// What became of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It became entry n.
    Accepted(u64),
    /// It had become entry n before; nothing was done twice.
    Repeat(u64),
    /// It was refused.
    Refused {
        /// The rule.
        rule: String,
        /// In a sentence.
        message: String,
    },
}

/// A step and what became of it.
#[derive(Debug)]
pub struct Played<'s> {
    /// The step.
    pub step: &'s Step,
    /// What became of its envelope.
    pub act: Act,
}

/// Why a story could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    /// The step says something that cannot be said.
    #[error("step {0:?}: {1}")]
    Step(String, String),
    /// The answer was another than the story tells.
    #[error("step {step:?}: expected {expected}, but the answer was {act:?}")]
    Unexpected {
        /// What the step says.
        step: String,
        /// What it expects.
        expected: String,
        /// What came.
        act: Act,
    },
}

/// Plays every step in order; `seen` is told of each as it comes.
pub fn play<'s>(
    script: &'s Script,
    origin: &Name,
    keys: &BTreeMap<String, SigningKey>,
    stage: &mut dyn Stage,
    seen: &mut dyn FnMut(&Played<'s>),
) -> Result<(), StoryError> {
    let mut names = Names::new(script, keys);
    for step in &script.steps {
        let wrong = |what: String| StoryError::Step(step.say.clone(), what);
        stage.set_time(step.at).map_err(wrong)?;
        let random = stage.random().map_err(wrong)?;
        let (envelope, op) = envelope(script, &names, origin, keys, step, random).map_err(wrong)?;
        if let Some(name) = &step.name {
            names.remember(name, op);
        }
        let act = stage.send(&envelope).map_err(wrong)?;
        check(step, &act)?;
        let entry = match act {
            Act::Accepted(n) => Some(n),
            _ => None,
        };
        seen(&Played { step, act });
        if step.twice {
            let act = stage.send(&envelope).map_err(wrong)?;
            if act != entry.map_or(act.clone(), Act::Repeat) {
                return Err(StoryError::Unexpected {
                    step: step.say.clone(),
                    expected: "the first entry".into(),
                    act,
                });
            }
            seen(&Played { step, act });
        }
    }
    Ok(())
}

fn check(step: &Step, act: &Act) -> Result<(), StoryError> {
    let as_told = match (&step.refused, act) {
        (None, Act::Accepted(_)) => true,
        (Some(expected), Act::Refused { rule, .. }) => expected == rule,
        _ => false,
    };
    if as_told {
        return Ok(());
    }
    let expected = step
        .refused
        .as_ref()
        .map_or("it accepted".to_owned(), |rule| {
            format!("a refusal by {rule}")
        });
    Err(StoryError::Unexpected {
        step: step.say.clone(),
        expected,
        act: act.clone(),
    })
}

fn envelope(
    script: &Script,
    names: &Names<'_>,
    origin: &Name,
    keys: &BTreeMap<String, SigningKey>,
    step: &Step,
    random: [u8; 32],
) -> Result<(Envelope, OpId), String> {
    let registered = operation(&step.op).ok_or_else(|| format!("no operation {}", step.op))?;
    let body = names.body(step)?.to_string();
    let act = (registered.decode)(&body).map_err(|error| format!("{error} in {body}"))?;
    let player = script
        .player(&step.by)
        .ok_or_else(|| format!("nobody is called {}", step.by))?;
    let elsewhere =
        || Name::new("drill.elsewhere.example/0123456789abcdef").map_err(|error| error.to_string());
    let payload = Payload {
        ledger: if step.wrong == Some(Wrong::OtherLedger) {
            elsewhere()?
        } else {
            origin.clone()
        },
        party: player.id,
        nonce: nonce(random),
        not_after: step.at.plus_minutes(if step.wrong == Some(Wrong::Expired) {
            -MINUTES
        } else {
            MINUTES
        }),
        act,
    };
    let mut envelope =
        Envelope::new(pae::OP_TYPE, payload.encode()).map_err(|error| error.to_string())?;
    sign(&mut envelope, keys, step, random)?;
    let op = OpId(*envelope.op_id().as_bytes());
    Ok((envelope, op))
}

/// The first half: the whole is the seed of a stranger's key.
fn nonce(random: [u8; 32]) -> Nonce {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&random[..16]);
    Nonce(bytes)
}

fn sign(
    envelope: &mut Envelope,
    keys: &BTreeMap<String, SigningKey>,
    step: &Step,
    random: [u8; 32],
) -> Result<(), String> {
    let key = |name: &str| keys.get(name).ok_or_else(|| format!("no key of {name}"));
    let stranger = || SigningKey::from_seed(&random);
    match step.wrong {
        Some(Wrong::ForeignKey) => envelope
            .sign(&stranger())
            .map_err(|error| error.to_string())?,
        Some(Wrong::Forged) => {
            let mut other = envelope.clone();
            other.sign(&stranger()).map_err(|error| error.to_string())?;
            let made: Option<&(PublicKey, Signature)> = other.signatures().first();
            let (_, signature) = made.ok_or("no signature was made")?;
            envelope
                .add_signature(key(&step.by)?.public_key(), *signature)
                .map_err(|error| error.to_string())?;
        }
        _ => envelope
            .sign(key(&step.by)?)
            .map_err(|error| error.to_string())?,
    }
    for name in &step.with {
        envelope
            .sign(key(name)?)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}
