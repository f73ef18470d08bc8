//! The ledger's own key: it signs checkpoints and nothing else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::chain::SigningKey;
use crate::chain::pem::{self, PemError};

/// Why the key file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds no key that can be used.
    #[error("{path}: {source}", path = path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: PemError,
    },
}

/// Where the key of the ledger in `data` lies.
pub fn path_in(data: &Path) -> PathBuf {
    data.join("ledger.key")
}

/// Writes a new key file that only its owner can read, durably; never over another.
pub fn write(path: &Path, key: &SigningKey, passphrase: Option<&str>) -> Result<(), KeyFileError> {
    let text = match passphrase {
        Some(passphrase) => pem::to_encrypted(key, passphrase),
        None => pem::to_plain(key),
    };
    let text = text.map_err(|source| KeyFileError::Pem {
        path: path.to_owned(),
        source,
    })?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    });
    written.map_err(io_error(path))
}

/// Reads a key file; `passphrase` is asked for only where it is encrypted.
pub fn read(
    path: &Path,
    passphrase: impl FnOnce() -> Option<Zeroizing<String>>,
) -> Result<SigningKey, KeyFileError> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(io_error(path))?);
    pem::read(&text, passphrase).map_err(|source| KeyFileError::Pem {
        path: path.to_owned(),
        source,
    })
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> KeyFileError {
    move |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    }
}
