//! Deals: operations of a handful of parties on one invoice. Those of a deal follow each other; deals are independent,
//! so any number of them may go on at once. Ids follow from operation ids, so that all is signed ahead.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::domain::values::{
    ContractId, FinancingId, InvoiceId, LegId, MadeId, OfferId, OpId, ReceivableId, RequestId,
    TransferId,
};

use super::Result;
use super::town::{DEBTORS, LENDERS, MAKERS, Party, SUPPLIERS, Seller, Town};

/// Encoded envelopes in their order.
pub(super) type Deal = Vec<Bytes>;

/// What a deal is like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// The usual mix, 20 operations: 4 registrations, 3 confirmations, 7 of transfers, 4 of offers, 2 of legs. Of its
    /// receivables one ends in 24 runs, one in 2, one in 1, and one waits for its debtor; in every second deal a
    /// lender buys and pays, in the others nobody does and the debtor pays a claim.
    Mix,
    /// Stored runs with few operations: 4 receivables of 20, 40, 40 and 60 runs, of which every second was passed on
    /// by one transfer; 16 operations, 160 runs.
    Stock,
}

/// Operations of all these deals.
pub(super) fn count(deals: &[Deal]) -> usize {
    deals.iter().map(Vec::len).sum()
}

/// Fens of a receivable.
const FACE: u64 = 100_000_000;
/// Parts of the mix's first receivable that are passed on, and of them those that are passed on once more.
const PARTS: u64 = 12;
const ONWARD: u64 = 3;
/// Parts of each receivable of a stock that are passed on.
const STOCK: [u64; 4] = [10, 20, 20, 30];

