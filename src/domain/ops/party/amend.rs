//! `party.amend`: the operator and the party put right what the register says of it.

use serde::{Deserialize, Serialize};

use super::{Facts, untaken};
use crate::domain::head::Head;
use crate::domain::objects::Party;
use crate::domain::operation::{Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Day, Digest, Name, PartyId, Role, Scope, Size};

/// Body, in wire order: what the register says from now on, whole.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amend {
    /// The party, which signs too.
    pub party: PartyId,
    /// Its other identifiers, sorted: those it has, and more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<PartyId>,
    /// Its legal name.
    pub name: Name,
    /// What it may do, sorted, at least one. A role that is left out ends for what is new; what was begun in it goes on.
    pub roles: Vec<Role>,
    /// An authority's scopes, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// Its size class: suppliers and debtors have one. Contracts keep that of their signing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Digest of what shows that it is so.
    pub evidence: Digest,
    /// The last day of its identification.
    pub kyc_valid_to: Day,
    /// The authority or bank that signs too, for a debtor, lender, guarantor or bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vouched_by: Option<PartyId>,
}

impl Operation for Amend {
    const NAME: &'static str = "party.amend";
    const SUMMARY: &'static str = "The operator and a party amend what the register says of it";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        let required = [self.party].into_iter().chain(self.vouched_by);
        Ok(Consents {
            required: required.collect(),
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.with_role(Role::Operator)?;
        let party = at.party(self.party)?.not_operator()?;
        let facts = self.facts(party.id);
        facts.check_shape()?;
        facts.check_voucher(at)?;
        ensure(
            party.aliases.iter().all(|id| self.aliases.contains(id)),
            || {
                Refusal::new(
                    "party.aliases",
                    "an identifier is its party's for ever: the aliases it has stay",
                )
                .input("party", party.id)
            },
        )?;
        let more = self.aliases.iter().filter(|id| !party.aliases.contains(id));
        untaken(at, more.copied())?;

        let mut draft = at.draft();
        draft.put(self.amended(at, party));
        draft.tell(party.id);
        self.vouched_by
            .into_iter()
            .for_each(|voucher| draft.tell(voucher));
        Ok(draft.done())
    }
}

impl Amend {
    fn facts(&self, party: PartyId) -> Facts<'_> {
        Facts {
            party,
            aliases: &self.aliases,
            roles: &self.roles,
            scopes: &self.scopes,
            size: self.size,
            vouched_by: self.vouched_by,
        }
    }

