//! `transfer.accept`: the assignee accepts, and title moves.

use serde::{Deserialize, Serialize};

use super::basis::Payment;
use crate::domain::absorb::absorb_again;
use crate::domain::head::Head;
use crate::domain::objects::{Disposition, Hop, Transfer, TransferState};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::TransferId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The transfer.
    pub transfer: TransferId,
}

impl Operation for Accept {
    const NAME: &'static str = "transfer.accept";
    const SUMMARY: &'static str = "The assignee accepts a transfer, and title moves";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let transfer = at.named::<Transfer>(self.transfer)?;
        Ok(Some(Stake {
            currency: transfer.currency,
            fen: transfer.face,
        }))
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let transfer = answerable(at, self.transfer)?;
        at.actor()?.may_go_on(at, transfer.at)?;
        let payment = Payment::of(transfer);
        payment.check(at, transfer.basis)?;

        let mut draft = at.draft();
        draft.edit::<Transfer>(transfer.id).state = TransferState::Accepted(at.time);
        payment.consume(&mut draft, transfer.basis);
        let hop = Hop {
            by: Disposition::Transfer(transfer.id),
            from: transfer.from,
            to: transfer.to,
            recourse: transfer.recourse,
            at: at.time,
        };
        draft.pass_on(&transfer.addresses, &hop)?;
        // Fens may have come back to their supplier.
        absorb_again(&mut draft);
        draft.tell(transfer.from);
        Ok(draft.done())
    }
}

