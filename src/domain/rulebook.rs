//! The rulebook: law and programme as parameters with dates, pinned on the ledger.

use serde::{Deserialize, Serialize};

use super::values::{Calendar, CurrencyTable, Day, Fen, Label, Rate, Text, Weekday};
use super::wire::words;

words! {
    /// What a broken rule does.
    pub enum Severity {
        /// The operation is refused.
        Block = "block",
        /// The operation is accepted and its parties are warned.
        Warn = "warn",
        /// The operation is accepted and the finding recorded.
        Log = "log",
    }
}

words! {
    /// Which date is compared with a rule's validity: an object keeps the version in force on it.
    pub enum Compared {
        /// The day the contract was concluded.
        ContractConcluded = "contract_concluded",
        /// The day the receivable was confirmed.
        ConfirmedOn = "confirmed_on",
        /// The day of the operation's own entry.
        Entry = "entry",
    }
}

/// One rule: what it does, when it holds, where it is written, and its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule<P> {
    /// What it does when broken.
    pub severity: Severity,
    /// The first day it holds; absent: always has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Day>,
    /// The last day it holds; absent: no end is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Day>,
    /// Which date these are compared with.
    pub compared_with: Compared,
    /// Where it is written: law and article, or `programme`.
    pub basis: Text<300>,
    /// Its numbers.
    pub params: P,
}

impl<P> Rule<P> {
    /// Whether the rule holds for an object whose [`Compared`] date is this day.
    pub fn applies_on(&self, day: Day) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }

    fn dates_ascend(&self) -> bool {
        !matches!((self.valid_from, self.valid_to), (Some(from), Some(to)) if to < from)
    }
}

/// Declares a rule's parameters.
macro_rules! params {
    ($( $(#[$meta:meta])* $name:ident { $( $(#[$field_meta:meta])* $field:ident: $type:ty, )+ } )+) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $( $(#[$field_meta])* pub $field: $type, )+ }
    )+ };
}

params! {
    /// `voucher.term`: how long an electronic claim voucher may run.
    VoucherTerm {
        /// Up to here without a reason.
        months_in_principle: u32,
        /// Up to here with one.
        months_at_most: u32,
    }

    /// `sme.term`: how late a payment to a small or medium enterprise may be agreed.
    SmeTerm {
        /// Public bodies, from delivery.
        government_days: u32,
        /// Public bodies, where the contract says so.
        government_days_at_most: u32,
        /// Large enterprises, unless reasonably agreed otherwise.
        large_days: u32,
    }

    /// `sme.late_interest`: what late payment to a small or medium enterprise costs.
    SmeLateInterest {
        /// A day, where the contract agrees nothing.
        default_daily_rate: Rate,
    }

    /// `claim.unit`: the smallest run that may be disposed of.
    ClaimUnit {
        /// The fewest fens of a run.
        fen: u64,
    }

    /// `claim.depth`: how often a fen may be passed on.
    ClaimDepth {
        /// Hops.
        hops_at_most: u32,
    }

    /// `claim.cutoff`: until when before the due day fens may be disposed of.
    ClaimCutoff {
        /// Business days.
        business_days_before_due: u32,
    }

    /// `account.cooling`: how long after its attestation an account becomes usable.
    AccountCooling {
        /// Days of 24 hours.
        days: u32,
    }

    /// `leg.days`: how long after its value date a leg that nobody attests lapses.
    LegDays {
        /// Business days.
        business_days: u32,
    }

    /// `reveal`: how long after the close sealed offers are revealed.
    Reveal {
        /// Hours.
        hours: u32,
    }
}

/// Every rule that this engine knows, by its name on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// See [`VoucherTerm`].
    #[serde(rename = "voucher.term")]
    pub voucher_term: Rule<VoucherTerm>,
    /// See [`SmeTerm`].
    #[serde(rename = "sme.term")]
    pub sme_term: Rule<SmeTerm>,
    /// See [`SmeLateInterest`].
    #[serde(rename = "sme.late_interest")]
    pub sme_late_interest: Rule<SmeLateInterest>,
    /// See [`ClaimUnit`].
    #[serde(rename = "claim.unit")]
    pub claim_unit: Rule<ClaimUnit>,
    /// See [`ClaimDepth`].
    #[serde(rename = "claim.depth")]
    pub claim_depth: Rule<ClaimDepth>,
    /// See [`ClaimCutoff`].
    #[serde(rename = "claim.cutoff")]
    pub claim_cutoff: Rule<ClaimCutoff>,
    /// See [`AccountCooling`].
    #[serde(rename = "account.cooling")]
    pub account_cooling: Rule<AccountCooling>,
    /// See [`LegDays`].
    #[serde(rename = "leg.days")]
    pub leg_days: Rule<LegDays>,
    /// See [`Reveal`].
    #[serde(rename = "reveal")]
    pub reveal: Rule<Reveal>,
}

/// A published loan prime rate, in force until the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lpr {
    /// The day of its publication.
    pub from: Day,
    /// A year.
    pub rate: Rate,
}

