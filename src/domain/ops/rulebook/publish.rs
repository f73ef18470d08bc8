//! `rulebook.publish`: the operator brings the next version of the rulebook, a week ahead unless an authority signs too.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::Ledger;
use crate::domain::operation::{Asked, Consents, Operation};
use crate::domain::ops::party::check_authority;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::rulebook::Rulebook;
use crate::domain::state::Effects;
use crate::domain::values::{PartyId, Role};

/// A rulebook takes effect at least so many days later, unless an authority signs it too.
const NOTICE_DAYS: i64 = 7;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The rulebook, whole: in force from its `valid_from` on, in place of every earlier version.
    pub rulebook: Rulebook,
    /// The authority that signs too: for less than seven days of notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<PartyId>,
}

impl Operation for Publish {
    const NAME: &'static str = "rulebook.publish";
    const SUMMARY: &'static str =
        "The operator brings the next rulebook, 7 days ahead unless an authority signs too";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            required: self.authority.into_iter().collect(),
            own: Asked::Highest,
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.with_role(Role::Operator)?;
        check_authority(at, self.authority)?;
        self.rulebook
            .validate()
            .map_err(|error| Refusal::new("rulebook.invalid", error.to_string()))?;
        let ledger = at.ledger()?;
        self.check_version(ledger)?;
        self.check_currencies(ledger)?;
        self.check_notice(at)?;

        let mut draft = at.draft();
        let mut changed = ledger.clone();
        changed.rulebooks.push(Arc::new(self.rulebook.clone()));
        draft.put_ledger(changed);
        self.authority
            .into_iter()
            .for_each(|authority| draft.tell(authority));
        Ok(draft.done())
    }
}

impl Publish {
    fn check_version(&self, ledger: &Ledger) -> Result<(), Refusal> {
        let next = ledger.newest_rulebook().version.saturating_add(1);
        ensure(self.rulebook.version == next, || {
            Refusal::new("rulebook.version", "versions follow one another")
                .input("version", self.rulebook.version)
                .remedy(format!("version {next}"))
        })
    }

    /// What is written in a currency reads the same for ever.
    fn check_currencies(&self, ledger: &Ledger) -> Result<(), Refusal> {
        let mut known = ledger.newest_rulebook().currencies.iter();
        let lost = known
            .find(|(currency, decimals)| {
                self.rulebook.currencies.decimals(*currency) != Some(*decimals)
            })
            .map(|(currency, _)| currency);
        ensure(lost.is_none(), || {
            let refusal = Refusal::new(
                "rulebook.currencies",
                "a currency stays, with the decimals that it has",
            );
            lost.iter().fold(refusal, |refusal, currency| {
                refusal.input("currency", currency)
            })
        })
    }

