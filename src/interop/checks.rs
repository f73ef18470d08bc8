//! What an importer must catch by itself, because the rules of EN 16931 let it through.
//!
//! | rule | what it says |
//! |---|---|
//! | `CF-NUMBER` | amounts, quantities and percentages are `xs:decimal` of at most 28 digits: no exponent, no comma |
//! | `CF-DATE` | dates are days of the calendar |
//! | `PEPPOL-EN16931-R051` | every `currencyID` is the invoice's currency, but for the VAT total in the VAT currency |
//! | `CF-LINE-ID` | no two lines have the same identifier (BT-126) |
//! | `CF-IBAN` | an account to be paid by SEPA transfer that has the shape of an IBAN has its check digits right (after BR-DE-19) |

use std::collections::HashSet;

use iban::{BaseIban, Iban};
use roxmltree::Node;

use super::invoice::{InvoiceDocument, Syntax};
use super::report::{HITS_MAX, RuleHit};
use super::xml::{all, first, place, text};
use super::{cii, ubl};
use crate::domain::values::Day;

/// UNTDID 4461 code 58: SEPA credit transfer, which goes by IBAN alone.
const SEPA_TRANSFER: &str = "58";

/// Checks that what should be numbers and days are: `CF-NUMBER`, `CF-DATE`.
pub(super) fn values(root: Node<'_, '_>, syntax: Syntax) -> Vec<RuleHit> {
    root.descendants()
        .filter(|node| node.is_element() && !node.children().any(|child| child.is_element()))
        .filter_map(|leaf| match leaf.tag_name().name() {
            name if is_number(name) => bad_number(leaf),
            name if is_day(name, leaf, syntax) => bad_day(leaf, syntax),
            _ => None,
        })
        .take(HITS_MAX)
        .collect()
}

/// Checks currencies, line identifiers and account digits.
pub(super) fn policy(root: Node<'_, '_>, document: &InvoiceDocument) -> Vec<RuleHit> {
    let mut hits = foreign_amounts(root, document);
    hits.extend(repeated_lines(root, document.syntax));
    if document.fields.pm == SEPA_TRANSFER {
        hits.extend(bad_accounts(root, document.syntax));
    }
    hits
}

/// What should be looked at before paying, though it breaks no rule: account digits outside SEPA transfers.
pub(super) fn warnings(root: Node<'_, '_>, document: &InvoiceDocument) -> Vec<RuleHit> {
    if document.fields.pm == SEPA_TRANSFER {
        return Vec::new();
    }
    bad_accounts(root, document.syntax)
}

