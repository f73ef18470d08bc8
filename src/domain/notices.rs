//! What becomes of an object with no entry that tells its readers: its end has come, or an entry of others has ended
//! it (`changed`).
//!
//! Each object says its own notices, a function of itself alone, and its table finds them by who is told and when. So
//! a notice is never stored or sent by anybody: it is recomputed whenever somebody reads, and one that an entry has
//! made untrue since is no more.

use serde::Serialize;

use super::objects::{
    Account, Bidding, Contract, Delivery, Financing, Invoice, Leg, Limit, Offer, OfferKey,
    OfferState, Party, Request, Transfer,
};
use super::state::Stored;
use super::values::{Instant, OfferId, PartyId};
use super::visibility::Viewer;

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeWord {
    /// Nobody answered, paid or renewed it in time.
    Expired,
    /// A payment or a credit took one of its fens first.
    Changed,
    /// A request takes no more offers; sealed ones are to be revealed.
    Revealing,
    /// A request waits for its requester to accept an offer.
    Closed,
    /// A request is no more, to the lenders that could bid on it: nothing says why.
    Ended,
    /// A leg was not attested in time, or a party's identification has run out.
    Lapsed,
    /// An account has cooled.
    Usable,
    /// A delivery counts as accepted.
    Deemed,
    /// An authority's flag on an invoice is no more.
    FlagEnded,
    /// A party may take new obligations again.
    SuspensionEnded,
    /// A change of a party's keys or policy has taken effect.
    InForce,
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// Whoever audits: of everything.
    Auditors,
    /// The party.
    Party(PartyId),
    /// Every lender.
    Lenders,
}

/// What becomes of an object at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Instant,
    /// What.
    pub word: NoticeWord,
    /// Who is told, beside the auditors.
    pub told: Vec<Told>,
}

impl Notice {
    /// What the parties are told.
    pub fn to<const N: usize>(at: Instant, word: NoticeWord, parties: [PartyId; N]) -> Notice {
        let told = parties.map(Told::Party).to_vec();
        Notice { at, word, told }
    }
}

/// A notice as a party reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NoticeRow {
    /// When, by the ledger's time.
    pub time: Instant,
    /// What became of it.
    pub notice: NoticeWord,
    /// The object.
    pub object: String,
    /// Of a request, the reader's own offer that goes the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
}

/// Where a reader of notices stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Behind {
    /// It has read the notices before this instant.
    pub at: Instant,
    /// And of the instant itself those of objects up to this id; of all objects where it is absent.
    pub object: Option<String>,
}

impl Behind {
    fn takes(&self, at: Instant, object: &str) -> bool {
        at > self.at || (at == self.at && self.object.as_deref().is_some_and(|id| object > id))
    }

    /// The first instant of which a notice may be unread.
    fn from(&self) -> Instant {
        match self.object {
            Some(_) => self.at,
            None => next(self.at),
        }
    }
}

fn next(at: Instant) -> Instant {
    Instant::from_millis(at.millis() + 1)
}

