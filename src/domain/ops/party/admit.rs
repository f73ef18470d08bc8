//! `party.admit`: the operator takes a legal entity in, with its first admin key.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Facts, untaken};
use crate::domain::head::Head;
use crate::domain::objects::{DatedPolicy, Party, PartyKey};
use crate::domain::operation::{Consents, Operation};
use crate::domain::ops::key;
use crate::domain::ops::ledger::create::KeyGrant;
use crate::domain::policy::{Policy, PolicyRule};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Day, Digest, Name, PartyId, Power, Role, Scope, Size};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Admit {
    /// The identifier it will act under.
    pub party: PartyId,
    /// Its other identifiers, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<PartyId>,
    /// Its legal name.
    pub name: Name,
    /// What it may do, sorted, at least one.
    pub roles: Vec<Role>,
    /// An authority's scopes, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// Its size class: suppliers and debtors have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Its first admin key, which signs this envelope too.
    pub key: KeyGrant,
    /// Digest of what binds the key to the identifier.
    pub evidence: Digest,
    /// Digest of the platform agreement.
    pub agreement: Digest,
    /// The last day of its identification.
    pub kyc_valid_to: Day,
    /// Which of its persons sign what, from now on; absent, a maker or admin key signs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<PolicyRule>,
    /// The authority or bank that signs too, for a debtor, lender, guarantor or bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vouched_by: Option<PartyId>,
}

impl Operation for Admit {
    const NAME: &'static str = "party.admit";
    const SUMMARY: &'static str = "The operator admits a party with its first admin key";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        let required = self.vouched_by.into_iter().collect();
        Ok(Consents {
            required,
            new_keys: vec![self.key.key],
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.with_role(Role::Operator)?;
        self.facts().check_shape()?;
        self.check_key()?;
        self.facts().check_voucher(at)?;
        untaken(at, self.aliases.iter().copied().chain([self.party]))?;
        key::untaken(at, self.key.key)?;
        let key = self.key.grant(at.time)?;
        let policy = Policy::new(at, self.policy.clone(), &[&key])?;

        let mut draft = at.draft();
        draft.put(self.admitted(at, key, policy));
        draft.tell(self.party);
        self.vouched_by
            .into_iter()
            .for_each(|party| draft.tell(party));
        Ok(draft.done())
    }
}

impl Admit {
    fn facts(&self) -> Facts<'_> {
        Facts {
            party: self.party,
            aliases: &self.aliases,
            roles: &self.roles,
            scopes: &self.scopes,
            size: self.size,
            vouched_by: self.vouched_by,
        }
    }

    fn check_key(&self) -> Result<(), Refusal> {
        let powers = &self.key.powers;
        ensure(
            powers.contains(&Power::Admin) && !powers.contains(&Power::Seal),
            || {
                Refusal::new(
                    "key.powers",
                    "a party's first key has the power admin, and only the operator's a seal",
                )
            },
        )
    }

