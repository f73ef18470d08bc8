//! What the terms of an offer must be, when it is made and when it is revealed.

use crate::domain::head::Head;
use crate::domain::objects::{Bearer, Fee, Interest, OfferKind, OfferTerms, Request};
use crate::domain::price::{self, PriceError, compared_on};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::Rate;

/// An offer has at most this many fees.
const FEES_MOST: usize = 16;
/// The money moves at most this many days after the last day on which the offer can be accepted.
const DISBURSE_DAYS: i64 = 30;

/// The acting lender's terms for the request are ones that it can be held to.
pub(super) fn check(at: &Head<'_>, request: &Request, terms: &OfferTerms) -> Result<(), Refusal> {
    check_kind(terms)?;
    check_fees(at, request, terms)?;
    check_times(at, request, terms)?;
    check_price(at, request, terms)?;
    at.limits_for(at.by, request)?;
    Ok(())
}

/// Purchases with interest in advance and advance rate 1.
fn check_kind(terms: &OfferTerms) -> Result<(), Refusal> {
    let supported = terms.kind == OfferKind::Purchase
        && terms.interest == Interest::InAdvance
        && terms.advance_rate == Rate::ONE;
    ensure(supported, || {
        Refusal::new(
            "offer.unsupported",
            "offers of this kind are not yet supported",
        )
        .remedy("kind purchase, interest in_advance, advance_rate 1")
    })
}

fn check_fees(at: &Head<'_>, request: &Request, terms: &OfferTerms) -> Result<(), Refusal> {
    ensure(terms.fees.len() <= FEES_MOST, || {
        Refusal::new(
            "offer.fees",
            format!("an offer has at most {FEES_MOST} fees"),
        )
        .input("fees", terms.fees.len())
    })?;
    for fee in &terms.fees {
        at.amount("fees", &fee.amount, request.currency)?;
        at.party(fee.payee)?;
        check_payee(at, request, fee)?;
    }
    Ok(())
}

fn check_payee(at: &Head<'_>, request: &Request, fee: &Fee) -> Result<(), Refusal> {
    let bearer = match fee.bearer {
        Bearer::Requester => request.requester,
        Bearer::Lender => at.by,
    };
    ensure(fee.payee != bearer, || {
        Refusal::new("offer.fees", "nobody pays a fee to itself").input("payee", fee.payee)
    })
}

fn check_times(at: &Head<'_>, request: &Request, terms: &OfferTerms) -> Result<(), Refusal> {
    ensure(terms.expires > at.time, || {
        Refusal::new("offer.expires", "the offer's end lies ahead")
            .input("expires", terms.expires)
            .input("ledger_time", at.time)
    })?;
    let first = at.ledger()?.last_day_before(request.accept_by);
    let last = first.plus_days(DISBURSE_DAYS);
    let by = terms.disburse_by;
    ensure(first <= by && by <= last && by < request.due, || {
        Refusal::new(
            "offer.disburse_by",
            "the last value date lies on or after the request's last day, before the due day",
        )
        .input("disburse_by", by)
        .input("at_least", first)
        .input("at_most", last)
        .input("due", request.due)
    })
}

/// `amount(v)` is above zero for every value date, over at least one day. It rises with the value date and the
/// days fall, so the first and the last date tell for all between.
fn check_price(at: &Head<'_>, request: &Request, terms: &OfferTerms) -> Result<(), Refusal> {
    let last = terms.disburse_by.max(compared_on(at.ledger()?, request));
    for value_date in [at.today()?, last] {
        price::amount(request.face, terms, request.due, value_date).map_err(PriceError::refusal)?;
    }
    Ok(())
}
