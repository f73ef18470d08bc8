//! Contracts, their changes, and what a proposer takes back.

use counterfoil::domain::ops::contract::amend::Amend;
use counterfoil::domain::ops::contract::propose::Propose;
use counterfoil::domain::values::{
    AccountId, ContractId, FinancingId, InvoiceId, MadeId, OfferId, OpId, PartyId, ReceivableId,
    RequestId, Role, Scope, Size, TransferId,
};

use super::super::book::{AccountState, Book, Contract, ContractChange, ContractState, Terms};
use super::super::days::{DAY, Day};
use super::{Faults, Rule, Verdict, number, seen};

impl Book {
    pub(super) fn contract(&self, by: PartyId, id: ContractId) -> Result<&Contract, Vec<Rule>> {
        let audits = self.has_scope(by, Scope::Audit);
        let contract = self.contracts.get(&id);
        seen(contract.filter(|one| audits || one.supplier == by || one.debtor == by))
    }

    pub(super) fn contract_propose(
        &mut self,
        by: PartyId,
        body: &Propose,
        id: ContractId,
    ) -> Verdict {
        let mut faults = Faults::default();
        faults.unless(
            by == body.supplier || by == body.debtor,
            "contract.not_party",
        );
        faults.unless(body.supplier != body.debtor, "contract.same_party");
        faults.take(self.has_role(body.supplier, Role::Supplier));
        faults.take(self.has_role(body.debtor, Role::Debtor));
        faults.take(self.takes_obligations(body.supplier));
        faults.take(self.takes_obligations(body.debtor));
        faults.unless(self.known_currency(body.currency), "currency.unknown");
        let value = body
            .value
            .map(|value| self.read_positive(&mut faults, &value, body.currency));
        let contract = Contract {
            supplier: body.supplier,
            debtor: body.debtor,
            proposer: by,
            number: body.number.as_str().to_owned(),
            currency: body.currency,
            concluded: number(body.concluded),
            terms: Terms {
                value,
                ends: body.ends.map(number),
                payment_days: body.payment_days.into(),
                inspection_days: body.inspection_days.into(),
                late_rate: body.late_rate.map(|rate| rate.numerator()),
                grace_days: body.grace_days.into(),
                vouchers: body.vouchers,
            },
            sizes: (body.supplier_size, body.debtor_size),
            state: ContractState::Proposed(self.now + 30 * DAY),
            change: None,
        };
        self.check_contract_terms(
            &mut faults,
            &contract,
            &contract.terms,
            body.term_reason.is_some(),
        );
        // Unique per proposer and pair.
        let taken = self.contracts.values().any(|other| {
            let live = matches!(
                other.state,
                ContractState::Proposed(_) | ContractState::Active | ContractState::Closed
            );
            live && other.number == contract.number
                && other.proposer == by
                && [other.supplier, other.debtor].contains(&body.supplier)
                && [other.supplier, other.debtor].contains(&body.debtor)
        });
        faults.unless(!taken, "contract.number");
        faults.verdict()?;
        self.contracts.insert(id, contract);
        Ok(())
    }

    fn check_contract_terms(
        &self,
        faults: &mut Faults,
        contract: &Contract,
        terms: &Terms,
        reason: bool,
    ) {
        let (today, concluded) = (self.today(), contract.concluded);
        faults.unless(concluded <= today, "contract.concluded");
        faults.unless(
            terms.ends.is_none_or(|ends| ends >= today.max(concluded)),
            "contract.ends",
        );
        let days = [terms.payment_days, terms.inspection_days, terms.grace_days];
        faults.unless(days.iter().all(|days| *days <= 3_660), "contract.days");
        // What the law asks of terms towards small and medium suppliers.
        let most = 10_000_000_000;
        let within = terms.late_rate.is_none_or(|daily| daily <= most);
        faults.unless(within, "contract.late_rate");
        self.check_days(
            faults,
            contract.sizes,
            terms.payment_days,
            reason,
            concluded,
        );
        if !is_sme(contract.sizes.0) {
            return;
        }
        let numbers = self.numbers_on(concluded);
        let lpr = numbers.lpr.iter().rfind(|(from, _)| *from <= concluded);
        if let (Some(daily), Some((_, yearly))) = (terms.late_rate, lpr) {
            faults.unless(365 * daily >= *yearly, "sme.late_interest");
        }
    }

