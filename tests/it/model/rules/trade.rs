//! Contracts, deliveries and invoices.

use counterfoil::domain::ops::delivery::record::Record;
use counterfoil::domain::ops::invoice::credit::Credit;
use counterfoil::domain::ops::invoice::flag::Flag;
use counterfoil::domain::ops::invoice::issue::Issue;
use counterfoil::domain::values::{DeliveryId, Digest, InvoiceId, PartyId, Scope};

use super::super::book::{Acceptance, Book, ContractState, Delivery, Invoice};
use super::super::days::Sum;
use super::{Faults, Rule, Verdict, number, seen};

impl Book {
    fn delivery(&self, by: PartyId, id: DeliveryId) -> Result<&Delivery, Vec<Rule>> {
        let audits = self.has_scope(by, Scope::Audit);
        let delivery = self.deliveries.get(&id);
        seen(delivery.filter(|one| audits || one.supplier == by || one.debtor == by))
    }

    pub(super) fn invoice(&self, by: PartyId, id: InvoiceId) -> Result<&Invoice, Vec<Rule>> {
        let reads = self.has_scope(by, Scope::Audit) || self.has_scope(by, Scope::Attest);
        let invoice = self.invoices.get(&id);
        seen(invoice.filter(|one| reads || one.supplier == by || one.debtor == by))
    }

    pub(super) fn delivery_record(
        &mut self,
        by: PartyId,
        body: &Record,
        id: DeliveryId,
    ) -> Verdict {
        let contract = self.contract(by, body.contract)?;
        let delivered = number(body.delivered);
        let mut faults = Faults::default();
        faults.unless(
            contract.state == ContractState::Active,
            "contract.not_active",
        );
        faults.unless(by == contract.supplier, "delivery.not_supplier");
        let in_time = contract.concluded <= delivered && delivered <= self.today();
        faults.unless(in_time, "delivery.day");
        self.read_positive(&mut faults, &body.amount, contract.currency);
        faults.verdict()?;
        let delivery = Delivery {
            contract: body.contract,
            supplier: contract.supplier,
            debtor: contract.debtor,
            acceptance: Acceptance::Deemed(delivered + contract.terms.inspection_days),
        };
        self.deliveries.insert(id, delivery);
        Ok(())
    }

    pub(super) fn delivery_answer(&mut self, by: PartyId, id: DeliveryId, yes: bool) -> Verdict {
        let today = self.today();
        let delivery = self.delivery(by, id)?;
        let mut faults = Faults::default();
        faults.unless(by == delivery.debtor, "delivery.not_debtor");
        match delivery.acceptance {
            Acceptance::Deemed(on) => faults.unless(today <= on, "delivery.deemed"),
            _ => faults.unless(false, "delivery.answered"),
        }
        faults.verdict()?;
        let acceptance = if yes {
            Acceptance::Accepted(today)
        } else {
            Acceptance::Rejected
        };
        self.deliveries.get_mut(&id).unwrap().acceptance = acceptance;
        Ok(())
    }

    pub(super) fn invoice_issue(&mut self, by: PartyId, body: &Issue, id: InvoiceId) -> Verdict {
        let contract = self.contract(by, body.contract)?;
        let mut faults = Faults::default();
        faults.unless(
            contract.state == ContractState::Active,
            "contract.not_active",
        );
        if body.type_code == 389 {
            faults.unless(by == contract.debtor, "invoice.not_debtor");
            let agreed = self.signed.contains(&contract.supplier);
            faults.unless(agreed, "invoice.agreement");
        } else {
            faults.unless(by == contract.supplier, "invoice.not_supplier");
        }
        let (issued, currency) = (number(body.issued), body.currency);
        let in_time = contract.concluded <= issued && issued <= self.today();
        faults.unless(in_time, "invoice.issued");
        faults.unless([380, 384, 389].contains(&body.type_code), "invoice.type");
        let corrects = (body.type_code == 384) == body.preceding.is_some();
        faults.unless(corrects, "invoice.preceding");
        if let Some(preceding) = body.preceding {
            match self.invoice(by, preceding) {
                Ok(preceding) => {
                    faults.unless(preceding.contract == body.contract, "invoice.preceding");
                }
                Err(unknown) => faults.take(Err(unknown)),
            }
        }
        faults.unless(currency == contract.currency, "invoice.currency");
        let gross = self.read_positive(&mut faults, &body.gross, currency);
        let net = self.read(&mut faults, &body.net, currency);
        let tax = self.read(&mut faults, &body.tax, currency);
        faults.unless(net + tax == gross, "invoice.sum");
        let prepaid = body
            .prepaid
            .map_or(0, |paid| self.read(&mut faults, &paid, currency));
        let rounding = body.rounding.map_or(0, |rounding| {
            let decimals = self.numbers().decimals.get(&currency).copied();
            faults.unless(decimals == Some(rounding.decimals()), "amount.decimals");
            rounding.units()
        });
        for (at, named) in body.deliveries.iter().enumerate() {
            faults.unless(!body.deliveries[..at].contains(named), "invoice.deliveries");
            match self.delivery(by, *named) {
                Ok(delivery) => {
                    faults.unless(delivery.contract == body.contract, "invoice.deliveries");
                    let rejected = delivery.acceptance == Acceptance::Rejected;
                    faults.unless(!rejected, "delivery.rejected");
                }
                Err(unknown) => faults.take(Err(unknown)),
            }
        }
        self.check_new(
            &mut faults,
            contract.supplier,
            body.number.as_str(),
            body.document,
        );
        let invoice = Invoice {
            contract: body.contract,
            supplier: contract.supplier,
            debtor: contract.debtor,
            currency,
            numbers: vec![as_compared(body.number.as_str())],
            documents: vec![body.document],
            issued,
            deliveries: body.deliveries.clone(),
            gross,
            payable: gross - prepaid + rounding,
            credited: 0,
            attested: false,
            flag: None,
            booked: false,
            void: false,
            borne_by_none: 0,
        };
        faults.verdict()?;
        self.invoices.insert(id, invoice);
        Ok(())
    }

