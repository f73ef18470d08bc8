//! The folder of a witness: made by `init` alone, used by one process at a time.
//!
//! | name | what |
//! |---|---|
//! | `witness.vkey` | name and public key; written last by `init`, so what has it is whole |
//! | `witness.key` | the private key |
//! | `logs.policy` | the logs' keys, as the `log` lines of a C2SP tlog-policy; one log may have several, in the order in which they count |
//! | `logs/<SHA-256 of the origin>` | what was last cosigned of a log |
//! | `evidence/` | what a log signed and should not have |
//! | `lock` | held by the process that uses the folder |

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::evidence::Evidence;
use super::store::Record;
use super::{Counts, Log, Witness, origin_hash};
use crate::chain::note::{KeyKind, VkeyError};
use crate::chain::{Hash, Policy, SigningKey, VerifierKey};
use crate::files::key::{self, KeyFileError};
use crate::files::{self, Lock, PLAIN};

/// Why a folder was not made, changed or opened.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is something in the folder.
    #[error("{path} is not empty: a witness is made in an empty folder", path = .0.display())]
    NotEmpty(PathBuf),
    /// No witness was made here. One that was lost must not begin anew as if it had cosigned nothing.
    #[error(
        "{path} holds no witness: restore it if there was one; `counterfoil witness init` makes a new one, with another key",
        path = .0.display()
    )]
    NotMade(PathBuf),
    /// Another process uses it.
    #[error("{path} is in use by another process", path = .0.display())]
    InUse(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path}: {why}", path = path.display())]
    Bad {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The key file is unfit.
    #[error("{0}")]
    Key(#[from] KeyFileError),
    /// The name is unfit.
    #[error("{0}")]
    Name(#[from] VkeyError),
    /// A key cannot be that of a log.
    #[error("{0}")]
    NoLog(String),
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}

/// A policy of no logs. It has a quorum line as every policy; a witness asks no other for a cosignature.
const NO_LOGS: &str =
    "# The logs that this witness cosigns: `counterfoil witness add-log`\nquorum none\n";

struct Paths<'a>(&'a Path);

impl Paths<'_> {
    fn vkey(&self) -> PathBuf {
        self.0.join("witness.vkey")
    }

    fn key(&self) -> PathBuf {
        self.0.join("witness.key")
    }

    fn policy(&self) -> PathBuf {
        self.0.join("logs.policy")
    }

    fn log(&self, origin: &str) -> PathBuf {
        self.0.join("logs").join(origin_hash(origin).to_string())
    }

    /// Takes the lock of a folder in which a witness was made, and says whose it is.
    fn lock(&self) -> Result<(Lock, VerifierKey), FolderError> {
        let vkey = vkey(self.0)?;
        let path = self.0.join("lock");
        let lock = Lock::take(&path).map_err(io_error(&path))?;
        Ok((lock.ok_or(FolderError::InUse(self.0.to_owned()))?, vkey))
    }

    /// The file of logs as it stands, and their keys.
    fn read_logs(&self) -> Result<(Vec<u8>, Vec<VerifierKey>), FolderError> {
        let path = self.policy();
        let bytes = fs::read(&path).map_err(io_error(&path))?;
        match Policy::parse(&bytes) {
            Ok(policy) => {
                let logs = policy.logs().iter();
                Ok((bytes, logs.map(|log| log.vkey.clone()).collect()))
            }
            Err(error) => Err(FolderError::Bad {
                path,
                why: error.to_string(),
            }),
        }
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    move |source| FolderError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Makes a witness of that name in an empty or absent folder: a key, no logs. When it returns, all of it is durable.
pub fn init(data: &Path, name: &str, passphrase: Option<&str>) -> Result<VerifierKey, FolderError> {
    let key = SigningKey::generate().map_err(|_| FolderError::NoRandom)?;
    let vkey = VerifierKey::of(name, KeyKind::CosignatureV1, &key)?;
    if !files::is_absent_or_empty(data).map_err(io_error(data))? {
        return Err(FolderError::NotEmpty(data.to_owned()));
    }
    let paths = Paths(data);
    for folder in [data.to_owned(), data.join("logs"), data.join("evidence")] {
        files::create_folder(&folder).map_err(io_error(&folder))?;
    }
    key::write(&paths.key(), &key, passphrase)?;
    let text = format!("{vkey}\n");
    for (path, text) in [(paths.policy(), NO_LOGS), (paths.vkey(), &text)] {
        files::create(&path, PLAIN, text.as_bytes()).map_err(io_error(&path))?;
    }
    Ok(vkey)
}

/// Name and public key of the witness in a folder.
pub fn vkey(data: &Path) -> Result<VerifierKey, FolderError> {
    let path = Paths(data).vkey();
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(FolderError::NotMade(data.to_owned()));
        }
        other => other.map_err(io_error(&path))?,
    };
    let vkey = text.trim_end().parse();
    vkey.map_err(|error: VkeyError| FolderError::Bad {
        path,
        why: error.to_string(),
    })
}

