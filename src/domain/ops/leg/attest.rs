//! `leg.attest`: the payee, or the bank of its account, says that the money came. Only here does a leg take effect.

use serde::{Deserialize, Serialize};

use super::{disburse, earliest_value_date, pay, tell_all};
use crate::domain::absorb::absorb_again;
use crate::domain::head::Head;
use crate::domain::objects::{Attested, Leg, LegKey, LegState, Purpose};
use crate::domain::operation::Operation;
use crate::domain::policy::Stake;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Amount, Day, Digest, Fen, LegId, Reference, Role};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attest {
    /// The leg.
    pub leg: LegId,
    /// What was booked on the payee's account.
    pub booked: Amount,
    /// The booked value date.
    pub value_date: Day,
    /// The attester's reference of the booking: unique per attester.
    pub reference: Reference,
    /// Digest of the bank's statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
}

impl Operation for Attest {
    const NAME: &'static str = "leg.attest";
    const SUMMARY: &'static str = "The payee or its bank attests that a transfer was booked";

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        let leg = at.named::<Leg>(self.leg)?;
        at.stake("booked", [&self.booked], leg.currency)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let leg = at.named::<Leg>(self.leg)?;
        let booked = at.amount("booked", &self.booked, leg.currency)?;
        self.check_attester(at, leg, booked)?;
        leg.announced()?;
        self.check_value_date(at, leg)?;
        self.check_reference(at)?;

        let mut draft = at.draft();
        let mut done = Attested {
            by: at.by,
            at: at.time,
            booked,
            value_date: self.value_date,
            settled: Vec::new(),
            discharged: Vec::new(),
            made: Vec::new(),
            funded: None,
        };
        match leg.purpose {
            Purpose::Payment => pay::pay(&mut draft, leg, &mut done)?,
            Purpose::Disbursement => disburse::fund(&mut draft, leg, &mut done)?,
        }
        tell_all(&mut draft, leg);
        let leg = draft.edit::<Leg>(leg.id);
        leg.reference = Some((at.by, self.reference.clone()));
        leg.evidence = self.evidence;
        leg.state = LegState::Attested(done);
        absorb_again(&mut draft);
        Ok(draft.done())
    }
}

impl Attest {
    /// The payee, or the bank that services its account; where that bank is payer or payee, an authority may.
    fn check_attester(&self, at: &Head<'_>, leg: &Leg, booked: Fen) -> Result<(), Refusal> {
        // Nobody attests a leg that it pays.
        ensure(at.by != leg.payer, || {
            Refusal::new("leg.own", "nobody attests a leg that it pays").input("leg", leg.id)
        })?;
        if at.by == leg.payee {
            return self.check_as_payee(leg, booked);
        }
        let interested = leg.bank == leg.payer || leg.bank == leg.payee;
        let may = if interested {
            at.actor()?.is(Role::Authority)
        } else {
            at.by == leg.bank
        };
        ensure(may, || {
            Refusal::new(
                "leg.attester",
                "a leg is attested by its payee or by the bank of the account",
            )
            .input("leg", leg.id)
        })
    }

    /// A payee attests only the announced amount and value date, and not what it contests.
    fn check_as_payee(&self, leg: &Leg, booked: Fen) -> Result<(), Refusal> {
        ensure(!leg.contested, || {
            Refusal::new(
                "leg.contested",
                "the payee contests the leg, so only its bank attests it",
            )
            .input("leg", leg.id)
        })?;
        ensure(
            booked == leg.amount && self.value_date == leg.value_date,
            || {
                Refusal::new(
                    "leg.payee_amount",
                    "a payee attests the announced amount and value date alone",
                )
                .input("booked", self.booked)
                .input("announced_fen", leg.amount)
                .input("value_date", self.value_date)
                .input("announced_value_date", leg.value_date)
                .remedy("the bank of the account attests what it booked")
            },
        )
    }