    /// A number and a document count once per seller.
    fn check_new(&self, faults: &mut Faults, seller: PartyId, text: &str, document: Digest) {
        for invoice in self
            .invoices
            .values()
            .filter(|invoice| invoice.supplier == seller)
        {
            let known = invoice.numbers.contains(&as_compared(text));
            faults.unless(!known, "invoice.duplicate");
            faults.unless(!invoice.documents.contains(&document), "invoice.document");
        }
    }

    pub(super) fn invoice_attest(&mut self, by: PartyId, id: InvoiceId) -> Verdict {
        let invoice = self.invoice(by, id)?;
        let mut faults = Faults::default();
        faults.unless(self.has_scope(by, Scope::Attest), "authority.scope");
        faults.unless(!invoice.void, "invoice.void");
        faults.unless(!invoice.attested, "invoice.attested");
        faults.verdict()?;
        self.invoices.get_mut(&id).unwrap().attested = true;
        Ok(())
    }

    pub(super) fn invoice_flag(&mut self, by: PartyId, body: &Flag) -> Verdict {
        let invoice = self.invoice(by, body.invoice)?;
        let ends = body.ends.millis();
        let mut faults = Faults::default();
        faults.unless(self.has_scope(by, Scope::Attest), "authority.scope");
        faults.unless(!invoice.void, "invoice.void");
        let own = invoice.flag.is_none_or(|(raised_by, _)| raised_by == by);
        faults.unless(own, "invoice.flagged");
        faults.unless(self.ends_within(ends, 90), "end.range");
        faults.verdict()?;
        self.invoices.get_mut(&body.invoice).unwrap().flag = Some((by, ends));
        Ok(())
    }

    pub(super) fn invoice_unflag(&mut self, by: PartyId, id: InvoiceId) -> Verdict {
        let invoice = self.invoice(by, id)?;
        let mut faults = Faults::default();
        faults.unless(self.has_scope(by, Scope::Attest), "authority.scope");
        let own = invoice.flag.is_some_and(|(raised_by, _)| raised_by == by);
        faults.unless(own, "invoice.not_flagged");
        faults.verdict()?;
        self.invoices.get_mut(&id).unwrap().flag = None;
        Ok(())
    }

    pub(super) fn invoice_book(&mut self, by: PartyId, id: InvoiceId) -> Verdict {
        let invoice = self.invoice(by, id)?;
        let mut faults = Faults::default();
        faults.unless(by == invoice.debtor, "invoice.not_debtor");
        faults.unless(!invoice.void, "invoice.void");
        faults.unless(!invoice.booked, "invoice.booked");
        faults.verdict()?;
        self.invoices.get_mut(&id).unwrap().booked = true;
        Ok(())
    }

    /// Whose signature may stand beside the supplier's: the debtor's, or an attesting authority's.
    pub(super) fn may_agree(&self, by: PartyId, id: InvoiceId) -> Result<Vec<PartyId>, Vec<Rule>> {
        let debtor = self.invoice(by, id)?.debtor;
        let attesters = self.parties.keys().copied();
        let attesters = attesters.filter(|party| self.has_scope(*party, Scope::Attest));
        Ok(attesters.chain([debtor]).collect())
    }

    fn agreed(&self, by: PartyId, invoice: &Invoice) -> Faults {
        let mut faults = Faults::default();
        faults.unless(by == invoice.supplier, "invoice.not_supplier");
        faults.unless(!invoice.void, "invoice.void");
        faults.unless(!invoice.booked || !self.signed.is_empty(), "invoice.booked");
        faults
    }

    pub(super) fn invoice_void(&mut self, by: PartyId, id: InvoiceId) -> Verdict {
        let mut faults = self.agreed(by, self.invoice(by, id)?);
        faults.unless(self.consumed(id) == 0, "invoice.consumed");
        faults.verdict()?;
        self.invoices.get_mut(&id).unwrap().void = true;
        Ok(())
    }

    pub(super) fn invoice_credit(&mut self, by: PartyId, body: &Credit) -> Verdict {
        let invoice = self.invoice(by, body.invoice)?;
        let mut faults = self.agreed(by, invoice);
        let amount: Sum = self.read_positive(&mut faults, &body.amount, invoice.currency);
        faults.unless(
            invoice.credited + amount <= invoice.gross,
            "invoice.credited",
        );
        self.check_new(
            &mut faults,
            invoice.supplier,
            body.number.as_str(),
            body.document,
        );
        faults.verdict()?;
        let invoice = self.invoices.get_mut(&body.invoice).unwrap();
        invoice.numbers.push(as_compared(body.number.as_str()));
        invoice.documents.push(body.document);
        invoice.credited += amount;
        self.absorb(body.invoice);
        Ok(())
    }
}

/// A number as it is compared, for the ways in which the histories disguise one: full-width forms, lower case,
/// other dashes, white space.
fn as_compared(number: &str) -> String {
    let plain = number.chars().map(|letter| match letter {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(letter) - 0xFEE0).unwrap(),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        other => other,
    });
    plain
        .filter(|letter| !letter.is_whitespace())
        .flat_map(char::to_uppercase)
        .collect()
}
