//! `limit.set`: a lender says how much of a debtor's debts it finances at once, at most.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Limit, LimitKey};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{Amount, Currency, Day, Fen, PartyId, Role};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
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
