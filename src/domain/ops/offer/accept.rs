//! `offer.accept`: the requester takes one offer; the others are lost.

use serde::{Deserialize, Serialize};

use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{
    Bidding, Block, Disposition, Financing, FinancingState, Limit, Lock, Offer, OfferState,
    OfferTerms, Request, RequestState,
};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{Fen, FinancingId, LimitId, OfferId, Role};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The offer.
    pub offer: OfferId,
}

impl Operation for Accept {
    const NAME: &'static str = "offer.accept";
    const SUMMARY: &'static str =
        "The requester accepts an offer, and the financing waits for its money";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let offer = at.named::<Offer>(self.offer)?;
        let request = acceptable(at, offer)?;
        at.actor()?.may_take_obligations(at.today()?)?;
        at.financeable(&request.addresses, Some(Disposition::Request(request.id)))?;
        let terms = standing(at, offer)?;
        let limits = lender_side(at, offer, request)?;

        let mut draft = at.draft();
        let id = draft.make_id();
        draft.edit::<Offer>(offer.id).state = OfferState::Accepted(terms.clone(), id);
        draft.edit::<Request>(request.id).state = RequestState::Accepted(offer.id);
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
    let today = at.today()?;
    at.party(offer.lender)
        .and_then(|lender| lender.with_role(Role::Lender))
        .and_then(|lender| lender.may_take_obligations(today))
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
