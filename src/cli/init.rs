//! `counterfoil init`: a new ledger in an empty folder.

use std::fs;
use std::path::PathBuf;

use super::keyring::Keyring;
use super::{Failure, output};
use crate::chain::SigningKey;
use crate::domain::rulebook::Rulebook;
use crate::domain::values::{Instant, Label, Name, PartyId, UtcOffset};
use crate::ledger::{InitOptions, init};

/// The rulebook that ships with the project.
pub(super) const SHIPPED_RULEBOOK: &str = include_str!("../../contracts/rulebooks/cn-2025.toml");

/// What the new ledger is to be.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil init --data ledger --origin ledger.example/receivables \\\n\
    \x20   --operator uscc:91350100M000100Y43 --name 'Example Platform Co., Ltd.' --as operator\n\
    A drill ledger is for trying things out: its name begins `drill.`, and its clock may be moved by hand."
)]
pub(crate) struct Args {
    /// The folder: empty, or not there yet
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Make a ledger for trying things out
    #[arg(long)]
    drill: bool,
    /// What its name begins with; a slash and 16 random hex digits follow
    #[arg(
        long,
        value_name = "NAME",
        default_value = "counterfoil.local/receivables"
    )]
    origin: String,
    /// The operator's identifier
    #[arg(long, value_name = "ID", default_value = "x:operator")]
    operator: PartyId,
    /// The operator's legal name
    #[arg(long, value_name = "NAME", default_value = "Operator")]
    name: Name,
    /// The operator's key; made if there is none of that name
    #[arg(long = "as", value_name = "NAME", default_value = "operator")]
    by: String,
    /// The person who holds that key
    #[arg(long, value_name = "NAME", default_value = "operator")]
    person: Label,
    /// The first rulebook, as TOML; the shipped cn-2025 if absent
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Where legal days begin and end
    #[arg(
        long,
        value_name = "+hh:mm",
        default_value = "+08:00",
        allow_hyphen_values = true
    )]
    utc_offset: UtcOffset,
    /// The time of entry 0, on a drill ledger
    #[arg(long, value_name = "INSTANT", requires = "drill")]
    time: Option<Instant>,
    /// Encrypt the key that signs checkpoints by the passphrase; `serve` then asks for it
    #[arg(long)]
    encrypt: bool,
    #[command(flatten)]
    keyring: Keyring,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let rulebook = match &args.rulebook {
        Some(path) => {
            fs::read_to_string(path).map_err(|error| Failure::of(path.display(), error))?
        }
        None => SHIPPED_RULEBOOK.to_owned(),
    };
    let rulebook = Rulebook::from_toml(&rulebook)
        .map_err(|error| Failure::FoundBad(format!("the rulebook: {error}")))?;
    let (key, made) = args.operator_key()?;
    let passphrase = if args.encrypt {
        Some(args.keyring.passphrase.choose()?)
    } else {
        None
    };
    let options = InitOptions {
        origin_base: args.origin.clone(),
        drill: args.drill,
        operator: args.operator,
        operator_name: args.name.clone(),
        operator_key: &key,
        key_label: Label::new(&args.by)
            .map_err(|error| Failure::Usage(format!("--as: {error}")))?,
        person: args.person.clone(),
        rulebook,
        utc_offset: args.utc_offset,
        time: args.time,
        passphrase,
    };
    let origin =
        init(&args.data, &options).map_err(|error| Failure::of(args.data.display(), error))?;
    if made {
        eprintln!(
            "the operator's key is {}/{}.pem",
            args.keyring.keys.display(),
            args.by
        );
    }
    output::text(&format!("{origin}\n"));
    Ok(())
}

impl Args {
    /// The operator's key, and whether it was made now. It is kept before entry 0 names it: a ledger whose operator
    /// has no key would be lost.
    fn operator_key(&self) -> Result<(SigningKey, bool), Failure> {
        if self.keyring.has(&self.by)? {
            return Ok((self.keyring.load(&self.by)?, false));
        }
        let key = SigningKey::generate().map_err(|error| Failure::of("random numbers", error))?;
        let passphrase = if self.drill {
            None
        } else {
            Some(self.keyring.passphrase.choose()?)
        };
        self.keyring.save(
            &self.by,
            &key,
            passphrase.as_ref().map(|text| text.as_str()),
        )?;
        self.keyring.assign(&self.by, self.operator)?;
        Ok((key, true))
    }
}
