//! `receivable.resolve`: a dispute ends; the shares are released, or the debtor may confirm them after all.

use serde::{Deserialize, Serialize};

use crate::domain::absorb::absorb;
use crate::domain::head::Head;
use crate::domain::objects::Receivable;
use crate::domain::operation::{Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
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
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::receivable::dispute::{Dispute, Disputing};
    use crate::domain::testing::{HOSPITAL, STRANGER, SUPPLIER, TAX, World, fen, id, wire};

    /// A share of 100.00 of one invoice, disputed for 10.00 and then for 30.00.
    fn given() -> (World, Resolve) {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "100.00", "13.00");
        let receivable = world.registered(contract, &[(invoice, "100.00")]);
        for amount in ["10.00", "30.00"] {
            let disputed = Disputing {
                invoice,
                amount: wire(amount),
                code: wire("quality"),
                text: None,
            };
            let disputes = vec![disputed];
            world.act(
                HOSPITAL,
                Dispute {
                    receivable,
                    disputes,
                },
            );
        }
        let body = Resolve {
            receivable,
            invoice,
            amount: wire("25.00"),
            outcome: Outcome::Released,
        };
        (world, body)
    }

    #[test]
    fn the_supplier_alone_releases_the_shares() {
        let (mut world, body) = given();
        world.act(SUPPLIER, body.clone());
        let receivable = world.receivable(body.receivable);
        assert_eq!(receivable.shares[0].registered, fen("75.00"));
        assert_eq!(receivable.shares[0].disputed, fen("15.00"));
        assert_eq!(receivable.disputes.len(), 1, "the oldest ends first");
        assert_eq!(receivable.disputes[0].amount, fen("15.00"));
        assert_eq!(world.get_invoice(body.invoice).consumed, fen("75.00"));
    }

    #[test]
    fn both_lift_a_dispute() {
        let (mut world, mut body) = given();
        body.outcome = Outcome::Lifted;
        world.act_with(HOSPITAL, &[id(SUPPLIER)], body.clone());
        let share = &world.receivable(body.receivable).shares[0];
        assert_eq!(share.confirmable(), fen("85.00"));
        assert_eq!(share.registered, fen("100.00"));
        assert_eq!(world.get_invoice(body.invoice).consumed, fen("100.00"));
    }

    #[rstest]
    #[case::supplier_lifts_alone(SUPPLIER, &[], Outcome::Lifted, Some("receivable.agreement"))]
    #[case::debtor_lifts_alone(HOSPITAL, &[], Outcome::Lifted, Some("receivable.agreement"))]
    #[case::debtor_releases_alone(HOSPITAL, &[], Outcome::Released, Some("receivable.agreement"))]
    #[case::both_lift(SUPPLIER, &[HOSPITAL], Outcome::Lifted, None)]
    #[case::both_release(HOSPITAL, &[SUPPLIER], Outcome::Released, None)]
    #[case::an_auditor(TAX, &[], Outcome::Released, Some("receivable.not_party"))]
    #[case::a_stranger(STRANGER, &[], Outcome::Released, Some("unknown_object"))]
    fn by_both_or_by_the_supplier_alone(
        #[case] by: &str,
        #[case] also: &[&str],
        #[case] outcome: Outcome,
        #[case] rule: Option<&str>,
    ) {
        let (mut world, mut body) = given();
        body.outcome = outcome;
        let also: Vec<_> = also.iter().map(|party| id(party)).collect();
        match rule {
            Some(rule) => assert_eq!(world.refusal_with(by, &also, body).rule, rule),
            None => _ = world.act_with(by, &also, body),
        }
    }

    #[rstest]
    #[case::more_than_disputed(|body: &mut Resolve| { body.amount = wire("40.01"); }, "receivable.disputed")]
    #[case::of_nothing(|body: &mut Resolve| { body.amount = wire("0.00"); }, "amount.zero")]
    #[case::of_another_invoice(
        |body: &mut Resolve| { body.invoice = InvoiceId::from_bytes([0; 16]); },
        "receivable.share"
    )]
    fn refused(#[case] spoil: fn(&mut Resolve), #[case] rule: &str) {
        let (mut world, mut body) = given();
        spoil(&mut body);
        assert_eq!(world.refusal(SUPPLIER, body).rule, rule);
    }

    #[test]
    fn after_the_confirmation_a_dispute_is_released_and_never_lifted() {
        let (mut world, mut body) = given();
        world.act(HOSPITAL, world.confirmation(body.receivable));
        body.outcome = Outcome::Lifted;
        let refusal = world.refusal_with(SUPPLIER, &[id(HOSPITAL)], body.clone());
        assert_eq!(refusal.rule, "receivable.not_registered");
        body.outcome = Outcome::Released;
        body.amount = wire("40.00");
        world.act(SUPPLIER, body.clone());
        let receivable = world.receivable(body.receivable);
        assert_eq!(receivable.consumed(), fen("60.00"));
        assert_eq!(receivable.confirmed().unwrap().face, fen("60.00"));
        assert_eq!(receivable.disputes, vec![]);
        assert_eq!(world.get_invoice(body.invoice).consumed, fen("60.00"));
    }
}
