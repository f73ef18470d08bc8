//! `leg.reverse`: an attested transfer was returned. The whole leg is undone: fens reopen, obligations revive or end.

use serde::{Deserialize, Serialize};

use super::{disburse, owe, tell_all};
use crate::domain::absorb::absorb_again;
use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{
    Attested, FenState, Leg, LegState, Obligation, ObligationKind, Receivable,
};
use crate::domain::operation::{Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Fen, LegId, ObligationId};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reverse {
    /// The leg.
    pub leg: LegId,
}

impl Operation for Reverse {
    const NAME: &'static str = "leg.reverse";
    const SUMMARY: &'static str = "A transfer was returned: what its attestation did is undone";

    /// The payee's bank, or payee and payer together: nobody reverses alone a leg that it pays or is paid by.
    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        let leg = at.named::<Leg>(self.leg)?;
        Ok(if at.by == leg.payer {
            Consents::of(leg.payee)
        } else if at.by == leg.payee {
            Consents::of(leg.payer)
        } else {
            Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let leg = at.named::<Leg>(self.leg)?;
        ensure([leg.payer, leg.payee, leg.bank].contains(&at.by), || {
            Refusal::new(
                "leg.reverser",
                "a leg is reversed by the bank of the account, or by payee and payer together",
            )
            .input("leg", leg.id)
        })?;
        let done = leg.attested()?;

        let mut draft = at.draft();
        reopen(&mut draft, leg, done)?;
        revive(&mut draft, leg, done)?;
        let stands = match done.funded {
            Some(financing) => !disburse::unwind(&mut draft, leg, financing)?,
            None => false,
        };
        for id in &done.made {
            // Where the fens stay sold, so do the fees of the sale.
            let fee = draft.get::<Obligation>(*id).kind == ObligationKind::Fee;
            if !(stands && fee) {
                end(&mut draft, leg, *id)?;
            }
        }
        tell_all(&mut draft, leg);
        draft.edit::<Leg>(leg.id).state = LegState::Reversed {
            attested: done.clone(),
            at: at.time,
        };
        absorb_again(&mut draft);
        Ok(draft.done())
    }
}

/// Its fens reopen with the holder and hops they kept.
fn reopen(draft: &mut Draft<'_>, leg: &Leg, done: &Attested) -> Result<(), Refusal> {
    for (id, _) in &done.settled {
        let receivable = draft.get::<Receivable>(*id);
        let settled: Vec<(u64, u64)> = receivable
            .runs()
            .into_iter()
            .flat_map(|runs| runs.iter())
            .filter(|run| run.state == FenState::Settled(leg.id))
            .map(|run| (run.lo, run.hi))
            .collect();
        draft.change_fens(*id, &settled, |run| run.state = FenState::Open)?;
    }
    Ok(())
}

/// Those it discharged revive.
fn revive(draft: &mut Draft<'_>, leg: &Leg, done: &Attested) -> Result<(), Refusal> {
    for (id, amount) in &done.discharged {
        let owed = draft.edit::<Obligation>(*id);
        owed.discharged = owed
            .discharged
            .checked_sub(*amount)
            .expect("the leg's discharge is part of it");
        let (ended, parties) = (owed.ended.is_some(), (owed.from, owed.to));
        if ended {
            // It ended since, and this payment on it was owed back: the payment is gone, and that must not be
            // paid for nothing.
            owe(draft, leg, ObligationKind::Reversal, parties, *amount)?;
        }
    }
    Ok(())
}

/// Unpaid obligations it created end; what was already paid on them is owed back.
fn end(draft: &mut Draft<'_>, leg: &Leg, id: ObligationId) -> Result<(), Refusal> {
    let time = draft.head.time;
    let made = draft.edit::<Obligation>(id);
    made.ended = made.ended.or(Some(time));
    let (paid, back): (Fen, _) = (made.discharged, (made.to, made.from));
    owe(draft, leg, ObligationKind::Reversal, back, paid)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Bearer, Bidding, Discharge, Fee, FinancingState};
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::{fens_of, terms_of};
    use crate::domain::testing::{
        BANK, FACTOR, HOSPITAL, LENDER, OTHER_BANK, STRANGER, SUPPLIER, TAX, World, fen, id, wire,
    };
    use crate::domain::values::{FinancingId, ReceivableId};

