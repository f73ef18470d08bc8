//! `offer.make`: a lender offers to finance a request whose requester sees offers as they arrive.

use serde::{Deserialize, Serialize};

use super::{bidder, terms};
use crate::domain::head::Head;
use crate::domain::objects::{Bidding, OfferState, OfferTerms, Request};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::RequestId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Make {
    /// The request: all of it.
    pub request: RequestId,
    /// The terms.
    pub offer: OfferTerms,
}

impl Operation for Make {
    const NAME: &'static str = "offer.make";
    const SUMMARY: &'static str = "A lender makes an offer that the requester sees at once";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let request = at.named::<Request>(self.request)?;
        Ok(Some(Stake {
            currency: request.currency,
            fen: request.face,
        }))
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let request = bidder::asked(at, self.request, Bidding::Visible)?.taking_offers(at.time)?;
        bidder::check_first(at, request)?;
        terms::check(at, request, &self.offer)?;

        let mut draft = bidder::offered(at, request, OfferState::Standing(self.offer.clone()));
        draft.tell(request.requester);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Bearer, Fee, Interest, OfferKind};
    use crate::domain::ops::offer::withdraw::Withdraw;
    use crate::domain::testing::trade::{fens_of, terms_of};
    use crate::domain::testing::{
        BANK, FACTOR, HOSPITAL, LENDER, MAKER, OPERATOR, STRANGER, SUPPLIER, TAX, World, id, wire,
    };
    use crate::domain::values::Rate;

    /// A request for 600,000.00, closing on 3 June, accepted until 5 June, due on 7 August; the lender's limit.
    fn given() -> (World, RequestId) {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        let fens = fens_of(receivable, 0, 60_000_000);
        let request = world.requested(fens, Bidding::Visible);
        world.limited(LENDER, "600000.00");
        (world, request)
    }

    fn body(world: &World, request: RequestId) -> Make {
        let offer = terms_of(world.get_request(request));
        Make { request, offer }
    }

    fn fee(payee: &str, bearer: Bearer, amount: &str) -> Fee {
        Fee {
            payee: id(payee),
            bearer,
            amount: wire(amount),
        }
    }

    #[test]
    fn the_requester_alone_is_told() {
        let (mut world, request) = given();
        let body = body(&world, request);
        let effects = world.effects(LENDER, body);
        assert_eq!(effects.audience, [id(LENDER), id(SUPPLIER)].into());
    }

    #[rstest]
    #[case::a_loan(|terms: &mut OfferTerms| terms.kind = OfferKind::Loan, "offer.unsupported")]
    #[case::interest_in_arrears(|terms: &mut OfferTerms| terms.interest = Interest::InArrears, "offer.unsupported")]
    #[case::nine_tenths(|terms: &mut OfferTerms| terms.advance_rate = wire("0.9"), "offer.unsupported")]
    #[case::seventeen_fees(|terms: &mut OfferTerms| terms.fees = vec![fee(OPERATOR, Bearer::Requester, "1.00"); 17], "offer.fees")]
    #[case::a_fee_of_nothing(|terms: &mut OfferTerms| terms.fees = vec![fee(OPERATOR, Bearer::Requester, "0.00")], "amount.zero")]
    #[case::a_fee_in_yen(|terms: &mut OfferTerms| terms.fees = vec![fee(OPERATOR, Bearer::Requester, "100")], "amount.decimals")]
    #[case::a_fee_to_nobody(|terms: &mut OfferTerms| terms.fees = vec![fee("x:nobody", Bearer::Requester, "1.00")], "unknown_object")]
    #[case::a_requesters_fee_to_itself(|terms: &mut OfferTerms| terms.fees = vec![fee(SUPPLIER, Bearer::Requester, "1.00")], "offer.fees")]
    #[case::a_lenders_fee_to_itself(|terms: &mut OfferTerms| terms.fees = vec![fee(LENDER, Bearer::Lender, "1.00")], "offer.fees")]
    #[case::expired(|terms: &mut OfferTerms| terms.expires = wire("2026-06-01T02:00:00Z"), "offer.expires")]
    #[case::paid_before_it_can_be_accepted(|terms: &mut OfferTerms| terms.disburse_by = wire("2026-06-04"), "offer.disburse_by")]
    #[case::paid_in_31_days(|terms: &mut OfferTerms| terms.disburse_by = wire("2026-07-06"), "offer.disburse_by")]
    #[case::a_rate_above_the_face(|terms: &mut OfferTerms| terms.rate = wire("6"), "offer.price")]
    #[case::fees_above_the_face(|terms: &mut OfferTerms| terms.fees = vec![fee(OPERATOR, Bearer::Requester, "600000.00")], "offer.price")]
    #[case::fees_beyond_counting(|terms: &mut OfferTerms| terms.fees = vec![fee(OPERATOR, Bearer::Requester, "9999999999999999.99"); 16], "offer.price")]
    fn terms_refused(#[case] spoil: fn(&mut OfferTerms), #[case] rule: &str) {
        let (mut world, request) = given();
        let mut body = body(&world, request);
        spoil(&mut body.offer);
        assert_eq!(world.refusal(LENDER, body).rule, rule);
    }

    #[rstest]
    #[case::for_nothing(|terms: &mut OfferTerms| terms.rate = Rate::ZERO)]
    #[case::with_sixteen_fees(|terms: &mut OfferTerms| terms.fees = vec![fee(OPERATOR, Bearer::Requester, "1.00"); 16])]
    #[case::a_gift_to_the_requester(|terms: &mut OfferTerms| terms.fees = vec![fee(SUPPLIER, Bearer::Lender, "1.00")])]
    #[case::paid_on_the_last_day(|terms: &mut OfferTerms| terms.disburse_by = wire("2026-06-05"))]
    #[case::paid_in_30_days(|terms: &mut OfferTerms| terms.disburse_by = wire("2026-07-05"))]
    #[case::ending_before_accept_by(|terms: &mut OfferTerms| terms.expires = wire("2026-06-02T02:00:00Z"))]
    fn terms_taken(#[case] change: fn(&mut OfferTerms)) {
        let (mut world, request) = given();
        let mut body = body(&world, request);
        change(&mut body.offer);
        world.act(LENDER, body);
    }

    /// Due on 7 August: the price is checked to the last value date, which lies before it.
    #[test]
    fn the_money_moves_before_the_due_day() {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        world.on("2026-07-28").limited(LENDER, "600000.00");
        let request = world.requested(fens_of(receivable, 0, 1), Bidding::Visible);
        for (day, rule) in [
            ("2026-08-07", Some("offer.disburse_by")),
            ("2026-08-06", None),
        ] {
            let mut body = body(&world, request);
            body.offer.disburse_by = wire(day);
            match rule {
                Some(rule) => assert_eq!(world.refusal(LENDER, body).rule, rule),
                None => _ = world.act(LENDER, body),
            }
        }
    }

    #[rstest]
    #[case::the_requester(SUPPLIER, "offer.own_request")]
    #[case::the_debtor(HOSPITAL, "unknown_object")]
    #[case::no_lender(STRANGER, "unknown_object")]
    #[case::an_auditor(TAX, "party.role")]
    #[case::a_lender_without_limit(FACTOR, "limit.none")]
    fn who_may_not(#[case] by: &str, #[case] rule: &str) {
        let (mut world, request) = given();
        let body = body(&world, request);
        assert_eq!(world.refusal(by, body).rule, rule);
    }

    #[test]
    fn a_lender_that_is_not_asked_gets_the_answer_of_an_id_that_never_was() {
        let (mut world, _) = given();
        let receivable = world.confirmed("100.00");
        let mut opening = world.opening(fens_of(receivable, 0, 100), Bidding::Visible);
        opening.invited = Some(vec![id(BANK)]);
        let op = world.act(SUPPLIER, opening);
        let request = <RequestId as crate::domain::values::MadeId>::of(&op, 0);
        let never = RequestId::from_bytes([0; 16]);
        let offer = terms_of(world.get_request(request));
        let mut unseen = world.refusal(
            LENDER,
            Make {
                request,
                offer: offer.clone(),
            },
        );
        let absent = world.refusal(
            LENDER,
            Make {
                request: never,
                offer,
            },
        );
        unseen.inputs[0].value = never.to_string();
        assert_eq!(unseen, absent);
    }

    #[rstest]
    #[case::closed(2 * 24, "request.closed")]
    #[case::ended(4 * 24, "unknown_object")]
    fn no_offer_from_the_close_on(#[case] hours: i64, #[case] rule: &str) {
        let (mut world, request) = given();
        let body = body(&world, request);
        world.later_by_hours(hours);
        assert_eq!(world.refusal(LENDER, body).rule, rule);
    }

    #[test]
    fn a_sealed_request_takes_no_open_offer() {
        let (mut world, _) = given();
        let receivable = world.confirmed("100.00");
        let request = world.requested(fens_of(receivable, 0, 100), Bidding::Sealed);
        let body = body(&world, request);
        assert_eq!(world.refusal(LENDER, body).rule, "request.sealed");
    }

    #[rstest]
    #[case::withdrawn(|world: &mut World, offer| _ = world.act(LENDER, Withdraw { offer }))]
    #[case::expired(|world: &mut World, _| _ = world.later_by_hours(24))]
    fn one_live_offer_a_lender_and_request(
        #[case] end: fn(&mut World, crate::domain::values::OfferId),
    ) {
        let (mut world, request) = given();
        let mut terms = body(&world, request).offer;
        terms.expires = world.time.plus_hours(24);
        let offer = world.offered(LENDER, request, terms);
        let second = body(&world, request);
        assert_eq!(world.refusal(LENDER, second).rule, "offer.exists");
        end(&mut world, offer);
        let second = body(&world, request);
        world.act(LENDER, second);
    }

    #[test]
    fn the_whole_face_must_fit_the_lenders_limit() {
        let (mut world, request) = given();
        world.limited(LENDER, "599999.99");
        let over = body(&world, request);
        let refusal = world.refusal(LENDER, over);
        assert_eq!(refusal.rule, "limit.exceeded");
        let available = refusal
            .inputs
            .iter()
            .find(|one| one.name == "available_units");
        assert_eq!(available.map(|one| one.value.as_str()), Some("59999999"));
    }

    #[test]
    fn a_suppliers_part_must_fit_the_limit_on_that_supplier_where_set() {
        let (mut world, request) = given();
        let mut of_supplier = world.limiting("599999.99");
        of_supplier.supplier = Some(id(SUPPLIER));
        world.act(LENDER, of_supplier);
        let over = body(&world, request);
        assert_eq!(world.refusal(LENDER, over).rule, "limit.exceeded");
        let mut of_another = world.limiting("0.00");
        of_another.supplier = Some(id(MAKER));
        world.act(LENDER, of_another);
        let mut of_supplier = world.limiting("600000.00");
        of_supplier.supplier = Some(id(SUPPLIER));
        world.act(LENDER, of_supplier);
        let body = body(&world, request);
        world.act(LENDER, body);
    }
}
