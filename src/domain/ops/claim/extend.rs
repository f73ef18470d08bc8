//! `claim.extend`: a holder and the debtor put off the day on which fens are due.

use serde::{Deserialize, Serialize};

use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{Receivable, Run};
use crate::domain::operation::{Consents, Operation};
use crate::domain::payment_day;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::rules::voucher_term;
use crate::domain::state::Effects;
use crate::domain::values::{Address, Addresses, Day, Reason};

use super::one_debtor;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extend {
    /// The fens.
    pub addresses: Addresses,
    /// The day they are due from now on; where that is no business day, the next.
    pub due: Day,
    /// Why the due day lies further ahead than a voucher's does in principle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_reason: Option<Reason>,
}

impl Operation for Extend {
    const NAME: &'static str = "claim.extend";
    const SUMMARY: &'static str = "A holder and the debtor put off the due day of fens";

    /// The debtor signs too.
    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        let none = || Refusal::new("fens.none", "at least one address is named");
        let first = self.addresses.iter().next().ok_or_else(none)?;
        Ok(Consents::of(at.holding(first)?.debtor))
    }

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        at.stake_of(&self.addresses)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.own_free(&self.addresses)?;
        let debtor = one_debtor(at, &self.addresses)?;
        let mut draft = at.draft();
        for addresses in self.addresses.by_receivable() {
            let receivable = at.named::<Receivable>(addresses[0].receivable)?;
            self.put_off(&mut draft, receivable, addresses)?;
        }
        draft.tell(debtor);
        Ok(draft.done())
    }
}

impl Extend {
    /// The due day belongs to the fens: from now on their cut-off, their order of payment and late interest count
    /// from the new one.
    fn put_off(
        &self,
        draft: &mut Draft<'_>,
        receivable: &Receivable,
        addresses: &[Address],
    ) -> Result<(), Refusal> {
        let at = draft.head;
        let confirmed = receivable.confirmed()?;
        let calendar = &at.rulebook_of(receivable.rulebook)?.calendar;
        let due = calendar.roll(self.due);
        for address in addresses {
            at.check_unit(receivable, address)?;
            for run in confirmed.runs.within(address.lo, address.hi) {
                check_run(address, &run, due, at.today()?)?;
            }
        }
        self.check_terms(draft, receivable, at.day_of(confirmed.at)?)?;
        let parts: Vec<(u64, u64)> = addresses.iter().map(|one| (one.lo, one.hi)).collect();
        draft.change_fens(receivable.id, &parts, |run| run.due = due)
    }

    /// `sme.term` and `voucher.term` bind what is put off as if it had been confirmed so: both count from the
    /// confirmation, so that steps do not get around them. The former protects who supplied; the payment day that it
    /// counts from is nothing that other holders know.
    fn check_terms(
        &self,
        draft: &mut Draft<'_>,
        receivable: &Receivable,
        confirmed: Day,
    ) -> Result<(), Refusal> {
        let (head, reasoned) = (draft.head, self.term_reason.is_some());
        let last = payment_day::of_receivable(draft, receivable);
        let beyond = last.is_none_or(|last| self.due > last);
        if beyond && head.by == receivable.supplier {
            payment_day::agreed_beyond(draft, receivable, confirmed, self.due, reasoned)?;
        }
        let rules = &head.ledger()?.rulebook_on(confirmed).rules;
        voucher_term(draft, &rules.voucher_term, confirmed, self.due, reasoned)
    }
}

