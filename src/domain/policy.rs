//! What a party asks of its own signatures: by operation and amount band, how many keys of which power, of
//! different persons.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::head::Head;
use super::objects::PartyKey;
use super::refusal::{Refusal, ensure};
use super::registry;
use super::values::{Amount, Currency, Fen, Label, Power};
use super::wire::serde_as_string;

/// A policy has at most this many rules, and a rule this many bands.
const RULES_MOST: usize = 64;
const BANDS_MOST: usize = 16;
/// A band asks for at most this many persons.
const PERSONS_MOST: u32 = 8;

/// The name of an operation that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpName(&'static str);

/// A name that no operation has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no operation of that name")]
pub struct NoSuchOperation;

impl FromStr for OpName {
    type Err = NoSuchOperation;

    fn from_str(name: &str) -> Result<OpName, NoSuchOperation> {
        let registered = registry::operation(name).ok_or(NoSuchOperation)?;
        Ok(OpName(registered.name))
    }
}

impl fmt::Display for OpName {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.0)
    }
}

serde_as_string!(
    OpName,
    "the name of an operation",
    "^[a-z]+[.][a-z]+$",
    "receivable.confirm"
);

/// So many keys of a power, each of another person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The power: never seal.
    pub power: Power,
    /// How many, at least one.
    pub count: u32,
}

/// Where a band ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpTo {
    /// The currency that it is for.
    pub currency: Currency,
    /// The most that the operation may bring the day's total to.
    pub amount: Amount,
}

/// What is asked up to an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Where it ends; absent in a rule's last band, which is for everything else: what lies above, other currencies,
    /// and operations that name no amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to: Option<UpTo>,
    /// Who has to sign.
    pub keys: Vec<Ask>,
}

/// What is asked for some operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// The operations, sorted; absent in the last rule, which may be for all that no other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<OpName>,
    /// The bands: of a currency in rising order, the one without bound last.
    pub bands: Vec<Band>,
}

/// The money that an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stake {
    /// Its currency.
    pub currency: Currency,
    /// How much.
    pub fen: Fen,
}

/// A party's rules; with none, one maker or admin key signs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    rules: Vec<PolicyRule>,
}

impl Policy {
    /// These rules, if they are whole and `keys`, live and lasting, can meet every one of them.
    pub fn new(
        at: &Head<'_>,
        rules: Vec<PolicyRule>,
        keys: &[&PartyKey],
    ) -> Result<Policy, Refusal> {
        check_rules(&rules)?;
        rules
            .iter()
            .try_for_each(|rule| check_bands(at, &rule.bands))?;
        let policy = Policy { rules };
        policy.check_met_by(keys)?;
        Ok(policy)
    }

    /// The rules.
    pub fn rules(&self) -> &[PolicyRule] {
        &self.rules
    }

    /// The rule for an operation, if one is for it.
    pub fn rule_for(&self, operation: &str) -> Option<&PolicyRule> {
        let named = self
            .rules
            .iter()
            .find(|rule| rule.operations.iter().any(|name| name.0 == operation));
        named.or_else(|| self.rules.iter().find(|rule| rule.operations.is_empty()))
    }

    /// What each rule asks above its every bound.
    pub fn highest(&self) -> impl Iterator<Item = &[Ask]> {
        self.rules
            .iter()
            .filter_map(|rule| Some(&rule.bands.last()?.keys[..]))
    }

    /// No change leaves a policy that live keys cannot meet, nor a party without an admin key.
    pub fn check_met_by(&self, keys: &[&PartyKey]) -> Result<(), Refusal> {
        let bands = self.rules.iter().flat_map(|rule| &rule.bands);
        let mut asked = bands.map(|band| &band.keys[..]).chain([ADMIN]);
        match asked.find(|asks| !meets(asks, keys)) {
            None => Ok(()),
            Some(asks) => Err(Refusal::new(
                "policy.unmeetable",
                "the party's lasting keys could not give the signatures that would be asked",
            )
            .input("asked", said(asks))
            .remedy("add the keys first, and wait until they are live")),
        }
    }
}

impl PolicyRule {
    /// What is asked where the day's total comes to `total`.
    pub fn asks(&self, total: Option<Stake>) -> &[Ask] {
        let within = |band: &&Band| match (band.up_to, total) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(up_to), Some(total)) => {
                up_to.currency == total.currency && total.fen.get() <= up_to.amount.units()
            }
        };
        self.bands
            .iter()
            .find(within)
            .map_or(ADMIN, |band| &band.keys)
    }
}

/// One admin key.
pub const ADMIN: &[Ask] = &[Ask {
    power: Power::Admin,
    count: 1,
}];

/// Whether different persons among the holders of `keys` can be found for all that is asked.
pub fn meets(asks: &[Ask], keys: &[&PartyKey]) -> bool {
    let mut persons: BTreeMap<&Label, BTreeSet<Power>> = BTreeMap::new();
    for key in keys {
        persons.entry(&key.person).or_default().extend(&key.powers);
    }
    let persons: Vec<BTreeSet<Power>> = persons.into_values().collect();
    let mut signs = vec![None; persons.len()];
    let mut asked = asks
        .iter()
        .flat_map(|ask| (0..ask.count).map(|_| ask.power));
    asked.all(|power| seat(power, &persons, &mut signs, &mut BTreeSet::new()))
}

/// Finds a person for `power`, moving others to another person where they can be moved (an augmenting path of
/// bipartite matching, Kuhn 1955).
fn seat(
    power: Power,
    persons: &[BTreeSet<Power>],
    signs: &mut [Option<Power>],
    tried: &mut BTreeSet<usize>,
) -> bool {
    for person in 0..persons.len() {
        if !persons[person].contains(&power) || !tried.insert(person) {
            continue;
        }
        let free = signs[person].is_none_or(|other| seat(other, persons, signs, tried));
        if free {
            signs[person] = Some(power);
            return true;
        }
    }
    false
}

