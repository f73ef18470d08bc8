//! Limits, requests and financings up to their money.

use counterfoil::domain::objects::Bidding;
use counterfoil::domain::ops::limit::set::Set;
use counterfoil::domain::ops::request::open::Open;
use counterfoil::domain::values::{
    Currency, FinancingId, LimitId, PartyId, RequestId, Role, Scope,
};

use super::super::book::{Book, Financing, FinancingState, Limit, Request, RequestState};
use super::super::days::{Day, HOUR, Sum, day_of, end_of};
use super::super::fen::{Act, Address, FenState, addresses, face};
use super::{Faults, Rule, Verdict, number, seen};

impl Book {
    pub(super) fn limit_set(&mut self, by: PartyId, body: &Set, id: LimitId) -> Verdict {
        let mut faults = Faults::default();
        faults.take(self.has_role(by, Role::Lender));
        faults.take(self.has_role(body.debtor, Role::Debtor));
        if let Some(supplier) = body.supplier {
            faults.take(self.has_role(supplier, Role::Supplier));
        }
        faults.unless(self.known_currency(body.currency), "currency.unknown");
        let amount = self.read(&mut faults, &body.amount, body.currency);
        let valid_to = number(body.valid_to);
        faults.unless(valid_to >= self.today(), "limit.valid_to");
        faults.verdict()?;
        let limit = Limit {
            lender: by,
            debtor: body.debtor,
            supplier: body.supplier,
            currency: body.currency,
            amount,
            valid_to,
        };
        let same = |other: &Limit| {
            (other.lender, other.debtor, other.supplier, other.currency)
                == (by, body.debtor, body.supplier, body.currency)
        };
        let known = self
            .limits
            .iter()
            .find(|(_, other)| same(other))
            .map(|(id, _)| *id);
        self.limits.insert(known.unwrap_or(id), limit);
        Ok(())
    }

    /// What financings that wait for their money keep free.
    pub(in super::super) fn blocked(&self, limit: LimitId) -> Sum {
        let waiting = self.financings.values();
        let waiting = waiting.filter(|one| matches!(one.state, FinancingState::Waits(_)));
        let drawn = waiting.flat_map(|one| &one.limits);
        drawn
            .filter(|(id, _)| *id == limit)
            .map(|(_, amount)| amount)
            .sum()
    }

    /// The open fens that the lender bought under the limit and still holds.
    pub(in super::super) fn utilised(&self, limit: LimitId) -> Sum {
        let only = self.limits[&limit].supplier;
        let under = |id: FinancingId| {
            self.financings[&id]
                .limits
                .iter()
                .any(|(drawn, _)| *drawn == limit)
        };
        let receivables = self.receivables.values();
        let counted = receivables.filter(|one| only.is_none_or(|only| only == one.supplier));
        let fens = counted.flat_map(|one| &one.fens);
        let open = fens.filter(|fen| fen.state == FenState::Open);
        open.filter(|fen| fen.bought_by().is_some_and(under))
            .count() as Sum
    }

    pub(in super::super) fn available(&self, id: LimitId) -> Sum {
        let limit = &self.limits[&id];
        if self.today() > limit.valid_to {
            return 0;
        }
        (limit.amount - self.blocked(id) - self.utilised(id)).max(0)
    }

    /// The limits that financing a request draws on, if each has room.
    pub(super) fn drawn(
        &self,
        faults: &mut Faults,
        lender: PartyId,
        request: &Request,
    ) -> Vec<(LimitId, Sum)> {
        let mut drawn = Vec::new();
        for (id, limit) in &self.limits {
            let same = (limit.lender, limit.debtor, limit.currency)
                == (lender, request.debtor, request.currency);
            let part = match limit.supplier {
                None => face(&request.addresses),
                Some(only) => request
                    .addresses
                    .iter()
                    .filter(|one| self.receivables[&one.receivable].supplier == only)
                    .map(|one| face(&[*one]))
                    .sum(),
            };
            if same && part > 0 {
                faults.unless(part <= self.available(*id), "limit.exceeded");
                drawn.push((*id, part));
            }
        }
        let whole = drawn
            .iter()
            .any(|(id, _)| self.limits[id].supplier.is_none());
        faults.unless(whole, "limit.none");
        drawn
    }

    /// Fens as for a transfer, not overdue, of one debtor, currency and due day, without a flagged invoice.
    pub(super) fn financeable(
        &self,
        faults: &mut Faults,
        by: PartyId,
        named: &[Address],
        own: Option<Act>,
    ) -> Option<(PartyId, Currency, Day)> {
        let fens = self.disposable(faults, by, named, Some(self.today()), own)?;
        let one_debtor = fens.debtors.iter().all(|debtor| *debtor == fens.debtors[0]);
        let one_due = fens.dues.iter().all(|due| *due == fens.dues[0]);
        faults.unless(one_debtor && one_due, "request.mixed");
        for address in named {
            let shares = self.receivables.get(&address.receivable).into_iter();
            let shares = shares.flat_map(|one| &one.shares);
            let confirmed = shares.filter(|share| share.confirmed > 0);
            for share in confirmed {
                let flagged = self.invoices[&share.invoice].flag.is_some();
                faults.unless(!flagged, "invoice.flagged");
            }
        }
        Some((fens.debtors[0], fens.currency, fens.dues[0]))
    }

