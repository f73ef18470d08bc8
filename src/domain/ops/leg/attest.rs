//! `leg.attest`: the payee, or the bank of its account, says that the money came. Only here does a leg take effect.

use serde::{Deserialize, Serialize};

use super::{disburse, pay, tell_all};
use crate::domain::absorb::absorb_again;
use crate::domain::head::Head;
use crate::domain::objects::{Attested, Leg, LegKey, LegState, Purpose};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::Operation;
use crate::domain::state::Effects;
use crate::domain::values::{Amount, Day, Digest, Fen, LegId, Reference, Role};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
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

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let leg = at.named::<Leg>(self.leg)?;
        let booked = at.amount("booked", &self.booked, leg.currency)?;
        self.check_attester(at, leg, booked)?;
        leg.announced()?;
        self.check_value_date(at)?;
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

    fn check_value_date(&self, at: &Head<'_>) -> Result<(), Refusal> {
        ensure(self.value_date <= at.today()?, || {
            Refusal::new("leg.not_booked", "the booked value date lies ahead")
                .input("value_date", self.value_date)
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
