//! What a purchase costs and pays: the price on every value date, and the order of offers by their whole cost.

use std::cmp::Ordering;

use super::objects::{Bearer, Ledger, Offer, OfferTerms, Request};
use super::refusal::Refusal;
use super::values::{AllIn, Computed, Day, Fen, MoneyError, Rate, apr, discount};

/// Why an offer has no price on a value date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The formula gives none.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Nothing would be left to pay.
    #[error("interest and fees leave nothing of the face on {0}")]
    Nothing(Day),
}

impl PriceError {
    /// The refusal of terms that have no price on a day that counts.
    pub fn refusal(self) -> Refusal {
        Refusal::new("offer.price", self.to_string())
            .remedy("interest and fees below the face, over at least one day")
    }
}

/// The price of a purchase on a value date: `amount = F − D − fees that the requester bears`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The interest in advance, `D = round(F·r·n/B)`.
    pub discount: Computed,
    /// The fees that the requester bears, whoever receives them.
    pub fees: Fen,
    /// What the lender pays: always above zero.
    pub amount: Computed,
}

/// What a purchase of `face` on these terms pays on `value_date`: `F − D(v) − fees the requester bears`. The fees
/// are in the face's currency, which an offer's acceptance on the ledger has checked.
pub fn amount(
    face: Fen,
    terms: &OfferTerms,
    due: Day,
    value_date: Day,
) -> Result<Price, PriceError> {
    let discount = discount(face, terms.rate, terms.day_count, value_date, due)?;
    let borne = terms
        .fees
        .iter()
        .filter(|fee| fee.bearer == Bearer::Requester);
    let fees = borne
        .map(|fee| Fen::new(fee.amount.units()))
        .try_fold(Fen::ZERO, |sum, fee| sum.checked_add(fee?))
        .ok_or(MoneyError::Overflow)?;
    let left = face
        .checked_sub(discount.result)
        .and_then(|left| left.checked_sub(fees))
        .filter(|left| *left > Fen::ZERO)
        .ok_or(PriceError::Nothing(value_date))?;
    let amount = Computed {
        formula: "purchase_price",
        inputs: vec![
            ("face", face.to_string()),
            ("discount", discount.result.to_string()),
            ("fees", fees.to_string()),
        ],
        result: left,
        rounding: "exact",
    };
    Ok(Price {
        discount,
        fees,
        amount,
    })
}

impl Price {
    /// The price as the measure that is the same for every offer: all that the requester bears is its cost.
    pub fn all_in(&self, value_date: Day, due: Day) -> Result<AllIn, PriceError> {
        let cost = self.discount.result.checked_add(self.fees);
        Ok(AllIn {
            cost: cost.ok_or(MoneyError::Overflow)?,
            funds: self.amount.result,
            days: value_date.days_until(due),
        })
    }
}

/// Offers of a request are compared at one value date, the next business day after its `accept_by`.
pub fn compared_on(ledger: &Ledger, request: &Request) -> Day {
    let calendar = &ledger.rulebook(request.rulebook).calendar;
    calendar.plus_business_days(ledger.last_day_before(request.accept_by), 1)
}

/// An offer with its price and its cost on the day of comparison.
#[derive(Debug, Clone)]
pub struct Ranked<'s> {
    /// The offer.
    pub offer: &'s Offer,
    /// Its price on that day.
    pub price: Price,
    /// Its whole cost.
    pub all_in: AllIn,
    /// The same as an annual rate, for showing; none where it is too large to be written.
    pub apr: Option<Rate>,
}

