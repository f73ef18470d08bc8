//! The money formulas. Each is one fraction of whole numbers, rounded once, half away from zero; what
//! does not fit is refused. Nothing is ever rounded on the way: 183,768.75 at 18.70 % for 96 days of
//! 360 is 9,163.94, and a daily rate computed first would make it 9,163.93.

use std::cmp::Ordering;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::day::Day;
use super::daycount::DayCount;
use super::money::Fen;
use super::rate::Rate;

/// Days of the year in every all-in cost.
const APR_BASE: i128 = 365;
/// An annual percentage rate has six decimals: parts in 10¹² are rounded to multiples of this.
const APR_STEP: i64 = 1_000_000;
const ROUNDING: &str = "half_away_from_zero";

/// Why a formula gives no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// A product or the result does not fit.
    #[error("the amounts, rate or days are too large to be computed with")]
    Overflow,
    /// Interest is for at least one day.
    #[error("from {from} to {to} is no day to count: the second must lie after the first")]
    NoDays {
        /// The first day.
        from: Day,
        /// The day that should lie after it.
        to: Day,
    },
    /// A number of days below what the formula takes.
    #[error("{0} days are too few")]
    TooFewDays(i64),
    /// A cost is a share of something.
    #[error("there is no annual rate on funds of zero")]
    NoFunds,
}

/// A computed amount, with all that is needed to compute it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Computed {
    /// Which formula, by a name that never changes its meaning.
    pub formula: &'static str,
    /// What went in, in the formula's order; amounts in fen, rates and days as they are written.
    #[serde(serialize_with = "as_object")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub inputs: Vec<(&'static str, String)>,
    /// What came out.
    pub result: Fen,
    /// How the one rounding was done.
    pub rounding: &'static str,
}

