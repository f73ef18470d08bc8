//! The world of the tests that move money: accounts that are usable, and legs.

use super::{
    FACTOR, HOSPITAL, LENDER, MAKER, OTHER_BANK, SUPPLIER, World, fen, id, name_of,
    shipped_rulebook, wire,
};
use crate::domain::fens::fens;
use crate::domain::objects::{Discharge, Leg, Obligation, ObligationKind, Purpose};
use crate::domain::ops::account::{add, attest as account_attest};
use crate::domain::ops::leg::{announce, attest, reverse};
use crate::domain::payoff::usable_account;
use crate::domain::rulebook::Rulebook;
use crate::domain::state::Stored;
use crate::domain::values::{
    AccountId, Amount, Currency, Fen, LegId, MadeId, ObligationId, PartyId, ReceivableId,
};

/// The body that adds a default account at a bank.
pub(crate) fn account(bank: &str) -> add::Add {
    add::Add {
        bank: id(bank),
        number: wire("6222020200112233445"),
        currency: Currency::CNY,
        default: true,
    }
}

/// A world, and in it a receivable of 150,000.00, due on 2026-08-07. Everybody has an account at the other bank,
/// usable now: Thursday, 2026-06-04, 10:00 in China.
pub(crate) fn banked() -> (World, ReceivableId) {
    banked_under(shipped_rulebook())
}

/// The same under another rulebook.
pub(crate) fn banked_under(rulebook: Rulebook) -> (World, ReceivableId) {
    let mut world = World::under(rulebook).with_parties();
    let receivable = world.confirmed("150000.00");
    for party in [SUPPLIER, MAKER, HOSPITAL, LENDER, FACTOR] {
        world.account_at(party, OTHER_BANK);
    }
    world.later_by_hours(3 * 24);
    (world, receivable)
}

impl World {
    /// The object.
    pub(crate) fn get<T: Stored>(&self, id: T::Id) -> &T {
        T::table(&self.state).get(id).expect("the test made it")
    }

    /// A default account that its bank attests now.
    pub(crate) fn account_at(&mut self, party: &str, bank: &str) -> AccountId {
        let op = self.act(party, account(bank));
        let account = AccountId::of(&op, 0);
        self.act(bank, account_attest::Attest { account });
        account
    }

    /// The account a party is paid to now.
    pub(crate) fn account_of(&self, party: PartyId) -> AccountId {
        let found = usable_account(&self.state, party, Currency::CNY, self.time);
        found.expect("it has a usable account").id
    }

    /// The body of a leg of today; its purpose follows from what it pays.
    pub(crate) fn announcing(
        &self,
        payee: &str,
        amount: &str,
        discharges: &[Discharge],
    ) -> announce::Announce {
        let financing = matches!(discharges, [Discharge::Financing(_)]);
        announce::Announce {
            purpose: if financing {
                Purpose::Disbursement
            } else {
                Purpose::Payment
            },
            payee: id(payee),
            account: self.account_of(id(payee)),
            amount: wire(amount),
            value_date: self.today(),
            end_to_end_id: wire(&format!("E2E-{}", self.nonce)),
            currency: Currency::CNY,
            discharges: discharges.to_vec(),
        }
    }

    /// Such a leg, announced.
    pub(crate) fn announced(
        &mut self,
        payer: &str,
        payee: &str,
        amount: &str,
        discharges: &[Discharge],
    ) -> LegId {
        let body = self.announcing(payee, amount, discharges);
        LegId::of(&self.act(payer, body), 0)
    }

    /// The body that attests a leg as it was announced.
    pub(crate) fn attesting(&self, leg: LegId) -> attest::Attest {
        let announced = self.get::<Leg>(leg);
        attest::Attest {
            leg,
            booked: Amount::of(announced.amount, 2),
            value_date: announced.value_date,
            reference: wire(&format!("BK-{}", self.nonce)),
            evidence: None,
        }
    }

    /// A leg that was announced and is attested by the bank.
    pub(crate) fn paid(
        &mut self,
        payer: &str,
        payee: &str,
        amount: &str,
        discharges: &[Discharge],
    ) -> LegId {
        let leg = self.announced(payer, payee, amount, discharges);
        self.attested(leg);
        leg
    }

    /// The other bank attests a leg as it was announced.
    pub(crate) fn attested(&mut self, leg: LegId) {
        self.act(OTHER_BANK, self.attesting(leg));
    }

    /// The other bank returns a leg.
    pub(crate) fn returned(&mut self, leg: LegId) {
        self.act(OTHER_BANK, reverse::Reverse { leg });
    }

    /// Every obligation with something outstanding: kind, from, to, how much.
    pub(crate) fn owing(&self) -> Vec<(ObligationKind, &str, &str, Fen)> {
        let open = self.state.obligations.iter();
        let open = open.filter(|owed| owed.outstanding() > Fen::ZERO);
        let mut owing: Vec<_> = open
            .map(|owed| {
                let (from, to) = (name_of(owed.from), name_of(owed.to));
                (owed.kind, from, to, owed.outstanding())
            })
            .collect();
        owing.sort_unstable();
        owing
    }

    /// The one obligation of a kind that has something outstanding.
    pub(crate) fn owed(&self, kind: ObligationKind) -> ObligationId {
        let open = self.state.obligations.iter();
        let mut open =
            open.filter(|owed: &&Obligation| owed.kind == kind && owed.outstanding() > Fen::ZERO);
        let found = open.next().expect("there is one").id;
        assert!(open.next().is_none(), "there is one");
        found
    }

    /// How many open fens of a receivable a party holds.
    pub(crate) fn open_of(&self, receivable: ReceivableId, holder: &str) -> Fen {
        let runs = self.runs(receivable);
        let open = runs.iter().filter(|run| run.open_of(id(holder)));
        fens(open.map(|run| run.len()).sum())
    }
}

#[test]
fn everybody_is_banked() {
    let (world, receivable) = banked();
    assert_eq!(world.open_of(receivable, SUPPLIER), fen("150000.00"));
    assert_eq!(world.owing(), vec![]);
}
