//! `invoice.issue`: the supplier puts an invoice on the ledger, once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Contract, Delivery, Invoice, InvoiceState};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{
    Amount, ContractId, Currency, Day, DeliveryId, Digest, Fen, InvoiceId, Reference, SignedAmount,
};

use super::{new_document, new_fingerprint};

/// UNTDID 1001: commercial invoice.
const INVOICE: u16 = 380;
/// UNTDID 1001: corrected invoice.
const CORRECTED: u16 = 384;
/// An invoice bills at most this many deliveries.
const DELIVERIES_MOST: usize = 64;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// The contract it bills.
    pub contract: ContractId,
    /// Its number as printed (BT-1).
    pub number: Reference,
    /// UNTDID 1001 (BT-3): 380 or 384.
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
    const SUMMARY: &'static str = "The supplier puts an invoice under a contract on the ledger";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let contract = at.named::<Contract>(self.contract)?.active()?;
        ensure(at.by == contract.supplier, || {
            Refusal::new(
                "invoice.not_supplier",
                "an invoice is issued by the contract's supplier",
            )
            .input("contract", contract.id)
        })?;
        self.check_type(at, contract)?;
        self.check_day(contract, at.today()?)?;
        let sums = self.sums(at, contract)?;
        self.check_deliveries(at, contract)?;
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
        Ok(draft.done())
    }
}

impl Issue {
    /// 380, or 384 with the invoice that it corrects.
    fn check_type(&self, at: &Head<'_>, contract: &Contract) -> Result<(), Refusal> {
        ensure([INVOICE, CORRECTED].contains(&self.type_code), || {
            Refusal::new(
                "invoice.type",
                "an invoice of this type is not yet supported",
            )
            .input("type_code", self.type_code)
            .remedy(format!(
                "{INVOICE} (invoice) or {CORRECTED} (corrected invoice)"
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
