//! `contract.propose`: a supplier or a debtor puts a contract to the other, who has thirty days to answer.

use serde::{Deserialize, Serialize};

use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{Contract, ContractKey, ContractState, ContractTerms};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{
    Amount, Currency, Day, Digest, Fen, PartyId, Rate, Reason, Reference, Role, Size,
};

use super::ANSWER_DAYS;
use super::terms::check_terms;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// Who delivers.
    pub supplier: PartyId,
    /// Who owes.
    pub debtor: PartyId,
    /// The contract's number: unique per proposer and pair.
    pub number: Reference,
    /// The currency of everything under it.
    pub currency: Currency,
    /// The most that is ever registered under it; absent for a framework.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Amount>,
    /// The day it was concluded.
    pub concluded: Day,
    /// Its last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Day>,
    /// Days from acceptance (or invoice) to payment.
    pub payment_days: u32,
    /// Why the payment term exceeds what the law allows in principle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_reason: Option<Reason>,
    /// Days after delivery until it counts as accepted.
    pub inspection_days: u32,
    /// The supplier's size class at signing.
    pub supplier_size: Size,
    /// The debtor's size class at signing.
    pub debtor_size: Size,
    /// Late interest a day, where agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_rate: Option<Rate>,
    /// Days after the due day before late interest runs.
    pub grace_days: u32,
    /// Whether the supplier agrees to be paid by vouchers.
    pub vouchers: bool,
    /// Digest of the signed document.
    pub document: Digest,
}

impl Operation for Propose {
    const NAME: &'static str = "contract.propose";
    const SUMMARY: &'static str = "A supplier or debtor proposes a contract to the other";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        at.stake("value", &self.value, self.currency)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        self.check_pair(at)?;
        let value = self
            .value
            .map(|value| at.amount("value", &value, self.currency))
            .transpose()?;
        at.currency(self.currency)?;

        let mut draft = at.draft();
        let contract = self.contract(at, &mut draft, value)?;
        check_terms(&mut draft, &contract, self.term_reason.is_some())?;
        self.check_number(at, &contract)?;
        draft.tell(contract.counterparty());
        draft.put(contract);
        Ok(draft.done())
    }
}

impl Propose {
    fn check_pair(&self, at: &Head<'_>) -> Result<(), Refusal> {
        ensure(at.by == self.supplier || at.by == self.debtor, || {
            Refusal::new(
                "contract.not_party",
                "only its supplier or its debtor proposes a contract",
            )
        })?;
        ensure(self.supplier != self.debtor, || {
            Refusal::new("contract.same_party", "supplier and debtor are two parties")
        })?;
        at.party(self.supplier)?
            .with_role(Role::Supplier)?
            .may_take_obligations(at)?;
        at.party(self.debtor)?
            .with_role(Role::Debtor)?
            .may_take_obligations(at)?;
        Ok(())
    }

    fn check_number(&self, at: &Head<'_>, contract: &Contract) -> Result<(), Refusal> {
        let key = ContractKey::Number(at.by, contract.counterparty(), self.number.clone());
        let taken = at
            .state
            .contracts
            .by(&key)
            .any(|other| other.takes_number(at.time));
        ensure(!taken, || {
            Refusal::new(
                "contract.number",
                "this party has proposed a contract of that number to the other already",
            )
            .input("number", &self.number)
        })
    }

