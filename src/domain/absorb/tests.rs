//! Who bears a credit note, in numbers: invoices of 100.00, of which the supplier credits a part.

use super::*;
use crate::domain::objects::{Bidding, Discharge, FinancingState, Leg, RequestState};
use crate::domain::ops::financing::cancel::Cancel;
use crate::domain::ops::invoice::credit::Credit;
use crate::domain::ops::receivable::confirm::Confirm;
use crate::domain::ops::receivable::dispute::{Dispute, Disputing};
use crate::domain::ops::receivable::withdraw::Withdraw;
use crate::domain::price;
use crate::domain::testing::money::banked;
use crate::domain::testing::trade::fens_of;
use crate::domain::testing::{
    HOSPITAL, LENDER, MAKER, SUPPLIER, World, digest, fen, id, item, wire,
};
use crate::domain::values::{Amount, FinancingId, LegId};

/// A world with usable accounts, a contract and an invoice of 100.00 under it.
struct Given {
    world: World,
    contract: ContractId,
    invoice: InvoiceId,
}

fn given() -> Given {
    let (mut world, _) = banked();
    let contract = world.contract();
    let invoice = world.invoice(contract, "INV-1", "100.00", "0.00");
    Given {
        world,
        contract,
        invoice,
    }
}

impl Given {
    /// A receivable with a share of the invoice, newer than those before.
    fn registered(&mut self, amount: &str) -> ReceivableId {
        self.world.later_by_hours(1);
        let shares = [(self.invoice, amount)];
        self.world.registered(self.contract, &shares)
    }

    fn confirmed(&mut self, amount: &str) -> ReceivableId {
        let receivable = self.registered(amount);
        let body = self.world.confirmation(receivable);
        self.world.act(HOSPITAL, body);
        receivable
    }

    /// Confirmed, and passed on to the component maker as a whole.
    fn passed_on(&mut self, amount: &str) -> ReceivableId {
        let receivable = self.confirmed(amount);
        let all = fens_of(receivable, 0, fen(amount).get().unsigned_abs());
        self.world.passed_on(all);
        receivable
    }

    fn disputes(&mut self, receivable: ReceivableId, amount: &str) {
        let body = Dispute {
            receivable,
            disputes: vec![Disputing {
                invoice: self.invoice,
                amount: wire(amount),
                code: wire("quality"),
                text: None,
            }],
        };
        self.world.act(HOSPITAL, body);
    }

    fn credits(&mut self, amount: &str) {
        self.world.later_by_hours(1);
        let number = format!("CN-{}", self.world.time);
        let body = Credit {
            invoice: self.invoice,
            number: wire(&number),
            amount: wire(amount),
            document: digest(&number),
        };
        self.world.act(SUPPLIER, body);
    }

    /// The lender has announced what it pays for the supplier's first `hi` fens.
    fn disbursing(&mut self, receivable: ReceivableId, hi: u64) -> (FinancingId, LegId) {
        let financing = self.world.financing(fens_of(receivable, 0, hi));
        let agreed = self.world.get_financing(financing);
        let today = self.world.today();
        let price = price::amount(agreed.face, &agreed.terms, agreed.due, today).unwrap();
        let price = Amount::of(price.amount.result, 2).to_string();
        let pays = [Discharge::Financing(financing)];
        let leg = self.world.announced(LENDER, SUPPLIER, &price, &pays);
        (financing, leg)
    }

    fn share(&self, receivable: ReceivableId) -> &Share {
        let receivable = self.world.receivable(receivable);
        receivable.share(self.invoice).unwrap()
    }

    /// What is consumed of the invoice, and what is diluted.
    fn used(&self) -> (Fen, Fen) {
        let invoice = self.world.get_invoice(self.invoice);
        (invoice.consumed, invoice.diluted)
    }

    /// The intervals of a receivable's fens that are still open.
    fn open(&self, receivable: ReceivableId) -> Vec<(u64, u64)> {
        let runs = self.world.runs(receivable).into_iter();
        let open = runs.filter(|run| run.state == FenState::Open);
        open.map(|run| (run.lo, run.hi)).collect()
    }
}

#[test]
fn a_what_is_unconsumed_takes_a_credit_first() {
    let mut given = given();
    let receivable = given.confirmed("60.00");
    given.credits("40.00");
    assert_eq!(given.used(), (fen("60.00"), fen("0.00")));
    assert_eq!(given.open(receivable), [(0, 6_000)]);
    assert_eq!(
        given.world.get_invoice(given.invoice).unconsumed(),
        fen("0.00")
    );
}

