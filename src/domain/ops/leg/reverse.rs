//! `leg.reverse`: an attested transfer was returned. The whole leg is undone: fens reopen, obligations revive or end.

use serde::{Deserialize, Serialize};

use super::{disburse, owe, tell_all};
use crate::domain::absorb::absorb_again;
use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{
    Attested, FenState, Leg, LegState, Obligation, ObligationKind, Receivable,
};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::{Consents, Operation};
use crate::domain::state::Effects;
use crate::domain::values::{Fen, LegId, ObligationId};

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reverse {
    /// The leg.
    pub leg: LegId,
}

impl Operation for Reverse {
    const NAME: &'static str = "leg.reverse";
    const SUMMARY: &'static str = "A transfer was returned: what its attestation did is undone";

    /// The payee's bank, or payee and payer together: nobody reverses alone a leg that it pays or is paid by.
    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        let leg = at.named::<Leg>(self.leg)?;
        Ok(if at.by == leg.payer {
            Consents::of(leg.payee)
        } else if at.by == leg.payee {
            Consents::of(leg.payer)
        } else {
            Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let leg = at.named::<Leg>(self.leg)?;
        ensure([leg.payer, leg.payee, leg.bank].contains(&at.by), || {
            Refusal::new(
                "leg.reverser",
                "a leg is reversed by the bank of the account, or by payee and payer together",
            )
            .input("leg", leg.id)
        })?;
        let done = leg.attested()?;

        let mut draft = at.draft();
        reopen(&mut draft, leg, done);
        revive(&mut draft, leg, done)?;
        let stands = match done.funded {
            Some(financing) => !disburse::unwind(&mut draft, leg, financing)?,
            None => false,
        };
        for id in &done.made {
            // Where the fens stay sold, so do the fees of the sale.
            let fee = draft.get::<Obligation>(*id).kind == ObligationKind::Fee;
            if !(stands && fee) {
                end(&mut draft, leg, *id)?;
            }
        }
        tell_all(&mut draft, leg);
        draft.edit::<Leg>(leg.id).state = LegState::Reversed {
            attested: done.clone(),
            at: at.time,
        };
        absorb_again(&mut draft);
        Ok(draft.done())
    }
}

/// Its fens reopen with the holder and hops they kept.
fn reopen(draft: &mut Draft<'_>, leg: &Leg, done: &Attested) {
    for (id, _) in &done.settled {
        let receivable = draft.get::<Receivable>(*id);
        let settled: Vec<(u64, u64)> = receivable
            .runs()
            .into_iter()
            .flat_map(|runs| runs.iter())
            .filter(|run| run.state == FenState::Settled(leg.id))
            .map(|run| (run.lo, run.hi))
            .collect();
        for (lo, hi) in settled {
            draft.change_fens(*id, lo, hi, |run| run.state = FenState::Open);
        }
    }
}

/// Those it discharged revive.
fn revive(draft: &mut Draft<'_>, leg: &Leg, done: &Attested) -> Result<(), Refusal> {
    for (id, amount) in &done.discharged {
        let owed = draft.edit::<Obligation>(*id);
        owed.discharged = owed
            .discharged
            .checked_sub(*amount)
            .expect("the leg's discharge is part of it");
        let (ended, parties) = (owed.ended.is_some(), (owed.from, owed.to));
        if ended {
            // It ended since, and this payment on it was owed back: the payment is gone, and that must not be
            // paid for nothing.
            owe(draft, leg, ObligationKind::Reversal, parties, *amount)?;
        }
    }
    Ok(())
}

/// Unpaid obligations it created end; what was already paid on them is owed back.
fn end(draft: &mut Draft<'_>, leg: &Leg, id: ObligationId) -> Result<(), Refusal> {
    let time = draft.head.time;
    let made = draft.edit::<Obligation>(id);
    made.ended = made.ended.or(Some(time));
    let (paid, back): (Fen, _) = (made.discharged, (made.to, made.from));
    owe(draft, leg, ObligationKind::Reversal, back, paid)?;
    Ok(())
}
