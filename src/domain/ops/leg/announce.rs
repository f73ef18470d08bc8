//! `leg.announce`: a payer says which transfer it makes, to which account and what it pays with it. Nothing has an
//! effect before the leg is attested.

use serde::{Deserialize, Serialize};

use super::{disburse, earliest_value_date, tell_all};
use crate::domain::head::Head;
use crate::domain::objects::{
    Account, AccountState, Discharge, Financing, Leg, LegKey, LegState, Obligation, Purpose,
    Receivable, Runs,
};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{
    AccountId, Amount, Currency, Day, Fen, FinancingId, Instant, PartyId, Reference,
};

/// A leg pays at most this many things.
const DISCHARGES_MOST: usize = 64;
/// A leg may be announced this many days before its value date.
const DAYS_AHEAD: i64 = 30;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Announce {
    /// What it is for.
    pub purpose: Purpose,
    /// Who is paid.
    pub payee: PartyId,
    /// The payee's account.
    pub account: AccountId,
    /// How much.
    pub amount: Amount,
    /// The day the bank counts it from.
    pub value_date: Day,
    /// The payer's reference: unique per payer.
    pub end_to_end_id: Reference,
    /// The currency of all it pays.
    pub currency: Currency,
    /// What it pays, in order.
    pub discharges: Vec<Discharge>,
}

impl Operation for Announce {
    const NAME: &'static str = "leg.announce";
    const SUMMARY: &'static str = "A payer announces a bank transfer and what it pays";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        at.stake("amount", [&self.amount], self.currency)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.party(self.payee)?;
        self.check_list()?;
        for discharge in &self.discharges {
            self.check_discharge(at, *discharge)?;
        }
        let account = self.usable_account(at)?;
        let amount = at.amount("amount", &self.amount, self.currency)?;
        self.check_end_to_end_id(at)?;
        self.check_value_date(at)?;
        let lapses = self.lapses(at)?;

        let mut draft = at.draft();
        let leg = Leg {
            id: draft.make_id(),
            purpose: self.purpose,
            payer: at.by,
            payee: self.payee,
            account: account.id,
            bank: account.bank,
            amount,
            currency: self.currency,
            value_date: self.value_date,
            end_to_end_id: self.end_to_end_id.clone(),
            discharges: self.discharges.clone(),
            at: at.time,
            lapses,
            contested: false,
            reference: None,
            evidence: None,
            state: LegState::Announced,
        };
        if let Some(financing) = leg.disburses() {
            let financing = self.payable(at, financing, amount)?;
            let ends = lapses.max(at.end_of(financing.terms.disburse_by)?);
            ensure(disburse::is_whole(&draft, financing), || {
                Refusal::new(
                    "financing.changed",
                    "some of the fens were paid or cancelled since the offer was accepted",
                )
                .input("financing", financing.id)
            })?;
            disburse::wait_until(&mut draft, financing.id, ends, Some(leg.id));
        }
        tell_all(&mut draft, &leg);
        draft.put(leg);
        Ok(draft.done())
    }
}

impl Announce {
    /// At least one thing, each once; a disbursement pays one financing and nothing else does.
    fn check_list(&self) -> Result<(), Refusal> {
        let all = &self.discharges;
        let once = all
            .iter()
            .enumerate()
            .all(|(at, one)| !all[..at].contains(one));
        ensure(once && (1..=DISCHARGES_MOST).contains(&all.len()), || {
            Refusal::new(
                "leg.discharges",
                format!("a leg names 1 to {DISCHARGES_MOST} things that it pays, each once"),
            )
            .input("discharges", all.len())
        })?;
        let financing = |one: &Discharge| matches!(one, Discharge::Financing(_));
        let fits = match self.purpose {
            Purpose::Disbursement => all.len() == 1 && all.iter().all(financing),
            Purpose::Payment => !all.iter().any(financing),
        };
        ensure(fits, || {
            Refusal::new(
                "leg.purpose",
                "a disbursement pays exactly one financing, and a payment none",
            )
        })
    }

