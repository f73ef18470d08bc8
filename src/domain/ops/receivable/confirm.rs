//! `receivable.confirm`: the debtor owes it. What it confirms becomes the fens `[0, C)`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::absorb::{absorb, less};
use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{
    Confirmed, Contract, DefenceKind, Defences, Receivable, ReservedDefence, Runs, Stage,
};
use crate::domain::operation::{Consents, Operation};
use crate::domain::payment_day;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::rules::voucher_term;
use crate::domain::state::Effects;
use crate::domain::values::{Amount, Day, Fen, InvoiceId, Reason, ReceivableId};
use crate::domain::wire::words;

use super::{Item, by_debtor, named_once};

words! {
    /// How the debtor takes notice of transfers (Civil Code 546).
    pub enum Notice {
        /// By the entries of this ledger.
        Ledger = "ledger",
    }
}

/// A defence that the debtor keeps, in wire order.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reserved {
    /// Which.
    pub kind: DefenceKind,
    /// At most this much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<Amount>,
    /// Until that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// The debtor's defences, in wire order: nothing is waived unless named.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DefenceTerms {
    /// Given up, sorted, each named once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<DefenceKind>,
    /// Expressly kept, sorted by kind, each named once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<Reserved>,
}

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The receivable.
    pub receivable: ReceivableId,
    /// What is confirmed of which invoice.
    pub shares: Vec<Item>,
    /// The day it is due; where that is no business day, the next.
    pub due: Day,
    /// Why the due day lies further ahead than a voucher's does in principle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_reason: Option<Reason>,
    /// The debtor's defences.
    pub defences: DefenceTerms,
    /// How it takes notice of transfers.
    pub notice: Notice,
}

impl Operation for Confirm {
    const NAME: &'static str = "receivable.confirm";
    const SUMMARY: &'static str = "The debtor confirms a receivable in whole or in part";

    /// Later than the payment day only with the supplier's signature.
    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        Ok(Consents::perhaps(receivable.supplier))
    }
    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        at.stake(
            "amount",
            self.shares.iter().map(|item| &item.amount),
            receivable.currency,
        )
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let today = at.today()?;
        let receivable = at.named::<Receivable>(self.receivable)?;
        by_debtor(at, receivable)?;
        receivable.registered()?;
        at.actor()?.may_take_obligations(at)?;
        let amounts = self.amounts(at, receivable)?;
        let defences = self.defences.read(at, receivable)?;
        let mut draft = at.draft();
        check_vouchers(&draft, receivable)?;
        self.check_due(&mut draft, receivable, today)?;
        self.check_term(&mut draft, today)?;

        confirm_shares(&mut draft, receivable, &amounts);
        let face = Fen::sum(amounts.into_values())
            .expect("the sum was bounded when the receivable was registered");
        let due = at.rulebook_of(receivable.rulebook)?.calendar.roll(self.due);
        let runs = Runs::of_supplier(face.get().unsigned_abs(), receivable.supplier, due);
        draft.edit::<Receivable>(receivable.id).stage = Stage::Confirmed(Confirmed {
            at: at.time,
            face,
            due,
            defences,
            runs,
        });
        for share in &receivable.shares {
            absorb(&mut draft, share.invoice);
        }
        draft.tell(receivable.supplier);
        Ok(draft.done())
    }
}

impl Confirm {
    /// Itemised per invoice, each amount above zero and ≤ registered − disputed.
    fn amounts(
        &self,
        at: &Head<'_>,
        receivable: &Receivable,
    ) -> Result<BTreeMap<InvoiceId, Fen>, Refusal> {
        named_once(self.shares.iter().map(|item| item.invoice))?;
        let confirmable = |item: &Item| {
            let amount = item.undisputed(at, receivable)?;
            Ok((item.invoice, amount))
        };
        self.shares.iter().map(confirmable).collect()
    }

