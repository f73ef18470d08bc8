//! The file of a private key that a server signs with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{SECRET, create};
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

impl KeyFileError {
    /// The same without the way to the folder, for somebody elsewhere.
    pub fn in_the_folder(&self) -> String {
        let (KeyFileError::Io { path, .. } | KeyFileError::Pem { path, .. }) = self;
        let why = match self {
            KeyFileError::Io { source, .. } => source.to_string(),
            KeyFileError::Pem { source, .. } => source.to_string(),
        };
        let name = path.file_name().unwrap_or_default();
        format!("{}: {why}", name.to_string_lossy())
    }
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
    create(path, SECRET, text.as_bytes()).map_err(io_error(path))
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
