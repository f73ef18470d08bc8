//! `offer.reveal`: a lender opens the sealed offer that it committed to, in the window after the close.

use serde::{Deserialize, Serialize};

use super::{bidder, terms};
use crate::domain::head::Head;
use crate::domain::objects::{
    Bidding, Offer, OfferKey, OfferState, OfferTerms, Request, commitment,
};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{OfferId, RequestId, Salt};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    /// The request.
    pub request: RequestId,
    /// The salt of the commitment.
    pub salt: Salt,
    /// The terms committed to.
    pub offer: OfferTerms,
}

impl Operation for Reveal {
    const NAME: &'static str = "offer.reveal";
    const SUMMARY: &'static str = "A lender reveals its sealed offer after the close";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let request = at.named::<Request>(self.request)?;
        Ok(Some(Stake {
            currency: request.currency,
            fen: request.face,
        }))
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let request = bidder::asked(at, self.request, Bidding::Sealed)?;
        check_window(at, request)?;
        let offer = self.committed(at, request)?;
        terms::check(at, request, &self.offer)?;

        let mut draft = at.draft();
        draft.edit::<Offer>(offer).state = OfferState::Standing(self.offer.clone());
        // The requester sees reveals when the window ends.
        draft.tell_from(request.requester, request.revealed_by);
        Ok(draft.done())
    }
}

/// Revealed within the window after the close.
fn check_window(at: &Head<'_>, request: &Request) -> Result<(), Refusal> {
    let open = request.closes <= at.time && at.time < request.revealed_by;
    ensure(open, || {
        Refusal::new(
            "offer.reveal_window",
            "sealed offers are revealed in the window after the close",
        )
        .input("closes", request.closes)
        .input("revealed_by", request.revealed_by)
        .input("ledger_time", at.time)
    })
}