/// Adds a log, or a further key of one, and says whether it is new. What was cosigned of a log before stays what it is.
pub fn add_log(data: &Path, log: &VerifierKey) -> Result<bool, FolderError> {
    let paths = Paths(data);
    let (_lock, own) = paths.lock()?;
    let (mut bytes, keys) = paths.read_logs()?;
    if keys.contains(log) {
        return Ok(false);
    }
    // "the same public key can't be used across multiple cosigners", and a log that cosigns itself is no witness.
    if log.key() == own.key() {
        return Err(FolderError::NoLog(
            "this is the witness's own key".to_owned(),
        ));
    }
    bytes.extend(format!("log {log}\n").bytes());
    Policy::parse(&bytes).map_err(|error| FolderError::NoLog(error.problem.to_string()))?;
    // Of a log that is known already the file must be there: made anew it would say that nothing was cosigned.
    if keys.iter().all(|key| key.name() != log.name()) {
        let path = paths.log(log.name());
        // Before the line that names it: a log whose file is missing is refused at the start.
        Record::create(&path, log.name()).map_err(io_error(&path))?;
    }
    let path = paths.policy();
    files::replace(&path, PLAIN, &bytes).map_err(io_error(&path))?;
    Ok(true)
}

/// Opens the witness of a folder; `passphrase` is asked for only where its key is encrypted.
pub fn open(
    data: &Path,
    passphrase: impl FnOnce() -> Option<Zeroizing<String>>,
) -> Result<Witness, FolderError> {
    let paths = Paths(data);
    let (lock, vkey) = paths.lock()?;
    let key = key::read(&paths.key(), passphrase)?;
    if key.public_key() != *vkey.key() {
        return Err(FolderError::Bad {
            path: paths.key(),
            why: format!("it is not the key of {vkey}"),
        });
    }
    let mut keys: BTreeMap<String, Vec<VerifierKey>> = BTreeMap::new();
    for key in paths.read_logs()?.1 {
        keys.entry(key.name().to_owned()).or_default().push(key);
    }
    let open = |(origin, keys): (String, Vec<VerifierKey>)| {
        let path = paths.log(&origin);
        let known = [keys.as_slice(), std::slice::from_ref(&vkey)].concat();
        let record = Record::open(path.clone(), &origin, &known);
        let record = record.map_err(|why| FolderError::Bad { path, why })?;
        let log = Log {
            origin,
            keys,
            record,
        };
        Ok((origin_hash(&log.origin), log))
    };
    let logs = keys.into_iter().map(open);
    let logs = logs.collect::<Result<BTreeMap<Hash, Log>, FolderError>>()?;
    Ok(Witness {
        vkey,
        key,
        logs,
        evidence: Evidence::new(data.join("evidence")),
        counts: Counts::default(),
        _lock: lock,
    })
}

#[cfg(test)]
mod tests;