    fn check_notice(&self, at: &Head<'_>) -> Result<(), Refusal> {
        let begins = at.end_of(self.rulebook.valid_from.plus_days(-1))?;
        let (days, earliest) = match self.authority {
            // What was judged today stays judged by one rulebook.
            Some(_) => (0, at.end_of(at.today()?)?),
            None => (NOTICE_DAYS, at.time.plus_days(NOTICE_DAYS)),
        };
        ensure(begins >= earliest, || {
            Refusal::new(
                "rulebook.notice",
                format!("a rulebook takes effect at least {NOTICE_DAYS} days later, or, with an authority, on the next day"),
            )
            .input("valid_from", self.rulebook.valid_from)
            .input("ledger_time", at.time)
            .remedy(match days {
                0 => "a valid_from after today",
                _ => "a later valid_from, or an authority that signs the same envelope",
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::{
        HOSPITAL, LENDER, OPERATOR, SUPPLIER, TAX, World, id, proposal, shipped_rulebook, wire,
    };

    /// The next version, from Tuesday the 9th on: 7 days and 14 hours after the start of the tests.
    fn next() -> Publish {
        let mut rulebook = shipped_rulebook();
        rulebook.version = 2;
        rulebook.valid_from = wire("2026-06-09");
        rulebook.rules.claim_depth.params.hops_at_most = 1;
        Publish {
            rulebook,
            authority: None,
        }
    }

    #[rstest]
    #[case::the_day_before("2026-06-08", 1)]
    #[case::on_its_first_day("2026-06-09", 2)]
    fn it_is_in_force_from_its_first_day_on(#[case] day: &str, #[case] version: u32) {
        let mut world = World::new();
        world.act(OPERATOR, next());
        world.on(day);
        let receivable = world.confirmed("100.00");
        assert_eq!(world.receivable(receivable).rulebook, version);
    }

    #[test]
    fn what_was_made_under_an_earlier_one_keeps_it() {
        let mut world = World::new();
        let receivable = world.confirmed("100.00");
        world.act(OPERATOR, next());
        world.on("2026-06-10");
        assert_eq!(world.receivable(receivable).rulebook, 1);
        let under = |version| world.state.ledger.as_ref().unwrap().rulebook(version);
        assert_ne!(under(1).rules.claim_depth, under(2).rules.claim_depth);
    }

    /// Whatever is wrong with one that is still to come can be put right.
    #[test]
    fn a_later_version_takes_the_place_of_one_that_is_to_come() {
        let mut world = World::new();
        world.act(OPERATOR, next());
        let mut better = next();
        better.rulebook.version = 3;
        world.act(OPERATOR, better);
        world.on("2026-06-09");
        let today = world.today();
        let ledger = world.state.ledger.as_ref().unwrap();
        assert_eq!(ledger.rulebook_on(today).version, 3);
    }

    #[rstest]
    #[case::of_another(|body: &mut Publish| body.rulebook.version = 1, "rulebook.version")]
    #[case::two_ahead(|body: &mut Publish| body.rulebook.version = 3, "rulebook.version")]
    #[case::senseless(|body: &mut Publish| body.rulebook.rules.claim_unit.params.fen = 0, "rulebook.invalid")]
    #[case::without_a_currency(|body: &mut Publish| body.rulebook.currencies = wire_currencies(r#"{"EUR":2}"#), "rulebook.currencies")]
    #[case::with_other_decimals(|body: &mut Publish| body.rulebook.currencies = wire_currencies(r#"{"CNY":3}"#), "rulebook.currencies")]
    #[case::six_days_ahead(|body: &mut Publish| body.rulebook.valid_from = wire("2026-06-08"), "rulebook.notice")]
    fn refused(#[case] spoil: fn(&mut Publish), #[case] rule: &str) {
        let mut body = next();
        spoil(&mut body);
        assert_eq!(World::new().refusal(OPERATOR, body).rule, rule);
    }

    fn wire_currencies(json: &str) -> crate::domain::values::CurrencyTable {
        serde_json::from_str(json).expect("a table of currencies")
    }

    #[rstest]
    #[case::tomorrow("2026-06-02", None)]
    #[case::today("2026-06-01", Some("rulebook.notice"))]
    fn with_an_authority_from_the_next_day_on(#[case] day: &str, #[case] rule: Option<&str>) {
        let mut body = next();
        body.rulebook.valid_from = wire(day);
        body.authority = Some(id(TAX));
        let judged = World::new().signed(OPERATOR, &[OPERATOR, TAX], body);
        assert_eq!(judged.err(), rule);
    }

    #[rstest]
    #[case::by_another(HOSPITAL, None, "party.role")]
    #[case::signed_by_a_lender(OPERATOR, Some(LENDER), "party.voucher")]
    fn the_operator_publishes(
        #[case] by: &str,
        #[case] authority: Option<&str>,
        #[case] rule: &str,
    ) {
        let mut body = next();
        body.authority = authority.map(id);
        let also: Vec<PartyId> = body.authority.into_iter().collect();
        assert_eq!(World::new().refusal_with(by, &also, body).rule, rule);
    }

    /// A parameter of it changes a verdict.
    #[test]
    fn its_parameters_judge() {
        let mut world = World::new();
        let mut body = next();
        body.rulebook.rules.sme_term.params.government_days_at_most = 59;
        world.act(OPERATOR, body);
        assert_eq!(world.rule_against(SUPPLIER, proposal()), None);
        world.on("2026-06-09");
        let mut proposal = proposal();
        proposal.concluded = wire("2026-06-09");
        assert_eq!(world.refusal(SUPPLIER, proposal).rule, "sme.term");
    }
}
