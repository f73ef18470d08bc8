//! `request.open`: a holder puts fens before lenders, who bid until it closes.

use serde::{Deserialize, Serialize};

use crate::domain::financeable::Financeable;
use crate::domain::head::Head;
use crate::domain::objects::{Bidding, Disposition, Lock, Request, RequestState};
use crate::domain::price::compared_on;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{Addresses, Instant, PartyId, Role};

/// A request closes at most this many days ahead.
const MOST_DAYS: i64 = 30;
/// It is accepted at most this many business days after the close.
const ACCEPT_BUSINESS_DAYS: u32 = 3;
/// It names at most this many lenders.
const INVITED_MOST: usize = 256;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// What is to be financed: 1 to 256 addresses of one debtor, currency and due day. An offer is for all of it.
    pub addresses: Addresses,
    /// The lenders asked, sorted; absent: any lender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited: Option<Vec<PartyId>>,
    /// Whether offers are sealed until the close, or seen by the requester as they arrive.
    pub bidding: Bidding,
    /// No offer from here on; at most 30 days ahead.
    pub closes: Instant,
    /// From here on the request is no more; at most three business days after the close.
    pub accept_by: Instant,
}

impl Operation for Open {
    const NAME: &'static str = "request.open";
    const SUMMARY: &'static str = "A holder asks lenders to finance fens";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.may_take_obligations(at.today()?)?;
        let fens = at.financeable(&self.addresses, None)?;
        self.check_invited(at, &fens)?;
        self.check_times(at)?;

        let mut draft = at.draft();
        let id = draft.make_id();
        let rulebook = at.rulebook()?;
        let request = Request {
            id,
            requester: at.by,
            debtor: fens.debtor,
            suppliers: fens.suppliers,
            addresses: self.addresses.clone(),
            currency: fens.currency,
            face: fens.face,
            due: fens.due,
            invited: self.invited.clone(),
            bidding: self.bidding,
            at: at.time,
            closes: self.closes,
            revealed_by: self.revealed_by(rulebook.rules.reveal.params.hours),
            accept_by: self.accept_by,
            rulebook: rulebook.version,
            state: RequestState::Open,
        };
        check_window(at, &request)?;
        draft.put(request);
        let lock = Lock {
            by: Disposition::Request(id),
            ends: self.accept_by,
        };
        draft.lock(&self.addresses, lock);
        Ok(draft.done())
    }
}

impl Open {
    /// Any lender or invited ones, who are neither the requester nor the debtor.
    fn check_invited(&self, at: &Head<'_>, fens: &Financeable) -> Result<(), Refusal> {
        let Some(invited) = &self.invited else {
            return Ok(());
        };
        let sorted = invited.is_sorted_by(|a, b| a < b);
        ensure(
            sorted && (1..=INVITED_MOST).contains(&invited.len()),
            || {
                Refusal::new(
                    "request.invited",
                    format!("the lenders asked are sorted, each once, 1 to {INVITED_MOST}"),
                )
                .remedy("leave `invited` out to ask every lender")
            },
        )?;
        for lender in invited {
            at.party(*lender)?.with_role(Role::Lender)?;
            ensure(*lender != at.by && *lender != fens.debtor, || {
                Refusal::new(
                    "request.invited",
                    "neither the requester nor the debtor finances the request",
                )
                .input("invited", lender)
            })?;
        }
        Ok(())
    }

    /// `accept_by` ≤ close + 3 business days: until 24:00 of the third.
    fn check_times(&self, at: &Head<'_>) -> Result<(), Refusal> {
        at.ends_within("closes", self.closes, MOST_DAYS)?;
        let closing_day = at.ledger()?.last_day_before(self.closes);
        let calendar = &at.rulebook()?.calendar;
        let last = at.end_of(calendar.plus_business_days(closing_day, ACCEPT_BUSINESS_DAYS))?;
        ensure(
            self.closes < self.accept_by && self.accept_by <= last,
            || {
                Refusal::new(
                "request.accept_by",
                format!("accept_by lies after the close, by at most {ACCEPT_BUSINESS_DAYS} business days"),
            )
            .input("closes", self.closes)
            .input("accept_by", self.accept_by)
            .input("at_most", last)
            },
        )
    }

    /// Sealed offers are revealed within the window after the close; visible ones need none.
    fn revealed_by(&self, hours: u32) -> Instant {
        match self.bidding {
            Bidding::Sealed => self.closes.plus_hours(hours.into()),
            Bidding::Visible => self.closes,
        }
    }
}

fn check_window(at: &Head<'_>, request: &Request) -> Result<(), Refusal> {
    // `reveal` ends before `accept_by`.
    ensure(request.revealed_by < request.accept_by, || {
        Refusal::new(
            "reveal",
            "the window for revealing offers ends before accept_by",
        )
        .input("revealed_by", request.revealed_by)
        .input("accept_by", request.accept_by)
    })?;
    // Offers are compared on the next business day after accept_by, over at least one day.
    let compared = compared_on(at.ledger()?, request);
    ensure(compared < request.due, || {
        Refusal::new(
            "request.due",
            "the day on which offers are compared lies before the due day",
        )
        .input("compared_on", compared)
        .input("due", request.due)
    })
}
