//! `request.open`: a holder puts fens before lenders, who bid until it closes.

use serde::{Deserialize, Serialize};

use crate::domain::financeable::Financeable;
use crate::domain::head::Head;
use crate::domain::objects::{Bidding, Disposition, Lock, Request, RequestState};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::price::compared_on;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Addresses, Instant, PartyId, Role};

/// A request closes at most this many days ahead.
const MOST_DAYS: i64 = 30;
/// It is accepted at most this many business days after the close.
const ACCEPT_BUSINESS_DAYS: u32 = 3;
/// It names at most this many lenders.
const INVITED_MOST: usize = 256;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
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

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        at.stake_of(&self.addresses)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.may_take_obligations(at)?;
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::RequestKey;
    use crate::domain::ops::invoice::flag::Flag;
    use crate::domain::testing::trade::{addresses, fens_of};
    use crate::domain::testing::{
        BANK, FACTOR, HOSPITAL, LENDER, MAKER, OPERATOR, STRANGER, SUPPLIER, TAX, World, admission,
        fen, id, shipped_rulebook, wire,
    };
    use crate::domain::values::{MadeId, ReceivableId, RequestId, Size};

    fn given() -> (World, ReceivableId) {
        let mut world = World::new();
        let receivable = world.confirmed("1000000.00");
        (world, receivable)
    }

    fn body(world: &World, receivable: ReceivableId) -> Open {
        world.opening(fens_of(receivable, 0, 60_000_000), Bidding::Sealed)
    }

    #[test]
    fn the_fens_are_locked_until_accept_by_and_only_the_requester_reads_the_entry() {
        let (mut world, receivable) = given();
        let body = body(&world, receivable);
        let (closes, accept_by) = (body.closes, body.accept_by);
        let effects = world.effects(SUPPLIER, body);
        assert_eq!(effects.audience, [id(SUPPLIER)].into());
        let (request, opened) = effects.requests.first().expect("one request");
        assert_eq!(opened.revealed_by, closes.plus_hours(12));
        let lock = Lock {
            by: Disposition::Request(*request),
            ends: accept_by,
        };
        world.state.apply(effects);
        let locks: Vec<_> = world.runs(receivable).iter().map(|run| run.lock).collect();
        assert_eq!(locks, [Some(lock), None]);
    }

    #[test]
    fn it_says_what_part_of_the_face_each_supplier_has() {
        let mut world = World::new();
        let first = world.confirmed("1000000.00");
        let others = world.confirmed_of(STRANGER, HOSPITAL, "200000.00");
        let owed = world.contract_of(SUPPLIER, STRANGER, crate::domain::testing::proposal());
        let mut passing = world.passing(
            fens_of(others, 0, 20_000_000),
            crate::domain::objects::Basis::Contract(owed),
        );
        passing.to = id(SUPPLIER);
        let op = world.act(STRANGER, passing);
        let transfer = crate::domain::values::TransferId::of(&op, 0);
        world.act(
            SUPPLIER,
            crate::domain::ops::transfer::accept::Accept { transfer },
        );
        let both = addresses(&[(first, 5, 10_000_005), (others, 0, 20_000_000)]);
        let request = world.requested(both, Bidding::Visible);
        let mut parts = vec![
            (id(SUPPLIER), fen("100000.00")),
            (id(STRANGER), fen("200000.00")),
        ];
        parts.sort_unstable();
        let request = world.get_request(request);
        assert_eq!(request.suppliers, parts);
        assert_eq!(request.face, fen("300000.00"));
        assert_eq!(request.revealed_by, request.closes, "nothing to reveal");
    }

    #[test]
    fn invited_lenders_alone_find_it() {
        let (mut world, receivable) = given();
        let mut body = body(&world, receivable);
        body.invited = Some(vec![id(BANK), id(LENDER)]);
        world.act(SUPPLIER, body);
        let found = |key| world.state.requests.by(&key).count();
        assert_eq!(found(RequestKey::Invited(id(LENDER))), 1);
        assert_eq!(found(RequestKey::Invited(id(FACTOR))), 0);
        assert_eq!(found(RequestKey::AnyLender), 0);
    }

    #[rstest]
    #[case::nobody_asked(|body: &mut Open| body.invited = Some(vec![]), "request.invited")]
    #[case::unsorted(|body: &mut Open| body.invited = Some(vec![id(LENDER), id(FACTOR)]), "request.invited")]
    #[case::asked_twice(|body: &mut Open| body.invited = Some(vec![id(LENDER), id(LENDER)]), "request.invited")]
    #[case::no_lender(|body: &mut Open| body.invited = Some(vec![id(STRANGER)]), "party.role")]
    #[case::unknown(|body: &mut Open| body.invited = Some(vec![id("x:nobody")]), "unknown_object")]
    #[case::closed_before_it_opens(|body: &mut Open| body.closes = wire("2026-06-01T02:00:00Z"), "end.range")]
    #[case::closing_in_31_days(|body: &mut Open| body.closes = body.closes.plus_days(29), "end.range")]
    #[case::accepted_at_the_close(|body: &mut Open| body.accept_by = body.closes, "request.accept_by")]
    #[case::behind_the_third_business_day(|body: &mut Open| body.accept_by = wire("2026-06-08T16:00:01Z"), "request.accept_by")]
    #[case::accepted_before_the_reveal_ends(|body: &mut Open| body.accept_by = body.closes.plus_hours(12), "reveal")]
    #[case::beyond_the_face(|body: &mut Open| body.addresses = fens_of(body.addresses.as_slice()[0].receivable, 0, 100_000_001), "unknown_object")]
    fn refused(#[case] spoil: fn(&mut Open), #[case] rule: &str) {
        let (mut world, receivable) = given();
        let mut body = body(&world, receivable);
        spoil(&mut body);
        assert_eq!(world.refusal(SUPPLIER, body).rule, rule);
    }

    #[test]
    fn it_may_be_accepted_until_the_end_of_the_third_business_day() {
        let (mut world, receivable) = given();
        let mut body = body(&world, receivable);
        body.accept_by = wire("2026-06-08T16:00:00Z");
        world.act(SUPPLIER, body);
    }

    #[test]
    fn the_debtor_is_not_asked_though_it_lends() {
        const GROUP: &str = "uscc:91310000132468107P";
        let mut world = World::new();
        let group = admission(
            GROUP,
            &[Role::Debtor, Role::Lender],
            &[],
            Some(Size::Large),
            Some(TAX),
        );
        world.act_with(OPERATOR, &[id(TAX)], group);
        let receivable = world.confirmed_of(SUPPLIER, GROUP, "1000000.00");
        let mut body = body(&world, receivable);
        body.invited = Some(vec![id(GROUP)]);
        assert_eq!(world.refusal(SUPPLIER, body).rule, "request.invited");
    }

    #[rstest]
    #[case::the_debtor(HOSPITAL)]
    #[case::a_lender(LENDER)]
    #[case::a_stranger(MAKER)]
    fn only_its_holder_asks_for_a_fen(#[case] other: &str) {
        let (mut world, receivable) = given();
        let body = body(&world, receivable);
        assert_eq!(world.refusal(other, body).rule, "unknown_object");
    }

    /// A flag blocks new financing while it lasts; the holder learns of its receivable alone.
    #[test]
    fn no_share_is_of_a_flagged_invoice() {
        let (mut world, receivable) = given();
        let flag = Flag {
            invoice: world.receivable(receivable).shares[0].invoice,
            reason: wire("under inquiry"),
            ends: world.time.plus_days(1),
        };
        world.act(TAX, flag);
        let flagged = body(&world, receivable);
        let refusal = world.refusal(SUPPLIER, flagged);
        assert_eq!(refusal.rule, "invoice.flagged");
        assert_eq!(refusal.inputs[0].value, receivable.to_string());
        world.later_by_hours(24);
        world.act(SUPPLIER, body(&world, receivable));
    }

    #[test]
    fn its_fens_have_one_debtor() {
        let (mut world, receivable) = given();
        let of_another = world.confirmed_of(SUPPLIER, STRANGER, "100.00");
        let both = addresses(&[(receivable, 0, 1), (of_another, 0, 1)]);
        let body = world.opening(both, Bidding::Sealed);
        assert_eq!(world.refusal(SUPPLIER, body).rule, "request.mixed");
    }

    #[test]
    fn its_fens_have_one_due_day() {
        let (mut world, receivable) = given();
        world.on("2026-06-05");
        let later = world.confirmed("100.00");
        let both = addresses(&[(receivable, 0, 1), (later, 0, 1)]);
        let body = world.opening(both, Bidding::Sealed);
        assert_eq!(world.refusal(SUPPLIER, body).rule, "request.mixed");
    }

    #[test]
    fn a_fen_is_in_one_request() {
        let (mut world, receivable) = given();
        world.act(SUPPLIER, body(&world, receivable));
        let again = world.opening(
            fens_of(receivable, 59_999_999, 70_000_000),
            Bidding::Visible,
        );
        assert_eq!(world.refusal(SUPPLIER, again).rule, "fens.locked");
    }

    #[rstest]
    #[case::compared_before_it_is_due("2026-08-01", None)]
    #[case::compared_on_the_due_day("2026-08-02", Some("request.due"))]
    #[case::behind_the_cut_off("2026-08-04", Some("claim.cutoff"))]
    #[case::overdue("2026-08-08", Some("claim.cutoff"))]
    fn offers_must_have_a_day_to_be_compared_on(#[case] day: &str, #[case] rule: Option<&str>) {
        let (mut world, receivable) = given();
        world.on(day);
        let body = body(&world, receivable);
        match rule {
            Some(rule) => assert_eq!(world.refusal(SUPPLIER, body).rule, rule),
            None => _ = world.act(SUPPLIER, body),
        }
    }

    #[test]
    fn the_window_for_revealing_is_the_rulebooks() {
        let mut rulebook = shipped_rulebook();
        rulebook.rules.reveal.params.hours = 48;
        let mut world = World::under(rulebook).with_parties();
        let receivable = world.confirmed("1000000.00");
        let too_short = body(&world, receivable);
        assert_eq!(world.refusal(SUPPLIER, too_short).rule, "reveal");
        let mut body = body(&world, receivable);
        body.accept_by = wire("2026-06-05T02:00:01Z");
        let request = RequestId::of(&world.act(SUPPLIER, body), 0);
        let request = world.get_request(request);
        assert_eq!(request.revealed_by, request.closes.plus_hours(48));
    }
}
