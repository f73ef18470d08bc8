//! The one door to the state machine: expiry, keys, consent, then the operation's own guards.

use super::head::Head;
use super::invariants;
use super::objects::{Party, PartyLink};
use super::operation::Consents;
use super::payload::Payload;
use super::refusal::{Refusal, ensure};
use super::state::{Effects, State};
use super::values::{Instant, OpId, PartyId, Power, PublicKey};

/// The most days ahead that `not_after` may lie, where one party signs.
const ALONE_DAYS: i64 = 1;
/// The same where several approvals are asked.
const TOGETHER_DAYS: i64 = 7;

/// Judges an operation at `time`. `keys` are the distinct keys whose signatures on the envelope have verified.
///
/// A function of its arguments alone: replay gives the same answer on every machine.
pub fn judge(
    state: &State,
    payload: &Payload,
    keys: &[PublicKey],
    op: OpId,
    time: Instant,
) -> Result<Effects, Refusal> {
    check_ledger(state, payload)?;
    // Expired means ledger time > not_after.
    ensure(time <= payload.not_after, || {
        Refusal::new("operation.expired", "the operation's time has passed")
            .input("not_after", payload.not_after)
            .input("ledger_time", time)
            .remedy("sign it anew")
    })?;
    let mut head = Head {
        state,
        time,
        origin: &payload.ledger,
        by: payload.party,
        op,
        signed: Vec::new(),
    };
    check_known(&head, keys)?;
    let consents = payload.act.consents(&head)?;
    check_horizon(payload, &consents, time)?;
    head.signed = check_signatures(&head, &consents, keys)?;
    let mut effects = payload
        .act
        .decide(&head)
        .map_err(|refusal| refusal.for_party(payload.party))?;
    let warnings = effects.warnings.into_iter();
    effects.warnings = warnings
        .map(|warning| warning.for_party(payload.party))
        .collect();
    debug_assert_eq!(
        invariants::of_effects(state, &effects),
        Vec::<String>::new()
    );
    Ok(effects)
}

fn check_ledger(state: &State, payload: &Payload) -> Result<(), Refusal> {
    // `ledger` stops replay elsewhere.
    let Some(ledger) = &state.ledger else {
        return Ok(());
    };
    ensure(payload.ledger == ledger.origin, || {
        Refusal::new(
            "ledger.other",
            "the operation was signed for another ledger",
        )
        .input("ledger", payload.ledger.as_str())
        .remedy(format!("this ledger is {}", ledger.origin.as_str()))
    })
}

/// The key of an outsider, or of another party, says nothing about who is in the register: it reads the same
/// whether the acting party exists or not.
fn check_known(head: &Head<'_>, keys: &[PublicKey]) -> Result<(), Refusal> {
    ensure(!keys.is_empty(), || {
        Refusal::new("signature.none", "the envelope carries no signature")
    })?;
    if head.state.ledger.is_none() {
        return Ok(());
    }
    let own = |party: &Party| {
        keys.iter()
            .any(|key| party.live_key(key, head.time).is_some())
    };
    ensure(head.state.parties.get(head.by).is_some_and(own), || {
        Refusal::new(
            "key.unknown",
            "no signature is by a live key of the acting party",
        )
        .input("party", head.by)
    })
}

fn check_horizon(payload: &Payload, consents: &Consents, time: Instant) -> Result<(), Refusal> {
    // 24 h is the most, 7 days where several approvals are asked.
    let alone = consents.required.is_empty() && consents.optional.is_empty();
    let days = if alone { ALONE_DAYS } else { TOGETHER_DAYS };
    ensure(payload.not_after <= time.plus_days(days), || {
        Refusal::new(
            "operation.not_after",
            format!("not_after may lie at most {days} days ahead"),
        )
        .input("not_after", payload.not_after)
        .input("ledger_time", time)
    })
}

/// Every signature present must belong to a party that the operation asks to sign; else the envelope is refused.
/// Returns the other parties whose consent stands.
fn check_signatures(
    head: &Head<'_>,
    consents: &Consents,
    keys: &[PublicKey],
) -> Result<Vec<PartyId>, Refusal> {
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
    prove_possession(consents, keys)?;
    if head.state.ledger.is_some() {
        satisfied(head, head.by, &signed, consents.two_admins)?;
    }
    for party in &consents.required {
        satisfied(head, *party, &signed, false)?;
    }
    // Nobody consents to what it does itself, though it may be of a kind that may consent.
    let optional = consents
        .optional
        .iter()
        .copied()
        .filter(|party| *party != head.by && signed.iter().any(|(by, _)| by == party));
    let mut others: Vec<PartyId> = consents.required.clone();
    for party in optional {
        satisfied(head, party, &signed, false)?;
        others.push(party);
    }
    Ok(others)
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

/// Without a policy, one live `maker` or `admin` key signs; where two admin keys are asked, two, if there are two.
fn satisfied(
    head: &Head<'_>,
    party: PartyId,
    signed: &[(PartyId, PublicKey)],
    two_admins: bool,
) -> Result<(), Refusal> {
    let record = head.party(party)?;
    let holds = |key: &PublicKey, powers: &[Power]| {
        let live = record.live_key(key, head.time);
        live.is_some_and(|live| powers.iter().any(|power| live.powers.contains(power)))
    };
    let powers: &[Power] = if two_admins {
        &[Power::Admin]
    } else {
        &[Power::Admin, Power::Maker]
    };
    let own = signed
        .iter()
        .filter(|(by, key)| *by == party && holds(key, powers))
        .count();
    let admins = record
        .keys
        .iter()
        .filter(|key| holds(&key.key, &[Power::Admin]))
        .count();
    let needed = if two_admins { admins.clamp(1, 2) } else { 1 };
    ensure(own >= needed, || {
        let names: Vec<_> = powers.iter().map(|power| power.as_str()).collect();
        Refusal::new(
            "signature.missing",
            "a signature that the operation asks for is missing",
        )
        .input("party", party)
        .input("powers", names.join(" or "))
        .input("keys_needed", needed)
    })
}
