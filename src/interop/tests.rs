//! The whole of the importer on the fixtures: each rule broken once.

use proptest::prelude::*;
use proptest::sample::Index;
use rstest::rstest;
use sha2::{Digest, Sha256};

use super::{IssueFacts, Report, Verdict, check};

const UBL: &str = include_str!("../../fixtures/invoices/supplier-1.xml");
const CII: &str = include_str!("../../fixtures/invoices/supplier-1-cii.xml");
const CREDIT: &str = include_str!("../../fixtures/invoices/supplier-credit-1.xml");

/// The verdict on `document` with its first `from` made `to`.
fn changed(document: &str, from: &str, to: &str) -> Report {
    assert!(document.contains(from), "the fixture has no {from}");
    check(document.replacen(from, to, 1).as_bytes())
}

#[rstest]
#[case::ubl_1(UBL, "600000.00")]
#[case::ubl_2(include_str!("../../fixtures/invoices/supplier-2.xml"), "350000.00")]
#[case::ubl_3(include_str!("../../fixtures/invoices/supplier-3.xml"), "50000.00")]
#[case::ubl_components(include_str!("../../fixtures/invoices/components-1.xml"), "300000.00")]
#[case::ubl_credit(CREDIT, "10000.00")]
#[case::cii(CII, "600000.00")]
fn the_invoices_of_the_story_are_valid(#[case] document: &str, #[case] gross: &str) {
    let report = check(document.as_bytes());
    assert_eq!(
        (report.verdict, report.rules.as_slice()),
        (Verdict::Valid, [].as_slice())
    );
    assert_eq!(report.warnings, []);
    let facts = report.document.unwrap().facts().unwrap();
    assert_eq!(facts.gross.to_string(), gross);
    assert_eq!(facts.payable.to_string(), gross);
    assert!(facts.financeable);
}

#[test]
fn the_same_invoice_in_both_syntaxes_is_the_same_record() {
    let ubl = check(UBL.as_bytes()).document.unwrap();
    let cii = check(CII.as_bytes()).document.unwrap();
    assert_eq!(ubl.fields, cii.fields);
    assert_eq!(ubl.seller_ids, cii.seller_ids);
    assert_eq!(ubl.buyer_ids, cii.buyer_ids);
    let (ubl, cii) = (ubl.facts().unwrap(), cii.facts().unwrap());
    assert_ne!(ubl.document, cii.document, "they are different documents");
    assert_eq!(
        IssueFacts {
            document: cii.document,
            ..ubl
        },
        cii
    );
}

#[test]
fn a_credit_note_names_the_invoice_it_reduces_and_its_due_date() {
    let facts = check(CREDIT.as_bytes()).document.unwrap().facts().unwrap();
    assert_eq!(facts.kind.code(), 381);
    assert_eq!(facts.preceding.unwrap().as_str(), "26112000000000048217");
    assert_eq!(facts.due.unwrap().to_string(), "2026-08-14");
}

#[test]
fn the_digest_is_of_the_bytes_as_they_came() {
    let digest = |bytes: &[u8]| check(bytes).document.unwrap().digest;
    let with_mark = [b"\xEF\xBB\xBF", UBL.as_bytes()].concat();
    assert_eq!(
        digest(UBL.as_bytes()),
        <[u8; 32]>::from(Sha256::digest(UBL))
    );
    assert_ne!(digest(&with_mark), digest(UBL.as_bytes()));
}

