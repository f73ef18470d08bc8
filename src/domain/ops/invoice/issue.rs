//! `invoice.issue`: the supplier, or its debtor in its name (self-billing), puts an invoice on the ledger, once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Contract, Delivery, Invoice, InvoiceState};
use crate::domain::operation::{Consents, Operation};
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{
    Amount, ContractId, Currency, Day, DeliveryId, Digest, Fen, InvoiceId, Reference, SignedAmount,
};

use super::{new_document, new_fingerprint};

/// UNTDID 1001: commercial invoice.
const INVOICE: u16 = 380;
/// UNTDID 1001: corrected invoice.
const CORRECTED: u16 = 384;
/// UNTDID 1001: self-billed invoice.
const SELF_BILLED: u16 = 389;
/// An invoice bills at most this many deliveries.
const DELIVERIES_MOST: usize = 64;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// The contract it bills.
    pub contract: ContractId,
    /// Its number as printed (BT-1).
    pub number: Reference,
    /// UNTDID 1001 (BT-3): 380, 384, or 389 of the debtor in the supplier's name.
    pub type_code: u16,
    /// The day of issue (BT-2).
    pub issued: Day,
    /// The contract's currency (BT-5).
    pub currency: Currency,
    /// Without tax (BT-109).
    pub net: Amount,
    /// Tax (BT-110).
    pub tax: Amount,
    /// With tax (BT-112).
    pub gross: Amount,
    /// Paid before (BT-113).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepaid: Option<Amount>,
    /// Rounding of what is to pay (BT-114).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounding: Option<SignedAmount>,
    /// The deliveries it bills, each named once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<DeliveryId>,
    /// The invoice that a corrected one corrects (BT-25).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preceding: Option<InvoiceId>,
    /// Digest of the document.
    pub document: Digest,
}

/// The amounts of an invoice, in the smallest unit.
struct Sums {
    net: Fen,
    tax: Fen,
    gross: Fen,
    payable: Fen,
}

impl Operation for Issue {
    const NAME: &'static str = "invoice.issue";
    const SUMMARY: &'static str = "The supplier puts an invoice on the ledger, or the debtor a self-billed one with its consent";

    /// Self-billed: the supplier signs too. It is asked by a guard rather than here: whatever is judged as if all
    /// who are asked had signed would tell the debtor which numbers the supplier has used towards others.
    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        let contract = at.named::<Contract>(self.contract)?;
        Ok(match self.type_code {
            SELF_BILLED => Consents::perhaps(contract.supplier),
            _ => Consents::none(),
        })
    }

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        at.stake("gross", [&self.gross], self.currency)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let contract = at.named::<Contract>(self.contract)?.active()?;
        self.check_issuer(at, contract)?;
        self.check_type(at, contract)?;
        self.check_day(contract, at.today()?)?;
        let sums = self.sums(at, contract)?;
        self.check_deliveries(at, contract)?;
        self.check_consent(at, contract)?;
        let fingerprint = new_fingerprint(at, contract.supplier, &self.number)?;
        new_document(at, contract.supplier, self.document)?;

        let mut draft = at.draft();
        let id = draft.make_id();
        draft.put(Invoice {
            id,
            contract: contract.id,
            supplier: contract.supplier,
            debtor: contract.debtor,
            number: self.number.clone(),
            fingerprint,
            type_code: self.type_code,
            issued: self.issued,
            currency: self.currency,
            net: sums.net,
            tax: sums.tax,
            gross: sums.gross,
            payable: sums.payable,
            document: self.document,
            deliveries: self.deliveries.clone(),
            preceding: self.preceding,
            attested: None,
            flag: None,
            credits: Vec::new(),
            consumed: Fen::ZERO,
            diluted: Fen::ZERO,
            state: InvoiceState::Issued,
        });
        draft.tell(contract.debtor);
        draft.tell(contract.supplier);
        Ok(draft.done())
    }
}

