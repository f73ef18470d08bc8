//! Announcing a leg: it has no effect but that a disbursement keeps its financing waiting.

use counterfoil::domain::objects::{Discharge, Purpose};
use counterfoil::domain::ops::leg::announce::Announce;
use counterfoil::domain::values::{Currency, FinancingId, LegId, ObligationId, PartyId, Scope};

use super::super::book::{AccountState, Book, FinancingState, Leg, LegState, Obligation};
use super::super::days::{Sum, end_of};
use super::super::fen::{Act, face};
use super::offer::price;
use super::{Faults, Rule, Verdict, number, seen};

impl Book {
    pub(super) fn leg(&self, by: PartyId, id: LegId) -> Result<&Leg, Vec<Rule>> {
        let audits = self.has_scope(by, Scope::Audit);
        let leg = self.legs.get(&id);
        seen(leg.filter(|leg| audits || [leg.payer, leg.payee, leg.bank].contains(&by)))
    }

    /// Whether every fen of a financing is open, the requester's, and without another's lock.
    pub(super) fn is_whole(&self, id: FinancingId) -> bool {
        let financing = &self.financings[&id];
        let own = Act::Financing(id);
        let stands = |one: &super::super::fen::Address| self.receivables[&one.receivable].stands();
        financing.addresses.iter().all(stands)
            && self
                .fens(&financing.addresses)
                .iter()
                .all(|fen| fen.open_of(financing.requester) && fen.locked_by_none_but(own))
    }

    pub(super) fn leg_announce(&mut self, by: PartyId, body: &Announce, id: LegId) -> Verdict {
        let mut faults = Faults::default();
        faults.unless(self.parties.contains_key(&body.payee), "unknown_object");
        check_list(&mut faults, body);
        for discharge in &body.discharges {
            let owed = self.check_owed(&mut faults, by, body, *discharge);
            faults.take(owed);
        }
        let account = self.check_account(&mut faults, body);
        let amount = self.read_positive(&mut faults, &body.amount, body.currency);
        let known = self
            .legs
            .values()
            .any(|leg| leg.payer == by && leg.end_to_end_id == body.end_to_end_id.as_str());
        faults.unless(!known, "leg.end_to_end_id");
        let (today, value_date) = (self.today(), number(body.value_date));
        let first = self.numbers().calendar.walk(today, -5);
        let in_window = first <= value_date && value_date <= today + 30;
        faults.unless(in_window, "leg.value_date");
        let lapses = end_of(
            self.numbers()
                .calendar
                .walk(value_date, self.numbers().leg_days),
        );
        faults.unless(lapses > self.now, "leg.days");
        if let [Discharge::Financing(financing)] = body.discharges[..] {
            self.check_disbursement(&mut faults, by, body, financing, amount);
        }
        faults.verdict()?;
        if let [Discharge::Financing(financing)] = body.discharges[..] {
            let by_day = number(self.financings[&financing].terms.disburse_by);
            self.wait(financing, lapses.max(end_of(by_day)));
        }
        let (account, bank) = account.unwrap();
        let leg = Leg {
            purpose: body.purpose,
            payer: by,
            payee: body.payee,
            account,
            bank,
            amount,
            currency: body.currency,
            value_date,
            end_to_end_id: body.end_to_end_id.as_str().to_owned(),
            discharges: body.discharges.clone(),
            at: self.now,
            lapses,
            contested: false,
            reference: None,
            state: LegState::Announced,
            booked: 0,
            discharged: Vec::new(),
            made: Vec::new(),
            funded: None,
            late: false,
        };
        self.legs.insert(id, leg);
        Ok(())
    }

    /// Moves the end of a financing that waits, and of its lock.
    pub(super) fn wait(&mut self, id: FinancingId, ends: i64) {
        let financing = self.financings.get_mut(&id).unwrap();
        financing.state = FinancingState::Waits(ends);
        let addresses = financing.addresses.clone();
        self.lock(&addresses, Act::Financing(id), ends);
    }

