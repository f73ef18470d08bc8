//! `limit.set`: a lender says how much of a debtor's debts it finances at once, at most.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Limit, LimitKey};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Amount, Currency, Day, Fen, PartyId, Role};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// On whom.
    pub debtor: PartyId,
    /// On its debts to that supplier only; absent: on all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier: Option<PartyId>,
    /// Its currency.
    pub currency: Currency,
    /// At most this much at once; nothing at all where zero.
    pub amount: Amount,
    /// Its last day.
    pub valid_to: Day,
}

impl Operation for Set {
    const NAME: &'static str = "limit.set";
    const SUMMARY: &'static str =
        "A lender sets its limit on a debtor, or on its debts to a supplier";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        at.stake("amount", [&self.amount], self.currency)
    }

    /// There is one limit a lender, debtor, supplier and currency. What is blocked and utilised stays; a limit
    /// counts the financings that were accepted since it was first set.
    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.with_role(Role::Lender)?;
        at.party(self.debtor)?.with_role(Role::Debtor)?;
        if let Some(supplier) = self.supplier {
            at.party(supplier)?.with_role(Role::Supplier)?;
        }
        at.currency(self.currency)?;
        let amount = at.amount_or_zero("amount", &self.amount, self.currency)?;
        let today = at.today()?;
        ensure(self.valid_to >= today, || {
            Refusal::new("limit.valid_to", "a limit is valid today at least")
                .input("valid_to", self.valid_to)
                .input("today", today)
        })?;

        let mut draft = at.draft();
        let key = LimitKey::For(at.by, self.debtor, self.supplier, self.currency);
        match at.state.limits.by(&key).next() {
            Some(limit) => {
                let limit = draft.edit::<Limit>(limit.id);
                limit.amount = amount;
                limit.valid_to = self.valid_to;
            }
            None => {
                let id = draft.make_id();
                draft.put(Limit {
                    id,
                    lender: at.by,
                    debtor: self.debtor,
                    supplier: self.supplier,
                    currency: self.currency,
                    amount,
                    valid_to: self.valid_to,
                    blocks: BTreeMap::new(),
                    utilised: Fen::ZERO,
                });
            }
        }
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::offer;
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{BANK, FACTOR, HOSPITAL, LENDER, SUPPLIER, World, fen, id, wire};

    #[test]
    fn a_limit_is_its_lenders_own_affair() {
        let mut world = World::new();
        let effects = world.effects(LENDER, world.limiting("100.00"));
        assert_eq!(effects.audience, [id(LENDER)].into());
    }

    #[test]
    fn there_is_one_limit_a_lender_debtor_supplier_and_currency() {
        let mut world = World::new();
        world.limited(LENDER, "100.00");
        world.limited(FACTOR, "200.00");
        let mut of_supplier = world.limiting("50.00");
        of_supplier.supplier = Some(id(SUPPLIER));
        world.act(LENDER, of_supplier);
        let mut in_dollars = world.limiting("70.00");
        in_dollars.currency = wire("USD");
        world.act(LENDER, in_dollars);
        world.limited(LENDER, "300.00");
        assert_eq!(world.state.limits.iter().count(), 4);
        assert_eq!(world.available(LENDER), fen("300.00"));
        assert_eq!(world.available(FACTOR), fen("200.00"));
        let of_supplier = world.get_limit(LENDER, Some(SUPPLIER));
        assert_eq!(of_supplier.amount, fen("50.00"));
    }

    #[test]
    fn what_is_blocked_stays_blocked_and_availability_is_never_negative() {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        world.financing(fens_of(receivable, 0, 60_000_000));
        world.limited(LENDER, "700000.00");
        assert_eq!(world.available(LENDER), fen("100000.00"));
        world.limited(LENDER, "0.00");
        assert_eq!(world.available(LENDER), Fen::ZERO);
    }

    #[test]
    fn behind_its_last_day_nothing_is_available() {
        let mut world = World::new();
        let mut body = world.limiting("100.00");
        body.valid_to = wire("2026-06-02");
        world.act(LENDER, body);
        world.on("2026-06-02");
        assert_eq!(world.available(LENDER), fen("100.00"));
        world.on("2026-06-03");
        assert_eq!(world.available(LENDER), Fen::ZERO);
    }

    #[rstest]
    #[case::by_no_lender(SUPPLIER, |_: &mut Set| (), "party.role")]
    #[case::on_no_debtor(LENDER, |body: &mut Set| body.debtor = id(BANK), "party.role")]
    #[case::on_nobody(LENDER, |body: &mut Set| body.debtor = id("x:nobody"), "unknown_object")]
    #[case::on_no_supplier(LENDER, |body: &mut Set| body.supplier = Some(id(HOSPITAL)), "party.role")]
    #[case::in_no_currency(LENDER, |body: &mut Set| body.currency = wire("ZZZ"), "currency.unknown")]
    #[case::of_half_a_fen(LENDER, |body: &mut Set| body.amount = wire("0.005"), "amount.decimals")]
    #[case::until_yesterday(LENDER, |body: &mut Set| body.valid_to = wire("2026-05-31"), "limit.valid_to")]
    fn refused(#[case] by: &str, #[case] spoil: fn(&mut Set), #[case] rule: &str) {
        let mut world = World::new();
        let mut body = world.limiting("100.00");
        spoil(&mut body);
        assert_eq!(world.refusal(by, body).rule, rule);
    }

    #[test]
    fn a_limit_of_zero_finances_nothing() {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        world.limited(LENDER, "0.00");
        let fens = fens_of(receivable, 0, 1);
        let request = world.requested(fens, crate::domain::objects::Bidding::Visible);
        let offer = crate::domain::testing::trade::terms_of(world.get_request(request));
        let refusal = world.refusal(LENDER, offer::make::Make { request, offer });
        assert_eq!(refusal.rule, "limit.exceeded");
    }
}