    /// What it names is seen by the payer, owed by the payer to the payee, and still owed.
    fn check_discharge(&self, at: &Head<'_>, discharge: Discharge) -> Result<(), Refusal> {
        let (owes, open, currency, named) = match discharge {
            Discharge::Receivable(id) => {
                let receivable = at.named::<Receivable>(id)?;
                let open = |runs: &Runs| runs.iter().any(|run| run.open_of(self.payee));
                let owes = receivable.debtor == at.by;
                let open = receivable.runs().is_some_and(open);
                (owes, open, receivable.currency, id.to_string())
            }
            Discharge::Obligation(id) => {
                let owed = at.named::<Obligation>(id)?;
                let owes = owed.from == at.by && owed.to == self.payee;
                let open = owed.outstanding() > Fen::ZERO;
                (owes, open, owed.currency, id.to_string())
            }
            Discharge::Financing(id) => {
                let financing = at.named::<Financing>(id)?;
                let owes = financing.lender == at.by && financing.requester == self.payee;
                (owes, true, financing.currency, id.to_string())
            }
        };
        ensure(owes, || {
            Refusal::new(
                "leg.not_owed",
                "the payer does not owe the payee what the leg names",
            )
            .input("discharges", &named)
        })?;
        ensure(open, || {
            Refusal::new(
                "leg.nothing_owed",
                "nothing is open to the payee of what the leg names",
            )
            .input("discharges", &named)
        })?;
        ensure(currency == self.currency, || {
            Refusal::new(
                "leg.currency",
                "a leg pays in the currency of what it names",
            )
            .input("currency", self.currency)
            .input("discharges", &named)
            .remedy(format!("pay in {currency}"))
        })
    }

