//! How a rule of the rulebook bears on an operation, by its severity.

use super::draft::Draft;
use super::refusal::Refusal;
use super::rulebook::{Rule, Severity};
use super::values::Day;

/// Applies `rule` as it stands on `day` (the date it is compared with): a rule of severity `block` that does not
/// hold refuses, one of severity `warn` is told to the signer, one of severity `log` changes nothing.
pub fn enforce<P>(
    draft: &mut Draft<'_>,
    rule: &Rule<P>,
    day: Day,
    holds: impl FnOnce(&P) -> bool,
    refusal: impl FnOnce(&P) -> Refusal,
) -> Result<(), Refusal> {
    if !rule.applies_on(day) || holds(&rule.params) {
        return Ok(());
    }
    let refusal = refusal(&rule.params).input("rule_basis", rule.basis.as_str());
    match rule.severity {
        Severity::Block => return Err(refusal),
        Severity::Warn => draft.warn(refusal),
        Severity::Log => {}
    }
    Ok(())
}