/// All of it, in wire order. It travels inside `ledger.create` and `rulebook.publish` as canonical JSON
/// and is written as TOML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rulebook {
    /// What it is called, for example `cn-2025`.
    pub id: Label,
    /// Counts from 1.
    pub version: u32,
    /// The first day it may be used.
    pub valid_from: Day,
    /// Currencies in use, and their decimals.
    pub currencies: CurrencyTable,
    /// Business days.
    pub calendar: Calendar,
    /// The one-year loan prime rates, ascending.
    pub lpr_one_year: Vec<Lpr>,
    /// The rules.
    pub rules: Rules,
}

/// Why a rulebook cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulebookError {
    /// Not TOML, or not of this shape.
    #[error("the rulebook cannot be read: {0}")]
    Form(String),
    /// A table or number that makes no sense.
    #[error("{field} of the rulebook {problem}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
}

impl Rulebook {
    /// Reads and validates a rulebook that is written as TOML.
    pub fn from_toml(text: &str) -> Result<Rulebook, RulebookError> {
        let rulebook: Rulebook =
            toml::from_str(text).map_err(|error| RulebookError::Form(error.to_string()))?;
        rulebook.validate()?;
        Ok(rulebook)
    }

    /// The one-year loan prime rate in force on a day; `None` before the first that is known.
    pub fn lpr_on(&self, day: Day) -> Option<Rate> {
        self.lpr_one_year
            .iter()
            .rev()
            .find(|lpr| lpr.from <= day)
            .map(|lpr| lpr.rate)
    }

    /// Checks what the types cannot: tables in order, numbers within reason.
    pub fn validate(&self) -> Result<(), RulebookError> {
        let checks = self.table_checks().into_iter().chain(self.rules.checks());
        for (field, holds, problem) in checks {
            if !holds {
                return Err(RulebookError::Field { field, problem });
            }
        }
        Ok(())
    }

    fn table_checks(&self) -> [Check; 7] {
        let Calendar { holidays, workdays } = &self.calendar;
        let ascend = |days: &[Day]| days.is_sorted_by(|a, b| a < b);
        let weekend = |day: &Day| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let both = workdays.iter().any(|day| holidays.contains(day));
        let lpr = &self.lpr_one_year;
        [
            ("version", self.version >= 1, "counts from 1"),
            (
                "currencies",
                !self.currencies.is_empty(),
                "must name at least one currency",
            ),
            (
                "calendar.holidays",
                ascend(holidays),
                "must ascend, each day once",
            ),
            (
                "calendar.workdays",
                ascend(workdays),
                "must ascend, each day once",
            ),
            (
                "calendar.workdays",
                workdays.iter().all(weekend),
                "must be Saturdays and Sundays",
            ),
            ("calendar.workdays", !both, "may not name a holiday"),
            (
                "lpr_one_year",
                lpr.is_sorted_by(|a, b| a.from < b.from)
                    && lpr.iter().all(|lpr| lpr.rate <= Rate::ONE),
                "must ascend by day, with rates up to 1",
            ),
        ]
    }
}

/// A field, whether it is right, and what would be right.
type Check = (&'static str, bool, &'static str);

impl Rules {
    fn checks(&self) -> impl Iterator<Item = Check> {
        let voucher = &self.voucher_term.params;
        let sme = &self.sme_term.params;
        let dates = [
            ("voucher.term", self.voucher_term.dates_ascend()),
            ("sme.term", self.sme_term.dates_ascend()),
            ("sme.late_interest", self.sme_late_interest.dates_ascend()),
            ("claim.unit", self.claim_unit.dates_ascend()),
            ("claim.depth", self.claim_depth.dates_ascend()),
            ("claim.cutoff", self.claim_cutoff.dates_ascend()),
            ("account.cooling", self.account_cooling.dates_ascend()),
            ("leg.days", self.leg_days.dates_ascend()),
            ("reveal", self.reveal.dates_ascend()),
        ]
        .map(|(field, holds)| (field, holds, "must begin to hold before it ends"));
        let params = [
            (
                "voucher.term",
                voucher.months_in_principle <= voucher.months_at_most
                    && (1..=120).contains(&voucher.months_at_most),
                "takes 1 to 120 months, in principle no more than at most",
            ),
            (
                "sme.term",
                sme.government_days <= sme.government_days_at_most
                    && (1..=366).contains(&sme.government_days_at_most)
                    && (1..=366).contains(&sme.large_days),
                "takes 1 to 366 days, in principle no more than at most",
            ),
            (
                "sme.late_interest",
                self.sme_late_interest.params.default_daily_rate.numerator() <= Rate::SCALE / 100,
                "takes at most 0.01 a day",
            ),
            (
                "claim.unit",
                (1..=Fen::MAX.get().unsigned_abs()).contains(&self.claim_unit.params.fen),
                "takes at least 1 fen",
            ),
            (
                "claim.depth",
                self.claim_depth.params.hops_at_most <= 1_000,
                "takes at most 1000 hops",
            ),
            (
                "claim.cutoff",
                self.claim_cutoff.params.business_days_before_due <= 60,
                "takes at most 60 business days",
            ),
            (
                "account.cooling",
                self.account_cooling.params.days <= 60,
                "takes at most 60 days",
            ),
            (
                "leg.days",
                (1..=30).contains(&self.leg_days.params.business_days),
                "takes 1 to 30 business days",
            ),
            (
                "reveal",
                (1..=72).contains(&self.reveal.params.hours),
                "takes 1 to 72 hours",
            ),
        ];
        dates.into_iter().chain(params)
    }
}
