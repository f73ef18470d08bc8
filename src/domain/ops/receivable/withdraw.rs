//! `receivable.withdraw`: the supplier takes back what it registered; once confirmed, with its debtor.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{FenState, LegKey, Receivable, Run, Stage};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::{Consents, Operation};
use crate::domain::state::Effects;
use crate::domain::values::ReceivableId;

use super::by_supplier;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The receivable.
    pub receivable: ReceivableId,
}

impl Operation for Withdraw {
    const NAME: &'static str = "receivable.withdraw";
    const SUMMARY: &'static str =
        "The supplier withdraws a receivable; once confirmed, with its debtor";

    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        Ok(match receivable.stage {
            Stage::Confirmed(_) => Consents::of(receivable.debtor),
            _ => Consents::none(),
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let receivable = at.named::<Receivable>(self.receivable)?;
        by_supplier(at, receivable)?;
        match receivable.runs() {
            None => _ = receivable.registered()?,
            Some(runs) => {
                runs.iter()
                    .try_for_each(|run| check_run(at, receivable, run))?;
                check_no_live_leg(at, receivable)?;
            }
        }

        let mut draft = at.draft();
        draft.end_receivable(receivable.id, Stage::Withdrawn);
        draft.tell(receivable.debtor);
        Ok(draft.done())
    }
}

/// All of `[0, C)` open, the supplier's, without hop or lock.
fn check_run(at: &Head<'_>, receivable: &Receivable, run: &Run) -> Result<(), Refusal> {
    ensure(
        run.holder == receivable.supplier && run.hops.is_empty(),
        || {
            Refusal::new("receivable.passed_on", "some of its fens were passed on")
                .input("receivable", receivable.id)
        },
    )?;
    ensure(run.state == FenState::Open, || {
        Refusal::new("fens.ended", "some of its fens are settled or cancelled")
            .input("receivable", receivable.id)
    })?;
    ensure(run.lock_at(at.time).is_none(), || {
        Refusal::new(
            "fens.locked",
            "a disposition of some of its fens is pending",
        )
        .input("receivable", receivable.id)
        .remedy("that disposition ends, is declined or is cancelled")
    })
}

/// And without a live leg.
fn check_no_live_leg(at: &Head<'_>, receivable: &Receivable) -> Result<(), Refusal> {
    let key = LegKey::Pays(receivable.id, receivable.supplier);
    let live = at.state.legs.by(&key).any(|leg| leg.is_live(at.time));
    ensure(!live, || {
        Refusal::new("leg.pending", "a payment on the receivable is announced")
            .input("receivable", receivable.id)
            .remedy("the payment lapses")
    })
}
