//! Late interest: what a debtor owes beyond the face when fens are paid after their due day and grace.

use super::objects::Receivable;
use super::refusal::Refusal;
use super::state::State;
use super::values::{Computed, Day, Fen, Rate, late_interest_of};

/// Late interest on fens of `receivable` that are paid with value date `paid`: `parts` says how many are due when.
/// One rounding over the sum; `None` where nothing is late, or nothing comes of it.
///
/// # Errors
/// `amount.overflow` where the interest is more than an amount can say.
pub fn late_interest_on(
    state: &State,
    receivable: &Receivable,
    parts: &[(Day, Fen)],
    paid: Day,
) -> Result<Option<Computed>, Refusal> {
    let Some((daily_rate, grace_days)) = agreed(state, receivable) else {
        return Ok(None);
    };
    let days_after = |due: Day| i64::from(paid.number() - due.number()) - i64::from(grace_days);
    let late: Vec<(Fen, i64)> = parts
        .iter()
        .map(|(due, fens)| (*fens, days_after(*due)))
        .filter(|(_, days)| *days > 0)
        .collect();
    let computed = late_interest_of(&late, daily_rate)
        .map_err(|error| Refusal::new("amount.overflow", error.to_string()))?;
    Ok(Some(computed).filter(|computed| !computed.result.is_zero()))
}

/// The daily rate and days of grace that the contract had when the receivable was registered; without a rate, that of
/// `sme.late_interest` in the rulebook the contract was concluded under.
fn agreed(state: &State, receivable: &Receivable) -> Option<(Rate, u32)> {
    let contract = state.contracts.get(receivable.contract)?;
    let rulebook = state.ledger.as_ref()?.rulebook(contract.rulebook);
    let default = rulebook.rules.sme_late_interest.params.default_daily_rate;
    let rate = receivable.terms.late_rate.unwrap_or(default);
    Some((rate, receivable.terms.grace_days))
}
