//! `offer.accept`: the requester takes one offer; the others are lost.

use serde::{Deserialize, Serialize};

use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{
    Bidding, Block, Disposition, Financing, FinancingState, Limit, Lock, Offer, OfferState,
    OfferTerms, Request, RequestState,
};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Fen, FinancingId, LimitId, OfferId, Role};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The offer.
    pub offer: OfferId,
}

impl Operation for Accept {
    const NAME: &'static str = "offer.accept";
    const SUMMARY: &'static str =
        "The requester accepts an offer, and the financing waits for its money";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let offer = at.named::<Offer>(self.offer)?;
        let request = at.named::<Request>(offer.request)?;
        Ok(Some(Stake {
            currency: request.currency,
            fen: request.face,
        }))
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let offer = at.named::<Offer>(self.offer)?;
        let request = acceptable(at, offer)?;
        at.actor()?.may_go_on(at, request.at)?;
        at.financeable(&request.addresses, Some(Disposition::Request(request.id)))?;
        let terms = standing(at, offer)?;
        let limits = lender_side(at, offer, request)?;

        let mut draft = at.draft();
        let id = draft.make_id();
        draft.edit::<Offer>(offer.id).state = OfferState::Accepted(terms.clone(), id);
        draft.edit::<Request>(request.id).state = RequestState::Accepted(offer.id, at.time);
        let financing = financing(at, id, offer, request, terms, limits)?;
        reserve(&mut draft, financing)?;
        draft.tell(offer.lender);
        Ok(draft.done())
    }
}

/// The offer's live request, if the actor may accept offers of it now.
fn acceptable<'s>(at: &Head<'s>, offer: &Offer) -> Result<&'s Request, Refusal> {
    ensure(offer.requester == at.by, || {
        Refusal::new(
            "offer.not_requester",
            "an offer is accepted by the requester",
        )
        .input("offer", offer.id)
    })?;
    let request = at.state.requests.get(offer.request);
    let request = request
        .ok_or_else(|| Refusal::unknown_object("request", offer.request))?
        .live(at.time)?;
    // The requester sees reveals, and may accept, when the window ends.
    let open = request.bidding == Bidding::Visible || request.revealed_by <= at.time;
    ensure(open, || {
        Refusal::new("reveal", "sealed offers can still be revealed")
            .input("revealed_by", request.revealed_by)
    })?;
    Ok(request)
}

/// The terms of an offer that was neither withdrawn nor has ended.
fn standing<'o>(at: &Head<'_>, offer: &'o Offer) -> Result<&'o OfferTerms, Refusal> {
    match &offer.state {
        OfferState::Standing(terms) if terms.expires > at.time => Ok(terms),
        _ => Err(unavailable(offer)),
    }
}

/// The lender's side judged again: it may still take obligations, and its limits have room. Why it may not is
/// the lender's own fact, and reads the same whatever it is.
fn lender_side(
    at: &Head<'_>,
    offer: &Offer,
    request: &Request,
) -> Result<Vec<(LimitId, Fen)>, Refusal> {
    at.party(offer.lender)
        .and_then(|lender| lender.with_role(Role::Lender))
        .and_then(|lender| lender.may_go_on(at, offer.at))
        .and_then(|_| at.limits_for(offer.lender, request))
        .map_err(|_| unavailable(offer))
}

fn unavailable(offer: &Offer) -> Refusal {
    Refusal::new("offer.unavailable", "the offer is no longer available").input("offer", offer.id)
}

fn financing(
    at: &Head<'_>,
    id: FinancingId,
    offer: &Offer,
    request: &Request,
    terms: &OfferTerms,
    limits: Vec<(LimitId, Fen)>,
) -> Result<Financing, Refusal> {
    Ok(Financing {
        id,
        request: request.id,
        offer: offer.id,
        lender: offer.lender,
        requester: request.requester,
        debtor: request.debtor,
        addresses: request.addresses.clone(),
        currency: request.currency,
        face: request.face,
        due: request.due,
        terms: terms.clone(),
        at: at.time,
        limits,
        outstanding: Fen::ZERO,
        state: FinancingState::Accepted {
            ends: at.end_of(terms.disburse_by)?,
            leg: None,
        },
    })
}

