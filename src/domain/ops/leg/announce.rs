//! `leg.announce`: a payer says which transfer it makes, to which account and what it pays with it. Nothing has an
//! effect before the leg is attested.

use serde::{Deserialize, Serialize};

use super::{disburse, tell_all};
use crate::domain::head::Head;
use crate::domain::objects::{
    Account, AccountState, Discharge, Financing, Leg, LegKey, LegState, Obligation, Purpose,
    Receivable, Runs,
};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{
    AccountId, Amount, Currency, Day, Fen, FinancingId, Instant, PartyId, Reference,
};

/// A leg pays at most this many things.
const DISCHARGES_MOST: usize = 64;
/// A leg may be announced this many business days after its value date.
const BUSINESS_DAYS_BACK: u32 = 5;
/// Or this many days before it.
const DAYS_AHEAD: i64 = 30;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
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
        let from = calendar.minus_business_days(today, BUSINESS_DAYS_BACK);
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
