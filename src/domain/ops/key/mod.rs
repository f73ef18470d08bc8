//! Operations on a party's keys: each takes effect later, so that an admin key can veto it until then.

pub mod add;
pub mod recover;
pub mod revoke;
pub mod veto;

use crate::domain::draft::Draft;
use crate::domain::head::Head;
use crate::domain::objects::{KeyChange, Party, PartyKey, PartyLink, PendingChange};
use crate::domain::refusal::{Refusal, ensure};
use crate::domain::values::{Instant, PartyId, Power, PublicKey};

/// Key and policy changes take effect after 24 h.
const DELAY_DAYS: i64 = 1;
/// So many changes may be asked for within that time, the vetoed among them.
const CHANGES_MOST: usize = 16;
/// A party has at most this many keys that are live or about to be.
const KEYS_MOST: usize = 64;

/// When a change that is asked for now takes effect.
pub(in crate::domain::ops) fn effective(at: &Head<'_>) -> Instant {
    at.time.plus_days(DELAY_DAYS)
}

/// The acting party, if its keys and policy may be changed now: not while a recovery waits.
pub(in crate::domain::ops) fn changeable<'s>(at: &Head<'s>) -> Result<&'s Party, Refusal> {
    let party = at.actor()?;
    ensure(!recovers(party, at.time), || {
        Refusal::new(
            "key.recovering",
            "the party's keys are being recovered: nothing else changes until that is vetoed or done",
        )
        .remedy("key.veto, or wait for the recovery")
    })?;
    Ok(party)
}

fn recovers(party: &Party, time: Instant) -> bool {
    party
        .pending(time)
        .any(|pending| matches!(pending.change, KeyChange::Recover(_)))
}

/// The keys of a party that are live and have no end in sight: what a policy may count on.
pub(in crate::domain::ops) fn lasting(party: &Party, time: Instant) -> Vec<&PartyKey> {
    let live = party.live_keys(time);
    live.filter(|key| party.end_of(key).is_none()).collect()
}

/// A key belongs to one party for ever and is never a ledger key.
pub(in crate::domain::ops) fn untaken(at: &Head<'_>, key: PublicKey) -> Result<(), Refusal> {
    let known = at.state.parties.by(&PartyLink::Key(key)).next();
    ensure(known.is_none() && !at.ledger()?.has_signed_by(key), || {
        Refusal::new(
            "key.taken",
            "a key belongs to one party for ever and is never a ledger key",
        )
        .input("keyid", key)
    })
}

/// Only the operator's keys seal, and a key that seals does nothing else.
fn check_powers(party: &Party, key: &PartyKey) -> Result<(), Refusal> {
    let seals = key.powers.contains(&Power::Seal);
    let operator = party.is(crate::domain::values::Role::Operator);
    ensure(!seals || (operator && key.powers.len() == 1), || {
        Refusal::new(
            "key.powers",
            "only a key of the operator seals, and it has no other power",
        )
        .input("keyid", key.key)
    })
}

/// There is room for one more key.
fn check_room(party: &Party, time: Instant) -> Result<(), Refusal> {
    let kept = party
        .keys
        .iter()
        .filter(|key| party.end_of(key).is_none_or(|end| end > time));
    ensure(kept.count() < KEYS_MOST, || {
        Refusal::new(
            "key.many",
            format!("a party has at most {KEYS_MOST} keys that are live or about to be"),
        )
        .remedy("revoke those that nobody uses")
    })
}

/// Records that a change waits, and forgets those that wait no more.
pub(in crate::domain::ops) fn ask(
    draft: &mut Draft<'_>,
    party: PartyId,
    effective: Instant,
    change: KeyChange,
) -> Result<(), Refusal> {
    let (time, op) = (draft.head.time, draft.head.op);
    let changes = &mut draft.edit::<Party>(party).changes;
    changes.retain(|change| change.effective > time);
    ensure(changes.len() < CHANGES_MOST, || {
        Refusal::new(
            "key.many_changes",
            format!("at most {CHANGES_MOST} changes of keys and policy wait at a time"),
        )
        .remedy("wait until the earlier ones have taken effect")
    })?;
    changes.push(PendingChange {
        op,
        effective,
        change,
        vetoed: false,
    });
    Ok(())
}