#[test]
fn b_disputed_shares_are_released_before_registered_ones_and_the_newest_receivable_first() {
    let mut given = given();
    let older = given.registered("60.00");
    let newer = given.registered("40.00");
    given.disputes(older, "10.00");
    given.credits("30.00");
    let shares = [older, newer].map(|receivable| {
        let share = given.share(receivable);
        (share.registered, share.disputed)
    });
    assert_eq!(
        shares,
        [(fen("50.00"), fen("0.00")), (fen("20.00"), fen("0.00"))]
    );
    assert_eq!(given.world.receivable(older).disputes, vec![]);
    assert_eq!(given.used(), (fen("70.00"), fen("0.00")));
    assert_eq!(
        given.world.get_contract(given.contract).registered,
        fen("70.00")
    );
}

#[test]
fn b_a_live_dispute_of_a_confirmed_receivable_is_released_before_its_fens() {
    let mut given = given();
    let receivable = given.registered("100.00");
    given.disputes(receivable, "40.00");
    let body = given.world.confirmation(receivable);
    given.world.act(HOSPITAL, body);
    given.credits("30.00");
    assert_eq!(given.share(receivable).disputed, fen("10.00"));
    assert_eq!(given.open(receivable), [(0, 6_000)]);
    given.credits("15.00");
    assert_eq!(given.share(receivable).disputed, fen("0.00"));
    assert_eq!(given.open(receivable), [(0, 5_500)]);
}

#[test]
fn c_unlocked_fens_before_locked_ones_newest_receivable_and_highest_address_first() {
    let mut given = given();
    let older = given.confirmed("60.00");
    let newer = given.confirmed("40.00");
    let locked = fens_of(newer, 2_000, 4_000);
    let request = given.world.requested(locked, Bidding::Visible);
    given.credits("50.00");
    assert_eq!(given.open(newer), [(2_000, 4_000)]);
    assert_eq!(given.open(older), [(0, 3_000)]);
    assert_eq!(given.used(), (fen("50.00"), fen("0.00")));
    assert_eq!(
        given.world.get_request(request).state,
        RequestState::Open,
        "nothing of it was taken"
    );
    given.credits("35.00");
    assert_eq!(given.open(older), []);
    assert_eq!(given.open(newer), [(2_000, 3_500)]);
    assert_eq!(given.share(newer).cancelled, fen("25.00"));
    let time = given.world.time;
    assert_eq!(
        given.world.get_request(request).state,
        RequestState::Changed(time)
    );
    assert!(given.world.runs(newer).iter().all(|run| run.lock.is_none()));
    assert_eq!(given.used(), (fen("15.00"), fen("0.00")));
    assert_eq!(
        given.world.get_contract(given.contract).registered,
        fen("15.00")
    );
}

#[test]
fn c_a_lock_that_ended_by_comparison_is_no_lock() {
    let mut given = given();
    let receivable = given.confirmed("100.00");
    let request = fens_of(receivable, 8_000, 10_000);
    let request = given.world.requested(request, Bidding::Visible);
    given.world.later_by_hours(4 * 24);
    given.credits("10.00");
    assert_eq!(given.open(receivable), [(0, 9_000)]);
    assert_eq!(given.world.get_request(request).state, RequestState::Open);
}

#[test]
fn c_per_receivable_at_most_the_invoices_share() {
    let mut given = given();
    let other = given
        .world
        .invoice(given.contract, "INV-2", "70.00", "0.00");
    given.world.later_by_hours(1);
    let shares = [(given.invoice, "30.00"), (other, "70.00")];
    let mixed = given.world.registered(given.contract, &shares);
    let body = given.world.confirmation(mixed);
    given.world.act(HOSPITAL, body);
    let gone = given.passed_on("70.00");
    given.credits("50.00");
    assert_eq!(given.open(mixed), [(0, 7_000)]);
    assert_eq!(given.share(mixed).cancelled, fen("30.00"));
    assert_eq!(given.share(gone).diluted, fen("20.00"));
    assert_eq!(given.used(), (fen("70.00"), fen("20.00")));
    assert_eq!(given.world.get_invoice(other).consumed, fen("70.00"));
}