fn is_number(name: &str) -> bool {
    ["Amount", "Quantity", "Percent", "Numeric"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn bad_number(leaf: Node<'_, '_>) -> Option<RuleHit> {
    let value = text(leaf);
    (!is_decimal(&value)).then(|| {
        RuleHit::new(
            "CF-NUMBER",
            format!(
                "\"{value}\" is not a decimal number; digits with at most one point are, as in 1234.50"
            ),
            place(leaf),
        )
    })
}

/// The lexical form of `xs:decimal` with at most 28 digits, which is what decimal arithmetic here holds exactly.
fn is_decimal(value: &str) -> bool {
    let unsigned = value.strip_prefix(['+', '-']).unwrap_or(value);
    let digits = unsigned.bytes().filter(u8::is_ascii_digit).count();
    let points = unsigned.bytes().filter(|b| *b == b'.').count();
    (1..=28).contains(&digits) && points <= 1 && digits + points == unsigned.len()
}

fn is_day(name: &str, leaf: Node<'_, '_>, syntax: Syntax) -> bool {
    match syntax {
        Syntax::Ubl => name.ends_with("Date"),
        // UNTDID 2379 code 102: CCYYMMDD.
        Syntax::Cii => name == "DateTimeString" && leaf.attribute("format") == Some("102"),
    }
}

fn bad_day(leaf: Node<'_, '_>, syntax: Syntax) -> Option<RuleHit> {
    let value = text(leaf);
    let (day, wanted) = match syntax {
        Syntax::Ubl => (xs_date(&value), "YYYY-MM-DD"),
        Syntax::Cii => {
            let day = cii::day(&value);
            // CII-DT-097: Date time string with format attribute 102 shall be YYYYMMDD.
            if day == value {
                let message = format!("\"{value}\" is not a date of format 102, YYYYMMDD");
                return Some(RuleHit::new("CII-DT-097", message, place(leaf)));
            }
            (day.parse().ok(), "YYYYMMDD")
        }
    };
    day.is_none().then(|| {
        RuleHit::new(
            "CF-DATE",
            format!("\"{value}\" is not a day of the calendar written {wanted}"),
            place(leaf),
        )
    })
}

/// The day of an `xs:date`, which may carry a time zone: `2026-06-08`, `2026-06-08Z`, `2026-06-08+01:00`.
fn xs_date(value: &str) -> Option<Day> {
    let (day, zone) = value.split_at_checked(10)?;
    let zone_holds = match zone.as_bytes() {
        [] | b"Z" => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    day.parse().ok().filter(|_| zone_holds)
}

/// PEPPOL-EN16931-R051: All currencyID attributes must have the same value as the invoice currency code (BT-5), except for the invoice
/// total VAT amount in accounting currency (BT-111).
fn foreign_amounts(root: Node<'_, '_>, document: &InvoiceDocument) -> Vec<RuleHit> {
    let fields = &document.fields;
    if fields.currency.is_empty() {
        return Vec::new(); // BR-05 says so
    }
    root.descendants()
        .filter_map(|node| Some((node, node.attribute("currencyID")?)))
        .filter(|(node, id)| {
            let accounting_total = is_tax_total(*node, document.syntax) && *id == fields.taxcur;
            *id != fields.currency && !accounting_total
        })
        .take(HITS_MAX)
        .map(|(node, id)| {
            RuleHit::new(
                "PEPPOL-EN16931-R051",
                format!(
                    "an amount in {id}, but the currency of the invoice is {}",
                    fields.currency
                ),
                place(node),
            )
        })
        .collect()
}

/// Whether `node` belongs to the document's VAT total, as opposed to a line's.
fn is_tax_total(node: Node<'_, '_>, syntax: Syntax) -> bool {
    match syntax {
        Syntax::Ubl => node.ancestors().filter(Node::is_element).any(|above| {
            above.tag_name().name() == "TaxTotal"
                && above.parent_element() == Some(node.document().root_element())
        }),
        Syntax::Cii => node.tag_name().name() == "TaxTotalAmount",
    }
}

fn repeated_lines(root: Node<'_, '_>, syntax: Syntax) -> Vec<RuleHit> {
    let (lines, path) = match syntax {
        Syntax::Ubl => (ubl::lines(root), "ID"),
        Syntax::Cii => (cii::lines(root), "AssociatedDocumentLineDocument/LineID"),
    };
    let mut seen = HashSet::new();
    lines
        .into_iter()
        .filter_map(|line| {
            let id = first(line, path);
            // A line without an identifier breaks BR-21.
            (!id.is_empty() && !seen.insert(id.clone())).then(|| {
                RuleHit::new(
                    "CF-LINE-ID",
                    format!("a second line with the identifier \"{id}\"; each line has its own"),
                    place(line),
                )
            })
        })
        .take(HITS_MAX)
        .collect()
}

fn bad_accounts(root: Node<'_, '_>, syntax: Syntax) -> Vec<RuleHit> {
    let accounts = match syntax {
        Syntax::Ubl => all(root, "PaymentMeans/PayeeFinancialAccount/ID"),
        Syntax::Cii => all(
            root,
            &format!(
                "{}/SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount/IBANID",
                cii::SETTLEMENT
            ),
        ),
    };
    accounts
        .into_iter()
        .map(|account| (account, text(account)))
        .filter(|(_, value)| is_iban_with_wrong_digits(value))
        .take(HITS_MAX)
        .map(|(account, value)| {
            RuleHit::new(
                "CF-IBAN",
                format!("the check digits of the IBAN \"{value}\" are wrong (ISO 13616, mod 97)"),
                place(account),
            )
        })
        .collect()
}

/// Whether `value` has the structure its country prescribes for an IBAN (length, letters, digits) but other check digits. BT-84 may as well
/// be a national account number, of which nothing is known.
fn is_iban_with_wrong_digits(value: &str) -> bool {
    let value: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    if value.parse::<BaseIban>().is_ok() {
        return false;
    }
    let (Some(country), Some(account)) = (value.get(..2), value.get(4..)) else {
        return false;
    };
    check_digits(country, account).is_some_and(|digits| {
        format!("{country}{digits:02}{account}")
            .parse::<Iban>()
            .is_ok()
    })
}

/// ISO 7064 mod 97-10: 98 less the remainder of account, country and `00`, letters read as 10 to 35.
fn check_digits(country: &str, account: &str) -> Option<u32> {
    let remainder = account
        .chars()
        .chain(country.chars())
        .chain("00".chars())
        .try_fold(0, |remainder: u32, c| {
            let value = c.to_digit(36)?;
            Some((remainder * if value < 10 { 10 } else { 100 } + value) % 97)
        })?;
    Some(98 - remainder)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", true)]
    #[case("1234.50", true)]
    #[case("-834.9", true)]
    #[case("+0.10", true)]
    #[case(".5", true)]
    #[case("5.", true)]
    #[case("1E5", false)]
    #[case("12,00", false)]
    #[case("1_000", false)]
    #[case("1 000", false)]
    #[case("1.2.3", false)]
    #[case("", false)]
    #[case(".", false)]
    #[case("--5", false)]
    #[case("٣", false)]
    #[case("NaN", false)]
    #[case("12345678901234567890123456789", false)]
    fn numbers_are_plain_decimals(#[case] value: &str, #[case] good: bool) {
        assert_eq!(is_decimal(value), good, "{value}");
    }

    #[rstest]
    #[case("2026-06-08", true)]
    #[case("2026-06-08Z", true)]
    #[case("2026-06-08+01:00", true)]
    #[case("2024-02-29", true)]
    #[case("2026-02-29", false)]
    #[case("2026-02-31", false)]
    #[case("2026-13-01", false)]
    #[case("2026-6-8", false)]
    #[case("2026-06-08T00:00:00", false)]
    #[case("08.06.2026", false)]
    #[case("2026-06- 8", false)]
    #[case("", false)]
    #[case("二〇二六年六月八日", false)]
    fn days_are_days_of_the_calendar(#[case] value: &str, #[case] good: bool) {
        assert_eq!(xs_date(value).is_some(), good, "{value}");
    }

    #[rstest]
    #[case::right("DE02120300000000202051", false)]
    #[case::right_with_spaces("DE91 1000 0000 0123 4567 89", false)]
    #[case::wrong_digits("DE89370400440532013001", true)]
    #[case::not_the_countrys_shape("DE12 1234 4321 9876 00", false)]
    #[case::national_number("22224444", false)]
    #[case::chinese_account("11001018800053012345", false)]
    #[case::placeholder("XX", false)]
    #[case::not_ascii("欧元账户号码", false)]
    fn the_digits_of_an_iban_are_checked(#[case] value: &str, #[case] wrong: bool) {
        assert_eq!(is_iban_with_wrong_digits(value), wrong);
    }
}
