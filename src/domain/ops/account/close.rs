//! `account.close`: a party closes a bank account of its own; nothing is announced to it any more.

use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Account, AccountState, LegKey};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::registry::{Consents, Operation};
use crate::domain::state::Effects;
use crate::domain::values::AccountId;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize)]
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
            two_admins: true,
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
