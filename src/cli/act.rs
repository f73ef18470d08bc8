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
use crate::api::manual::example;
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
    `counterfoil act list` names every operation, `act OP --example` prints a body of it."
)]
pub(crate) struct Args {
    /// The operation, as contracts/OPERATIONS.md names it, or `list`
    operation: String,
    /// The body as JSON, or @FILE
    #[arg(long, value_name = "JSON", default_value = "{}")]
    body: String,
    /// Print an example of the operation's body, and do nothing
    #[arg(long, conflicts_with = "body")]
    example: bool,
    #[command(flatten)]
    signing: Signing,
}

/// Who signs an operation, and where it goes.
#[derive(Debug, ClapArgs)]
pub(crate) struct Signing {
    /// The key that signs
    #[arg(
        long = "as",
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) by: String,
    /// The party that acts, where the key file does not name it
    #[arg(long, value_name = "ID")]
    pub(crate) party: Option<PartyId>,
    /// Further keys that sign
    #[arg(long, value_name = "NAME")]
    with: Vec<String>,
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
    pub(crate) keyring: Keyring,
    #[command(flatten)]
    pub(crate) remote: Remote,
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
        output::table(&["operation", "what it is for"], rows, args.signing.json);
        return Ok(());
    }
    if args.example {
        let body = example(&args.operation).ok_or_else(|| no_operation(&args.operation))?;
        output::text(&format!("{body}\n"));
        return Ok(());
    }
    let body = match args.body.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).map_err(|error| Failure::of(file, error))?,
        None => args.body.clone(),
    };
    let body: Value =
        serde_json::from_str(&body).map_err(|error| Failure::Usage(format!("--body: {error}")))?;
    args.signing.carry_out(&args.operation, &body)
}

fn no_operation(name: &str) -> Failure {
    Failure::Usage(format!(
        "no operation {name}; `counterfoil act list` names them"
    ))
}

impl Signing {
    /// Signs the operation and sends it, or writes it to a file for others to sign.
    pub(crate) fn carry_out(&self, operation: &str, body: &Value) -> Result<(), Failure> {
        if self.by.is_empty() {
            return Err(Failure::Usage("whose key signs? name it with --as".into()));
        }
        let status = self.remote.client().status();
        let ready = status.map_err(|error| self.remote.failure(&error))?;
        let time = ledger_time(&ready.time)?;
        let ahead = if self.out.is_some() {
            time.plus_days(DAYS_TOGETHER)
        } else {
            time.plus_minutes(MINUTES)
        };
        let origin =
            Name::new(&ready.origin).map_err(|error| Failure::of("the ledger's name", error))?;
        let mut envelope = self.envelope(operation, body, origin, whole_seconds(ahead))?;
        self.preview(&envelope);
        confirm(&envelope, self.yes)?;
        for name in std::iter::once(&self.by).chain(&self.with) {
            envelope
                .sign(&self.keyring.load(name)?)
                .map_err(|error| Failure::of("signing", error))?;
        }
        match &self.out {
            Some(path) => fs::write(path, envelope.encode())
                .map_err(|error| Failure::of(path.display(), error)),
            None => self.remote.send(&envelope, self.json),
        }
    }

    /// Shows the objects that the operation names, as the signing party reads them: what is accepted, not its id alone.
    fn preview(&self, envelope: &Envelope) {
        let named = ids_in(envelope.payload());
        if named.is_empty() || self.yes || self.out.is_some() {
            return;
        }
        let Ok(client) = self.remote.session(&self.keyring, &self.by, self.party) else {
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
        name: &str,
        body: &Value,
        ledger: Name,
        not_after: Instant,
    ) -> Result<Envelope, Failure> {
        let registered = operation(name).ok_or_else(|| no_operation(name))?;
        let raw = RawValue::from_string(body.to_string())
            .map_err(|error| Failure::of("--body", error))?;
        let act = (registered.decode)(&raw)
            .map_err(|error| Failure::Usage(format!("--body: {error}")))?;
        let payload = Payload {
            ledger,
            party: self.acting()?,
            nonce: nonce()?,
            not_after,
            act,
        };
        Envelope::new(pae::OP_TYPE, payload.encode())
            .map_err(|error| Failure::of("the operation", error))
    }

    /// The party that acts.
    pub(crate) fn acting(&self) -> Result<PartyId, Failure> {
        self.party
            .map_or_else(|| self.keyring.party_of(&self.by), Ok)
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
