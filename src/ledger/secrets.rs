//! The secrets that sign checkpoints, and the change from one to the next.

use std::path::PathBuf;
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
    /// The next key cannot take the place of one that it does not follow.
    #[error(
        "ledger.key is no key that this ledger had, and ledger.key.next is the one that must sign: keep the former elsewhere and give the latter its name"
    )]
    Foreign,
    /// The next key is not the one that signs.
    #[error("ledger.key.next is no longer the key that signs from now on: put that back")]
    Exchanged,
}

impl Secrets {
    /// The secret of a ledger that has not changed its key.
    pub(super) fn new(files: KeyFiles, present: SigningKey) -> Secrets {
        let held = Mutex::new(Succession::new(Arc::new(present)));
        Secrets { files, held }
    }

    /// The secrets that go on behind a head over `before` of `size` entries: that of the key which counts now and, where no checkpoint
    /// carries it yet, those of the keys before it. A rename that a crash forestalled is done now.
    pub(super) fn open(
        files: KeyFiles,
        present: Arc<SigningKey>,
        keys: &Succession<LedgerKey>,
        (before, size): (u64, u64),
    ) -> Result<Secrets, SecretsError> {
        let needed: Vec<(u64, &LedgerKey)> = keys.between(before, size).collect();
        let present = &present;
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
            let mut had = keys.between(0, size);
            had.any(|(_, key)| is_of(present, key))
                .then_some(())
                .ok_or(SecretsError::Foreign)?;
            files.promote()?;
        }
        let held = Mutex::new(held);
        Ok(Secrets { files, held })
    }

    /// The secret that a `ledger.rekey` takes to the newest of these keys: a ledger that could not sign its next checkpoint, or not keep
    /// it, would stand still.
    pub(super) fn prepared(
        &self,
        keys: &Succession<LedgerKey>,
    ) -> Result<Arc<SigningKey>, Refusal> {
        let (from, key) = (keys.since(u64::MAX), keys.newest());
        let refused = |found: String| {
            Refusal::new(
                "ledger.secret",
                "the server is not ready to sign by the new key",
            )
            .input("new_vkey", key.vkey.as_str())
            .input("found", found)
            .remedy("`counterfoil rekey --data DIR`, where the ledger lies, prepares a key and prints its vkey")
        };
        // There is one file for the next key.
        if self.held().iter().count() > 1 {
            return Err(refused("another change is under way".to_owned()));
        }
        self.has_room(from).map_err(refused)?;
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
    pub(super) fn keep(&self, note: &Note) -> std::io::Result<()> {
        Checkpoints::open(&self.rekeyed())?.keep_each(note)
    }

    /// Whether a checkpoint of `from` entries can be kept; if not, why.
    fn has_room(&self, from: u64) -> Result<(), String> {
        let newest = Checkpoints::newest_in(&self.rekeyed(), u64::MAX);
        match newest.map_err(|error| format!("the file `rekeyed`: {error}"))? {
            Some((size, _)) if size >= from => Err(format!(
                "the file `rekeyed` has a checkpoint of {size} entries, more than there are; move the file away to begin anew"
            )),
            _ => Ok(()),
        }
    }

    fn rekeyed(&self) -> PathBuf {
        Layout::new(self.files.data()).rekeyed()
    }

    /// Once such a checkpoint, over `size` entries, is the head, durable: the new key takes the place of the old one, on the disk and
    /// here.
    pub(super) fn settle(&self, size: u64) -> Result<(), SecretsError> {
        // No other change comes while this one is under way: see `prepared`.
        let newest = self.held().newest().public_key();
        if self.files.next()?.public_key() != newest {
            return Err(SecretsError::Exchanged);
        }
        self.files.promote()?;
        let mut held = self.held();
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
        let secret = key.map(|ledger| self.secrets.prepared(&ledger.keys));
        Ok(secret.transpose())
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::chain::Hash;
    use crate::chain::note::KeyKind;
    use crate::chain::{PublicKey, VerifierKey};
    use crate::domain::testing::wire;
    use crate::ledger::keyfile::{self, next_in, path_in};
    use crate::ledger::testing::key;

    const ORIGIN: &str = "test.example";

    fn named(seed: u8) -> LedgerKey {
        let vkey = VerifierKey::of(ORIGIN, KeyKind::Ed25519, &key(seed)).unwrap();
        LedgerKey {
            vkey: wire(&vkey.to_string()),
            key: crate::domain::values::PublicKey(*vkey.key().as_bytes()),
        }
    }

    /// Key 1 gives way to key 2 from 5 entries on, of which none is signed; the file of the next key holds that of `next`.
    fn under_way(next: u8) -> (TempDir, Secrets) {
        let dir = tempfile::tempdir().unwrap();
        keyfile::write(&path_in(dir.path()), &key(1), None).unwrap();
        keyfile::write(&next_in(dir.path()), &key(next), None).unwrap();
        let secrets = Secrets::new(KeyFiles::new(dir.path(), None), key(1));
        secrets.push(5, Arc::new(key(2)));
        (dir, secrets)
    }

    fn present(dir: &TempDir) -> PublicKey {
        let key = keyfile::read(&path_in(dir.path()), || None).unwrap();
        key.public_key()
    }

    #[test]
    fn the_old_secret_is_let_go() {
        let (dir, secrets) = under_way(2);
        let old = Arc::downgrade(secrets.held().at(0));
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: 5,
            root: Hash::ZERO,
        };
        assert!(secrets.sign(&checkpoint, 4).unwrap().1);
        assert!(old.upgrade().is_some());
        secrets.settle(5).unwrap();
        assert!(old.upgrade().is_none());
        assert_eq!(present(&dir), key(2).public_key());
        assert!(!secrets.sign(&checkpoint, 5).unwrap().1);
    }

    #[test]
    fn a_start_holds_no_key_that_has_given_way() {
        let (dir, _) = under_way(2);
        let files = KeyFiles::new(dir.path(), None);
        let old = files.present().unwrap();
        let mut keys = Succession::new(named(1));
        keys.push(5, named(2));
        let secrets = Secrets::open(files, Arc::clone(&old), &keys, (5, 6)).unwrap();
        assert_eq!(Arc::strong_count(&old), 1);
        assert_eq!(present(&dir), key(2).public_key());
        drop(secrets);
    }

    #[test]
    fn another_key_in_the_file_does_not_take_the_place() {
        let (dir, secrets) = under_way(3);
        let settled = secrets.settle(5);
        assert!(matches!(settled, Err(SecretsError::Exchanged)));
        assert_eq!(present(&dir), key(1).public_key());
        assert!(next_in(dir.path()).exists());
    }

    #[test]
    fn a_change_waits_for_the_one_before() {
        let (dir, secrets) = under_way(3);
        let mut keys = Succession::new(named(1));
        keys.push(5, named(2));
        keys.push(6, named(3));
        assert_eq!(secrets.prepared(&keys).unwrap_err().rule, "ledger.secret");
        std::fs::remove_file(next_in(dir.path())).unwrap();
        keyfile::write(&next_in(dir.path()), &key(2), None).unwrap();
        secrets.settle(5).unwrap();
        keyfile::write(&next_in(dir.path()), &key(3), None).unwrap();
        assert!(secrets.prepared(&keys).is_ok());
    }
}
