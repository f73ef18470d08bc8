//! The fields of a UN/CEFACT Cross Industry Invoice.

use roxmltree::Node;

use super::invoice::{Fields, Reading, StatedId, main_id};
use super::xml::{all, first, text};

const AGREEMENT: &str = "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement";
const DELIVERY: &str = "SupplyChainTradeTransaction/ApplicableHeaderTradeDelivery";
/// The header's settlement: currencies, payment, taxes, totals.
pub(super) const SETTLEMENT: &str = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement";
/// The document totals (BG-22), below the settlement.
pub(super) const SUMMATION: &str = "SpecifiedTradeSettlementHeaderMonetarySummation";

/// Reads the document element `CrossIndustryInvoice`.
pub(super) fn read(root: Node<'_, '_>) -> Reading {
    let agreement = |path: &str| first(root, &format!("{AGREEMENT}/{path}"));
    let delivery = |path: &str| first(root, &format!("{DELIVERY}/{path}"));
    let settlement = |path: &str| first(root, &format!("{SETTLEMENT}/{path}"));
    let total = |name: &str| settlement(&format!("{SUMMATION}/{name}"));
    let party = |role: &str| all(root, &format!("{AGREEMENT}/{role}")).into_iter().next();
    let (seller, buyer) = (party("SellerTradeParty"), party("BuyerTradeParty"));
    let currency = settlement("InvoiceCurrencyCode");
    let seller_ids = party_ids(seller, ["BT-29", "BT-30", "BT-31", "BT-32"]);
    let buyer_ids = party_ids(buyer, ["BT-46", "BT-47", "BT-48", ""]);
    let fields = Fields {
        number: first(root, "ExchangedDocument/ID"),
        type_code: first(root, "ExchangedDocument/TypeCode"),
        issue: day(&first(
            root,
            "ExchangedDocument/IssueDateTime/DateTimeString",
        )),
        due: day(&settlement(
            "SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString",
        )),
        taxcur: settlement("TaxCurrencyCode"),
        seller: agreement("SellerTradeParty/Name"),
        seller_id: main_id(&seller_ids, "BT-29", "BT-30"),
        seller_vat: vat_id(seller),
        buyer: agreement("BuyerTradeParty/Name"),
        buyer_id: main_id(&buyer_ids, "BT-46", "BT-47"),
        buyer_vat: vat_id(buyer),
        payee: settlement("PayeeTradeParty/Name"),
        line_total: total("LineTotalAmount"),
        allow: total("AllowanceTotalAmount"),
        charge: total("ChargeTotalAmount"),
        net: total("TaxBasisTotalAmount"),
        tax: tax(root, &currency),
        gross: total("GrandTotalAmount"),
        prepaid: total("TotalPrepaidAmount"),
        rounding: total("RoundingAmount"),
        payable: total("DuePayableAmount"),
        order: agreement("BuyerOrderReferencedDocument/IssuerAssignedID"),
        contract: agreement("ContractReferencedDocument/IssuerAssignedID"),
        preceding: settlement("InvoiceReferencedDocument/IssuerAssignedID"),
        despatch: delivery("DespatchAdviceReferencedDocument/IssuerAssignedID"),
        receipt: delivery("ReceivingAdviceReferencedDocument/IssuerAssignedID"),
        lines: lines(root).len().to_string(),
        pm: settlement("SpecifiedTradeSettlementPaymentMeans/TypeCode"),
        iban: account(root),
        remit: settlement("PaymentReference"),
        currency,
    };
    Reading {
        profile: first(
            root,
            "ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID",
        ),
        fields,
        seller_ids,
        buyer_ids,
    }
}

/// The invoice lines (BG-25).
pub(super) fn lines<'a, 'i>(root: Node<'a, 'i>) -> Vec<Node<'a, 'i>> {
    all(
        root,
        "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem",
    )
}

/// `YYYYMMDD` (format 102) as `YYYY-MM-DD`; anything else as it is.
pub(super) fn day(date: &str) -> String {
    if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) {
        format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..])
    } else {
        date.to_owned()
    }
}

/// BT-110 is the VAT total in the invoice's currency; BT-111 stands beside it in another.
fn tax(root: Node<'_, '_>, currency: &str) -> String {
    all(root, &format!("{SETTLEMENT}/{SUMMATION}/TaxTotalAmount"))
        .into_iter()
        .find(|amount| {
            amount
                .attribute("currencyID")
                .is_none_or(|id| id == currency)
        })
        .map(text)
        .unwrap_or_default()
}

/// BT-84, an IBAN or else the identifier of another kind of account.
fn account(root: Node<'_, '_>) -> String {
    let accounts = format!(
        "{SETTLEMENT}/SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount"
    );
    let iban = first(root, &format!("{accounts}/IBANID"));
    if iban.is_empty() {
        first(root, &format!("{accounts}/ProprietaryID"))
    } else {
        iban
    }
}

fn vat_id(party: Option<Node<'_, '_>>) -> String {
    let ids = party.map(|party| all(party, "SpecifiedTaxRegistration/ID"));
    ids.unwrap_or_default()
        .into_iter()
        .find(|id| id.attribute("schemeID") == Some("VA"))
        .map(text)
        .unwrap_or_default()
}

/// The identifiers of a party under the terms for its own, its legal, its VAT and its other tax identifiers; those without a term are
/// left out.
fn party_ids(party: Option<Node<'_, '_>>, terms: [&'static str; 4]) -> Vec<StatedId> {
    let Some(node) = party else { return Vec::new() };
    let scheme = |id: Node<'_, '_>| id.attribute("schemeID").unwrap_or_default().to_owned();
    let stated = |term, path| {
        all(node, path).into_iter().map(move |id| StatedId {
            term,
            scheme: scheme(id),
            value: text(id),
        })
    };
    let taxes = all(node, "SpecifiedTaxRegistration/ID")
        .into_iter()
        .map(|id| StatedId {
            term: if scheme(id) == "VA" {
                terms[2]
            } else {
                terms[3]
            },
            scheme: String::new(),
            value: text(id),
        });
    stated(terms[0], "GlobalID")
        .chain(stated(terms[0], "ID"))
        .chain(stated(terms[1], "SpecifiedLegalOrganization/ID"))
        .chain(taxes)
        .filter(|id| !id.value.is_empty() && !id.term.is_empty())
        .collect()
}