/// The financing takes over the request's lock and blocks its part of every limit that it draws on.
fn reserve(draft: &mut Draft<'_>, financing: Financing) -> Result<(), Refusal> {
    let time = draft.head.time;
    let ends = draft.head.end_of(financing.terms.disburse_by)?;
    for (limit, amount) in &financing.limits {
        let blocks = &mut draft.edit::<Limit>(*limit).blocks;
        blocks.retain(|_, block| block.ends > time);
        let amount = *amount;
        blocks.insert(financing.id, Block { ends, amount });
    }
    let lock = Lock {
        by: Disposition::Financing(financing.id),
        ends,
    };
    draft.lock(&financing.addresses, lock);
    draft.put(financing);
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::invoice::credit::Credit;
    use crate::domain::ops::invoice::flag::Flag;
    use crate::domain::ops::offer::withdraw::Withdraw;
    use crate::domain::testing::trade::{fens_of, terms_of};
    use crate::domain::testing::{
        FACTOR, HOSPITAL, LENDER, OPERATOR, SUPPLIER, TAX, World, admission, digest, fen, id, wire,
    };
    use crate::domain::values::{ReceivableId, RequestId};

    /// A request of 600,000.00 of 1,000,000.00 with offers of two lenders, each with a limit of 1,000,000.00.
    fn offered() -> (World, ReceivableId, RequestId, [OfferId; 2]) {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        let request = world.requested(fens_of(receivable, 0, 60_000_000), Bidding::Visible);
        let terms = terms_of(world.get_request(request));
        let offers = [LENDER, FACTOR].map(|lender| {
            world.limited(lender, "1000000.00");
            world.offered(lender, request, terms.clone())
        });
        (world, receivable, request, offers)
    }

    #[test]
    fn the_financing_takes_over_the_lock_and_blocks_the_limit() {
        let (mut world, receivable, request, [offer, other]) = offered();
        let effects = world.effects(SUPPLIER, Accept { offer });
        assert_eq!(effects.audience, [id(SUPPLIER), id(LENDER)].into());
        let before = world.get_offer(other).clone();
        let id = world.accepted(offer);
        let financing = world.get_financing(id);
        let ends = wire("2026-06-10T16:00:00Z");
        let state = FinancingState::Accepted { ends, leg: None };
        assert_eq!(financing.state, state, "until the end of disburse_by");
        let lock = Lock {
            by: Disposition::Financing(id),
            ends,
        };
        let locks: Vec<_> = world.runs(receivable).iter().map(|run| run.lock).collect();
        assert_eq!(locks, [Some(lock), None]);
        assert_eq!(world.available(LENDER), fen("400000.00"));
        assert_eq!(world.available(FACTOR), fen("1000000.00"));
        let accepted = RequestState::Accepted(offer, world.time);
        assert_eq!(world.get_request(request).state, accepted);
        assert_eq!(*world.get_offer(other), before, "lost by comparison");
    }

    #[test]
    fn a_suppliers_limit_is_blocked_by_its_part() {
        let (mut world, _, _, [offer, _]) = offered();
        let mut of_supplier = world.limiting("600000.00");
        of_supplier.supplier = Some(id(SUPPLIER));
        world.act(LENDER, of_supplier);
        let financing = world.accepted(offer);
        assert_eq!(world.get_financing(financing).limits.len(), 2);
        let limit = world.get_limit(LENDER, Some(SUPPLIER));
        assert_eq!(limit.blocked(world.time), fen("600000.00"));
    }

    #[test]
    fn the_same_fens_are_not_financed_twice() {
        let (mut world, receivable, _, [offer, other]) = offered();
        world.accepted(offer);
        for offer in [offer, other] {
            let refusal = world.refusal(SUPPLIER, Accept { offer });
            assert_eq!(refusal.rule, "request.ended");
        }
        let again = world.opening(fens_of(receivable, 0, 1), Bidding::Visible);
        assert_eq!(world.refusal(SUPPLIER, again).rule, "fens.locked");
    }

    #[rstest]
    #[case::its_lender(LENDER, "offer.not_requester")]
    #[case::another_lender(FACTOR, "unknown_object")]
    #[case::the_debtor(HOSPITAL, "unknown_object")]
    #[case::an_auditor(TAX, "offer.not_requester")]
    fn nobody_else_accepts(#[case] by: &str, #[case] rule: &str) {
        let (mut world, _, _, [offer, _]) = offered();
        assert_eq!(world.refusal(by, Accept { offer }).rule, rule);
    }

    /// Whatever bars the lender, the requester reads the same and learns nothing of it.
    #[rstest]
    #[case::withdrawn(|world: &mut World, offer| _ = world.act(LENDER, Withdraw { offer }))]
    #[case::the_limit_lowered(|world: &mut World, _| world.limited(LENDER, "599999.99"))]
    #[case::a_supplier_limit_set(|world: &mut World, _| {
        let mut of_supplier = world.limiting("0.00");
        of_supplier.supplier = Some(id(SUPPLIER));
        world.act(LENDER, of_supplier);
    })]
    #[case::the_limit_used(|world: &mut World, _| {
        let receivable = world.confirmed("500000.00");
        let request = world.requested(fens_of(receivable, 0, 50_000_000), Bidding::Visible);
        let terms = terms_of(world.get_request(request));
        let offer = world.offered(LENDER, request, terms);
        world.accepted(offer);
    })]
    fn an_offer_that_its_lender_can_no_longer_keep(#[case] bar: fn(&mut World, OfferId)) {
        let (mut world, _, _, [offer, _]) = offered();
        bar(&mut world, offer);
        let refusal = world.refusal(SUPPLIER, Accept { offer });
        assert_eq!(refusal, unavailable(world.get_offer(offer)));
        assert_eq!(refusal.inputs.len(), 1);
    }

    #[test]
    fn an_expired_offer_is_not_accepted() {
        let (mut world, _, request, [offer, other]) = offered();
        world.act(LENDER, Withdraw { offer });
        let mut terms = terms_of(world.get_request(request));
        terms.expires = world.time.plus_hours(24);
        let short = world.offered(LENDER, request, terms);
        world.later_by_hours(24);
        let refusal = world.refusal(SUPPLIER, Accept { offer: short });
        assert_eq!(refusal.rule, "offer.unavailable");
        world.accepted(other);
    }

    #[test]
    fn a_lender_whose_identification_lapsed_finances_nothing_new() {
        let (mut world, _, request, _) = offered();
        let mut late = admission("x:late", &[Role::Lender], &[], None, Some(TAX));
        late.kyc_valid_to = wire("2026-06-01");
        world.act_with(OPERATOR, &[id(TAX)], late);
        world.limited("x:late", "600000.00");
        let terms = terms_of(world.get_request(request));
        let offer = world.offered("x:late", request, terms);
        world.on("2026-06-02");
        let refusal = world.refusal(SUPPLIER, Accept { offer });
        assert_eq!(refusal.rule, "offer.unavailable");
    }

    #[test]
    fn a_request_is_accepted_before_accept_by() {
        let (mut world, _, _, [offer, _]) = offered();
        world.later_by_hours(4 * 24);
        let refusal = world.refusal(SUPPLIER, Accept { offer });
        assert_eq!(refusal.rule, "request.ended");
    }

    #[test]
    fn the_cut_off_is_looked_at_again() {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        world.on("2026-07-31").limited(LENDER, "600000.00");
        let mut opening = world.opening(fens_of(receivable, 0, 1), Bidding::Visible);
        opening.accept_by = wire("2026-08-04T16:00:00Z");
        let op = world.act(SUPPLIER, opening);
        let request = <RequestId as crate::domain::values::MadeId>::of(&op, 0);
        let mut terms = terms_of(world.get_request(request));
        terms.disburse_by = wire("2026-08-06");
        let offer = world.offered(LENDER, request, terms);
        world.on("2026-08-04");
        let refusal = world.refusal(SUPPLIER, Accept { offer });
        assert_eq!(refusal.rule, "claim.cutoff");
    }

    #[test]
    fn a_flag_raised_since_bars_it() {
        let (mut world, receivable, _, [offer, _]) = offered();
        let flag = Flag {
            invoice: world.receivable(receivable).shares[0].invoice,
            reason: wire("under inquiry"),
            ends: world.time.plus_days(1),
        };
        world.act(TAX, flag);
        let refusal = world.refusal(SUPPLIER, Accept { offer });
        assert_eq!(refusal.rule, "invoice.flagged");
    }

    /// A lock stops only its holder's own new dispositions: a credit that takes a fen ends what is pending on it.
    #[test]
    fn a_credit_that_takes_a_fen_ends_request_and_financing() {
        let credit = |world: &World, receivable, number: &str, amount: &str| Credit {
            invoice: world.receivable(receivable).shares[0].invoice,
            number: wire(number),
            amount: wire(amount),
            document: digest(number),
        };
        let (mut world, receivable, request, [offer, _]) = offered();
        let all = credit(&world, receivable, "C-1", "400000.01");
        world.act(SUPPLIER, all);
        assert!(matches!(
            world.get_request(request).state,
            RequestState::Changed(_)
        ));
        let refusal = world.refusal(SUPPLIER, Accept { offer });
        assert_eq!(refusal.rule, "request.ended");

        let financing = world.financing(fens_of(receivable, 0, 50_000_000));
        let more = credit(&world, receivable, "C-2", "100000.00");
        world.act(SUPPLIER, more);
        assert!(matches!(
            world.get_financing(financing).state,
            FinancingState::Changed(_)
        ));
        assert!(world.get_limit(LENDER, None).blocks.is_empty());
    }

    #[test]
    fn an_unfunded_financing_ends_by_itself_behind_disburse_by() {
        let (mut world, receivable, _, [offer, _]) = offered();
        let financing = world.accepted(offer);
        world.time = wire("2026-06-10T15:59:59Z");
        assert_eq!(world.available(LENDER), fen("400000.00"));
        world.time = wire("2026-06-10T16:00:00Z");
        assert_eq!(world.available(LENDER), fen("1000000.00"));
        assert!(!world.get_financing(financing).is_live(world.time));
        let second = world.financing(fens_of(receivable, 0, 60_000_000));
        let blocks = &world.get_limit(LENDER, None).blocks;
        assert_eq!(blocks.keys().collect::<Vec<_>>(), [&second], "pruned");
    }
}