impl Reveal {
    /// The lender's offer of the request, if it committed to this salt and these terms.
    fn committed(&self, at: &Head<'_>, request: &Request) -> Result<OfferId, Refusal> {
        let own = OfferKey::RequestLender(request.id, at.by);
        let committed = at
            .state
            .offers
            .by(&own)
            .find_map(|offer| match offer.state {
                OfferState::Committed(digest) => Some((offer.id, digest)),
                _ => None,
            });
        let (offer, digest) = committed.ok_or_else(|| {
            Refusal::new(
                "offer.not_committed",
                "this lender has no commitment to reveal for the request",
            )
            .input("request", request.id)
        })?;
        let opened = commitment(request.id, at.by, &self.salt, &self.offer);
        ensure(opened == digest, || {
            Refusal::new(
                "offer.commitment",
                "the salt and the offer are not those committed to",
            )
            .input("committed", digest)
            .input("revealed", opened)
            .remedy("reveal the very salt and offer that were committed to")
        })?;
        Ok(offer)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::offer::accept::Accept;
    use crate::domain::ops::offer::commit::Commit;
    use crate::domain::ops::offer::make::Make;
    use crate::domain::ops::offer::withdraw::Withdraw;
    use crate::domain::testing::trade::{fens_of, terms_of};
    use crate::domain::testing::{FACTOR, LENDER, SUPPLIER, World, id, shipped_rulebook, wire};
    use crate::domain::values::MadeId;

    const SALT: Salt = Salt([7; 32]);

    fn sealed_in(mut world: World) -> (World, RequestId) {
        let receivable = world.confirmed("1000000.00");
        let fens = fens_of(receivable, 0, 60_000_000);
        let request = world.requested(fens, Bidding::Sealed);
        for lender in [LENDER, FACTOR] {
            world.limited(lender, "600000.00");
        }
        (world, request)
    }

    /// The terms a test commits to and reveals, at a time when the request has closed too.
    fn body(world: &World, request: RequestId) -> Reveal {
        Reveal {
            request,
            salt: SALT,
            offer: terms_of(world.get_request(request)),
        }
    }

    fn commit(world: &World, request: RequestId, lender: &str) -> Commit {
        let terms = terms_of(world.get_request(request));
        Commit {
            request,
            commitment: commitment(request, id(lender), &SALT, &terms),
        }
    }

    /// A sealed request of 600,000.00, closing in two days, with the lender's commitment.
    fn committed() -> (World, RequestId, OfferId) {
        let (mut world, request) = sealed_in(World::new());
        let op = world.act(LENDER, commit(&world, request, LENDER));
        (world, request, OfferId::of(&op, 0))
    }

    #[test]
    fn nobody_else_is_told_of_a_commitment() {
        let (mut world, request) = sealed_in(World::new());
        let commit = commit(&world, request, LENDER);
        let effects = world.effects(LENDER, commit);
        assert_eq!(effects.audience, [id(LENDER)].into());
        assert!(effects.audience_later.is_empty());
    }

    #[test]
    fn a_revealed_offer_is_the_requesters_to_see_and_accept_when_the_window_ends() {
        let (mut world, request, offer) = committed();
        let accept = || Accept { offer };
        world.later_by_hours(48);
        let reveal = body(&world, request);
        let effects = world.effects(LENDER, body(&world, request));
        assert_eq!(effects.audience, [id(LENDER)].into());
        let revealed_by = world.get_request(request).revealed_by;
        assert_eq!(effects.audience_later, [(id(SUPPLIER), revealed_by)].into());
        world.act(LENDER, reveal);
        assert_eq!(world.refusal(SUPPLIER, accept()).rule, "unknown_object");
        world.later_by_hours(12);
        let financing = world.accepted(offer);
        let accepted = &world.get_financing(financing).terms;
        assert_eq!(*accepted, body(&world, request).offer);
    }

    #[rstest]
    #[case::another_salt(|body: &mut Reveal| body.salt = Salt([8; 32]))]
    #[case::a_lower_rate(|body: &mut Reveal| body.offer.rate = wire("0.0434"))]
    #[case::a_later_day(|body: &mut Reveal| body.offer.disburse_by = wire("2026-06-11"))]
    fn only_what_was_committed_to_is_revealed(#[case] spoil: fn(&mut Reveal)) {
        let (mut world, request, _) = committed();
        world.later_by_hours(48);
        let mut body = body(&world, request);
        spoil(&mut body);
        assert_eq!(world.refusal(LENDER, body).rule, "offer.commitment");
    }

    #[test]
    fn a_copied_commitment_opens_for_nobody_but_its_maker() {
        let (mut world, request, _) = committed();
        let copy = commit(&world, request, LENDER);
        world.act(FACTOR, copy);
        world.later_by_hours(48);
        let body = body(&world, request);
        assert_eq!(world.refusal(FACTOR, body).rule, "offer.commitment");
    }

    #[rstest]
    #[case::before_the_close(47, Some("offer.reveal_window"))]
    #[case::at_the_close(48, None)]
    #[case::in_the_last_hour(59, None)]
    #[case::when_the_window_ended(60, Some("offer.reveal_window"))]
    fn it_is_revealed_within_the_window(#[case] hours: i64, #[case] rule: Option<&str>) {
        let (mut world, request, _) = committed();
        world.later_by_hours(hours);
        let body = body(&world, request);
        match rule {
            Some(rule) => assert_eq!(world.refusal(LENDER, body).rule, rule),
            None => _ = world.act(LENDER, body),
        }
    }

    #[test]
    fn the_window_is_as_long_as_the_rulebook_says() {
        let mut rulebook = shipped_rulebook();
        rulebook.rules.reveal.params.hours = 13;
        let (mut world, request) = sealed_in(World::under(rulebook).with_parties());
        world.act(LENDER, commit(&world, request, LENDER));
        world.later_by_hours(60);
        let body = body(&world, request);
        world.act(LENDER, body);
    }

    #[test]
    fn an_unrevealed_offer_is_void() {
        let (mut world, _, offer) = committed();
        world.later_by_hours(60);
        let refusal = world.refusal(SUPPLIER, Accept { offer });
        assert_eq!(refusal.rule, "unknown_object");
    }

    #[test]
    fn nothing_is_revealed_without_a_commitment_or_twice() {
        let (mut world, request, _) = committed();
        world.later_by_hours(48);
        let without = body(&world, request);
        assert_eq!(world.refusal(FACTOR, without).rule, "offer.not_committed");
        world.act(LENDER, body(&world, request));
        let twice = body(&world, request);
        assert_eq!(world.refusal(LENDER, twice).rule, "offer.not_committed");
    }

    #[test]
    fn terms_and_limit_are_looked_at_when_they_are_known() {
        let (mut world, request) = sealed_in(World::new());
        let mut loan = body(&world, request);
        loan.offer.kind = crate::domain::objects::OfferKind::Loan;
        let digest = commitment(request, id(LENDER), &SALT, &loan.offer);
        world.act(
            LENDER,
            Commit {
                request,
                commitment: digest,
            },
        );
        world.act(FACTOR, commit(&world, request, FACTOR));
        world.limited(FACTOR, "599999.99");
        world.later_by_hours(48);
        assert_eq!(world.refusal(LENDER, loan).rule, "offer.unsupported");
        let over = body(&world, request);
        assert_eq!(world.refusal(FACTOR, over).rule, "limit.exceeded");
    }

    #[test]
    fn one_commitment_a_lender_until_it_is_withdrawn_before_the_close() {
        let (mut world, request, offer) = committed();
        let second = commit(&world, request, LENDER);
        assert_eq!(world.refusal(LENDER, second).rule, "offer.exists");
        world.act(LENDER, Withdraw { offer });
        let op = world.act(LENDER, commit(&world, request, LENDER));
        world.later_by_hours(48);
        let offer = OfferId::of(&op, 0);
        let late = world.refusal(LENDER, Withdraw { offer });
        assert_eq!(late.rule, "request.closed");
        let late = commit(&world, request, FACTOR);
        assert_eq!(world.refusal(FACTOR, late).rule, "request.closed");
    }

    #[test]
    fn each_bidding_has_its_own_operations() {
        let (mut world, request) = sealed_in(World::new());
        let offer = body(&world, request).offer;
        let open = Make { request, offer };
        assert_eq!(world.refusal(LENDER, open).rule, "request.sealed");
        let receivable = world.confirmed("100.00");
        let request = world.requested(fens_of(receivable, 0, 100), Bidding::Visible);
        let sealed = commit(&world, request, LENDER);
        assert_eq!(world.refusal(LENDER, sealed).rule, "request.visible");
        let reveal = body(&world, request);
        assert_eq!(world.refusal(LENDER, reveal).rule, "request.visible");
    }
}
