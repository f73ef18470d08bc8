//! A drill ledger in a temporary directory, with real keys and signatures, for the tests of this folder.

use std::path::Path;

use tempfile::TempDir;

use crate::chain::pae::OP_TYPE;
use crate::chain::{Envelope, Hash, Line, Note, SigningKey, Verifier};
use crate::domain::operation::Operation;
use crate::domain::ops::ledger::create::KeyGrant;
use crate::domain::ops::party::admit::Admit;
use crate::domain::payload::Payload;
use crate::domain::testing::{OPERATOR, START, admission, id, shipped_rulebook, wire};
use crate::domain::values::{Instant, Name, Nonce, PublicKey, Role, Scope, UtcOffset};
use crate::store::{Head, Journal, JournalError};

use super::clock::ClockChoice;
use super::handle::Ledger;
use super::init::{InitOptions, init};
use super::intake::Decoded;
use super::open::{Config, Parts, recover};
use super::verify::Verified;

/// The key of a seed of one repeated byte.
pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

/// The operator's seed.
pub(crate) const OPERATOR_SEED: u8 = 1;

/// A ledger with its operator and nobody else, on a clock that is moved by hand.
pub(crate) struct Drill {
    pub(crate) dir: TempDir,
    pub(crate) origin: Name,
}

impl Drill {
    pub(crate) fn new() -> Drill {
        let dir = tempfile::tempdir().unwrap();
        let origin = init(&dir.path().join("data"), &options(&key(OPERATOR_SEED))).unwrap();
        Drill {
            dir,
            origin: wire(&origin),
        }
    }

    /// The same ledger in another directory.
    pub(crate) fn copy(&self) -> Drill {
        let dir = tempfile::tempdir().unwrap();
        copy_all(self.dir.path(), dir.path());
        Drill {
            dir,
            origin: self.origin.clone(),
        }
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            clock: ClockChoice::Manual,
            verify_threads: Some(2),
            ..Config::new(self.dir.path().join("data"))
        }
    }

    pub(crate) fn open(&self) -> Ledger {
        Ledger::open(self.config(), &mut |_, _| ()).unwrap()
    }

    /// Opens it after a change of its parts.
    pub(crate) fn open_with(&self, change: impl FnOnce(&mut Parts)) -> Ledger {
        let mut parts = recover(self.config(), &mut |_, _| ()).unwrap();
        change(&mut parts);
        Ledger::serve(parts).unwrap()
    }

    /// An operation of the operator, good for ten minutes, signed with the keys of these seeds too.
    pub(crate) fn signed<T: Operation>(&self, nonce: u16, body: T, also: &[u8]) -> Envelope {
        self.signed_until(nonce, start().plus_minutes(10), body, also)
    }

    pub(crate) fn signed_until<T: Operation>(
        &self,
        nonce: u16,
        not_after: Instant,
        body: T,
        also: &[u8],
    ) -> Envelope {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&nonce.to_be_bytes());
        let payload = Payload {
            ledger: self.origin.clone(),
            party: id(OPERATOR),
            nonce: Nonce(bytes),
            not_after,
            act: Box::new(body),
        };
        let mut envelope = Envelope::new(OP_TYPE, payload.encode()).unwrap();
        for seed in [&[OPERATOR_SEED], also].concat() {
            envelope.sign(&key(seed)).unwrap();
        }
        envelope
    }

    /// The admission of the authority of this number, whose key has the seed 100 + number.
    pub(crate) fn admission(&self, number: u8) -> Vec<u8> {
        let body = authority(number);
        self.signed(u16::from(number), body, &[100 + number])
            .encode()
    }

    /// The whole ledger as an export has it.
    pub(crate) fn export(&self) -> Vec<u8> {
        std::fs::read(
            self.dir
                .path()
                .join("data/entries/00000000000000000000.jsonl"),
        )
        .unwrap()
    }
}

/// When every drill begins.
pub(crate) fn start() -> Instant {
    wire(START)
}

pub(crate) fn options(operator_key: &SigningKey) -> InitOptions<'_> {
    InitOptions {
        origin_base: "test".to_owned(),
        drill: true,
        operator: id(OPERATOR),
        operator_name: wire("Operator"),
        operator_key,
        key_label: wire("first"),
        person: wire("Zhang San"),
        rulebook: shipped_rulebook(),
        utc_offset: UtcOffset::CHINA,
        time: Some(start()),
        passphrase: None,
    }
}

/// The admission of an authority, which needs no voucher.
pub(crate) fn authority(number: u8) -> Admit {
    let name = format!("x:authority-{number}");
    let body = admission(&name, &[Role::Authority], &[Scope::Audit], None, None);
    let new_key = PublicKey(*key(100 + number).public_key().as_bytes());
    Admit {
        key: KeyGrant {
            key: new_key,
            ..body.key
        },
        ..body
    }
}

/// An envelope whose signatures have been checked.
pub(crate) fn verified(envelope: Envelope) -> Verified {
    Verified::check(Decoded::of(envelope).unwrap(), &Verifier::new()).unwrap()
}

fn copy_all(from: &Path, to: &Path) {
    for item in std::fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.path().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_all(&item.path(), &target);
        } else {
            std::fs::copy(item.path(), target).unwrap();
        }
    }
}

/// What a journal under test does beside its work: sees each append, holds it up, or breaks it.
pub(crate) trait Hook: Send {
    /// Before lines are persisted; an error keeps them from it.
    fn before(&mut self, _lines: &[Line]) -> Result<(), JournalError> {
        Ok(())
    }
    /// After they are.
    fn after(&mut self) -> Result<(), JournalError> {
        Ok(())
    }
}

/// A journal with a hook.
pub(crate) struct Hooked<H> {
    pub(crate) inner: Box<dyn Journal>,
    pub(crate) hook: H,
}

impl<H: Hook> Journal for Hooked<H> {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn last(&self) -> Hash {
        self.inner.last()
    }

    fn append(&mut self, expected_size: u64, lines: &[Line]) -> Result<(), JournalError> {
        self.hook.before(lines)?;
        self.inner.append(expected_size, lines)?;
        self.hook.after()
    }

    fn head(&self) -> Option<&Head> {
        self.inner.head()
    }

    fn publish_head(&mut self, note: Note, now_ms: u64) -> Result<(), JournalError> {
        self.inner.publish_head(note, now_ms)
    }

    fn flush_head(&mut self) -> Result<(), JournalError> {
        self.inner.flush_head()
    }
}

/// Puts a hook on the journal that a ledger is opened with.
pub(crate) fn hook<H: Hook + 'static>(parts: &mut Parts, hook: H) {
    let nothing: Box<dyn Journal> = Box::new(NoJournal);
    let inner = std::mem::replace(&mut parts.journal, nothing);
    parts.journal = Box::new(Hooked { inner, hook });
}

/// Stands in while the journal is moved.
struct NoJournal;

impl Journal for NoJournal {
    fn size(&self) -> u64 {
        0
    }
    fn last(&self) -> Hash {
        Hash::ZERO
    }
    fn append(&mut self, _: u64, _: &[Line]) -> Result<(), JournalError> {
        Err(JournalError::Stopped)
    }
    fn head(&self) -> Option<&Head> {
        None
    }
    fn publish_head(&mut self, _: Note, _: u64) -> Result<(), JournalError> {
        Err(JournalError::Stopped)
    }
    fn flush_head(&mut self) -> Result<(), JournalError> {
        Err(JournalError::Stopped)
    }
}