    /// A policy in the admission applies at once.
    fn admitted(&self, at: &Head<'_>, key: PartyKey, policy: Policy) -> Party {
        let policy = DatedPolicy {
            from: at.time,
            op: at.op,
            policy,
        };
        Party {
            id: self.party,
            aliases: self.aliases.iter().copied().collect(),
            name: self.name.clone(),
            roles: self.roles.iter().copied().collect(),
            scopes: self.scopes.iter().copied().collect::<BTreeSet<_>>(),
            size: self.size,
            admitted: at.time,
            lender_since: self.roles.contains(&Role::Lender).then_some(at.time),
            kyc_valid_to: Some(self.kyc_valid_to),
            evidence: Some(self.evidence),
            agreement: Some(self.agreement),
            keys: vec![key],
            policies: vec![policy],
            recovered: Vec::new(),
            changes: Vec::new(),
            suspension: None,
            totals: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::PartyLink;
    use crate::domain::testing::{
        BANK, HOSPITAL, LENDER, OPERATOR, SUPPLIER, TAX, World, admission, id, key_of, wire,
    };

    fn supplier() -> Admit {
        admission(SUPPLIER, &[Role::Supplier], &[], Some(Size::Small), None)
    }

    #[test]
    fn an_admitted_party_is_found_by_its_identifiers_and_its_key() {
        let mut world = World::empty();
        world.act(
            OPERATOR,
            Admit {
                aliases: vec![id("lei:5493001KJTIIGC8Y1R12")],
                ..supplier()
            },
        );
        for link in [
            PartyLink::Alias(id("lei:5493001KJTIIGC8Y1R12")),
            PartyLink::Key(key_of(id(SUPPLIER))),
        ] {
            let found = world.state.parties.by(&link).next().expect("found");
            assert_eq!(found.id, id(SUPPLIER));
        }
    }

    #[rstest]
    #[case::twice(|_: &mut Admit| (), "party.known")]
    #[case::under_an_alias(
        |body: &mut Admit| { body.aliases = vec![body.party]; body.party = id("lei:5493001KJTIIGC8Y1R12"); },
        "party.known")]
    #[case::with_anothers_key(
        |body: &mut Admit| { body.party = id("lei:5493001KJTIIGC8Y1R12"); }, "key.taken")]
    #[case::as_operator(|body: &mut Admit| body.roles = vec![Role::Operator], "party.operator")]
    #[case::without_a_role(|body: &mut Admit| body.roles = vec![], "party.lists")]
    #[case::authority_without_scope(|body: &mut Admit| body.roles = vec![Role::Authority], "party.scopes")]
    #[case::scope_without_authority(|body: &mut Admit| body.scopes = vec![Scope::Audit], "party.scopes")]
    #[case::supplier_without_official_identifier(|body: &mut Admit| body.party = id("x:acme"), "party.identifier")]
    #[case::supplier_without_size(|body: &mut Admit| body.size = None, "party.size")]
    #[case::first_key_without_admin(|body: &mut Admit| body.key.powers = vec![Power::Maker], "key.powers")]
    #[case::key_with_the_operators_power(
        |body: &mut Admit| body.key.powers = vec![Power::Admin, Power::Seal], "key.powers")]
    #[case::lender_unvouched(|body: &mut Admit| { body.roles = vec![Role::Lender]; }, "party.unvouched")]
    fn refused(#[case] spoil: fn(&mut Admit), #[case] rule: &str) {
        let mut body = supplier();
        spoil(&mut body);
        assert_eq!(World::new().refusal(OPERATOR, body).rule, rule);
    }

    #[test]
    fn only_the_operator_admits() {
        let body = admission("x:late", &[Role::Guarantor], &[], None, Some(TAX));
        assert_eq!(
            World::new().refusal_with(BANK, &[id(TAX)], body).rule,
            "party.role"
        );
    }

    #[test]
    fn a_lender_does_not_vouch() {
        let body = admission("x:late", &[Role::Guarantor], &[], None, Some(LENDER));
        assert_eq!(
            World::new()
                .refusal_with(OPERATOR, &[id(LENDER)], body)
                .rule,
            "party.voucher"
        );
    }

    #[test]
    fn whoever_vouches_signs() {
        let mut body = admission(
            HOSPITAL,
            &[Role::Debtor],
            &[],
            Some(Size::PublicBody),
            Some(TAX),
        );
        body.name = wire("Hospital");
        let mut world = World::empty();
        world.act_with(
            OPERATOR,
            &[],
            admission(TAX, &[Role::Authority], &[Scope::Attest], None, None),
        );
        assert_eq!(world.refusal(OPERATOR, body).rule, "signature.missing");
    }

    #[test]
    fn a_new_key_proves_possession() {
        let mut world = World::empty();
        world.new_keys_sign = false;
        assert_eq!(world.refusal(OPERATOR, supplier()).rule, "key.possession");
    }
}
