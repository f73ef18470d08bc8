//! Making a ledger: its name, its key, entry 0.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::chain::checkpoint::is_drill;
use crate::chain::note::KeyKind;
use crate::chain::pae::OP_TYPE;
use crate::chain::{Envelope, EnvelopeError, SigningKey, Tree, Verifier, VerifierKey};
use crate::domain::Refusal;
use crate::domain::ops::ledger::create::{Create, ENGINE, KeyGrant};
use crate::domain::payload::Payload;
use crate::domain::rulebook::Rulebook;
use crate::domain::values::{Instant, Label, Name, Nonce, PartyId, Power, PublicKey, UtcOffset};
use crate::files::is_absent_or_empty;
use crate::store::{Layout, OpenError, SegmentJournal};

use super::committer::{CommitError, Committer};
use super::intake::Decoded;
use super::keyfile::{self, KeyFileError, KeyFiles};

use super::secrets::Secrets;
use super::sequencer::{Outcome, Sequencer};
use super::verify::Verified;

/// What a new ledger is.
pub struct InitOptions<'a> {
    /// What its name begins with, such as `ledger.example/receivables`; a drill's is put behind `drill.`, and a `/` and 16 random hex
    /// digits follow.
    pub origin_base: String,
    /// Whether it is for trying things out.
    pub drill: bool,
    /// The party that operates it.
    pub operator: PartyId,
    /// Its legal name.
    pub operator_name: Name,
    /// The operator's first key, which gets the powers `admin` and `maker`.
    pub operator_key: &'a SigningKey,
    /// What the operator calls that key.
    pub key_label: Label,
    /// The person who holds it.
    pub person: Label,
    /// The first rulebook.
    pub rulebook: Rulebook,
    /// Where legal days begin and end.
    pub utc_offset: UtcOffset,
    /// The time of entry 0 of a drill; `None` takes the machine's clock, as every other ledger does.
    pub time: Option<Instant>,
    /// Encrypts the ledger's key file.
    pub passphrase: Option<Zeroizing<String>>,
}