/// Rules of EN 16931 and of the importer in UBL, each broken by one change.
#[rstest]
#[case("<cbc:ID>26112000000000048213</cbc:ID>", "", "BR-02")]
#[case("<cbc:IssueDate>2026-06-08</cbc:IssueDate>", "", "BR-03")]
#[case("<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>", "", "BR-04")]
#[case("<cbc:InvoiceTypeCode>380", "<cbc:InvoiceTypeCode>999", "BR-CL-01")]
#[case(
    "<cbc:DocumentCurrencyCode>CNY</cbc:DocumentCurrencyCode>",
    "",
    "BR-05"
)]
#[case(
    "<cbc:PayableAmount currencyID=\"CNY\">600000.00</cbc:PayableAmount>",
    "",
    "BR-15"
)]
#[case(
    "424778.80</cbc:LineExtensionAmount>",
    "424778.81</cbc:LineExtensionAmount>",
    "BR-CO-10"
)]
#[case(
    "<cbc:TaxExclusiveAmount currencyID=\"CNY\">530973.45",
    "<cbc:TaxExclusiveAmount currencyID=\"CNY\">530973.44",
    "BR-CO-13"
)]
#[case(
    "<cbc:TaxAmount currencyID=\"CNY\">69026.55",
    "<cbc:TaxAmount currencyID=\"CNY\">69026.56",
    "BR-CO-14"
)]
#[case(
    "<cbc:TaxInclusiveAmount currencyID=\"CNY\">600000.00",
    "<cbc:TaxInclusiveAmount currencyID=\"CNY\">600000.01",
    "BR-CO-15"
)]
#[case(
    "<cbc:PayableAmount currencyID=\"CNY\">600000.00",
    "<cbc:PayableAmount currencyID=\"CNY\">600000.01",
    "BR-CO-16"
)]
#[case(
    "<cbc:PayableAmount currencyID=\"CNY\">600000.00",
    "<cbc:PayableAmount currencyID=\"CNY\">600000.001",
    "UBL-DT-01"
)]
#[case(
    "<cbc:PayableAmount currencyID=\"CNY\">600000.00",
    "<cbc:PayableAmount currencyID=\"CNY\">6E5",
    "CF-NUMBER"
)]
#[case("<cbc:IssueDate>2026-06-08", "<cbc:IssueDate>2026-02-31", "CF-DATE")]
#[case(
    "<cbc:PayableAmount currencyID=\"CNY\">",
    "<cbc:PayableAmount currencyID=\"USD\">",
    "PEPPOL-EN16931-R051"
)]
#[case(
    "<cac:InvoiceLine>\n    <cbc:ID>2",
    "<cac:InvoiceLine>\n    <cbc:ID>1",
    "CF-LINE-ID"
)]
#[case("schema:xsd:Invoice-2", "schema:xsd:Invoice-3", "CF-ROOT")]
fn a_broken_rule_is_named_in_ubl(#[case] from: &str, #[case] to: &str, #[case] rule: &str) {
    let report = changed(UBL, from, to);
    assert_ne!(report.verdict, Verdict::Valid);
    assert!(report.rule_ids().contains(&rule), "{:?}", report.rules);
}

/// Rules of the CII binding, each broken by one change.
#[rstest]
#[case("format=\"102\">20260608", "format=\"102\">2026-06-08", "CII-DT-097")]
#[case("format=\"102\">20260608", "format=\"102\">20260231", "CF-DATE")]
#[case(
    "<ram:BasisAmount>",
    "<ram:BasisAmount currencyID=\"CNY\">",
    "CII-DT-031"
)]
#[case(
    "</ram:BuyerOrderReferencedDocument>",
    "<ram:TypeCode>50</ram:TypeCode></ram:BuyerOrderReferencedDocument>",
    "CII-DT-018"
)]
#[case(
    "<ram:InvoiceCurrencyCode>",
    "<ram:TaxCurrencyCode>CNY</ram:TaxCurrencyCode><ram:InvoiceCurrencyCode>",
    "BR-53"
)]
#[case(
    "<ram:InvoiceCurrencyCode>",
    "<ram:TaxCurrencyCode>USD</ram:TaxCurrencyCode><ram:InvoiceCurrencyCode>",
    "BR-53"
)]
#[case("<ram:TypeCode>30</ram:TypeCode>", "", "BR-49")]
#[case(
    "<ram:TaxBasisTotalAmount>",
    "<ram:ChargeTotalAmount>1.00</ram:ChargeTotalAmount><ram:TaxBasisTotalAmount>",
    "BR-CO-12"
)]
fn a_broken_rule_is_named_in_cii(#[case] from: &str, #[case] to: &str, #[case] rule: &str) {
    let report = changed(CII, from, to);
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(report.rule_ids().contains(&rule), "{:?}", report.rules);
}

