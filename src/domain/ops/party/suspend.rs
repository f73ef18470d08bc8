//! `party.suspend`: the operator stops a party's new obligations for a time; old ones are settled as before.

use serde::{Deserialize, Serialize};

use super::check_authority;
use crate::domain::head::Head;
use crate::domain::objects::{Party, Suspension};
use crate::domain::operation::{Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Instant, PartyId, Reason, Role};

/// The operator suspends alone for so many days; suspensions less than that apart count as one.
const ALONE_DAYS: i64 = 30;
/// A suspension ends within this many days; it may be prolonged.
const DAYS_MOST: i64 = 366;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Suspend {
    /// The party.
    pub party: PartyId,
    /// Why.
    pub reason: Reason,
    /// From here on it takes obligations again: at most 366 days ahead.
    pub ends: Instant,
    /// The authority that signs too: for more than 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<PartyId>,
}

impl Operation for Suspend {
    const NAME: &'static str = "party.suspend";
    const SUMMARY: &'static str =
        "The operator stops a party's new obligations, above 30 days with an authority";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            required: self.authority.into_iter().collect(),
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.with_role(Role::Operator)?;
        let party = at.party(self.party)?.not_operator()?;
        check_authority(at, self.authority)?;
        at.ends_within("ends", self.ends, DAYS_MOST)?;
        let suspension = self.suspension(at, party);
        self.check_length(party, &suspension, at.time)?;

        let mut draft = at.draft();
        draft.edit::<Party>(party.id).suspension = Some(suspension);
        draft.tell(party.id);
        self.authority
            .into_iter()
            .for_each(|authority| draft.tell(authority));
        Ok(draft.done())
    }
}

impl Suspend {
    /// One that runs goes on, and so does the count of the days.
    fn suspension(&self, at: &Head<'_>, party: &Party) -> Suspension {
        let earlier = party.suspension.as_ref();
        let runs = earlier.filter(|one| one.holds(at.time));
        let near = earlier.filter(|one| at.time < one.ends.plus_days(ALONE_DAYS));
        Suspension {
            reason: self.reason.clone(),
            from: runs.map_or(at.time, |one| one.from),
            ends: self.ends,
            counted_from: near.map_or(at.time, |one| one.counted_from),
            by_authority: self.authority.is_some() || runs.is_some_and(|one| one.by_authority),
        }
    }

