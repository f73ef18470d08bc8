//! What `invoice.issue` needs to know of a document, in the values of the ledger.

use std::str::FromStr;

use iso_currency::Currency as Iso;
use rust_decimal::Decimal;
use thiserror::Error;

use super::invoice::{InvoiceDocument, StatedId};
use crate::domain::values::{Amount, Currency, Day, Digest, PartyId, Reference, SignedAmount};

/// The documents a receivable can come from or be reduced by, by their type code (UNTDID 1001).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// 380, a commercial invoice.
    Invoice,
    /// 381, a credit note: its amounts are positive and reduce a receivable.
    CreditNote,
    /// 384, a corrected invoice, which supersedes the preceding one.
    Corrected,
    /// 389, an invoice the debtor issues in the supplier's name.
    SelfBilled,
}

impl DocumentKind {
    const ALL: [Self; 4] = [
        Self::Invoice,
        Self::CreditNote,
        Self::Corrected,
        Self::SelfBilled,
    ];

    /// The type code of the kind.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Invoice => 380,
            Self::CreditNote => 381,
            Self::Corrected => 384,
            Self::SelfBilled => 389,
        }
    }

    fn of(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.code().to_string() == code)
    }
}

/// The facts of an invoice for the ledger. Amounts have exactly the decimals of the currency (ISO 4217).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueFacts {
    /// BT-1, the number.
    pub number: Reference,
    /// BT-3, what kind of document it is.
    pub kind: DocumentKind,
    /// BT-2, the day of issue.
    pub issued: Day,
    /// BT-9, the due day it states.
    pub due: Option<Day>,
    /// BT-5, the currency.
    pub currency: Currency,
    /// BT-109, the total without VAT.
    pub net: Amount,
    /// BT-110, the VAT; zero where none is stated.
    pub tax: Amount,
    /// BT-112, the total with VAT.
    pub gross: Amount,
    /// BT-113, what is paid already; zero where none is stated.
    pub prepaid: Amount,
    /// BT-114, the rounding; zero where none is stated.
    pub rounding: SignedAmount,
    /// BT-115, what is to be paid: gross − prepaid + rounding.
    pub payable: SignedAmount,
    /// The seller, where one of its identifiers (BT-29 to BT-32) is a unified social credit code or an LEI.
    pub supplier: Option<PartyId>,
    /// The buyer, where one of its identifiers (BT-46 to BT-48) is a unified social credit code or an LEI.
    pub debtor: Option<PartyId>,
    /// BT-12, the contract.
    pub contract: Option<Reference>,
    /// BT-25, the preceding invoice.
    pub preceding: Option<Reference>,
    /// BT-16, the despatch advice.
    pub despatch: Option<Reference>,
    /// BT-15, the receiving advice.
    pub receipt: Option<Reference>,
    /// SHA-256 of the document's bytes.
    pub document: Digest,
    /// Whether the document itemises what was delivered; the profiles MINIMUM and BASIC WL do not and cannot be financed.
    pub financeable: bool,
}

