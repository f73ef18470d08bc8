//! The first trade: a hospital owes a supplier 900,017.00, which is passed on, financed, paid and waiting, piece by piece.
//!
//! Every amount, number and reference stands once in the scene, so that finding one somewhere says whose it is.

use counterfoil::domain::values::{
    ContractId, DeliveryId, InvoiceId, ObligationId, ReceivableId, TransferId,
};
use serde_json::{Value, json};

use super::money::{Leg, Sale};
use super::scene::{Scene, digest};

/// Passed on to the maker, which sells the lower part.
pub(super) const TO_MAKER: (u64, u64) = (0, 20_002_300);
pub(super) const MAKER_SELLS: (u64, u64) = (0, 8_003_100);
/// Passed on to the carrier, which passes all of it on to the smith.
pub(super) const TO_CARRIER: (u64, u64) = (20_002_300, 30_006_000);
/// Before invited lenders, visibly.
pub(super) const VISIBLE: (u64, u64) = (30_006_000, 45_010_700);
/// Before any lender, sealed.
pub(super) const SEALED: (u64, u64) = (45_010_700, 55_016_000);
/// Sold to bank B, which has announced the price.
pub(super) const WAITING: (u64, u64) = (55_016_000, 62_021_900);
/// Sold to bank A and paid.
pub(super) const FUNDED: (u64, u64) = (62_021_900, 70_028_000);
/// Sold to the factor, whose payment came back.
pub(super) const RETURNED: (u64, u64) = (70_028_000, 74_034_700);
/// Proposed to the maker.
pub(super) const PROPOSED: (u64, u64) = (74_034_700, 78_041_800);
/// Proposed to the carrier and declined; then put before lenders and withdrawn.
pub(super) const DECLINED: (u64, u64) = (78_041_800, 80_049_100);

/// A contract, as one of the two proposes it.
pub(super) struct Paper<'p> {
    pub(super) supplier: (&'static str, &'static str),
    pub(super) debtor: (&'static str, &'static str),
    pub(super) number: &'p str,
    pub(super) value: &'static str,
}