#[test]
fn a_payment_reference_needs_no_payment_means_in_cii() {
    let from = CII
        .find("<ram:SpecifiedTradeSettlementPaymentMeans>")
        .unwrap();
    let end = "</ram:SpecifiedTradeSettlementPaymentMeans>";
    let to = CII.find(end).unwrap() + end.len();
    let report = changed(CII, &CII[from..to], "");
    assert_eq!(report.rules, []);
}

#[rstest]
#[case::sepa_transfer("58", Verdict::Invalid)]
#[case::other_transfer("30", Verdict::Valid)]
fn wrong_iban_digits_refuse_a_sepa_transfer_and_warn_of_others(
    #[case] means: &str,
    #[case] verdict: Verdict,
) {
    let document = UBL
        .replacen("0200004519000012345", "DE89370400440532013001", 1)
        .replacen(
            "<cbc:PaymentMeansCode>30",
            &format!("<cbc:PaymentMeansCode>{means}"),
            1,
        );
    let report = check(document.as_bytes());
    assert_eq!(report.verdict, verdict);
    let told = report.rules.iter().chain(&report.warnings);
    assert!(told.into_iter().any(|hit| hit.id == "CF-IBAN"));
}

#[test]
fn a_vat_total_may_be_in_the_vat_currency() {
    let total = "  <cac:TaxTotal>\n    <cbc:TaxAmount currencyID=\"USD\">9500.00</cbc:TaxAmount>\n  </cac:TaxTotal>\n";
    let document = UBL
        .replacen(
            "  <cac:LegalMonetaryTotal>",
            &format!("{total}  <cac:LegalMonetaryTotal>"),
            1,
        )
        .replacen(
            "</cbc:DocumentCurrencyCode>",
            "</cbc:DocumentCurrencyCode><cbc:TaxCurrencyCode>USD</cbc:TaxCurrencyCode>",
            1,
        );
    let report = check(document.as_bytes());
    assert_eq!(report.rules, []);
    assert_eq!(report.fields().unwrap().tax, "69026.55");
    assert_eq!(report.fields().unwrap().taxcur, "USD");
}

#[rstest]
#[case::xxe("external-entity.xml", Verdict::Reject, "CF-DTD")]
#[case::truncated("truncated.xml", Verdict::Reject, "CF-XML")]
#[case::sums("wrong-sum.xml", Verdict::Invalid, "BR-CO-10")]
#[case::payable("wrong-payable.xml", Verdict::Invalid, "BR-CO-16")]
#[case::day("31-february.xml", Verdict::Invalid, "CF-DATE")]
#[case::exponent("exponent.xml", Verdict::Invalid, "CF-NUMBER")]
#[case::comma("comma.xml", Verdict::Invalid, "CF-NUMBER")]
#[case::currency("foreign-currency.xml", Verdict::Invalid, "PEPPOL-EN16931-R051")]
#[case::line_id("line-id-twice.xml", Verdict::Invalid, "CF-LINE-ID")]
#[case::iban("iban-digits.xml", Verdict::Invalid, "CF-IBAN")]
fn the_bad_invoices_break_the_one_rule_they_are_made_for(
    #[case] file: &str,
    #[case] verdict: Verdict,
    #[case] rule: &str,
) {
    let path = format!(
        "{}/fixtures/invoices/bad/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    let report = check(&std::fs::read(path).unwrap());
    assert_eq!(report.verdict, verdict);
    assert_eq!(report.rule_ids(), [rule]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        cii in any::<bool>(),
        at in any::<Index>(),
        cut in 0_usize..200,
        put in prop_oneof![any::<Vec<u8>>(), "[0-9.]{20,40}|<[a-z]*|&#?[a-z0-9]*;".prop_map(String::into_bytes)],
    ) {
        let mut bytes = if cii { CII } else { UBL }.as_bytes().to_vec();
        let from = at.index(bytes.len());
        let to = (from + cut).min(bytes.len());
        bytes.splice(from..to, put);
        let report = check(&bytes);
        prop_assert_eq!(report.verdict == Verdict::Valid, report.rules.is_empty());
        prop_assert_eq!(report.verdict == Verdict::Reject, report.document.is_none());
        if let Some(document) = report.document {
            let _ = document.facts();
        }
    }
}