/// Why no ledger was made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is something in the directory.
    #[error("{path} is not empty: a ledger is made in an empty directory", path = path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The directory cannot be made or read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    NoRandom(getrandom::Error),
    /// The name cannot be a ledger's.
    #[error("`{origin}` is not fit to be a ledger's name: {reason}")]
    Origin {
        /// The whole name.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Only a drill begins at a time of one's choice.
    #[error("only a drill begins at a time of one's choice")]
    TimeOfNoDrill,
    /// The rulebook or the operator is not fit for entry 0.
    #[error("entry 0 is refused: {0}")]
    Refused(Refusal),
    /// Entry 0 is too large.
    #[error("entry 0: {0}")]
    Envelope(#[from] EnvelopeError),
    /// The key file was not written.
    #[error("{0}")]
    KeyFile(#[from] KeyFileError),
    /// The store was not made.
    #[error("{0}")]
    Store(#[from] OpenError),
    /// Entry 0 was not persisted.
    #[error("{0}")]
    Commit(#[from] CommitError),
}

/// Makes a ledger in an empty or absent directory and returns its name. When it returns, all of it is durable.
pub fn init(data: &Path, options: &InitOptions<'_>) -> Result<String, InitError> {
    if options.time.is_some() && !options.drill {
        return Err(InitError::TimeOfNoDrill);
    }
    let origin = origin(options)?;
    let key = SigningKey::generate().map_err(InitError::NoRandom)?;
    let vkey = VerifierKey::new(origin.as_str(), KeyKind::Ed25519, key.public_key());
    let vkey = vkey.map_err(|error| unfit(origin.as_str(), &error))?;
    let time = options.time.unwrap_or_else(wall_clock);
    let created = entry_0(options, &origin, &vkey, time)?;
    check_empty(data)?;
    let journal = SegmentJournal::create(Layout::new(data))?;
    let passphrase = options.passphrase.as_ref().map(|text| text.as_str());
    keyfile::write(&keyfile::path_in(data), &key, passphrase)?;
    let mut committer = Committer::new(
        Box::new(journal),
        Tree::new(),
        origin.as_str().to_owned(),
        Arc::new(Secrets::new(KeyFiles::new(data, None), key)),
    );
    committer.commit(&[created], 0)?;
    committer.flush()?;
    Ok(origin.as_str().to_owned())
}

/// "`init` ends the origin with `/` and 16 random hex digits, so two ledgers never share one."
fn origin(options: &InitOptions<'_>) -> Result<Name, InitError> {
    let prefix = if options.drill { "drill." } else { "" };
    let base = &options.origin_base;
    let origin = format!("{prefix}{base}/{}", hex::encode(random::<8>()?));
    // What begins `drill.` is a drill, so nothing else may.
    if !options.drill && is_drill(base) {
        return Err(unfit(&origin, &"only a drill's name begins with `drill.`"));
    }
    Name::new(&origin).map_err(|error| unfit(&origin, &error))
}

fn unfit(origin: &str, reason: &dyn std::fmt::Display) -> InitError {
    InitError::Origin {
        origin: origin.to_owned(),
        reason: reason.to_string(),
    }
}

/// The line of `ledger.create`, judged like every other operation.
fn entry_0(
    options: &InitOptions<'_>,
    origin: &Name,
    vkey: &VerifierKey,
    time: Instant,
) -> Result<crate::chain::Line, InitError> {
    let payload = Payload {
        ledger: origin.clone(),
        party: options.operator,
        nonce: Nonce(random()?),
        not_after: whole_seconds(time).plus_minutes(10),
        act: Box::new(create(options, origin, vkey)?),
    };
    let mut envelope = Envelope::new(OP_TYPE, payload.encode())?;
    envelope.sign(options.operator_key)?;
    let decoded = Decoded::of(envelope).map_err(InitError::Refused)?;
    let verified = Verified::check(decoded, &Verifier::new()).map_err(InitError::Refused)?;
    match Sequencer::new().step(&verified, Ok(time)) {
        Outcome::Entered(entered) => Ok(entered.line),
        Outcome::Expired(refusal) | Outcome::Refused(refusal) | Outcome::Closed(refusal) => {
            Err(InitError::Refused(refusal))
        }
        Outcome::Repeat { .. } => Err(InitError::Refused(Refusal::new(
            "ledger.exists",
            "the ledger has its entry 0 already",
        ))),
    }
}

fn create(
    options: &InitOptions<'_>,
    origin: &Name,
    vkey: &VerifierKey,
) -> Result<Create, InitError> {
    let vkey = vkey.to_string();
    Ok(Create {
        origin: origin.clone(),
        operator: options.operator_name.clone(),
        keys: vec![KeyGrant {
            key: PublicKey(*options.operator_key.public_key().as_bytes()),
            label: options.key_label.clone(),
            person: options.person.clone(),
            powers: vec![Power::Admin, Power::Maker],
        }],
        vkey: Name::new(&vkey).map_err(|error| unfit(origin.as_str(), &error))?,
        rulebook: options.rulebook.clone(),
        utc_offset: options.utc_offset,
        engine: ENGINE,
    })
}

/// An instant in a payload has whole seconds.
fn whole_seconds(time: Instant) -> Instant {
    Instant::from_millis(time.millis() / 1_000 * 1_000)
}

fn wall_clock() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Instant::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

fn random<const N: usize>() -> Result<[u8; N], InitError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(InitError::NoRandom)?;
    Ok(bytes)
}

/// "Refuses a non-empty directory": whatever lies there is not ours to write beside. One that is absent the store makes, durably.
fn check_empty(data: &Path) -> Result<(), InitError> {
    let path = data.to_owned();
    match is_absent_or_empty(data) {
        Ok(true) => Ok(()),
        Ok(false) => Err(InitError::NotEmpty { path }),
        Err(source) => Err(InitError::Io { path, source }),
    }
}
