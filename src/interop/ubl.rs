//! The fields of a UBL 2.1 invoice or credit note.

use roxmltree::Node;

use super::invoice::{Fields, Reading, StatedId, main_id};
use super::xml::{all, first, kids, text};

/// Reads the document element `Invoice` or `CreditNote`.
pub(super) fn read(root: Node<'_, '_>) -> Reading {
    let credit_note = root.tag_name().name() == "CreditNote";
    let party = |role: &str| all(root, &format!("{role}/Party")).into_iter().next();
    let (seller, buyer) = (
        party("AccountingSupplierParty"),
        party("AccountingCustomerParty"),
    );
    let of = |node: Option<Node<'_, '_>>, path: &str| {
        node.map(|node| first(node, path)).unwrap_or_default()
    };
    let total = |name: &str| first(root, &format!("LegalMonetaryTotal/{name}"));
    let currency = first(root, "DocumentCurrencyCode");
    let seller_ids = party_ids(seller, ["BT-29", "BT-30", "BT-31", "BT-32"]);
    let buyer_ids = party_ids(buyer, ["BT-46", "BT-47", "BT-48", ""]);
    let fields = Fields {
        number: first(root, "ID"),
        type_code: first(
            root,
            if credit_note {
                "CreditNoteTypeCode"
            } else {
                "InvoiceTypeCode"
            },
        ),
        issue: day(&first(root, "IssueDate")),
        due: day(&due(root, credit_note)),
        taxcur: first(root, "TaxCurrencyCode"),
        seller: of(seller, "PartyLegalEntity/RegistrationName"),
        seller_id: main_id(&seller_ids, "BT-29", "BT-30"),
        seller_vat: vat_id(seller),
        buyer: of(buyer, "PartyLegalEntity/RegistrationName"),
        buyer_id: main_id(&buyer_ids, "BT-46", "BT-47"),
        buyer_vat: vat_id(buyer),
        payee: first(root, "PayeeParty/PartyName/Name"),
        line_total: total("LineExtensionAmount"),
        allow: total("AllowanceTotalAmount"),
        charge: total("ChargeTotalAmount"),
        net: total("TaxExclusiveAmount"),
        tax: tax(root, &currency),
        gross: total("TaxInclusiveAmount"),
        prepaid: total("PrepaidAmount"),
        rounding: total("PayableRoundingAmount"),
        payable: total("PayableAmount"),
        order: first(root, "OrderReference/ID"),
        contract: first(root, "ContractDocumentReference/ID"),
        preceding: first(root, "BillingReference/InvoiceDocumentReference/ID"),
        despatch: first(root, "DespatchDocumentReference/ID"),
        receipt: first(root, "ReceiptDocumentReference/ID"),
        lines: lines(root).len().to_string(),
        pm: first(root, "PaymentMeans/PaymentMeansCode"),
        iban: first(root, "PaymentMeans/PayeeFinancialAccount/ID"),
        remit: first(root, "PaymentMeans/PaymentID"),
        currency,
    };
    Reading {
        profile: first(root, "CustomizationID"),
        fields,
        seller_ids: party_ids(seller, ["BT-29", "BT-30", "BT-31", "BT-32"]),
        buyer_ids,
    }
}

/// The invoice lines (BG-25).
pub(super) fn lines<'a, 'i>(root: Node<'a, 'i>) -> Vec<Node<'a, 'i>> {
    let name = match root.tag_name().name() {
        "CreditNote" => "CreditNoteLine",
        _ => "InvoiceLine",
    };
    kids(root, name).collect()
}

/// A UBL credit note has no due date of its own; BT-9 stands with the payment means.
fn due(root: Node<'_, '_>, credit_note: bool) -> String {
    first(
        root,
        if credit_note {
            "PaymentMeans/PaymentDueDate"
        } else {
            "DueDate"
        },
    )
}

/// The calendar day of an `xs:date`, which may carry a time zone.
fn day(date: &str) -> String {
    date.get(..10).unwrap_or(date).to_owned()
}

/// BT-110 is the VAT total in the invoice's currency; BT-111 stands beside it in another.
fn tax(root: Node<'_, '_>, currency: &str) -> String {
    all(root, "TaxTotal/TaxAmount")
        .into_iter()
        .find(|amount| amount.attribute("currencyID") == Some(currency))
        .map(text)
        .unwrap_or_default()
}

fn vat_id(party: Option<Node<'_, '_>>) -> String {
    tax_ids(party)
        .into_iter()
        .find_map(|(vat, id)| vat.then_some(id))
        .unwrap_or_default()
}

/// The tax registrations of a party, and whether each is for VAT.
fn tax_ids(party: Option<Node<'_, '_>>) -> Vec<(bool, String)> {
    let schemes = party.map(|party| all(party, "PartyTaxScheme"));
    schemes
        .unwrap_or_default()
        .into_iter()
        .map(|scheme| {
            let vat = first(scheme, "TaxScheme/ID").eq_ignore_ascii_case("VAT");
            (vat, first(scheme, "CompanyID"))
        })
        .filter(|(_, id)| !id.is_empty())
        .collect()
}

/// The identifiers of a party under the terms for its own, its legal, its VAT and its other tax identifiers; those without a term are
/// left out.
fn party_ids(party: Option<Node<'_, '_>>, terms: [&'static str; 4]) -> Vec<StatedId> {
    let Some(node) = party else { return Vec::new() };
    let stated = |term, path| {
        all(node, path).into_iter().map(move |id| StatedId {
            term,
            scheme: id.attribute("schemeID").unwrap_or_default().to_owned(),
            value: text(id),
        })
    };
    let taxes = tax_ids(party).into_iter().map(|(vat, value)| StatedId {
        term: if vat { terms[2] } else { terms[3] },
        scheme: String::new(),
        value,
    });
    stated(terms[0], "PartyIdentification/ID")
        .filter(|id| id.scheme != "SEPA") // BT-90, the creditor's identifier for direct debits
        .chain(stated(terms[1], "PartyLegalEntity/CompanyID"))
        .chain(taxes)
        .filter(|id| !id.value.is_empty() && !id.term.is_empty())
        .collect()
}
