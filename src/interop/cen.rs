//! Rules of the official EN 16931 syntax bindings that are judged on the document tree, because the model the other rules run on does not
//! show them.

use roxmltree::Node;
use rust_decimal::{Decimal, RoundingStrategy};

use super::cii::{SETTLEMENT, SUMMATION};
use super::invoice::{Fields, InvoiceDocument, Syntax};
use super::report::{HITS_MAX, RuleHit};
use super::xml::{all, first, kids, place, text};

/// `CII-DT-015` to `030`: what a referenced document may not say in the EN 16931 subset, and with which type codes an
/// `AdditionalReferencedDocument` may say it all the same.
const REFERENCED_DOCUMENT: &[(&str, &str, &[&str])] = &[
    ("CII-DT-015", "URIID", &["916"]),
    ("CII-DT-016", "StatusCode", &[]),
    ("CII-DT-017", "CopyIndicator", &[]),
    ("CII-DT-018", "TypeCode", &["50", "130", "916"]),
    ("CII-DT-019", "GlobalID", &[]),
    ("CII-DT-020", "RevisionID", &[]),
    ("CII-DT-021", "Name", &["916"]),
    ("CII-DT-022", "AttachmentBinaryObject", &["916"]),
    ("CII-DT-023", "Information", &[]),
    ("CII-DT-024", "ReferenceTypeCode", &["130"]),
    ("CII-DT-025", "SectionName", &[]),
    ("CII-DT-026", "PreviousRevisionID", &[]),
    ("CII-DT-028", "EffectiveSpecifiedPeriod", &[]),
    ("CII-DT-029", "IssuerTradeParty", &[]),
    ("CII-DT-030", "AttachedSpecifiedBinaryFile", &[]),
];

/// The rules of the binding of the document's syntax.
pub(super) fn binding(root: Node<'_, '_>, document: &InvoiceDocument) -> Vec<RuleHit> {
    let mut hits = missing_totals(&document.fields);
    match document.syntax {
        Syntax::Ubl => hits.extend(amount_decimals(root)),
        Syntax::Cii => {
            hits.extend(tax_currency(root));
            hits.extend(charge_total(root));
            hits.extend(payment_means(root));
            let elements = || root.descendants().filter(Node::is_element);
            hits.extend(elements().flat_map(referenced_document).take(HITS_MAX));
            hits.extend(elements().filter_map(amount_attributes).take(HITS_MAX));
        }
    }
    hits
}

/// BR-12 to BR-15: An Invoice shall have the sum of its lines, its totals without and with VAT and the amount due; the model takes what is
/// missing for zero.
fn missing_totals(fields: &Fields) -> Vec<RuleHit> {
    [
        ("BR-12", "BT-106", &fields.line_total),
        ("BR-13", "BT-109", &fields.net),
        ("BR-14", "BT-112", &fields.gross),
        ("BR-15", "BT-115", &fields.payable),
    ]
    .into_iter()
    .filter(|(_, _, total)| total.is_empty())
    .map(|(rule, term, _)| RuleHit::new(rule, format!("{term} is missing"), term))
    .collect()
}

/// Whether a finding of the model counts. CII's BT-83 may stand without payment means, which the model takes for means without a type
/// code; so BR-49 of a CII document is judged on the tree alone.
pub(super) fn stands(rule: &str, syntax: Syntax) -> bool {
    rule != "BR-49" || syntax == Syntax::Ubl
}

/// UBL-DT-01: Amounts shall be decimal up to two fraction digits; prices (BT-146 to BT-148) may have more.
fn amount_decimals(root: Node<'_, '_>) -> Vec<RuleHit> {
    root.descendants()
        .filter(|node| {
            let name = node.tag_name().name();
            name.ends_with("Amount") && !name.ends_with("PriceAmount") && !is_in_price(*node)
        })
        .filter(|node| {
            text(*node)
                .split_once('.')
                .is_some_and(|(_, fraction)| fraction.len() > 2)
        })
        .take(HITS_MAX)
        .map(|node| {
            RuleHit::new(
                "UBL-DT-01",
                format!("\"{}\" has more than two decimals", text(node)),
                place(node),
            )
        })
        .collect()
}

fn is_in_price(node: Node<'_, '_>) -> bool {
    node.ancestors()
        .any(|above| above.tag_name().name() == "Price")
}

