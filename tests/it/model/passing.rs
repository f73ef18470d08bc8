//! The passing of time: what has an end ends, all of it, before anything else is looked at.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::domain::values::{OpId, PartyId, Role};

use super::book::{
    AccountState, Book, ContractState, FinancingState, Keys, LegState, Numbers, Party, Receivable,
    RequestState, TransferState,
};
use super::days::{Day, Time, day_of};

impl Book {
    /// A ledger with its operator and nobody else.
    pub(super) fn new(numbers: Numbers, operator: PartyId, now: Time) -> Book {
        let roles = BTreeSet::from([Role::Operator]);
        let operator_record = Party {
            roles,
            scopes: BTreeSet::new(),
            kyc_valid_to: None,
            suspension: None,
            keys: Keys::first(operator),
        };
        Book {
            editions: vec![(Day::MIN, numbers)],
            engine: 1,
            ledger_keys: Vec::new(),
            entries: 1,
            now,
            op: OpId([0; 32]),
            obligations_made: 0,
            signed: Vec::new(),
            touched: BTreeSet::new(),
            parties: BTreeMap::from([(operator, operator_record)]),
            accounts: BTreeMap::new(),
            contracts: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            invoices: BTreeMap::new(),
            receivables: BTreeMap::new(),
            transfers: BTreeMap::new(),
            limits: BTreeMap::new(),
            requests: BTreeMap::new(),
            offers: BTreeMap::new(),
            financings: BTreeMap::new(),
            legs: BTreeMap::new(),
            obligations: BTreeMap::new(),
            barred: BTreeSet::new(),
        }
    }

    /// The numbers that count on a day: those of the last publication that has begun by then.
    pub(super) fn numbers_on(&self, day: Day) -> &Numbers {
        let mut begun = self.editions.iter().rev();
        &begun.find(|(from, _)| *from <= day).unwrap().1
    }

    /// Those of today.
    pub(super) fn numbers(&self) -> &Numbers {
        self.numbers_on(self.today())
    }

    /// Those that a receivable keeps: of its registration.
    pub(super) fn numbers_of(&self, receivable: &Receivable) -> &Numbers {
        self.numbers_on(day_of(receivable.at))
    }

    pub(super) fn today(&self) -> Day {
        day_of(self.now)
    }

    /// Everything with an end at or before `now` has ended.
    pub(super) fn pass_time(&mut self, now: Time) {
        self.now = now;
        for party in self.parties.values_mut() {
            party.keys.pass_time(now);
        }
        for account in self.accounts.values_mut() {
            if matches!(account.state, AccountState::Added(ends) if ends <= now) {
                account.state = AccountState::Lapsed;
            }
        }
        for contract in self.contracts.values_mut() {
            if matches!(contract.state, ContractState::Proposed(ends) if ends <= now) {
                contract.state = ContractState::Lapsed;
            }
            for change in contract.change.iter_mut() {
                change.waits = change.ends > now;
            }
        }
        for invoice in self.invoices.values_mut() {
            invoice.flag = invoice.flag.filter(|(_, ends)| *ends > now);
        }
        for transfer in self.transfers.values_mut() {
            if transfer.state == TransferState::Proposed && transfer.expires <= now {
                transfer.state = TransferState::Expired;
            }
        }
        for request in self.requests.values_mut() {
            if request.state == RequestState::Open && request.accept_by <= now {
                request.state = RequestState::Expired;
            }
        }
        for financing in self.financings.values_mut() {
            if matches!(financing.state, FinancingState::Waits(ends) if ends <= now) {
                financing.state = FinancingState::Expired;
            }
        }
        for leg in self.legs.values_mut() {
            if leg.state == LegState::Announced && leg.lapses <= now {
                leg.state = LegState::Lapsed;
            }
        }
        for receivable in self.receivables.values_mut() {
            for fen in &mut receivable.fens {
                fen.lock = fen.lock.filter(|lock| lock.ends > now);
            }
        }
    }
}
