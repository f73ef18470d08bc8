//! How a rule of the rulebook bears on an operation, by its severity.

use super::draft::Draft;
use super::refusal::Refusal;
use super::rulebook::{Rule, Rulebook, Severity, SmeTerm, VoucherTerm};
use super::values::{Day, Size};

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

/// `voucher.term`: 6 months in principle, with reason above, 1 year at most, from the day `since`.
pub fn voucher_term(
    draft: &mut Draft<'_>,
    rule: &Rule<VoucherTerm>,
    since: Day,
    due: Day,
    reasoned: bool,
) -> Result<(), Refusal> {
    let holds = |params: &VoucherTerm| {
        let months = if reasoned {
            params.months_at_most
        } else {
            params.months_in_principle
        };
        due <= since.plus_months(months)
    };
    enforce(draft, rule, since, holds, |params| {
        Refusal::new(
            "voucher.term",
            "the due day lies too far ahead for a voucher",
        )
        .input("due", due)
        .remedy(format!(
            "{} months, with a term_reason {}",
            params.months_in_principle, params.months_at_most
        ))
    })
}

/// How long a debtor takes to pay, as `sme.term` asks.
#[derive(Debug, Clone, Copy)]
pub struct PaymentTerm {
    /// The supplier's size class.
    pub supplier: Size,
    /// The debtor's size class.
    pub debtor: Size,
    /// Days to payment.
    pub days: i64,
    /// Whether a reason is given for more than the law allows in principle.
    pub reasoned: bool,
}

impl PaymentTerm {
    /// `sme.term`: government 30 days, 60 at most; large enterprise 60 unless reasonably agreed.
    fn is_allowed(self, rule: &SmeTerm) -> bool {
        match self.debtor {
            Size::PublicBody if self.reasoned => self.days <= rule.government_days_at_most.into(),
            Size::PublicBody => self.days <= rule.government_days.into(),
            Size::Large => self.reasoned || self.days <= rule.large_days.into(),
            Size::Micro | Size::Small | Size::Medium => true,
        }
    }

    /// Applies `sme.term` as it stands on `day`.
    pub fn enforce(
        self,
        draft: &mut Draft<'_>,
        rulebook: &Rulebook,
        day: Day,
    ) -> Result<(), Refusal> {
        if !self.supplier.is_sme() {
            return Ok(());
        }
        let holds = |rule: &SmeTerm| self.is_allowed(rule);
        enforce(draft, &rulebook.rules.sme_term, day, holds, |rule| {
            Refusal::new(
                "sme.term",
                "the payment term is longer than the law allows towards a small supplier",
            )
            .input("days", self.days)
            .remedy(format!(
                "a public body: {} days, with a term_reason {}; a large enterprise: {} days, or more with one",
                rule.government_days, rule.government_days_at_most, rule.large_days
            ))
        })
    }
}
