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
