//! `counterfoil act`, `sign` and `send`: an operation from its fields to its entry.

use std::fs;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::Value;
use serde_json::value::RawValue;

use super::keyring::Keyring;
use super::remote::Remote;
use super::words::{decoded, ids_in, object, words};
use super::{Failure, output};
use crate::chain::{Envelope, pae};
use crate::domain::payload::Payload;
use crate::domain::registry::{REGISTRY, operation};
use crate::domain::values::{Instant, Name, Nonce, PartyId};

/// Clients set `not_after` this far ahead of the ledger's time.
const MINUTES: i64 = 10;
/// The same where others are still to sign.
const DAYS_TOGETHER: i64 = 6;

/// An operation, who signs it, and where it goes.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Example: counterfoil act transfer.accept --as maker --body '{\"transfer\":\"trf_…\"}'\n\
    `counterfoil act list` names every operation."
)]
pub(crate) struct Args {
    /// The operation, as contracts/OPERATIONS.md names it, or `list`
    operation: String,
    /// The key that signs
    #[arg(
        long = "as",
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    by: String,
    /// The party that acts, where the key file does not name it
    #[arg(long, value_name = "ID")]
    party: Option<PartyId>,
    /// Further keys that sign
    #[arg(long, value_name = "NAME")]
    with: Vec<String>,
    /// The body as JSON, or @FILE
    #[arg(long, value_name = "JSON", default_value = "{}")]
    body: String,
    /// Write the envelope to a file for others to sign, instead of sending it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Do not ask before signing
    #[arg(long, short)]
    yes: bool,
    /// Answer as one line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keyring: Keyring,
    #[command(flatten)]
    remote: Remote,
}

/// An envelope of a file, to be signed too.
#[derive(Debug, ClapArgs)]
pub(crate) struct SignArgs {
    /// The envelope
    file: PathBuf,
    /// The key that signs
    #[arg(long = "as", value_name = "NAME")]
    by: String,
    /// Do not ask before signing
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    keyring: Keyring,
}

/// An envelope of a file, to be sent.
#[derive(Debug, ClapArgs)]
pub(crate) struct SendArgs {
    /// The envelope
    file: PathBuf,
    /// Answer as one line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Builds, shows, signs and sends an operation.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.operation == "list" {
        let rows = REGISTRY
            .iter()
            .map(|one| vec![one.name.to_owned(), one.summary.to_owned()])
            .collect();
        output::table(&["operation", "what it is for"], rows, args.json);
        return Ok(());
    }
    if args.by.is_empty() {
        return Err(Failure::Usage("whose key signs? name it with --as".into()));
    }
    let body = match args.body.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).map_err(|error| Failure::of(file, error))?,
        None => args.body.clone(),
    };
    let body: Value =
        serde_json::from_str(&body).map_err(|error| Failure::Usage(format!("--body: {error}")))?;
    let request = Request {
        operation: &args.operation,
        by: &args.by,
        party: args.party,
        with: &args.with,
        out: args.out.as_ref(),
        yes: args.yes,
        json: args.json,
    };
    request.carry_out(&body, &args.keyring, &args.remote)
}

/// An operation that a verb wants done.
pub(crate) struct Request<'a> {
    pub(crate) operation: &'a str,
    pub(crate) by: &'a str,
    pub(crate) party: Option<PartyId>,
    pub(crate) with: &'a [String],
    pub(crate) out: Option<&'a PathBuf>,
    pub(crate) yes: bool,
    pub(crate) json: bool,
}