/// What is asked, in words.
pub fn said(asks: &[Ask]) -> String {
    let each = asks
        .iter()
        .map(|ask| format!("{} {}", ask.count, ask.power));
    each.collect::<Vec<_>>().join(", ")
}

fn check_rules(rules: &[PolicyRule]) -> Result<(), Refusal> {
    let names: Vec<OpName> = rules
        .iter()
        .flat_map(|rule| rule.operations.iter().copied())
        .collect();
    let once = names.iter().collect::<BTreeSet<_>>().len() == names.len();
    let sorted = rules
        .iter()
        .all(|rule| rule.operations.windows(2).all(|pair| pair[0] < pair[1]));
    let general = rules.iter().position(|rule| rule.operations.is_empty());
    let last = general.is_none_or(|place| place + 1 == rules.len());
    ensure(rules.len() <= RULES_MOST && once && sorted && last, || {
        Refusal::new(
            "policy.rules",
            format!(
                "at most {RULES_MOST} rules name operations in order, each once; one without operations comes last"
            ),
        )
    })
}

fn check_bands(at: &Head<'_>, bands: &[Band]) -> Result<(), Refusal> {
    let mut bounds: BTreeMap<Currency, Fen> = BTreeMap::new();
    let (last, bounded) = match bands.split_last() {
        Some(split) if bands.len() <= BANDS_MOST => split,
        _ => return Err(bad_bands()),
    };
    ensure(last.up_to.is_none(), bad_bands)?;
    for band in bounded {
        let up_to = band.up_to.ok_or_else(bad_bands)?;
        let bound = at.amount("up_to", &up_to.amount, up_to.currency)?;
        let below = bounds.insert(up_to.currency, bound);
        ensure(below.is_none_or(|below| below < bound), bad_bands)?;
    }
    bands.iter().try_for_each(|band| check_asks(&band.keys))
}

fn bad_bands() -> Refusal {
    Refusal::new(
        "policy.bands",
        format!(
            "a rule has 1 to {BANDS_MOST} bands: of a currency in rising order, and one without bound, the last"
        ),
    )
}

fn check_asks(asks: &[Ask]) -> Result<(), Refusal> {
    let powers: BTreeSet<Power> = asks.iter().map(|ask| ask.power).collect();
    let persons = asks
        .iter()
        .fold(0_u32, |sum, ask| sum.saturating_add(ask.count));
    let whole = !asks.is_empty()
        && powers.len() == asks.len()
        && !powers.contains(&Power::Seal)
        && asks.iter().all(|ask| ask.count > 0)
        && persons <= PERSONS_MOST;
    ensure(whole, || {
        Refusal::new(
            "policy.keys",
            format!(
                "a band asks for 1 to {PERSONS_MOST} keys of the powers admin, maker and checker, each power named once"
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::testing::{SUPPLIER, id, key_of, wire};

    fn key(person: &str, powers: &[Power]) -> PartyKey {
        PartyKey {
            key: key_of(id(SUPPLIER)),
            label: wire("a key"),
            person: wire(person),
            powers: powers.iter().copied().collect(),
            from: wire("2026-06-01T02:00:00Z"),
            until: None,
        }
    }

    const M: Power = Power::Maker;
    const C: Power = Power::Checker;

    #[rstest]
    #[case::one_of_each(&[("Li", &[M][..]), ("Wang", &[C])], true)]
    #[case::one_person_with_both(&[("Li", &[M, C][..])], false)]
    #[case::one_person_with_two_keys(&[("Li", &[M][..]), ("Li", &[C])], false)]
    #[case::whoever_can_do_both_makes_room(&[("Li", &[M, C][..]), ("Wang", &[M])], true)]
    #[case::and_in_the_other_order(&[("Wang", &[C][..]), ("Xu", &[M, C])], true)]
    #[case::two_makers(&[("Li", &[M][..]), ("Wang", &[M])], false)]
    fn a_maker_and_a_checker_are_two_persons(#[case] keys: &[(&str, &[Power])], #[case] met: bool) {
        let keys: Vec<PartyKey> = keys.iter().map(|(who, powers)| key(who, powers)).collect();
        let keys: Vec<&PartyKey> = keys.iter().collect();
        let asks = [M, C].map(|power| Ask { power, count: 1 });
        assert_eq!(meets(&asks, &keys), met);
    }

    fn bands() -> PolicyRule {
        serde_json::from_str(
            r#"{"bands":[{"up_to":{"currency":"CNY","amount":"100.00"},"keys":[{"power":"maker","count":1}]},
                {"up_to":{"currency":"CNY","amount":"200.00"},"keys":[{"power":"maker","count":2}]},
                {"keys":[{"power":"admin","count":2}]}]}"#,
        )
        .unwrap()
    }

    #[rstest]
    #[case::at_the_bound(Some(("CNY", 10_000)), "1 maker")]
    #[case::a_fen_above(Some(("CNY", 10_001)), "2 maker")]
    #[case::above_all(Some(("CNY", 20_001)), "2 admin")]
    #[case::another_currency(Some(("EUR", 1)), "2 admin")]
    #[case::no_amount(None, "2 admin")]
    fn the_band_is_the_first_that_holds_the_total(
        #[case] total: Option<(&str, i64)>,
        #[case] asked: &str,
    ) {
        let total = total.map(|(currency, fen)| Stake {
            currency: wire(currency),
            fen: Fen::new(fen).unwrap(),
        });
        assert_eq!(said(bands().asks(total)), asked);
    }
}
