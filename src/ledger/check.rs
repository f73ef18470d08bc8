//! What would become of an operation that nobody has signed yet.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::chain::Envelope;
use crate::chain::pae::OP_TYPE;
use crate::domain::Refusal;
use crate::domain::head::Head;
use crate::domain::objects::LedgerKey;
use crate::domain::payload::Payload;
use crate::domain::state::State;
use crate::domain::values::{Instant, OpId, PartyId, PublicKey, Succession};

use super::handle::Ledger;
use super::intake::{id_of, malformed};
use super::sequencer::Sequencer;
use super::status::Stopped;

/// An operation that would be accepted now, if everybody signed whom it asks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The id that it would have.
    pub op_id: OpId,
    /// The ids of the objects that it would touch.
    pub objects: Vec<String>,
    /// Rules of severity `warn` that would not hold.
    pub warnings: Vec<Refusal>,
}

impl Ledger {
    /// Judges an unsigned payload of `party`, whose session it must be, as if all that it asks to sign had signed. It enters nothing
    /// and tells no more than the refusal of a signed one would.
    pub async fn check(
        &self,
        party: PartyId,
        payload: &str,
    ) -> Result<Result<Checked, Refusal>, Stopped> {
        let decoded = match read(payload) {
            Ok(decoded) => decoded,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if decoded.party != party {
            return Ok(Err(Refusal::new(
                "check.party",
                "the payload is another party's than the session's",
            )
            .input("party", decoded.party)));
        }
        let op = id_of(payload);
        let clock = self.inner.clock.now();
        let (size, checked) = self.inner.shared.at_head(|head| {
            let checked = clock.and_then(|now| check(head, &decoded, op, head.time_at(now)));
            (head.size(), checked)
        })?;
        self.inner.shared.status.durable(size).await?;
        match checked {
            Ok((checked, Some(keys))) => Ok(self.with_secret(keys).await?.map(|()| checked)),
            checked => Ok(checked.map(|(checked, _)| checked)),
        }
    }

    /// Whether the server holds the secret of the newest of these keys: it reads a file, which may be encrypted.
    async fn with_secret(
        &self,
        keys: Succession<LedgerKey>,
    ) -> Result<Result<(), Refusal>, Stopped> {
        let shared = Arc::clone(&self.inner.shared);
        let found = spawn_blocking(move || shared.secrets.prepared(&keys).map(drop));
        found.await.map_err(|_| Stopped)
    }
}

/// A payload within the limits of an envelope.
fn read(payload: &str) -> Result<Payload, Refusal> {
    Envelope::new(OP_TYPE, payload).map_err(|error| malformed(&error))?;
    Payload::decode(payload)
}

/// What would become of it, and the keys of the checkpoints where it would change them.
fn check(
    head: &Sequencer,
    payload: &Payload,
    op: OpId,
    time: Instant,
) -> Result<(Checked, Option<Succession<LedgerKey>>), Refusal> {
    let keys = keys_asked(head.state(), payload, op, time)?;
    let effects = head.decide(payload, &keys, op, time)?;
    let present = head.state().ledger.as_ref();
    let ledger = effects.ledger.as_ref();
    let changed =
        ledger.filter(|ledger| present.is_some_and(|present| present.keys != ledger.keys));
    let keys = changed.map(|ledger| ledger.keys.clone());
    let checked = Checked {
        op_id: op,
        objects: effects.objects().iter().map(ToString::to_string).collect(),
        warnings: effects.warnings,
    };
    Ok((checked, keys))
}

/// The live keys of every party that must sign, and the keys that the operation brings in.
fn keys_asked(
    state: &State,
    payload: &Payload,
    op: OpId,
    time: Instant,
) -> Result<Vec<PublicKey>, Refusal> {
    let head = Head {
        state,
        time,
        origin: &payload.ledger,
        by: payload.party,
        op,
        signed: Vec::new(),
    };
    let consents = payload.act.consents(&head)?;
    let parties = consents.required.iter().chain([&payload.party]);
    let own = parties
        .filter_map(|id| state.parties.get(*id))
        .flat_map(|party| party.live_keys(time).map(|key| key.key));
    let mut keys: Vec<PublicKey> = own.chain(consents.new_keys.iter().copied()).collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}