    /// `due` ≤ the receivable's payment day, later only with the supplier's signature; and not in the past.
    fn check_due(
        &self,
        draft: &mut Draft<'_>,
        receivable: &Receivable,
        today: Day,
    ) -> Result<(), Refusal> {
        ensure(today <= self.due, || {
            Refusal::new("receivable.due_past", "the due day lies in the past")
                .input("due", self.due)
                .input("today", today)
        })?;
        let last = payment_day::of_receivable(draft, receivable);
        if last.is_none_or(|last| self.due <= last) {
            return Ok(());
        }
        ensure(draft.head.also_signed(receivable.supplier), || {
            let refusal = Refusal::new(
                "receivable.due",
                "the due day lies behind the receivable's payment day",
            )
            .input("due", self.due)
            .remedy("an earlier day, or the supplier's signature");
            last.iter()
                .fold(refusal, |refusal, last| refusal.input("payment_day", last))
        })?;
        let reasoned = self.term_reason.is_some();
        payment_day::agreed_beyond(draft, receivable, today, self.due, reasoned)
    }

    /// `voucher.term` counts from the confirmation.
    fn check_term(&self, draft: &mut Draft<'_>, today: Day) -> Result<(), Refusal> {
        let rule = &draft.head.rulebook()?.rules.voucher_term;
        let reasoned = self.term_reason.is_some();
        voucher_term(draft, rule, today, self.due, reasoned)
    }
}

/// `sme.voucher`: needs the supplier's recorded agreement.
fn check_vouchers(draft: &Draft<'_>, receivable: &Receivable) -> Result<(), Refusal> {
    let contract = draft.get::<Contract>(receivable.contract);
    ensure(contract.terms.vouchers, || {
        Refusal::new(
            "sme.voucher",
            "the contract does not record the supplier's agreement to be paid by vouchers",
        )
        .input("contract", contract.id)
    })
}

/// The rest is released, but a live dispute keeps its part.
fn confirm_shares(
    draft: &mut Draft<'_>,
    receivable: &Receivable,
    amounts: &BTreeMap<InvoiceId, Fen>,
) {
    for share in &receivable.shares {
        let amount = amounts.get(&share.invoice).copied().unwrap_or(Fen::ZERO);
        let kept = draft.edit_share(receivable.id, share.invoice);
        kept.confirmed = amount;
        kept.registered = less(kept.registered, amount);
        let rest = less(share.confirmable(), amount);
        draft.release_undisputed(receivable.id, share.invoice, rest);
    }
}

