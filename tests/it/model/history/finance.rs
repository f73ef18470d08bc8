//! Requests, offers and financings before their money.

use counterfoil::domain::objects::{
    Bearer, Bidding, Fee, Interest, OfferKind, OfferTerms, Recourse,
};
use counterfoil::domain::ops::{financing, limit, offer, request};
use counterfoil::domain::values::{DayCount, PartyId, Rate, RequestId, Salt};

use super::super::book::{FinancingState, OfferState, Request, RequestState};
use super::super::days::{DAY, HOUR, day_of};
use super::super::fen::face;
use super::super::rules::commitment;
use super::super::world::wire;
use super::{Generator, Move, Rng, alone, amount, day, in_order, instant};

impl Generator<'_> {
    fn lenders(&self) -> [PartyId; 3] {
        [self.cast.bank, self.cast.lender, self.cast.factor]
    }

    pub(super) fn limit_set(&mut self) -> Option<Move> {
        let cast = self.cast;
        let lenders = self.lenders();
        let mut debtors = vec![cast.hospital, cast.supplier, cast.trader, cast.maker];
        let asking = self.book.requests.values();
        let asking = asking.filter(|one| one.state == RequestState::Open);
        debtors.extend(asking.flat_map(|one| [one.debtor; 8]));
        let owing = self
            .book
            .receivables
            .values()
            .filter(|one| one.has_open_fens());
        debtors.extend(owing.flat_map(|one| [one.debtor; 2]));
        let supplier = self
            .rng
            .pick([None, None, None, Some(cast.supplier), Some(cast.maker)])?;
        let units = match self.rng.between(1, 10) {
            1 => 0,
            2..=3 => self.rng.between(1, 30),
            _ => self.rng.between(80, 300),
        };
        let body = limit::set::Set {
            debtor: if self.errs() {
                self.anybody()
            } else {
                self.rng.pick(debtors)?
            },
            supplier,
            currency: self.currency(),
            amount: if units == 0 {
                amount(0, 2)
            } else {
                self.money(units)
            },
            valid_to: day(self.today()
                + if self.errs() {
                    -1
                } else {
                    self.rng.pick([9, 200, 200, 200])?
                }),
        };
        alone(self.rng.pick(lenders)?, body)
    }

    pub(super) fn request_open(&mut self) -> Option<Move> {
        let (by, id, lo, hi) = self.piece(true, |_| true)?;
        let mut parts = vec![(id, lo, hi)];
        if self.rng.chance(12) {
            let more = self.piece(true, |holder| holder == by);
            parts.extend(more.map(|(_, id, lo, hi)| (id, lo, hi)));
        }
        let (now, window) = (self.book.now, self.book.numbers().reveal_hours);
        let bidding = self.rng.pick([Bidding::Sealed, Bidding::Visible])?;
        let days = if self.errs() { 31 } else { 0 };
        let closes = now + days * DAY + self.rng.between(4, 70) * HOUR;
        let answer = match self.rng.between(1, 30) {
            1 => 0,
            2 => window,
            3 => 24 * 8,
            _ => window + self.rng.between(4, 60),
        };
        let accept_by = closes + answer * HOUR;
        let body = request::open::Open {
            addresses: in_order(parts),
            invited: self.invited(by),
            bidding,
            closes: instant(closes),
            accept_by: instant(accept_by),
        };
        alone(by, body)
    }

    fn invited(&mut self, by: PartyId) -> Option<Vec<PartyId>> {
        if self.rng.chance(75) {
            return None;
        }
        let mut invited: Vec<PartyId> = self.lenders().to_vec();
        invited.retain(|lender| *lender != by && self.rng.chance(70));
        invited.sort_unstable();
        if self.errs() {
            invited.push(self.anybody());
        }
        Some(invited)
    }

    fn live_request(&mut self, wanted: impl Fn(&Request) -> bool) -> Option<(RequestId, Request)> {
        let careless = self.strays();
        let requests = self.book.requests.iter();
        let live =
            requests.filter(|(_, one)| careless || one.state == RequestState::Open && wanted(one));
        self.rng.pick(live).map(|(id, one)| (*id, one.clone()))
    }

    pub(super) fn request_withdraw(&mut self) -> Option<Move> {
        let (request, one) = self.live_request(|_| true)?;
        alone(one.requester, request::withdraw::Withdraw { request })
    }

    /// A lender that may bid, most often one with a limit that has room.
    fn bidder(&mut self, id: RequestId, request: &Request) -> Option<PartyId> {
        let careless = self.errs();
        let bids = |lender: PartyId| {
            let mut offers = self.book.offers.values();
            offers.any(|one| {
                one.request == id && one.lender == lender && one.state != OfferState::Withdrawn
            })
        };
        let mut lenders = match &request.invited {
            Some(invited) if !self.errs() => invited.clone(),
            _ => self.lenders().to_vec(),
        };
        lenders.retain(|lender| careless || *lender != request.requester);
        let asked = (request.debtor, request.currency);
        let has_limit = |lender: PartyId| {
            let limits = self
                .book
                .limits
                .iter()
                .filter(|(_, one)| one.lender == lender);
            let mut fit = limits.filter(|(_, one)| (one.debtor, one.currency) == asked);
            fit.any(|(id, one)| {
                one.supplier.is_none() && self.book.available(*id) >= face(&request.addresses)
            })
        };
        let able: Vec<_> = lenders
            .iter()
            .copied()
            .filter(|one| has_limit(*one) && (careless || !bids(*one)))
            .collect();
        if self.errs() {
            return self.rng.pick(lenders);
        }
        self.rng.pick(able)
    }

    /// A limit where a lender would bid and has none.
    pub(super) fn limit_for_request(&mut self) -> Option<Move> {
        let now = self.book.now;
        let (id, one) = self.live_request(|one| one.closes > now)?;
        if self.bidder(id, &one).is_some() {
            return None;
        }
        let lenders = one.invited.clone().unwrap_or(self.lenders().to_vec());
        let lender = self.rng.pick(lenders)?;
        let units = self.rng.between(40, 300);
        let body = limit::set::Set {
            debtor: one.debtor,
            supplier: None,
            currency: one.currency,
            amount: self.money(units),
            valid_to: day(self.today() + 200),
        };
        alone(lender, body)
    }

    pub(super) fn offer_make(&mut self) -> Option<Move> {
        let now = self.book.now;
        let (request, one) = self.live_request(|one| !one.sealed && one.closes > now)?;
        let lender = self.bidder(request, &one)?;
        let seed = Rng(self.rng.next());
        let offer = self.terms(&one, lender, seed);
        alone(lender, offer::make::Make { request, offer })
    }

    pub(super) fn offer_commit(&mut self) -> Option<Move> {
        let now = self.book.now;
        let (request, one) = self.live_request(|one| one.sealed && one.closes > now)?;
        let lender = self.bidder(request, &one)?;
        let (salt, terms) = self.secret(request, &one, lender);
        let commitment = commitment(request, lender, &salt, &terms);
        alone(
            lender,
            offer::commit::Commit {
                request,
                commitment,
            },
        )
    }

    pub(super) fn offer_reveal(&mut self) -> Option<Move> {
        let now = self.book.now;
        let (request, one) =
            self.live_request(|one| one.sealed && one.closes <= now && now < one.revealed_by)?;
        let careless = self.errs();
        let committed = self.book.offers.values().filter(|offer| {
            offer.request == request
                && (careless || matches!(offer.state, OfferState::Committed(_)))
        });
        let lender = self.rng.pick(committed.map(|offer| offer.lender))?;
        let (mut salt, offer) = self.secret(request, &one, lender);
        if self.errs() {
            salt.0[0] ^= 1;
        }
        alone(
            lender,
            offer::reveal::Reveal {
                request,
                salt,
                offer,
            },
        )
    }

    /// What a lender commits to for a request: the same whenever it is asked again.
    fn secret(&mut self, id: RequestId, request: &Request, lender: PartyId) -> (Salt, OfferTerms) {
        let text = format!("{id} {lender}");
        let seed = text.bytes().fold(7, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(byte.into())
        });
        (
            Salt([seed as u8; 32]),
            self.terms(request, lender, Rng(seed)),
        )
    }

    /// Terms for a request, a function of the seed.
    fn terms(&self, request: &Request, lender: PartyId, mut rng: Rng) -> OfferTerms {
        let cast = self.cast;
        let errs = |rng: &mut Rng| rng.between(1, 100) == 1;
        let last_day = day_of(request.accept_by - 1);
        let disburse_by = last_day + rng.between(0, 6);
        let disburse_by = match errs(&mut rng) {
            true => last_day + rng.pick([-1, 31, 100]).unwrap(),
            false => disburse_by.min(request.due - 1),
        };
        let fee = |rng: &mut Rng| Fee {
            payee: rng
                .pick([cast.other_bank, cast.other_bank, cast.trader, lender])
                .unwrap(),
            bearer: rng
                .pick([Bearer::Requester, Bearer::Requester, Bearer::Lender])
                .unwrap(),
            amount: amount(rng.between(1, 3), 2),
        };
        let large = face(&request.addresses) >= 10;
        let fees = rng.pick([0, 0, 1, 1, 2]).unwrap() * i64::from(large);
        let fees = (0..fees).map(|_| fee(&mut rng)).collect();
        // The dearest of some rates that leaves something of the face, or now and then one that does not.
        let days = request.due - day_of(request.closes - 3 * DAY);
        let highest = rng.pick(["0.0435", "0.9", "2.5", "5"]).unwrap();
        let rate: Rate = match (errs(&mut rng), 200 / days.max(1)) {
            (true, _) => wire("30"),
            (_, 0) => wire("0.0435"),
            (_, 1..=2) if highest != "0.0435" => wire("0.9"),
            (_, 3..=5) if highest == "5" => wire("2.5"),
            _ => wire(highest),
        };
        let expires = match rng.between(1, 20) {
            1 if !request.sealed => request.closes,
            2 if !request.sealed => request.closes - HOUR,
            3 => request.revealed_by,
            4..=6 => request.accept_by + DAY,
            _ => request.accept_by,
        };
        OfferTerms {
            kind: if errs(&mut rng) {
                OfferKind::Loan
            } else {
                OfferKind::Purchase
            },
            interest: if errs(&mut rng) {
                Interest::InArrears
            } else {
                Interest::InAdvance
            },
            rate,
            day_count: rng.pick(DayCount::ALL.iter().copied()).unwrap(),
            fees,
            advance_rate: if errs(&mut rng) {
                wire("0.9")
            } else {
                Rate::ONE
            },
            recourse: rng.pick([Recourse::None, Recourse::Last]).unwrap(),
            disburse_by: day(disburse_by),
            expires: instant(expires),
        }
    }

    pub(super) fn offer_withdraw(&mut self) -> Option<Move> {
        let careless = self.errs();
        let open = |id| self.book.requests[&id].state == RequestState::Open;
        let offers = self.book.offers.iter();
        let offers = offers.filter(|(_, one)| careless || open(one.request));
        let (offer, one) = self.rng.pick(offers)?;
        alone(one.lender, offer::withdraw::Withdraw { offer: *offer })
    }

    pub(super) fn offer_accept(&mut self) -> Option<Move> {
        let (careless, now) = (self.strays(), self.book.now);
        let late = self.errs();
        let offers = self.book.offers.iter().filter(|(_, offer)| {
            let request = &self.book.requests[&offer.request];
            let standing = match &offer.state {
                OfferState::Standing(terms) => late || terms.expires.millis() > now,
                _ => false,
            };
            let open = request.state == RequestState::Open;
            careless || standing && open && (!request.sealed || request.revealed_by <= now)
        });
        let (offer, one) = self.rng.pick(offers)?;
        let requester = self.book.requests[&one.request].requester;
        alone(requester, offer::accept::Accept { offer: *offer })
    }

    pub(super) fn financing_cancel(&mut self) -> Option<Move> {
        let careless = self.rng.chance(10);
        let waits = |state| careless || matches!(state, FinancingState::Waits(_));
        let financings = self
            .book
            .financings
            .iter()
            .filter(|(_, one)| waits(one.state));
        let (financing, one) = self.rng.pick(financings)?;
        let by = self.rng.pick([one.lender, one.requester])?;
        alone(
            by,
            financing::cancel::Cancel {
                financing: *financing,
            },
        )
    }
}
