//! `receivable.resolve`: a dispute ends; the shares are released, or the debtor may confirm them after all.

use serde::{Deserialize, Serialize};

use crate::domain::absorb::absorb;
use crate::domain::head::Head;
use crate::domain::objects::Receivable;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::{Consents, Operation};
use crate::domain::state::Effects;
use crate::domain::values::{Amount, Fen, InvoiceId, PartyId, ReceivableId};
use crate::domain::wire::words;

use super::Item;

words! {
    /// How a dispute ends.
    pub enum Outcome {
        /// The disputed part is no longer claimed; what was agreed is registered anew.
        Released = "released",
        /// The debtor no longer disputes it.
        Lifted = "lifted",
    }
}

/// Body, in wire order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// The receivable.
    pub receivable: ReceivableId,
    /// The invoice of which it is disputed.
    pub invoice: InvoiceId,
    /// How much of what is disputed.
    pub amount: Amount,
    /// How it ends.
    pub outcome: Outcome,
}

impl Operation for Resolve {
    const NAME: &'static str = "receivable.resolve";
    const SUMMARY: &'static str = "Supplier and debtor, or the supplier alone, end a dispute";

    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        Ok(Consents::perhaps(other(at, receivable)))
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        self.check_agreed(at, receivable)?;
        let amount = self.disputed(at, receivable)?;

        let mut draft = at.draft();
        match self.outcome {
            Outcome::Released => {
                draft.release_disputed(receivable.id, self.invoice, amount);
                absorb(&mut draft, self.invoice);
            }
            Outcome::Lifted => {
                // `[0, C)` never grows.
                receivable.registered()?;
                let receivable = draft.edit::<Receivable>(receivable.id);
                receivable.lower_dispute(self.invoice, amount);
            }
        }
        draft.tell(other(at, receivable));
        Ok(draft.done())
    }
}

/// Whichever of the two does not act.
fn other(at: &Head<'_>, receivable: &Receivable) -> PartyId {
    if at.by == receivable.supplier {
        receivable.debtor
    } else {
        receivable.supplier
    }
}

impl Resolve {
    /// By both; by the supplier alone it only releases the shares.
    fn check_agreed(&self, at: &Head<'_>, receivable: &Receivable) -> Result<(), Refusal> {
        let between = [receivable.supplier, receivable.debtor].contains(&at.by);
        ensure(between, || {
            Refusal::new(
                "receivable.not_party",
                "a dispute is resolved by its supplier and its debtor",
            )
            .input("receivable", receivable.id)
        })?;
        let alone = at.by == receivable.supplier && self.outcome == Outcome::Released;
        ensure(alone || at.also_signed(other(at, receivable)), || {
            Refusal::new(
                "receivable.agreement",
                "one of the two alone cannot resolve a dispute so",
            )
            .input("outcome", self.outcome)
            .remedy("the other's signature, or the supplier alone releases the shares")
        })
    }

    fn disputed(&self, at: &Head<'_>, receivable: &Receivable) -> Result<Fen, Refusal> {
        let item = Item {
            invoice: self.invoice,
            amount: self.amount,
        };
        let disputed = item.share(receivable)?.disputed;
        let amount = at.amount("amount", &self.amount, receivable.currency)?;
        ensure(amount <= disputed, || {
            Refusal::new(
                "receivable.disputed",
                "that much of the invoice is not disputed",
            )
            .input("invoice", self.invoice)
            .input("asked_units", amount)
            .input("disputed_units", disputed)
        })?;
        Ok(amount)
    }
}