/// Later, while it is not overdue, and to nobody's harm but who signs.
fn check_run(address: &Address, run: &Run, due: Day, today: Day) -> Result<(), Refusal> {
    ensure(!run.is_overdue(today), || {
        Refusal::new("claim.overdue", "the fens are past their due day")
            .input("address", address)
            .input("due", run.due)
            .remedy("late interest runs until they are paid; what is owed of it can be waived")
    })?;
    ensure(due > run.due, || {
        Refusal::new(
            "claim.not_later",
            "the new due day is not later than the one they have",
        )
        .input("address", address)
        .input("due", due)
        .input("due_now", run.due)
    })?;
    // Who answers for the debtor's payment answers for it on the day that it knew (Civil Code 695).
    ensure(!run.has_recourse(), || {
        Refusal::new(
            "claim.recourse",
            "an assignor still answers for the fens, and has no say here",
        )
        .input("address", address)
        .remedy("only fens that came without recourse are put off")
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{
        Basis, Bidding, Discharge, Disposition, FinancingState, Hop, ObligationKind, Recourse,
    };
    use crate::domain::ops::contract::propose::Propose;
    use crate::domain::ops::transfer::accept;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::{addresses, fens_of, terms_of};
    use crate::domain::testing::{
        HOSPITAL, LENDER, MAKER, STRANGER, SUPPLIER, TAX, World, fen, id, proposal, wire,
    };
    use crate::domain::values::{MadeId, ReceivableId, Size, TransferId};

    /// All of a receivable of 150,000.00 is put off from Monday, 2026-08-10, to Monday, 2026-08-17. It is confirmed
    /// on Thursday, 2026-06-04, by a debtor of medium size, to whom the law sets no term.
    fn given() -> (World, ReceivableId, Extend) {
        let (mut world, _) = banked();
        let receivable = confirmed_by(&mut world, Size::Medium);
        let body = extend(fens_of(receivable, 0, 15_000_000), "2026-08-17");
        (world, receivable, body)
    }

    fn extend(addresses: Addresses, due: &str) -> Extend {
        Extend {
            addresses,
            due: wire(due),
            term_reason: Some(wire("the equipment is taken into use later")),
        }
    }

    fn confirmed_by(world: &mut World, debtor_size: Size) -> ReceivableId {
        let terms = Propose {
            number: wire("HT-2"),
            debtor_size,
            ..proposal()
        };
        let contract = world.contract_of(SUPPLIER, HOSPITAL, terms);
        let invoice = world.invoice(contract, "INV-2", "150000.00", "0.00");
        let receivable = world.registered(contract, &[(invoice, "150000.00")]);
        world.act(HOSPITAL, world.confirmation(receivable));
        receivable
    }

    fn dues(world: &World, receivable: ReceivableId) -> Vec<(u64, String)> {
        let runs = world.runs(receivable).into_iter();
        runs.map(|run| (run.hi, run.due.to_string())).collect()
    }

    #[test]
    fn the_due_day_is_that_of_the_fens_named() {
        let (mut world, receivable, body) = given();
        world.act_with(SUPPLIER, &[id(HOSPITAL)], body);
        assert_eq!(
            dues(&world, receivable),
            [(15_000_000, "2026-08-17".to_owned())]
        );
        let part = extend(fens_of(receivable, 100, 200), "2026-08-29");
        world.act_with(SUPPLIER, &[id(HOSPITAL)], part);
        // 2026-08-29 is a Saturday.
        let found = [
            (100, "2026-08-17".to_owned()),
            (200, "2026-08-31".to_owned()),
            (15_000_000, "2026-08-17".to_owned()),
        ];
        assert_eq!(dues(&world, receivable), found);
        let confirmed = world.receivable(receivable).confirmed().unwrap();
        assert_eq!(confirmed.due, wire("2026-08-10"));
    }

    #[rstest]
    #[case::both(&[HOSPITAL], None)]
    #[case::the_holder_alone(&[], Some("signature.missing"))]
    #[case::with_a_stranger(&[HOSPITAL, LENDER], Some("signature.not_asked"))]
    fn holder_and_debtor_sign(#[case] also: &[&str], #[case] rule: Option<&str>) {
        let (mut world, _, body) = given();
        let also: Vec<_> = also.iter().map(|party| id(party)).collect();
        match rule {
            Some(rule) => assert_eq!(world.refusal_with(SUPPLIER, &also, body).rule, rule),
            None => _ = world.act_with(SUPPLIER, &also, body),
        }
    }

    #[rstest]
    #[case::its_debtor(HOSPITAL)]
    #[case::an_auditor(TAX)]
    #[case::a_stranger(STRANGER)]
    fn to_whoever_holds_none_there_are_none(#[case] by: &str) {
        let (mut world, _, body) = given();
        let refusal = world.refusal_with(by, &[id(HOSPITAL)], body);
        assert_eq!(refusal.rule, "unknown_object");
    }

    #[rstest]
    #[case::the_same_day("2026-08-10", "claim.not_later")]
    #[case::an_earlier_one("2026-08-07", "claim.not_later")]
    #[case::the_same_once_it_is_moved("2026-08-08", "claim.not_later")]
    #[case::beyond_a_vouchers_term("2027-06-05", "voucher.term")]
    fn later_and_within_the_rules(#[case] due: &str, #[case] rule: &str) {
        let (mut world, _, mut body) = given();
        body.due = wire(due);
        let refusal = world.refusal_with(SUPPLIER, &[id(HOSPITAL)], body);
        assert_eq!(refusal.rule, rule);
    }

    type Spoil = fn(&mut World, ReceivableId);

    fn locked(world: &mut World, receivable: ReceivableId) {
        world.requested(fens_of(receivable, 0, 1), Bidding::Visible);
    }

    fn paid(world: &mut World, receivable: ReceivableId) {
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "1.00", &pays);
    }

    fn passed_on(world: &mut World, receivable: ReceivableId) {
        world.passed_on(fens_of(receivable, 0, 1));
    }

    fn overdue(world: &mut World, _: ReceivableId) {
        world.on("2026-08-11");
    }

    #[rstest]
    #[case::locked(locked, "fens.locked")]
    #[case::paid_in_part(paid, "fens.ended")]
    #[case::passed_on(passed_on, "unknown_object")]
    #[case::overdue(overdue, "claim.overdue")]
    fn own_open_unlocked_and_not_overdue(#[case] spoil: Spoil, #[case] rule: &str) {
        let (mut world, receivable, body) = given();
        spoil(&mut world, receivable);
        let refusal = world.refusal_with(SUPPLIER, &[id(HOSPITAL)], body);
        assert_eq!(refusal.rule, rule);
    }

    #[test]
    fn on_the_due_day_itself_it_is_not_too_late() {
        let (mut world, _, body) = given();
        world.on("2026-08-10");
        world.act_with(SUPPLIER, &[id(HOSPITAL)], body);
    }

    #[test]
    fn fens_of_two_debtors_are_not_put_off_together() {
        let (mut world, first, body) = given();
        let second = world.confirmed_of(SUPPLIER, STRANGER, "100.00");
        let addresses = addresses(&[(first, 0, 100), (second, 0, 100)]);
        let both = Extend { addresses, ..body };
        // Whoever of the two is asked, by the order of the ids: the other debtor has no say in it.
        let asked = world.receivable(first.min(second)).debtor;
        let refusal = world.refusal_with(SUPPLIER, &[asked], both);
        assert_eq!(refusal.rule, "claim.mixed");
    }

    /// Accepted by deemed acceptance on 2026-06-11, confirmed on 2026-06-04: 60 days for a public body with a
    /// reason end on 2026-08-10, and a large enterprise with one may agree on more.
    #[rstest]
    #[case::public_body(Size::PublicBody, true, Some("sme.term"))]
    #[case::large(Size::Large, true, None)]
    #[case::large_without_reason(Size::Large, false, Some("sme.term"))]
    #[case::medium(Size::Medium, false, None)]
    fn towards_a_small_supplier_the_laws_terms_bind(
        #[case] debtor_size: Size,
        #[case] reasoned: bool,
        #[case] rule: Option<&str>,
    ) {
        let (mut world, _) = banked();
        let receivable = confirmed_by(&mut world, debtor_size);
        let mut body = extend(fens_of(receivable, 0, 10_000), "2026-08-17");
        body.term_reason = body.term_reason.filter(|_| reasoned);
        match rule {
            Some(rule) => {
                let refusal = world.refusal_with(SUPPLIER, &[id(HOSPITAL)], body);
                assert_eq!(refusal.rule, rule);
            }
            None => _ = world.act_with(SUPPLIER, &[id(HOSPITAL)], body),
        }
    }

    /// The component maker holds all of it, by a transfer with that recourse.
    fn held(recourse: Recourse) -> (World, Extend) {
        let (mut world, _, body) = given();
        let basis = Basis::Contract(world.owes_maker("M-1", "150000.00"));
        let mut passing = world.passing(body.addresses.clone(), basis);
        passing.recourse = recourse;
        let transfer = TransferId::of(&world.act(SUPPLIER, passing), 0);
        world.act(MAKER, accept::Accept { transfer });
        (world, body)
    }

    #[rstest]
    #[case::none(Recourse::None, None)]
    #[case::the_last(Recourse::Last, Some("claim.recourse"))]
    #[case::the_chain(Recourse::Chain, Some("claim.recourse"))]
    fn nobody_answers_longer_than_it_agreed_to(
        #[case] recourse: Recourse,
        #[case] rule: Option<&str>,
    ) {
        let (mut world, body) = held(recourse);
        match rule {
            Some(rule) => {
                let refusal = world.refusal_with(MAKER, &[id(HOSPITAL)], body);
                assert_eq!(refusal.rule, rule);
            }
            // Nor does the supplier's law ask after a later holder's terms, though the debtor is a public body.
            None => _ = world.act_with(MAKER, &[id(HOSPITAL)], body),
        }
    }

    #[rstest]
    #[case::only_the_last_answers(&[Recourse::Last, Recourse::None], false)]
    #[case::all_of_the_chain(&[Recourse::Chain, Recourse::None], true)]
    fn whom_a_chain_of_hops_binds(#[case] hops: &[Recourse], #[case] answers: bool) {
        let (world, receivable, _) = given();
        let mut run = world.runs(receivable).remove(0);
        let transfer = TransferId::from_bytes([1; 16]);
        let hop = |recourse: &Recourse| Hop {
            by: Disposition::Transfer(transfer),
            from: id(SUPPLIER),
            to: id(MAKER),
            recourse: *recourse,
            at: world.time,
        };
        run.hops = hops.iter().map(hop).collect();
        assert_eq!(run.has_recourse(), answers);
    }

    #[test]
    fn late_interest_and_cut_off_count_from_the_new_due_day() {
        let (mut world, receivable, body) = given();
        world.act_with(SUPPLIER, &[id(HOSPITAL)], body);
        world.on("2026-08-10");
        world.passed_on(fens_of(receivable, 0, 5_000_000));
        world.on("2026-08-19");
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "100000.00", &pays);
        let late = (
            ObligationKind::LateInterest,
            HOSPITAL,
            SUPPLIER,
            fen("100.00"),
        );
        assert_eq!(world.owing(), vec![late]);
    }

    #[test]
    fn fens_that_a_lender_puts_off_return_to_nobody_else() {
        let (mut world, receivable, body) = given();
        world.limited(LENDER, "1000000.00");
        let request = world.requested(body.addresses.clone(), Bidding::Visible);
        let terms = terms_of(world.get_request(request));
        let offer = world.offered(LENDER, request, terms);
        let financing = world.accepted(offer);
        let pays = [Discharge::Financing(financing)];
        let leg = world.paid(LENDER, SUPPLIER, "148785.62", &pays);
        world.act_with(LENDER, &[id(HOSPITAL)], body);
        world.returned(leg);
        let reversed = FinancingState::Reversed(world.time);
        assert_eq!(world.get_financing(financing).state, reversed);
        assert_eq!(world.open_of(receivable, LENDER), fen("150000.00"));
        let back = (ObligationKind::Reversal, LENDER, SUPPLIER, fen("148785.62"));
        assert_eq!(world.owing(), vec![back]);
    }
}
