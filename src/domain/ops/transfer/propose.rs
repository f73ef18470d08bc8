//! `transfer.propose`: a holder passes fens on to pay a debt, and the assignee has until `expires` to accept.
//!
//! A sale for money goes only through request and financing.

use serde::{Deserialize, Serialize};

use super::basis::Payment;
use crate::domain::fens::{Disposable, Timing};
use crate::domain::head::Head;
use crate::domain::objects::{
    Basis, Disposition, Engine, Lock, Receivable, Recourse, Transfer, TransferState,
};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Addresses, Instant, PartyId};

/// A proposal waits at most this many days.
const MOST_DAYS: i64 = 10;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
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

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        at.stake_of(&self.addresses)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        self.check_parties(at)?;
        let fens = at.disposable(&self.addresses, self.timing(at)?)?;
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
    /// From engine 2 on the cut-off binds the acceptance too, so the proposal has to end before it.
    fn timing(&self, at: &Head<'_>) -> Result<Timing, Refusal> {
        if self.overdue {
            return Ok(Timing::Overdue);
        }
        let ledger = at.ledger()?;
        let last = match ledger.engine {
            Engine::First => at.today()?,
            Engine::CutOffBindsAcceptance => ledger.last_day_before(self.expires).max(at.today()?),
        };
        Ok(Timing::BeforeCutOff(last))
    }

    fn check_parties(&self, at: &Head<'_>) -> Result<(), Refusal> {
        at.actor()?.may_take_obligations(at)?;
        ensure(self.to != at.by, || {
            Refusal::new("transfer.to_self", "a transfer goes to another party")
                .input("to", self.to)
        })?;
        at.party(self.to)?.may_take_obligations(at)?;
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Discharge, Run};
    use crate::domain::ops::contract::propose;
    use crate::domain::rulebook::Rules;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::{addresses, fens_of};
    use crate::domain::testing::{
        FACTOR, HOSPITAL, LENDER, MAKER, OPERATOR, STRANGER, SUPPLIER, World, admission, fen, id,
        proposal, shipped_rulebook, wire,
    };
    use crate::domain::values::{
        ContractId, InvoiceId, MadeId, OpId, ReceivableId, Role, Size, TransferId,
    };

    /// The supplier holds 1,000,000.00 of the hospital's and owes its component maker 300,000.00.
    fn given() -> (World, ReceivableId, ContractId) {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        let owed = world.owes_maker("M-1", "300000.00");
        (world, receivable, owed)
    }

    fn body(world: &World, receivable: ReceivableId, owed: ContractId) -> Propose {
        world.passing(fens_of(receivable, 0, 30_000_000), Basis::Contract(owed))
    }

    #[test]
    fn the_fens_are_locked_until_it_expires_and_the_assignee_is_told() {
        let (mut world, receivable, owed) = given();
        let body = body(&world, receivable, owed);
        let expires = body.expires;
        let effects = world.effects(SUPPLIER, body);
        assert!(effects.audience.contains(&id(MAKER)) && effects.audience.len() == 2);
        let (transfer, proposed) = effects.transfers.first().expect("one transfer");
        assert_eq!(proposed.face, fen("300000.00"));
        let locked = Lock {
            by: Disposition::Transfer(*transfer),
            ends: expires,
        };
        world.state.apply(effects);
        let locks: Vec<_> = world.runs(receivable).iter().map(|run| run.lock).collect();
        assert_eq!(locks, [Some(locked), None]);
        world.time = expires;
        let unlocked = |run: &Run| run.lock.is_none();
        assert!(world.runs(receivable).iter().all(unlocked), "by comparison");
    }

    #[rstest]
    #[case::to_itself(|body: &mut Propose| { body.to = id(SUPPLIER); }, "transfer.to_self")]
    #[case::to_the_debtor(|body: &mut Propose| { body.to = id(HOSPITAL); }, "transfer.to_debtor")]
    #[case::to_nobody(|body: &mut Propose| { body.to = id("x:nobody"); }, "unknown_object")]
    #[case::to_whom_nothing_is_owed(|body: &mut Propose| { body.to = id(STRANGER); }, "transfer.basis")]
    #[case::for_money_to_a_lender(|body: &mut Propose| { body.to = id(LENDER); }, "transfer.basis")]
    #[case::on_a_contract_that_never_was(|body: &mut Propose| { body.basis = Basis::Contract(ContractId::from_bytes([0; 16])); }, "unknown_object")]
    #[case::on_an_invoice_that_never_was(|body: &mut Propose| { body.basis = Basis::Invoice(InvoiceId::from_bytes([0; 16])); }, "unknown_object")]
    #[case::a_fen_above_the_contracts_value(|body: &mut Propose| { body.addresses = fens_of(body.addresses.as_slice()[0].receivable, 0, 30_000_001); }, "contract.value")]
    #[case::beyond_the_face(|body: &mut Propose| { body.addresses = fens_of(body.addresses.as_slice()[0].receivable, 90_000_000, 100_000_001); }, "unknown_object")]
    #[case::expiring_now(|body: &mut Propose| { body.expires = wire("2026-06-01T02:00:00Z"); }, "end.range")]
    #[case::in_eleven_days(|body: &mut Propose| { body.expires = body.expires.plus_days(6); }, "end.range")]
    #[case::as_overdue_before_it_is(|body: &mut Propose| { body.overdue = true; }, "claim.not_overdue")]
    fn refused(#[case] spoil: fn(&mut Propose), #[case] rule: &str) {
        let (mut world, receivable, owed) = given();
        let mut body = body(&world, receivable, owed);
        spoil(&mut body);
        assert_eq!(world.refusal(SUPPLIER, body).rule, rule);
    }

    #[rstest]
    fn only_its_holder_passes_a_fen_on(#[values(MAKER, HOSPITAL, FACTOR, STRANGER)] other: &str) {
        let (mut world, receivable, owed) = given();
        let mut body = body(&world, receivable, owed);
        body.to = id(LENDER);
        assert_eq!(world.refusal(other, body).rule, "unknown_object");
    }

    #[test]
    fn no_fen_is_in_two_transfers() {
        let (mut world, receivable, owed) = given();
        world.act(SUPPLIER, body(&world, receivable, owed));
        let mut again = body(&world, receivable, owed);
        again.addresses = fens_of(receivable, 29_999_999, 40_000_000);
        assert_eq!(world.refusal(SUPPLIER, again).rule, "fens.locked");
        let mut beside = body(&world, receivable, owed);
        beside.addresses = fens_of(receivable, 30_000_000, 40_000_000);
        world.act(SUPPLIER, beside);
    }

    #[test]
    fn fens_of_several_receivables_pass_together() {
        let (mut world, first, owed) = given();
        let second = world.confirmed("200000.00");
        let both = addresses(&[(first, 0, 10_000_000), (second, 0, 20_000_000)]);
        let op = world.act(SUPPLIER, world.passing(both, Basis::Contract(owed)));
        let transfer = world.get_transfer(TransferId::of(&op, 0));
        assert_eq!(transfer.face, fen("300000.00"));
    }

    #[test]
    fn the_basis_is_an_active_contract_in_the_currency_of_the_fens() {
        let (mut world, receivable, _) = given();
        let dollars = propose::Propose {
            number: wire("M-USD"),
            supplier: id(MAKER),
            debtor: id(SUPPLIER),
            currency: wire("USD"),
            debtor_size: Size::Small,
            ..proposal()
        };
        let proposed: OpId = world.act(MAKER, dollars);
        let contract = ContractId::of(&proposed, 0);
        let refusal = world.refusal(SUPPLIER, body(&world, receivable, contract));
        assert_eq!(refusal.rule, "transfer.basis");
        let yuan = propose::Propose {
            number: wire("M-CNY"),
            supplier: id(MAKER),
            debtor: id(SUPPLIER),
            debtor_size: Size::Small,
            ..proposal()
        };
        let proposed: OpId = world.act(MAKER, yuan);
        let contract = ContractId::of(&proposed, 0);
        let refusal = world.refusal(SUPPLIER, body(&world, receivable, contract));
        assert_eq!(refusal.rule, "contract.not_active");
    }

    #[test]
    fn the_basis_may_be_an_invoice_with_room_for_the_face() {
        let (mut world, receivable, owed) = given();
        let invoice = world.invoice(owed, "M-1-1", "250000.00", "0.00");
        let mut body = world.passing(fens_of(receivable, 0, 25_000_001), Basis::Invoice(invoice));
        assert_eq!(world.refusal(SUPPLIER, body).rule, "invoice.consumed");
        body = world.passing(fens_of(receivable, 0, 25_000_000), Basis::Invoice(invoice));
        world.act(SUPPLIER, body);
    }

    #[test]
    fn a_lapsed_identification_takes_no_fens() {
        let (mut world, receivable, owed) = given();
        let mut late = admission("x:late", &[Role::Guarantor], &[], None, Some(LENDER));
        late.vouched_by = Some(id(crate::domain::testing::TAX));
        late.kyc_valid_to = wire("2026-06-01");
        world.act_with(OPERATOR, &[id(crate::domain::testing::TAX)], late);
        world.on("2026-06-02");
        let mut body = body(&world, receivable, owed);
        body.to = id("x:late");
        assert_eq!(world.refusal(SUPPLIER, body).rule, "party.kyc_lapsed");
    }

    #[rstest]
    #[case::the_last_day("2026-08-03", false, None)]
    #[case::three_business_days_before_due("2026-08-04", false, Some("claim.cutoff"))]
    #[case::on_the_due_day("2026-08-07", true, Some("claim.not_overdue"))]
    #[case::overdue_and_said_so("2026-08-08", true, None)]
    #[case::overdue_and_not_said("2026-08-08", false, Some("claim.cutoff"))]
    fn fens_pass_before_the_cut_off_or_expressly_overdue(
        #[case] day: &str,
        #[case] overdue: bool,
        #[case] rule: Option<&str>,
    ) {
        let (mut world, receivable, owed) = given();
        world.on(day);
        let mut body = body(&world, receivable, owed);
        body.overdue = overdue;
        match rule {
            Some(rule) => assert_eq!(world.refusal(SUPPLIER, body).rule, rule),
            None => _ = world.act(SUPPLIER, body),
        }
    }

    /// The debtor's legs to the supplier: days after Monday the 10th on which each is announced, and its value date.
    /// A leg of Monday lapses when Thursday ends; the transfer is proposed on Friday.
    #[rstest]
    #[case::a_live_leg_bars(&[(0, 5)], Some("leg.pending"))]
    #[case::one_that_lapsed_does_not(&[(0, 0)], None)]
    #[case::nor_do_later_ones(&[(0, 0), (1, 5)], None)]
    #[case::but_an_earlier_one_still_does(&[(0, 5), (1, 0)], Some("leg.pending"))]
    fn overdue_fens_wait_for_a_payment_once(
        #[case] legs: &[(i64, i64)],
        #[case] rule: Option<&str>,
    ) {
        let (mut world, receivable) = banked();
        let owed = world.owes_maker("M-1", "300000.00");
        let monday = world.on("2026-08-10").today();
        for (announced, value_date) in legs {
            world.on(&monday.plus_days(*announced).to_string());
            let discharge = [Discharge::Receivable(receivable)];
            let mut leg = world.announcing(SUPPLIER, "150000.00", &discharge);
            leg.value_date = monday.plus_days(*value_date);
            world.act(HOSPITAL, leg);
        }
        world.on("2026-08-14");
        let addresses = fens_of(receivable, 0, 5_000_000);
        let mut body = world.passing(addresses, Basis::Contract(owed));
        body.overdue = true;
        match rule {
            Some(rule) => assert_eq!(world.refusal(SUPPLIER, body).rule, rule),
            None => _ = world.act(SUPPLIER, body),
        }
    }

    /// Each parameter of the rulebook that binds a disposition, changed, and the verdict changes.
    #[rstest]
    #[case(|rules: &mut Rules| rules.claim_unit.params.fen = 30_000_001, "claim.unit")]
    #[case(|rules: &mut Rules| rules.claim_depth.params.hops_at_most = 0, "claim.depth")]
    #[case(|rules: &mut Rules| rules.claim_cutoff.params.business_days_before_due = 60, "claim.cutoff")]
    fn the_rulebook_says_how_much_how_often_and_until_when(
        #[case] change: fn(&mut Rules),
        #[case] rule: &str,
    ) {
        let mut rulebook = shipped_rulebook();
        change(&mut rulebook.rules);
        let mut world = World::under(rulebook).with_parties();
        let receivable = world.confirmed("1000000.00");
        let owed = world.owes_maker("M-1", "300000.00");
        let body = body(&world, receivable, owed);
        assert_eq!(world.refusal(SUPPLIER, body).rule, rule);
    }

    #[test]
    fn overdue_is_said_with_true_or_not_at_all() {
        let (world, receivable, owed) = given();
        let json = |body: &Propose| serde_json::to_string(body).expect("plain data");
        let mut body = body(&world, receivable, owed);
        assert!(!json(&body).contains("overdue"));
        body.overdue = true;
        assert!(json(&body).contains(r#""overdue":true,"expires""#));
    }
}