/// The offers whose terms are known, the best first: by annual cost, then funds, then entry. `on` is the day of
/// [`compared_on`].
pub fn rank<'s>(
    request: &Request,
    on: Day,
    offers: impl IntoIterator<Item = &'s Offer>,
) -> Vec<Ranked<'s>> {
    let price = |offer: &'s Offer| -> Option<Ranked<'s>> {
        let price = amount(request.face, offer.terms()?, request.due, on).ok()?;
        let all_in = price.all_in(on, request.due).ok()?;
        Some(Ranked {
            offer,
            price,
            all_in,
            apr: apr(all_in.cost, all_in.funds, all_in.days).ok(),
        })
    };
    let mut ranked: Vec<_> = offers.into_iter().filter_map(price).collect();
    ranked.sort_by(better);
    ranked
}

fn better(one: &Ranked<'_>, other: &Ranked<'_>) -> Ordering {
    let entry = |ranked: &Ranked<'_>| (ranked.offer.at, ranked.offer.id);
    one.all_in
        .cmp_rank(&other.all_in)
        .then_with(|| entry(one).cmp(&entry(other)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Bidding, Fee, Interest, OfferKind, Recourse};
    use crate::domain::testing::trade::{fens_of, terms_of};
    use crate::domain::testing::{BANK, FACTOR, LENDER, World, digest, id, wire};
    use crate::domain::values::DayCount;

    const MILLION: i64 = 100_000_000;

    fn terms(rate: &str, day_count: DayCount) -> OfferTerms {
        OfferTerms {
            kind: OfferKind::Purchase,
            interest: Interest::InAdvance,
            rate: wire(rate),
            day_count,
            fees: Vec::new(),
            advance_rate: Rate::ONE,
            recourse: Recourse::None,
            disburse_by: wire("2026-02-10"),
            expires: wire("2026-01-31T00:00:00Z"),
        }
    }

    fn fee(bearer: Bearer, amount: &str) -> Fee {
        Fee {
            payee: id("x:platform"),
            bearer,
            amount: wire(amount),
        }
    }

    fn price(terms: &OfferTerms, value_date: &str, due: &str) -> Result<Price, PriceError> {
        let face = Fen::new(MILLION).expect("a face");
        amount(face, terms, wire(due), wire(value_date))
    }

    #[rstest]
    #[case::act_360("0.0435", DayCount::Act360, 2_187_083, 97_812_917)]
    #[case::act_365f("0.0435", DayCount::Act365F, 2_157_123, 97_842_877)]
    #[case::bond("0.0435", DayCount::Thirty360, 2_175_000, 97_825_000)]
    #[case::eurobond("0.0435", DayCount::Thirty360E, 2_175_000, 97_825_000)]
    #[case::for_nothing("0", DayCount::Act360, 0, 100_000_000)]
    fn a_million_is_bought(
        #[case] rate: &str,
        #[case] day_count: DayCount,
        #[case] discount: i64,
        #[case] net: i64,
    ) {
        let price = price(&terms(rate, day_count), "2026-01-31", "2026-07-31").expect("a price");
        assert_eq!(price.discount.result.get(), discount);
        assert_eq!(price.amount.result.get(), net);
    }

    #[test]
    fn fees_that_the_requester_bears_lower_the_price_whoever_receives_them() {
        let mut with_fees = terms("0.0435", DayCount::Act360);
        with_fees.fees = vec![
            Fee {
                payee: id(LENDER),
                ..fee(Bearer::Requester, "100.00")
            },
            fee(Bearer::Requester, "50.00"),
            fee(Bearer::Lender, "1000.00"),
        ];
        let price = price(&with_fees, "2026-01-31", "2026-07-31").expect("a price");
        assert_eq!(price.amount.result.get(), 97_812_917 - 15_000);
        let all_in = price.all_in(wire("2026-01-31"), wire("2026-07-31"));
        assert_eq!(all_in.expect("a cost").cost.get(), 2_187_083 + 15_000);
        assert_eq!(
            price.amount.inputs,
            [
                ("face", "100000000"),
                ("discount", "2187083"),
                ("fees", "15000")
            ]
            .map(|(name, value)| (name, value.to_owned()))
        );
    }

    #[rstest]
    #[case::on_the_due_day("0.0435", "2026-07-31", true)]
    #[case::behind_it("0.0435", "2026-08-01", true)]
    #[case::no_bond_day_left("0.0435", "2026-07-30", true)]
    #[case::the_rate_takes_all("2", "2026-01-31", false)]
    fn there_is_no_price_without_a_day_or_without_a_rest(
        #[case] rate: &str,
        #[case] value_date: &str,
        #[case] of_days: bool,
    ) {
        let error = price(&terms(rate, DayCount::Thirty360), value_date, "2026-07-31").unwrap_err();
        assert_eq!(
            matches!(error, PriceError::Money(MoneyError::NoDays { .. })),
            of_days
        );
        assert_eq!(error.refusal().rule, "offer.price");
    }

    #[test]
    fn fees_may_not_take_all_of_the_face() {
        let mut dear = terms("0", DayCount::Act360);
        dear.fees = vec![fee(Bearer::Requester, "1000000.00")];
        let nothing = Err(PriceError::Nothing(wire("2026-01-31")));
        assert_eq!(price(&dear, "2026-01-31", "2026-07-31"), nothing);
        dear.fees = vec![fee(Bearer::Requester, "999999.99")];
        let one = price(&dear, "2026-01-31", "2026-07-31").expect("a price");
        assert_eq!(one.amount.result.get(), 1);
    }

    #[test]
    fn the_price_rises_with_the_value_date() {
        for day_count in DayCount::ALL {
            let terms = terms("0.0435", *day_count);
            let first: Day = wire("2026-01-15");
            let of = |n: i64| {
                let day = first.plus_days(n).to_string();
                price(&terms, &day, "2026-05-31")
                    .expect("a price")
                    .amount
                    .result
            };
            assert!((0..134).all(|n| of(n) <= of(n + 1)), "{day_count}");
        }
    }

    /// 4.35 % on ACT/360 costs more than 4.40 % on ACT/365F: the quoted rates tell the wrong order. A third offer
    /// that is like the second and came later stands behind it.
    #[test]
    fn offers_are_ranked_by_their_whole_cost_on_one_day_then_by_entry() {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        let fens = fens_of(receivable, 0, 100_000_000);
        let request = world.requested(fens, Bidding::Visible);
        let quoted = [
            (LENDER, "0.0435", DayCount::Act360),
            (FACTOR, "0.044", DayCount::Act365F),
            (BANK, "0.044", DayCount::Act365F),
        ];
        let [dear, cheap, later] = quoted.map(|(lender, rate, day_count)| {
            world.limited(lender, "1000000.00");
            world.later_by_hours(1);
            let terms = OfferTerms {
                rate: wire(rate),
                day_count,
                ..terms_of(world.get_request(request))
            };
            world.offered(lender, request, terms)
        });
        let request = world.get_request(request);
        let on = compared_on(world.state.ledger.as_ref().expect("entry 0"), request);
        assert_eq!(
            on,
            wire("2026-06-08"),
            "the business day after Friday, 5 June"
        );
        let ranked = rank(request, on, world.state.offers.iter());
        let order: Vec<_> = ranked.iter().map(|one| one.offer.id).collect();
        assert_eq!(order, [cheap, later, dear]);
        let costs: Vec<_> = ranked.iter().map(|one| one.all_in.cost.get()).collect();
        assert_eq!(costs, [723_288, 723_288, 725_000], "60 days");
        assert!(ranked[0].apr < ranked[2].apr);
    }

    #[test]
    fn an_offer_that_is_not_known_has_no_rank() {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        let request = world.requested(fens_of(receivable, 0, 1), Bidding::Sealed);
        let commitment = digest("sealed");
        let commit = crate::domain::ops::offer::commit::Commit {
            request,
            commitment,
        };
        world.act(LENDER, commit);
        let request = world.get_request(request);
        let offers = world.state.offers.iter();
        assert!(rank(request, wire("2026-06-08"), offers).is_empty());
    }
}
