//! Offers: made where the requester sees them, or sealed by a commitment and revealed.

use counterfoil::domain::objects::{Bearer, Interest, OfferKind, OfferTerms};
use counterfoil::domain::ops::offer::commit::Commit;
use counterfoil::domain::ops::offer::make::Make;
use counterfoil::domain::ops::offer::reveal::Reveal;
use counterfoil::domain::values::{
    Digest, FinancingId, OfferId, PartyId, Rate, RequestId, Role, Salt, Scope,
};
use sha2::{Digest as _, Sha256};

use super::super::book::{
    Book, Financing, FinancingState, Offer, OfferState, Request, RequestState,
};
use super::super::days::{Day, Sum, day_of, discount, end_of};
use super::super::fen::{Act, face};
use super::{Faults, Rule, Verdict, number, seen};

/// What a sealed offer commits to: domain.md, `offer.commit`.
pub(in super::super) fn commitment(
    request: RequestId,
    lender: PartyId,
    salt: &Salt,
    terms: &OfferTerms,
) -> Digest {
    let mut text = format!("cf-offer-v1\n{request}\n{lender}\n").into_bytes();
    text.extend(salt.0);
    text.extend(serde_json::to_vec(terms).unwrap());
    Digest(Sha256::digest(text).into())
}

/// `amount(v)` = F − D(v) − fees the requester bears; none where nothing is left or no day is counted.
pub(in super::super) fn price(sum: Sum, terms: &OfferTerms, due: Day, on: Day) -> Option<Sum> {
    let discount = discount(sum, terms.rate.numerator(), terms.day_count, on, due)?;
    let borne = terms
        .fees
        .iter()
        .filter(|fee| fee.bearer == Bearer::Requester);
    let fees: Sum = borne.map(|fee| fee.amount.units()).sum();
    Some(sum - discount - fees).filter(|left| *left > 0)
}

impl Book {
    /// The requester's as they arrive, sealed ones when the window ends; no other lender's ever.
    pub(super) fn offer(&self, by: PartyId, id: OfferId) -> Result<&Offer, Vec<Rule>> {
        let audits = self.has_scope(by, Scope::Audit);
        let offer = self.offers.get(&id).filter(|offer| {
            let request = &self.requests[&offer.request];
            // One that is withdrawn before the close was never revealed.
            let revealed = matches!(offer.state, OfferState::Standing(_) | OfferState::Accepted);
            let open = !request.sealed || revealed && request.revealed_by <= self.now;
            audits || offer.lender == by || (request.requester == by && open)
        });
        seen(offer)
    }

    /// The request as somebody who bids on it meets it.
    fn asked_by(
        &self,
        faults: &mut Faults,
        by: PartyId,
        id: RequestId,
        sealed: bool,
    ) -> Result<Request, Vec<Rule>> {
        let request = self.request(by, id)?.clone();
        faults.unless(request.state == RequestState::Open, "request.ended");
        faults.unless(request.requester != by, "offer.own_request");
        let asked = request
            .invited
            .as_ref()
            .is_none_or(|invited| invited.contains(&by));
        faults.unless(asked && by != request.debtor, "unknown_object");
        faults.take(self.has_role(by, Role::Lender));
        // What was committed to before a suspension is revealed in it.
        let mut offers = self.offers.values();
        let committed = offers.find(|one| {
            let waits = matches!(one.state, OfferState::Committed(_));
            one.request == id && one.lender == by && waits
        });
        let begun = committed.map_or(self.now, |one| one.at);
        faults.take(self.goes_on(by, begun));
        let other = if sealed {
            "request.visible"
        } else {
            "request.sealed"
        };
        faults.unless(request.sealed == sealed, other);
        Ok(request)
    }

    fn check_taking(&self, faults: &mut Faults, by: PartyId, id: RequestId, request: &Request) {
        faults.unless(self.now < request.closes, "request.closed");
        let live = |offer: &Offer| match &offer.state {
            OfferState::Committed(_) | OfferState::Accepted => true,
            OfferState::Standing(terms) => terms.expires.millis() > self.now,
            OfferState::Withdrawn => false,
        };
        let mut own = self
            .offers
            .values()
            .filter(|one| one.request == id && one.lender == by);
        faults.unless(!own.any(live), "offer.exists");
    }

    fn check_terms(&self, faults: &mut Faults, by: PartyId, request: &Request, terms: &OfferTerms) {
        let supported = terms.kind == OfferKind::Purchase
            && terms.interest == Interest::InAdvance
            && terms.advance_rate == Rate::ONE;
        faults.unless(supported, "offer.unsupported");
        faults.unless(terms.fees.len() <= 16, "offer.fees");
        for fee in &terms.fees {
            self.read_positive(faults, &fee.amount, request.currency);
            faults.unless(self.parties.contains_key(&fee.payee), "unknown_object");
            let bearer = match fee.bearer {
                Bearer::Requester => request.requester,
                Bearer::Lender => by,
            };
            faults.unless(fee.payee != bearer, "offer.fees");
        }
        faults.unless(terms.expires.millis() > self.now, "offer.expires");
        let (first, by_day) = (day_of(request.accept_by - 1), number(terms.disburse_by));
        let in_time = first <= by_day && by_day <= first + 30 && by_day < request.due;
        faults.unless(in_time, "offer.disburse_by");
        let sum = face(&request.addresses);
        for day in self.today()..=by_day.max(self.compared_on(request.at, request.accept_by)) {
            let priced = price(sum, terms, request.due, day).is_some();
            faults.unless(priced, "offer.price");
        }
        self.drawn(faults, by, request);
    }