    const LATE: ObligationKind = ObligationKind::LateInterest;
    const REFUND: ObligationKind = ObligationKind::Refund;
    const REVERSAL: ObligationKind = ObligationKind::Reversal;

    /// The hospital paid the supplier on 2026-08-19, twelve days late.
    fn paid(amount: &str) -> (World, ReceivableId, LegId) {
        let (mut world, receivable) = banked();
        world.on("2026-08-19");
        let leg = world.paid(
            HOSPITAL,
            SUPPLIER,
            amount,
            &[Discharge::Receivable(receivable)],
        );
        (world, receivable, leg)
    }

    #[rstest]
    #[case::its_bank(OTHER_BANK, &[], None)]
    #[case::payee_with_payer(SUPPLIER, &[HOSPITAL], None)]
    #[case::payer_with_payee(HOSPITAL, &[SUPPLIER], None)]
    #[case::payee_alone(SUPPLIER, &[], Some("signature.missing"))]
    #[case::payer_alone(HOSPITAL, &[], Some("signature.missing"))]
    #[case::an_authority(TAX, &[], Some("leg.reverser"))]
    #[case::another_bank(BANK, &[], Some("unknown_object"))]
    #[case::a_stranger(STRANGER, &[], Some("unknown_object"))]
    fn the_bank_or_both_reverse(
        #[case] by: &str,
        #[case] also: &[&str],
        #[case] rule: Option<&str>,
    ) {
        let (mut world, receivable, leg) = paid("150000.00");
        let also: Vec<_> = also.iter().map(|party| id(party)).collect();
        match rule {
            Some(rule) => {
                let refusal = world.refusal_with(by, &also, Reverse { leg });
                assert_eq!(refusal.rule, rule);
            }
            None => {
                world.act_with(by, &also, Reverse { leg });
                assert_eq!(world.open_of(receivable, SUPPLIER), fen("150000.00"));
            }
        }
    }

    /// A limit may be outrun by what comes back to it; what no amount can say is refused.
    #[test]
    fn what_would_be_outstanding_beyond_every_amount_is_refused() {
        const MOST: &str = "9999999999999999.99";
        let (mut world, _) = banked();
        world.limited(LENDER, MOST);
        let mut sold = || {
            let receivable = world.confirmed(MOST);
            let all = fens_of(receivable, 0, Fen::MAX.get().unsigned_abs());
            let request = world.requested(all, Bidding::Visible);
            let mut terms = terms_of(world.get_request(request));
            terms.rate = wire("0");
            let offer = world.offered(LENDER, request, terms);
            let pays = [Discharge::Financing(world.accepted(offer))];
            world.paid(LENDER, SUPPLIER, MOST, &pays);
            world.paid(HOSPITAL, LENDER, MOST, &[Discharge::Receivable(receivable)])
        };
        let (first, second) = (sold(), sold());
        world.returned(first);
        assert_eq!(world.get_limit(LENDER, None).utilised, Fen::MAX);
        let refusal = world.refusal(OTHER_BANK, Reverse { leg: second });
        assert_eq!(refusal.rule, "amount.overflow");
    }

    #[test]
    fn only_an_attested_leg_is_reversed_and_once() {
        let (mut world, receivable) = banked();
        let pays = [Discharge::Receivable(receivable)];
        let leg = world.announced(HOSPITAL, SUPPLIER, "1.00", &pays);
        assert_eq!(
            world.refusal(OTHER_BANK, Reverse { leg }).rule,
            "leg.not_attested"
        );
        world.attested(leg);
        world.returned(leg);
        assert_eq!(
            world.refusal(OTHER_BANK, Reverse { leg }).rule,
            "leg.not_attested"
        );
    }

