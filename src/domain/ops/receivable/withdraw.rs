//! `receivable.withdraw`: the supplier takes back what it registered; once confirmed, with its debtor.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{FenState, LegKey, Receivable, Run, Stage};
use crate::domain::operation::{Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::ReceivableId;

use super::by_supplier;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The receivable.
    pub receivable: ReceivableId,
}

impl Operation for Withdraw {
    const NAME: &'static str = "receivable.withdraw";
    const SUMMARY: &'static str =
        "The supplier withdraws a receivable; once confirmed, with its debtor";

    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        Ok(match receivable.stage {
            Stage::Confirmed(_) => Consents::of(receivable.debtor),
            _ => Consents::none(),
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        by_supplier(at, receivable)?;
        match receivable.runs() {
            None => _ = receivable.registered()?,
            Some(runs) => {
                runs.iter()
                    .try_for_each(|run| check_run(at, receivable, run))?;
                check_no_live_leg(at, receivable)?;
            }
        }

        let mut draft = at.draft();
        draft.end_receivable(receivable.id, Stage::Withdrawn);
        draft.tell(receivable.debtor);
        Ok(draft.done())
    }
}

/// All of `[0, C)` open, the supplier's, without hop or lock.
fn check_run(at: &Head<'_>, receivable: &Receivable, run: &Run) -> Result<(), Refusal> {
    ensure(
        run.holder == receivable.supplier && run.hops.is_empty(),
        || {
            Refusal::new("receivable.passed_on", "some of its fens were passed on")
                .input("receivable", receivable.id)
        },
    )?;
    ensure(run.state == FenState::Open, || {
        Refusal::new("fens.ended", "some of its fens are settled or cancelled")
            .input("receivable", receivable.id)
    })?;
    ensure(run.lock_at(at.time).is_none(), || {
        Refusal::new(
            "fens.locked",
            "a disposition of some of its fens is pending",
        )
        .input("receivable", receivable.id)
        .remedy("that disposition ends, is declined or is cancelled")
    })
}

/// And without a live leg.
fn check_no_live_leg(at: &Head<'_>, receivable: &Receivable) -> Result<(), Refusal> {
    let key = LegKey::Pays(receivable.id, receivable.supplier);
    let live = at.state.legs.by(&key).any(|leg| leg.is_live(at.time));
    ensure(!live, || {
        Refusal::new("leg.pending", "a payment on the receivable is announced")
            .input("receivable", receivable.id)
            .remedy("the payment lapses")
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Bidding, Discharge};
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{HOSPITAL, LENDER, STRANGER, SUPPLIER, World, fen, id};

    #[test]
    fn the_supplier_alone_withdraws_what_nobody_confirmed() {
        let mut world = World::new();
        let contract = world.contract();
        let invoice = world.invoice(contract, "INV-1", "100.00", "13.00");
        let receivable = world.registered(contract, &[(invoice, "113.00")]);
        world.act(SUPPLIER, Withdraw { receivable });
        assert_eq!(world.receivable(receivable).stage, Stage::Withdrawn);
        assert_eq!(world.get_invoice(invoice).unconsumed(), fen("113.00"));
        assert_eq!(world.get_contract(contract).registered, fen("0.00"));
        assert_eq!(
            world.refusal(SUPPLIER, Withdraw { receivable }).rule,
            "receivable.not_registered"
        );
    }

    #[rstest]
    #[case::alone(&[], Some("signature.missing"))]
    #[case::with_its_debtor(&[HOSPITAL], None)]
    #[case::with_somebody(&[LENDER], Some("signature.not_asked"))]
    fn once_confirmed_its_debtor_signs_too(#[case] also: &[&str], #[case] rule: Option<&str>) {
        let mut world = World::new();
        let receivable = world.confirmed("100.00");
        let also: Vec<_> = also.iter().map(|party| id(party)).collect();
        match rule {
            Some(rule) => {
                let refusal = world.refusal_with(SUPPLIER, &also, Withdraw { receivable });
                assert_eq!(refusal.rule, rule);
            }
            None => {
                world.act_with(SUPPLIER, &also, Withdraw { receivable });
                assert_eq!(world.receivable(receivable).consumed(), fen("0.00"));
            }
        }
    }

    type Spoil = fn(&mut World, ReceivableId);

    fn passed_on(world: &mut World, receivable: ReceivableId) {
        world.passed_on(fens_of(receivable, 0, 1));
    }

    fn locked(world: &mut World, receivable: ReceivableId) {
        world.requested(fens_of(receivable, 0, 1), Bidding::Visible);
    }

    fn announced(world: &mut World, receivable: ReceivableId) {
        let pays = [Discharge::Receivable(receivable)];
        world.announced(HOSPITAL, SUPPLIER, "1.00", &pays);
    }

    fn paid(world: &mut World, receivable: ReceivableId) {
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "1.00", &pays);
    }

    #[rstest]
    #[case::passed_on(passed_on, "receivable.passed_on")]
    #[case::locked(locked, "fens.locked")]
    #[case::about_to_be_paid(announced, "leg.pending")]
    #[case::paid_in_part(paid, "fens.ended")]
    fn every_fen_is_open_and_the_suppliers_and_nothing_is_pending(
        #[case] spoil: Spoil,
        #[case] rule: &str,
    ) {
        let (mut world, receivable) = banked();
        spoil(&mut world, receivable);
        let also = [id(HOSPITAL)];
        let refusal = world.refusal_with(SUPPLIER, &also, Withdraw { receivable });
        assert_eq!(refusal.rule, rule);
    }

    #[test]
    fn a_lock_and_a_leg_that_have_ended_bar_nothing() {
        let (mut world, receivable) = banked();
        locked(&mut world, receivable);
        announced(&mut world, receivable);
        world.later_by_hours(20 * 24);
        world.act_with(SUPPLIER, &[id(HOSPITAL)], Withdraw { receivable });
    }

    #[rstest]
    #[case::its_debtor(HOSPITAL, "receivable.not_supplier")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_the_suppliers(#[case] by: &str, #[case] rule: &str) {
        let mut world = World::new();
        let receivable = world.confirmed("100.00");
        assert_eq!(world.refusal(by, Withdraw { receivable }).rule, rule);
    }
}