/// BR-53: If the VAT accounting currency code (BT-6) is present, then the Invoice total VAT amount in accounting currency (BT-111) shall be
/// provided. In CII a VAT currency equal to the invoice's has no total of its own and so breaks the rule as well.
fn tax_currency(root: Node<'_, '_>) -> Option<RuleHit> {
    let settlement = all(root, SETTLEMENT).into_iter().next()?;
    let wanted = first(settlement, "TaxCurrencyCode");
    kids(settlement, "TaxCurrencyCode").next()?;
    let stated = all(settlement, &format!("{SUMMATION}/TaxTotalAmount"))
        .into_iter()
        .any(|amount| amount.attribute("currencyID") == Some(wanted.as_str()));
    let own = wanted != first(settlement, "InvoiceCurrencyCode");
    (!stated || !own).then(|| {
        RuleHit::new(
            "BR-53",
            format!("VAT is accounted in {wanted}, but no VAT total in a currency other than the invoice's is given"),
            "BT-111",
        )
    })
}

/// BR-CO-12: Sum of charges on document level (BT-108) = Σ Document level charge amount (BT-99). A logistics service charge of the extended
/// profile is no such charge.
fn charge_total(root: Node<'_, '_>) -> Option<RuleHit> {
    let settlement = all(root, SETTLEMENT).into_iter().next()?;
    let stated = all(settlement, &format!("{SUMMATION}/ChargeTotalAmount"))
        .into_iter()
        .next()?;
    let sum = kids(settlement, "SpecifiedTradeAllowanceCharge")
        .filter(|entry| {
            matches!(
                first(*entry, "ChargeIndicator/Indicator").as_str(),
                "true" | "1"
            )
        })
        .map(|charge| decimal(&first(charge, "ActualAmount")))
        .try_fold(Decimal::ZERO, |sum, amount| sum.checked_add(amount?))?
        .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    (decimal(&text(stated))? != sum).then(|| {
        RuleHit::new(
            "BR-CO-12",
            format!(
                "the charges add up to {sum}, but their total is stated as {}",
                text(stated)
            ),
            place(stated),
        )
    })
}

fn decimal(value: &str) -> Option<Decimal> {
    Decimal::from_str_exact(value).ok()
}

/// BR-49: A Payment instruction (BG-16) shall specify the Payment means type code (BT-81).
fn payment_means(root: Node<'_, '_>) -> Vec<RuleHit> {
    all(
        root,
        &format!("{SETTLEMENT}/SpecifiedTradeSettlementPaymentMeans"),
    )
    .into_iter()
    .filter(|means| kids(*means, "TypeCode").next().is_none())
    .take(HITS_MAX)
    .map(|means| RuleHit::new("BR-49", "payment means without a type code", place(means)))
    .collect()
}

fn referenced_document(node: Node<'_, '_>) -> Vec<RuleHit> {
    let name = node.tag_name().name();
    if !name.ends_with("ReferencedDocument") {
        return Vec::new();
    }
    let code = first(node, "TypeCode");
    REFERENCED_DOCUMENT
        .iter()
        .filter(|(_, child, codes)| {
            let excused = name == "AdditionalReferencedDocument" && codes.contains(&code.as_str());
            kids(node, child).next().is_some() && !excused
        })
        // CII-DT-027: FormattedIssueDateTime should not be present, but for the preceding invoice (BT-26).
        .map(|(rule, child, _)| (*rule, *child))
        .chain(
            (name != "InvoiceReferencedDocument"
                && kids(node, "FormattedIssueDateTime").next().is_some())
            .then_some(("CII-DT-027", "FormattedIssueDateTime")),
        )
        .map(|(rule, child)| {
            RuleHit::new(
                rule,
                format!("{child} may not stand in {name}"),
                place(node),
            )
        })
        .collect()
}

/// CII-DT-031 and 032: amounts other than the VAT total carry no currency; it is the invoice's.
fn amount_attributes(node: Node<'_, '_>) -> Option<RuleHit> {
    let name = node.tag_name().name();
    let (rule, attribute) = [
        ("CII-DT-031", "currencyID"),
        ("CII-DT-032", "currencyCodeListVersionID"),
    ]
    .into_iter()
    .find(|(_, attribute)| node.has_attribute(*attribute))?;
    (name.ends_with("Amount") && name != "TaxTotalAmount").then(|| {
        RuleHit::new(
            rule,
            format!("{name} may not carry {attribute}"),
            place(node),
        )
    })
}
