//! A lender's own limits: what financing a request would draw on them, and whether they have room.

use super::head::Head;
use super::objects::{Limit, LimitKey, Request};
use super::refusal::{Refusal, ensure};
use super::values::{Fen, LimitId, PartyId};

impl Head<'_> {
    /// The limits of `lender` that a financing of the request draws on, with how much on each: the one on its
    /// debtor, which must be set, and those on its debts to single suppliers, where set. Each has room.
    pub fn limits_for(
        &self,
        lender: PartyId,
        request: &Request,
    ) -> Result<Vec<(LimitId, Fen)>, Refusal> {
        let whole = self.limit_on(lender, None, request).ok_or_else(|| {
            Refusal::new("limit.none", "the lender has set no limit on the debtor")
                .input_of(lender, "debtor", request.debtor)
                .remedy("limit.set for the debtor and currency")
        })?;
        let mut drawn = vec![self.with_room(whole, request.face)?];
        for (supplier, part) in &request.suppliers {
            if let Some(limit) = self.limit_on(lender, Some(*supplier), request) {
                drawn.push(self.with_room(limit, *part)?);
            }
        }
        Ok(drawn)
    }

    fn limit_on(
        &self,
        lender: PartyId,
        supplier: Option<PartyId>,
        request: &Request,
    ) -> Option<&Limit> {
        let key = LimitKey::For(lender, request.debtor, supplier, request.currency);
        self.state.limits.by(&key).next()
    }

    fn with_room(&self, limit: &Limit, amount: Fen) -> Result<(LimitId, Fen), Refusal> {
        let available = limit.available(self.time, self.today()?);
        ensure(amount <= available, || {
            Refusal::new(
                "limit.exceeded",
                "the lender's limit does not have room for that much",
            )
            .input_of(limit.lender, "limit", limit.id)
            .input_of(limit.lender, "asked_units", amount)
            .input_of(limit.lender, "available_units", available)
        })?;
        Ok((limit.id, amount))
    }
}