    fn put_offer(&mut self, id: OfferId, request: RequestId, lender: PartyId, state: OfferState) {
        self.offers.insert(
            id,
            Offer {
                request,
                lender,
                at: self.now,
                state,
            },
        );
    }

    pub(super) fn offer_make(&mut self, by: PartyId, body: &Make, id: OfferId) -> Verdict {
        let mut faults = Faults::default();
        let request = self.asked_by(&mut faults, by, body.request, false)?;
        self.check_taking(&mut faults, by, body.request, &request);
        self.check_terms(&mut faults, by, &request, &body.offer);
        faults.verdict()?;
        self.put_offer(
            id,
            body.request,
            by,
            OfferState::Standing(body.offer.clone()),
        );
        Ok(())
    }

    pub(super) fn offer_commit(&mut self, by: PartyId, body: &Commit, id: OfferId) -> Verdict {
        let mut faults = Faults::default();
        let request = self.asked_by(&mut faults, by, body.request, true)?;
        self.check_taking(&mut faults, by, body.request, &request);
        faults.verdict()?;
        self.put_offer(id, body.request, by, OfferState::Committed(body.commitment));
        Ok(())
    }

    pub(super) fn offer_reveal(&mut self, by: PartyId, body: &Reveal) -> Verdict {
        let mut faults = Faults::default();
        let request = self.asked_by(&mut faults, by, body.request, true)?;
        let window = request.closes <= self.now && self.now < request.revealed_by;
        faults.unless(window, "offer.reveal_window");
        let own = self
            .offers
            .iter()
            .find_map(|(id, offer)| match offer.state {
                OfferState::Committed(digest) if offer.request == body.request => {
                    (offer.lender == by).then_some((*id, digest))
                }
                _ => None,
            });
        faults.unless(own.is_some(), "offer.not_committed");
        let opened = commitment(body.request, by, &body.salt, &body.offer);
        let kept = own.is_some_and(|(_, digest)| digest == opened);
        faults.unless(kept, "offer.commitment");
        self.check_terms(&mut faults, by, &request, &body.offer);
        faults.verdict()?;
        let (id, _) = own.unwrap();
        self.offers.get_mut(&id).unwrap().state = OfferState::Standing(body.offer.clone());
        Ok(())
    }

    pub(super) fn offer_withdraw(&mut self, by: PartyId, id: OfferId) -> Verdict {
        let offer = self.offer(by, id)?;
        let request = &self.requests[&offer.request];
        let mut faults = Faults::default();
        faults.unless(by == offer.lender, "offer.not_lender");
        faults.unless(request.state == RequestState::Open, "request.ended");
        // A sealed offer binds from the close on.
        faults.unless(
            !request.sealed || self.now < request.closes,
            "request.closed",
        );
        let stands = matches!(
            offer.state,
            OfferState::Committed(_) | OfferState::Standing(_)
        );
        faults.unless(stands, "offer.not_standing");
        faults.verdict()?;
        self.offers.get_mut(&id).unwrap().state = OfferState::Withdrawn;
        Ok(())
    }

    pub(super) fn offer_accept(&mut self, by: PartyId, id: OfferId, new: FinancingId) -> Verdict {
        let offer = self.offer(by, id)?.clone();
        let request = self.requests[&offer.request].clone();
        let mut faults = Faults::default();
        faults.unless(by == request.requester, "offer.not_requester");
        faults.unless(request.state == RequestState::Open, "request.ended");
        faults.unless(!request.sealed || request.revealed_by <= self.now, "reveal");
        faults.take(self.goes_on(by, request.at));
        let own = Some(Act::Request(offer.request));
        self.financeable(&mut faults, by, &request.addresses, own);
        // What fails on the lender's side reads the same, whatever it is.
        let mut lender = Faults::default();
        lender.take(self.goes_on(offer.lender, offer.at));
        lender.take(self.has_role(offer.lender, Role::Lender));
        let limits = self.drawn(&mut lender, offer.lender, &request);
        let terms = match offer.state {
            OfferState::Standing(terms) if terms.expires.millis() > self.now => Some(terms),
            _ => None,
        };
        let available = lender.0.is_empty() && terms.is_some();
        faults.unless(available, "offer.unavailable");
        faults.verdict()?;
        let terms = terms.unwrap();
        let ends = end_of(number(terms.disburse_by));
        self.lock(&request.addresses, Act::Financing(new), ends);
        self.offers.get_mut(&id).unwrap().state = OfferState::Accepted;
        self.requests.get_mut(&offer.request).unwrap().state = RequestState::Accepted(id);
        let financing = Financing {
            request: offer.request,
            lender: offer.lender,
            requester: by,
            addresses: request.addresses,
            due: request.due,
            terms,
            limits,
            state: FinancingState::Waits(ends),
        };
        self.financings.insert(new, financing);
        Ok(())
    }
}
