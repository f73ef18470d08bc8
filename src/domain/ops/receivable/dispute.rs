//! `receivable.dispute`: before it confirms, the debtor says what it disputes of which invoice, and why.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Dispute as Disputed, Receivable};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Amount, InvoiceId, Label, Reason, ReceivableId};

use super::{Item, by_debtor, named_once};

/// At most this many disputes of a receivable are open.
const DISPUTES_MOST: usize = 256;

/// What is disputed of one invoice, in wire order.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
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

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        at.stake(
            "amount",
            self.disputes.iter().map(|disputing| &disputing.amount),
            receivable.currency,
        )
    }

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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, World, fen, wire};

    /// A share of 100.00 of one invoice, 40.00 of which is disputed by the body.
    fn given() -> (World, Dispute) {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "100.00", "13.00");
        let receivable = world.registered(contract, &[(invoice, "100.00")]);
        let disputed = Disputing {
            invoice,
            amount: wire("40.00"),
            code: wire("quality"),
            text: Some(wire("two of ten pumps leak")),
        };
        let disputes = vec![disputed];
        (
            world,
            Dispute {
                receivable,
                disputes,
            },
        )
    }

    fn again(body: &Dispute, amount: &str) -> Dispute {
        let mut disputes = body.disputes.clone();
        disputes[0].amount = wire(amount);
        Dispute {
            receivable: body.receivable,
            disputes,
        }
    }

    #[test]
    fn what_is_disputed_is_registered_and_cannot_be_confirmed() {
        let (mut world, body) = given();
        let more = again(&body, "60.00");
        let receivable = body.receivable;
        world.act(HOSPITAL, body);
        let share = &world.receivable(receivable).shares[0];
        assert_eq!(share.registered, fen("100.00"));
        assert_eq!(share.confirmable(), fen("60.00"));
        world.act(HOSPITAL, more);
        assert_eq!(world.receivable(receivable).disputes.len(), 2);
    }

    #[rstest]
    #[case::nothing(|body: &mut Dispute| { body.disputes.clear(); }, "receivable.items")]
    #[case::one_invoice_twice(|body: &mut Dispute| { body.disputes.push(body.disputes[0].clone()); }, "receivable.items")]
    #[case::of_nothing(|body: &mut Dispute| { body.disputes[0].amount = wire("0.00"); }, "amount.zero")]
    #[case::more_than_registered(
        |body: &mut Dispute| { body.disputes[0].amount = wire("100.01"); },
        "receivable.confirmable"
    )]
    #[case::of_another_invoice(
        |body: &mut Dispute| { body.disputes[0].invoice = InvoiceId::from_bytes([0; 16]); },
        "receivable.share"
    )]
    fn refused(#[case] spoil: fn(&mut Dispute), #[case] rule: &str) {
        let (mut world, mut body) = given();
        spoil(&mut body);
        assert_eq!(world.refusal(HOSPITAL, body).rule, rule);
    }

    #[test]
    fn no_fen_is_disputed_twice() {
        let (mut world, body) = given();
        let more = again(&body, "60.01");
        world.act(HOSPITAL, body);
        assert_eq!(world.refusal(HOSPITAL, more).rule, "receivable.confirmable");
    }

    #[test]
    fn disputes_are_bounded() {
        let (mut world, body) = given();
        for _ in 0..DISPUTES_MOST {
            world.act(HOSPITAL, again(&body, "0.01"));
        }
        assert_eq!(
            world.refusal(HOSPITAL, again(&body, "0.01")).rule,
            "receivable.disputes"
        );
    }

    #[test]
    fn what_is_confirmed_is_disputed_no_more() {
        let (mut world, body) = given();
        let confirmation = world.confirmation(body.receivable);
        world.act(HOSPITAL, confirmation);
        assert_eq!(
            world.refusal(HOSPITAL, body).rule,
            "receivable.not_registered"
        );
    }

    #[rstest]
    #[case::its_supplier(SUPPLIER, "receivable.not_debtor")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_the_debtors(#[case] by: &str, #[case] rule: &str) {
        let (mut world, body) = given();
        assert_eq!(world.refusal(by, body).rule, rule);
    }
}