impl Viewer<'_> {
    /// The notices that the viewer is told, behind a place and until an instant, in order of instant and id.
    pub fn notices(&self, behind: &Behind, until: Instant, most: usize) -> Vec<NoticeRow> {
        let mut reading = Reading {
            viewer: self,
            behind,
            until,
            most,
            rows: Vec::new(),
        };
        let plain = Some(None);
        reading.take::<Party>(|_, _| plain);
        reading.take::<Contract>(|_, _| plain);
        reading.take::<Delivery>(|_, _| plain);
        reading.take::<Invoice>(|_, _| plain);
        reading.take::<Transfer>(|_, _| plain);
        reading.take::<Request>(|request, told| self.of_request(request, told));
        reading.take::<Offer>(|offer, _| self.expires(offer).then_some(None));
        reading.take::<Financing>(|_, _| plain);
        reading.take::<Limit>(|_, _| plain);
        reading.take::<Account>(|_, _| plain);
        reading.take::<Leg>(|_, _| plain);
        let mut rows = reading.rows;
        rows.sort_by(|one, other| (one.time, &one.object).cmp(&(other.time, &other.object)));
        rows.dedup_by(|next, kept| (next.time, &next.object) == (kept.time, &kept.object));
        rows.truncate(most);
        rows
    }

    /// When the viewer is told something next, behind an instant.
    pub fn next_notice(&self, behind: Instant) -> Option<Instant> {
        fn of<T: Stored>(viewer: &Viewer<'_>, behind: Instant) -> Option<Instant> {
            let table = T::table(viewer.state);
            let found = viewer.told().into_iter().filter_map(|told| {
                let mut found = table.noticed(told, next(behind), Instant::MAX);
                found.next().map(|(at, _)| at)
            });
            found.min()
        }
        let kinds = [
            of::<Party>,
            of::<Contract>,
            of::<Delivery>,
            of::<Invoice>,
            of::<Transfer>,
            of::<Request>,
            of::<Offer>,
            of::<Financing>,
            of::<Limit>,
            of::<Account>,
            of::<Leg>,
        ];
        kinds.iter().filter_map(|of| of(self, behind)).min()
    }

    fn told(&self) -> Vec<Told> {
        if self.audits() {
            return vec![Told::Auditors];
        }
        let own = [Told::Party(self.party)];
        let lenders = self.is_lender().then_some(Told::Lenders);
        own.into_iter().chain(lenders).collect()
    }

    /// Whether a notice of the request is for the viewer, and its own offer there, which goes the same way.
    fn of_request(&self, request: &Request, told: Told) -> Option<Option<OfferId>> {
        let owes_or_asks = [request.debtor, request.requester].contains(&self.party);
        if told == Told::Lenders && owes_or_asks {
            return None;
        }
        let key = OfferKey::RequestLender(request.id, self.party);
        let stands = |offer: &&Offer| {
            let state = &offer.state;
            matches!(state, OfferState::Committed(_) | OfferState::Standing(_))
        };
        let mut own = Offer::table(self.state).by(&key).filter(stands);
        Some(own.next().map(|offer| offer.id))
    }

    /// Whether an offer ended by its own end, and not before it with its request; and whether the viewer knew it.
    fn expires(&self, offer: &Offer) -> bool {
        let request = Request::table(self.state).get(offer.request);
        let end = offer.terms().map(|terms| terms.expires);
        let (Some(request), Some(end)) = (request, end) else {
            return false;
        };
        // The requester does not know of a sealed offer before the window ends.
        let known = request.bidding == Bidding::Visible || request.revealed_by <= end;
        end < request.ends() && (known || self.party != offer.requester)
    }
}

/// Notices being gathered from the tables, one kind after another.
struct Reading<'r> {
    viewer: &'r Viewer<'r>,
    behind: &'r Behind,
    until: Instant,
    most: usize,
    rows: Vec<NoticeRow>,
}

impl Reading<'_> {
    /// The next of one kind that `judge` lets through.
    fn take<T: Stored>(&mut self, judge: impl Fn(&T, Told) -> Option<Option<OfferId>>) {
        let offset = self.viewer.state.utc_offset();
        for told in self.viewer.told() {
            let found = T::table(self.viewer.state).noticed(told, self.from(told), self.until);
            let rows = found.filter_map(|(at, object)| {
                let id = object.id().to_string();
                let offer = judge(object, told).filter(|_| self.behind.takes(at, &id))?;
                let notices = object.notices(offset);
                let said = |notice: &&Notice| {
                    notice.at == at && (told == Told::Auditors || notice.told.contains(&told))
                };
                Some(NoticeRow {
                    time: at,
                    notice: notices.iter().find(said)?.word,
                    object: id,
                    offer,
                })
            });
            let rows: Vec<NoticeRow> = rows.take(self.most).collect();
            self.rows.extend(rows);
        }
    }

    /// A lender is told nothing of requests that ended before it was one.
    fn from(&self, told: Told) -> Instant {
        let from = self.behind.from();
        match (told, self.viewer.state.parties.get(self.viewer.party)) {
            (Told::Lenders, Some(party)) => from.max(party.lender_since.map_or(Instant::MAX, next)),
            _ => from,
        }
    }
}

#[cfg(test)]
mod tests;
