//! The second trade, which shares no party with the first: the works owe a workshop 300,089.00.

use counterfoil::domain::values::ObligationId;

use super::first_trade::Paper;
use super::money::{Leg, Sale};
use super::scene::Scene;

/// Sold to the fund.
pub(super) const SOLD: (u64, u64) = (0, 12_009_700);
/// Before any lender.
pub(super) const OPEN: (u64, u64) = (12_009_700, 20_020_800);

impl Scene {
    pub(super) fn play_second_trade(&mut self) {
        self.on("2026-06-01", "01:00");
        self.play_among_four();
        self.ask("req-any", "visible", &Scene::second(OPEN, &[]));
    }

    /// All of it but what is put before any lender.
    pub(super) fn play_among_four(&mut self) {
        let two = ("ctr-two", "workshop", "works");
        self.conclude(
            "ctr-two",
            &Paper {
                supplier: ("workshop", "small"),
                debtor: ("works", "large"),
                number: "HT-17-TWO",
                value: "700087.00",
            },
        );
        self.deliver("dlv-two", two, "LS-27-TWO", "300091.00");
        self.bill(
            "inv-two",
            two,
            ["FP-40-TWO", "265565.49", "34523.51", "300089.00"],
            &["dlv-two"],
        );
        self.register("rcv-two", two, "inv-two", "300089.00");
        self.confirm(
            "rcv-two",
            "works",
            "workshop",
            "inv-two",
            "300089.00",
            "15101.00",
        );
        self.set_limit("lim-two", "fund", "works", "600127.00");
        self.ask("req-two", "visible", &Scene::second(SOLD, &["fund"]));
        let terms = self.terms("0.0427", Some(("bank-c", "101.03")));
        self.offer("ofr-two", "fund", ("req-two", "workshop"), &terms);
        self.accept("fin-two", "workshop", ("ofr-two", "fund"));
        let leg = Leg {
            purpose: "disbursement",
            payer: "fund",
            payee: "workshop",
            account: "acc-workshop",
            bank: "bank-c",
            amount: "119297.97",
            day: "2026-06-01",
            reference: "E2E-47-TWO",
            pays: ("financing", "fin-two"),
        };
        self.announce("leg-two", &leg);
        let attested = self.book("leg-two", &leg, leg.amount, "BK-57-TWO");
        self.call::<ObligationId>("obl-two", &attested, 0);
        let leg = Leg {
            purpose: "payment",
            payer: "works",
            payee: "workshop",
            account: "acc-workshop",
            bank: "bank-c",
            amount: "30113.00",
            day: "2026-06-01",
            reference: "E2E-48-TWO",
            pays: ("receivable", "rcv-two"),
        };
        self.announce("leg-paid-two", &leg);
    }

    fn second(fens: (u64, u64), invited: &'static [&'static str]) -> Sale {
        Sale {
            requester: "workshop",
            receivable: "rcv-two",
            fens,
            invited,
            closes: "2026-06-03T05:00:00Z",
            accept_by: "2026-06-05T11:00:00Z",
        }
    }
}
