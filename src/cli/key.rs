//! `counterfoil key`: make, list, import and export signing keys.

use std::fs;
use std::path::PathBuf;

use clap::Subcommand;
use zeroize::Zeroizing;

use super::keyring::Keyring;
use super::{Failure, output};
use crate::chain::{SigningKey, pem};
use crate::domain::values::PartyId;

/// Keys are PKCS#8 files, encrypted by a passphrase, that `openssl pkey` reads.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: counterfoil key new treasurer --keys ~/keys")]
pub(crate) struct Args {
    #[command(flatten)]
    keyring: Keyring,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a new key
    New {
        /// What the key is called here
        name: String,
        /// Do not encrypt the file (for drills)
        #[arg(long)]
        plain: bool,
        /// The party that the key will act for
        #[arg(long, value_name = "ID")]
        party: Option<PartyId>,
    },
    /// List the keys with their public halves
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Take in a PKCS#8 file made elsewhere
    Import {
        /// What the key is to be called here
        name: String,
        /// The PEM file
        file: PathBuf,
        /// Do not encrypt the file (for drills)
        #[arg(long)]
        plain: bool,
    },
    /// Print a key as an encrypted PKCS#8 file
    Export {
        /// What the key is called here
        name: String,
    },
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let ring = &args.keyring;
    match &args.verb {
        Verb::New { name, plain, party } => {
            let key =
                SigningKey::generate().map_err(|error| Failure::of("random numbers", error))?;
            keep(ring, name, &key, *plain)?;
            party.map_or(Ok(()), |party| ring.assign(name, party))
        }
        Verb::Import { name, file, plain } => {
            let text =
                fs::read_to_string(file).map_err(|error| Failure::of(file.display(), error))?;
            let text = Zeroizing::new(text);
            let key = pem::read(&text, || ring.passphrase("Passphrase of the file: "));
            keep(
                ring,
                name,
                &key.map_err(|error| Failure::of(file.display(), error))?,
                *plain,
            )
        }
        Verb::List { json } => {
            let rows = ring
                .list()?
                .into_iter()
                .map(|(name, key)| vec![name, key.to_string()]);
            output::table(&["name", "key"], rows.collect(), *json);
            Ok(())
        }
        Verb::Export { name } => {
            let key = ring.load(name)?;
            let passphrase = ring.new_passphrase()?;
            let text = pem::to_encrypted(&key, &passphrase)
                .map_err(|error| Failure::of("the key", error))?;
            output::text(&text);
            Ok(())
        }
    }
}

fn keep(ring: &Keyring, name: &str, key: &SigningKey, plain: bool) -> Result<(), Failure> {
    let passphrase = if plain {
        None
    } else {
        Some(ring.new_passphrase()?)
    };
    ring.save(name, key, passphrase.as_ref().map(|text| text.as_str()))?;
    output::text(&format!("{}\n", key.public_key()));
    Ok(())
}
