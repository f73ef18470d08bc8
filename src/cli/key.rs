//! `counterfoil key new|list|import|export`: signing keys on this machine. What a ledger knows of keys is the
//! operations' business.

use std::fs;
use std::path::PathBuf;

use clap::{ArgMatches, Args, Command};
use zeroize::Zeroizing;

use super::keyring::Keyring;
use super::objects::{of, verb};
use super::{Failure, output};
use crate::chain::{SigningKey, pem};
use crate::domain::values::PartyId;

/// A new key.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: counterfoil key new treasurer --party uscc:91110108MA01K7C535\n\
    It prints the public key. The file is PKCS#8, encrypted by a passphrase; `openssl pkey` reads it."
)]
struct New {
    /// What the key is called here
    name: String,
    /// Do not encrypt the file (for drills)
    #[arg(long)]
    plain: bool,
    /// The party that the key will act for
    #[arg(long, value_name = "ID")]
    party: Option<PartyId>,
    #[command(flatten)]
    keyring: Keyring,
}

/// The keys that are there.
#[derive(Debug, Args)]
#[command(after_help = "Example: counterfoil key list --keys data/story/keys")]
struct List {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keyring: Keyring,
}

/// A key of another program.
#[derive(Debug, Args)]
#[command(after_help = "Example: counterfoil key import treasurer treasurer.pem")]
struct Import {
    /// What the key is to be called here
    name: String,
    /// The PEM file
    file: PathBuf,
    /// Do not encrypt the file (for drills)
    #[arg(long)]
    plain: bool,
    /// The party that the key acts for
    #[arg(long, value_name = "ID")]
    party: Option<PartyId>,
    #[command(flatten)]
    keyring: Keyring,
}

/// A key for another program.
#[derive(Debug, Args)]
#[command(after_help = "Example: counterfoil key export treasurer > treasurer.pem")]
struct Export {
    /// What the key is called here
    name: String,
    #[command(flatten)]
    keyring: Keyring,
}

/// Adds the verbs to the command of keys.
pub(super) fn verbs(command: Command) -> Command {
    command
        .subcommand(verb::<New>("new", "Make a new key on this machine"))
        .subcommand(verb::<List>(
            "list",
            "List this machine's keys with their public halves and parties",
        ))
        .subcommand(verb::<Import>(
            "import",
            "Take in a PKCS#8 file made elsewhere",
        ))
        .subcommand(verb::<Export>(
            "export",
            "Print a key as an encrypted PKCS#8 file",
        ))
}

pub(super) fn run(verb: &str, matches: &ArgMatches) -> Result<(), Failure> {
    match verb {
        "new" => new(&of(matches)?),
        "list" => list(&of(matches)?),
        "import" => import(&of(matches)?),
        _ => export(&of(matches)?),
    }
}

fn new(args: &New) -> Result<(), Failure> {
    let key = SigningKey::generate().map_err(|error| Failure::of("random numbers", error))?;
    keep(&args.keyring, &args.name, &key, args.plain)?;
    assign(&args.keyring, &args.name, args.party)
}

fn list(args: &List) -> Result<(), Failure> {
    let row = |(name, key): (String, crate::chain::PublicKey)| {
        let party = args.keyring.party_of(&name);
        let party = party.map_or_else(|_| String::new(), |party| party.to_string());
        vec![name, party, key.to_string()]
    };
    let rows = args.keyring.list()?.into_iter().map(row).collect();
    output::table(&["name", "party", "key"], rows, args.json);
    Ok(())
}

fn import(args: &Import) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::of(args.file.display(), error);
    let text = Zeroizing::new(fs::read_to_string(&args.file).map_err(|error| failed(&error))?);
    let key = pem::read(&text, || {
        args.keyring.passphrase.ask("Passphrase of the file: ")
    });
    let key = key.map_err(|error| failed(&error))?;
    keep(&args.keyring, &args.name, &key, args.plain)?;
    assign(&args.keyring, &args.name, args.party)
}

fn export(args: &Export) -> Result<(), Failure> {
    let key = args.keyring.load(&args.name)?;
    let passphrase = args.keyring.passphrase.choose()?;
    let text =
        pem::to_encrypted(&key, &passphrase).map_err(|error| Failure::of("the key", error))?;
    output::text(&text);
    Ok(())
}

fn assign(ring: &Keyring, name: &str, party: Option<PartyId>) -> Result<(), Failure> {
    party.map_or(Ok(()), |party| ring.assign(name, party))
}

fn keep(ring: &Keyring, name: &str, key: &SigningKey, plain: bool) -> Result<(), Failure> {
    let passphrase = if plain {
        None
    } else {
        Some(ring.passphrase.choose()?)
    };
    ring.save(name, key, passphrase.as_ref().map(|text| text.as_str()))?;
    output::text(&format!("{}\n", key.public_key()));
    Ok(())
}
