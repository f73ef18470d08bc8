//! The register and the rules that hold for everybody: what the operator does, alone or with others.

use std::collections::BTreeSet;

use counterfoil::domain::ops::party::{amend::Amend, reinstate::Reinstate, suspend::Suspend};
use counterfoil::domain::ops::rulebook::publish::Publish;
use counterfoil::domain::values::{PartyId, Role};

use super::super::book::{Book, Numbers, Suspension};
use super::super::days::{DAY, end_of};
use super::super::step::Step;
use super::{Faults, Rule, Verdict, number};

impl Book {
    /// Whoever owes, lends, guarantees or keeps accounts is vouched for by an authority or a bank, and not by itself.
    pub(super) fn check_voucher_for(
        &self,
        faults: &mut Faults,
        party: PartyId,
        roles: &BTreeSet<Role>,
        vouched_by: Option<PartyId>,
    ) {
        let vouched = [Role::Debtor, Role::Lender, Role::Guarantor, Role::Bank];
        match vouched_by {
            None => faults.unless(
                !vouched.iter().any(|role| roles.contains(role)),
                "party.unvouched",
            ),
            Some(voucher) => {
                let may = self.is(voucher, Role::Authority) || self.is(voucher, Role::Bank);
                faults.unless(may && voucher != party, "party.voucher");
            }
        }
    }

    fn check_authority(&self, faults: &mut Faults, authority: Option<PartyId>) {
        let may = authority.is_none_or(|party| self.is(party, Role::Authority));
        faults.unless(may, "party.voucher");
    }

    /// What a party is suspended by, where there is the party; it is done by the operator, and never to it.
    fn registered(
        &self,
        by: PartyId,
        id: PartyId,
    ) -> Result<(Faults, Option<Suspension>), Vec<Rule>> {
        let mut faults = Faults::default();
        faults.unless(self.is(by, Role::Operator), "party.role");
        match self.party(id) {
            Ok(party) => Ok((faults, party.suspension)),
            Err(unknown) => {
                faults.take(Err(unknown));
                Err(faults.0)
            }
        }
    }

    pub(super) fn party_amend(&mut self, by: PartyId, body: &Amend) -> Verdict {
        let roles: BTreeSet<Role> = body.roles.iter().copied().collect();
        let (mut faults, _) = self.registered(by, body.party)?;
        faults.unless(!self.is(body.party, Role::Operator), "party.operator");
        let rising = body.roles.windows(2).all(|pair| pair[0] < pair[1]);
        faults.unless(rising && !roles.is_empty(), "party.lists");
        faults.unless(!roles.contains(&Role::Operator), "party.operator");
        let scoped = roles.contains(&Role::Authority) != body.scopes.is_empty();
        faults.unless(scoped, "party.scopes");
        let trades = roles.contains(&Role::Supplier) || roles.contains(&Role::Debtor);
        let named = body.party.to_string().starts_with("x:");
        faults.unless(!(trades && named), "party.identifier");
        faults.unless(!trades || body.size.is_some(), "party.size");
        self.check_voucher_for(&mut faults, body.party, &roles, body.vouched_by);
        faults.verdict()?;
        let party = self.parties.get_mut(&body.party).unwrap();
        party.roles = roles;
        party.scopes = body.scopes.iter().copied().collect();
        party.kyc_valid_to = Some(number(body.kyc_valid_to));
        Ok(())
    }

    pub(super) fn party_suspend(&mut self, by: PartyId, body: &Suspend) -> Verdict {
        let (now, ends) = (self.now, body.ends.millis());
        let (mut faults, earlier) = self.registered(by, body.party)?;
        faults.unless(!self.is(body.party, Role::Operator), "party.operator");
        self.check_authority(&mut faults, body.authority);
        faults.unless(self.ends_within(ends, 366), "end.range");
        let running = earlier.filter(|one| one.ends > now);
        faults.unless(
            running.is_none_or(|one| one.ends <= ends),
            "suspension.shorter",
        );
        // Thirty days of peace begin a new count.
        let counted_from = earlier
            .filter(|one| now - one.ends < 30 * DAY)
            .map_or(now, |one| one.counted_from);
        let alone = ends - counted_from <= 30 * DAY;
        faults.unless(alone || body.authority.is_some(), "suspension.authority");
        faults.verdict()?;
        self.parties.get_mut(&body.party).unwrap().suspension = Some(Suspension {
            from: running.map_or(now, |one| one.from),
            ends,
            counted_from,
            by_authority: body.authority.is_some() || running.is_some_and(|one| one.by_authority),
        });
        Ok(())
    }

    pub(super) fn party_reinstate(&mut self, by: PartyId, body: &Reinstate) -> Verdict {
        let now = self.now;
        let (mut faults, suspension) = self.registered(by, body.party)?;
        self.check_authority(&mut faults, body.authority);
        let running = suspension.filter(|one| one.ends > now);
        faults.unless(running.is_some(), "suspension.none");
        let needed = running.is_some_and(|one| one.by_authority);
        faults.unless(!needed || body.authority.is_some(), "suspension.authority");
        faults.verdict()?;
        let party = self.parties.get_mut(&body.party).unwrap();
        party.suspension.as_mut().unwrap().ends = now;
        Ok(())
    }

    pub(super) fn rulebook_publish(&mut self, by: PartyId, body: &Publish) -> Verdict {
        let rulebook = &body.rulebook;
        let mut faults = Faults::default();
        faults.unless(self.is(by, Role::Operator), "party.role");
        self.check_authority(&mut faults, body.authority);
        // The one thing that histories make senseless.
        faults.unless(rulebook.rules.claim_unit.params.fen > 0, "rulebook.invalid");
        let next = rulebook.version as usize == self.editions.len() + 1;
        faults.unless(next, "rulebook.version");
        let numbers = Numbers::of(rulebook);
        let last = &self.editions[self.editions.len() - 1].1;
        let mut kept = last.decimals.iter();
        let kept = kept.all(|(currency, of)| numbers.decimals.get(currency) == Some(of));
        faults.unless(kept, "rulebook.currencies");
        let from = number(rulebook.valid_from);
        let begins = end_of(from - 1);
        let noticed = match body.authority {
            Some(_) => from > self.today(),
            None => begins - self.now >= 7 * DAY,
        };
        faults.unless(noticed, "rulebook.notice");
        faults.verdict()?;
        self.editions.push((from, numbers));
        Ok(())
    }

    pub(super) fn ledger_upgrade(&mut self, by: PartyId, engine: u32) -> Verdict {
        let mut faults = Faults::default();
        faults.unless(self.is(by, Role::Operator), "party.role");
        faults.unless((self.engine + 1..=2).contains(&engine), "ledger.engine");
        faults.verdict()?;
        self.engine = engine;
        Ok(())
    }

    pub(super) fn ledger_rekey(&mut self, step: &Step) -> Verdict {
        let key = self.asked(step.by, &step.body)?.newcomer.unwrap();
        let mut faults = Faults::default();
        faults.unless(self.is(step.by, Role::Operator), "party.role");
        faults.unless(!self.has_key(key), "key.taken");
        faults.verdict()?;
        self.ledger_keys.push((self.entries, key));
        Ok(())
    }
}
