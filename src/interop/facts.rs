//! What `invoice.issue` needs to know of a document.

use chrono::NaiveDate;
use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::Serialize;
use thiserror::Error;

use super::invoice::{InvoiceDocument, PartyId};

/// The documents a receivable can come from or be reduced by, by their type code (UNTDID 1001).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// 380, a commercial invoice.
    Invoice,
    /// 381, a credit note: its amounts are positive and reduce a receivable.
    CreditNote,
    /// 384, a corrected invoice, which supersedes the preceding one.
    Corrected,
    /// 389, an invoice the buyer issues in the seller's name.
    SelfBilled,
}

impl DocumentKind {
    /// The kind a type code stands for.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "380" => Some(Self::Invoice),
            "381" => Some(Self::CreditNote),
            "384" => Some(Self::Corrected),
            "389" => Some(Self::SelfBilled),
            _ => None,
        }
    }

    /// The type code of the kind.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Invoice => "380",
            Self::CreditNote => "381",
            Self::Corrected => "384",
            Self::SelfBilled => "389",
        }
    }
}

/// The facts of an invoice for the ledger. Amounts are decimal strings with exactly the decimals of the currency (ISO 4217).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueFacts {
    /// BT-1, the number.
    pub number: String,
    /// BT-3, what kind of document it is.
    pub kind: DocumentKind,
    /// BT-2, the issue date.
    pub issue: NaiveDate,
    /// BT-9, the due date it states.
    pub due: Option<NaiveDate>,
    /// BT-5, the currency.
    pub currency: String,
    /// BT-109, the total without VAT.
    pub net: String,
    /// BT-110, the VAT; zero where none is stated.
    pub tax: String,
    /// BT-112, the total with VAT.
    pub gross: String,
    /// BT-113, what is paid already; zero where none is stated.
    pub prepaid: String,
    /// BT-114, the rounding; zero where none is stated.
    pub rounding: String,
    /// BT-115, what is to be paid: gross − prepaid + rounding.
    pub payable: String,
    /// The seller's identifiers (BT-29 to BT-32).
    pub seller_ids: Vec<PartyId>,
    /// The buyer's identifiers (BT-46 to BT-48).
    pub buyer_ids: Vec<PartyId>,
    /// BT-12, the contract.
    pub contract: Option<String>,
    /// BT-25, the preceding invoice.
    pub preceding: Option<String>,
    /// BT-16, the despatch advice.
    pub despatch: Option<String>,
    /// BT-15, the receiving advice.
    pub receipt: Option<String>,
    /// SHA-256 of the document's bytes.
    pub digest: [u8; 32],
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
    /// A currency that is not in ISO 4217 or has no minor unit.
    #[error("currency \"{0}\" (BT-5) is not a currency of ISO 4217 with a smallest unit")]
    Currency(String),
    /// A date that is missing or no day of the calendar.
    #[error("\"{value}\" is not a day ({term})")]
    Day {
        /// The business term.
        term: &'static str,
        /// The value found.
        value: String,
    },
    /// An amount that is missing, no number or finer than the currency.
    #[error("\"{value}\" is not an amount with at most {decimals} decimals ({term})")]
    Amount {
        /// The business term.
        term: &'static str,
        /// The value found.
        value: String,
        /// The decimals of the currency.
        decimals: u32,
    },
}

impl InvoiceDocument {
    /// The facts for the ledger, of a document whose verdict is valid.
    ///
    /// # Errors
    ///
    /// [`NotIssuable`] when the ledger has no operation for the kind of document, or a value is not what it needs.
    pub fn facts(&self) -> Result<IssueFacts, NotIssuable> {
        let f = &self.fields;
        let decimals = Currency::from_code(&f.currency)
            .and_then(|currency| currency.exponent())
            .map(u32::from)
            .ok_or_else(|| NotIssuable::Currency(f.currency.clone()))?;
        let needed = |term, value: &str| amount(term, value, decimals);
        let or_zero = |term, value: &str| needed(term, if value.is_empty() { "0" } else { value });
        Ok(IssueFacts {
            number: f.number.clone(),
            kind: DocumentKind::from_code(&f.type_code)
                .ok_or_else(|| NotIssuable::Kind(f.type_code.clone()))?,
            issue: day("BT-2", &f.issue)?,
            due: optional(&f.due).map(|due| day("BT-9", &due)).transpose()?,
            currency: f.currency.clone(),
            net: needed("BT-109", &f.net)?,
            tax: or_zero("BT-110", &f.tax)?,
            gross: needed("BT-112", &f.gross)?,
            prepaid: or_zero("BT-113", &f.prepaid)?,
            rounding: or_zero("BT-114", &f.rounding)?,
            payable: needed("BT-115", &f.payable)?,
            seller_ids: self.seller_ids.clone(),
            buyer_ids: self.buyer_ids.clone(),
            contract: optional(&f.contract),
            preceding: optional(&f.preceding),
            despatch: optional(&f.despatch),
            receipt: optional(&f.receipt),
            digest: self.digest,
            financeable: self.is_itemised(),
        })
    }

    fn is_itemised(&self) -> bool {
        let profile = self.profile.to_ascii_lowercase();
        let summary = ["minimum", "basicwl"]
            .iter()
            .any(|end| profile.ends_with(end));
        self.fields.lines != "0" && !summary
    }
}

fn optional(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn day(term: &'static str, value: &str) -> Result<NaiveDate, NotIssuable> {
    NaiveDate::parse_from_str(value, "%Y-%m-%d").map_err(|_| NotIssuable::Day {
        term,
        value: value.to_owned(),
    })
}

/// `value` with exactly `decimals` decimals; digits beyond them must be zero.
fn amount(term: &'static str, value: &str, decimals: u32) -> Result<String, NotIssuable> {
    let unsigned = value.strip_prefix('+').unwrap_or(value);
    let exact = |parsed: Decimal| {
        let mut rounded = parsed.round_dp(decimals);
        rounded.rescale(decimals);
        (rounded == parsed && rounded.scale() == decimals).then(|| {
            if rounded.is_zero() {
                rounded.set_sign_positive(true);
            }
            rounded.to_string()
        })
    };
    Decimal::from_str_exact(unsigned)
        .ok()
        .and_then(exact)
        .ok_or_else(|| NotIssuable::Amount {
            term,
            value: value.to_owned(),
            decimals,
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
        assert_eq!(amount("BT-115", value, decimals).ok().as_deref(), wanted);
    }

    #[test]
    fn every_kind_has_its_code() {
        for code in ["380", "381", "384", "389"] {
            assert_eq!(
                DocumentKind::from_code(code).map(DocumentKind::code),
                Some(code)
            );
        }
        assert_eq!(DocumentKind::from_code("326"), None);
    }
}