    #[test]
    fn a_returned_payment_can_be_repeated() {
        let (mut world, receivable, leg) = paid("100000.00");
        assert_eq!(
            world.owing(),
            vec![(LATE, HOSPITAL, SUPPLIER, fen("600.00"))]
        );
        world.returned(leg);
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("150000.00"));
        assert_eq!(
            world.owing(),
            vec![],
            "the interest it caused ended with it"
        );
        world.on("2026-08-20");
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "150975.00", &pays);
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("0.00"));
        assert_eq!(world.owing(), vec![]);
    }

    #[test]
    fn fens_reopen_with_the_holder_and_hops_they_kept() {
        let (mut world, receivable) = banked();
        world.passed_on(fens_of(receivable, 0, 1_000));
        let before = world.receivable(receivable).clone();
        let pays = [Discharge::Receivable(receivable)];
        let leg = world.paid(HOSPITAL, crate::domain::testing::MAKER, "10.00", &pays);
        assert_ne!(*world.receivable(receivable), before);
        world.returned(leg);
        assert_eq!(*world.receivable(receivable), before);
    }

    #[test]
    fn an_unpaid_obligation_it_made_ends() {
        let (mut world, _, leg) = paid("151000.00");
        assert_eq!(
            world.owing(),
            vec![(REFUND, SUPPLIER, HOSPITAL, fen("100.00"))]
        );
        world.returned(leg);
        assert_eq!(world.owing(), vec![]);
    }

    #[test]
    fn what_was_paid_on_an_obligation_it_made_is_owed_back() {
        let (mut world, _, leg) = paid("151000.00");
        let refund = [Discharge::Obligation(world.owed(REFUND))];
        world.paid(SUPPLIER, HOSPITAL, "60.00", &refund);
        world.returned(leg);
        let owed = (REVERSAL, HOSPITAL, SUPPLIER, fen("60.00"));
        assert_eq!(world.owing(), vec![owed]);
        let reversal = [Discharge::Obligation(world.owed(REVERSAL))];
        world.paid(HOSPITAL, SUPPLIER, "60.00", &reversal);
        assert_eq!(world.owing(), vec![]);
    }

    #[test]
    fn an_obligation_it_discharged_revives() {
        let (mut world, _, _) = paid("150000.00");
        let interest = [Discharge::Obligation(world.owed(LATE))];
        let leg = world.paid(HOSPITAL, SUPPLIER, "900.00", &interest);
        assert_eq!(world.owing(), vec![]);
        world.returned(leg);
        assert_eq!(
            world.owing(),
            vec![(LATE, HOSPITAL, SUPPLIER, fen("900.00"))]
        );
    }

    /// Both legs are returned: nobody has paid anybody anything, so what is owed each way is the same.
    #[test]
    fn a_returned_payment_on_an_obligation_that_ended_leaves_nobody_richer() {
        let (mut world, _, first) = paid("150000.00");
        let interest = [Discharge::Obligation(world.owed(LATE))];
        let second = world.paid(HOSPITAL, SUPPLIER, "900.00", &interest);
        world.returned(first);
        assert_eq!(
            world.owing(),
            vec![(REVERSAL, SUPPLIER, HOSPITAL, fen("900.00"))]
        );
        world.returned(second);
        assert_eq!(
            world.owing(),
            vec![
                (REVERSAL, SUPPLIER, HOSPITAL, fen("900.00")),
                (REVERSAL, HOSPITAL, SUPPLIER, fen("900.00")),
            ]
        );
    }

    #[test]
    fn fens_that_reopen_absorb_what_was_credited_since() {
        let (mut world, receivable, leg) = paid("150000.00");
        let invoice = world.receivable(receivable).shares[0].invoice;
        let credit = crate::domain::ops::invoice::credit::Credit {
            invoice,
            number: wire("CN-1"),
            amount: wire("50000.00"),
            document: crate::domain::testing::digest("CN-1"),
        };
        world.act(SUPPLIER, credit);
        world.returned(leg);
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("100000.00"));
    }

    /// The lender paid 119,000.00 for 120,000.00, and 72.00 of fee go to the factor.
    fn funded() -> (World, ReceivableId, FinancingId, LegId) {
        let (mut world, receivable) = banked();
        world.limited(LENDER, "1000000.00");
        let request = world.requested(fens_of(receivable, 0, 12_000_000), Bidding::Visible);
        let mut terms = terms_of(world.get_request(request));
        terms.fees = vec![Fee {
            payee: id(FACTOR),
            bearer: Bearer::Requester,
            amount: wire("72.00"),
        }];
        let offer = world.offered(LENDER, request, terms);
        let financing = world.accepted(offer);
        let pays = [Discharge::Financing(financing)];
        let leg = world.paid(LENDER, SUPPLIER, "119000.00", &pays);
        assert_eq!(world.available(LENDER), fen("880000.00"));
        (world, receivable, financing, leg)
    }

    #[test]
    fn a_returned_disbursement_returns_the_fens_without_the_hop() {
        let (mut world, receivable, financing, leg) = funded();
        world.returned(leg);
        let runs = world.runs(receivable);
        assert_eq!(runs.len(), 1, "as it was before the request");
        assert_eq!((runs[0].holder, runs[0].hops.len()), (id(SUPPLIER), 0));
        let state = &world.get_financing(financing).state;
        assert_eq!(*state, FinancingState::Reversed(world.time));
        assert_eq!(world.available(LENDER), fen("1000000.00"));
        assert_eq!(world.owing(), vec![], "the fee ended with it");
    }

    #[test]
    fn a_fee_that_was_paid_is_owed_back_with_the_fens() {
        let (mut world, _, _, leg) = funded();
        let fee = [Discharge::Obligation(world.owed(ObligationKind::Fee))];
        world.paid(LENDER, FACTOR, "72.00", &fee);
        world.returned(leg);
        assert_eq!(
            world.owing(),
            vec![(REVERSAL, FACTOR, LENDER, fen("72.00"))]
        );
    }

    /// The lender has its money again, and the fens' too: it owes the price of what it keeps.
    #[test]
    fn where_the_fens_cannot_go_back_the_price_is_owed_again() {
        let (mut world, receivable, financing, leg) = funded();
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, LENDER, "0.01", &pays);
        world.returned(leg);
        assert_eq!(world.open_of(receivable, LENDER), fen("119999.99"));
        let state = &world.get_financing(financing).state;
        assert_eq!(*state, FinancingState::Reversed(world.time));
        assert_eq!(
            world.owing(),
            vec![
                (ObligationKind::Fee, LENDER, FACTOR, fen("72.00")),
                (REVERSAL, LENDER, SUPPLIER, fen("119000.00")),
            ]
        );
        assert_eq!(world.available(LENDER), fen("880000.01"));
    }

    #[test]
    fn a_disbursement_that_moved_nothing_leaves_nothing_owed() {
        let (mut world, receivable) = banked();
        let financing = world.financing(fens_of(receivable, 0, 12_000_000));
        let pays = [Discharge::Financing(financing)];
        let leg = world.announced(LENDER, SUPPLIER, "119072.00", &pays);
        let short = crate::domain::ops::leg::attest::Attest {
            booked: wire("1.00"),
            ..world.attesting(leg)
        };
        world.act(OTHER_BANK, short);
        world.returned(leg);
        assert_eq!(world.owing(), vec![]);
        assert!(world.get_financing(financing).is_live(world.time));
        world.paid(LENDER, SUPPLIER, "119072.00", &pays);
        assert_eq!(world.open_of(receivable, LENDER), fen("120000.00"));
    }
}