    /// It is the payer's debt to the payee, and something is open of it.
    fn check_owed(
        &self,
        faults: &mut Faults,
        by: PartyId,
        body: &Announce,
        discharge: Discharge,
    ) -> Verdict {
        let (owes, open, currency): (bool, bool, Currency) = match discharge {
            Discharge::Receivable(id) => {
                let receivable = self.receivable(by, id)?;
                let open = receivable.fens.iter().any(|fen| fen.open_of(body.payee));
                (receivable.debtor == by, open, receivable.currency)
            }
            Discharge::Obligation(id) => {
                let owed = self.obligation(by, id)?;
                let owes = owed.from == by && owed.to == body.payee;
                (owes, owed.outstanding() > 0, owed.currency)
            }
            Discharge::Financing(id) => {
                let financing = self.financing(by, id)?;
                let owes = financing.lender == by && financing.requester == body.payee;
                (owes, true, self.requests[&financing.request].currency)
            }
        };
        faults.unless(owes, "leg.not_owed");
        faults.unless(open, "leg.nothing_owed");
        faults.unless(currency == body.currency, "leg.currency");
        Ok(())
    }

    /// Its two parties and an auditor see an obligation.
    pub(super) fn obligation(
        &self,
        by: PartyId,
        id: ObligationId,
    ) -> Result<&Obligation, Vec<Rule>> {
        let audits = self.has_scope(by, Scope::Audit);
        let found = self.obligations.get(&id);
        seen(found.filter(|one| audits || one.from == by || one.to == by))
    }

    /// A usable account of the payee, and its bank.
    fn check_account(
        &self,
        faults: &mut Faults,
        body: &Announce,
    ) -> Option<(counterfoil::domain::values::AccountId, PartyId)> {
        let account = self.accounts.get(&body.account);
        let fits = account.filter(|one| one.party == body.payee && one.currency == body.currency);
        match fits.map(|one| one.state) {
            Some(AccountState::Attested(usable)) => {
                faults.unless(usable <= self.now, "account.cooling");
            }
            _ => faults.unless(false, "unknown_object"),
        }
        fits.map(|one| (body.account, one.bank))
    }

    fn check_disbursement(
        &self,
        faults: &mut Faults,
        by: PartyId,
        body: &Announce,
        id: FinancingId,
        amount: Sum,
    ) {
        let Ok(financing) = self.financing(by, id) else {
            return;
        };
        let value_date = number(body.value_date);
        let waits = matches!(financing.state, FinancingState::Waits(_));
        faults.unless(waits, "financing.not_open");
        faults.unless(!self.has_live_leg(id), "financing.leg_live");
        let last = number(financing.terms.disburse_by);
        let in_time = self.today() <= value_date && value_date <= last;
        faults.unless(in_time, "leg.disburse_by");
        let sum = face(&financing.addresses);
        match price(sum, &financing.terms, financing.due, value_date) {
            Some(price) => faults.unless(amount == price, "leg.amount"),
            None => faults.unless(false, "offer.price"),
        }
        faults.unless(self.is_whole(id), "financing.changed");
    }
}

/// At least one thing, each once; a disbursement pays one financing and nothing else does.
fn check_list(faults: &mut Faults, body: &Announce) {
    let all = &body.discharges;
    faults.unless(!all.is_empty(), "leg.discharges");
    for (at, one) in all.iter().enumerate() {
        faults.unless(!all[..at].contains(one), "leg.discharges");
    }
    let financings = all
        .iter()
        .filter(|one| matches!(one, Discharge::Financing(_)))
        .count();
    let fits = match body.purpose {
        Purpose::Disbursement => all.len() == 1 && financings == 1,
        Purpose::Payment => financings == 0,
    };
    faults.unless(fits, "leg.purpose");
}
