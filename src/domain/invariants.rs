//! What is true of every state (domain invariants 1 to 7), as sentences that are checked.

mod claims;
mod legs;
mod money;
mod pending;

use super::state::{Effects, State};

/// What does not hold of the whole state, in parts that can be looked at side by side; empty, or the code is wrong.
pub const OF_STATE: [fn(&State) -> Vec<String>; 5] = [
    indexes,
    claims::of_state,
    pending::of_state,
    legs::of_state,
    money::of_state,
];

/// All of it.
pub fn of_state(state: &State) -> Vec<String> {
    OF_STATE.iter().flat_map(|part| part(state)).collect()
}

fn indexes(state: &State) -> Vec<String> {
    let inexact = state.inexact_indexes().into_iter();
    inexact
        .map(|kind| format!("the index of {kind} differs from a scan"))
        .collect()
}

/// What would not hold of the objects that the effects touch.
pub fn of_effects(state: &State, effects: &Effects) -> Vec<String> {
    let mut broken = claims::of_effects(state, effects);
    broken.extend(pending::of_effects(state, effects));
    broken.extend(legs::of_effects(state, effects));
    broken
}
