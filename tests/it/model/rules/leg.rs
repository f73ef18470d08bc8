//! What an attested leg does, and what is undone when it is reversed.

use counterfoil::domain::objects::{Discharge, ObligationKind, Purpose};
use counterfoil::domain::ops::leg::attest::Attest;
use counterfoil::domain::values::{
    FinancingId, LegId, MadeId, ObligationId, PartyId, ReceivableId, Role,
};

use super::super::book::{Book, FinancingState, Leg, LegState, Obligation};
use super::super::days::{Day, Sum, day_of, end_of, late_interest};
use super::super::fen::{Act, Address, FenState, Hop, face};
use super::offer::price;
use super::{Faults, Verdict, number};

impl Book {
    pub(super) fn leg_contest(&mut self, by: PartyId, id: LegId) -> Verdict {
        let leg = self.leg(by, id)?;
        let mut faults = Faults::default();
        faults.unless(by == leg.payee, "leg.not_payee");
        let waits = matches!(leg.state, LegState::Announced | LegState::Lapsed);
        faults.unless(waits, "leg.not_announced");
        faults.unless(leg.state != LegState::Lapsed, "leg.lapsed");
        faults.unless(!leg.contested, "leg.contested");
        faults.verdict()?;
        self.legs.get_mut(&id).unwrap().contested = true;
        Ok(())
    }

    pub(super) fn leg_attest(&mut self, by: PartyId, body: &Attest) -> Verdict {
        let leg = self.leg(by, body.leg)?.clone();
        let value_date = number(body.value_date);
        let mut faults = Faults::default();
        let booked = self.read_positive(&mut faults, &body.booked, leg.currency);
        self.check_attester(&mut faults, by, &leg, (booked, value_date));
        let waits = matches!(leg.state, LegState::Announced | LegState::Lapsed);
        faults.unless(waits, "leg.not_announced");
        faults.unless(value_date <= self.today(), "leg.not_booked");
        // As far back as a leg may be announced.
        let first = self.numbers().calendar.walk(day_of(leg.at), -5);
        faults.unless(first <= value_date, "leg.value_date");
        let reference = (by, body.reference.as_str().to_owned());
        let known = self
            .legs
            .values()
            .any(|leg| leg.reference.as_ref() == Some(&reference));
        faults.unless(!known, "leg.reference");
        faults.verdict()?;

        let record = self.legs.get_mut(&body.leg).unwrap();
        record.late = leg.state == LegState::Lapsed;
        record.state = LegState::Attested;
        record.booked = booked;
        record.reference = Some(reference);
        match leg.purpose {
            Purpose::Payment => self.pay(body.leg, value_date),
            Purpose::Disbursement => self.disburse(body.leg, value_date),
        }
        self.absorb_again();
        Ok(())
    }

    /// Nobody attests a leg that it pays; a payee only what was announced and it does not contest; else its bank,
    /// or an authority where that bank is payer or payee.
    fn check_attester(&self, faults: &mut Faults, by: PartyId, leg: &Leg, booking: (Sum, Day)) {
        faults.unless(by != leg.payer, "leg.own");
        if by == leg.payee {
            faults.unless(!leg.contested, "leg.contested");
            faults.unless(booking == (leg.amount, leg.value_date), "leg.payee_amount");
            return;
        }
        let interested = leg.bank == leg.payer || leg.bank == leg.payee;
        let may = if interested {
            self.is(by, Role::Authority)
        } else {
            by == leg.bank
        };
        faults.unless(may, "leg.attester");
    }

