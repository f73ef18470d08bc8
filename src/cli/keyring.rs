//! Key files in a folder: `<name>.pem` holds the private key, `<name>.pub` the public one in hex, so that a list
//! needs no passphrase.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::Failure;
use super::passphrase::Passphrase;
use crate::chain::{PublicKey, SigningKey, pem};
use crate::domain::values::PartyId;
use crate::files::{self, PLAIN, SECRET};

/// Where keys are, and where a passphrase comes from.
#[derive(Debug, Clone, Args)]
pub(crate) struct Keyring {
    /// The folder of key files
    #[arg(
        long,
        value_name = "DIR",
        env = "COUNTERFOIL_KEYS",
        default_value = "keys"
    )]
    pub(crate) keys: PathBuf,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
    /// The seeds of keys that are open already: a session and a signature ask for a passphrase once.
    #[arg(skip)]
    open: RefCell<BTreeMap<String, Zeroizing<[u8; 32]>>>,
}

impl Keyring {
    /// The keys of a folder.
    pub(crate) fn of(keys: PathBuf) -> Keyring {
        Keyring {
            keys,
            passphrase: Passphrase::default(),
            open: RefCell::default(),
        }
    }

    /// The key of that name.
    pub(crate) fn load(&self, name: &str) -> Result<SigningKey, Failure> {
        if let Some(seed) = self.open.borrow().get(name) {
            return Ok(SigningKey::from_seed(seed));
        }
        let path = self.path(name, "pem")?;
        if !path.exists() {
            return Err(self.no_key(name));
        }
        let text = fs::read_to_string(&path).map_err(|error| Failure::of(path.display(), error))?;
        let text = Zeroizing::new(text);
        let key = pem::read(&text, || {
            self.passphrase.ask(&format!("Passphrase of {name}: "))
        });
        let key = key.map_err(|error| Failure::of(path.display(), error))?;
        self.open.borrow_mut().insert(name.to_owned(), key.seed());
        Ok(key)
    }

    /// Keeps a new key under a name that is free.
    pub(crate) fn save(
        &self,
        name: &str,
        key: &SigningKey,
        passphrase: Option<&str>,
    ) -> Result<(), Failure> {
        let text = match passphrase {
            Some(passphrase) => pem::to_encrypted(key, passphrase),
            None => pem::to_plain(key),
        };
        let text = text.map_err(|error| Failure::of("the key", error))?;
        fs::create_dir_all(&self.keys).map_err(|error| Failure::of(self.keys.display(), error))?;
        create(&self.path(name, "pem")?, SECRET, text.as_bytes())?;
        create(
            &self.path(name, "pub")?,
            PLAIN,
            format!("{}\n", key.public_key()).as_bytes(),
        )
    }

    /// Remembers which party a key acts for, so that nobody has to type its identifier.
    pub(crate) fn assign(&self, name: &str, party: PartyId) -> Result<(), Failure> {
        create(
            &self.path(name, "party")?,
            PLAIN,
            format!("{party}\n").as_bytes(),
        )
    }

    /// The party that a key acts for.
    pub(crate) fn party_of(&self, name: &str) -> Result<PartyId, Failure> {
        if !self.has(name)? {
            return Err(self.no_key(name));
        }
        let path = self.path(name, "party")?;
        let text = fs::read_to_string(&path).map_err(|_| {
            Failure::Usage(format!(
                "the folder does not say which party the key {name} acts for: name it with --party"
            ))
        })?;
        text.trim_end()
            .parse()
            .map_err(|error| Failure::of(path.display(), error))
    }

    /// There is no such key; which there are.
    fn no_key(&self, name: &str) -> Failure {
        let names: Vec<String> = self
            .list()
            .unwrap_or_default()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let there = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        Failure::Usage(format!(
            "no key {name} in {}; there: {there} (--keys or COUNTERFOIL_KEYS names the folder)",
            self.keys.display()
        ))
    }

    /// Every key by name, with its public half.
    pub(crate) fn list(&self) -> Result<Vec<(String, PublicKey)>, Failure> {
        let entries =
            fs::read_dir(&self.keys).map_err(|error| Failure::of(self.keys.display(), error))?;
        let mut keys = Vec::new();
        for entry in entries {
            let path = entry
                .map_err(|error| Failure::of(self.keys.display(), error))?
                .path();
            if path.extension().is_some_and(|extension| extension == "pub") {
                keys.push((stem(&path), read_public(&path)?));
            }
        }
        keys.sort();
        Ok(keys)
    }

    /// Whether there is a key of that name.
    pub(crate) fn has(&self, name: &str) -> Result<bool, Failure> {
        Ok(self.path(name, "pem")?.exists())
    }

    /// A file of that name in the folder. A name is one word, so that it cannot lead elsewhere.
    fn path(&self, name: &str, extension: &str) -> Result<PathBuf, Failure> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(Failure::Usage(format!(
                "a key's name is of letters, digits, - and _: {name:?}"
            )));
        }
        Ok(self.keys.join(format!("{name}.{extension}")))
    }
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read_public(path: &Path) -> Result<PublicKey, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::of(path.display(), error))?;
    text.trim_end()
        .parse()
        .map_err(|error| Failure::of(path.display(), error))
}

/// Writes a file that must not exist yet: a key is never overwritten.
fn create(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), Failure> {
    files::create(path, mode, bytes).map_err(|error| Failure::of(path.display(), error))
}