/// An invoice's number, net, tax and gross.
pub(super) type Bill = [&'static str; 4];

impl Scene {
    pub(super) fn paper(&self, paper: &Paper<'_>) -> Value {
        json!({
            "supplier": self.party(paper.supplier.0).id, "debtor": self.party(paper.debtor.0).id,
            "number": paper.number, "currency": "CNY", "value": paper.value, "concluded": "2026-05-20",
            "payment_days": 60, "term_reason": "an acceptance test", "inspection_days": 7,
            "supplier_size": paper.supplier.1, "debtor_size": paper.debtor.1, "grace_days": 0, "vouchers": true,
            "document": digest(paper.number),
        })
    }

    /// A contract that the supplier proposes and the debtor accepts.
    pub(super) fn conclude(&mut self, name: &'static str, paper: &Paper<'_>) {
        let (supplier, debtor) = (paper.supplier.0, paper.debtor.0);
        let body = self.paper(paper);
        let contract = self.make::<ContractId>(name, supplier, debtor, "contract.propose", body);
        self.act(
            debtor,
            supplier,
            "contract.accept",
            json!({ "contract": contract }),
        );
    }

    /// An invoice, with the deliveries it bills.
    pub(super) fn bill(
        &mut self,
        name: &'static str,
        contract: (&str, &'static str, &str),
        bill: Bill,
        deliveries: &[&str],
    ) {
        let (contract, supplier, debtor) = contract;
        let [number, net, tax, gross] = bill;
        let mut body = json!({
            "contract": self.id(contract), "number": number, "type_code": 380, "issued": "2026-05-25",
            "currency": "CNY", "net": net, "tax": tax, "gross": gross,
        });
        if !deliveries.is_empty() {
            let ids: Vec<_> = deliveries.iter().map(|name| self.id(name)).collect();
            body["deliveries"] = json!(ids);
        }
        body["document"] = json!(digest(number));
        self.make::<InvoiceId>(name, supplier, debtor, "invoice.issue", body);
    }

    pub(super) fn deliver(
        &mut self,
        name: &'static str,
        contract: (&str, &'static str, &str),
        number: &str,
        amount: &str,
    ) {
        let (contract, supplier, debtor) = contract;
        let body = json!({
            "contract": self.id(contract), "number": number, "delivered": "2026-05-25", "amount": amount,
        });
        self.make::<DeliveryId>(name, supplier, debtor, "delivery.record", body);
    }

    pub(super) fn register(
        &mut self,
        name: &'static str,
        contract: (&str, &'static str, &str),
        invoice: &str,
        amount: &str,
    ) {
        let (contract, supplier, debtor) = contract;
        let shares = json!([{ "invoice": self.id(invoice), "amount": amount }]);
        let body = json!({ "contract": self.id(contract), "shares": shares });
        self.make::<ReceivableId>(name, supplier, debtor, "receivable.register", body);
    }

    pub(super) fn confirm(
        &mut self,
        receivable: &str,
        debtor: &'static str,
        supplier: &str,
        invoice: &str,
        amount: &str,
        cap: &str,
    ) {
        let body = json!({
            "receivable": self.id(receivable), "shares": [{ "invoice": self.id(invoice), "amount": amount }],
            "due": "2026-07-20",
            "defences": { "waived": ["set_off"], "reserved": [{ "kind": "quality", "cap": cap, "until": "2026-07-20" }] },
            "notice": "ledger",
        });
        self.act(debtor, supplier, "receivable.confirm", body);
    }

    pub(super) fn play_first_trade(&mut self) {
        self.on("2026-05-22", "01:00");
        self.contracts();
        self.on("2026-05-25", "01:00");
        self.goods_and_bills();
        self.on("2026-05-26", "01:00");
        self.receivables();
        self.on("2026-05-27", "01:00");
        self.transfers();
        self.on("2026-05-28", "01:00");
        self.sales();
        self.on("2026-05-29", "01:00");
        self.waiting();
    }

    fn contracts(&mut self) {
        let main = Paper {
            supplier: ("supplier", "small"),
            debtor: ("hospital", "public_body"),
            number: "HT-11-MAIN",
            value: "1200011.00",
        };
        self.conclude("ctr-main", &main);
        let owed = [
            (
                "ctr-parts",
                ("maker", "micro"),
                ("supplier", "small"),
                "HT-12-PARTS",
                "500013.00",
            ),
            (
                "ctr-haul",
                ("carrier", "small"),
                ("supplier", "small"),
                "HT-13-HAUL",
                "300017.00",
            ),
            (
                "ctr-forge",
                ("smith", "micro"),
                ("carrier", "small"),
                "HT-14-FORGE",
                "300019.00",
            ),
        ];
        for (name, supplier, debtor, number, value) in owed {
            self.conclude(
                name,
                &Paper {
                    supplier,
                    debtor,
                    number,
                    value,
                },
            );
        }
        // A change of one of them that waits for its debtor.
        let amended = json!({
            "contract": self.id("ctr-parts"), "value": "500113.00", "payment_days": 60, "inspection_days": 7,
            "grace_days": 0, "vouchers": true, "document": digest("HT-12-PARTS, amended"),
        });
        self.act("maker", "supplier", "contract.amend", amended);
        // One that the hospital proposed and nobody has answered, one that the supplier declined.
        let body = self.paper(&Paper {
            number: "HT-15-OPEN",
            value: "250021.00",
            ..main
        });
        self.make::<ContractId>("ctr-open", "hospital", "supplier", "contract.propose", body);
        let body = self.paper(&Paper {
            supplier: ("maker", "micro"),
            debtor: ("supplier", "small"),
            number: "HT-16-NO",
            value: "50023.00",
        });
        let contract =
            self.make::<ContractId>("ctr-no", "maker", "supplier", "contract.propose", body);
        self.act(
            "supplier",
            "maker",
            "contract.decline",
            json!({ "contract": contract }),
        );
    }

    fn goods_and_bills(&mut self) {
        let main = ("ctr-main", "supplier", "hospital");
        self.deliver("dlv-main", main, "LS-21-MAIN", "900029.00");
        self.deliver("dlv-open", main, "LS-22-OPEN", "15031.00");
        self.deliver("dlv-no", main, "LS-23-NO", "16033.00");
        self.deliver(
            "dlv-parts",
            ("ctr-parts", "maker", "supplier"),
            "LS-24-PARTS",
            "233037.00",
        );
        let body = json!({ "delivery": self.id("dlv-main") });
        self.act("hospital", "supplier", "delivery.accept", body);
        let body =
            json!({ "delivery": self.id("dlv-no"), "reason": "the pumps leak at the collar" });
        self.act("hospital", "supplier", "delivery.reject", body);

        self.bill(
            "inv-main",
            main,
            ["FP-31-MAIN", "796475.22", "103541.78", "900017.00"],
            &["dlv-main"],
        );
        self.bill(
            "inv-open",
            main,
            ["FP-32-OPEN", "98246.02", "12771.98", "111018.00"],
            &[],
        );
        self.bill(
            "inv-no",
            main,
            ["FP-33-NO", "18612.39", "2419.61", "21032.00"],
            &[],
        );
        self.bill(
            "inv-flag",
            main,
            ["FP-34-FLAG", "27465.49", "3570.51", "31036.00"],
            &[],
        );
        self.bill(
            "inv-void",
            main,
            ["FP-35-VOID", "36318.58", "4721.42", "41040.00"],
            &[],
        );
        let parts = ("ctr-parts", "maker", "supplier");
        self.bill(
            "inv-parts",
            parts,
            ["FP-36-PARTS", "206219.47", "26808.53", "233028.00"],
            &["dlv-parts"],
        );
        let haul = ("ctr-haul", "carrier", "supplier");
        self.bill(
            "inv-haul",
            haul,
            ["FP-37-HAUL", "108000.88", "14040.12", "122041.00"],
            &[],
        );
        let forge = ("ctr-forge", "smith", "carrier");
        self.bill(
            "inv-forge",
            forge,
            ["FP-38-FORGE", "117737.17", "15305.83", "133043.00"],
            &[],
        );

        let body = json!({ "invoice": self.id("inv-main") });
        self.act("inspector", "supplier hospital", "invoice.attest", body);
        let body = json!({ "invoice": self.id("inv-main") });
        self.act("hospital", "supplier", "invoice.book", body);
        let body = json!({
            "invoice": self.id("inv-flag"), "reason": "a twin of it was seen", "ends": "2026-06-30T00:00:00Z",
        });
        self.act("tax", "supplier hospital", "invoice.flag", body);
        let body = json!({ "invoice": self.id("inv-void") });
        self.act("supplier", "hospital", "invoice.void", body);
        let body = json!({
            "invoice": self.id("inv-open"), "number": "FP-39-CREDIT", "amount": "1009.00",
            "document": digest("FP-39-CREDIT"),
        });
        self.act("supplier", "hospital", "invoice.credit", body);
    }

    fn receivables(&mut self) {
        let main = ("ctr-main", "supplier", "hospital");
        self.register("rcv-main", main, "inv-main", "900017.00");
        self.confirm(
            "rcv-main",
            "hospital",
            "supplier",
            "inv-main",
            "900017.00",
            "45079.00",
        );
        self.register("rcv-open", main, "inv-open", "110009.00");
        let disputed = json!([{
            "invoice": self.id("inv-open"), "amount": "7013.00", "code": "short_delivery", "text": "two crates are missing",
        }]);
        let body = json!({ "receivable": self.id("rcv-open"), "disputes": disputed });
        self.act("hospital", "supplier", "receivable.dispute", body);
        self.register("rcv-no", main, "inv-no", "21032.00");
        let body = json!({ "receivable": self.id("rcv-no"), "reason": "nobody ordered it" });
        self.act("hospital", "supplier", "receivable.decline", body);
    }

    fn pass(
        &mut self,
        name: &'static str,
        by: (&'static str, &'static str),
        fens: (u64, u64),
        basis: Value,
        recourse: &str,
    ) {
        let (from, to) = by;
        let body = json!({
            "addresses": [self.at("rcv-main", fens)], "to": self.party(to).id, "recourse": recourse,
            "basis": basis, "expires": "2026-06-06T00:00:00Z",
        });
        self.make::<TransferId>(name, from, to, "transfer.propose", body);
    }

    fn take(&mut self, transfer: &str, by: &'static str, from: &str, op: &'static str) {
        let body = json!({ "transfer": self.id(transfer) });
        self.act(by, from, op, body);
    }

    fn transfers(&mut self) {
        let invoice = |scene: &Scene, name: &str| json!({ "invoice": scene.id(name) });
        let basis = invoice(self, "inv-parts");
        self.pass("trf-maker", ("supplier", "maker"), TO_MAKER, basis, "none");
        self.take("trf-maker", "maker", "supplier", "transfer.accept");
        let basis = invoice(self, "inv-haul");
        self.pass(
            "trf-carrier",
            ("supplier", "carrier"),
            TO_CARRIER,
            basis,
            "last",
        );
        self.take("trf-carrier", "carrier", "supplier", "transfer.accept");
        let basis = invoice(self, "inv-forge");
        self.pass(
            "trf-smith",
            ("carrier", "smith"),
            TO_CARRIER,
            basis,
            "chain",
        );
        self.take("trf-smith", "smith", "carrier", "transfer.accept");
        let basis = json!({ "contract": self.id("ctr-haul") });
        self.pass("trf-no", ("supplier", "carrier"), DECLINED, basis, "none");
        self.take("trf-no", "carrier", "supplier", "transfer.decline");
        let basis = json!({ "contract": self.id("ctr-parts") });
        self.pass("trf-open", ("supplier", "maker"), PROPOSED, basis, "none");
    }

    fn sale(requester: &'static str, fens: (u64, u64), invited: &'static [&'static str]) -> Sale {
        Sale {
            requester,
            receivable: "rcv-main",
            fens,
            invited,
            closes: "2026-06-03T04:00:00Z",
            accept_by: "2026-06-05T10:00:00Z",
        }
    }

    /// Requests that have ended: three accepted, one withdrawn.
    fn sales(&mut self) {
        self.set_limit("lim-a", "bank-a", "hospital", "1000131.00");
        self.set_limit("lim-b", "bank-b", "hospital", "800137.00");
        self.set_limit("lim-f", "factor", "hospital", "700139.00");

        self.ask(
            "req-sold",
            "visible",
            &Scene::sale("maker", MAKER_SELLS, &[]),
        );
        let terms = self.terms("0.0411", None);
        self.offer("ofr-sold", "factor", ("req-sold", "maker"), &terms);
        self.accept("fin-sold", "maker", ("ofr-sold", "factor"));
        self.fund(
            "leg-sold",
            "fin-sold",
            ("factor", "maker"),
            ("acc-maker", "bank-b"),
            "79546.75",
            ("E2E-41-SOLD", "BK-51-SOLD"),
        );

        self.ask(
            "req-done",
            "visible",
            &Scene::sale("supplier", FUNDED, &["bank-a", "factor"]),
        );
        let terms = self.terms("0.0413", Some(("bank-b", "61.61")));
        self.offer("ofr-done", "bank-a", ("req-done", "supplier"), &terms);
        let terms = self.terms("0.0497", Some(("bank-b", "67.67")));
        self.offer("ofr-lost", "factor", ("req-done", "supplier"), &terms);
        self.accept("fin-done", "supplier", ("ofr-done", "bank-a"));
        // The supplier's bank is the payer itself, so an authority attests.
        let leg = Leg {
            purpose: "disbursement",
            payer: "bank-a",
            payee: "supplier",
            account: "acc-supplier",
            bank: "bank-a",
            amount: "79512.60",
            day: "2026-05-28",
            reference: "E2E-42-DONE",
            pays: ("financing", "fin-done"),
        };
        self.announce("leg-done", &leg);
        let attested = self.book(
            "leg-done",
            &Leg { bank: "tax", ..leg },
            "79512.60",
            "BK-52-DONE",
        );
        self.call::<ObligationId>("obl-fee", &attested, 0);

        self.ask(
            "req-back",
            "visible",
            &Scene::sale("supplier", RETURNED, &["factor"]),
        );
        let terms = self.terms("0.0417", None);
        self.offer("ofr-back", "factor", ("req-back", "supplier"), &terms);
        self.accept("fin-back", "supplier", ("ofr-back", "factor"));
        self.fund(
            "leg-back",
            "fin-back",
            ("factor", "supplier"),
            ("acc-supplier", "bank-a"),
            "39821.02",
            ("E2E-43-BACK", "BK-53-BACK"),
        );
        let body = json!({ "leg": self.id("leg-back") });
        self.act("bank-a", "factor supplier", "leg.reverse", body);

        self.ask(
            "req-gone",
            "visible",
            &Scene::sale("supplier", DECLINED, &["bank-b"]),
        );
        let terms = self.terms("0.0433", None);
        self.offer("ofr-gone", "bank-b", ("req-gone", "supplier"), &terms);
        let body = json!({ "offer": self.id("ofr-gone") });
        self.act("bank-b", "supplier", "offer.withdraw", body);
        let body = json!({ "request": self.id("req-gone") });
        self.act("supplier", "", "request.withdraw", body);

        // The hospital pays the factor early, and too much.
        let leg = Leg {
            purpose: "payment",
            payer: "hospital",
            payee: "factor",
            account: "acc-factor",
            bank: "bank-a",
            amount: "80031.00",
            day: "2026-05-28",
            reference: "E2E-44-PAID",
            pays: ("receivable", "rcv-main"),
        };
        self.announce("leg-paid", &leg);
        let attested = self.book("leg-paid", &leg, "85083.00", "BK-54-PAID");
        self.call::<ObligationId>("obl-refund", &attested, 0);
    }

    /// A disbursement that is announced and attested.
    pub(super) fn fund(
        &mut self,
        name: &'static str,
        financing: &'static str,
        (payer, payee): (&'static str, &'static str),
        (account, bank): (&'static str, &'static str),
        price: &'static str,
        (reference, booking): (&'static str, &str),
    ) {
        let leg = Leg {
            purpose: "disbursement",
            payer,
            payee,
            account,
            bank,
            amount: price,
            day: "2026-05-28",
            reference,
            pays: ("financing", financing),
        };
        self.announce(name, &leg);
        self.book(name, &leg, price, booking);
    }

    /// What waits: an accepted offer whose price is announced, and a live request with two offers.
    fn waiting(&mut self) {
        self.ask(
            "req-wait",
            "visible",
            &Scene::sale("supplier", WAITING, &["bank-b"]),
        );
        let terms = self.terms("0.0419", None);
        self.offer("ofr-wait", "bank-b", ("req-wait", "supplier"), &terms);
        self.accept("fin-wait", "supplier", ("ofr-wait", "bank-b"));
        let leg = Leg {
            purpose: "disbursement",
            payer: "bank-b",
            payee: "supplier",
            account: "acc-supplier",
            bank: "bank-a",
            amount: "69659.45",
            day: "2026-06-01",
            reference: "E2E-45-WAIT",
            pays: ("financing", "fin-wait"),
        };
        self.announce("leg-wait", &leg);

        self.ask(
            "req-live",
            "visible",
            &Scene::sale("supplier", VISIBLE, &["bank-a", "factor"]),
        );
        let terms = self.terms("0.0421", Some(("bank-a", "71.71")));
        self.offer("ofr-live-a", "bank-a", ("req-live", "supplier"), &terms);
        let terms = self.terms("0.0423", Some(("factor", "73.73")));
        self.offer("ofr-live-f", "factor", ("req-live", "supplier"), &terms);
    }
}