    /// Settles fens, then the late interest just caused, then the obligations named; the rest is owed back.
    fn pay(&mut self, id: LegId, value_date: Day) {
        let leg = self.legs[&id].clone();
        let mut left = leg.booked;
        let mut owed = Vec::new();
        for discharge in &leg.discharges {
            if let Discharge::Receivable(receivable) = discharge {
                let dues = self.settle(id, *receivable, left);
                left -= dues.len() as Sum;
                let interest = self.interest(*receivable, &dues, value_date);
                let kind = ObligationKind::LateInterest;
                owed.extend(self.owe(id, kind, leg.payer, leg.payee, interest));
            }
        }
        self.legs.get_mut(&id).unwrap().made.extend(owed.clone());
        for discharge in &leg.discharges {
            if let Discharge::Obligation(obligation) = discharge {
                owed.push(*obligation);
            }
        }
        for obligation in owed {
            let record = self.obligations.get_mut(&obligation).unwrap();
            let paid = record.outstanding().min(left);
            record.discharged += paid;
            left -= paid;
            if paid > 0 {
                self.legs
                    .get_mut(&id)
                    .unwrap()
                    .discharged
                    .push((obligation, paid));
            }
        }
        self.refund(id, left);
    }

    /// Each fen is late from its due day and the days of grace at registration on; one rounding over all.
    fn interest(&self, id: ReceivableId, dues: &[Day], value_date: Day) -> Sum {
        let terms = &self.receivables[&id].terms;
        let contract = &self.contracts[&self.receivables[&id].contract];
        let default = self.numbers_on(contract.concluded).late_rate;
        let rate = terms.late_rate.unwrap_or(default);
        let late = dues
            .iter()
            .map(|due| (value_date - due - terms.grace_days).max(0));
        late_interest(late, rate)
    }

    fn refund(&mut self, id: LegId, amount: Sum) {
        let (payer, payee) = (self.legs[&id].payer, self.legs[&id].payee);
        let made = self.owe(id, ObligationKind::Refund, payee, payer, amount);
        self.legs.get_mut(&id).unwrap().made.extend(made);
    }

    fn owe(
        &mut self,
        leg: LegId,
        kind: ObligationKind,
        from: PartyId,
        to: PartyId,
        amount: Sum,
    ) -> Option<ObligationId> {
        if amount == 0 {
            return None;
        }
        let id = ObligationId::of(&self.op, self.obligations_made);
        self.obligations_made += 1;
        let obligation = Obligation {
            from,
            to,
            kind,
            currency: self.legs[&leg].currency,
            amount,
            discharged: 0,
            due: self.today(),
            leg,
            waived: 0,
            ended: false,
        };
        self.obligations.insert(id, obligation);
        Some(id)
    }

    /// A disbursement takes effect only whole.
    fn disburse(&mut self, id: LegId, value_date: Day) {
        let leg = self.legs[&id].clone();
        let [Discharge::Financing(financing)] = leg.discharges[..] else {
            unreachable!()
        };
        let record = self.financings[&financing].clone();
        let last = number(record.terms.disburse_by);
        let open = matches!(
            record.state,
            FinancingState::Waits(_) | FinancingState::Expired
        );
        let whole = open && self.is_whole(financing);
        if !(whole && value_date <= last && leg.booked >= leg.amount) {
            self.refund(id, leg.booked);
            self.wait_again(id, financing);
            return;
        }
        let price = price(
            face(&record.addresses),
            &record.terms,
            record.due,
            value_date,
        )
        .unwrap();
        let hop = Hop {
            by: Act::Financing(financing),
            from: record.requester,
            to: record.lender,
            recourse: record.terms.recourse,
        };
        self.change_fens(&record.addresses, |fen| {
            fen.holder = hop.to;
            fen.hops.push(hop.clone());
            fen.lock = None;
        });
        let funded = FinancingState::Funded { leg: id, price };
        self.financings.get_mut(&financing).unwrap().state = funded;
        self.legs.get_mut(&id).unwrap().funded = Some(financing);
        let rebate = (price - leg.booked).max(0);
        let kind = ObligationKind::Rebate;
        let made = self.owe(id, kind, record.lender, record.requester, rebate);
        self.legs.get_mut(&id).unwrap().made.extend(made);
        self.refund(id, (leg.booked - price).max(0));
        for fee in record
            .terms
            .fees
            .iter()
            .filter(|fee| fee.payee != record.lender)
        {
            let amount = fee.amount.units();
            let made = self.owe(id, ObligationKind::Fee, record.lender, fee.payee, amount);
            self.legs.get_mut(&id).unwrap().made.extend(made);
        }
    }