    /// Not ahead, and no further back than a leg is announced: late interest and prices count from that day.
    fn check_value_date(&self, at: &Head<'_>, leg: &Leg) -> Result<(), Refusal> {
        ensure(self.value_date <= at.today()?, || {
            Refusal::new("leg.not_booked", "the booked value date lies ahead")
                .input("value_date", self.value_date)
        })?;
        let announced = at.day_of(leg.at)?;
        let from = earliest_value_date(&at.rulebook()?.calendar, announced);
        ensure(from <= self.value_date, || {
            Refusal::new(
                "leg.value_date",
                "the booked value date lies too long before the announcement",
            )
            .input("value_date", self.value_date)
            .remedy(format!("a value date from {from} on"))
        })
    }

    fn check_reference(&self, at: &Head<'_>) -> Result<(), Refusal> {
        let key = LegKey::Booked(at.by, self.reference.clone());
        ensure(at.state.legs.by(&key).next().is_none(), || {
            Refusal::new(
                "leg.reference",
                "the attester has attested another leg under this reference",
            )
            .input("reference", &self.reference)
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::Discharge;
    use crate::domain::ops::leg::contest::Contest;
    use crate::domain::testing::money::banked;
    use crate::domain::testing::trade::{fens_of, terms_of};
    use crate::domain::testing::{
        BANK, HOSPITAL, LENDER, OTHER_BANK, STRANGER, SUPPLIER, TAX, World, digest, fen, id, wire,
    };
    use crate::domain::values::ReceivableId;

    /// The hospital announced 50,000.00 to the supplier.
    fn announced() -> (World, ReceivableId, LegId) {
        let (mut world, receivable) = banked();
        let pays = [Discharge::Receivable(receivable)];
        let leg = world.announced(HOSPITAL, SUPPLIER, "50000.00", &pays);
        (world, receivable, leg)
    }

    #[rstest]
    #[case::its_payee(SUPPLIER)]
    #[case::the_bank_of_the_account(OTHER_BANK)]
    fn an_attested_leg_takes_effect(#[case] by: &str) {
        let (mut world, receivable, leg) = announced();
        let body = Attest {
            evidence: Some(digest("statement")),
            ..world.attesting(leg)
        };
        world.act(by, body);
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("100000.00"));
        let leg = world.get::<Leg>(leg);
        assert_eq!(leg.evidence, Some(digest("statement")));
        let done = leg.attested().expect("it is attested");
        assert_eq!((done.by, done.booked), (id(by), fen("50000.00")));
    }

    #[rstest]
    #[case::its_payer(HOSPITAL, "leg.own")]
    #[case::an_authority(TAX, "leg.attester")]
    #[case::another_bank(BANK, "unknown_object")]
    #[case::the_operator(crate::domain::testing::OPERATOR, "unknown_object")]
    #[case::a_stranger(STRANGER, "unknown_object")]
    fn nobody_else_attests(#[case] by: &str, #[case] rule: &str) {
        let (mut world, _, leg) = announced();
        let body = world.attesting(leg);
        assert_eq!(world.refusal(by, body).rule, rule);
    }

    /// As far back as a leg may be announced, and no further: late interest and prices count from that day.
    #[rstest]
    #[case::as_far_back_as_a_leg("2026-05-28", None)]
    #[case::further("2026-05-27", Some("leg.value_date"))]
    #[case::of_another_year("2025-06-04", Some("leg.value_date"))]
    #[case::tomorrow("2026-06-05", Some("leg.not_booked"))]
    fn the_booked_value_date_lies_near_the_announcement(
        #[case] value_date: &str,
        #[case] rule: Option<&str>,
    ) {
        let (mut world, _, leg) = announced();
        let body = Attest {
            value_date: wire(value_date),
            ..world.attesting(leg)
        };
        match rule {
            None => _ = world.act(OTHER_BANK, body),
            Some(rule) => assert_eq!(world.refusal(OTHER_BANK, body).rule, rule),
        }
    }

    #[rstest]
    #[case::less(|body: &mut Attest| body.booked = wire("49999.99"))]
    #[case::more(|body: &mut Attest| body.booked = wire("50000.01"))]
    #[case::another_day(|body: &mut Attest| body.value_date = wire("2026-06-03"))]
    fn a_payee_attests_what_was_announced_alone(#[case] spoil: fn(&mut Attest)) {
        let (mut world, _, leg) = announced();
        let spoilt = |world: &World| {
            let mut body = world.attesting(leg);
            spoil(&mut body);
            body
        };
        let body = spoilt(&world);
        assert_eq!(world.refusal(SUPPLIER, body).rule, "leg.payee_amount");
        let body = spoilt(&world);
        world.act(OTHER_BANK, body);
    }

    #[test]
    fn a_contested_leg_is_attested_by_the_bank_alone() {
        let (mut world, _, leg) = announced();
        world.act(SUPPLIER, Contest { leg });
        let body = world.attesting(leg);
        assert_eq!(world.refusal(SUPPLIER, body).rule, "leg.contested");
        world.attested(leg);
    }

    #[rstest]
    #[case::nothing(|body: &mut Attest| body.booked = wire("0.00"), "amount.zero")]
    #[case::tomorrow(|body: &mut Attest| body.value_date = wire("2026-06-05"), "leg.not_booked")]
    #[case::no_such_leg(|body: &mut Attest| body.leg = LegId::from_bytes([0; 16]), "unknown_object")]
    fn refused(#[case] spoil: fn(&mut Attest), #[case] rule: &str) {
        let (mut world, _, leg) = announced();
        let mut body = world.attesting(leg);
        spoil(&mut body);
        assert_eq!(world.refusal(OTHER_BANK, body).rule, rule);
    }

    #[test]
    fn a_leg_is_attested_once() {
        let (mut world, receivable, leg) = announced();
        world.attested(leg);
        let again = world.attesting(leg);
        assert_eq!(world.refusal(SUPPLIER, again).rule, "leg.not_announced");
        assert_eq!(world.open_of(receivable, SUPPLIER), fen("100000.00"));
    }

    #[test]
    fn a_bank_uses_a_reference_once() {
        let (mut world, receivable, leg) = announced();
        let pays = [Discharge::Receivable(receivable)];
        let other = world.announced(HOSPITAL, SUPPLIER, "1.00", &pays);
        let body = world.attesting(leg);
        let reference = body.reference.clone();
        world.act(OTHER_BANK, body);
        let again = |world: &World| Attest {
            reference: reference.clone(),
            ..world.attesting(other)
        };
        let body = again(&world);
        assert_eq!(world.refusal(OTHER_BANK, body).rule, "leg.reference");
        let body = again(&world);
        world.act(SUPPLIER, body);
    }

    /// BANK lends to the supplier, whose account it services: it cannot be its own witness.
    #[test]
    fn where_the_bank_is_a_party_an_authority_may_attest() {
        let (mut world, receivable) = banked();
        world.account_at(SUPPLIER, BANK);
        world.later_by_hours(72);
        world.limited(BANK, "1000000.00");
        let request = world.requested(
            fens_of(receivable, 0, 10_000_000),
            crate::domain::objects::Bidding::Visible,
        );
        let terms = terms_of(world.get_request(request));
        let offer = world.offered(BANK, request, terms);
        let financing = world.accepted(offer);
        // Sunday, 2026-06-07, 61 days before it is due.
        let price = "99262.92";
        let leg = world.announced(BANK, SUPPLIER, price, &[Discharge::Financing(financing)]);
        let body = world.attesting(leg);
        assert_eq!(world.refusal(BANK, body).rule, "leg.own");
        let body = Attest {
            booked: wire("100000.00"),
            ..world.attesting(leg)
        };
        assert_eq!(world.refusal(LENDER, body).rule, "unknown_object");
        let body = Attest {
            booked: wire("100000.00"),
            ..world.attesting(leg)
        };
        world.act(TAX, body);
        assert_eq!(world.open_of(receivable, BANK), fen("100000.00"));
    }
}
