//! The crate and the model side by side: each step is judged by both, and what they know then is compared.

use std::panic::{AssertUnwindSafe, catch_unwind};

use counterfoil::domain::invariants;
use counterfoil::domain::judge::judge;
use counterfoil::domain::state::State;

use super::book::Book;
use super::compare::differences;
use super::rules::Rule;
use super::step::Step;
use super::world::World;

/// Accepted, or refused by the rule that the crate named.
pub(super) type Answer = Result<(), Rule>;

/// Both, at one point of a history.
pub(super) struct Machine {
    pub(super) state: State,
    /// What the state was before the step: a refusal must leave it so.
    before: State,
    pub(super) book: Book,
    accepted: u32,
    /// The whole state is searched for a broken invariant behind each so many accepted steps; `judge` itself looks
    /// at what each step touches.
    invariants_each: u32,
}

impl Machine {
    /// At the beginning.
    pub(super) fn at(world: &World) -> Machine {
        Machine {
            state: world.state.clone(),
            before: world.state.clone(),
            book: world.book.clone(),
            accepted: 0,
            invariants_each: 5,
        }
    }

    /// The same, slower: every invariant is looked at behind every step.
    pub(super) fn thorough_at(world: &World) -> Machine {
        Machine {
            invariants_each: 1,
            ..Machine::at(world)
        }
    }

    /// Every invariant of the whole state.
    pub(super) fn check_invariants(&self) -> Result<(), String> {
        let broken = invariants::of_state(&self.state);
        if broken.is_empty() {
            return Ok(());
        }
        Err(format!("invariants: {broken:#?}"))
    }

    /// Takes one step in both, and says where they part.
    pub(super) fn take(&mut self, step: &Step) -> Result<Answer, String> {
        catch_unwind(AssertUnwindSafe(|| self.take_or_panic(step))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(format!("panic: {}", text.unwrap_or_default()))
        })
    }

    fn take_or_panic(&mut self, step: &Step) -> Result<Answer, String> {
        let payload = step.payload();
        let judged = judge(&self.state, payload, &step.keys(), step.op(), step.at());
        let expected = self.book.attempt(step);
        let answer = match (judged, expected) {
            (Ok(effects), Ok(())) => {
                self.state.apply(effects.clone());
                self.before.apply(effects);
                self.accepted += 1;
                if self.accepted.is_multiple_of(self.invariants_each) {
                    self.check_invariants()?;
                }
                Ok(())
            }
            (Err(refusal), Err(rules)) if rules.contains(&refusal.rule) => Err(refusal.rule),
            (Err(refusal), Err(rules)) => {
                return Err(format!(
                    "refused as {refusal}, and the model says {rules:?}"
                ));
            }
            (Ok(_), Err(rules)) => return Err(format!("accepted, and the model says {rules:?}")),
            (Err(refusal), Ok(())) => {
                return Err(format!(
                    "refused, and the model accepts: {refusal} {:?}",
                    refusal.inputs
                ));
            }
        };
        if answer.is_err() && self.state != self.before {
            return Err("a refusal changed the state".to_owned());
        }
        match differences(&self.state, &self.book) {
            None => Ok(answer),
            Some(difference) => Err(format!("after {answer:?}: {difference}")),
        }
    }
}

/// The accepted steps again, from the beginning: the same state and the same ids.
pub(super) fn replay<'s>(world: &World, steps: impl Iterator<Item = &'s Step>) -> State {
    let mut state = world.state.clone();
    for step in steps {
        let effects = judge(&state, step.payload(), &step.keys(), step.op(), step.at()).unwrap();
        state.apply(effects);
    }
    state
}