impl Request<'_> {
    /// Signs the operation and sends it, or writes it to a file for others to sign.
    pub(crate) fn carry_out(
        &self,
        body: &Value,
        keyring: &Keyring,
        remote: &Remote,
    ) -> Result<(), Failure> {
        let ready = remote
            .client()
            .status()
            .map_err(|error| remote.failure(&error))?;
        let time = ledger_time(&ready.time)?;
        let ahead = if self.out.is_some() {
            time.plus_days(DAYS_TOGETHER)
        } else {
            time.plus_minutes(MINUTES)
        };
        let origin =
            Name::new(&ready.origin).map_err(|error| Failure::of("the ledger's name", error))?;
        let mut envelope = self.envelope(body, origin, whole_seconds(ahead), keyring)?;
        self.preview(&envelope, keyring, remote);
        confirm(&envelope, self.yes)?;
        for name in std::iter::once(self.by).chain(self.with.iter().map(String::as_str)) {
            envelope
                .sign(&keyring.load(name)?)
                .map_err(|error| Failure::of("signing", error))?;
        }
        match self.out {
            Some(path) => fs::write(path, envelope.encode())
                .map_err(|error| Failure::of(path.display(), error)),
            None => remote.send(&envelope, self.json),
        }
    }

    /// Shows the objects that the operation names, as the signing party reads them: what is accepted, not its id alone.
    fn preview(&self, envelope: &Envelope, keyring: &Keyring, remote: &Remote) {
        let named = ids_in(envelope.payload());
        if named.is_empty() || self.yes || self.out.is_some() {
            return;
        }
        let Ok(client) = remote.session(keyring, self.by, self.party) else {
            return;
        };
        for (kind, id) in named {
            // One that cannot be read now is for the ledger to refuse.
            if let Ok(row) = client.object(kind, &id) {
                eprint!("{}", object(kind, &row));
            }
        }
    }

    fn envelope(
        &self,
        body: &Value,
        ledger: Name,
        not_after: Instant,
        keyring: &Keyring,
    ) -> Result<Envelope, Failure> {
        let registered = operation(self.operation).ok_or_else(|| {
            Failure::Usage(format!(
                "no operation {}; `counterfoil act list` names them",
                self.operation
            ))
        })?;
        let raw = RawValue::from_string(body.to_string())
            .map_err(|error| Failure::of("--body", error))?;
        let act = (registered.decode)(&raw)
            .map_err(|error| Failure::Usage(format!("--body: {error}")))?;
        let party = match self.party {
            Some(party) => party,
            None => keyring.party_of(self.by)?,
        };
        let payload = Payload {
            ledger,
            party,
            nonce: nonce()?,
            not_after,
            act,
        };
        Envelope::new(pae::OP_TYPE, payload.encode())
            .map_err(|error| Failure::of("the operation", error))
    }
}

/// Adds a signature to an envelope of a file, after showing what it says.
pub(crate) fn sign(args: &SignArgs) -> Result<(), Failure> {
    let mut envelope = read(&args.file)?;
    confirm(&envelope, args.yes)?;
    envelope
        .sign(&args.keyring.load(&args.by)?)
        .map_err(|error| Failure::of("signing", error))?;
    fs::write(&args.file, envelope.encode())
        .map_err(|error| Failure::of(args.file.display(), error))
}

/// Sends an envelope of a file.
pub(crate) fn send(args: &SendArgs) -> Result<(), Failure> {
    args.remote.send(&read(&args.file)?, args.json)
}

fn read(file: &PathBuf) -> Result<Envelope, Failure> {
    let bytes = fs::read(file).map_err(|error| Failure::of(file.display(), error))?;
    Envelope::decode(&bytes)
        .map_err(|error| Failure::FoundBad(format!("{}: {error}", file.display())))
}

/// Shows what would be signed, from the very bytes, and asks.
fn confirm(envelope: &Envelope, yes: bool) -> Result<(), Failure> {
    let payload = decoded(envelope)?;
    eprint!("{}", words(&payload));
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nobody is there to ask: say --yes to sign".into(),
        ));
    }
    eprint!("Sign it? [y/N] ");
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::of("standard input", error))?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::FoundBad("not signed".into())),
    }
}

fn nonce() -> Result<Nonce, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::of("random numbers", error))?;
    Ok(Nonce(bytes))
}

/// The ledger's time as it says it, to the millisecond where the clock shows one.
fn ledger_time(text: &str) -> Result<Instant, Failure> {
    let millis = crate::chain::instant::parse_time(text).map(Instant::from_millis);
    millis
        .map_or_else(|| Instant::parse_strict(text), Ok)
        .map_err(|error| Failure::of("the ledger's time", error))
}

/// Instants travel in whole seconds.
fn whole_seconds(instant: Instant) -> Instant {
    Instant::from_millis(instant.millis() - instant.millis() % 1_000)
}
