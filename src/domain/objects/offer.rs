//! A lender's offer for a whole request.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::notices::{Notice, NoticeWord};
use crate::domain::table::Object;
use crate::domain::values::{
    Amount, Currency, Day, DayCount, Digest, FinancingId, Instant, OfferId, PartyId, Rate,
    RequestId, Salt, UtcOffset,
};

use super::transfer::Recourse;

/// Who bears a fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// Taken from what the requester is paid.
    Requester,
    /// The lender's own cost.
    Lender,
}

/// A fee of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// Who receives it.
    pub payee: PartyId,
    /// Who bears it.
    pub bearer: Bearer,
    /// How much, in the request's currency.
    pub amount: Amount,
}

/// What financing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// The lender buys the fens.
    Purchase,
    /// The lender lends on them as security.
    Loan,
}

/// When the interest is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interest {
    /// Taken off the price: discount.
    InAdvance,
    /// Paid with the principal.
    InArrears,
}

/// The terms of an offer, in wire order: the canonical JSON of these is what a sealed offer commits to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferTerms {
    /// Purchase or loan.
    pub kind: OfferKind,
    /// When the interest is paid.
    pub interest: Interest,
    /// The yearly rate.
    pub rate: Rate,
    /// How days are counted, and how many make a year.
    pub day_count: DayCount,
    /// Fees, each with payee and bearer.
    pub fees: Vec<Fee>,
    /// The part of the face that is paid at once.
    pub advance_rate: Rate,
    /// What the requester still answers for.
    pub recourse: Recourse,
    /// The last value date of the disbursement.
    pub disburse_by: Day,
    /// From here on the offer is no more.
    pub expires: Instant,
}

/// What a sealed offer commits to before the close, so that nobody, the operator included, can leak a bid:
/// SHA-256("cf-offer-v1\n" ‖ request ‖ "\n" ‖ lender ‖ "\n" ‖ salt ‖ canonical JSON of the terms).
pub fn commitment(request: RequestId, lender: PartyId, salt: &Salt, terms: &OfferTerms) -> Digest {
    let json = serde_json::to_vec(terms).expect("terms are plain data, which JSON can hold");
    let mut hash = Sha256::new();
    hash.update(format!("cf-offer-v1\n{request}\n{lender}\n"));
    hash.update(salt.0);
    hash.update(json);
    Digest(hash.finalize().into())
}

/// Where an offer stands. An offer is lost, by comparison, when its request ended without it.
#[derive(Debug, Clone, PartialEq)]
pub enum OfferState {
    /// Committed to, unknown to everybody else.
    Committed(Digest),
    /// Made, or revealed.
    Standing(OfferTerms),
    /// Withdrawn by its lender.
    Withdrawn,
    /// Accepted: it became the financing.
    Accepted(OfferTerms, FinancingId),
}

/// An offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// The request it answers.
    pub request: RequestId,
    /// Who makes it.
    pub lender: PartyId,
    /// Who asked.
    pub requester: PartyId,
    /// The request's currency.
    pub currency: Currency,
    /// When it was made or committed to.
    pub at: Instant,
    /// Where it stands.
    pub state: OfferState,
}

/// What an offer is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfferKey {
    /// Its request.
    Request(RequestId),
    /// Its lender.
    Lender(PartyId),
    /// Its requester.
    Requester(PartyId),
    /// Its request and lender: one live offer each.
    RequestLender(RequestId, PartyId),
}

impl Object for Offer {
    type Id = OfferId;
    type Key = OfferKey;

    fn id(&self) -> OfferId {
        self.id
    }

    fn keys(&self) -> Vec<OfferKey> {
        vec![
            OfferKey::Request(self.request),
            OfferKey::Lender(self.lender),
            OfferKey::Requester(self.requester),
            OfferKey::RequestLender(self.request, self.lender),
        ]
    }

    fn notices(&self, _: UtcOffset) -> Vec<Notice> {
        match &self.state {
            OfferState::Standing(terms) => {
                let parties = [self.lender, self.requester];
                vec![Notice::to(terms.expires, NoticeWord::Expired, parties)]
            }
            OfferState::Committed(_) | OfferState::Withdrawn | OfferState::Accepted(..) => {
                Vec::new()
            }
        }
    }
}

impl Offer {
    /// Its terms, where anybody but the lender can know them.
    pub fn terms(&self) -> Option<&OfferTerms> {
        match &self.state {
            OfferState::Standing(terms) | OfferState::Accepted(terms, _) => Some(terms),
            OfferState::Committed(_) | OfferState::Withdrawn => None,
        }
    }
}