    /// How many days a debtor may take to pay a supplier of that size.
    pub(super) fn check_days(
        &self,
        faults: &mut Faults,
        (supplier, debtor): (Size, Size),
        days: i64,
        reason: bool,
        concluded: Day,
    ) {
        let numbers = self.numbers_on(concluded);
        let within = match (debtor, reason) {
            (Size::PublicBody, false) => days <= numbers.government_days,
            (Size::PublicBody, true) => days <= numbers.government_days_at_most,
            (Size::Large, false) => days <= numbers.large_days,
            _ => true,
        };
        let free = !is_sme(supplier) || concluded < numbers.term_from;
        faults.unless(within || free, "sme.term");
    }

    /// Yes or no to a contract, or to the change of it that the operation proposed.
    pub(super) fn contract_answer(
        &mut self,
        by: PartyId,
        id: ContractId,
        change: Option<OpId>,
        yes: bool,
    ) -> Verdict {
        let contract = self.contract(by, id)?.clone();
        let mut faults = Faults::default();
        let named = contract.change.as_ref();
        let named = named.filter(|one| one.waits && Some(one.op) == change);
        let asker = match change {
            None => {
                let waits = matches!(contract.state, ContractState::Proposed(_));
                faults.unless(waits, "contract.not_proposed");
                contract.proposer
            }
            Some(_) => {
                faults.unless(named.is_some(), "contract.no_change");
                named.map_or(by, |one| one.by)
            }
        };
        let other = asker != by && [contract.supplier, contract.debtor].contains(&by);
        faults.unless(other, "contract.not_counterparty");
        let terms = named.and_then(|one| one.terms.clone());
        if yes && (change.is_none() || terms.is_some()) {
            faults.take(self.takes_obligations(by));
        }
        if yes {
            let enough = self.covers_registered(id, terms.as_ref());
            faults.unless(enough, "contract.below_registered");
        }
        faults.verdict()?;
        match (change, yes) {
            (None, true) => self.contracts.get_mut(&id).unwrap().state = ContractState::Active,
            (None, false) => self.contracts.get_mut(&id).unwrap().state = ContractState::Declined,
            (Some(_), true) => self.change(id, terms),
            (Some(_), false) => self.contracts.get_mut(&id).unwrap().change = None,
        }
        Ok(())
    }

    /// What a change may not touch: a value below what is registered.
    fn covers_registered(&self, id: ContractId, terms: Option<&Terms>) -> bool {
        let value = terms.and_then(|terms| terms.value);
        value.is_none_or(|value| value >= self.registered_under(id))
    }

    fn change(&mut self, id: ContractId, terms: Option<Terms>) {
        let contract = self.contracts.get_mut(&id).unwrap();
        contract.change = None;
        match terms {
            Some(terms) => contract.terms = terms,
            None => contract.state = ContractState::Closed,
        }
    }

    pub(super) fn contract_amend(&mut self, by: PartyId, body: &Amend) -> Verdict {
        let contract = self.contract(by, body.contract)?.clone();
        let mut faults = Faults::default();
        faults.take(self.takes_obligations(contract.supplier));
        faults.take(self.takes_obligations(contract.debtor));
        let value = body
            .value
            .map(|value| self.read_positive(&mut faults, &value, contract.currency));
        let terms = Terms {
            value,
            ends: body.ends.map(number),
            payment_days: body.payment_days.into(),
            inspection_days: body.inspection_days.into(),
            late_rate: body.late_rate.map(|rate| rate.numerator()),
            grace_days: body.grace_days.into(),
            vouchers: body.vouchers,
        };
        self.check_contract_terms(&mut faults, &contract, &terms, body.term_reason.is_some());
        let enough = self.covers_registered(body.contract, Some(&terms));
        faults.unless(enough, "contract.below_registered");
        self.propose_change(by, body.contract, Some(terms), faults)
    }

