//! `account.add`: a party names a bank account of its own, which waits thirty days for its bank's word.

use iban::Iban;
use serde::{Deserialize, Serialize};

use crate::domain::head::Head;
use crate::domain::objects::{Account, AccountState};
use crate::domain::operation::{Asked, Consents, Operation};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::state::Effects;
use crate::domain::values::{Currency, Label, PartyId, Role};

/// An account waits this many days for its bank.
const ANSWER_DAYS: i64 = 30;

/// Body, in wire order.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The party that services it.
    pub bank: PartyId,
    /// Its number at the bank: an IBAN where the country has it.
    pub number: Label,
    /// Its currency.
    pub currency: Currency,
    /// Whether what the party is owed is paid to it once it is usable.
    pub default: bool,
}

impl Operation for Add {
    const NAME: &'static str = "account.add";
    const SUMMARY: &'static str = "A party adds a bank account, which its bank has to attest";

    /// Two admin keys where there are two.
    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents {
            own: Asked::TwoAdmins,
            ..Consents::none()
        })
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        at.party(self.bank)?.with_role(Role::Bank)?;
        self.check_number()?;
        at.currency(self.currency)?;

        let mut draft = at.draft();
        let id = draft.make_id();
        draft.put(Account {
            id,
            party: at.by,
            bank: self.bank,
            number: self.number.clone(),
            currency: self.currency,
            default: self.default,
            state: AccountState::Added {
                ends: at.time.plus_days(ANSWER_DAYS),
            },
        });
        draft.tell(self.bank);
        Ok(draft.done())
    }
}

impl Add {
    /// What looks like an IBAN (ISO 13616: two letters, then two check digits) is one, check digits and all.
    fn check_number(&self) -> Result<(), Refusal> {
        let looks_like_iban = matches!(
            self.number.as_str().as_bytes(),
            [a, b, c, d, ..] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic()
                && c.is_ascii_digit() && d.is_ascii_digit()
        );
        ensure(
            !looks_like_iban || self.number.as_str().parse::<Iban>().is_ok(),
            || {
                Refusal::new(
                    "account.number",
                    "the number begins like an IBAN and is none",
                )
                .input("number", &self.number)
                .remedy("check its digits; an IBAN is written in upper case")
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::ops::account::attest::Attest;
    use crate::domain::testing::keys::ADMIN;
    use crate::domain::testing::money::account;
    use crate::domain::testing::{BANK, LENDER, SUPPLIER, World, id, wire};
    use crate::domain::values::{AccountId, MadeId};

    #[test]
    fn an_added_account_waits_for_its_bank() {
        let mut world = World::new();
        let op = world.act(SUPPLIER, account(BANK));
        let added = world.get::<Account>(AccountId::of(&op, 0));
        assert_eq!(added.party, id(SUPPLIER));
        assert_eq!(added.usable_since(world.time.plus_days(29)), None);
        world.later_by_hours(30 * 24);
        let attest = Attest {
            account: AccountId::of(&op, 0),
        };
        assert_eq!(world.refusal(BANK, attest).rule, "account.not_added");
    }

    #[rstest]
    #[case::no_bank(|body: &mut Add| body.bank = id(LENDER), "party.role")]
    #[case::nobody(|body: &mut Add| body.bank = id("x:nobody"), "unknown_object")]
    #[case::wrong_check_digits(|body: &mut Add| body.number = wire("DE44500105175407324932"), "account.number")]
    #[case::no_such_country(|body: &mut Add| body.number = wire("XX4450010517"), "account.number")]
    #[case::lower_case(|body: &mut Add| body.number = wire("de44500105175407324931"), "account.number")]
    #[case::no_currency(|body: &mut Add| body.currency = wire("XXX"), "currency.unknown")]
    fn refused(#[case] spoil: fn(&mut Add), #[case] rule: &str) {
        let mut body = account(BANK);
        spoil(&mut body);
        assert_eq!(World::new().refusal(SUPPLIER, body).rule, rule);
    }

    #[rstest]
    #[case::iban("DE44500105175407324931")]
    #[case::iban_in_groups("DE44 5001 0517 5407 3249 31")]
    #[case::chinese("6222020200112233445")]
    fn numbers_that_may_be(#[case] number: &str) {
        let body = Add {
            number: wire(number),
            ..account(BANK)
        };
        World::new().act(SUPPLIER, body);
    }

    #[test]
    fn a_party_with_two_admin_keys_signs_with_both() {
        let mut world = World::new();
        world.keyed(SUPPLIER, &[("x:second", ADMIN)]);
        assert_eq!(
            world.refusal(SUPPLIER, account(BANK)).rule,
            "signature.missing"
        );
        world.act_with(SUPPLIER, &[id("x:second")], account(BANK));
    }
}
