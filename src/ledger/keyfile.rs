//! The files of the ledger's own key, which signs checkpoints and nothing else: `ledger.key`, and beside it, while a change of key
//! is under way, `ledger.key.next`.
//!
//! The next key takes the place of the present one by a rename, so there is no instant without a key; the old one is gone with it.
//! Nothing is signed with it any more, and whoever found it could sign another history for those who still believe it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::chain::SigningKey;
use crate::files;

pub use crate::files::key::{KeyFileError, read, write};

/// Where the key of the ledger in `data` lies.
pub fn path_in(data: &Path) -> PathBuf {
    data.join("ledger.key")
}

/// Where the key lies that is to sign after a `ledger.rekey`.
pub fn next_in(data: &Path) -> PathBuf {
    data.join("ledger.key.next")
}

/// The key files of a data directory, and what opens those that are encrypted.
#[derive(Debug)]
pub struct KeyFiles {
    data: PathBuf,
    passphrase: Option<Zeroizing<String>>,
}

impl KeyFiles {
    /// Those in `data`.
    pub fn new(data: &Path, passphrase: Option<Zeroizing<String>>) -> KeyFiles {
        KeyFiles {
            data: data.to_owned(),
            passphrase,
        }
    }

    /// The key that signs. Whoever holds it lets it go once it has given way.
    pub fn present(&self) -> Result<Arc<SigningKey>, KeyFileError> {
        let key = read(&path_in(&self.data), || self.passphrase.clone())?;
        Ok(Arc::new(key))
    }

    /// The key that is to sign next.
    pub fn next(&self) -> Result<Arc<SigningKey>, KeyFileError> {
        let key = read(&next_in(&self.data), || self.passphrase.clone())?;
        Ok(Arc::new(key))
    }

    /// The same; nothing where it is not there.
    pub fn next_if_there(&self) -> Result<Option<Arc<SigningKey>>, KeyFileError> {
        match self.next() {
            Err(KeyFileError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Ok(None)
            }
            next => next.map(Some),
        }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Puts the next key in the place of the present one; durable when this returns.
    pub fn promote(&self) -> Result<(), KeyFileError> {
        let path = next_in(&self.data);
        files::rename(&path, &path_in(&self.data))
            .map_err(|source| KeyFileError::Io { path, source })
    }
}