    fn check_length(
        &self,
        party: &Party,
        suspension: &Suspension,
        time: Instant,
    ) -> Result<(), Refusal> {
        let runs = party.suspension.as_ref().filter(|one| one.holds(time));
        ensure(runs.is_none_or(|one| one.ends <= self.ends), || {
            Refusal::new(
                "suspension.shorter",
                "the party is suspended for longer already",
            )
            .input("party", party.id)
            .remedy("party.reinstate ends a suspension early")
        })?;
        // Above 30 days it needs an authority.
        let alone = suspension.counted_from.plus_days(ALONE_DAYS);
        ensure(self.authority.is_some() || self.ends <= alone, || {
            Refusal::new(
                "suspension.authority",
                format!(
                    "the operator suspends for {ALONE_DAYS} days alone, suspensions less than that apart counted as one"
                ),
            )
            .input("ends", self.ends)
            .input("alone_until", alone)
            .remedy("name an authority and have it sign the same envelope")
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Basis, Bidding, Discharge};
    use crate::domain::ops::party::reinstate::Reinstate;
    use crate::domain::ops::transfer;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::{fens_of, terms_of};
    use crate::domain::testing::{
        HOSPITAL, LENDER, MAKER, OPERATOR, SUPPLIER, TAX, World, id, proposal, wire,
    };
    use crate::domain::values::{MadeId, TransferId};

    fn suspending(world: &World, party: &str, days: i64) -> Suspend {
        Suspend {
            party: id(party),
            reason: wire("documents do not agree"),
            ends: world.time.plus_days(days),
            authority: None,
        }
    }

    fn suspended(party: &str) -> World {
        let mut world = World::new();
        world.act(OPERATOR, suspending(&world, party, 30));
        world
    }

    #[rstest]
    #[case::a_minute_before_it_ends(-1, Some("party.suspended"))]
    #[case::as_it_ends(0, None)]
    fn it_takes_no_new_obligation_until_the_end(#[case] minutes: i64, #[case] rule: Option<&str>) {
        let mut world = suspended(SUPPLIER);
        world.time = world.time.plus_days(30).plus_minutes(minutes);
        assert_eq!(world.rule_against(SUPPLIER, proposal()), rule);
    }

    #[rstest]
    #[case::supplier(SUPPLIER)]
    #[case::debtor(HOSPITAL)]
    fn others_make_no_contract_with_it_either(#[case] party: &str) {
        let mut world = suspended(party);
        let other = if party == SUPPLIER {
            HOSPITAL
        } else {
            SUPPLIER
        };
        let refusal = world.refusal(other, proposal());
        assert_eq!(refusal.rule, "party.suspended");
    }

    /// Never the settlement of old ones.
    #[test]
    fn what_it_owes_is_paid_and_what_it_is_owed_too() {
        let (mut world, receivable) = banked();
        world.act(OPERATOR, suspending(&world, HOSPITAL, 30));
        world.act(OPERATOR, suspending(&world, SUPPLIER, 30));
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "150000.00", &pays);
    }

    /// Locks and auctions open at its entry run out normally.
    #[rstest]
    #[case::proposed_before(true, None)]
    #[case::proposed_after(false, Some("party.suspended"))]
    fn a_transfer_that_was_open_is_accepted(#[case] before: bool, #[case] rule: Option<&str>) {
        let mut world = World::new();
        let receivable = world.confirmed("1000.00");
        let basis = Basis::Contract(world.owes_maker("M-1", "100.00"));
        let body = world.passing(fens_of(receivable, 0, 100), basis);
        if !before {
            world.act(OPERATOR, suspending(&world, MAKER, 30));
            assert_eq!(world.rule_against(SUPPLIER, body), rule);
            return;
        }
        let transfer = TransferId::of(&world.act(SUPPLIER, body), 0);
        world.later_by_hours(1);
        world.act(OPERATOR, suspending(&world, MAKER, 30));
        let accept = transfer::accept::Accept { transfer };
        assert_eq!(world.rule_against(MAKER, accept), rule);
    }

    #[test]
    fn an_auction_that_was_open_is_brought_to_its_end_and_takes_no_new_bid() {
        let mut world = World::new();
        let receivable = world.confirmed("1000.00");
        world.limited(LENDER, "1000.00");
        let request = world.requested(fens_of(receivable, 0, 100_000), Bidding::Visible);
        let terms = terms_of(world.get_request(request));
        let offer = world.offered(LENDER, request, terms.clone());
        world.later_by_hours(1);
        for party in [SUPPLIER, LENDER] {
            world.act(OPERATOR, suspending(&world, party, 30));
        }
        let accept = crate::domain::ops::offer::accept::Accept { offer };
        assert_eq!(world.rule_against(SUPPLIER, accept), None);
        let withdraw = crate::domain::ops::offer::withdraw::Withdraw { offer };
        world.act(LENDER, withdraw);
        let again = crate::domain::ops::offer::make::Make {
            request,
            offer: terms,
        };
        assert_eq!(world.refusal(LENDER, again).rule, "party.suspended");
    }

    /// Days from the start at which the operator suspends alone, each time with an end so many days from the start.
    #[rstest]
    #[case::thirty_days(&[(0, 30)], None)]
    #[case::more(&[(0, 31)], Some("suspension.authority"))]
    #[case::prolonged_within(&[(0, 10), (5, 30)], None)]
    #[case::prolonged_beyond(&[(0, 30), (20, 31)], Some("suspension.authority"))]
    #[case::again_at_once(&[(0, 30), (30, 31)], Some("suspension.authority"))]
    #[case::again_a_little_too_soon(&[(0, 30), (59, 61)], Some("suspension.authority"))]
    #[case::again_after_thirty_days(&[(0, 30), (60, 90)], None)]
    #[case::shortened(&[(0, 30), (5, 20)], Some("suspension.shorter"))]
    #[case::in_the_past(&[(5, 5)], Some("end.range"))]
    #[case::for_ever(&[(0, 367)], Some("end.range"))]
    fn the_operator_alone(#[case] steps: &[(i64, i64)], #[case] rule: Option<&'static str>) {
        let mut world = World::new();
        let start = world.time;
        let mut last = None;
        for (day, end) in steps {
            world.time = start.plus_days(*day);
            let body = Suspend {
                ends: start.plus_days(*end),
                ..suspending(&world, SUPPLIER, 1)
            };
            last = world.signed(OPERATOR, &[OPERATOR], body).err();
        }
        assert_eq!(last, rule);
    }

    #[test]
    fn with_an_authority_longer_and_only_with_one_shorter() {
        let mut world = World::new();
        let body = Suspend {
            authority: Some(id(TAX)),
            ..suspending(&world, SUPPLIER, 200)
        };
        world.act_with(OPERATOR, &[id(TAX)], body);
        let reinstate = |authority| Reinstate {
            party: id(SUPPLIER),
            authority,
        };
        let alone = world.refusal(OPERATOR, reinstate(None));
        assert_eq!(alone.rule, "suspension.authority");
        world.act_with(OPERATOR, &[id(TAX)], reinstate(Some(id(TAX))));
        assert_eq!(world.rule_against(SUPPLIER, proposal()), None);
    }

    #[rstest]
    #[case::by_a_debtor(HOSPITAL, |_: &mut Suspend| (), "party.role")]
    #[case::of_nobody(OPERATOR, |body: &mut Suspend| body.party = id("x:nobody"), "unknown_object")]
    #[case::of_the_operator(OPERATOR, |body: &mut Suspend| body.party = id(OPERATOR), "party.operator")]
    #[case::signed_by_a_lender(OPERATOR, |body: &mut Suspend| body.authority = Some(id(LENDER)), "party.voucher")]
    fn refused(#[case] by: &str, #[case] spoil: fn(&mut Suspend), #[case] rule: &str) {
        let mut world = World::new();
        let mut body = suspending(&world, SUPPLIER, 30);
        spoil(&mut body);
        let also: Vec<PartyId> = body.authority.into_iter().collect();
        assert_eq!(world.refusal_with(by, &also, body).rule, rule);
    }
}