/// A transfer that waits for the acting party's answer.
pub(super) fn answerable<'s>(at: &Head<'s>, id: TransferId) -> Result<&'s Transfer, Refusal> {
    let transfer = at.named::<Transfer>(id)?.proposed(at.time)?;
    ensure(transfer.to == at.by, || {
        Refusal::new(
            "transfer.not_assignee",
            "a transfer is answered by its assignee",
        )
        .input("transfer", id)
    })?;
    Ok(transfer)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Basis, Recourse};
    use crate::domain::ops::transfer::cancel::Cancel;
    use crate::domain::ops::transfer::decline::Decline;
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{
        FACTOR, HOSPITAL, MAKER, STRANGER, SUPPLIER, World, fen, id, shipped_rulebook,
    };
    use crate::domain::values::{ContractId, MadeId, ReceivableId};

    /// 300,000.00 out of the middle of 1,000,000.00, proposed to the component maker, who is owed 400,000.00.
    fn proposed() -> (World, ReceivableId, ContractId, TransferId) {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        let owed = world.owes_maker("M-1", "400000.00");
        let middle = fens_of(receivable, 10_000_000, 40_000_000);
        let op = world.act(SUPPLIER, world.passing(middle, Basis::Contract(owed)));
        (world, receivable, owed, TransferId::of(&op, 0))
    }

    #[test]
    fn the_named_fens_and_no_others_pass_with_a_hop() {
        let (mut world, receivable, _, transfer) = proposed();
        world.confirmed("500000.00");
        let effects = world.effects(MAKER, Accept { transfer });
        assert!(effects.audience.contains(&id(SUPPLIER)));
        world.act(MAKER, Accept { transfer });
        let runs = world.runs(receivable);
        let holders: Vec<_> = runs
            .iter()
            .map(|run| (run.lo, run.hi, run.holder))
            .collect();
        assert_eq!(
            holders,
            [
                (0, 10_000_000, id(SUPPLIER)),
                (10_000_000, 40_000_000, id(MAKER)),
                (40_000_000, 100_000_000, id(SUPPLIER)),
            ]
        );
        let hop = Hop {
            by: Disposition::Transfer(transfer),
            from: id(SUPPLIER),
            to: id(MAKER),
            recourse: Recourse::Last,
            at: world.time,
        };
        assert_eq!(*runs[1].hops, [hop]);
        assert!(runs.iter().all(|run| run.lock.is_none()));
    }

    #[test]
    fn it_consumes_its_face_from_the_contract() {
        let (mut world, _, owed, transfer) = proposed();
        world.act(MAKER, Accept { transfer });
        assert_eq!(world.get_contract(owed).room(), Some(fen("100000.00")));
    }

    #[test]
    fn it_consumes_its_face_from_the_invoice() {
        let (mut world, receivable, owed, _) = proposed();
        let invoice = world.invoice(owed, "M-1-1", "250000.00", "0.00");
        let fens = fens_of(receivable, 40_000_000, 50_000_000);
        let op = world.act(SUPPLIER, world.passing(fens, Basis::Invoice(invoice)));
        let transfer = TransferId::of(&op, 0);
        world.act(MAKER, Accept { transfer });
        assert_eq!(world.get_invoice(invoice).unconsumed(), fen("150000.00"));
    }

    #[test]
    fn the_room_of_the_basis_is_looked_at_again() {
        let (mut world, receivable, owed, transfer) = proposed();
        let fens = fens_of(receivable, 40_000_000, 50_000_001);
        let op = world.act(SUPPLIER, world.passing(fens, Basis::Contract(owed)));
        world.act(MAKER, Accept { transfer });
        let second = Accept {
            transfer: TransferId::of(&op, 0),
        };
        assert_eq!(world.refusal(MAKER, second).rule, "contract.value");
    }

    #[rstest]
    #[case::its_assignor(SUPPLIER, "transfer.not_assignee")]
    #[case::the_debtor(HOSPITAL, "unknown_object")]
    #[case::a_lender(FACTOR, "unknown_object")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn nobody_else_answers(#[case] by: &str, #[case] rule: &str) {
        let (mut world, _, _, transfer) = proposed();
        assert_eq!(world.refusal(by, Accept { transfer }).rule, rule);
        assert_eq!(world.refusal(by, Decline { transfer }).rule, rule);
    }

    #[test]
    fn only_the_assignor_cancels() {
        let (mut world, _, _, transfer) = proposed();
        let refusal = world.refusal(MAKER, Cancel { transfer });
        assert_eq!(refusal.rule, "transfer.not_assignor");
        assert_eq!(
            world.refusal(FACTOR, Cancel { transfer }).rule,
            "unknown_object"
        );
    }

    #[rstest]
    #[case::declined(|world: &mut World, transfer| _ = world.act(MAKER, Decline { transfer }))]
    #[case::cancelled(|world: &mut World, transfer| _ = world.act(SUPPLIER, Cancel { transfer }))]
    #[case::expired(|world: &mut World, _| _ = world.later_by_hours(5 * 24))]
    fn an_ended_proposal_leaves_the_fens_as_they_were(#[case] end: fn(&mut World, TransferId)) {
        let (mut world, receivable, owed, transfer) = proposed();
        end(&mut world, transfer);
        assert_eq!(world.runs(receivable).len(), 1, "one run again");
        assert_eq!(world.get_contract(owed).room(), Some(fen("400000.00")));
        for rule in [
            world.refusal(MAKER, Accept { transfer }).rule,
            world.refusal(MAKER, Decline { transfer }).rule,
            world.refusal(SUPPLIER, Cancel { transfer }).rule,
        ] {
            assert_eq!(rule, "transfer.not_proposed");
        }
        let all = fens_of(receivable, 0, 40_000_000);
        world.act(SUPPLIER, world.passing(all, Basis::Contract(owed)));
    }

    #[test]
    fn it_is_accepted_once() {
        let (mut world, _, _, transfer) = proposed();
        world.act(MAKER, Accept { transfer });
        let again = world.refusal(MAKER, Accept { transfer });
        assert_eq!(again.rule, "transfer.not_proposed");
    }

    #[test]
    fn a_fen_is_passed_on_as_often_as_the_rulebook_says() {
        let mut rulebook = shipped_rulebook();
        rulebook.rules.claim_depth.params.hops_at_most = 1;
        let mut world = World::under(rulebook).with_parties();
        let receivable = world.confirmed("1000000.00");
        let owed = world.contract_of(STRANGER, SUPPLIER, crate::domain::testing::proposal());
        let further = world.contract_of(MAKER, STRANGER, crate::domain::testing::proposal());
        let fens = fens_of(receivable, 0, 10_000_000);
        let mut body = world.passing(fens.clone(), Basis::Contract(owed));
        body.to = id(STRANGER);
        let transfer = TransferId::of(&world.act(SUPPLIER, body), 0);
        world.act(STRANGER, Accept { transfer });
        let body = world.passing(fens, Basis::Contract(further));
        assert_eq!(world.refusal(STRANGER, body).rule, "claim.depth");
    }
}