impl Issue {
    fn check_issuer(&self, at: &Head<'_>, contract: &Contract) -> Result<(), Refusal> {
        if self.type_code == SELF_BILLED {
            return ensure(at.by == contract.debtor, || {
                Refusal::new(
                    "invoice.not_debtor",
                    "a self-billed invoice is issued by the contract's debtor",
                )
                .input("contract", contract.id)
            });
        }
        ensure(at.by == contract.supplier, || {
            Refusal::new(
                "invoice.not_supplier",
                "an invoice is issued by the contract's supplier",
            )
            .input("contract", contract.id)
            .remedy(format!(
                "{SELF_BILLED} (self-billed invoice), which the debtor issues with the supplier's signature"
            ))
        })
    }

    /// Nobody bills in another's name without its word.
    fn check_consent(&self, at: &Head<'_>, contract: &Contract) -> Result<(), Refusal> {
        let agreed = self.type_code != SELF_BILLED || at.also_signed(contract.supplier);
        ensure(agreed, || {
            Refusal::new(
                "invoice.agreement",
                "a self-billed invoice takes the supplier's signature too",
            )
            .input("supplier", contract.supplier)
            .remedy("the supplier signs the same envelope")
        })
    }

    /// 380, 389, or 384 with the invoice that it corrects.
    fn check_type(&self, at: &Head<'_>, contract: &Contract) -> Result<(), Refusal> {
        let types = [INVOICE, CORRECTED, SELF_BILLED];
        ensure(types.contains(&self.type_code), || {
            Refusal::new("invoice.type", "no invoice of this type is issued")
                .input("type_code", self.type_code)
                .remedy(format!(
                    "{INVOICE} (invoice), {CORRECTED} (corrected invoice) or {SELF_BILLED} (self-billed invoice)"
                ))
        })?;
        ensure(
            (self.type_code == CORRECTED) == self.preceding.is_some(),
            || {
                Refusal::new(
                    "invoice.preceding",
                    "a corrected invoice names the one that it corrects, and no other does",
                )
            },
        )?;
        let Some(preceding) = self.preceding else {
            return Ok(());
        };
        ensure(
            at.named::<Invoice>(preceding)?.contract == contract.id,
            || {
                Refusal::new(
                    "invoice.preceding",
                    "the invoice it corrects is of another contract",
                )
                .input("preceding", preceding)
            },
        )
    }

    fn check_day(&self, contract: &Contract, today: Day) -> Result<(), Refusal> {
        let concluded = contract.terms.concluded;
        ensure((concluded..=today).contains(&self.issued), || {
            Refusal::new(
                "invoice.issued",
                "an invoice is issued between the contract's conclusion and today",
            )
            .input("issued", self.issued)
            .input("concluded", concluded)
            .input("today", today)
        })
    }

    fn sums(&self, at: &Head<'_>, contract: &Contract) -> Result<Sums, Refusal> {
        let currency = self.currency;
        ensure(currency == contract.terms.currency, || {
            Refusal::new(
                "invoice.currency",
                "an invoice is in its contract's currency",
            )
            .input("currency", currency)
            .remedy(format!(
                "the contract's currency is {}",
                contract.terms.currency
            ))
        })?;
        let net = at.amount_or_zero("net", &self.net, currency)?;
        let tax = at.amount_or_zero("tax", &self.tax, currency)?;
        let gross = at.amount("gross", &self.gross, currency)?;
        ensure(net.checked_add(tax) == Some(gross), || {
            Refusal::new("invoice.sum", "net and tax do not add up to gross")
                .input("net", self.net)
                .input("tax", self.tax)
                .input("gross", self.gross)
        })?;
        let prepaid = self
            .prepaid
            .map(|paid| at.amount_or_zero("prepaid", &paid, currency));
        let payable =
            gross.get() - prepaid.transpose()?.unwrap_or(Fen::ZERO).get() + self.rounded(at)?;
        ensure(payable <= Fen::MAX.get(), || {
            Refusal::new("amount.overflow", "what is to pay is too large")
        })?;
        Ok(Sums {
            net,
            tax,
            gross,
            // A payable ≤ 0 is recorded but never registered.
            payable: Fen::new(payable).unwrap_or(Fen::ZERO),
        })
    }

