//! `claim.waive`: a holder forgoes fens of its own.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{EndReason, FenState};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::Refusal;
use crate::domain::state::Effects;
use crate::domain::values::Addresses;

use super::one_debtor;

/// Body.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Waive {
    /// The fens.
    pub addresses: Addresses,
}

impl Operation for Waive {
    const NAME: &'static str = "claim.waive";
    const SUMMARY: &'static str =
        "A holder forgoes open fens of its own: nobody owes them any more";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        at.stake_of(&self.addresses)
    }

    /// Overdue or not, and however few: what is forgone is passed on to nobody. An announced payment does not bar
    /// it: what comes in beyond the open fens is owed back.
    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.own_free(&self.addresses)?;
        let debtor = one_debtor(at, &self.addresses)?;

        let mut draft = at.draft();
        // A waived fen keeps its part of the invoice used, as a settled one does.
        draft
            .change_all(&self.addresses, |run| {
                run.state = FenState::Cancelled(at.op, EndReason::Waived);
            })
            .expect("fens that end add nothing to what is outstanding");
        draft.tell(debtor);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Bidding, Discharge, FinancingState, ObligationKind};
    use crate::domain::ops::invoice::credit::Credit;
    use crate::domain::ops::request::withdraw::Withdraw;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::{addresses, fens_of};
    use crate::domain::testing::{
        HOSPITAL, LENDER, MAKER, STRANGER, SUPPLIER, TAX, World, digest, fen, id, wire,
    };
    use crate::domain::values::ReceivableId;

    const REFUND: ObligationKind = ObligationKind::Refund;
    const REVERSAL: ObligationKind = ObligationKind::Reversal;

    fn waive(receivable: ReceivableId, lo: u64, hi: u64) -> Waive {
        Waive {
            addresses: fens_of(receivable, lo, hi),
        }
    }

    fn pays(receivable: ReceivableId) -> [Discharge; 1] {
        [Discharge::Receivable(receivable)]
    }

    #[test]
    fn nobody_owes_waived_fens_and_the_debtor_is_told() {
        let (mut world, receivable) = banked();
        let effects = world.effects(SUPPLIER, waive(receivable, 0, 5_000_000));
        assert_eq!(effects.audience, [HOSPITAL, SUPPLIER].map(id).into());
        let op = world.act(SUPPLIER, waive(receivable, 0, 5_000_000));
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("100000.00"));
        let run = &world.runs(receivable)[0];
        assert_eq!(
            (run.hi, run.state),
            (5_000_000, FenState::Cancelled(op, EndReason::Waived))
        );
    }

    #[test]
    fn what_is_waived_stays_used_of_its_invoice_and_contract() {
        let (mut world, receivable) = banked();
        world.act(SUPPLIER, waive(receivable, 0, 15_000_000));
        let before = world.receivable(receivable);
        let (invoice, contract) = (before.shares[0].invoice, before.contract);
        assert_eq!(world.get_invoice(invoice).unconsumed(), fen("0.00"));
        assert_eq!(world.get_contract(contract).registered, fen("150000.00"));
    }

    #[rstest]
    #[case::too_near("2026-08-06")]
    #[case::overdue("2026-08-19")]
    fn it_is_never_too_late(#[case] day: &str) {
        let (mut world, receivable) = banked();
        world.on(day).act(SUPPLIER, waive(receivable, 0, 1));
    }

    #[test]
    fn fens_of_several_receivables_of_one_debtor_are_waived_together() {
        let (mut world, first) = banked();
        let second = world.confirmed("100.00");
        let both = addresses(&[(first, 0, 100), (second, 0, 10_000)]);
        world.act(SUPPLIER, Waive { addresses: both });
        assert_eq!(world.open_of(second, SUPPLIER), fen("0.00"));
    }

    #[test]
    fn fens_of_two_debtors_are_not() {
        let (mut world, first) = banked();
        let second = world.confirmed_of(SUPPLIER, STRANGER, "100.00");
        let both = addresses(&[(first, 0, 100), (second, 0, 100)]);
        let refusal = world.refusal(SUPPLIER, Waive { addresses: both });
        assert_eq!(refusal.rule, "claim.mixed");
    }

    type Spoil = fn(&mut World, ReceivableId);

    fn requested(world: &mut World, receivable: ReceivableId) {
        world.requested(fens_of(receivable, 0, 1), Bidding::Visible);
    }

    fn financed(world: &mut World, receivable: ReceivableId) {
        world.financing(fens_of(receivable, 0, 12_000_000));
    }

    fn paid(world: &mut World, receivable: ReceivableId) {
        world.paid(HOSPITAL, SUPPLIER, "1.00", &pays(receivable));
    }

    fn waived(world: &mut World, receivable: ReceivableId) {
        world.act(SUPPLIER, waive(receivable, 99, 100));
    }

    fn passed_on(world: &mut World, receivable: ReceivableId) {
        world.passed_on(fens_of(receivable, 99, 100));
    }

    /// The supplier has passed on all but a hundred fens, and a credit finds too few to absorb it.
    fn diluted(world: &mut World, receivable: ReceivableId) {
        world.passed_on(fens_of(receivable, 200, 15_000_000));
        let invoice = world.receivable(receivable).shares[0].invoice;
        let body = Credit {
            invoice,
            number: wire("CN-1"),
            amount: wire("3.00"),
            document: digest("CN-1"),
        };
        world.act(SUPPLIER, body);
    }

    #[rstest]
    #[case::locked(requested, "fens.locked")]
    #[case::waiting_for_a_lender(financed, "fens.locked")]
    #[case::paid(paid, "fens.ended")]
    #[case::waived_before(waived, "fens.ended")]
    #[case::of_another(passed_on, "unknown_object")]
    fn every_fen_is_its_own_open_and_unlocked(#[case] spoil: Spoil, #[case] rule: &str) {
        let (mut world, receivable) = banked();
        spoil(&mut world, receivable);
        let refusal = world.refusal(SUPPLIER, waive(receivable, 0, 100));
        assert_eq!(refusal.rule, rule);
    }

    #[test]
    fn open_dilution_bars_it() {
        let (mut world, receivable) = banked();
        diluted(&mut world, receivable);
        let refusal = world.refusal(MAKER, waive(receivable, 200, 300));
        assert_eq!(refusal.rule, "receivable.diluted");
    }

    #[rstest]
    #[case::its_debtor(HOSPITAL)]
    #[case::an_auditor(TAX)]
    #[case::a_stranger(STRANGER)]
    fn to_whoever_holds_none_there_are_none(#[case] by: &str) {
        let (mut world, receivable) = banked();
        let refusal = world.refusal(by, waive(receivable, 0, 100));
        assert_eq!(refusal.rule, "unknown_object");
        assert_eq!(refusal.inputs[0].name, "address");
    }

    #[test]
    fn a_lock_that_has_ended_bars_nothing() {
        let (mut world, receivable) = banked();
        let request = world.requested(fens_of(receivable, 0, 100), Bidding::Visible);
        world.act(SUPPLIER, Withdraw { request });
        world.requested(fens_of(receivable, 100, 200), Bidding::Visible);
        world.later_by_hours(4 * 24);
        world.act(SUPPLIER, waive(receivable, 0, 200));
        assert_eq!(world.runs(receivable)[0].lock, None);
    }

    #[test]
    fn a_payment_announced_before_is_owed_back() {
        let (mut world, receivable) = banked();
        let leg = world.announced(HOSPITAL, SUPPLIER, "150000.00", &pays(receivable));
        world.act(SUPPLIER, waive(receivable, 0, 5_000_000));
        world.attested(leg);
        let refund = (REFUND, SUPPLIER, HOSPITAL, fen("50000.00"));
        assert_eq!(world.owing(), vec![refund]);
    }

    #[test]
    fn a_lender_waives_what_it_bought_and_its_limit_is_free_again() {
        let (mut world, receivable) = banked();
        let financing = world.financing(fens_of(receivable, 0, 12_000_000));
        let pays = [Discharge::Financing(financing)];
        let leg = world.paid(LENDER, SUPPLIER, "119072.00", &pays);
        world.act(LENDER, waive(receivable, 0, 12_000_000));
        assert_eq!(world.get_limit(LENDER, None).utilised, fen("0.00"));
        // The fens cannot be returned any more: the lender's money is owed back.
        world.returned(leg);
        let reversed = FinancingState::Reversed(world.time);
        assert_eq!(world.get_financing(financing).state, reversed);
        let back = (REVERSAL, LENDER, SUPPLIER, fen("119072.00"));
        assert_eq!(world.owing(), vec![back]);
    }
}
