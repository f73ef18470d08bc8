//! The guards on a contract's terms: the same whether it is proposed or amended.

use crate::domain::draft::Draft;
use crate::domain::objects::Contract;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::rulebook::DAILY_RATE_MOST;
use crate::domain::rules::{PaymentTerm, enforce};
use crate::domain::values::Day;

/// Payment, inspection and grace are at most this many days.
const MOST_DAYS: u32 = 3_660;

/// Judges the contract as it would stand; `reasoned` says whether a reason is given for a long payment term. The rules
/// are those of the rulebook that it was concluded under.
pub(super) fn check_terms(
    draft: &mut Draft<'_>,
    contract: &Contract,
    reasoned: bool,
) -> Result<(), Refusal> {
    check_days(contract, draft.head.today()?)?;
    check_payment_term(draft, contract, reasoned)?;
    check_late_rate(draft, contract)
}

fn check_days(contract: &Contract, today: Day) -> Result<(), Refusal> {
    let terms = &contract.terms;
    let concluded = terms.concluded;
    ensure(concluded <= today, || {
        Refusal::new(
            "contract.concluded",
            "a contract is concluded before it is proposed here",
        )
        .input("concluded", concluded)
        .input("today", today)
    })?;
    ensure(
        terms
            .ends
            .is_none_or(|ends| ends >= concluded && ends >= today),
        || {
            Refusal::new(
                "contract.ends",
                "its last day lies behind its conclusion, and not in the past",
            )
        },
    )?;
    let days = [terms.payment_days, terms.inspection_days, terms.grace_days];
    ensure(days.iter().all(|days| *days <= MOST_DAYS), || {
        Refusal::new(
            "contract.days",
            format!("payment, inspection and grace are at most {MOST_DAYS} days"),
        )
    })
}

fn check_payment_term(
    draft: &mut Draft<'_>,
    contract: &Contract,
    reasoned: bool,
) -> Result<(), Refusal> {
    let rulebook = draft.head.rulebook_of(contract.rulebook)?;
    let term = PaymentTerm {
        supplier: contract.supplier_size,
        debtor: contract.debtor_size,
        days: contract.terms.payment_days.into(),
        reasoned,
    };
    term.enforce(draft, rulebook, contract.terms.concluded)
}

/// `sme.late_interest`: an agreed late rate is at least the one-year LPR at the contract's conclusion.
fn check_late_rate(draft: &mut Draft<'_>, contract: &Contract) -> Result<(), Refusal> {
    let terms = &contract.terms;
    // Beyond it late interest could outgrow every amount, and the payment that causes it be refused.
    ensure(
        terms
            .late_rate
            .is_none_or(|daily| daily.numerator() <= DAILY_RATE_MOST),
        || {
            Refusal::new("contract.late_rate", "late interest is at most 0.01 a day")
                .input("late_rate", terms.late_rate.unwrap_or_default())
        },
    )?;
    let rulebook = draft.head.rulebook_of(contract.rulebook)?;
    let (Some(daily), Some(lpr)) = (terms.late_rate, rulebook.lpr_on(terms.concluded)) else {
        return Ok(());
    };
    if !contract.supplier_size.is_sme() {
        return Ok(());
    }
    let yearly = daily.numerator().saturating_mul(365);
    enforce(
        draft,
        &rulebook.rules.sme_late_interest,
        terms.concluded,
        |_| yearly >= lpr.numerator(),
        |_| {
            Refusal::new(
                "sme.late_interest",
                "365 days at the agreed late rate are less than the one-year LPR",
            )
            .input("late_rate", daily)
            .input("lpr", lpr)
        },
    )
}