#[test]
fn c_fens_below_an_announced_disbursement_are_absorbed_once_it_has_lapsed() {
    let mut given = given();
    let receivable = given.confirmed("100.00");
    let (financing, leg) = given.disbursing(receivable, 10_000);
    given.credits("30.00");
    assert_eq!(given.open(receivable), [(0, 10_000)]);
    assert_eq!(given.used(), (fen("100.00"), fen("30.00")));

    given.world.time = given.world.get::<Leg>(leg).lapses;
    given.world.act(LENDER, Cancel { financing });
    let cancelled = FinancingState::Cancelled(given.world.time);
    assert_eq!(given.world.get_financing(financing).state, cancelled);
    assert_eq!(given.open(receivable), [(0, 7_000)]);
    assert_eq!(given.used(), (fen("70.00"), fen("0.00")));
}

#[test]
fn a_payment_too_late_to_settle_anything_changes_no_receivable_and_absorbs_nothing() {
    let mut given = given();
    let receivable = given.confirmed("100.00");
    let pays = [Discharge::Receivable(receivable)];
    let payment = given.world.announced(HOSPITAL, SUPPLIER, "100.00", &pays);
    let (_, leg) = given.disbursing(receivable, 10_000);
    given.credits("30.00");
    given.world.time = given.world.get::<Leg>(leg).lapses;
    given.world.attested(payment);
    assert_eq!(given.open(receivable), [(0, 10_000)]);
    assert_eq!(given.used(), (fen("100.00"), fen("30.00")));
}

#[test]
fn d_the_rest_is_dilution_of_the_newest_receivable_first_and_bars_new_dispositions() {
    let mut given = given();
    let older = given.passed_on("60.00");
    let newer = given.passed_on("40.00");
    given.credits("50.00");
    assert_eq!(given.share(newer).diluted, fen("40.00"));
    assert_eq!(given.share(older).diluted, fen("10.00"));
    assert_eq!(given.used(), (fen("100.00"), fen("50.00")));
    assert_eq!(
        given.world.receivable(newer).undiluted().unwrap_err().rule,
        "receivable.diluted"
    );
}

#[test]
fn d_dilution_ends_with_the_receivables_last_open_fen_and_is_absorbed_no_more() {
    let mut given = given();
    let older = given.passed_on("60.00");
    let newer = given.passed_on("40.00");
    given.credits("50.00");
    let pays = [Discharge::Receivable(newer)];
    given.world.paid(HOSPITAL, MAKER, "40.00", &pays);
    assert!(given.world.receivable(newer).undiluted().is_ok());
    given.credits("5.00");
    assert_eq!(given.share(newer).diluted, fen("40.00"));
    assert_eq!(given.share(older).diluted, fen("15.00"));
    assert_eq!(given.used(), (fen("100.00"), fen("55.00")));
}

#[test]
fn what_was_paid_bears_no_credit_until_the_bank_returns_the_money() {
    let mut given = given();
    let receivable = given.confirmed("100.00");
    let pays = [Discharge::Receivable(receivable)];
    let leg = given.world.paid(HOSPITAL, SUPPLIER, "100.00", &pays);
    given.credits("30.00");
    assert_eq!(given.share(receivable).diluted, fen("0.00"));
    assert_eq!(given.used(), (fen("100.00"), fen("30.00")));
    given.world.returned(leg);
    assert_eq!(given.open(receivable), [(0, 7_000)]);
    assert_eq!(given.used(), (fen("70.00"), fen("0.00")));
}

#[test]
fn what_a_withdrawal_frees_absorbs_open_dilution() {
    let mut given = given();
    let receivable = given.confirmed("40.00");
    let (_, leg) = given.disbursing(receivable, 4_000);
    let gone = given.passed_on("60.00");
    given.credits("50.00");
    assert_eq!(given.share(gone).diluted, fen("50.00"));
    given.world.time = given.world.get::<Leg>(leg).lapses.plus_days(30);
    given
        .world
        .act_with(SUPPLIER, &[id(HOSPITAL)], Withdraw { receivable });
    assert_eq!(given.share(gone).diluted, fen("10.00"));
    assert_eq!(given.used(), (fen("60.00"), fen("10.00")));
}

#[test]
fn a_confirmation_in_part_frees_the_rest_for_what_is_registered_next() {
    let mut given = given();
    let receivable = given.registered("100.00");
    let body = Confirm {
        shares: vec![item(given.invoice, "60.00")],
        ..given.world.confirmation(receivable)
    };
    given.world.act(HOSPITAL, body);
    given.credits("40.00");
    assert_eq!(given.open(receivable), [(0, 6_000)]);
    given.credits("60.00");
    assert_eq!(given.open(receivable), []);
    assert_eq!(given.used(), (fen("0.00"), fen("0.00")));
}