    fn amended(&self, at: &Head<'_>, party: &Party) -> Party {
        let lends = self.roles.contains(&Role::Lender);
        Party {
            lender_since: lends.then(|| party.lender_since.unwrap_or(at.time)),
            aliases: self.aliases.iter().copied().collect(),
            name: self.name.clone(),
            roles: self.roles.iter().copied().collect(),
            scopes: self.scopes.iter().copied().collect(),
            size: self.size,
            evidence: Some(self.evidence),
            kyc_valid_to: Some(self.kyc_valid_to),
            ..party.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::{Discharge, PartyLink};
    use crate::domain::ops::party::admit::Admit;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::{
        BANK, HOSPITAL, LENDER, MAKER, OPERATOR, SUPPLIER, TAX, World, admission, digest, id,
        proposal, wire,
    };

    const LEI: &str = "lei:5493001KJTIIGC8Y1R12";

    /// The component maker grows: it is a debtor too.
    fn body() -> Amend {
        Amend {
            party: id(MAKER),
            aliases: vec![id(LEI)],
            name: wire("Components and More Co., Ltd."),
            roles: vec![Role::Supplier, Role::Debtor],
            scopes: Vec::new(),
            size: Some(Size::Medium),
            evidence: digest("extract of the register"),
            kyc_valid_to: wire("2030-12-31"),
            vouched_by: Some(id(TAX)),
        }
    }

    fn amended(world: &mut World, body: Amend) {
        let also: Vec<PartyId> = [body.party].into_iter().chain(body.vouched_by).collect();
        world.act_with(OPERATOR, &also, body);
    }

    #[test]
    fn the_register_says_it_from_now_on_and_keys_and_the_rest_stay() {
        let mut world = World::new();
        let before = world.party(MAKER).clone();
        amended(&mut world, body());
        let expected = Party {
            aliases: [id(LEI)].into(),
            name: wire("Components and More Co., Ltd."),
            roles: [Role::Supplier, Role::Debtor].into(),
            size: Some(Size::Medium),
            evidence: Some(digest("extract of the register")),
            kyc_valid_to: Some(wire("2030-12-31")),
            ..before
        };
        assert_eq!(world.party(MAKER), &expected);
        let alias = PartyLink::Alias(id(LEI));
        let found = world.state.parties.by(&alias).next();
        assert_eq!(found.map(|party| party.id), Some(id(MAKER)));
    }

    #[test]
    fn a_role_that_is_left_out_ends_for_what_is_new_and_what_was_begun_goes_on() {
        let (mut world, receivable) = banked();
        let body = Amend {
            party: id(HOSPITAL),
            aliases: Vec::new(),
            roles: vec![Role::Guarantor],
            size: None,
            ..body()
        };
        amended(&mut world, body);
        assert_eq!(world.refusal(SUPPLIER, proposal()).rule, "party.role");
        let pays = [Discharge::Receivable(receivable)];
        world.paid(HOSPITAL, SUPPLIER, "1.00", &pays);
    }

    #[test]
    fn a_lapsed_identification_is_renewed() {
        let mut world = World::new();
        world.on("2031-01-04");
        let renewed = Amend {
            kyc_valid_to: wire("2035-12-31"),
            ..body()
        };
        assert_eq!(world.refusal(MAKER, proposal()).rule, "contract.not_party");
        amended(&mut world, renewed);
        assert!(world.party(MAKER).kyc_valid_to > Some(world.today()));
    }

    #[rstest]
    #[case::of_nobody(|body: &mut Amend| body.party = id("x:nobody"), "unknown_object")]
    #[case::of_the_operator(|body: &mut Amend| body.party = id(OPERATOR), "party.operator")]
    #[case::to_operator(|body: &mut Amend| body.roles = vec![Role::Operator], "party.operator")]
    #[case::without_a_role(|body: &mut Amend| body.roles = vec![], "party.lists")]
    #[case::unsorted(|body: &mut Amend| body.roles.reverse(), "party.lists")]
    #[case::its_own_alias(|body: &mut Amend| body.aliases = vec![body.party], "party.lists")]
    #[case::scope_without_authority(|body: &mut Amend| body.scopes = vec![Scope::Audit], "party.scopes")]
    #[case::debtor_of_a_name(|body: &mut Amend| body.party = id(LENDER), "party.identifier")]
    #[case::without_size(|body: &mut Amend| body.size = None, "party.size")]
    #[case::unvouched(|body: &mut Amend| body.vouched_by = None, "party.unvouched")]
    #[case::vouched_by_a_lender(|body: &mut Amend| body.vouched_by = Some(id(LENDER)), "party.voucher")]
    #[case::anothers_identifier(|body: &mut Amend| body.aliases = vec![id(HOSPITAL)], "party.known")]
    fn refused(#[case] spoil: fn(&mut Amend), #[case] rule: &str) {
        let mut world = World::new();
        let mut body = body();
        spoil(&mut body);
        let also = [body.party].into_iter().chain(body.vouched_by);
        let known = |party: &PartyId| world.state.parties.get(*party).is_some();
        let also: Vec<PartyId> = also.filter(known).collect();
        assert_eq!(world.refusal_with(OPERATOR, &also, body).rule, rule);
    }

    #[test]
    fn an_alias_stays() {
        let mut world = World::empty();
        let admitted = Admit {
            aliases: vec![id(LEI)],
            ..admission(MAKER, &[Role::Supplier], &[], Some(Size::Small), None)
        };
        world.act(OPERATOR, admitted);
        let body = Amend {
            aliases: Vec::new(),
            roles: vec![Role::Supplier],
            vouched_by: None,
            ..body()
        };
        let refusal = world.refusal_with(OPERATOR, &[id(MAKER)], body);
        assert_eq!(refusal.rule, "party.aliases");
    }

    #[test]
    fn a_bank_does_not_vouch_for_itself() {
        let body = Amend {
            party: id(BANK),
            roles: vec![Role::Bank],
            vouched_by: Some(id(BANK)),
            ..body()
        };
        let refusal = World::new().refusal_with(OPERATOR, &[id(BANK)], body);
        assert_eq!(refusal.rule, "party.voucher");
    }

    #[rstest]
    #[case::without_the_party(OPERATOR, &[TAX], "signature.missing")]
    #[case::without_who_vouches(OPERATOR, &[MAKER], "signature.missing")]
    #[case::by_the_party_alone(MAKER, &[TAX], "party.role")]
    fn both_sign(#[case] by: &str, #[case] also: &[&str], #[case] rule: &str) {
        let also: Vec<PartyId> = also.iter().map(|name| id(name)).collect();
        let refusal = World::new().refusal_with(by, &also, body());
        assert_eq!(refusal.rule, rule);
    }
}
