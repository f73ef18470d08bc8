//! `account.attest`: the servicing bank says that the account is its party's; it is usable when it has cooled.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Account, AccountState};
use crate::domain::operation::Operation;
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::AccountId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attest {
    /// The account.
    pub account: AccountId,
}

impl Operation for Attest {
    const NAME: &'static str = "account.attest";
    const SUMMARY: &'static str = "A bank attests that an account is the party's";

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        let account = at.named::<Account>(self.account)?;
        ensure(at.by == account.bank, || {
            Refusal::new(
                "account.not_bank",
                "only the bank that services an account attests it",
            )
            .input("account", account.id)
        })?;
        ensure(account.waits(at.time), || {
            Refusal::new(
                "account.not_added",
                "the account does not wait for its bank",
            )
            .input("account", account.id)
        })?;

        let days = at.rulebook()?.rules.account_cooling.params.days;
        let mut draft = at.draft();
        draft.tell(account.party);
        draft.edit::<Account>(account.id).state = AccountState::Attested {
            usable: at.time.plus_days(days.into()),
        };
        Ok(draft.done())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::money::account;
    use crate::domain::testing::{BANK, OTHER_BANK, SUPPLIER, TAX, World, shipped_rulebook};
    use crate::domain::values::MadeId;

    fn added(mut world: World) -> (World, AccountId) {
        let op = world.act(SUPPLIER, account(BANK));
        (world, AccountId::of(&op, 0))
    }

    #[rstest]
    #[case::as_shipped(3)]
    #[case::changed(7)]
    #[case::none(0)]
    fn an_attested_account_is_usable_when_it_has_cooled(#[case] days: u32) {
        let mut rulebook = shipped_rulebook();
        rulebook.rules.account_cooling.params.days = days;
        let (mut world, account) = added(World::under(rulebook).with_parties());
        world.act(BANK, Attest { account });
        let usable = world.time.plus_days(days.into());
        let attested = world.get::<Account>(account);
        assert_eq!(attested.usable_since(usable), Some(usable));
        assert_eq!(attested.usable_since(usable.plus_hours(-1)), None);
    }

    #[rstest]
    #[case::its_owner(SUPPLIER, "account.not_bank")]
    #[case::an_auditor(TAX, "account.not_bank")]
    #[case::another_bank(OTHER_BANK, "unknown_object")]
    fn only_its_bank_attests(#[case] by: &str, #[case] rule: &str) {
        let (mut world, account) = added(World::new());
        assert_eq!(world.refusal(by, Attest { account }).rule, rule);
    }

    #[test]
    fn it_is_attested_once() {
        let (mut world, account) = added(World::new());
        world.act(BANK, Attest { account });
        assert_eq!(
            world.refusal(BANK, Attest { account }).rule,
            "account.not_added"
        );
    }
}