    fn rounded(&self, at: &Head<'_>) -> Result<i64, Refusal> {
        let Some(rounding) = self.rounding else {
            return Ok(0);
        };
        let currencies = &at.rulebook()?.currencies;
        rounding.fen(self.currency, currencies).map_err(|error| {
            Refusal::new("amount.decimals", error.to_string())
                .input("rounding", rounding)
                .input("currency", self.currency)
        })
    }

    fn check_deliveries(&self, at: &Head<'_>, contract: &Contract) -> Result<(), Refusal> {
        let distinct: BTreeSet<_> = self.deliveries.iter().collect();
        let once = distinct.len() == self.deliveries.len();
        ensure(once && distinct.len() <= DELIVERIES_MOST, || {
            Refusal::new(
                "invoice.deliveries",
                format!("an invoice names each delivery once, and at most {DELIVERIES_MOST}"),
            )
        })?;
        for id in &self.deliveries {
            let delivery = at.named::<Delivery>(*id)?;
            ensure(delivery.contract == contract.id, || {
                Refusal::new("invoice.deliveries", "the delivery is of another contract")
                    .input("delivery", id)
            })?;
            ensure(delivery.accepted_on().is_some(), || {
                Refusal::new("delivery.rejected", "the delivery was rejected").input("delivery", id)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::contract::propose::Propose;
    use crate::domain::ops::delivery::reject::Reject;
    use crate::domain::testing::{
        HOSPITAL, MAKER, STRANGER, SUPPLIER, World, digest, fen, id, proposal, wire,
    };
    use crate::domain::values::MadeId;

    /// 100.00 with 13.00 of tax, and the delivery it bills.
    fn given() -> (World, Issue) {
        let mut world = World::new();
        let contract = world.contract();
        let body = world.billing(contract, "INV-0042", "100.00", "13.00");
        (world, body)
    }

    #[rstest]
    #[case::gross(|_: &mut Issue| {}, "113.00")]
    #[case::less_prepaid(|body: &mut Issue| { body.prepaid = Some(wire("13.00")); }, "100.00")]
    #[case::rounded_up(|body: &mut Issue| { body.rounding = Some(wire("0.05")); }, "113.05")]
    #[case::rounded_down(|body: &mut Issue| { body.rounding = Some(wire("-0.05")); }, "112.95")]
    #[case::paid_before(|body: &mut Issue| { body.prepaid = Some(wire("113.00")); }, "0.00")]
    #[case::overpaid(|body: &mut Issue| { body.prepaid = Some(wire("114.00")); }, "0.00")]
    fn its_payable_is_gross_less_prepaid_and_rounded(
        #[case] change: fn(&mut Issue),
        #[case] payable: &str,
    ) {
        let (mut world, mut body) = given();
        change(&mut body);
        let op = world.act(SUPPLIER, body);
        let invoice = world.get_invoice(InvoiceId::of(&op, 0));
        assert_eq!(invoice.payable, fen(payable));
        assert_eq!(invoice.gross, fen("113.00"));
    }

    #[rstest]
    #[case::self_billed_by_the_supplier(|body: &mut Issue| { body.type_code = 389; }, "invoice.not_debtor")]
    #[case::credit_note(|body: &mut Issue| { body.type_code = 381; }, "invoice.type")]
    #[case::corrected_without_preceding(|body: &mut Issue| { body.type_code = 384; }, "invoice.preceding")]
    #[case::preceded_without_correction(
        |body: &mut Issue| { body.preceding = Some(InvoiceId::from_bytes([0; 16])); },
        "invoice.preceding"
    )]
    #[case::of_tomorrow(|body: &mut Issue| { body.issued = wire("2026-06-02"); }, "invoice.issued")]
    #[case::before_the_contract(|body: &mut Issue| { body.issued = wire("2026-05-19"); }, "invoice.issued")]
    #[case::of_another_currency(|body: &mut Issue| { body.currency = wire("USD"); }, "invoice.currency")]
    #[case::a_fen_off(|body: &mut Issue| { body.gross = wire("113.01"); }, "invoice.sum")]
    #[case::of_nothing(
        |body: &mut Issue| { body.net = wire("0.00"); body.tax = wire("0.00"); body.gross = wire("0.00"); },
        "amount.zero"
    )]
    #[case::of_half_a_fen(|body: &mut Issue| { body.net = wire("100.000"); }, "amount.decimals")]
    #[case::rounded_by_half_a_fen(|body: &mut Issue| { body.rounding = Some(wire("-0.005")); }, "amount.decimals")]
    #[case::rounded_beyond(
        |body: &mut Issue| { body.rounding = Some(wire("9999999999999999.99")); },
        "amount.overflow"
    )]
    #[case::delivery_twice(|body: &mut Issue| { body.deliveries.push(body.deliveries[0]); }, "invoice.deliveries")]
    #[case::too_many_deliveries(
        |body: &mut Issue| { body.deliveries = (0..65).map(|n| DeliveryId::from_bytes([n; 16])).collect(); },
        "invoice.deliveries"
    )]
    #[case::no_such_delivery(
        |body: &mut Issue| { body.deliveries = vec![DeliveryId::from_bytes([0; 16])]; },
        "unknown_object"
    )]
    #[case::number_of_private_use(|body: &mut Issue| { body.number = wire("A\u{E000}"); }, "invoice.number")]
    fn refused(#[case] spoil: fn(&mut Issue), #[case] rule: &str) {
        let (mut world, mut body) = given();
        spoil(&mut body);
        assert_eq!(world.refusal(SUPPLIER, body).rule, rule);
    }

    fn self_billed() -> (World, Issue) {
        let (world, mut body) = given();
        body.type_code = SELF_BILLED;
        (world, body)
    }

    #[test]
    fn a_debtor_bills_in_the_suppliers_name_with_its_signature() {
        let (mut world, body) = self_billed();
        let op = world.act_with(HOSPITAL, &[id(SUPPLIER)], body);
        let invoice = world.get_invoice(InvoiceId::of(&op, 0));
        assert_eq!(invoice.supplier, id(SUPPLIER));
        assert_eq!(invoice.debtor, id(HOSPITAL));
        assert_eq!(invoice.type_code, 389);
        let (contract, invoice) = (invoice.contract, invoice.id);
        let receivable = world.registered(contract, &[(invoice, "113.00")]);
        world.act(HOSPITAL, world.confirmation(receivable));
    }

    #[rstest]
    #[case::the_debtor_alone(HOSPITAL, &[], "invoice.agreement")]
    #[case::with_somebody_else(HOSPITAL, &[MAKER], "signature.not_asked")]
    #[case::the_supplier(SUPPLIER, &[], "invoice.not_debtor")]
    #[case::a_stranger(STRANGER, &[SUPPLIER], "unknown_object")]
    fn nobody_else_does(#[case] by: &str, #[case] also: &[&str], #[case] rule: &str) {
        let (mut world, body) = self_billed();
        let also: Vec<_> = also.iter().map(|party| id(party)).collect();
        assert_eq!(world.refusal_with(by, &also, body).rule, rule);
    }

    #[rstest]
    #[case::corrected(384)]
    #[case::plain(380)]
    fn a_debtor_issues_no_other_type(#[case] type_code: u16) {
        let (mut world, mut body) = self_billed();
        body.type_code = type_code;
        assert_eq!(world.refusal(HOSPITAL, body).rule, "invoice.not_supplier");
    }

    /// What the supplier has billed to others is no debtor's to find out.
    #[test]
    fn without_the_supplier_a_number_in_use_reads_as_one_that_is_not() {
        let (mut world, body) = self_billed();
        let elsewhere = world.contract_of(SUPPLIER, STRANGER, other_contract());
        world.invoice(elsewhere, "INV-0042", "5.00", "0.00");
        let refusal = world.refusal(HOSPITAL, body);
        assert_eq!(refusal.rule, "invoice.agreement");
    }

    #[test]
    fn the_supplier_and_its_debtor_share_its_numbers() {
        let (mut world, body) = self_billed();
        let contract = body.contract;
        world.act_with(HOSPITAL, &[id(SUPPLIER)], body);
        let again = world.billing(contract, "INV-0042", "5.00", "0.00");
        assert_eq!(world.refusal(SUPPLIER, again).rule, "invoice.duplicate");
    }

    fn other_contract() -> Propose {
        Propose {
            number: wire("HT-2"),
            ..proposal()
        }
    }

    #[rstest]
    #[case::the_same("INV-0042")]
    #[case::en_dash("INV\u{2013}0042")]
    #[case::minus_sign("INV\u{2212}0042")]
    #[case::lower_case("inv-0042")]
    #[case::full_width("ＩＮＶ-0042")]
    #[case::spaced("INV - 0042")]
    fn a_number_is_one_however_it_is_typed(#[case] number: &str) {
        let (mut world, body) = given();
        let contract = body.contract;
        let first = InvoiceId::of(&world.act(SUPPLIER, body), 0);
        let again = Issue {
            number: wire(number),
            ..world.billing(contract, "another document", "5.00", "0.00")
        };
        let refusal = world.refusal(SUPPLIER, again);
        assert_eq!(refusal.rule, "invoice.duplicate");
        assert_eq!(refusal.inputs[1].value, first.to_string());
    }

    #[test]
    fn a_document_counts_once_per_seller() {
        let (mut world, body) = given();
        let contract = body.contract;
        world.act(SUPPLIER, body);
        let again = Issue {
            document: digest("INV-0042"),
            ..world.billing(contract, "INV-0043", "5.00", "0.00")
        };
        assert_eq!(world.refusal(SUPPLIER, again).rule, "invoice.document");
    }

    #[test]
    fn number_and_document_are_another_sellers_too() {
        let (mut world, body) = given();
        world.act(SUPPLIER, body);
        let contract = world.contract_of(MAKER, SUPPLIER, proposal());
        world.invoice(contract, "INV-0042", "5.00", "0.00");
    }

    #[test]
    fn a_corrected_invoice_names_one_of_the_same_contract() {
        let (mut world, body) = given();
        let contract = body.contract;
        let preceding = Some(InvoiceId::of(&world.act(SUPPLIER, body), 0));
        let other = world.contract_of(SUPPLIER, HOSPITAL, other_contract());
        let correcting = |body: Issue| Issue {
            type_code: 384,
            preceding,
            ..body
        };
        let elsewhere = correcting(world.billing(other, "INV-0043", "90.00", "0.00"));
        assert_eq!(world.refusal(SUPPLIER, elsewhere).rule, "invoice.preceding");
        let correction = correcting(world.billing(contract, "INV-0043", "90.00", "0.00"));
        world.act(SUPPLIER, correction);
    }

    #[test]
    fn it_bills_no_rejected_delivery_and_none_of_another_contract() {
        let (mut world, mut body) = given();
        let reason = wire("not what was ordered");
        let delivery = body.deliveries[0];
        world.act(HOSPITAL, Reject { delivery, reason });
        assert_eq!(world.refusal(SUPPLIER, body).rule, "delivery.rejected");
        let contract = world.contract_of(SUPPLIER, STRANGER, proposal());
        body = world.billing(contract, "INV-1", "5.00", "0.00");
        body.deliveries.push(delivery);
        assert_eq!(world.refusal(SUPPLIER, body).rule, "invoice.deliveries");
    }

    #[rstest]
    #[case::its_debtor(HOSPITAL, "invoice.not_supplier")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn it_is_the_suppliers(#[case] by: &str, #[case] rule: &str) {
        let (mut world, body) = given();
        assert_eq!(world.refusal(by, body).rule, rule);
    }

    #[test]
    fn the_contract_is_active() {
        let (mut world, mut body) = given();
        body.contract = ContractId::of(&world.act(HOSPITAL, proposal()), 0);
        assert_eq!(world.refusal(SUPPLIER, body).rule, "contract.not_active");
    }
}
