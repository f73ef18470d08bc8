//! An invoice: what a receivable is registered on, and how much of it is used.

use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::table::Object;
use crate::domain::values::{
    ContractId, Currency, Day, DeliveryId, Digest, Fen, Fingerprint, Instant, InvoiceId, PartyId,
    Reason, Reference, UtcOffset,
};

/// A tax authority's word that the invoice is in its books.
#[derive(Debug, Clone, PartialEq)]
pub struct Attestation {
    /// Whose word.
    pub by: PartyId,
    /// When.
    pub at: Instant,
}

/// A tax authority's warning; it blocks new registration and financing, nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    /// Whose.
    pub by: PartyId,
    /// Why.
    pub reason: Reason,
    /// From here on it is no more.
    pub ends: Instant,
}

/// A credit note against the invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct Credit {
    /// Its number.
    pub number: Reference,
    /// Its number's fingerprint, unique with those of invoices.
    pub fingerprint: Fingerprint,
    /// Digest of the document.
    pub document: Digest,
    /// By how much it lowers the payable.
    pub amount: Fen,
    /// When it was recorded.
    pub at: Instant,
}

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceState {
    /// Issued.
    Issued,
    /// In the debtor's books since.
    Booked(Instant),
    /// Void since.
    Void(Instant),
}

/// An invoice of a supplier to a debtor.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// The contract it bills.
    pub contract: ContractId,
    /// The seller.
    pub supplier: PartyId,
    /// The buyer.
    pub debtor: PartyId,
    /// Its number as printed.
    pub number: Reference,
    /// Its number's fingerprint: unique per seller.
    pub fingerprint: Fingerprint,
    /// UNTDID 1001: 380 invoice, 384 corrected invoice.
    pub type_code: u16,
    /// The day of issue.
    pub issued: Day,
    /// Its currency: the contract's.
    pub currency: Currency,
    /// Without tax (BT-109).
    pub net: Fen,
    /// Tax (BT-110).
    pub tax: Fen,
    /// With tax (BT-112).
    pub gross: Fen,
    /// Gross − prepaid + rounding (BT-115) where that is above zero, else nothing can be registered on it.
    pub payable: Fen,
    /// Digest of the document, which stays with its owner.
    pub document: Digest,
    /// The deliveries it bills.
    pub deliveries: Vec<DeliveryId>,
    /// The invoice that this one corrects.
    pub preceding: Option<InvoiceId>,
    /// Attested by a tax authority.
    pub attested: Option<Attestation>,
    /// Warned of by a tax authority.
    pub flag: Option<Flag>,
    /// Credit notes against it, in order.
    pub credits: Vec<Credit>,
    /// What registered and confirmed shares, and accepted transfers that pay it, have used.
    pub consumed: Fen,
    /// What credits took that is neither unconsumed nor cancelled: their dilution, not absorbed.
    pub diluted: Fen,
    /// Where it stands.
    pub state: InvoiceState,
}

/// What an invoice is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum InvoiceKey {
    /// Its supplier or its debtor.
    Party(PartyId),
    /// Its contract.
    Contract(ContractId),
    /// The fingerprint of its number or of a credit note's.
    Fingerprint(Fingerprint),
    /// Its document or a credit note's: a document counts once per seller.
    Document(PartyId, Digest),
}

impl Object for Invoice {
    type Id = InvoiceId;
    type Key = InvoiceKey;

    fn id(&self) -> InvoiceId {
        self.id
    }

    fn keys(&self) -> Vec<InvoiceKey> {
        let mut keys = vec![
            InvoiceKey::Party(self.supplier),
            InvoiceKey::Party(self.debtor),
            InvoiceKey::Contract(self.contract),
            InvoiceKey::Fingerprint(self.fingerprint),
            InvoiceKey::Document(self.supplier, self.document),
        ];
        for credit in &self.credits {
            keys.push(InvoiceKey::Fingerprint(credit.fingerprint));
            keys.push(InvoiceKey::Document(self.supplier, credit.document));
        }
        keys
    }

    fn notices(&self, _: UtcOffset) -> Vec<Notice> {
        let flags = self.flag.iter();
        let notice = |flag: &Flag| {
            let parties = [self.supplier, self.debtor, flag.by];
            Notice::to(flag.ends, NoticeWord::FlagEnded, parties)
        };
        flags.map(notice).collect()
    }
}

impl Invoice {
    /// The sum of its credit notes.
    pub fn credited(&self) -> Fen {
        let sum = Fen::sum(self.credits.iter().map(|credit| credit.amount));
        sum.expect("credits are bounded by the gross when they are recorded")
    }

    /// What the debtor owes on it: payable − credits, never below zero.
    pub fn owed(&self) -> Fen {
        self.payable
            .checked_sub(self.credited())
            .unwrap_or(Fen::ZERO)
    }

    /// What is left to consume: payable − credits − consumed + dilution not absorbed (invariant 3).
    pub fn unconsumed(&self) -> Fen {
        let left = i128::from(self.owed().get()) + i128::from(self.diluted.get())
            - i128::from(self.consumed.get());
        i64::try_from(left)
            .ok()
            .and_then(Fen::new)
            .unwrap_or(Fen::ZERO)
    }

    /// What is consumed beyond what is owed and not yet counted as dilution: zero but while a credit is absorbed.
    pub fn overconsumed(&self) -> Fen {
        let over = i128::from(self.consumed.get())
            - i128::from(self.diluted.get())
            - i128::from(self.owed().get());
        i64::try_from(over)
            .ok()
            .and_then(Fen::new)
            .unwrap_or(Fen::ZERO)
    }

    /// The invoice, if it is not void.
    pub fn standing(&self) -> Result<&Invoice, Refusal> {
        ensure(!matches!(self.state, InvoiceState::Void(_)), || {
            Refusal::new("invoice.void", "the invoice is void").input("invoice", self.id)
        })?;
        Ok(self)
    }

    /// The invoice, if no live flag bars new registration and financing at `time`.
    pub fn unflagged(&self, time: Instant) -> Result<&Invoice, Refusal> {
        ensure(
            self.flag.as_ref().is_none_or(|flag| flag.ends <= time),
            || {
                Refusal::new("invoice.flagged", "a tax authority has flagged the invoice")
                    .input("invoice", self.id)
                    .remedy("the flag ends or the authority lifts it")
            },
        )?;
        Ok(self)
    }

    /// The invoice, if `amount` more may be consumed.
    pub fn with_room_for(&self, amount: Fen) -> Result<&Invoice, Refusal> {
        ensure(amount <= self.unconsumed(), || {
            Refusal::new(
                "invoice.consumed",
                "the invoice does not leave that much to register or to pay by transfer",
            )
            .input("invoice", self.id)
            .input("asked_units", amount.get())
            .input("left_units", self.unconsumed().get())
        })?;
        Ok(self)
    }
}
