//! The one door to the state machine: expiry, keys, consent, then the operation's own guards.

use super::consent;
use super::head::Head;
use super::invariants;
use super::objects::{BarredId, Party};
use super::operation::Consents;
use super::payload::Payload;
use super::refusal::{Refusal, ensure};
use super::state::{Effects, State};
use super::values::{Instant, OpId, PartyId, PublicKey};

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
    let mut effects =
        decide(&mut head, payload, keys).map_err(|refusal| refusal.for_party(payload.party))?;
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

/// Consent, then the operation's own guards, then what the signers' policies count.
fn decide(head: &mut Head<'_>, payload: &Payload, keys: &[PublicKey]) -> Result<Effects, Refusal> {
    let act = &*payload.act;
    let consents = act.consents(head)?;
    check_horizon(payload, &consents, head)?;
    head.signed = consent::check(head, act, &consents, keys)?;
    check_unbarred(head)?;
    let mut effects = act.decide(head)?;
    consent::count(head, act, &mut effects)?;
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

/// `operation.cancel` bars an operation for the party that signed it.
fn check_unbarred(head: &Head<'_>) -> Result<(), Refusal> {
    let signers = [&[head.by][..], &head.signed].concat();
    let barred = |party: &PartyId| {
        let id = BarredId {
            op: head.op,
            party: *party,
        };
        head.state.barred.get(id).is_some()
    };
    let by = signers.into_iter().find(barred);
    ensure(by.is_none(), || {
        let refusal = Refusal::new(
            "operation.cancelled",
            "a party that signed the operation has taken its signature back",
        );
        by.iter()
            .fold(refusal, |refusal, party| refusal.input("party", party))
            .remedy("sign it anew, which is another operation")
    })
}

fn check_horizon(payload: &Payload, consents: &Consents, head: &Head<'_>) -> Result<(), Refusal> {
    let time = head.time;
    // 24 h is the most, 7 days where several approvals are asked.
    let actor = head.state.parties.get(head.by);
    let ruled = actor
        .and_then(|party| party.policy(time))
        .is_some_and(|policy| policy.rule_for(payload.act.name()).is_some());
    let alone = consents.required.is_empty() && consents.optional.is_empty() && !ruled;
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
