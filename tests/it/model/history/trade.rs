//! Parties, accounts, contracts, deliveries and invoices.

use counterfoil::domain::ops::{account, delivery, invoice};
use counterfoil::domain::values::{ContractId, InvoiceId, PartyId, Reference, Role, SignedAmount};

use super::super::book::{Acceptance, AccountState, Contract, ContractState, Invoice};
use super::super::days::{DAY, Sum};
use super::super::world::{admission, digest, wire};
use super::{Generator, Move, alone, day, instant, with};

impl Generator<'_> {
    pub(super) fn party_admit(&mut self) -> Option<Move> {
        let known = self.rng.chance(30);
        let party = match known {
            true => self.anybody(),
            false => wire(&format!("x:guarantor-{}", self.number)),
        };
        let by = self.cast.operator;
        let vouched_by = match self.rng.between(1, 6) {
            1 => None,
            2 => Some(self.anybody()),
            _ => Some(self.cast.tax),
        };
        let roles = [Role::Guarantor];
        let body = admission(party, &roles, &[], None, day(self.today() + 90), vouched_by);
        let also = vouched_by
            .into_iter()
            .chain((!self.errs()).then_some(party))
            .collect();
        Some(Move {
            by,
            also,
            body: body.into(),
        })
    }

    pub(super) fn account_add(&mut self) -> Option<Move> {
        let banks = [self.cast.bank, self.cast.other_bank, self.cast.lender];
        let number = if self.errs() {
            "DE00123456789012345678"
        } else {
            "6222021234567890"
        };
        let body = account::add::Add {
            bank: self.rng.pick(banks)?,
            number: wire(number),
            currency: self.currency(),
            default: self.rng.chance(50),
        };
        alone(self.anybody(), body)
    }

    pub(super) fn account_attest(&mut self) -> Option<Move> {
        let careless = self.rng.chance(5);
        let waits = |state| careless || matches!(state, AccountState::Added(_));
        let accounts = self
            .book
            .accounts
            .iter()
            .filter(|(_, one)| waits(one.state));
        let (id, bank) = self.rng.pick(accounts.map(|(id, one)| (*id, one.bank)))?;
        alone(bank, account::attest::Attest { account: id })
    }

    pub(super) fn account_close(&mut self) -> Option<Move> {
        // The accounts that histories add, so that everybody stays payable; seldom another.
        let any = self.rng.chance(8);
        let young = |state: AccountState| match state {
            AccountState::Attested(usable) => usable > self.book.now - DAY,
            _ => true,
        };
        let accounts = self
            .book
            .accounts
            .iter()
            .filter(|(_, one)| any || young(one.state));
        let accounts: Vec<_> = accounts.map(|(id, one)| (*id, one.party)).collect();
        let (id, party) = self.rng.pick(accounts)?;
        alone(party, account::close::Close { account: id })
    }

    pub(super) fn active(&mut self) -> Option<(ContractId, Contract)> {
        let careless = self.rng.chance(2);
        let contracts = self.book.contracts.iter();
        let active = contracts.filter(|(_, one)| careless || one.state == ContractState::Active);
        self.rng.pick(active).map(|(id, one)| (*id, one.clone()))
    }

    pub(super) fn delivery_record(&mut self) -> Option<Move> {
        let (contract, terms) = self.active()?;
        let back = if self.errs() {
            -1
        } else {
            self.rng.between(0, 6)
        };
        let units = self.rng.between(10, 60);
        let body = delivery::record::Record {
            contract,
            number: wire("DN-1"),
            delivered: day((self.today() - back).max(terms.concluded)),
            amount: self.money(units),
        };
        alone(terms.supplier, body)
    }

    pub(super) fn delivery_accept(&mut self) -> Option<Move> {
        let (delivery, debtor) = self.delivered()?;
        alone(debtor, delivery::accept::Accept { delivery })
    }

    pub(super) fn delivery_reject(&mut self) -> Option<Move> {
        let (delivery, debtor) = self.delivered()?;
        alone(
            debtor,
            delivery::reject::Reject {
                delivery,
                reason: wire("damaged"),
            },
        )
    }

    fn delivered(&mut self) -> Option<(counterfoil::domain::values::DeliveryId, PartyId)> {
        let (careless, today) = (self.rng.chance(10), self.today());
        let waits = |one| matches!(one, Acceptance::Deemed(on) if on >= today);
        let deliveries = self.book.deliveries.iter();
        let open = deliveries.filter(|(_, one)| careless || waits(one.acceptance));
        self.rng.pick(open.map(|(id, one)| (*id, one.debtor)))
    }

    pub(super) fn invoice_issue(&mut self) -> Option<Move> {
        let invoices = self.book.invoices.keys();
        let unused = invoices.filter(|id| self.book.room(**id) > 0).count();
        if unused > 2 && self.rng.chance(85) {
            return None;
        }
        let (contract, terms) = self.active()?;
        let today = self.today();
        let gross = self.rng.between(10, 60);
        let tax = self.rng.between(0, 5);
        let named = self.rng.between(0, 2) as usize;
        let careless = self.errs();
        let deliveries = self.book.deliveries.iter().filter(|(_, one)| {
            careless || one.contract == contract && one.acceptance != Acceptance::Rejected
        });
        let deliveries = deliveries.map(|(id, _)| *id).take(named).collect();
        let back = if self.errs() {
            -1
        } else {
            self.rng.between(0, 3)
        };
        let corrected = self.rng.chance(6);
        let preceding = if corrected {
            self.rng.pick(self.book.invoices.keys().copied())
        } else {
            None
        };
        let self_billed = preceding.is_none() && self.rng.chance(10);
        let type_code = match preceding {
            Some(_) => 384,
            None if self_billed => 389,
            None => 380,
        };
        let rounding = self
            .rng
            .pick([None, None, None, Some("-0.01"), Some("0.02")])?;
        let prepaid = self.rng.pick([None, None, None, None, Some(5), Some(80)])?;
        let body = invoice::issue::Issue {
            contract,
            number: self.invoice_number(),
            type_code: if self.errs() { 381 } else { type_code },
            issued: day((today - back).max(terms.concluded)),
            currency: if self.errs() {
                self.currency()
            } else {
                terms.currency
            },
            net: self.money(gross - tax),
            tax: self.money(tax),
            gross: self.money(gross),
            prepaid: prepaid.map(|units| self.money(units)),
            rounding: rounding.map(wire::<SignedAmount>),
            deliveries,
            preceding,
            document: if self.errs() {
                digest("contract")
            } else {
                digest(&self.number.to_string())
            },
        };
        if self_billed && !self.errs() {
            with(terms.debtor, terms.supplier, body)
        } else {
            alone(terms.supplier, body)
        }
    }

    /// A new number, or one of before in some disguise.
    fn invoice_number(&mut self) -> Reference {
        let disguises: [fn(i64) -> String; 5] = [
            |number| format!("FP-{number}"),
            |number| format!("fp-{number}"),
            |number| format!("FP\u{2013}{number}"),
            |number| format!("F P-{number}"),
            |number| format!("\u{FF26}\u{FF30}\u{2212}{number}"),
        ];
        let number = match self.rng.chance(8) {
            true => self.number as i64 - self.rng.between(1, 40),
            false => self.number as i64,
        };
        let disguise = self.rng.pick(disguises).unwrap();
        Reference::new(&disguise(number)).unwrap()
    }

    pub(super) fn an_invoice(&mut self, wanted: impl Fn(&Invoice) -> bool) -> Option<InvoiceId> {
        let careless = self.rng.chance(5);
        let invoices = self.book.invoices.iter();
        let invoices = invoices.filter(|(_, one)| careless || wanted(one));
        self.rng.pick(invoices.map(|(id, _)| *id))
    }

    pub(super) fn invoice_attest(&mut self) -> Option<Move> {
        let invoice = self.an_invoice(|one| !one.attested && !one.void)?;
        alone(self.cast.tax, invoice::attest::Attest { invoice })
    }

    pub(super) fn invoice_flag(&mut self) -> Option<Move> {
        let invoice = self.an_invoice(|one| !one.void)?;
        let days = if self.errs() {
            91
        } else {
            self.rng.between(1, 6)
        };
        let ends = instant(self.book.now + days * DAY);
        let body = invoice::flag::Flag {
            invoice,
            reason: wire("under inquiry"),
            ends,
        };
        alone(self.cast.tax, body)
    }

    pub(super) fn invoice_unflag(&mut self) -> Option<Move> {
        let raised = !self.errs();
        let invoice = self.an_invoice(|one| one.flag.is_some() == raised)?;
        alone(self.cast.tax, invoice::unflag::Unflag { invoice })
    }

    pub(super) fn invoice_book(&mut self) -> Option<Move> {
        let invoice = self.an_invoice(|one| !one.booked && !one.void)?;
        alone(
            self.book.invoices[&invoice].debtor,
            invoice::book::Book { invoice },
        )
    }

    /// The supplier, with the debtor or the tax authority where that is needed.
    fn supplier_of(&mut self, id: InvoiceId, body: impl Into<super::Body>) -> Option<Move> {
        let invoice = &self.book.invoices[&id];
        let (supplier, debtor) = (invoice.supplier, invoice.debtor);
        if !invoice.booked && self.rng.chance(70) || self.errs() {
            return alone(supplier, body);
        }
        let tax = self.cast.tax;
        let also = self.rng.pick([debtor, debtor, tax])?;
        with(supplier, also, body)
    }

    pub(super) fn invoice_void(&mut self) -> Option<Move> {
        let invoice = self.an_invoice(|one| !one.void)?;
        if self.book.consumed(invoice) > 0 && self.rng.chance(80) {
            return None;
        }
        self.supplier_of(invoice, invoice::void::Void { invoice })
    }

    pub(super) fn invoice_credit(&mut self) -> Option<Move> {
        let invoice = self.an_invoice(|one| !one.void && one.credited < one.gross)?;
        let one = &self.book.invoices[&invoice];
        let left: Sum = (one.gross - one.credited).max(1);
        let most = if self.errs() { left + 1 } else { left };
        let least = if self.rng.chance(30) { most } else { 1 };
        let units = self.rng.between(least, most);
        let number = self.invoice_number();
        let body = invoice::credit::Credit {
            invoice,
            number,
            amount: self.money(units),
            document: digest(&format!("credit {}", self.number)),
        };
        self.supplier_of(invoice, body)
    }
}