    /// Nothing moved: the lender may announce again until `disburse_by`, if the fens are still there.
    fn wait_again(&mut self, id: LegId, financing: FinancingId) {
        let record = self.financings[&financing].clone();
        let at = self.legs[&id].at;
        let pays = Discharge::Financing(financing);
        let newer = self
            .legs
            .iter()
            .any(|(other, leg)| *other != id && leg.discharges.contains(&pays) && leg.at >= at);
        if newer || !matches!(record.state, FinancingState::Waits(_)) {
            return;
        }
        let ends = end_of(number(record.terms.disburse_by));
        let state = if !self.is_whole(financing) {
            FinancingState::Changed
        } else if ends <= self.now {
            FinancingState::Expired
        } else {
            self.wait(financing, ends);
            return;
        };
        self.unlock(&record.addresses, Act::Financing(financing));
        self.financings.get_mut(&financing).unwrap().state = state;
    }

    pub(super) fn leg_reverse(&mut self, by: PartyId, id: LegId) -> Verdict {
        let leg = self.leg(by, id)?.clone();
        let mut faults = Faults::default();
        let concerned = [leg.payer, leg.payee, leg.bank].contains(&by);
        faults.unless(concerned, "leg.reverser");
        faults.unless(leg.state == LegState::Attested, "leg.not_attested");
        faults.verdict()?;
        self.legs.get_mut(&id).unwrap().state = LegState::Reversed;
        self.reopen(id);
        for (obligation, paid) in &leg.discharged {
            let record = self.obligations.get_mut(obligation).unwrap();
            record.discharged -= paid;
            if record.ended {
                // It was owed back when that obligation ended.
                let (from, to) = (record.from, record.to);
                self.owe(id, ObligationKind::Reversal, from, to, *paid);
            }
        }
        let stands = leg
            .funded
            .is_some_and(|financing| !self.unwind(id, financing));
        for made in &leg.made {
            let record = self.obligations.get_mut(made).unwrap();
            if stands && record.kind == ObligationKind::Fee {
                continue;
            }
            record.ended = true;
            let (from, to, paid) = (record.to, record.from, record.discharged);
            self.owe(id, ObligationKind::Reversal, from, to, paid);
        }
        self.absorb_again();
        Ok(())
    }

    pub(super) fn obligation_waive(&mut self, by: PartyId, id: ObligationId) -> Verdict {
        let owed = self.obligation(by, id)?;
        let mut faults = Faults::default();
        faults.unless(owed.to == by, "obligation.not_creditor");
        faults.unless(owed.outstanding() > 0, "obligation.nothing_owed");
        faults.verdict()?;
        let record = self.obligations.get_mut(&id).unwrap();
        record.waived = record.amount - record.discharged;
        Ok(())
    }

    /// Its fens reopen with the holder and hops they kept.
    fn reopen(&mut self, id: LegId) {
        let settled = FenState::Settled(id);
        for (receivable, record) in self.receivables.clone() {
            for (lo, fen) in record.fens.iter().enumerate() {
                if fen.state == settled {
                    let address = Address {
                        receivable,
                        lo,
                        hi: lo + 1,
                    };
                    self.change_fens(&[address], |fen| fen.state = FenState::Open);
                }
            }
        }
    }

    /// The fens go back where the lender still holds them open, free and due as it bought them; else the price is owed. Returns whether
    /// they went back.
    fn unwind(&mut self, leg: LegId, id: FinancingId) -> bool {
        let financing = self.financings[&id].clone();
        let held = self.fens(&financing.addresses).iter().all(|fen| {
            let own = fen.bought_by() == Some(id) && fen.holder == financing.lender;
            let due = fen.due == financing.due;
            own && due && fen.state == FenState::Open && fen.lock.is_none()
        });
        if held {
            self.change_fens(&financing.addresses, |fen| {
                fen.hops.pop();
                fen.holder = financing.requester;
            });
        } else if let FinancingState::Funded { price, .. } = financing.state {
            let kind = ObligationKind::Reversal;
            self.owe(leg, kind, financing.lender, financing.requester, price);
        }
        self.financings.get_mut(&id).unwrap().state = FinancingState::Reversed;
        held
    }
}
