//! The values of the domain: small, pure, each with one form on the wire and no other.

mod address;
mod bytes;
mod calendar;
mod currency;
mod day;
mod daycount;
mod fingerprint;
mod formula;
mod ids;
mod instant;
mod money;
mod party_id;
mod rate;
mod sizes;
mod succession;
mod text;

pub use address::{Address, AddressError, Addresses};
pub use bytes::{Digest, HexError, Nonce, PublicKey, Salt};
pub use calendar::Calendar;
pub use currency::{Currency, CurrencyError, CurrencyTable};
pub use day::{Day, DayError, OffsetError, UtcOffset, Weekday};
pub use daycount::DayCount;
pub use fingerprint::{Fingerprint, FingerprintError, fingerprint};
pub use formula::{
    AllIn, Computed, MoneyError, apr, arrears_interest, discount, late_interest, late_interest_of,
    true_discount,
};
pub use ids::{
    AccountId, ContractId, DeliveryId, FinancingId, IdError, InvoiceId, LegId, LimitId, MadeId,
    ObligationId, OfferId, OpId, ReceivableId, RequestId, TransferId,
};
pub use instant::{Instant, InstantError};
pub use money::{Amount, AmountError, Fen, SignedAmount};
pub use party_id::{PartyId, PartyIdError};
pub use rate::{Rate, RateError};
pub use sizes::{Power, Role, Scope, Size};
pub use succession::Succession;
pub use text::{Label, Name, Reason, Reference, Text, TextError};