/// Where one deal is written.
pub(super) struct Desk<'t> {
    town: &'t Town,
    i: usize,
    invoice: InvoiceId,
    supplier: &'t Seller,
    debtor: &'t Party,
    /// The supplier owes both; the first owes the second.
    makers: [&'t Seller; 2],
    lenders: [&'t Party; 2],
    deal: Deal,
}

impl<'t> Desk<'t> {
    /// Deal `i`, about this invoice.
    pub(super) fn at(town: &'t Town, i: usize, invoice: InvoiceId) -> Desk<'t> {
        let round = i / SUPPLIERS;
        Desk {
            town,
            i,
            invoice,
            supplier: &town.suppliers[i % SUPPLIERS],
            debtor: &town.debtors[i % SUPPLIERS % DEBTORS],
            makers: [&town.makers[i % MAKERS], &town.makers[(i + 1) % MAKERS]],
            lenders: [
                &town.lenders[round % LENDERS],
                &town.lenders[(round + 1) % LENDERS],
            ],
            deal: Deal::new(),
        }
    }

    pub(super) fn deal(self, kind: Kind) -> Result<Deal> {
        match kind {
            Kind::Mix => self.mix(),
            Kind::Stock => self.stock(),
        }
    }

    fn mix(mut self) -> Result<Deal> {
        let bought = self.i.is_multiple_of(2);
        let (supplier, makers) = (&self.supplier.party, self.makers.map(|maker| &maker.party));
        let owed = self.makers.map(|maker| maker.contracts.clone());
        let first = self.register()?;
        self.confirm(first)?;
        let many = self.propose(supplier, makers[0], owed[0][0], &parts(first, PARTS, PARTS))?;
        let second = self.register()?;
        self.accept(makers[0], many)?;
        self.confirm(second)?;
        let part = vec![address(second, 0, FACE / 4)];
        let part = self.propose(supplier, makers[1], owed[1][1], &part)?;
        let third = self.register()?;
        self.accept(makers[1], part)?;
        let request = self.request(vec![address(second, FACE / 4, FACE)])?;
        let offer = self.offer(self.lenders[0], request)?;
        self.confirm(third)?;
        let whole = vec![address(third, 0, FACE)];
        let whole = self.propose(supplier, makers[0], owed[0][0], &whole)?;
        let financing = match bought {
            true => Some(self.sell(offer, request)?),
            false => self.give_up(offer, request)?,
        };
        self.accept(makers[0], whole)?;
        self.register()?;
        let (leg, payee, amount) = match financing {
            Some(financing) => (self.disburse(financing)?, supplier, price(self.town)),
            None => (self.pay(third)?, makers[0], FACE),
        };
        self.propose(
            makers[0],
            makers[1],
            owed[1][2],
            &parts(first, PARTS, ONWARD),
        )?;
        self.attest(payee, leg, amount)?;
        Ok(self.deal)
    }

    fn stock(mut self) -> Result<Deal> {
        let supplier = &self.supplier.party;
        for (n, count) in STOCK.into_iter().enumerate() {
            let (maker, owed) = (self.makers[n % 2], self.makers[n % 2].contracts[n % 2]);
            let receivable = self.register()?;
            self.confirm(receivable)?;
            let parts = parts(receivable, count, count);
            let passed = self.propose(supplier, &maker.party, owed, &parts)?;
            self.accept(&maker.party, passed)?;
        }
        Ok(self.deal)
    }

    fn act(&mut self, by: &Party, op: &str, body: &Value) -> Result<OpId> {
        let (id, envelope) = self.town.signed(&[by], op, body)?;
        self.deal.push(envelope);
        Ok(id)
    }

    fn shares(&self) -> Value {
        json!([{"invoice": self.invoice, "amount": yuan(FACE)}])
    }

    fn register(&mut self) -> Result<ReceivableId> {
        let body = json!({"contract": self.supplier.contracts[0], "shares": self.shares()});
        let op = self.act(&self.supplier.party, "receivable.register", &body)?;
        Ok(ReceivableId::of(&op, 0))
    }

    fn confirm(&mut self, receivable: ReceivableId) -> Result<OpId> {
        let body = json!({
            "receivable": receivable, "shares": self.shares(), "due": self.town.due(), "defences": {}, "notice": "ledger",
        });
        self.act(self.debtor, "receivable.confirm", &body)
    }

    fn propose(
        &mut self,
        by: &Party,
        to: &Party,
        owed: ContractId,
        addresses: &[String],
    ) -> Result<TransferId> {
        let body = json!({
            "addresses": addresses, "to": to.id, "recourse": "none", "basis": {"contract": owed},
            "expires": self.town.now().plus_days(5).to_string(),
        });
        Ok(TransferId::of(&self.act(by, "transfer.propose", &body)?, 0))
    }

    fn accept(&mut self, by: &Party, transfer: TransferId) -> Result<OpId> {
        self.act(by, "transfer.accept", &json!({"transfer": transfer}))
    }

    fn request(&mut self, addresses: Vec<String>) -> Result<RequestId> {
        let (closes, accept_by) = (
            self.town.now().plus_hours(24),
            self.town.now().plus_hours(30),
        );
        let body = json!({
            "addresses": addresses, "bidding": "visible", "closes": closes.to_string(), "accept_by": accept_by.to_string(),
        });
        let op = self.act(&self.supplier.party, "request.open", &body)?;
        Ok(RequestId::of(&op, 0))
    }

    fn offer(&mut self, by: &Party, request: RequestId) -> Result<OfferId> {
        let terms = json!({
            "kind": "purchase", "interest": "in_advance", "rate": RATE, "day_count": "ACT/360", "fees": [],
            "advance_rate": "1", "recourse": "none", "disburse_by": self.town.today().plus_days(10),
            "expires": self.town.now().plus_hours(30).to_string(),
        });
        let body = json!({"request": request, "offer": terms});
        Ok(OfferId::of(&self.act(by, "offer.make", &body)?, 0))
    }

    /// A second offer comes, and the first is taken.
    fn sell(&mut self, offer: OfferId, request: RequestId) -> Result<FinancingId> {
        self.offer(self.lenders[1], request)?;
        let op = self.act(
            &self.supplier.party,
            "offer.accept",
            &json!({"offer": offer}),
        )?;
        Ok(FinancingId::of(&op, 0))
    }

    /// Neither wants to go on, so there is no financing.
    fn give_up(&mut self, offer: OfferId, request: RequestId) -> Result<Option<FinancingId>> {
        self.act(self.lenders[0], "offer.withdraw", &json!({"offer": offer}))?;
        self.act(
            &self.supplier.party,
            "request.withdraw",
            &json!({"request": request}),
        )?;
        Ok(None)
    }

    fn disburse(&mut self, financing: FinancingId) -> Result<LegId> {
        let (to, amount) = (self.supplier, price(self.town));
        let paid = json!([{"financing": financing}]);
        self.announce(self.lenders[0], to, "disbursement", amount, &paid)
    }

    fn pay(&mut self, receivable: ReceivableId) -> Result<LegId> {
        let paid = json!([{"receivable": receivable}]);
        self.announce(self.debtor, self.makers[0], "payment", FACE, &paid)
    }

    fn announce(
        &mut self,
        by: &Party,
        to: &Seller,
        purpose: &str,
        amount: u64,
        discharges: &Value,
    ) -> Result<LegId> {
        let body = json!({
            "purpose": purpose, "payee": to.party.id, "account": to.account, "amount": yuan(amount),
            "value_date": self.town.today(), "end_to_end_id": format!("PAY-{}", self.i), "currency": "CNY",
            "discharges": discharges,
        });
        Ok(LegId::of(&self.act(by, "leg.announce", &body)?, 0))
    }

    fn attest(&mut self, by: &Party, leg: LegId, booked: u64) -> Result<OpId> {
        let body = json!({
            "leg": leg, "booked": yuan(booked), "value_date": self.town.today(), "reference": format!("BOOKED-{}", self.i),
        });
        self.act(by, "leg.attest", &body)
    }
}

/// A year, as the terms say it and in thousandths.
const RATE: &str = "0.045";
const RATE_MILLIS: u64 = 45;

/// What a lender pays today for three quarters of a receivable: the face less the interest to the due day, by
/// ACT/360, rounded half up.
fn price(town: &Town) -> u64 {
    let (face, days) = (
        FACE - FACE / 4,
        town.today().days_until(town.due()).unsigned_abs(),
    );
    let (interest, whole) = (face * RATE_MILLIS * days, 360_000);
    face - (2 * interest + whole) / (2 * whole)
}

/// The first `some` of `count` parts that leave as much between them.
fn parts(receivable: ReceivableId, count: u64, some: u64) -> Vec<String> {
    let len = FACE / (2 * count);
    (0..some)
        .map(|n| address(receivable, 2 * n * len, (2 * n + 1) * len))
        .collect()
}

fn address(receivable: ReceivableId, lo: u64, hi: u64) -> String {
    format!("{receivable}:{lo}-{hi}")
}

fn yuan(fen: u64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
