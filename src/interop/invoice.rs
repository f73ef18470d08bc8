//! The record of an invoice: its fields as the document writes them.

use serde::Serialize;

/// The two syntaxes of EN 16931.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Syntax {
    /// OASIS UBL 2.1, `Invoice` or `CreditNote`.
    Ubl,
    /// UN/CEFACT Cross Industry Invoice.
    Cii,
}

/// The column of a field: its own name, unless another is given.
macro_rules! column {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $column:literal) => {
        $column
    };
}

macro_rules! fields {
    ($(#[doc = $doc:literal] $name:ident $($column:literal)?,)+) => {
        /// The fields of an invoice as written, with white space collapsed; empty where the document has none. Dates are
        /// `YYYY-MM-DD` in both syntaxes; amounts keep their digits and sign.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
        pub struct Fields {
            $(#[doc = $doc] $(#[serde(rename = $column)])? pub $name: String,)+
        }

        impl Fields {
            /// The names of the fields, in the order of the struct.
            pub const COLUMNS: &[&str] = &[$(column!($name $($column)?)),+];

            /// Each field with its name, in the order of [`Self::COLUMNS`].
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
                [$((column!($name $($column)?), self.$name.as_str())),+].into_iter()
            }
        }
    };
}

fields! {
    /// BT-1, the invoice number.
    number,
    /// BT-3, the type code (UNTDID 1001).
    type_code "type",
    /// BT-2, the issue date.
    issue,
    /// BT-9, the payment due date.
    due,
    /// BT-5, the currency (ISO 4217).
    currency,
    /// BT-6, the currency VAT is accounted in.
    taxcur,
    /// BT-27, the seller's name.
    seller,
    /// BT-30, the seller's legal registration identifier, or BT-29 where it states none.
    seller_id,
    /// BT-31, the seller's VAT identifier.
    seller_vat,
    /// BT-44, the buyer's name.
    buyer,
    /// BT-47, the buyer's legal registration identifier, or BT-46 where it states none.
    buyer_id,
    /// BT-48, the buyer's VAT identifier.
    buyer_vat,
    /// BT-59, the payee's name where it is not the seller.
    payee,
    /// BT-106, the sum of the lines' net amounts.
    line_total,
    /// BT-107, the sum of the allowances.
    allow,
    /// BT-108, the sum of the charges.
    charge,
    /// BT-109, the total without VAT.
    net,
    /// BT-110, the VAT in the currency of the invoice.
    tax,
    /// BT-112, the total with VAT.
    gross,
    /// BT-113, what is paid already.
    prepaid,
    /// BT-114, the rounding.
    rounding,
    /// BT-115, what is to be paid.
    payable,
    /// BT-13, the buyer's purchase order.
    order,
    /// BT-12, the contract.
    contract,
    /// BT-25, the preceding invoice.
    preceding,
    /// BT-16, the despatch advice.
    despatch,
    /// BT-15, the receiving advice.
    receipt,
    /// The number of invoice lines (BG-25).
    lines,
    /// BT-81, the payment means code (UNTDID 4461).
    pm,
    /// BT-84, the account to pay to: an IBAN or a national number.
    iban,
    /// BT-83, the remittance information.
    remit,
}

/// One identifier of a party, as the document states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatedId {
    /// The business term: `BT-29`, `BT-30`, `BT-31`, `BT-32` of the seller, `BT-46`, `BT-47`, `BT-48` of the buyer.
    pub term: &'static str,
    /// The identification scheme (ISO 6523), empty where none is given.
    pub scheme: String,
    /// The identifier.
    pub value: String,
}

/// An invoice or credit note, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceDocument {
    /// The syntax it came in.
    pub syntax: Syntax,
    /// BT-24, the specification it follows.
    pub profile: String,
    /// Its fields.
    pub fields: Fields,
    /// All identifiers of the seller.
    pub seller_ids: Vec<StatedId>,
    /// All identifiers of the buyer.
    pub buyer_ids: Vec<StatedId>,
    /// SHA-256 of the document's bytes.
    pub digest: [u8; 32],
}

/// What a reader takes from the tree; the digest is of the bytes and comes from the intake.
pub(super) struct Reading {
    pub(super) profile: String,
    pub(super) fields: Fields,
    pub(super) seller_ids: Vec<StatedId>,
    pub(super) buyer_ids: Vec<StatedId>,
}

/// The identifier a party goes by: its legal registration, else the first other one that is no tax registration.
pub(super) fn main_id(ids: &[StatedId], own: &str, legal: &str) -> String {
    [legal, own]
        .iter()
        .find_map(|term| ids.iter().find(|id| id.term == *term))
        .map(|id| id.value.clone())
        .unwrap_or_default()
}
