//! Who has to sign: whether the signatures on an envelope are those that the operation and each party's own policy
//! ask for.

use super::head::Head;
use super::objects::{DayTotal, Party, PartyKey, PartyLink};
use super::operation::{Act, Asked, Consents};
use super::policy::{ADMIN, Ask, Stake, meets, said};
use super::refusal::{Refusal, ensure};
use super::state::{Effects, Stored};
use super::values::{Fen, Label, PartyId, Power, PublicKey};

/// Every signature present must belong to a party that the operation asks to sign; else the envelope is refused.
/// Returns the other parties whose consent stands.
pub(super) fn check(
    head: &Head<'_>,
    act: &dyn Act,
    consents: &Consents,
    keys: &[PublicKey],
) -> Result<Vec<PartyId>, Refusal> {
    let signed = owners(head, consents, keys)?;
    prove_possession(consents, keys)?;
    let satisfied = |party, asked| Signatures::of(head, party, &signed)?.satisfy(head, act, asked);
    if head.state.ledger.is_some() {
        satisfied(head.by, consents.own)?;
    }
    for party in &consents.required {
        satisfied(*party, Asked::Usual)?;
    }
    // Nobody consents to what it does itself, though it may be of a kind that may consent.
    let optional = consents
        .optional
        .iter()
        .copied()
        .filter(|party| *party != head.by && signed.iter().any(|(by, _)| by == party));
    let mut others: Vec<PartyId> = consents.required.clone();
    for party in optional {
        satisfied(party, Asked::Usual)?;
        others.push(party);
    }
    Ok(others)
}

/// Adds the money at stake to the day's totals of every party that signed and whose policy has a rule for it.
pub(super) fn count(head: &Head<'_>, act: &dyn Act, effects: &mut Effects) -> Result<(), Refusal> {
    let signers = [&[head.by][..], &head.signed].concat();
    for party in signers.iter().filter_map(|id| head.state.parties.get(*id)) {
        let Some(Ruling { total, .. }) = ruled(head, act, party)? else {
            continue;
        };
        let today = head.today()?;
        let changed = Party::changed_mut(effects)
            .entry(party.id)
            .or_insert_with(|| Box::new(party.clone()));
        changed.totals.retain(|_, earlier| earlier.day == today);
        if let Some(Stake { currency, fen }) = total {
            let counted = DayTotal { day: today, fen };
            changed.totals.insert((act.name(), currency), counted);
        }
    }
    Ok(())
}

/// What a party's policy says of an operation.
struct Ruling<'p> {
    /// The signatures it asks for.
    asks: &'p [Ask],
    /// What the day's total comes to with it, where it names an amount.
    total: Option<Stake>,
}

/// What a party's policy says of an operation, if it has a rule for it.
fn ruled<'p>(
    head: &Head<'_>,
    act: &dyn Act,
    party: &'p Party,
) -> Result<Option<Ruling<'p>>, Refusal> {
    let policy = party.policy(head.time);
    let Some(rule) = policy.and_then(|policy| policy.rule_for(act.name())) else {
        return Ok(None);
    };
    let today = head.today()?;
    let total = act.at_stake(head)?.map(|stake| {
        let before = party.totals.get(&(act.name(), stake.currency));
        let before = before.filter(|total| total.day == today);
        let before = before.map_or(Fen::ZERO, |total| total.fen);
        let fen = before.saturating_add(stake.fen);
        Stake { fen, ..stake }
    });
    let asks = rule.asks(total);
    Ok(Some(Ruling { asks, total }))
}

/// The owner of each key, which has to be one whose signature is asked for.
fn owners(
    head: &Head<'_>,
    consents: &Consents,
    keys: &[PublicKey],
) -> Result<Vec<(PartyId, PublicKey)>, Refusal> {
    let mut signed: Vec<(PartyId, PublicKey)> = Vec::new();
    let asked = [&[head.by][..], &consents.required, &consents.optional].concat();
    for key in keys {
        let owner = head.state.parties.by(&PartyLink::Key(*key)).next();
        let live = owner
            .filter(|party| asked.contains(&party.id) && party.live_key(key, head.time).is_some());
        if let Some(party) = live {
            signed.push((party.id, *key));
            continue;
        }
        ensure(consents.new_keys.contains(key), || {
            Refusal::new(
                "signature.not_asked",
                "a signature is not by a live key of a party that is asked to sign",
            )
            .input("keyid", key)
        })?;
    }
    Ok(signed)
}

/// A new key proves possession by signing the same envelope.
fn prove_possession(consents: &Consents, keys: &[PublicKey]) -> Result<(), Refusal> {
    let missing = consents.new_keys.iter().find(|key| !keys.contains(key));
    ensure(missing.is_none(), || {
        let refusal = Refusal::new(
            "key.possession",
            "a new key must sign the envelope that brings it in",
        );
        missing
            .iter()
            .fold(refusal, |refusal, key| refusal.input("keyid", key))
    })
}

