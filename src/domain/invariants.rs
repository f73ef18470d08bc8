//! What is true of every state (domain invariants 1 to 7), as sentences that are checked.

mod claims;
mod legs;
mod money;
mod pending;

use super::state::{Effects, State};

/// What does not hold of the whole state; empty, or the code is wrong.
pub fn of_state(state: &State) -> Vec<String> {
    let mut broken: Vec<String> = state
        .inexact_indexes()
        .into_iter()
        .map(|kind| format!("the index of {kind} differs from a scan"))
        .collect();
    broken.extend(claims::of_state(state));
    broken.extend(pending::of_state(state));
    broken.extend(legs::of_state(state));
    broken.extend(money::of_state(state));
    broken
}

/// What would not hold of the objects that the effects touch.
pub fn of_effects(state: &State, effects: &Effects) -> Vec<String> {
    let mut broken = claims::of_effects(state, effects);
    broken.extend(pending::of_effects(state, effects));
    broken.extend(legs::of_effects(state, effects));
    broken
}
