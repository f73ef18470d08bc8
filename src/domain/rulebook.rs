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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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

    /// Whether it holds for everybody at any time, as a parameter of the programme does.
    fn always_holds(&self) -> bool {
        self.severity == Severity::Block && self.valid_from.is_none() && self.valid_to.is_none()
    }

    fn dates_ascend(&self) -> bool {
        !matches!((self.valid_from, self.valid_to), (Some(from), Some(to)) if to < from)
    }
}

/// Declares a rule's parameters.
macro_rules! params {
    ($( $(#[$meta:meta])* $name:ident { $( $(#[$field_meta:meta])* $field:ident: $type:ty, )+ } )+) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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

/// Late interest, agreed or by default, is at most 0.01 a day: a rate's parts in 10¹².
pub const DAILY_RATE_MOST: i64 = Rate::SCALE / 100;

/// A published loan prime rate, in force until the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lpr {
    /// The day of its publication.
    pub from: Day,
    /// A year.
    pub rate: Rate,
}

/// All of it, in wire order. It travels inside `ledger.create` and `rulebook.publish` as canonical JSON
/// and is written as TOML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
        ]
        .map(|(field, holds)| (field, holds, "must begin to hold before it ends"));
        let programme = [
            ("claim.unit", self.claim_unit.always_holds()),
            ("claim.depth", self.claim_depth.always_holds()),
            ("claim.cutoff", self.claim_cutoff.always_holds()),
            ("account.cooling", self.account_cooling.always_holds()),
            ("leg.days", self.leg_days.always_holds()),
            ("reveal", self.reveal.always_holds()),
        ]
        .map(|(field, holds)| (field, holds, "always holds: severity block, without dates"));
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
                self.sme_late_interest.params.default_daily_rate.numerator() <= DAILY_RATE_MOST,
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
        dates.into_iter().chain(programme).chain(params)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rstest::rstest;

    use super::*;
    use crate::domain::values::Currency;

    const CN_2025: &str = include_str!("../../contracts/rulebooks/cn-2025.toml");

    fn cn_2025() -> Rulebook {
        Rulebook::from_toml(CN_2025).unwrap()
    }

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn the_shipped_rulebook_travels_as_canonical_json() {
        let json = serde_json::to_string(&cn_2025()).unwrap();
        assert!(json.len() < 12 * 1024, "{} bytes", json.len());
        let again: Rulebook = serde_json::from_str(&json).unwrap();
        assert_eq!(again, cn_2025());
        assert_eq!(serde_json::to_string(&again).unwrap(), json);
        assert!(json.starts_with(
            r#"{"id":"cn-2025","version":1,"valid_from":"2025-01-01","currencies":{"AED":2,"#
        ));
        assert!(json.contains(r#""rules":{"voucher.term":{"severity":"block","valid_from":"2025-06-15","compared_with":"confirmed_on","#));
        assert!(!json.contains("null"));
    }

    #[rstest]
    #[case("2024-02-19", None)]
    #[case("2024-02-20", Some("0.0345"))]
    #[case("2024-10-20", Some("0.0335"))]
    #[case("2024-10-21", Some("0.031"))]
    #[case("2026-11-24", Some("0.03"))]
    fn the_prime_rate_holds_until_the_next(#[case] on: Day, #[case] rate: Option<&str>) {
        assert_eq!(cn_2025().lpr_on(on), rate.map(|text| text.parse().unwrap()));
    }

    #[rstest]
    #[case::before("2025-05-31", false)]
    #[case::first_day("2025-06-01", true)]
    #[case::last_day("2026-12-31", true)]
    #[case::after("2027-01-01", false)]
    fn a_rule_holds_from_its_first_to_its_last_day(#[case] on: Day, #[case] holds: bool) {
        let mut rule = cn_2025().rules.sme_term;
        rule.valid_to = Some(day("2026-12-31"));
        assert_eq!(rule.applies_on(on), holds);
    }

    /// Monday to Friday, less holidays, plus make-up days.
    #[rstest]
    #[case(2025, 248)]
    #[case(2026, 248)]
    fn a_year_has_its_business_days(#[case] year: i32, #[case] count: usize) {
        let calendar = cn_2025().calendar;
        let first = Day::from_ymd(year, 1, 1).unwrap();
        let days = (0..365).map(|n| first.plus_days(n));
        assert_eq!(days.filter(|day| calendar.is_business(*day)).count(), count);
    }

    #[rstest]
    #[case::spring_festival("2026-02-14", "2026-02-14")]
    #[case::in_spring_festival("2026-02-16", "2026-02-24")]
    #[case::make_up_saturday("2026-02-28", "2026-02-28")]
    #[case::national_day("2026-10-03", "2026-10-08")]
    #[case::a_year_not_yet_known("2027-10-03", "2027-10-04")]
    fn a_due_day_moves_to_a_business_day(#[case] due: Day, #[case] moved: Day) {
        assert_eq!(cn_2025().calendar.roll(due), moved);
    }

    #[rstest]
    #[case::unknown_field("version = 1", "version = 1\ncolour = \"red\"", "colour")]
    #[case::unknown_rule("[rules.\"reveal\"]", "[rules.\"sme.colour\"]", "sme.colour")]
    #[case::unknown_parameter("{ hours = 12 }", "{ hours = 12, minutes = 1 }", "minutes")]
    #[case::unknown_severity("severity = \"block\"", "severity = \"stop\"", "stop")]
    #[case::rate_with_trailing_zero("\"0.031\"", "\"0.0310\"", "trailing zero")]
    #[case::no_such_day("\"2025-01-01\"", "\"2025-02-31\"", "no such day")]
    #[case::version_zero("version = 1", "version = 0", "version")]
    #[case::holidays_out_of_order(
        "\"2025-04-04\", \"2025-04-05\"",
        "\"2025-04-05\", \"2025-04-04\"",
        "calendar.holidays"
    )]
    #[case::workday_on_a_weekday("\"2025-01-26\"", "\"2025-01-27\"", "calendar.workdays")]
    #[case::workday_that_is_a_holiday("\"2026-02-14\"", "\"2026-02-15\"", "calendar.workdays")]
    #[case::rates_out_of_order("from = \"2024-07-22\"", "from = \"2024-10-22\"", "lpr_one_year")]
    #[case::principle_above_most(
        "months_in_principle = 6",
        "months_in_principle = 13",
        "voucher.term"
    )]
    #[case::endless_term("large_days = 60", "large_days = 367", "sme.term")]
    #[case::usury("\"0.0005\"", "\"0.05\"", "sme.late_interest")]
    #[case::no_unit("fen = 1", "fen = 0", "claim.unit")]
    #[case::unit_that_only_warns(
        "[rules.\"claim.unit\"]\nseverity = \"block\"",
        "[rules.\"claim.unit\"]\nseverity = \"warn\"",
        "claim.unit"
    )]
    #[case::no_time_to_reveal("hours = 12", "hours = 0", "reveal")]
    #[case::ends_before_it_begins(
        "valid_from = \"2025-06-15\"",
        "valid_from = \"2025-06-15\"\nvalid_to = \"2025-06-14\"",
        "voucher.term"
    )]
    fn a_rulebook_that_makes_no_sense_is_refused(
        #[case] right: &str,
        #[case] wrong: &str,
        #[case] named: &str,
    ) {
        assert!(CN_2025.contains(right));
        let error = Rulebook::from_toml(&CN_2025.replacen(right, wrong, 1))
            .unwrap_err()
            .to_string();
        assert!(error.contains(named), "{error}");
    }

    /// The minor units of ISO 4217, where the corpus is present.
    #[test]
    fn the_corpus_agrees() {
        let Some(corpus) = std::env::var_os("COUNTERFOIL_CORPUS") else {
            eprintln!("skipped: COUNTERFOIL_CORPUS is not set");
            return;
        };
        let file = Path::new(&corpus).join("vectors/identifiers/iso4217_minor_units.json");
        let rows: Vec<serde_json::Value> =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert!(!rows.is_empty());
        let currencies = cn_2025().currencies;
        for row in rows {
            let code = row["code"].as_str().unwrap();
            let found = code
                .parse::<Currency>()
                .ok()
                .and_then(|code| currencies.decimals(code));
            assert_eq!(found.map(u64::from), row["minor"].as_u64(), "{code}");
        }
    }
}
