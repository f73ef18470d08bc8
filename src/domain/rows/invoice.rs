//! An invoice: its two parties also read how much of it is used; a tax authority reads the invoice alone.

use serde::Serialize;

use super::Shown;
use crate::domain::objects::{Credit, Flag, Invoice, InvoiceState};
use crate::domain::values::{
    Amount, ContractId, Currency, Day, DeliveryId, Digest, Fingerprint, Instant, InvoiceId,
    PartyId, Reason, Reference,
};
use crate::domain::visibility::{Seen, Viewer};

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceWord {
    /// Issued.
    Issued,
    /// In the debtor's books.
    Booked,
    /// Void.
    Void,
}

/// An invoice.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct InvoiceRow {
    /// Its id.
    pub id: InvoiceId,
    /// Where it stands.
    pub state: InvoiceWord,
    /// The seller.
    pub supplier: PartyId,
    /// The buyer.
    pub debtor: PartyId,
    /// Its number as printed.
    pub number: Reference,
    /// Its number's fingerprint.
    pub fingerprint: Fingerprint,
    /// UNTDID 1001.
    pub type_code: u16,
    /// The day of issue.
    pub issued: Day,
    /// Its currency.
    pub currency: Currency,
    /// Without tax.
    pub net: Amount,
    /// Tax.
    pub tax: Amount,
    /// With tax.
    pub gross: Amount,
    /// What is to be paid on it.
    pub payable: Amount,
    /// Digest of the document.
    pub document: Digest,
    /// The invoice that this one corrects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preceding: Option<InvoiceId>,
    /// Credit notes against it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<CreditRow>,
    /// The authority that attested it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attested_by: Option<PartyId>,
    /// When it was attested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attested_at: Option<Instant>,
    /// A tax authority's warning that has not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<FlagRow>,
    /// Booked or void since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// What it bills and how much of it is used: to its two parties and to an auditor.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub usage: Option<InvoiceUse>,
}

/// What an invoice bills and how much of it is used.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct InvoiceUse {
    /// The contract it bills.
    pub contract: ContractId,
    /// The deliveries it bills.
    pub deliveries: Vec<DeliveryId>,
    /// Used by receivables, and by transfers that pay it.
    pub consumed: Amount,
    /// Left to be used.
    pub unconsumed: Amount,
    /// What credits took and nothing has absorbed.
    pub diluted: Amount,
}

/// A credit note.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CreditRow {
    /// Its number.
    pub number: Reference,
    /// Digest of the document.
    pub document: Digest,
    /// By how much it lowers the payable.
    pub amount: Amount,
    /// When it was recorded.
    pub at: Instant,
}

/// A tax authority's warning.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FlagRow {
    /// Whose.
    pub by: PartyId,
    /// Why.
    pub reason: Reason,
    /// From here on it is no more.
    pub ends: Instant,
}

impl Shown for Invoice {
    type Row = InvoiceRow;

    fn row(&self, viewer: &Viewer<'_>) -> InvoiceRow {
        let amount = |fen| viewer.amount(fen, self.currency);
        let (state, since) = match self.state {
            InvoiceState::Issued => (InvoiceWord::Issued, None),
            InvoiceState::Booked(at) => (InvoiceWord::Booked, Some(at)),
            InvoiceState::Void(at) => (InvoiceWord::Void, Some(at)),
        };
        // "`attest` invoices and nothing else": not what became of them.
        let whole = self.concerns(viewer) || viewer.audits();
        let live = |flag: &&Flag| flag.ends > viewer.time;
        InvoiceRow {
            id: self.id,
            state,
            supplier: self.supplier,
            debtor: self.debtor,
            number: self.number.clone(),
            fingerprint: self.fingerprint,
            type_code: self.type_code,
            issued: self.issued,
            currency: self.currency,
            net: amount(self.net),
            tax: amount(self.tax),
            gross: amount(self.gross),
            payable: amount(self.payable),
            document: self.document,
            preceding: self.preceding,
            credits: self
                .credits
                .iter()
                .map(|note| self.credit(note, viewer))
                .collect(),
            attested_by: self.attested.as_ref().map(|word| word.by),
            attested_at: self.attested.as_ref().map(|word| word.at),
            flag: self.flag.as_ref().filter(live).map(|flag| FlagRow {
                by: flag.by,
                reason: flag.reason.clone(),
                ends: flag.ends,
            }),
            since,
            usage: whole.then(|| InvoiceUse {
                contract: self.contract,
                deliveries: self.deliveries.clone(),
                consumed: amount(self.consumed),
                unconsumed: amount(self.unconsumed()),
                diluted: amount(self.diluted),
            }),
        }
    }
}

impl Invoice {
    fn credit(&self, note: &Credit, viewer: &Viewer<'_>) -> CreditRow {
        CreditRow {
            number: note.number.clone(),
            document: note.document,
            amount: viewer.amount(note.amount, self.currency),
            at: note.at,
        }
    }
}