/// The signatures of one party.
struct Signatures<'s> {
    party: &'s Party,
    keys: Vec<&'s PartyKey>,
}

impl<'s> Signatures<'s> {
    fn of(
        head: &Head<'s>,
        party: PartyId,
        signed: &[(PartyId, PublicKey)],
    ) -> Result<Signatures<'s>, Refusal> {
        let party = head.party(party)?;
        let keys = signed
            .iter()
            .filter(|(by, _)| *by == party.id)
            .filter_map(|(_, key)| party.live_key(key, head.time));
        Ok(Signatures {
            party,
            keys: keys.collect(),
        })
    }

    fn satisfy(&self, head: &Head<'_>, act: &dyn Act, asked: Asked) -> Result<(), Refusal> {
        match asked {
            Asked::Usual => self.usual(head, act),
            Asked::TwoAdmins => {
                self.two_admins(head)?;
                match ruled(head, act, self.party)? {
                    Some(ruling) => self.meet(ruling.asks),
                    None => Ok(()),
                }
            }
            // Key and policy changes satisfy the old policy's highest band.
            Asked::Highest => {
                self.meet(ADMIN)?;
                let policy = self.party.policy(head.time);
                let mut highest = policy.into_iter().flat_map(|policy| policy.highest());
                highest.try_for_each(|asks| self.meet(asks))
            }
            Asked::OneAdmin => self.meet(ADMIN),
        }
    }

    /// Without a policy, one live `maker` or `admin` key signs.
    fn usual(&self, head: &Head<'_>, act: &dyn Act) -> Result<(), Refusal> {
        if let Some(ruling) = ruled(head, act, self.party)? {
            return self.meet(ruling.asks);
        }
        let either = |key: &&PartyKey| {
            key.powers.contains(&Power::Admin) || key.powers.contains(&Power::Maker)
        };
        ensure(self.keys.iter().any(either), || {
            self.missing("1 maker or admin".to_owned())
        })
    }

    /// Two admin keys of two persons, where two persons have one.
    fn two_admins(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let admins = self
            .party
            .live_keys(head.time)
            .filter(|key| key.powers.contains(&Power::Admin));
        let persons: std::collections::BTreeSet<&Label> = admins.map(|key| &key.person).collect();
        let count = if persons.len() > 1 { 2 } else { 1 };
        self.meet(&[Ask {
            power: Power::Admin,
            count,
        }])
    }

    fn meet(&self, asks: &[Ask]) -> Result<(), Refusal> {
        ensure(meets(asks, &self.keys), || self.missing(said(asks)))
    }

    /// What a party's policy asks is for the party alone to know.
    fn missing(&self, asked: String) -> Refusal {
        Refusal::new(
            "signature.missing",
            "a signature that the operation asks for is missing",
        )
        .input("party", self.party.id)
        .input_of(self.party.id, "asked", asked)
        .remedy("keys of that many different persons sign the same envelope")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::domain::ops::contract::accept::Accept;
    use crate::domain::ops::receivable::confirm::Confirm;
    use crate::domain::testing::keys::{ADMIN, CHECKER, MAKER};
    use crate::domain::testing::{HOSPITAL, SUPPLIER, World, item, proposal, wire};
    use crate::domain::values::{ContractId, InvoiceId, MadeId, ReceivableId};

    const LI: &str = "x:li";
    const WANG: &str = "x:wang";
    const XU: &str = "x:xu";

    /// Up to 100,000.00 a day a maker confirms, up to 500,000.00 a maker and a checker, above also an admin.
    const BANDS: &str = r#"[{"operations":["receivable.confirm"],"bands":[
        {"up_to":{"currency":"CNY","amount":"100000.00"},"keys":[{"power":"maker","count":1}]},
        {"up_to":{"currency":"CNY","amount":"500000.00"},"keys":[{"power":"maker","count":1},{"power":"checker","count":1}]},
        {"keys":[{"power":"admin","count":1},{"power":"checker","count":1},{"power":"maker","count":1}]}]}]"#;

    /// The hospital with a maker, a checker, another admin and bands; two receivables of 600,000.00 wait for it.
    fn given() -> (World, Vec<Confirm>) {
        let mut world = World::new();
        let contract = world.contract();
        let mut waiting = Vec::new();
        for number in ["N-1", "N-2"] {
            let invoice = world.invoice(contract, number, "500000.00", "0.00");
            waiting.push((
                world.registered(contract, &[(invoice, "500000.00")]),
                invoice,
            ));
        }
        world.keyed(HOSPITAL, &[(LI, MAKER), (WANG, CHECKER), (XU, ADMIN)]);
        world.ruled(HOSPITAL, BANDS);
        let body = |world: &World, receivable: ReceivableId, invoice: InvoiceId| Confirm {
            shares: vec![item(invoice, "100000.00")],
            due: wire("2026-08-07"),
            ..world.confirmation(receivable)
        };
        let bodies = waiting
            .iter()
            .map(|(receivable, invoice)| body(&world, *receivable, *invoice));
        let bodies = bodies.collect();
        (world, bodies)
    }

    fn of(body: &Confirm, amount: &str) -> Confirm {
        Confirm {
            receivable: body.receivable,
            shares: vec![item(body.shares[0].invoice, amount)],
            due: body.due,
            term_reason: None,
            defences: Default::default(),
            notice: body.notice,
        }
    }

    #[rstest]
    #[case::at_the_bound("100000.00", &[LI], Ok(()))]
    #[case::a_fen_above_it("100000.01", &[LI], Err("signature.missing"))]
    #[case::with_a_checker("100000.01", &[LI, WANG], Ok(()))]
    #[case::an_admin_who_makes_is_not_asked_for("100000.01", &[LI, XU], Err("signature.missing"))]
    #[case::the_first_key_makes_too("100000.00", &[HOSPITAL], Ok(()))]
    #[case::a_checker_alone("1.00", &[WANG], Err("signature.missing"))]
    fn the_amount_chooses_who_signs(
        #[case] amount: &str,
        #[case] names: &[&str],
        #[case] expected: Result<(), &str>,
    ) {
        let (mut world, bodies) = given();
        let body = of(&bodies[0], amount);
        assert_eq!(world.signed(HOSPITAL, names, body).map(|_| ()), expected);
    }

    /// Bands count the day's total of the operation, so that it cannot be cut into small ones.
    #[test]
    fn the_days_total_chooses_and_begins_anew_the_next_day() {
        let (mut world, bodies) = given();
        assert!(
            world
                .signed(HOSPITAL, &[LI], of(&bodies[0], "60000.00"))
                .is_ok()
        );
        let second = world.signed(HOSPITAL, &[LI], of(&bodies[1], "60000.00"));
        assert_eq!(second, Err("signature.missing"));
        let together = world
            .clone()
            .signed(HOSPITAL, &[LI, WANG], of(&bodies[1], "60000.00"));
        assert!(together.is_ok());
        world.later_by_hours(24);
        let tomorrow = world.signed(HOSPITAL, &[LI], of(&bodies[1], "60000.00"));
        assert!(tomorrow.is_ok());
    }

    #[test]
    fn a_refused_operation_counts_for_nothing() {
        let (mut world, bodies) = given();
        let twice = of(&bodies[0], "600000.00");
        assert!(world.signed(HOSPITAL, &[LI, WANG, XU], twice).is_err());
        assert!(
            world
                .signed(HOSPITAL, &[LI], of(&bodies[0], "100000.00"))
                .is_ok()
        );
    }

    /// "Consent of X" anywhere is X's signatures under X's policy.
    #[rstest]
    #[case::its_checker_alone(&[WANG], "signature.missing")]
    #[case::its_maker(&[LI], "")]
    fn who_consents_does_so_under_its_own_policy(#[case] names: &[&str], #[case] rule: &str) {
        let (mut world, bodies) = given();
        world.keyed(SUPPLIER, &[("x:zhao", CHECKER), ("x:qian", MAKER)]);
        world.ruled(
            SUPPLIER,
            r#"[{"bands":[{"keys":[{"power":"maker","count":1}]}]}]"#,
        );
        world.later_by_hours(20 * 24);
        let later = Confirm {
            due: bodies[0].due.plus_days(2),
            term_reason: Some(wire("agreed with the supplier")),
            ..of(&bodies[0], "1.00")
        };
        let supplier = if names == [WANG] { "x:zhao" } else { "x:qian" };
        let judged = world.signed(HOSPITAL, &[LI, supplier], later);
        assert_eq!(judged.err().unwrap_or_default(), rule);
    }

    #[test]
    fn an_operation_without_an_amount_asks_what_is_asked_above_every_bound() {
        let (mut world, _) = given();
        world.keyed(SUPPLIER, &[("x:qian", MAKER)]);
        world.ruled(
            SUPPLIER,
            r#"[{"bands":[{"up_to":{"currency":"CNY","amount":"1000000.00"},"keys":[{"power":"maker","count":1}]},
                {"keys":[{"power":"admin","count":1},{"power":"maker","count":1}]}]}]"#,
        );
        let body = crate::domain::ops::contract::propose::Propose {
            number: wire("HT-2026-002"),
            value: None,
            ..proposal()
        };
        assert_eq!(
            world.signed(SUPPLIER, &[SUPPLIER], body),
            Err("signature.missing")
        );
    }

    #[test]
    fn a_policy_says_nothing_of_operations_that_it_does_not_name() {
        let (mut world, _) = given();
        let body = crate::domain::ops::contract::propose::Propose {
            number: wire("HT-2026-002"),
            ..proposal()
        };
        let contract = ContractId::of(&world.act(SUPPLIER, body), 0);
        let accept = Accept {
            contract,
            change: None,
        };
        assert!(world.signed(HOSPITAL, &[LI], accept).is_ok());
    }
}
