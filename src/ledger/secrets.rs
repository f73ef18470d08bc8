//! The secrets that sign checkpoints, and the change from one to the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chain::note::VkeyError;
use crate::chain::{Checkpoint, Note, SigningKey};
use crate::domain::Refusal;
use crate::domain::objects::LedgerKey;
use crate::domain::operation::Operation as _;
use crate::domain::ops::ledger::rekey::Rekey;
use crate::domain::values::{Instant, Succession};
use crate::store::{Checkpoints, Layout};

use super::keyfile::{KeyFileError, KeyFiles};
use super::pipeline::Shared;
use super::status::Stopped;
use super::verify::Verified;

/// The keys that are at hand, each from the size on from which it counts. Whoever sequences adds the next one before its entry is
/// durable; whoever commits signs, and lets the old one go.
#[derive(Debug)]
pub(super) struct Secrets {
    files: KeyFiles,
    held: Mutex<Succession<Arc<SigningKey>>>,
}

/// Why the key files do not do.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// One cannot be used.
    #[error("{0}")]
    File(#[from] KeyFileError),
    /// None of them is the key that counts.
    #[error(
        "neither ledger.key nor ledger.key.next holds the secret of {vkey}, which must sign: put it back"
    )]
    Missing {
        /// Whose secret it is.
        vkey: String,
    },
}

impl Secrets {
    /// The secret of a ledger that has not changed its key.
    pub(super) fn new(files: KeyFiles) -> Secrets {
        let held = Mutex::new(Succession::new(Arc::clone(files.present())));
        Secrets { files, held }
    }

    /// The secrets that go on behind a head over `before` of `size` entries: that of the key which counts now and, where no checkpoint
    /// carries it yet, those of the keys before it. A rename that a crash forestalled is done now.
    pub(super) fn open(
        files: KeyFiles,
        keys: &Succession<LedgerKey>,
        (before, size): (u64, u64),
    ) -> Result<Secrets, SecretsError> {
        let needed: Vec<(u64, &LedgerKey)> = keys.between(before, size).collect();
        let present = files.present();
        // A key that is merely prepared is of no concern.
        let next = match needed.iter().all(|(_, key)| is_of(present, key)) {
            true => None,
            false => files.next_if_there()?,
        };
        let secret = |(from, key): &(u64, &LedgerKey)| {
            let mut at_hand = [Some(present), next.as_ref()].into_iter().flatten();
            let found = at_hand.find(|secret| is_of(secret, key));
            let missing = || SecretsError::Missing {
                vkey: key.vkey.as_str().to_owned(),
            };
            Ok((*from, Arc::clone(found.ok_or_else(missing)?)))
        };
        let held: Vec<_> = needed
            .iter()
            .map(secret)
            .collect::<Result<_, SecretsError>>()?;
        let is_over = held.iter().all(|(_, secret)| !Arc::ptr_eq(secret, present));
        let held = Succession::of(held).unwrap_or_else(|| Succession::new(Arc::clone(present)));
        if is_over {
            files.promote()?;
        }
        let held = Mutex::new(held);
        Ok(Secrets { files, held })
    }

    /// The secret that a `ledger.rekey` to this key takes: a ledger that could not sign its next checkpoint would stand still.
    pub(super) fn prepared(&self, key: &LedgerKey) -> Result<Arc<SigningKey>, Refusal> {
        let refused = |found: String| {
            Refusal::new(
                "ledger.secret",
                "the server does not hold the secret of the new key",
            )
            .input("new_vkey", key.vkey.as_str())
            .input("found", found)
            .remedy("`counterfoil rekey --data DIR`, where the ledger lies, prepares a key and prints its vkey")
        };
        let next = self.files.next();
        let next = next.map_err(|error| refused(error.in_the_folder()))?;
        match is_of(&next, key) {
            true => Ok(next),
            false => Err(refused("ledger.key.next is another key".to_owned())),
        }
    }

    /// From checkpoints over `from` entries on, this one counts.
    pub(super) fn push(&self, from: u64, key: Arc<SigningKey>) {
        self.held().push(from, key);
    }

    /// Signs a checkpoint where the one before had `before` entries, and says whether it is the first behind a change of key.
    pub(super) fn sign(
        &self,
        checkpoint: &Checkpoint,
        before: u64,
    ) -> Result<(Note, bool), VkeyError> {
        let held = self.held();
        let signers = held.between(before, checkpoint.size);
        let mut signers: Vec<&SigningKey> = signers.map(|(_, key)| &**key).collect();
        // The key that counts from now on comes first.
        signers.reverse();
        Ok((checkpoint.sign(&signers)?, signers.len() > 1))
    }

    /// Keeps a checkpoint under the old key and the new for good; durable when this returns.
    pub(super) fn keep(&self, checkpoint: &Checkpoint, note: &Note) -> std::io::Result<()> {
        let kept = Checkpoints::open(&Layout::new(self.files.data()).rekeyed())?;
        kept.keep(checkpoint.size, note)
    }

    /// Once such a checkpoint, over `size` entries, is the head, durable: the new key takes the place of the old one, on the disk and
    /// here.
    pub(super) fn settle(&self, size: u64) -> Result<(), KeyFileError> {
        let mut held = self.held();
        self.files.promote()?;
        let left = held.between(size, u64::MAX);
        let left = Succession::of(left.map(|(from, key)| (from, Arc::clone(key))));
        *held = left.unwrap_or_else(|| held.clone());
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Succession<Arc<SigningKey>>> {
        // It is changed in single steps: a panic elsewhere leaves it whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_of(secret: &SigningKey, key: &LedgerKey) -> bool {
    secret.public_key().as_bytes() == key.key.as_bytes()
}

impl Shared {
    /// The secret that an operation takes which would be entered now: of a `ledger.rekey` alone. It is looked for by the thread that
    /// sequences, so nothing is entered between this and that.
    pub(super) fn secret_for(
        &self,
        verified: &Verified,
        clock: &Result<Instant, Refusal>,
    ) -> Result<Result<Option<Arc<SigningKey>>, Refusal>, Stopped> {
        let Verified {
            op, payload, keys, ..
        } = verified;
        let (Rekey::NAME, Ok(clock)) = (payload.act.name(), clock) else {
            return Ok(Ok(None));
        };
        let key = self.at_head(|head| {
            let decided = head.decide(payload, keys, *op, head.time_at(*clock));
            // What is refused, or is an entry already, is answered without it.
            decided.ok().filter(|_| head.recall(op).is_none())?.ledger
        })?;
        let key = key.map(|ledger| ledger.keys.newest().clone());
        Ok(key.map(|key| self.secrets.prepared(&key)).transpose())
    }
}
