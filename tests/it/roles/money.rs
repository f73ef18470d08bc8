//! What both trades share: accounts, offers, sales and payments.

use counterfoil::domain::values::{AccountId, FinancingId, LegId, OfferId, RequestId};
use serde_json::{Value, json};

use super::scene::Scene;

/// A request that takes visible offers from invited lenders, or from any.
pub(super) struct Sale {
    pub(super) requester: &'static str,
    pub(super) receivable: &'static str,
    pub(super) fens: (u64, u64),
    pub(super) invited: &'static [&'static str],
    pub(super) closes: &'static str,
    pub(super) accept_by: &'static str,
}

impl Scene {
    pub(super) fn open_accounts(&mut self) {
        self.on("2026-05-18", "02:00");
        let accounts = [
            ("acc-supplier", "supplier", "bank-a", "6200000000000001"),
            ("acc-maker", "maker", "bank-b", "6200000000000002"),
            ("acc-factor", "factor", "bank-a", "6200000000000003"),
            ("acc-bank-a", "bank-a", "bank-b", "6200000000000004"),
            ("acc-workshop", "workshop", "bank-c", "6200000000000005"),
        ];
        for (name, party, bank, number) in accounts {
            self.add_account(name, party, bank, number);
            let body = json!({ "account": self.id(name) });
            self.act(bank, party, "account.attest", body);
        }
        // One that its bank has still to attest, and one that was closed.
        self.add_account("acc-smith", "smith", "bank-b", "6200000000000006");
        self.add_account("acc-closed", "supplier", "bank-a", "6200000000000007");
        let body = json!({ "account": self.id("acc-closed") });
        self.act("supplier", "bank-a", "account.close", body);
    }

    fn add_account(
        &mut self,
        name: &'static str,
        party: &'static str,
        bank: &'static str,
        number: &str,
    ) {
        let bank_id = &self.party(bank).id;
        let body = json!({ "bank": bank_id, "number": number, "currency": "CNY", "default": true });
        self.make::<AccountId>(name, party, bank, "account.add", body);
    }

    pub(super) fn set_limit(
        &mut self,
        name: &'static str,
        lender: &'static str,
        debtor: &str,
        amount: &str,
    ) {
        let debtor = &self.party(debtor).id;
        let body = json!({ "debtor": debtor, "currency": "CNY", "amount": amount, "valid_to": "2026-12-31" });
        self.make::<counterfoil::domain::values::LimitId>(name, lender, "", "limit.set", body);
    }

    /// Opens a request; nobody but the requester is told.
    pub(super) fn ask(&mut self, name: &'static str, bidding: &str, sale: &Sale) {
        let mut body = json!({ "addresses": [self.at(sale.receivable, sale.fens)] });
        if !sale.invited.is_empty() {
            let mut invited: Vec<_> = sale
                .invited
                .iter()
                .map(|name| &self.party(name).id)
                .collect();
            invited.sort();
            body["invited"] = json!(invited);
        }
        body["bidding"] = json!(bidding);
        body["closes"] = json!(sale.closes);
        body["accept_by"] = json!(sale.accept_by);
        self.make::<RequestId>(name, sale.requester, "", "request.open", body);
    }

    /// Terms of a purchase with one fee that the requester bears.
    pub(super) fn terms(&self, rate: &str, fee: Option<(&str, &str)>) -> Value {
        let fee = fee.map(|(payee, amount)| {
            json!({ "payee": self.party(payee).id, "bearer": "requester", "amount": amount })
        });
        json!({
            "kind": "purchase", "interest": "in_advance", "rate": rate, "day_count": "ACT/360",
            "fees": fee.into_iter().collect::<Vec<_>>(), "advance_rate": "1", "recourse": "none",
            "disburse_by": "2026-06-15", "expires": "2026-06-05T09:00:00Z",
        })
    }

    /// An offer that the requester sees at once.
    pub(super) fn offer(
        &mut self,
        name: &'static str,
        lender: &'static str,
        request: (&str, &str),
        terms: &Value,
    ) {
        let (request, requester) = request;
        let body = json!({ "request": self.id(request), "offer": terms });
        self.make::<OfferId>(name, lender, requester, "offer.make", body);
    }

    /// The requester accepts: a financing.
    pub(super) fn accept(
        &mut self,
        name: &'static str,
        requester: &'static str,
        offer: (&str, &str),
    ) {
        let (offer, lender) = offer;
        let body = json!({ "offer": self.id(offer) });
        self.make::<FinancingId>(name, requester, lender, "offer.accept", body);
    }

    /// A payer announces a leg; told are payee and bank.
    pub(super) fn announce(&mut self, name: &'static str, leg: &Leg) {
        let body = json!({
            "purpose": leg.purpose, "payee": self.party(leg.payee).id, "account": self.id(leg.account),
            "amount": leg.amount, "value_date": leg.day, "end_to_end_id": leg.reference, "currency": "CNY",
            "discharges": [{ leg.pays.0: self.id(leg.pays.1) }],
        });
        let told = format!("{} {}", leg.payee, leg.bank);
        self.make::<LegId>(name, leg.payer, &told, "leg.announce", body);
    }

    /// The bank attests it.
    pub(super) fn book(
        &mut self,
        name: &str,
        leg: &Leg,
        booked: &str,
        reference: &str,
    ) -> counterfoil::domain::values::OpId {
        let body = json!({
            "leg": self.id(name), "booked": booked, "value_date": leg.day, "reference": reference,
        });
        let told = format!("{} {}", leg.payer, leg.payee);
        self.act(leg.bank, &told, "leg.attest", body)
    }
}

/// A bank transfer.
pub(super) struct Leg {
    pub(super) purpose: &'static str,
    pub(super) payer: &'static str,
    pub(super) payee: &'static str,
    pub(super) account: &'static str,
    pub(super) bank: &'static str,
    pub(super) amount: &'static str,
    pub(super) day: &'static str,
    pub(super) reference: &'static str,
    /// What it pays: kind and name.
    pub(super) pays: (&'static str, &'static str),
}
