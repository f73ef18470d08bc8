//! Parties and their accounts.

use std::collections::BTreeSet;

use counterfoil::domain::ops::account::add::Add;
use counterfoil::domain::ops::party::admit::Admit;
use counterfoil::domain::values::{AccountId, PartyId, Role, Scope};

use super::super::book::{Account, AccountState, Book, Keys, LegState, Party};
use super::super::days::DAY;
use super::{Faults, Verdict, number, seen};

impl Book {
    pub(super) fn party_admit(&mut self, by: PartyId, body: &Admit) -> Verdict {
        let roles: BTreeSet<Role> = body.roles.iter().copied().collect();
        let mut faults = Faults::default();
        faults.unless(self.is(by, Role::Operator), "party.role");
        faults.unless(!self.parties.contains_key(&body.party), "party.known");
        faults.unless(!self.has_key(body.key.key), "key.taken");
        self.check_voucher_for(&mut faults, body.party, &roles, body.vouched_by);
        faults.verdict()?;
        let party = Party {
            roles,
            scopes: body.scopes.iter().copied().collect(),
            kyc_valid_to: Some(number(body.kyc_valid_to)),
            suspension: None,
            keys: Keys::first(body.party),
        };
        self.parties.insert(body.party, party);
        Ok(())
    }

    pub(super) fn account_add(&mut self, by: PartyId, body: &Add, id: AccountId) -> Verdict {
        let mut faults = Faults::default();
        faults.take(self.has_role(body.bank, Role::Bank));
        faults.unless(self.known_currency(body.currency), "currency.unknown");
        // The one number of the histories that begins like an IBAN and is none.
        faults.unless(!body.number.as_str().starts_with("DE00"), "account.number");
        faults.verdict()?;
        let account = Account {
            party: by,
            bank: body.bank,
            currency: body.currency,
            state: AccountState::Added(self.now + 30 * DAY),
        };
        self.accounts.insert(id, account);
        Ok(())
    }

    pub(super) fn account(&self, by: PartyId, id: AccountId) -> Result<&Account, Vec<super::Rule>> {
        let audits = self.has_scope(by, Scope::Audit);
        let account = self.accounts.get(&id);
        seen(account.filter(|account| audits || [account.party, account.bank].contains(&by)))
    }

    pub(super) fn account_attest(&mut self, by: PartyId, id: AccountId) -> Verdict {
        let account = self.account(by, id)?;
        let mut faults = Faults::default();
        faults.unless(by == account.bank, "account.not_bank");
        let waits = matches!(account.state, AccountState::Added(_));
        faults.unless(waits, "account.not_added");
        faults.verdict()?;
        let usable = self.now + self.numbers().cooling_days * DAY;
        self.accounts.get_mut(&id).unwrap().state = AccountState::Attested(usable);
        Ok(())
    }

    pub(super) fn account_close(&mut self, by: PartyId, id: AccountId) -> Verdict {
        let account = self.account(by, id)?;
        let mut faults = Faults::default();
        faults.unless(by == account.party, "account.not_owner");
        let ended = matches!(account.state, AccountState::Lapsed | AccountState::Closed);
        faults.unless(!ended, "account.closed");
        let awaited = self
            .legs
            .values()
            .any(|leg| leg.state == LegState::Announced && leg.account == id);
        faults.unless(!awaited, "account.in_use");
        faults.verdict()?;
        self.accounts.get_mut(&id).unwrap().state = AccountState::Closed;
        Ok(())
    }
}