    /// The financing, if it waits for exactly this money on this day.
    fn payable<'s>(
        &self,
        at: &Head<'s>,
        id: FinancingId,
        amount: Fen,
    ) -> Result<&'s Financing, Refusal> {
        let financing = at.named::<Financing>(id)?.unfunded(at.time)?;
        // One live leg a financing; a lapsed one does not count.
        ensure(!disburse::has_live_leg(at, financing), || {
            Refusal::new(
                "financing.leg_live",
                "a leg of this financing is announced already",
            )
            .input("financing", id)
            .remedy("that leg is attested, or lapses")
        })?;
        let days = at.today()?..=financing.terms.disburse_by;
        ensure(days.contains(&self.value_date), || {
            Refusal::new(
                "leg.disburse_by",
                "a disbursement has a value date from today to the last day agreed",
            )
            .input("value_date", self.value_date)
            .input("disburse_by", financing.terms.disburse_by)
        })?;
        let price = disburse::price_on(financing, self.value_date)?;
        ensure(amount == price, || {
            Refusal::new(
                "leg.amount",
                "a disbursement is exactly the price at its value date",
            )
            .input("amount", self.amount)
            .input("price_fen", price)
        })?;
        Ok(financing)
    }

    /// One of the payee's accounts of the currency that its bank has attested, when it has cooled.
    fn usable_account<'s>(&self, at: &Head<'s>) -> Result<&'s Account, Refusal> {
        let found = at
            .state
            .accounts
            .get(self.account)
            .filter(|account| account.party == self.payee && account.currency == self.currency);
        let attested = found.and_then(|account| match account.state {
            AccountState::Attested { usable } => Some((account, usable)),
            _ => None,
        });
        let unknown = || Refusal::unknown_object("account", self.account);
        let (account, usable) = attested.ok_or_else(unknown)?;
        ensure(usable <= at.time, || {
            Refusal::new("account.cooling", "the account is not usable yet")
                .input("account", account.id)
                .input("usable", usable)
                .remedy("pay to the payee's present account, or later")
        })?;
        Ok(account)
    }

    fn check_end_to_end_id(&self, at: &Head<'_>) -> Result<(), Refusal> {
        let key = LegKey::EndToEnd(at.by, self.end_to_end_id.clone());
        ensure(at.state.legs.by(&key).next().is_none(), || {
            Refusal::new(
                "leg.end_to_end_id",
                "the payer has announced a leg under this reference",
            )
            .input("end_to_end_id", &self.end_to_end_id)
        })
    }

    fn check_value_date(&self, at: &Head<'_>) -> Result<(), Refusal> {
        let today = at.today()?;
        let calendar = &at.rulebook()?.calendar;
        let from = earliest_value_date(calendar, today);
        let to = today.plus_days(DAYS_AHEAD);
        ensure((from..=to).contains(&self.value_date), || {
            Refusal::new(
                "leg.value_date",
                "the value date is too long ago or too far ahead",
            )
            .input("value_date", self.value_date)
            .remedy(format!("a value date from {from} to {to}"))
        })
    }

    /// A leg lapses so many business days after its value date, which must lie ahead.
    fn lapses(&self, at: &Head<'_>) -> Result<Instant, Refusal> {
        let rulebook = at.rulebook()?;
        let days = rulebook.rules.leg_days.params.business_days;
        let last = rulebook.calendar.plus_business_days(self.value_date, days);
        let lapses = at.end_of(last)?;
        ensure(lapses > at.time, || {
            Refusal::new("leg.days", "a leg of that value date has lapsed already")
                .input("value_date", self.value_date)
                .input("lapsed", lapses)
        })?;
        Ok(lapses)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Disposition, FinancingState, ObligationKind};
    use crate::domain::ops::account::close::Close;
    use crate::domain::ops::financing::cancel::Cancel;
    use crate::domain::testing::money::{account, banked, banked_under};
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{
        BANK, FACTOR, HOSPITAL, LENDER, MAKER, OTHER_BANK, STRANGER, SUPPLIER, World, fen, id,
        shipped_rulebook, wire,
    };
    use crate::domain::values::{LegId, MadeId, ReceivableId};

    /// What the hospital pays the supplier on Thursday, 2026-06-04.
    fn payment(world: &World, receivable: ReceivableId) -> Announce {
        let pays = [Discharge::Receivable(receivable)];
        world.announcing(SUPPLIER, "50000.00", &pays)
    }

    #[test]
    fn an_announced_leg_has_no_effect() {
        let (mut world, receivable) = banked();
        let op = world.act(HOSPITAL, payment(&world, receivable));
        let leg = world.get::<Leg>(LegId::of(&op, 0));
        assert_eq!(leg.payer, id(HOSPITAL));
        assert_eq!(leg.bank, id(OTHER_BANK));
        assert!(leg.is_live(world.time));
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("150000.00"));
    }

    #[test]
    fn payer_payee_and_bank_are_told_and_nobody_else() {
        let (mut world, receivable) = banked();
        let body = payment(&world, receivable);
        let told = world.effects(HOSPITAL, body).audience;
        assert_eq!(told, [HOSPITAL, SUPPLIER, OTHER_BANK].map(id).into());
    }

    type Spoil = fn(&mut World, &mut Announce);

    #[rstest]
    #[case::nothing(|_: &mut World, body: &mut Announce| body.discharges.clear(), "leg.discharges")]
    #[case::twice(|_: &mut World, body: &mut Announce| body.discharges.push(body.discharges[0]), "leg.discharges")]
    #[case::as_disbursement(|_: &mut World, body: &mut Announce| body.purpose = Purpose::Disbursement, "leg.purpose")]
    #[case::nobody(|_: &mut World, body: &mut Announce| body.payee = id("x:nobody"), "unknown_object")]
    #[case::no_such_receivable(|_: &mut World, body: &mut Announce| {
        body.discharges = vec![Discharge::Receivable(ReceivableId::from_bytes([0; 16]))];
    }, "unknown_object")]
    #[case::to_who_holds_nothing(|world: &mut World, body: &mut Announce| {
        body.payee = id(MAKER);
        body.account = world.account_of(id(MAKER));
    }, "leg.nothing_owed")]
    #[case::another_currency(|_: &mut World, body: &mut Announce| body.currency = wire("EUR"), "leg.currency")]
    #[case::no_such_account(|_: &mut World, body: &mut Announce| {
        body.account = AccountId::from_bytes([0; 16]);
    }, "unknown_object")]
    #[case::anothers_account(|world: &mut World, body: &mut Announce| {
        body.account = world.account_of(id(MAKER));
    }, "unknown_object")]
    #[case::account_not_attested(|world: &mut World, body: &mut Announce| {
        body.account = AccountId::of(&world.act(SUPPLIER, account(BANK)), 0);
    }, "unknown_object")]
    #[case::account_of_another_currency(|world: &mut World, body: &mut Announce| {
        let op = world.act(SUPPLIER, crate::domain::ops::account::add::Add { currency: wire("EUR"), ..account(BANK) });
        body.account = AccountId::of(&op, 0);
        world.act(BANK, crate::domain::ops::account::attest::Attest { account: body.account });
        world.later_by_hours(72);
    }, "unknown_object")]
    #[case::account_closed(|world: &mut World, body: &mut Announce| {
        world.act(SUPPLIER, Close { account: body.account });
    }, "unknown_object")]
    #[case::account_cooling(|world: &mut World, body: &mut Announce| {
        body.account = world.account_at(SUPPLIER, BANK);
    }, "account.cooling")]
    #[case::account_a_millisecond_too_soon(|world: &mut World, body: &mut Announce| {
        body.account = world.account_at(SUPPLIER, BANK);
        world.time = Instant::from_millis(world.time.plus_days(3).millis() - 1);
    }, "account.cooling")]
    #[case::nothing_paid(|_: &mut World, body: &mut Announce| body.amount = wire("0.00"), "amount.zero")]
    #[case::whole_yuan(|_: &mut World, body: &mut Announce| body.amount = wire("50000"), "amount.decimals")]
    #[case::same_reference(|world: &mut World, body: &mut Announce| {
        let other = Announce { discharges: body.discharges.clone(), end_to_end_id: body.end_to_end_id.clone(), ..world.announcing(SUPPLIER, "1.00", &[]) };
        world.act(HOSPITAL, other);
    }, "leg.end_to_end_id")]
    #[case::six_business_days_ago(|_: &mut World, body: &mut Announce| body.value_date = wire("2026-05-27"), "leg.value_date")]
    #[case::thirty_one_days_ahead(|_: &mut World, body: &mut Announce| body.value_date = wire("2026-07-05"), "leg.value_date")]
    #[case::lapsed_already(|_: &mut World, body: &mut Announce| body.value_date = wire("2026-05-29"), "leg.days")]
    fn refused(#[case] spoil: Spoil, #[case] rule: &str) {
        let (mut world, receivable) = banked();
        let mut body = payment(&world, receivable);
        spoil(&mut world, &mut body);
        assert_eq!(world.refusal(HOSPITAL, body).rule, rule);
    }

    #[rstest]
    #[case::the_creditor_is_no_payer(SUPPLIER, "leg.not_owed")]
    #[case::another_party_does_not_see_it(STRANGER, "unknown_object")]
    #[case::a_lender_does_not_see_it(LENDER, "unknown_object")]
    fn only_the_debtor_pays_a_receivable(#[case] by: &str, #[case] rule: &str) {
        let (mut world, receivable) = banked();
        let body = payment(&world, receivable);
        assert_eq!(world.refusal(by, body).rule, rule);
    }

    #[test]
    fn a_receivable_is_paid_once_it_is_confirmed() {
        let (mut world, _) = banked();
        let contract = world.contract();
        let invoice = world.invoice(contract, "N-9", "100.00", "0.00");
        let receivable = world.registered(contract, &[(invoice, "100.00")]);
        let body = payment(&world, receivable);
        assert_eq!(world.refusal(HOSPITAL, body).rule, "leg.nothing_owed");
    }

    #[test]
    fn another_payer_may_use_the_same_reference() {
        let (mut world, receivable) = banked();
        let body = payment(&world, receivable);
        let reference = body.end_to_end_id.clone();
        world.act(HOSPITAL, body);
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "100001.00", &pays);
        world.paid(HOSPITAL, SUPPLIER, "50000.00", &pays);
        let refund = [Discharge::Obligation(world.owed(ObligationKind::Refund))];
        let back = Announce {
            end_to_end_id: reference,
            ..world.announcing(HOSPITAL, "1.00", &refund)
        };
        world.act(SUPPLIER, back);
    }

    #[test]
    fn only_its_debtor_pays_an_obligation_and_only_its_creditor_is_paid() {
        let (mut world, receivable) = banked();
        world.paid(
            HOSPITAL,
            SUPPLIER,
            "150100.00",
            &[Discharge::Receivable(receivable)],
        );
        let refund = [Discharge::Obligation(world.owed(ObligationKind::Refund))];
        let by_creditor = world.announcing(SUPPLIER, "100.00", &refund);
        assert_eq!(world.refusal(HOSPITAL, by_creditor).rule, "leg.not_owed");
        let to_another = world.announcing(MAKER, "100.00", &refund);
        assert_eq!(world.refusal(SUPPLIER, to_another).rule, "leg.not_owed");
        let right = world.announcing(HOSPITAL, "100.00", &refund);
        assert_eq!(world.refusal(STRANGER, right).rule, "unknown_object");
        world.paid(SUPPLIER, HOSPITAL, "100.00", &refund);
        assert_eq!(world.owing(), vec![]);
        let again = world.announcing(HOSPITAL, "100.00", &refund);
        assert_eq!(world.refusal(SUPPLIER, again).rule, "leg.nothing_owed");
    }

    #[rstest]
    #[case::five_business_days_ago("2026-05-28", 5)]
    #[case::thirty_days_ahead("2026-07-04", 3)]
    fn value_dates_that_may_be(#[case] value_date: &str, #[case] days: u32) {
        let mut rulebook = shipped_rulebook();
        rulebook.rules.leg_days.params.business_days = days;
        let (mut world, receivable) = banked_under(rulebook);
        let body = Announce {
            value_date: wire(value_date),
            ..payment(&world, receivable)
        };
        world.act(HOSPITAL, body);
    }

    /// Thursday, 2026-06-04, and so many business days: until 24:00 in China.
    #[rstest]
    #[case::as_shipped(3, "2026-06-09T16:00:00Z")]
    #[case::changed(1, "2026-06-05T16:00:00Z")]
    #[case::over_a_holiday(11, "2026-06-22T16:00:00Z")]
    fn a_leg_lapses_so_many_business_days_after_its_value_date(
        #[case] days: u32,
        #[case] lapses: &str,
    ) {
        let mut rulebook = shipped_rulebook();
        rulebook.rules.leg_days.params.business_days = days;
        let (mut world, receivable) = banked_under(rulebook);
        let op = world.act(HOSPITAL, payment(&world, receivable));
        let leg = world.get::<Leg>(LegId::of(&op, 0));
        assert_eq!(leg.lapses.to_string(), wire::<Instant>(lapses).to_string());
    }

    /// A financing of 600,000.00 at 4.35 % on ACT/360: 595,360.00 on 2026-06-04, until 2026-06-13.
    fn accepted() -> (World, FinancingId, Announce) {
        let (mut world, _) = banked();
        let receivable = world.confirmed("600000.00");
        let financing = world.financing(fens_of(receivable, 0, 60_000_000));
        let due = world.get_financing(financing).due;
        assert_eq!(due, wire("2026-08-10"));
        let body = world.announcing(SUPPLIER, "595142.50", &[Discharge::Financing(financing)]);
        (world, financing, body)
    }

    #[test]
    fn a_disbursement_holds_its_financing_until_it_lapses() {
        let (mut world, financing, body) = accepted();
        let before = world.get_financing(financing).clone();
        let late = Announce {
            value_date: before.terms.disburse_by,
            amount: wire("595795.00"),
            ..body
        };
        let leg = LegId::of(&world.act(LENDER, late), 0);
        let lapses = world.get::<Leg>(leg).lapses;
        let after = world.get_financing(financing);
        assert_eq!(
            after.state,
            FinancingState::Accepted {
                ends: lapses,
                leg: Some(leg)
            }
        );
        assert!(!before.is_live(Instant::from_millis(lapses.millis() - 1)));
        let own = Disposition::Financing(financing);
        let runs = world.runs(after.addresses.as_slice()[0].receivable);
        assert_eq!(
            runs[0].lock.map(|lock| (lock.by, lock.ends)),
            Some((own, lapses))
        );
        let blocks = &world.get_limit(LENDER, None).blocks;
        assert_eq!(blocks[&financing].ends, lapses);
        let cancel = Cancel { financing };
        assert_eq!(world.refusal(LENDER, cancel).rule, "financing.announced");
    }

    #[rstest]
    #[case::as_payment(|_: &mut World, body: &mut Announce| body.purpose = Purpose::Payment, "leg.purpose")]
    #[case::and_more(|world: &mut World, body: &mut Announce| {
        let other = world.state.receivables.iter().next().expect("there is one").id;
        body.discharges.push(Discharge::Receivable(other));
    }, "leg.purpose")]
    #[case::to_another(|world: &mut World, body: &mut Announce| {
        body.payee = id(MAKER);
        body.account = world.account_of(id(MAKER));
    }, "leg.not_owed")]
    #[case::a_fen_less(|_: &mut World, body: &mut Announce| body.amount = wire("595142.49"), "leg.amount")]
    #[case::a_fen_more(|_: &mut World, body: &mut Announce| body.amount = wire("595142.51"), "leg.amount")]
    #[case::price_of_another_day(|_: &mut World, body: &mut Announce| body.value_date = wire("2026-06-05"), "leg.amount")]
    #[case::yesterday(|_: &mut World, body: &mut Announce| body.value_date = wire("2026-06-03"), "leg.disburse_by")]
    #[case::after_the_last_day(|world: &mut World, body: &mut Announce| {
        let Discharge::Financing(financing) = body.discharges[0] else { return };
        body.value_date = world.get_financing(financing).terms.disburse_by.plus_days(1);
    }, "leg.disburse_by")]
    #[case::announced_already(|world: &mut World, body: &mut Announce| {
        let other = Announce { discharges: body.discharges.clone(), purpose: Purpose::Disbursement, ..world.announcing(SUPPLIER, "595142.50", &[]) };
        world.act(LENDER, other);
    }, "financing.leg_live")]
    #[case::cancelled(|world: &mut World, body: &mut Announce| {
        let Discharge::Financing(financing) = body.discharges[0] else { return };
        world.act(SUPPLIER, Cancel { financing });
    }, "financing.not_open")]
    #[case::ended(|world: &mut World, body: &mut Announce| {
        world.on("2026-06-14");
        body.value_date = wire("2026-06-14");
    }, "financing.not_open")]
    fn a_disbursement_is_refused(#[case] spoil: Spoil, #[case] rule: &str) {
        let (mut world, _, mut body) = accepted();
        spoil(&mut world, &mut body);
        body.end_to_end_id = wire("E2E-spoilt");
        assert_eq!(world.refusal(LENDER, body).rule, rule);
    }

    #[rstest]
    #[case::its_requester(SUPPLIER, "leg.not_owed")]
    #[case::another_lender(FACTOR, "unknown_object")]
    #[case::the_debtor(HOSPITAL, "unknown_object")]
    fn only_its_lender_disburses(#[case] by: &str, #[case] rule: &str) {
        let (mut world, _, body) = accepted();
        assert_eq!(world.refusal(by, body).rule, rule);
    }

    #[test]
    fn a_lapsed_leg_does_not_bar_the_next() {
        let (mut world, financing, body) = accepted();
        let mut first = world.clone();
        let leg = LegId::of(&first.act(LENDER, body), 0);
        first.time = first.get::<Leg>(leg).lapses;
        let next = Announce {
            value_date: wire("2026-06-11"),
            ..first.announcing(SUPPLIER, "595650.00", &[Discharge::Financing(financing)])
        };
        first.act(LENDER, next);
        world.on("2026-06-10");
        assert!(world.get_financing(financing).is_live(world.time));
    }
}
