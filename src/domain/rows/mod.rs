//! What a party reads of each object: one row type a kind, with the fields that this viewer may see.
//!
//! Visibility says whether an object is seen at all; here it is said which of its fields are. Two rules hold for
//! every row: the id of another object stands in it only where the viewer may see that object, and what has ended
//! by the viewer's time reads as ended, though no entry ended it.

mod account;
mod claims;
mod contract;
mod delivery;
mod due;
mod financing;
mod invoice;
mod ledger;
mod leg;
mod limit;
mod obligation;
mod offer;
mod party;
mod payoff;
mod receivable;
mod request;
mod terms;
mod transfer;

#[cfg(test)]
mod tests;

use serde::Serialize;

use super::objects::{Disposition, Ledger};
use super::values::{Amount, Currency, Day, Fen, FinancingId, RequestId, TransferId};
use super::visibility::{Seen, Viewer};

pub use account::{AccountRow, AccountWord};
pub use claims::{
    ClaimRow, ClaimWord, ClaimsRow, HeldRow, HopRow, LockRow, PassedRow, PayeeRow, PlacedRow,
    claims, held,
};
pub use contract::{AmendedRow, ChangeRow, ChangeWord, ContractRow, ContractWord};
pub use delivery::{DeliveryRow, DeliveryWord};
pub use due::{DueRow, due};
pub use financing::{FinancingRow, FinancingWord, FundingRow, PriceRow};
pub use invoice::{CreditRow, FlagRow, InvoiceRow, InvoiceUse, InvoiceWord};
pub use ledger::{LedgerRow, RulebookRow, ledger, rulebook, rulebooks};
pub use leg::{DischargedRow, LegEffect, LegRow, LegWord, SettledRow};
pub use limit::{BlockRow, LimitRow};
pub use obligation::{CauseRow, ObligationRow, ObligationWord};
pub use offer::{ComparisonRow, OfferRow, OfferWord};
pub use party::{KeyRow, PartyRow};
pub use payoff::{LateRow, PayeeAccountRow, PayoffPayeeRow, PayoffRow, payoff};
pub use receivable::{
    DisputeRow, InvoicePart, ReceivableRow, ReceivableWord, Registration, ShareRow, Totals,
};
pub use request::{PartRow, RequestRow, RequestWord, SupplierPart};
pub use terms::{ConfirmationRow, DefencesRow, ReservedRow};
pub use transfer::{OfferedRow, TransferRow, TransferWord};

/// A kind of object that parties read.
pub trait Shown: Seen {
    /// What one of them reads.
    type Row: Serialize + utoipa::ToSchema;

    /// The object as the viewer, who may see it, reads it.
    fn row(&self, viewer: &Viewer<'_>) -> Self::Row;
}

/// The transfer, request or financing that did or does something, where the reader may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A transfer.
    Transfer(TransferId),
    /// A request.
    Request(RequestId),
    /// A financing.
    Financing(FinancingId),
}

impl From<Disposition> for By {
    fn from(disposition: Disposition) -> By {
        match disposition {
            Disposition::Transfer(id) => By::Transfer(id),
            Disposition::Request(id) => By::Request(id),
            Disposition::Financing(id) => By::Financing(id),
        }
    }
}

impl Viewer<'_> {
    fn ledger(&self) -> &Ledger {
        let ledger = self.state.ledger.as_ref();
        ledger.expect("entry 0 makes the ledger before there is anything to look at")
    }

    /// The legal day it is.
    pub fn today(&self) -> Day {
        self.ledger().utc_offset.day_of(self.time)
    }

    /// So many fens as they are written, with the decimals of their currency.
    pub(super) fn amount(&self, fen: Fen, currency: Currency) -> Amount {
        let books = self.ledger().rulebooks.iter().rev();
        let decimals = books
            .filter_map(|book| book.currencies.decimals(currency))
            .next();
        Amount::of(
            fen,
            decimals.expect("the currency was in the rulebook when the object was made"),
        )
    }
}