fn as_object<S: Serializer>(inputs: &[(&'static str, String)], to: S) -> Result<S::Ok, S::Error> {
    let mut object = to.serialize_map(Some(inputs.len()))?;
    for (name, value) in inputs {
        object.serialize_entry(name, value)?;
    }
    object.end()
}

/// Interest in advance on a face, `D = round(F·r·n/B)`.
pub fn discount(
    face: Fen,
    rate: Rate,
    daycount: DayCount,
    from: Day,
    to: Day,
) -> Result<Computed, MoneyError> {
    let term = Term::new(rate, daycount, from, to)?;
    let result = term.interest_on(face)?;
    Ok(term.computed("discount", ("face", face), result))
}

/// Interest in arrears on a principal, `I = round(P·r·n/B)`: what is repaid is `P + I`.
pub fn arrears_interest(
    principal: Fen,
    rate: Rate,
    daycount: DayCount,
    from: Day,
    to: Day,
) -> Result<Computed, MoneyError> {
    let term = Term::new(rate, daycount, from, to)?;
    let result = term.interest_on(principal)?;
    Ok(term.computed("arrears_interest", ("principal", principal), result))
}

/// The present value of a face at its true discount, `PV = round(F / (1 + r·n/B))`.
pub fn true_discount(
    face: Fen,
    rate: Rate,
    daycount: DayCount,
    from: Day,
    to: Day,
) -> Result<Computed, MoneyError> {
    let term = Term::new(rate, daycount, from, to)?;
    let one = i128::from(Rate::SCALE) * i128::from(daycount.base());
    let grown = times(rate.numerator().into(), term.days.into())?
        .checked_add(one)
        .ok_or(MoneyError::Overflow)?;
    let result = fen(times(face.get().into(), one)?, grown)?;
    Ok(term.computed("true_discount", ("face", face), result))
}

/// Late interest, `round(overdue · daily rate · days after grace)`; zero days cost nothing.
pub fn late_interest(overdue: Fen, daily_rate: Rate, days: i64) -> Result<Computed, MoneyError> {
    late_interest_of(&[(overdue, days)], daily_rate)
}

/// Late interest on amounts that are late by different numbers of days: the same formula over their sum,
/// rounded once. The inputs keep each amount with its days, in order.
pub fn late_interest_of(parts: &[(Fen, i64)], daily_rate: Rate) -> Result<Computed, MoneyError> {
    let mut fen_days: i128 = 0;
    for (overdue, days) in parts {
        if *days < 0 {
            return Err(MoneyError::TooFewDays(*days));
        }
        fen_days = times(overdue.get().into(), (*days).into())?
            .checked_add(fen_days)
            .ok_or(MoneyError::Overflow)?;
    }
    let product = times(fen_days, daily_rate.numerator().into())?;
    let listed = |texts: Vec<String>| texts.join("+");
    let overdue = parts.iter().map(|(overdue, _)| overdue.to_string());
    let days = parts.iter().map(|(_, days)| days.to_string());
    Ok(Computed {
        formula: "late_interest",
        inputs: vec![
            ("overdue", listed(overdue.collect())),
            ("daily_rate", daily_rate.to_string()),
            ("days", listed(days.collect())),
        ],
        result: fen(product, Rate::SCALE.into())?,
        rounding: ROUNDING,
    })
}

/// The annual percentage rate of a cost, `cost ÷ funds × 365/days`, simple, rounded to six decimals.
/// It is for showing: offers are ranked by [`AllIn`], which rounds nothing.
pub fn apr(cost: Fen, funds: Fen, days: i64) -> Result<Rate, MoneyError> {
    if days < 1 {
        return Err(MoneyError::TooFewDays(days));
    }
    if funds.is_zero() {
        return Err(MoneyError::NoFunds);
    }
    let yearly = times(
        times(cost.get().into(), APR_BASE)?,
        i128::from(Rate::SCALE / APR_STEP),
    )?;
    let steps = round(yearly, times(funds.get().into(), days.into())?)?;
    i64::try_from(steps)
        .ok()
        .and_then(|steps| steps.checked_mul(APR_STEP))
        .and_then(Rate::from_numerator)
        .ok_or(MoneyError::Overflow)
}

/// What an offer costs all in: cost of these funds for so many actual days, the same measure for every
/// offer, whatever basis it quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllIn {
    /// All interest and fees that the requester bears, whoever receives them.
    pub cost: Fen,
    /// What is credited to the requester.
    pub funds: Fen,
    /// Actual days from the value date to the due day.
    pub days: i64,
}

impl AllIn {
    /// Compares annual costs exactly, the cheaper one first. A cost of no funds, or for no day, is
    /// dearer than any other.
    pub fn cmp_cost(&self, other: &AllIn) -> Ordering {
        let fraction = |all: &AllIn| {
            let days = i128::from(all.days.max(0));
            (
                i128::from(all.cost.get()),
                i128::from(all.funds.get()) * days,
            )
        };
        cmp_fractions(fraction(self), fraction(other))
    }

    /// The order in which offers are shown: the cheaper first, among equals the one with more funds.
    /// Offers that are equal in both keep the order of their entries (sort stably).
    pub fn cmp_rank(&self, other: &AllIn) -> Ordering {
        self.cmp_cost(other).then(other.funds.cmp(&self.funds))
    }
}

/// The sign of `a/b − c/d` for numbers of at least zero, where `x/0` is above every other. Multiplied
/// crosswise 10¹⁸ × 10¹⁸ × 10⁶ would not fit, so whole parts are compared first and what remains is
/// turned over, as Euclid does it.
fn cmp_fractions((a, b): (i128, i128), (c, d): (i128, i128)) -> Ordering {
    match (b, d) {
        (0, 0) => return Ordering::Equal,
        (0, _) => return Ordering::Greater,
        (_, 0) => return Ordering::Less,
        _ => {}
    }
    match (a / b).cmp(&(c / d)) {
        Ordering::Equal if a % b == 0 && c % d == 0 => Ordering::Equal,
        Ordering::Equal => cmp_fractions((d, c % d), (b, a % b)),
        unequal => unequal,
    }
}

/// A rate over a term: what the interest formulas have in common.
struct Term {
    rate: Rate,
    daycount: DayCount,
    from: Day,
    to: Day,
    days: i64,
}

impl Term {
    fn new(rate: Rate, daycount: DayCount, from: Day, to: Day) -> Result<Term, MoneyError> {
        match daycount.days(from, to) {
            ..=0 => Err(MoneyError::NoDays { from, to }),
            days => Ok(Term {
                rate,
                daycount,
                from,
                to,
                days,
            }),
        }
    }

    fn interest_on(&self, principal: Fen) -> Result<Fen, MoneyError> {
        let yearly = times(principal.get().into(), self.rate.numerator().into())?;
        let base = i128::from(Rate::SCALE) * i128::from(self.daycount.base());
        fen(times(yearly, self.days.into())?, base)
    }

    fn computed(&self, formula: &'static str, on: (&'static str, Fen), result: Fen) -> Computed {
        Computed {
            formula,
            inputs: vec![
                (on.0, on.1.to_string()),
                ("rate", self.rate.to_string()),
                ("daycount", self.daycount.to_string()),
                ("from", self.from.to_string()),
                ("to", self.to.to_string()),
                ("days", self.days.to_string()),
                ("base", self.daycount.base().to_string()),
            ],
            result,
            rounding: ROUNDING,
        }
    }
}

fn times(a: i128, b: i128) -> Result<i128, MoneyError> {
    a.checked_mul(b).ok_or(MoneyError::Overflow)
}

fn fen(numerator: i128, denominator: i128) -> Result<Fen, MoneyError> {
    i64::try_from(round(numerator, denominator)?)
        .ok()
        .and_then(Fen::new)
        .ok_or(MoneyError::Overflow)
}