    fn contract(
        &self,
        at: &Head<'_>,
        draft: &mut Draft<'_>,
        value: Option<Fen>,
    ) -> Result<Contract, Refusal> {
        Ok(Contract {
            id: draft.make_id(),
            supplier: self.supplier,
            debtor: self.debtor,
            proposer: at.by,
            supplier_size: self.supplier_size,
            debtor_size: self.debtor_size,
            terms: ContractTerms {
                number: self.number.clone(),
                currency: self.currency,
                value,
                concluded: self.concluded,
                ends: self.ends,
                payment_days: self.payment_days,
                inspection_days: self.inspection_days,
                late_rate: self.late_rate,
                grace_days: self.grace_days,
                vouchers: self.vouchers,
                document: self.document,
            },
            rulebook: at.ledger()?.rulebook_on(self.concluded).version,
            state: ContractState::Proposed {
                ends: at.time.plus_days(ANSWER_DAYS),
            },
            registered: Fen::ZERO,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::{
        HOSPITAL, LENDER, MAKER, STRANGER, SUPPLIER, World, id, proposal, shipped_rulebook, wire,
    };
    use crate::domain::values::{ContractId, MadeId};

    #[test]
    fn a_proposal_waits_thirty_days() {
        let mut world = World::new();
        let op = world.act(SUPPLIER, proposal());
        let contract = ContractId::of(&op, 0);
        let ends = world.time.plus_days(30);
        assert_eq!(
            world.get_contract(contract).state,
            ContractState::Proposed { ends }
        );
    }

    #[rstest]
    #[case::by_neither(|body: &mut Propose| { body.supplier = id(MAKER); }, "contract.not_party")]
    #[case::with_itself(|body: &mut Propose| { body.debtor = id(SUPPLIER); }, "contract.same_party")]
    #[case::with_a_lender(|body: &mut Propose| { body.debtor = id(LENDER); }, "party.role")]
    #[case::with_nobody(|body: &mut Propose| { body.debtor = id("x:nobody"); }, "unknown_object")]
    #[case::concluded_tomorrow(|body: &mut Propose| { body.concluded = wire("2026-06-02"); }, "contract.concluded")]
    #[case::ended_yesterday(|body: &mut Propose| { body.ends = Some(wire("2026-05-31")); }, "contract.ends")]
    #[case::in_no_currency(|body: &mut Propose| { body.currency = wire("ZZZ"); body.value = None; }, "currency.unknown")]
    #[case::of_half_a_fen(|body: &mut Propose| { body.value = Some(wire("1.005")); }, "amount.decimals")]
    #[case::of_nothing(|body: &mut Propose| { body.value = Some(wire("0.00")); }, "amount.zero")]
    #[case::public_body_above_30_without_reason(|body: &mut Propose| { body.term_reason = None; }, "sme.term")]
    #[case::public_body_above_60(|body: &mut Propose| { body.payment_days = 61; }, "sme.term")]
    #[case::late_rate_below_lpr(|body: &mut Propose| { body.late_rate = Some(wire("0.00008")); }, "sme.late_interest")]
    #[case::late_rate_that_nobody_can_pay(|body: &mut Propose| { body.late_rate = Some(wire("0.010000000001")); }, "contract.late_rate")]
    #[case::endless_grace(|body: &mut Propose| { body.grace_days = 3_661; }, "contract.days")]
    fn refused(#[case] spoil: fn(&mut Propose), #[case] rule: &str) {
        let mut body = proposal();
        spoil(&mut body);
        assert_eq!(World::new().refusal(SUPPLIER, body).rule, rule);
    }

    #[test]
    fn a_number_is_unique_per_proposer_and_pair_while_it_lives() {
        let mut world = World::new();
        world.act(SUPPLIER, proposal());
        assert_eq!(world.refusal(SUPPLIER, proposal()).rule, "contract.number");
        world.act(HOSPITAL, proposal());
        world.act(
            SUPPLIER,
            Propose {
                debtor: id(STRANGER),
                debtor_size: Size::Large,
                ..proposal()
            },
        );
        world.later_by_hours(30 * 24);
        world.act(SUPPLIER, proposal());
    }

    #[rstest]
    #[case::large_without_reason(Size::Large, 61, false, Some("sme.term"))]
    #[case::large_with_reason(Size::Large, 90, true, None)]
    #[case::public_body_in_30(Size::PublicBody, 30, false, None)]
    #[case::small_debtor(Size::Small, 90, false, None)]
    fn the_term_depends_on_the_debtors_size(
        #[case] debtor_size: Size,
        #[case] payment_days: u32,
        #[case] reasoned: bool,
        #[case] rule: Option<&str>,
    ) {
        let term_reason = proposal().term_reason.filter(|_| reasoned);
        let body = Propose {
            debtor_size,
            payment_days,
            term_reason,
            ..proposal()
        };
        let mut world = World::new();
        match rule {
            Some(rule) => assert_eq!(world.refusal(SUPPLIER, body).rule, rule),
            None => _ = world.act(SUPPLIER, body),
        }
    }

    #[test]
    fn the_terms_bound_is_a_parameter_of_the_rulebook() {
        let mut rulebook = shipped_rulebook();
        rulebook.rules.sme_term.params.government_days_at_most = 61;
        let mut world = World::under(rulebook).with_parties();
        world.act(
            SUPPLIER,
            Propose {
                payment_days: 61,
                ..proposal()
            },
        );
    }

    #[test]
    fn a_rule_that_only_warns_lets_the_proposal_through_and_says_so() {
        let mut rulebook = shipped_rulebook();
        rulebook.rules.sme_term.severity = crate::domain::rulebook::Severity::Warn;
        let mut world = World::under(rulebook).with_parties();
        let effects = world.effects(
            SUPPLIER,
            Propose {
                payment_days: 61,
                ..proposal()
            },
        );
        assert_eq!(effects.warnings[0].rule, "sme.term");
    }
}
