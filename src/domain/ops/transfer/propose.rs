//! `transfer.propose`: a holder passes fens on to pay a debt, and the assignee has until `expires` to accept.
//!
//! A sale for money goes only through request and financing.

use serde::{Deserialize, Serialize};

use super::basis::Payment;
use crate::domain::fens::{Disposable, Timing};
use crate::domain::head::Head;
use crate::domain::objects::{
    Basis, Disposition, Lock, Receivable, Recourse, Transfer, TransferState,
};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{Addresses, Instant, PartyId};

/// A proposal waits at most this many days.
const MOST_DAYS: i64 = 10;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// What is passed on: 1 to 256 addresses of one currency, of one or several receivables.
    pub addresses: Addresses,
    /// The assignee.
    pub to: PartyId,
    /// What the assignor still answers for if the debtor does not pay.
    pub recourse: Recourse,
    /// The debt between the two that this transfer pays; consumed on acceptance.
    pub basis: Basis,
    /// That the fens are passed on expressly as overdue: `true`, or absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
    /// At most ten days ahead.
    pub expires: Instant,
}

impl Operation for Propose {
    const NAME: &'static str = "transfer.propose";
    const SUMMARY: &'static str = "A holder proposes to pass fens on to pay a debt";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        self.check_parties(at)?;
        let fens = at.disposable(&self.addresses, self.timing())?;
        self.check_debtors(at, &fens)?;
        let payment = Payment {
            from: at.by,
            to: self.to,
            currency: fens.currency,
            face: fens.face,
        };
        payment.check(at, self.basis)?;
        at.ends_within("expires", self.expires, MOST_DAYS)?;

        let mut draft = at.draft();
        let id = draft.make_id();
        draft.put(Transfer {
            id,
            from: at.by,
            to: self.to,
            addresses: self.addresses.clone(),
            currency: fens.currency,
            face: fens.face,
            recourse: self.recourse,
            basis: self.basis,
            expires: self.expires,
            at: at.time,
            state: TransferState::Proposed,
        });
        let lock = Lock {
            by: Disposition::Transfer(id),
            ends: self.expires,
        };
        draft.lock(&self.addresses, lock);
        draft.tell(self.to);
        Ok(draft.done())
    }
}

impl Propose {
    fn timing(&self) -> Timing {
        if self.overdue {
            Timing::Overdue
        } else {
            Timing::BeforeCutOff
        }
    }

    fn check_parties(&self, at: &Head<'_>) -> Result<(), Refusal> {
        let today = at.today()?;
        at.actor()?.may_take_obligations(today)?;
        ensure(self.to != at.by, || {
            Refusal::new("transfer.to_self", "a transfer goes to another party")
                .input("to", self.to)
        })?;
        at.party(self.to)?.may_take_obligations(today)?;
        Ok(())
    }

    /// Not to the debtor.
    fn check_debtors(&self, at: &Head<'_>, fens: &Disposable) -> Result<(), Refusal> {
        for (receivable, _) in &fens.pieces {
            let receivable = at.named::<Receivable>(*receivable)?;
            ensure(receivable.debtor != self.to, || {
                Refusal::new(
                    "transfer.to_debtor",
                    "fens are not passed on to the debtor who owes them",
                )
                .input("receivable", receivable.id)
                .input("to", self.to)
            })?;
        }
        Ok(())
    }
}
