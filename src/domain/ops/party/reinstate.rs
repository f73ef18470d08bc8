//! `party.reinstate`: the operator ends a suspension early.

use serde::{Deserialize, Serialize};

use super::check_authority;
use crate::domain::head::Head;
use crate::domain::objects::{Party, Suspension};
use crate::domain::operation::{Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{PartyId, Role};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reinstate {
    /// The party.
    pub party: PartyId,
    /// The authority that signs too, where one signed the suspension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<PartyId>,
}

impl Operation for Reinstate {
    const NAME: &'static str = "party.reinstate";
    const SUMMARY: &'static str = "The operator ends a party's suspension early";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            required: self.authority.into_iter().collect(),
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.with_role(Role::Operator)?;
        let party = at.party(self.party)?;
        check_authority(at, self.authority)?;
        let runs = party.suspension.as_ref().filter(|one| one.holds(at.time));
        let suspension = runs.ok_or_else(|| {
            Refusal::new("suspension.none", "the party is not suspended").input("party", party.id)
        })?;
        ensure(self.authority.is_some() || !suspension.by_authority, || {
            Refusal::new(
                "suspension.authority",
                "an authority signed the suspension, so one signs its end",
            )
            .input("party", party.id)
            .remedy("name an authority and have it sign the same envelope")
        })?;

        let mut draft = at.draft();
        draft.edit::<Party>(party.id).suspension = Some(Suspension {
            ends: at.time,
            ..suspension.clone()
        });
        draft.tell(party.id);
        self.authority
            .into_iter()
            .for_each(|authority| draft.tell(authority));
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::party::suspend::Suspend;
    use crate::domain::testing::{
        HOSPITAL, LENDER, MAKER, OPERATOR, SUPPLIER, World, id, proposal, wire,
    };

    fn given() -> World {
        let mut world = World::new();
        let suspend = Suspend {
            party: id(SUPPLIER),
            reason: wire("documents do not agree"),
            ends: world.time.plus_days(30),
            authority: None,
        };
        world.act(OPERATOR, suspend);
        world
    }

    fn reinstate(party: &str) -> Reinstate {
        Reinstate {
            party: id(party),
            authority: None,
        }
    }

    #[test]
    fn it_takes_obligations_again() {
        let mut world = given();
        world.later_by_hours(24);
        world.act(OPERATOR, reinstate(SUPPLIER));
        world.act(SUPPLIER, proposal());
    }

    #[rstest]
    #[case::by_the_party_itself(SUPPLIER, SUPPLIER, "party.role")]
    #[case::by_a_debtor(HOSPITAL, SUPPLIER, "party.role")]
    #[case::of_nobody(OPERATOR, "x:nobody", "unknown_object")]
    #[case::who_is_not_suspended(OPERATOR, MAKER, "suspension.none")]
    fn refused(#[case] by: &str, #[case] party: &str, #[case] rule: &str) {
        assert_eq!(given().refusal(by, reinstate(party)).rule, rule);
    }

    #[test]
    fn once_it_has_ended_there_is_none() {
        let mut world = given();
        world.later_by_hours(30 * 24);
        let refusal = world.refusal(OPERATOR, reinstate(SUPPLIER));
        assert_eq!(refusal.rule, "suspension.none");
    }

    #[test]
    fn only_an_authority_signs_too() {
        let body = Reinstate {
            authority: Some(id(LENDER)),
            ..reinstate(SUPPLIER)
        };
        let refusal = given().refusal_with(OPERATOR, &[id(LENDER)], body);
        assert_eq!(refusal.rule, "party.voucher");
    }
}