/// `numerator / denominator`, both above zero or the first zero, to the nearest whole number, a half up:
/// as nothing here is negative, that is away from zero.
fn round(numerator: i128, denominator: i128) -> Result<i128, MoneyError> {
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    Ok(whole + i128::from(rest >= denominator - rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn fen(units: i64) -> Fen {
        Fen::new(units).unwrap()
    }

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    fn half_year() -> (Day, Day) {
        ("2026-01-31".parse().unwrap(), "2026-07-31".parse().unwrap())
    }

    #[rstest]
    #[case(DayCount::Act360, "0.0435", 2_187_083)]
    #[case(DayCount::Act365F, "0.0435", 2_157_123)]
    #[case(DayCount::Thirty360, "0.0435", 2_175_000)]
    #[case(DayCount::Act365F, "0.044", 2_181_918)]
    fn a_million_is_discounted(#[case] count: DayCount, #[case] yearly: &str, #[case] result: i64) {
        let (from, to) = half_year();
        let computed = discount(fen(100_000_000), rate(yearly), count, from, to).unwrap();
        assert_eq!(computed.result, fen(result));
        let arrears = arrears_interest(fen(100_000_000), rate(yearly), count, from, to).unwrap();
        assert_eq!(arrears.result, computed.result);
    }

    #[test]
    fn the_net_of_a_discount_has_its_annual_rate() {
        let (cost, funds) = (fen(2_187_083), fen(97_812_917));
        assert_eq!(apr(cost, funds, 181), Ok(rate("0.04509")));
    }

    #[test]
    fn a_true_discount_divides() {
        let (from, to) = half_year();
        let value = true_discount(fen(100_000_000), rate("0.0435"), DayCount::Act360, from, to);
        assert_eq!(value.unwrap().result, fen(97_859_726));
    }

    #[test]
    fn late_interest_is_by_the_day() {
        let twelve_days = late_interest(fen(15_000_000), rate("0.0005"), 12).unwrap();
        assert_eq!(twelve_days.result, fen(90_000));
        assert_eq!(
            late_interest(fen(15_000_000), rate("0.0005"), 0)
                .unwrap()
                .result,
            Fen::ZERO
        );
        assert_eq!(
            late_interest(fen(1), rate("0.0005"), -1),
            Err(MoneyError::TooFewDays(-1))
        );
    }

    #[test]
    fn nothing_is_rounded_on_the_way() {
        let from: Day = "2026-01-01".parse().unwrap();
        let to = from.plus_days(96);
        let interest = arrears_interest(fen(18_376_875), rate("0.187"), DayCount::Act360, from, to);
        assert_eq!(interest.unwrap().result, fen(916_394));
    }

    #[rstest]
    #[case::a_half_goes_up(1, 2, 1)]
    #[case::below_a_half_goes_down(49, 100, 0)]
    #[case::one_and_a_half(3, 2, 2)]
    #[case::two_and_a_half(5, 2, 3)]
    #[case::exact(4, 2, 2)]
    #[case::odd_denominator(1, 3, 0)]
    #[case::odd_denominator_above(2, 3, 1)]
    fn rounding_is_half_away_from_zero(#[case] n: i128, #[case] d: i128, #[case] rounded: i128) {
        assert_eq!(round(n, d), Ok(rounded));
    }

    #[test]
    fn interest_is_for_at_least_a_day() {
        let (from, to) = half_year();
        let none = MoneyError::NoDays { from: to, to: from };
        let count = DayCount::Act360;
        assert_eq!(discount(fen(1), Rate::ONE, count, to, from), Err(none));
        assert_eq!(true_discount(fen(1), Rate::ONE, count, to, from), Err(none));
        assert!(arrears_interest(fen(1), Rate::ONE, count, to, to).is_err());
        assert_eq!(apr(fen(1), fen(1), 0), Err(MoneyError::TooFewDays(0)));
        assert_eq!(apr(fen(1), Fen::ZERO, 1), Err(MoneyError::NoFunds));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let highest = Rate::from_numerator(i64::MAX).unwrap();
        let overflow = Err(MoneyError::Overflow);
        let (from, to) = (Day::MIN, Day::MAX);
        assert_eq!(
            discount(Fen::MAX, highest, DayCount::Act360, from, to),
            overflow
        );
        assert_eq!(late_interest(Fen::MAX, highest, i64::MAX), overflow);
        assert_eq!(late_interest(Fen::MAX, Rate::ONE, 2), overflow);
        assert_eq!(apr(Fen::MAX, fen(1), 1), Err(MoneyError::Overflow));
        assert!(true_discount(Fen::MAX, highest, DayCount::Act360, from, to).is_ok());
    }

    #[test]
    fn a_computed_amount_keeps_formula_inputs_and_rounding() {
        let (from, to) = half_year();
        let count = DayCount::Act360;
        let computed = discount(fen(100_000_000), rate("0.0435"), count, from, to).unwrap();
        assert_eq!(
            serde_json::to_string(&computed).unwrap(),
            concat!(
                r#"{"formula":"discount","inputs":{"face":"100000000","rate":"0.0435","#,
                r#""daycount":"ACT/360","from":"2026-01-31","to":"2026-07-31","days":"181","base":"360"},"#,
                r#""result":2187083,"rounding":"half_away_from_zero"}"#,
            )
        );
    }

    fn all_in(cost: i64, funds: i64, days: i64) -> AllIn {
        AllIn {
            cost: fen(cost),
            funds: fen(funds),
            days,
        }
    }

    /// 4.35 % on ACT/360 costs more than 4.40 % on ACT/365F; the quoted rates say otherwise.
    #[test]
    fn offers_are_ranked_by_cost_and_not_by_quoted_rate() {
        let lower_quote = all_in(2_187_083, 97_812_917, 181);
        let higher_quote = all_in(2_181_918, 97_818_082, 181);
        assert_eq!(higher_quote.cmp_rank(&lower_quote), Ordering::Less);
    }

    #[rstest]
    #[case::longer_is_cheaper(all_in(10, 1_000, 100), all_in(10, 1_000, 99), Ordering::Less)]
    #[case::equal_cost_more_funds_first(
        all_in(20, 2_000, 50),
        all_in(10, 1_000, 50),
        Ordering::Less
    )]
    #[case::equal(all_in(10, 1_000, 50), all_in(10, 1_000, 50), Ordering::Equal)]
    #[case::no_cost(all_in(0, 1, 1), all_in(1, 1_000, 50), Ordering::Less)]
    #[case::no_funds_last(all_in(0, 0, 1), all_in(Fen::MAX.get(), 1, 1), Ordering::Greater)]
    #[case::no_days_last(all_in(0, 1, -5), all_in(Fen::MAX.get(), 1, 1), Ordering::Greater)]
    #[case::a_difference_no_rounding_shows(
        all_in(Fen::MAX.get() - 1, Fen::MAX.get(), 181),
        all_in(Fen::MAX.get() - 2, Fen::MAX.get() - 1, 181),
        Ordering::Greater
    )]
    fn rank(#[case] a: AllIn, #[case] b: AllIn, #[case] order: Ordering) {
        assert_eq!(a.cmp_rank(&b), order);
        assert_eq!(b.cmp_rank(&a), order.reverse());
    }

    proptest! {
        #[test]
        fn fractions_compare_as_their_cross_products(
            a in 0..1_i64 << 60, b in 1..1_i64 << 60, c in 0..1_i64 << 60, d in 1..1_i64 << 60,
        ) {
            let [a, b, c, d] = [a, b, c, d].map(i128::from);
            prop_assert_eq!(cmp_fractions((a, b), (c, d)), (a * d).cmp(&(c * b)));
        }

        #[test]
        fn small_fractions_compare_as_their_cross_products(
            a in 0..9_i128, b in 1..9_i128, c in 0..9_i128, d in 1..9_i128,
        ) {
            prop_assert_eq!(cmp_fractions((a, b), (c, d)), (a * d).cmp(&(c * b)));
        }

        #[test]
        fn no_input_panics(
            face in 0..=Fen::MAX.get(), numerator in 0..=i64::MAX, from in 0..3_000_000_i64, to in 0..3_000_000_i64,
        ) {
            let (face, rate) = (fen(face), Rate::from_numerator(numerator).unwrap());
            let (from, to) = (Day::from_number(from), Day::from_number(to));
            for count in DayCount::ALL {
                let _ = discount(face, rate, *count, from, to);
                let _ = true_discount(face, rate, *count, from, to);
            }
        }
    }

    /// 0.05 % of 0.10 a day is 0.00005 and rounds to nothing; of two such amounts over 60 and 40 days, to one fen.
    #[test]
    fn late_interest_of_several_amounts_is_rounded_once() {
        let parts = [(fen(10), 60), (fen(10), 40)];
        let computed = late_interest_of(&parts, rate("0.0005")).unwrap();
        assert_eq!(computed.result, fen(1));
        assert_eq!(computed.inputs[0], ("overdue", "10+10".to_owned()));
        assert_eq!(computed.inputs[2], ("days", "60+40".to_owned()));
        let alone = parts.map(|(overdue, days)| late_interest(overdue, rate("0.0005"), days));
        assert_eq!(alone.map(|one| one.unwrap().result), [fen(0), fen(0)]);
        assert!(late_interest_of(&[(fen(1), -1)], rate("0.0005")).is_err());
    }
}
