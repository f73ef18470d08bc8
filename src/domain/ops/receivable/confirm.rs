//! `receivable.confirm`: the debtor owes it. What it confirms becomes the fens `[0, C)`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::absorb::{absorb, less};
use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{
    Confirmed, Contract, DefenceKind, Defences, Receivable, ReservedDefence, Runs, Stage,
};
use crate::domain::payment_day;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::{Consents, Operation};
use crate::domain::rulebook::VoucherTerm;
use crate::domain::rules::enforce;
use crate::domain::state::Effects;
use crate::domain::values::{Amount, Day, Fen, InvoiceId, Reason, ReceivableId};
use crate::domain::wire::words;

use super::{Item, by_debtor, named_once};

words! {
    /// How the debtor takes notice of transfers (Civil Code 546).
    pub enum Notice {
        /// By the entries of this ledger.
        Ledger = "ledger",
    }
}

/// A defence that the debtor keeps, in wire order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserved {
    /// Which.
    pub kind: DefenceKind,
    /// At most this much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<Amount>,
    /// Until that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// The debtor's defences, in wire order: nothing is waived unless named.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefenceTerms {
    /// Given up, sorted, each named once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<DefenceKind>,
    /// Expressly kept, sorted by kind, each named once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<Reserved>,
}

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The receivable.
    pub receivable: ReceivableId,
    /// What is confirmed of which invoice.
    pub shares: Vec<Item>,
    /// The day it is due; where that is no business day, the next.
    pub due: Day,
    /// Why the due day lies further ahead than a voucher's does in principle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_reason: Option<Reason>,
    /// The debtor's defences.
    pub defences: DefenceTerms,
    /// How it takes notice of transfers.
    pub notice: Notice,
}

impl Operation for Confirm {
    const NAME: &'static str = "receivable.confirm";
    const SUMMARY: &'static str = "The debtor confirms a receivable in whole or in part";

    /// Later than the payment day only with the supplier's signature.
    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        Ok(Consents::perhaps(receivable.supplier))
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let today = at.today()?;
        let receivable = at.named::<Receivable>(self.receivable)?;
        by_debtor(at, receivable)?;
        receivable.registered()?;
        at.actor()?.may_take_obligations(today)?;
        let amounts = self.amounts(at, receivable)?;
        let defences = self.defences.read(at, receivable)?;
        let mut draft = at.draft();
        check_vouchers(&draft, receivable)?;
        self.check_due(&draft, receivable, today)?;
        self.check_term(&mut draft, today)?;

        confirm_shares(&mut draft, receivable, &amounts);
        let face = Fen::sum(amounts.into_values())
            .expect("the sum was bounded when the receivable was registered");
        let due = at.rulebook_of(receivable.rulebook)?.calendar.roll(self.due);
        let runs = Runs::of_supplier(face.get().unsigned_abs(), receivable.supplier, due);
        draft.edit::<Receivable>(receivable.id).stage = Stage::Confirmed(Confirmed {
            at: at.time,
            face,
            due,
            defences,
            runs,
        });
        for share in &receivable.shares {
            absorb(&mut draft, share.invoice);
        }
        draft.tell(receivable.supplier);
        Ok(draft.done())
    }
}

impl Confirm {
    /// Itemised per invoice, each amount above zero and ≤ registered − disputed.
    fn amounts(
        &self,
        at: &Head<'_>,
        receivable: &Receivable,
    ) -> Result<BTreeMap<InvoiceId, Fen>, Refusal> {
        named_once(self.shares.iter().map(|item| item.invoice))?;
        let confirmable = |item: &Item| {
            let amount = item.undisputed(at, receivable)?;
            Ok((item.invoice, amount))
        };
        self.shares.iter().map(confirmable).collect()
    }