    pub(super) fn contract_close(&mut self, by: PartyId, id: ContractId) -> Verdict {
        self.contract(by, id)?;
        self.propose_change(by, id, None, Faults::default())
    }

    /// Done where the other side signs too; else it waits thirty days.
    fn propose_change(
        &mut self,
        by: PartyId,
        id: ContractId,
        terms: Option<Terms>,
        mut faults: Faults,
    ) -> Verdict {
        let contract = &self.contracts[&id];
        let between = by == contract.supplier || by == contract.debtor;
        faults.unless(between, "contract.not_party");
        let active = contract.state == ContractState::Active;
        faults.unless(active, "contract.not_active");
        let waits = contract.change.as_ref().is_some_and(|one| one.waits);
        faults.unless(!waits, "contract.change_waits");
        faults.verdict()?;
        if self.signed.is_empty() {
            self.contracts.get_mut(&id).unwrap().change = Some(ContractChange {
                op: self.op,
                by,
                terms,
                ends: self.now + 30 * DAY,
                waits: true,
            });
        } else {
            self.change(id, terms);
        }
        Ok(())
    }

    /// A proposed contract, a change or an added account: its own party takes it back while it waits.
    pub(super) fn operation_cancel(&mut self, by: PartyId, op: OpId) -> Verdict {
        let (contract, account) = (ContractId::of(&op, 0), AccountId::of(&op, 0));
        let mut changes = self.contracts.iter();
        let changed = changes.find(|(_, one)| one.change.as_ref().is_some_and(|it| it.op == op));
        let changed = changed.map(|(id, _)| *id);
        let changed = changed.filter(|id| self.contract(by, *id).is_ok());
        let mut faults = Faults::default();
        let mut own = |party, waits| {
            faults.unless(party == by, "operation.not_own");
            faults.unless(waits, "operation.not_waiting");
        };
        if let Ok(one) = self.contract(by, contract) {
            own(
                one.proposer,
                matches!(one.state, ContractState::Proposed(_)),
            );
            faults.verdict()?;
            self.contracts.get_mut(&contract).unwrap().state = ContractState::Cancelled;
        } else if let Some(id) = changed {
            let change = self.contracts[&id].change.as_ref().unwrap();
            own(change.by, change.waits);
            faults.verdict()?;
            self.contracts.get_mut(&id).unwrap().change = None;
        } else if let Ok(one) = self.account(by, account) {
            own(one.party, matches!(one.state, AccountState::Added(_)));
            faults.verdict()?;
            self.accounts.get_mut(&account).unwrap().state = AccountState::Closed;
        } else {
            self.not_to_cancel(by, op)?;
            self.barred.insert((op, by));
        }
        Ok(())
    }

    /// Of what the party sees and cannot take back so; all else it bars for itself.
    fn not_to_cancel(&self, by: PartyId, op: OpId) -> Verdict {
        let owners = [
            self.transfer(by, TransferId::of(&op, 0))
                .map(|one| one.from),
            self.request(by, RequestId::of(&op, 0))
                .map(|one| one.requester),
            self.offer(by, OfferId::of(&op, 0)).map(|one| one.lender),
            self.receivable(by, ReceivableId::of(&op, 0))
                .map(|one| one.supplier),
            self.financing(by, FinancingId::of(&op, 0))
                .map(|one| one.requester),
            self.invoice(by, InvoiceId::of(&op, 0))
                .map(|one| one.supplier),
        ];
        match owners.into_iter().flatten().next() {
            None => Ok(()),
            Some(owner) if owner == by => Err(vec!["operation.own_way"]),
            Some(_) => Err(vec!["operation.not_own"]),
        }
    }
}

fn is_sme(size: Size) -> bool {
    matches!(size, Size::Micro | Size::Small | Size::Medium)
}
