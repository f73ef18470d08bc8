//! A request for financing: a holder's fens, put before lenders.

use serde::{Deserialize, Serialize};

use crate::domain::notices::{Notice, NoticeWord, Told};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::table::Object;
use crate::domain::values::{
    Addresses, Currency, Day, Fen, Instant, OfferId, PartyId, ReceivableId, RequestId, UtcOffset,
};

/// How lenders bid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bidding {
    /// The requester sees offers as they arrive; other lenders never do.
    Visible,
    /// Offers are committed to before the close and revealed after it.
    Sealed,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Takes offers until it closes, and an acceptance until `accept_by`.
    Open,
    /// The requester accepted the offer, then.
    Accepted(OfferId, Instant),
    /// The requester withdrew it.
    Withdrawn(Instant),
    /// A payment or a credit took one of its fens first.
    Changed(Instant),
}

/// A request: one debtor, one currency, one due day.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The holder who asks.
    pub requester: PartyId,
    /// Who owes every fen of it.
    pub debtor: PartyId,
    /// The suppliers the fens come from, with each one's part of the face.
    pub suppliers: Vec<(PartyId, Fen)>,
    /// What is offered for financing.
    pub addresses: Addresses,
    /// The currency of the fens.
    pub currency: Currency,
    /// How many fens.
    pub face: Fen,
    /// When every one of them is due.
    pub due: Day,
    /// The lenders asked; none named: any lender.
    pub invited: Option<Vec<PartyId>>,
    /// How they bid.
    pub bidding: Bidding,
    /// When it was opened.
    pub at: Instant,
    /// No offer or commitment from here on.
    pub closes: Instant,
    /// Sealed offers are revealed before this instant, and accepted from it on; for visible ones, `closes`.
    pub revealed_by: Instant,
    /// From here on the request is no more.
    pub accept_by: Instant,
    /// The version of the rulebook it was made under.
    pub rulebook: u32,
    /// Where it stands.
    pub state: RequestState,
}

/// What a request is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestKey {
    /// Its requester.
    Requester(PartyId),
    /// A lender it names, until it is answered or withdrawn.
    Invited(PartyId),
    /// It is open to every lender, until it is answered or withdrawn.
    AnyLender,
    /// A receivable whose fens it names.
    Receivable(ReceivableId),
}

impl Object for Request {
    type Id = RequestId;
    type Key = RequestKey;

    fn id(&self) -> RequestId {
        self.id
    }

    fn keys(&self) -> Vec<RequestKey> {
        let mut keys = vec![RequestKey::Requester(self.requester)];
        // Lenders see a request until it ends: what was answered must not lengthen what they look through.
        if self.state == RequestState::Open {
            match &self.invited {
                Some(lenders) => keys.extend(lenders.iter().copied().map(RequestKey::Invited)),
                None => keys.push(RequestKey::AnyLender),
            }
        }
        let receivables = self.addresses.by_receivable();
        keys.extend(receivables.map(|named| RequestKey::Receivable(named[0].receivable)));
        keys
    }

    fn notices(&self, _: UtcOffset) -> Vec<Notice> {
        let end = self.ends();
        let requester = Told::Party(self.requester);
        let mut all = vec![self.to_lenders(end, NoticeWord::Ended)];
        if self.bidding == Bidding::Sealed && self.closes < end {
            all.push(self.to_lenders(self.closes, NoticeWord::Revealing));
        }
        if self.revealed_by < end {
            all.push(self.to_lenders(self.revealed_by, NoticeWord::Closed));
        }
        for notice in &mut all {
            // How it ended is the requester's to know; what it did itself it knows.
            if notice.word != NoticeWord::Ended {
                notice.told.push(requester);
            }
        }
        let ended = match self.state {
            RequestState::Open => Some(NoticeWord::Expired),
            RequestState::Changed(_) => Some(NoticeWord::Changed),
            RequestState::Accepted(..) | RequestState::Withdrawn(_) => None,
        };
        let ended = ended.map(|word| Notice::to(end, word, [self.requester]));
        // Before the lenders' own: an auditor reads the first of an instant.
        ended.into_iter().chain(all).collect()
    }
}

impl Request {
    /// Whether it is live at `time`: neither answered nor ended.
    pub fn is_live(&self, time: Instant) -> bool {
        self.state == RequestState::Open && self.accept_by > time
    }

    /// The instant from which on it is no more, as far as is known.
    pub fn ends(&self) -> Instant {
        match self.state {
            RequestState::Open => self.accept_by,
            RequestState::Accepted(_, at)
            | RequestState::Withdrawn(at)
            | RequestState::Changed(at) => at,
        }
    }

    /// What the lenders that may bid are told.
    fn to_lenders(&self, at: Instant, word: NoticeWord) -> Notice {
        let told = match &self.invited {
            None => vec![Told::Lenders],
            Some(lenders) => {
                let others = lenders.iter().filter(|lender| **lender != self.debtor);
                others.map(|lender| Told::Party(*lender)).collect()
            }
        };
        Notice { at, word, told }
    }

    /// Whether it asks this lender.
    pub fn asks(&self, lender: PartyId) -> bool {
        self.invited
            .as_ref()
            .is_none_or(|invited| invited.contains(&lender))
    }

    /// The request, if it is live at `time`.
    pub fn live(&self, time: Instant) -> Result<&Request, Refusal> {
        ensure(self.is_live(time), || {
            Refusal::new("request.ended", "the request has ended").input("request", self.id)
        })?;
        Ok(self)
    }

    /// The request, if it still takes offers and commitments at `time`.
    pub fn taking_offers(&self, time: Instant) -> Result<&Request, Refusal> {
        ensure(self.live(time)?.closes > time, || {
            Refusal::new("request.closed", "the request has closed")
                .input("request", self.id)
                .input("closed", self.closes_text())
        })?;
        Ok(self)
    }

    /// The request, if its bidding is `bidding`.
    pub fn bidding(&self, bidding: Bidding) -> Result<&Request, Refusal> {
        ensure(self.bidding == bidding, || match bidding {
            Bidding::Visible => Refusal::new(
                "request.sealed",
                "the request takes sealed offers: commit, then reveal",
            ),
            Bidding::Sealed => Refusal::new(
                "request.visible",
                "the request takes visible offers: make one",
            ),
        })?;
        Ok(self)
    }

    fn closes_text(&self) -> String {
        self.closes.to_string()
    }
}