/// Why a document has no facts for the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotIssuable {
    /// A type code the ledger knows no operation for.
    #[error(
        "type code \"{0}\" (BT-3); 380 invoice, 381 credit note, 384 corrected and 389 self-billed are taken"
    )]
    Kind(String),
    /// A value that is not what the ledger needs.
    #[error("{term} \"{value}\": {reason}")]
    Value {
        /// The business term.
        term: &'static str,
        /// The value found.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl NotIssuable {
    fn value(term: &'static str, value: &str, reason: impl ToString) -> Self {
        Self::Value {
            term,
            value: value.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl InvoiceDocument {
    /// The facts for the ledger, of a document whose verdict is valid.
    ///
    /// # Errors
    ///
    /// [`NotIssuable`] when the ledger has no operation for the kind of document, or a value is not what it needs.
    pub fn facts(&self) -> Result<IssueFacts, NotIssuable> {
        let f = &self.fields;
        let currency: Currency = parsed("BT-5", &f.currency)?;
        let decimals = Iso::from_code(&f.currency)
            .and_then(|currency| currency.exponent())
            .ok_or_else(|| {
                NotIssuable::value("BT-5", &f.currency, "not a currency with a smallest unit")
            })?;
        let exact = |term, value: &str| in_decimals(term, value, decimals.into());
        Ok(IssueFacts {
            number: parsed("BT-1", &f.number)?,
            kind: DocumentKind::of(&f.type_code)
                .ok_or_else(|| NotIssuable::Kind(f.type_code.clone()))?,
            issued: parsed("BT-2", &f.issue)?,
            due: optional("BT-9", &f.due)?,
            currency,
            net: parsed("BT-109", &exact("BT-109", &f.net)?)?,
            tax: parsed("BT-110", &exact("BT-110", or_zero(&f.tax))?)?,
            gross: parsed("BT-112", &exact("BT-112", &f.gross)?)?,
            prepaid: parsed("BT-113", &exact("BT-113", or_zero(&f.prepaid))?)?,
            rounding: parsed("BT-114", &exact("BT-114", or_zero(&f.rounding))?)?,
            payable: parsed("BT-115", &exact("BT-115", &f.payable)?)?,
            supplier: party(&self.seller_ids),
            debtor: party(&self.buyer_ids),
            contract: optional("BT-12", &f.contract)?,
            preceding: optional("BT-25", &f.preceding)?,
            despatch: optional("BT-16", &f.despatch)?,
            receipt: optional("BT-15", &f.receipt)?,
            document: Digest(self.digest),
            financeable: self.is_itemised(),
        })
    }

    fn is_itemised(&self) -> bool {
        let profile = self.profile.to_ascii_lowercase();
        let summary = ["minimum", "basicwl"]
            .iter()
            .any(|name| profile.ends_with(name));
        self.fields.lines != "0" && !summary
    }
}

/// The first identifier that is one of the ledger's: a unified social credit code or an LEI, with its check digits right.
fn party(stated: &[StatedId]) -> Option<PartyId> {
    stated.iter().find_map(|id| {
        ["uscc", "lei"]
            .iter()
            .find_map(|scheme| format!("{scheme}:{}", id.value).parse().ok())
    })
}

fn parsed<T: FromStr<Err: ToString>>(term: &'static str, value: &str) -> Result<T, NotIssuable> {
    value
        .parse()
        .map_err(|reason: T::Err| NotIssuable::value(term, value, reason))
}

fn optional<T: FromStr<Err: ToString>>(
    term: &'static str,
    value: &str,
) -> Result<Option<T>, NotIssuable> {
    match value {
        "" => Ok(None),
        value => parsed(term, value).map(Some),
    }
}

fn or_zero(value: &str) -> &str {
    if value.is_empty() { "0" } else { value }
}

/// `value` with exactly `decimals` decimals; digits beyond them must be zero.
fn in_decimals(term: &'static str, value: &str, decimals: u32) -> Result<String, NotIssuable> {
    let unsigned = value.strip_prefix('+').unwrap_or(value);
    let exact = |parsed: Decimal| {
        let mut rounded = parsed.round_dp(decimals);
        rounded.rescale(decimals);
        if rounded.is_zero() {
            rounded.set_sign_positive(true);
        }
        (rounded == parsed && rounded.scale() == decimals).then(|| rounded.to_string())
    };
    Decimal::from_str_exact(unsigned)
        .ok()
        .and_then(exact)
        .ok_or_else(|| {
            let reason = format!("not an amount of at most {decimals} decimals");
            NotIssuable::value(term, value, reason)
        })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("600000", 2, Some("600000.00"))]
    #[case("+0.10", 2, Some("0.10"))]
    #[case("-834.9", 2, Some("-834.90"))]
    #[case("-0.0", 2, Some("0.00"))]
    #[case("12.500", 2, Some("12.50"))]
    #[case("12.505", 2, None)]
    #[case("1200.00", 0, Some("1200"))]
    #[case("1200.50", 0, None)]
    #[case("", 2, None)]
    #[case("99999999999999999999999999999", 2, None)]
    fn amounts_have_the_decimals_of_their_currency(
        #[case] value: &str,
        #[case] decimals: u32,
        #[case] wanted: Option<&str>,
    ) {
        assert_eq!(
            in_decimals("BT-115", value, decimals).ok().as_deref(),
            wanted
        );
    }

    #[rstest]
    #[case("380", Some(DocumentKind::Invoice))]
    #[case("381", Some(DocumentKind::CreditNote))]
    #[case("384", Some(DocumentKind::Corrected))]
    #[case("389", Some(DocumentKind::SelfBilled))]
    #[case("326", None)]
    #[case("0380", None)]
    fn the_type_code_says_the_kind(#[case] code: &str, #[case] kind: Option<DocumentKind>) {
        assert_eq!(DocumentKind::of(code), kind);
    }

    fn document(change: impl FnOnce(&mut InvoiceDocument)) -> InvoiceDocument {
        let bytes = include_bytes!("../../fixtures/invoices/supplier-1.xml");
        let mut document = super::super::check(bytes).document.unwrap();
        change(&mut document);
        document
    }

    #[test]
    fn the_facts_are_values_of_the_ledger() {
        let facts = document(|_| ()).facts().unwrap();
        assert_eq!(facts.number.as_str(), "26112000000000048213");
        assert_eq!(facts.kind, DocumentKind::Invoice);
        assert_eq!(facts.issued.to_string(), "2026-06-08");
        assert_eq!(facts.due.unwrap().to_string(), "2026-08-07");
        assert_eq!(facts.currency, Currency::CNY);
        assert_eq!(facts.net.to_string(), "530973.45");
        assert_eq!(facts.prepaid.to_string(), "0.00");
        assert_eq!(facts.rounding.to_string(), "0.00");
        assert_eq!(
            facts.supplier.unwrap().to_string(),
            "uscc:91110108MA01K7C535"
        );
        assert_eq!(facts.debtor.unwrap().to_string(), "uscc:121100004006864946");
        assert_eq!(facts.contract.unwrap().as_str(), "HT-2026-0417");
        assert!(facts.financeable);
    }

    #[rstest]
    #[case::minimum("urn:factur-x.eu:1p0:minimum", "2")]
    #[case::basic_wl("urn:factur-x.eu:1p0:basicwl", "2")]
    #[case::no_lines("urn:cen.eu:en16931:2017", "0")]
    fn a_document_without_lines_is_not_financeable(#[case] profile: &str, #[case] lines: &str) {
        let document = document(|document| {
            profile.clone_into(&mut document.profile);
            lines.clone_into(&mut document.fields.lines);
        });
        assert!(!document.facts().unwrap().financeable);
    }

    #[test]
    fn an_identifier_with_wrong_check_characters_is_no_party() {
        let document = document(|document| {
            for id in &mut document.seller_ids {
                id.value = "91350211M0000XUF46".to_owned();
            }
        });
        assert_eq!(document.facts().unwrap().supplier, None);
    }

    #[test]
    fn a_payable_below_zero_is_a_fact_and_a_gross_below_zero_is_none() {
        let payable = document(|document| document.fields.payable = "-1.5".to_owned());
        assert_eq!(payable.facts().unwrap().payable.to_string(), "-1.50");
        let gross = document(|document| document.fields.gross = "-1.50".to_owned());
        let refused = gross.facts().unwrap_err().to_string();
        assert!(refused.starts_with("BT-112 \"-1.50\""), "{refused}");
    }

    #[test]
    fn a_number_nobody_can_read_is_refused() {
        let document = document(|document| document.fields.number = "RE\u{200b}1".to_owned());
        assert!(document.facts().is_err());
    }
}