    /// Offers are compared on the next business day after `accept_by`.
    pub(super) fn compared_on(&self, opened: i64, accept_by: i64) -> Day {
        self.numbers_on(day_of(opened))
            .calendar
            .walk(day_of(accept_by - 1), 1)
    }

    pub(super) fn request_open(&mut self, by: PartyId, body: &Open, id: RequestId) -> Verdict {
        let mut faults = Faults::default();
        faults.take(self.takes_obligations(by));
        let named = addresses(&body.addresses);
        let Some((debtor, currency, due)) = self.financeable(&mut faults, by, &named, None) else {
            return faults.verdict();
        };
        for (at, lender) in body.invited.iter().flatten().enumerate() {
            let before = &body.invited.as_ref().unwrap()[..at];
            faults.unless(before.last() < Some(lender), "request.invited");
            faults.take(self.has_role(*lender, Role::Lender));
            faults.unless(*lender != by && *lender != debtor, "request.invited");
        }
        faults.unless(
            body.invited.as_ref().is_none_or(|all| !all.is_empty()),
            "request.invited",
        );
        let (closes, accept_by) = (body.closes.millis(), body.accept_by.millis());
        faults.unless(self.ends_within(closes, 30), "end.range");
        let last = end_of(self.numbers().calendar.walk(day_of(closes - 1), 3));
        let answered = closes < accept_by && accept_by <= last;
        faults.unless(answered, "request.accept_by");
        let sealed = body.bidding == Bidding::Sealed;
        let window = if sealed {
            self.numbers().reveal_hours * HOUR
        } else {
            0
        };
        faults.unless(closes + window < accept_by, "reveal");
        faults.unless(self.compared_on(self.now, accept_by) < due, "request.due");
        faults.verdict()?;
        let request = Request {
            requester: by,
            debtor,
            currency,
            addresses: named,
            due,
            invited: body.invited.clone(),
            at: self.now,
            sealed,
            closes,
            revealed_by: closes + window,
            accept_by,
            state: RequestState::Open,
        };
        self.lock(&request.addresses, Act::Request(id), accept_by);
        self.requests.insert(id, request);
        Ok(())
    }

    /// Seen by its requester, and until it ends by the lenders that it asks.
    pub(super) fn request(&self, by: PartyId, id: RequestId) -> Result<&Request, Vec<Rule>> {
        let audits = self.has_scope(by, Scope::Audit);
        let may_bid = |one: &Request| {
            one.state == RequestState::Open
                && self.is(by, Role::Lender)
                && by != one.debtor
                && one
                    .invited
                    .as_ref()
                    .is_none_or(|invited| invited.contains(&by))
        };
        let request = self.requests.get(&id);
        seen(request.filter(|one| audits || one.requester == by || may_bid(one)))
    }

    pub(super) fn request_withdraw(&mut self, by: PartyId, id: RequestId) -> Verdict {
        let request = self.request(by, id)?.clone();
        let mut faults = Faults::default();
        faults.unless(request.state == RequestState::Open, "request.ended");
        faults.unless(by == request.requester, "request.not_requester");
        faults.verdict()?;
        self.unlock(&request.addresses, Act::Request(id));
        self.requests.get_mut(&id).unwrap().state = RequestState::Withdrawn;
        Ok(())
    }

    pub(super) fn financing(&self, by: PartyId, id: FinancingId) -> Result<&Financing, Vec<Rule>> {
        let audits = self.has_scope(by, Scope::Audit);
        let financing = self.financings.get(&id);
        seen(financing.filter(|one| audits || one.lender == by || one.requester == by))
    }

    pub(super) fn financing_cancel(&mut self, by: PartyId, id: FinancingId) -> Verdict {
        let financing = self.financing(by, id)?.clone();
        let mut faults = Faults::default();
        let waits = matches!(financing.state, FinancingState::Waits(_));
        faults.unless(waits, "financing.not_open");
        let party = [financing.lender, financing.requester].contains(&by);
        faults.unless(party, "financing.not_party");
        faults.unless(!self.has_live_leg(id), "financing.announced");
        faults.verdict()?;
        self.unlock(&financing.addresses, Act::Financing(id));
        self.financings.get_mut(&id).unwrap().state = FinancingState::Cancelled;
        self.absorb_again();
        Ok(())
    }
}