    /// `due` ≤ the receivable's payment day, later only with the supplier's signature; and not in the past.
    fn check_due(
        &self,
        draft: &Draft<'_>,
        receivable: &Receivable,
        today: Day,
    ) -> Result<(), Refusal> {
        ensure(today <= self.due, || {
            Refusal::new("receivable.due_past", "the due day lies in the past")
                .input("due", self.due)
                .input("today", today)
        })?;
        let payment_day = payment_day::of_receivable(draft, receivable);
        let agreed = draft.head.also_signed(receivable.supplier);
        ensure(
            agreed || payment_day.is_none_or(|last| self.due <= last),
            || {
                let refusal = Refusal::new(
                    "receivable.due",
                    "the due day lies behind the receivable's payment day",
                )
                .input("due", self.due)
                .remedy("an earlier day, or the supplier's signature");
                payment_day
                    .iter()
                    .fold(refusal, |refusal, last| refusal.input("payment_day", last))
            },
        )
    }

    /// `voucher.term`: 6 months in principle with reason above, 1 year at most, counted from the confirmation.
    fn check_term(&self, draft: &mut Draft<'_>, today: Day) -> Result<(), Refusal> {
        let rule = &draft.head.rulebook()?.rules.voucher_term;
        let holds = |params: &VoucherTerm| {
            let months = match self.term_reason {
                Some(_) => params.months_at_most,
                None => params.months_in_principle,
            };
            self.due <= today.plus_months(months)
        };
        enforce(draft, rule, today, holds, |params| {
            Refusal::new(
                "voucher.term",
                "the due day lies too far ahead for a voucher",
            )
            .input("due", self.due)
            .remedy(format!(
                "{} months, with a term_reason {}",
                params.months_in_principle, params.months_at_most
            ))
        })
    }
}

/// `sme.voucher`: needs the supplier's recorded agreement.
fn check_vouchers(draft: &Draft<'_>, receivable: &Receivable) -> Result<(), Refusal> {
    let contract = draft.get::<Contract>(receivable.contract);
    ensure(contract.terms.vouchers, || {
        Refusal::new(
            "sme.voucher",
            "the contract does not record the supplier's agreement to be paid by vouchers",
        )
        .input("contract", contract.id)
    })
}

/// The rest is released, but a live dispute keeps its part.
fn confirm_shares(
    draft: &mut Draft<'_>,
    receivable: &Receivable,
    amounts: &BTreeMap<InvoiceId, Fen>,
) {
    for share in &receivable.shares {
        let amount = amounts.get(&share.invoice).copied().unwrap_or(Fen::ZERO);
        let kept = draft.edit_share(receivable.id, share.invoice);
        kept.confirmed = amount;
        kept.registered = less(kept.registered, amount);
        let rest = less(share.confirmable(), amount);
        draft.release_undisputed(receivable.id, share.invoice, rest);
    }
}

impl DefenceTerms {
    fn read(&self, at: &Head<'_>, receivable: &Receivable) -> Result<Defences, Refusal> {
        let both = self
            .reserved
            .iter()
            .any(|kept| self.waived.contains(&kept.kind));
        let sorted = self.waived.is_sorted_by(|a, b| a < b)
            && self.reserved.is_sorted_by(|a, b| a.kind < b.kind);
        ensure(sorted && !both, || {
            Refusal::new(
                "receivable.defences",
                "defences are sorted, each kind is named once, and none is both waived and reserved",
            )
        })?;
        let reserved = |kept: &Reserved| {
            let cap = kept
                .cap
                .map(|cap| at.amount("cap", &cap, receivable.currency));
            Ok(ReservedDefence {
                kind: kept.kind,
                cap: cap.transpose()?,
                until: kept.until,
            })
        };
        Ok(Defences {
            waived: self.waived.clone(),
            reserved: self
                .reserved
                .iter()
                .map(reserved)
                .collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{MAKER, SUPPLIER, World, fen, id, wire};

    #[test]
    fn a_confirmation_makes_the_fens_of_the_supplier() {
        let mut world = World::new();
        world.confirmed("1000000.00");
        let receivable = world.confirmed("1000000.00");
        let confirmed = world.receivable(receivable).confirmed().unwrap();
        assert_eq!(confirmed.face, fen("1000000.00"));
        assert_eq!(confirmed.due, wire("2026-08-07"));
        let of_supplier = Runs::of_supplier(100_000_000, id(SUPPLIER), confirmed.due);
        assert_eq!(confirmed.runs, of_supplier);
        world.confirmed_of(MAKER, SUPPLIER, "300000.00");
    }
}
