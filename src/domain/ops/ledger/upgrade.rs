//! `ledger.upgrade`: the operator switches to a later behaviour of the state machine, from this entry on.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::Engine;
use crate::domain::operation::{Asked, Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::Role;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// Which behaviour judges every entry after this one.
    pub engine: u32,
}

impl Operation for Upgrade {
    const NAME: &'static str = "ledger.upgrade";
    const SUMMARY: &'static str = "The operator switches to a later engine, from this entry on";

    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            own: Asked::Highest,
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.actor()?.with_role(Role::Operator)?;
        let ledger = at.ledger()?;
        let engine = Engine::of(self.engine)?;
        ensure(engine > ledger.engine, || {
            Refusal::new("ledger.engine", "the ledger has this engine or a later one")
                .input("engine", self.engine)
                .remedy("no entry is ever judged by an earlier engine again")
        })?;

        let mut draft = at.draft();
        let mut changed = ledger.clone();
        changed.engine = engine;
        draft.put_ledger(changed);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::objects::Basis;
    use crate::domain::testing::trade::fens_of;
    use crate::domain::testing::{HOSPITAL, OPERATOR, SUPPLIER, World};

    /// The cut-off of fens due on 2026-08-07 is the 4th: a proposal that could be accepted then is refused from engine
    /// 2 on.
    #[rstest]
    #[case::before_it(1, 3, None)]
    #[case::after_it_until_the_cut_off(2, 2, None)]
    #[case::after_it_beyond_the_cut_off(2, 3, Some("claim.cutoff"))]
    fn it_judges_from_its_entry_on(
        #[case] engine: u32,
        #[case] days: i64,
        #[case] rule: Option<&str>,
    ) {
        let mut world = World::new();
        let receivable = world.confirmed("1000.00");
        let basis = Basis::Contract(world.owes_maker("M-1", "100.00"));
        world.on("2026-08-01");
        if engine > 1 {
            world.act(OPERATOR, Upgrade { engine });
        }
        let mut body = world.passing(fens_of(receivable, 0, 100), basis);
        body.expires = world.time.plus_days(days);
        assert_eq!(world.rule_against(SUPPLIER, body), rule);
    }

    #[rstest]
    #[case::by_another(HOSPITAL, 2, "party.role")]
    #[case::to_its_own(OPERATOR, 1, "ledger.engine")]
    #[case::to_one_that_is_not_known(OPERATOR, 3, "ledger.engine")]
    #[case::to_none(OPERATOR, 0, "ledger.engine")]
    fn refused(#[case] by: &str, #[case] engine: u32, #[case] rule: &str) {
        let mut world = World::new();
        assert_eq!(world.refusal(by, Upgrade { engine }).rule, rule);
    }

    #[test]
    fn there_is_no_way_back() {
        let mut world = World::new();
        world.act(OPERATOR, Upgrade { engine: 2 });
        for engine in [1, 2] {
            let refusal = world.refusal(OPERATOR, Upgrade { engine });
            assert_eq!(refusal.rule, "ledger.engine");
        }
    }
}
