//! `account.close`: a party closes a bank account of its own; nothing is announced to it any more.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Account, AccountState, LegKey};
use crate::domain::operation::{Asked, Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::AccountId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// The account.
    pub account: AccountId,
}

impl Operation for Close {
    const NAME: &'static str = "account.close";
    const SUMMARY: &'static str = "A party closes a bank account of its own";

    /// Two admin keys where there are two.
    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            own: Asked::TwoAdmins,
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let account = at.named::<Account>(self.account)?;
        ensure(at.by == account.party, || {
            Refusal::new("account.not_owner", "only its party closes an account")
                .input("account", account.id)
        })?;
        let ended = match account.state {
            AccountState::Added { ends } => ends <= at.time,
            AccountState::Attested { .. } => false,
            AccountState::Closed(_) => true,
        };
        ensure(!ended, || {
            Refusal::new("account.closed", "the account is closed already")
                .input("account", account.id)
        })?;
        let key = LegKey::AnnouncedTo(account.id);
        let in_use = at.state.legs.by(&key).any(|leg| leg.is_live(at.time));
        ensure(!in_use, || {
            Refusal::new("account.in_use", "a payment to the account is announced")
                .input("account", account.id)
                .remedy("the payment is attested, or lapses")
        })?;

        let mut draft = at.draft();
        draft.tell(account.bank);
        draft.edit::<Account>(account.id).state = AccountState::Closed(at.time);
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::objects::{Discharge, Leg};
    use crate::domain::payoff::usable_account;
    use crate::domain::testing::money::{account, banked};
    use crate::domain::testing::{BANK, HOSPITAL, OTHER_BANK, STRANGER, SUPPLIER, World, id};
    use crate::domain::values::{Currency, MadeId};

    #[test]
    fn nothing_is_paid_to_a_closed_account() {
        let (mut world, _) = banked();
        let account = world.account_of(id(SUPPLIER));
        world.act(SUPPLIER, Close { account });
        let usable = usable_account(&world.state, id(SUPPLIER), Currency::CNY, world.time);
        assert_eq!(usable, None);
        assert_eq!(
            world.refusal(SUPPLIER, Close { account }).rule,
            "account.closed"
        );
    }

    #[test]
    fn an_account_that_waits_for_its_bank_can_be_closed_until_it_ends() {
        let mut world = World::new();
        let op = world.act(SUPPLIER, account(BANK));
        let account = AccountId::of(&op, 0);
        world.clone().act(SUPPLIER, Close { account });
        world.later_by_hours(30 * 24);
        assert_eq!(
            world.refusal(SUPPLIER, Close { account }).rule,
            "account.closed"
        );
    }

    #[test]
    fn only_its_party_closes_it() {
        let (mut world, _) = banked();
        let account = world.account_of(id(SUPPLIER));
        for (by, rule) in [
            (OTHER_BANK, "account.not_owner"),
            (STRANGER, "unknown_object"),
        ] {
            assert_eq!(world.refusal(by, Close { account }).rule, rule);
        }
    }

    #[test]
    fn the_account_of_a_live_leg_stays_until_the_leg_lapses() {
        let (mut world, receivable) = banked();
        let account = world.account_of(id(SUPPLIER));
        let pays = [Discharge::Receivable(receivable)];
        let leg = world.announced(HOSPITAL, SUPPLIER, "1.00", &pays);
        assert_eq!(
            world.refusal(SUPPLIER, Close { account }).rule,
            "account.in_use"
        );
        world.time = world.get::<Leg>(leg).lapses;
        world.act(SUPPLIER, Close { account });
    }
}
