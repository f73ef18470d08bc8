//! `receivable.dispute`: before it confirms, the debtor says what it disputes of which invoice, and why.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Dispute as Disputed, Receivable};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{Amount, InvoiceId, Label, Reason, ReceivableId};

use super::{Item, by_debtor, named_once};

/// At most this many disputes of a receivable are open.
const DISPUTES_MOST: usize = 256;

/// What is disputed of one invoice, in wire order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disputing {
    /// The invoice.
    pub invoice: InvoiceId,
    /// How much of it.
    pub amount: Amount,
    /// The reason code.
    pub code: Label,
    /// What there is to say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Reason>,
}

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// The receivable.
    pub receivable: ReceivableId,
    /// What is disputed, each invoice named once.
    pub disputes: Vec<Disputing>,
}

impl Operation for Dispute {
    const NAME: &'static str = "receivable.dispute";
    const SUMMARY: &'static str = "The debtor disputes parts of a registered receivable";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        by_debtor(at, receivable)?;
        receivable.registered()?;
        named_once(self.disputes.iter().map(|disputing| disputing.invoice))?;
        let disputes = self.disputes.iter();
        let disputes = disputes.map(|disputing| disputing.read(at, receivable));
        let disputes: Vec<Disputed> = disputes.collect::<Result<_, _>>()?;
        let count = receivable.disputes.len() + disputes.len();
        ensure(count <= DISPUTES_MOST, || {
            Refusal::new(
                "receivable.disputes",
                "the receivable has too many disputes",
            )
            .input("receivable", receivable.id)
            .remedy(format!(
                "at most {DISPUTES_MOST}: resolve some, or decline it"
            ))
        })?;

        let mut draft = at.draft();
        for dispute in disputes {
            let share = draft.edit_share(receivable.id, dispute.invoice);
            let disputed = share.disputed.checked_add(dispute.amount);
            share.disputed = disputed.expect("no more is disputed than is registered");
            draft
                .edit::<Receivable>(receivable.id)
                .disputes
                .push(dispute);
        }
        draft.tell(receivable.supplier);
        Ok(draft.done())
    }
}

impl Disputing {
    fn read(&self, at: &Head<'_>, receivable: &Receivable) -> Result<Disputed, Refusal> {
        let item = Item {
            invoice: self.invoice,
            amount: self.amount,
        };
        Ok(Disputed {
            invoice: self.invoice,
            amount: item.undisputed(at, receivable)?,
            code: self.code.clone(),
            text: self.text.clone(),
            at: at.time,
        })
    }
}