impl DefenceTerms {
    fn read(&self, at: &Head<'_>, receivable: &Receivable) -> Result<Defences, Refusal> {
        let both = self
            .reserved
            .iter()
            .any(|kept| self.waived.contains(&kept.kind));
        let sorted = self.waived.is_sorted_by(|a, b| a < b)
            && self.reserved.is_sorted_by(|a, b| a.kind < b.kind);
        ensure(sorted && !both, || {
            Refusal::new(
                "receivable.defences",
                "defences are sorted, each kind is named once, and none is both waived and reserved",
            )
        })?;
        let reserved = |kept: &Reserved| {
            let cap = kept
                .cap
                .map(|cap| at.amount("cap", &cap, receivable.currency));
            Ok(ReservedDefence {
                kind: kept.kind,
                cap: cap.transpose()?,
                until: kept.until,
            })
        };
        Ok(Defences {
            waived: self.waived.clone(),
            reserved: self
                .reserved
                .iter()
                .map(reserved)
                .collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::contract::propose::Propose;
    use crate::domain::ops::delivery::{accept, reject};
    use crate::domain::ops::receivable::decline::Decline;
    use crate::domain::ops::receivable::dispute::{Dispute, Disputing};
    use crate::domain::rulebook::Rulebook;
    use crate::domain::testing::{
        HOSPITAL, LENDER, MAKER, SUPPLIER, World, fen, id, item, proposal, shipped_rulebook, wire,
    };
    use crate::domain::values::Size;

    /// Shares of 600.00 and 400.00 of two invoices. Delivered on 2026-06-01, it is to be paid by Friday, 2026-08-07.
    fn given() -> (World, Confirm) {
        given_under(shipped_rulebook(), proposal())
    }

    fn given_under(rulebook: Rulebook, terms: Propose) -> (World, Confirm) {
        let mut world = World::under(rulebook).with_parties();
        let contract = world.contract_of(SUPPLIER, HOSPITAL, terms);
        let first = world.invoice(contract, "INV-1", "1000.00", "0.00");
        let second = world.invoice(contract, "INV-2", "400.00", "0.00");
        let shares = [(first, "600.00"), (second, "400.00")];
        let receivable = world.registered(contract, &shares);
        let body = world.confirmation(receivable);
        (world, body)
    }

    fn reserved(kind: DefenceKind, cap: Option<&str>) -> Reserved {
        Reserved {
            kind,
            cap: cap.map(wire),
            until: None,
        }
    }

    #[test]
    fn a_confirmation_makes_the_fens_of_the_supplier() {
        let (mut world, body) = given();
        let receivable = body.receivable;
        world.act(HOSPITAL, body);
        let confirmed = world.receivable(receivable).confirmed().unwrap();
        assert_eq!(confirmed.face, fen("1000.00"));
        assert_eq!(confirmed.due, wire("2026-08-07"));
        assert_eq!(confirmed.defences, Defences::default());
        let of_supplier = Runs::of_supplier(100_000, id(SUPPLIER), confirmed.due);
        assert_eq!(confirmed.runs, of_supplier);
    }

    #[test]
    fn the_rest_is_released_but_a_live_dispute_keeps_its_part() {
        let (mut world, body) = given();
        let (receivable, first) = (body.receivable, body.shares[0].invoice);
        let second = body.shares[1].invoice;
        let disputed = Disputing {
            invoice: first,
            amount: wire("50.00"),
            code: wire("quality"),
            text: None,
        };
        let disputes = vec![disputed];
        world.act(
            HOSPITAL,
            Dispute {
                receivable,
                disputes,
            },
        );
        let shares = vec![item(first, "500.00")];
        world.act(HOSPITAL, Confirm { shares, ..body });
        let shares = &world.receivable(receivable).shares;
        let kept = |share: &crate::domain::objects::Share| (share.confirmed, share.registered);
        assert_eq!(kept(&shares[0]), (fen("500.00"), fen("50.00")));
        assert_eq!(kept(&shares[1]), (fen("0.00"), fen("0.00")));
        assert_eq!(world.get_invoice(first).consumed, fen("550.00"));
        assert_eq!(world.get_invoice(second).consumed, fen("0.00"));
        let contract = world.receivable(receivable).contract;
        assert_eq!(world.get_contract(contract).registered, fen("550.00"));
    }

    #[rstest]
    #[case::nothing(|body: &mut Confirm| { body.shares.clear(); }, "receivable.items")]
    #[case::of_nothing(|body: &mut Confirm| { body.shares[0].amount = wire("0.00"); }, "amount.zero")]
    #[case::of_half_a_fen(|body: &mut Confirm| { body.shares[0].amount = wire("1.005"); }, "amount.decimals")]
    #[case::one_invoice_twice(|body: &mut Confirm| { body.shares[1] = body.shares[0].clone(); }, "receivable.items")]
    #[case::more_than_registered(|body: &mut Confirm| { body.shares[0].amount = wire("600.01"); }, "receivable.confirmable")]
    #[case::of_another_invoice(
        |body: &mut Confirm| { body.shares[0].invoice = InvoiceId::from_bytes([0; 16]); },
        "receivable.share"
    )]
    #[case::due_after_the_payment_day(|body: &mut Confirm| { body.due = wire("2026-08-08"); }, "receivable.due")]
    #[case::due_yesterday(|body: &mut Confirm| { body.due = wire("2026-05-31"); }, "receivable.due_past")]
    #[case::unsorted(
        |body: &mut Confirm| { body.defences.waived = vec![DefenceKind::Delivery, DefenceKind::Quality]; },
        "receivable.defences"
    )]
    #[case::waived_twice(
        |body: &mut Confirm| { body.defences.waived = vec![DefenceKind::Quality; 2]; },
        "receivable.defences"
    )]
    #[case::reserved_twice(
        |body: &mut Confirm| { body.defences.reserved = vec![reserved(DefenceKind::SetOff, None); 2]; },
        "receivable.defences"
    )]
    #[case::waived_and_reserved(
        |body: &mut Confirm| {
            body.defences.waived = vec![DefenceKind::SetOff];
            body.defences.reserved = vec![reserved(DefenceKind::SetOff, None)];
        },
        "receivable.defences"
    )]
    #[case::reserved_up_to_nothing(
        |body: &mut Confirm| { body.defences.reserved = vec![reserved(DefenceKind::SetOff, Some("0.00"))]; },
        "amount.zero"
    )]
    fn refused(#[case] spoil: fn(&mut Confirm), #[case] rule: &str) {
        let (mut world, mut body) = given();
        spoil(&mut body);
        assert_eq!(world.refusal(HOSPITAL, body).rule, rule);
    }

    #[test]
    fn defences_are_kept_as_they_were_named() {
        let (mut world, mut body) = given();
        let receivable = body.receivable;
        body.defences.waived = vec![DefenceKind::Quality, DefenceKind::Delivery];
        body.defences.reserved = vec![reserved(DefenceKind::SetOff, Some("20.00"))];
        world.act(HOSPITAL, body);
        let defences = &world.receivable(receivable).confirmed().unwrap().defences;
        assert_eq!(defences.waived.len(), 2);
        assert_eq!(defences.reserved[0].cap, Some(fen("20.00")));
    }

    #[rstest]
    #[case::alone("2026-09-04", &[], Some("receivable.due"))]
    #[case::with_the_supplier("2026-09-04", &[SUPPLIER], None)]
    #[case::beyond_the_law_with_the_supplier("2026-09-05", &[SUPPLIER], Some("sme.term"))]
    #[case::with_another("2026-09-04", &[LENDER], Some("signature.not_asked"))]
    fn it_is_due_later_than_the_payment_day_only_with_the_supplier(
        #[case] due: &str,
        #[case] also: &[&str],
        #[case] rule: Option<&str>,
    ) {
        let (mut world, mut body) = given();
        world.on("2026-08-05");
        body.due = wire(due);
        let also: Vec<_> = also.iter().map(|party| id(party)).collect();
        match rule {
            Some(rule) => assert_eq!(world.refusal_with(HOSPITAL, &also, body).rule, rule),
            None => _ = world.act_with(HOSPITAL, &also, body),
        }
    }

    #[test]
    fn a_due_day_that_is_no_business_day_moves_to_the_next() {
        let (mut world, mut body) = given();
        let receivable = body.receivable;
        body.due = wire("2026-08-01");
        world.act(HOSPITAL, body);
        let due = world.receivable(receivable).confirmed().unwrap().due;
        assert_eq!(due, wire("2026-08-03"));
    }

    /// Accepted on 2026-06-03: to be paid by 2026-08-02. Rejected: from the issue date, by 2026-07-31.
    #[rstest]
    #[case::deemed(None, "2026-08-07")]
    #[case::accepted(Some(true), "2026-08-02")]
    #[case::rejected(Some(false), "2026-07-31")]
    fn the_payment_day_is_the_earliest_of_its_invoices(
        #[case] accepted: Option<bool>,
        #[case] last: &str,
    ) {
        let (mut world, body) = given();
        let delivery = world.get_invoice(body.shares[1].invoice).deliveries[0];
        world.on("2026-06-03");
        let reason = wire("two of ten pumps leak");
        match accepted {
            None => {}
            Some(true) => _ = world.act(HOSPITAL, accept::Accept { delivery }),
            Some(false) => _ = world.act(HOSPITAL, reject::Reject { delivery, reason }),
        }
        let last: Day = wire(last);
        let late = Confirm {
            due: last.plus_days(1),
            ..world.confirmation(body.receivable)
        };
        assert_eq!(world.refusal(HOSPITAL, late).rule, "receivable.due");
        world.act(HOSPITAL, Confirm { due: last, ..body });
    }

    #[rstest]
    #[case::in_principle("2026-12-01", false, None)]
    #[case::a_day_more("2026-12-02", false, Some("voucher.term"))]
    #[case::with_a_reason("2027-06-01", true, None)]
    #[case::above_a_year("2027-06-02", true, Some("voucher.term"))]
    fn a_voucher_runs_six_months_in_principle_and_a_year_at_most(
        #[case] due: &str,
        #[case] reasoned: bool,
        #[case] rule: Option<&str>,
    ) {
        let terms = Propose {
            debtor_size: Size::Medium,
            ..proposal()
        };
        let (mut world, mut body) = given_under(shipped_rulebook(), terms);
        body.due = wire(due);
        body.term_reason =
            reasoned.then(|| wire("the equipment is paid for as it is taken into use"));
        let also = [id(SUPPLIER)];
        match rule {
            Some(rule) => assert_eq!(world.refusal_with(HOSPITAL, &also, body).rule, rule),
            None => _ = world.act_with(HOSPITAL, &also, body),
        }
    }

    #[test]
    fn the_term_is_a_parameter_of_the_rulebook() {
        let mut rulebook = shipped_rulebook();
        rulebook.rules.voucher_term.params.months_in_principle = 2;
        let (mut world, body) = given_under(rulebook.clone(), proposal());
        assert_eq!(world.refusal(HOSPITAL, body).rule, "voucher.term");
        rulebook.rules.voucher_term.severity = crate::domain::rulebook::Severity::Warn;
        let (mut world, body) = given_under(rulebook.clone(), proposal());
        let effects = world.effects(HOSPITAL, body);
        assert_eq!(effects.warnings[0].rule, "voucher.term");
        rulebook.rules.voucher_term.severity = crate::domain::rulebook::Severity::Block;
        rulebook.rules.voucher_term.valid_from = Some(wire("2026-06-02"));
        let (mut world, body) = given_under(rulebook, proposal());
        world.act(HOSPITAL, body);
    }

    #[test]
    fn the_supplier_has_agreed_to_vouchers() {
        let terms = Propose {
            vouchers: false,
            ..proposal()
        };
        let (mut world, body) = given_under(shipped_rulebook(), terms);
        assert_eq!(world.refusal(HOSPITAL, body).rule, "sme.voucher");
    }

    #[test]
    fn it_is_confirmed_once_and_not_after_it_was_declined() {
        let (mut world, body) = given();
        let again = world.confirmation(body.receivable);
        world.act(HOSPITAL, body);
        assert_eq!(
            world.refusal(HOSPITAL, again).rule,
            "receivable.not_registered"
        );
        let (mut world, body) = given();
        let receivable = body.receivable;
        let reason = wire("nothing was ordered");
        world.act(HOSPITAL, Decline { receivable, reason });
        assert_eq!(
            world.refusal(HOSPITAL, body).rule,
            "receivable.not_registered"
        );
    }

    #[test]
    fn lapsed_identification_stops_it() {
        let (mut world, body) = given();
        world.on("2031-01-01");
        assert_eq!(world.refusal(HOSPITAL, body).rule, "party.kyc_lapsed");
    }

    #[rstest]
    #[case::its_supplier(SUPPLIER, "receivable.not_debtor")]
    #[case::a_stranger(MAKER, "unknown_object")]
    #[case::a_lender(LENDER, "unknown_object")]
    fn it_is_the_debtors(#[case] by: &str, #[case] rule: &str) {
        let (mut world, body) = given();
        assert_eq!(world.refusal(by, body).rule, rule);
    }
}
