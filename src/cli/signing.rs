//! Who signs an operation and where it goes; `counterfoil sign` and `send`.

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use serde_json::Value;

use super::bulk::{self, summary};
use super::fields;
use super::keyring::Keyring;
use super::remote::Remote;
use super::words::{decoded, ids_in, object, words};
use super::{Failure, output};
use crate::chain::{Envelope, PublicKey, SigningKey, pae};
use crate::client::{Client, ClientError};
use crate::domain::operation::Act;
use crate::domain::payload::Payload;
use crate::domain::registry::Registered;
use crate::domain::values::{Instant, Name, Nonce, PartyId};

/// Clients set `not_after` this far ahead of the ledger's time.
const MINUTES: i64 = 10;
/// The same where other parties or persons are still to sign, which may take at most 7 days.
const MINUTES_TOGETHER: i64 = 6 * 24 * 60;
/// The same where the ledger asks for one signature alone, which may wait for at most 24 hours.
const MINUTES_ALONE: i64 = 23 * 60;

/// Who signs an operation, and where it goes.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Signing and sending")]
pub(crate) struct Signing {
    /// The key that signs
    #[arg(
        long = "as",
        value_name = "NAME",
        env = "COUNTERFOIL_AS",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) by: String,
    /// The party that acts, where the key file does not name it
    #[arg(long = "for", value_name = "ID")]
    pub(crate) party: Option<PartyId>,
    /// A further key that signs; as often as there are
    #[arg(long, value_name = "NAME")]
    with: Vec<String>,
    /// Write the envelope to a file for others to sign, instead of sending it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Do not ask before signing
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Answer as JSON, an object a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) keyring: Keyring,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Envelopes of a file, to be signed too.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Example: counterfoil sign accept.json --as checker && counterfoil send accept.json\n\
    The file is what --out of another verb wrote: counterfoil contract accept --contract ctr_… --as maker --out accept.json"
)]
pub(crate) struct SignArgs {
    /// The file that --out wrote: an envelope, or one a line
    file: PathBuf,
    /// The key that signs
    #[arg(long = "as", value_name = "NAME", env = "COUNTERFOIL_AS")]
    by: String,
    /// Do not ask before signing
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    keyring: Keyring,
}

/// Envelopes of a file, to be sent.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example: counterfoil send accept.json\n\
    Of several envelopes, what became of each is kept in FILE.results.ndjson; sending the file again does nothing twice.")]
pub(crate) struct SendArgs {
    /// The file: an envelope, or one a line
    file: PathBuf,
    /// Answer as JSON, an object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Keys that this machine knows, each by its name.
type Names = Vec<(String, PublicKey)>;

/// What the payloads of one call have in common.
#[derive(Debug)]
pub(crate) struct Frame {
    ledger: Name,
    party: PartyId,
    not_after: Instant,
}

impl Frame {
    /// An operation with a nonce of its own.
    pub(crate) fn payload(&self, act: Box<dyn Act>) -> Result<Payload, Failure> {
        Ok(Payload {
            ledger: self.ledger.clone(),
            party: self.party,
            nonce: nonce()?,
            not_after: self.not_after,
            act,
        })
    }

    /// The same, to be signed.
    pub(crate) fn envelope(&self, act: Box<dyn Act>) -> Result<Envelope, Failure> {
        Envelope::new(pae::OP_TYPE, self.payload(act)?.encode())
            .map_err(|error| Failure::of("the operation", error))
    }
}

/// Reads a body of an operation; what cannot be read is named by its place.
pub(crate) fn act(operation: &Registered, body: &Value) -> Result<Box<dyn Act>, fields::Misfit> {
    (operation.decode)(&body.to_string()).map_err(|error| {
        let found = body.pointer(&error.pointer);
        let shown = found.filter(|value| !value.is_object() && !value.is_array());
        let what = error.message();
        fields::Misfit {
            path: error.pointer.trim_start_matches('/').replace('/', "."),
            what: shown.map_or(what.clone(), |value| format!("{value}: {what}")),
        }
    })
}

impl Signing {
    /// Signs the operation and sends it, or writes it to a file for others to sign.
    pub(crate) fn carry_out(&self, operation: &Registered, body: &Value) -> Result<(), Failure> {
        let read = || act(operation, body).map_err(|misfit| bulk::misplaced(operation, &misfit));
        let mut envelope = self.frame_of(read()?)?.envelope(read()?)?;
        self.preview(&envelope);
        eprint!("{}", words(&decoded(&envelope)?));
        confirm("Sign it?", self.yes)?;
        for key in self.keys()? {
            signed(&mut envelope, &key)?;
        }
        match &self.out {
            Some(path) => {
                write(path, &[envelope])?;
                eprintln!(
                    "whoever signs too says `counterfoil sign {0} --as NAME`, and then `counterfoil send {0}`",
                    path.display()
                );
                Ok(())
            }
            None => self.remote.send(&envelope, self.json),
        }
    }

    /// Says what would become of the operation, and signs nothing.
    pub(crate) fn check(&self, operation: &Registered, body: &Value) -> Result<(), Failure> {
        let act = act(operation, body).map_err(|misfit| bulk::misplaced(operation, &misfit))?;
        let payload = self.frame(MINUTES)?.payload(act)?;
        eprint!("{}", words(&payload));
        let checked = self
            .session()?
            .check(&payload.encode())
            .map_err(|error| self.remote.failure(&error))?;
        if self.json {
            output::text(&format!("{checked}\n"));
        } else {
            output::text("it would be accepted, if everybody signs who has to\n");
            for warning in checked["warnings"].as_array().into_iter().flatten() {
                eprintln!("warning: {warning}");
            }
        }
        Ok(())
    }

    /// What every operation of this call says: the ledger, who acts, until when it is valid. Where others are still to
    /// sign, the ledger says of `probe` whether it leaves them days.
    pub(crate) fn frame_of(&self, probe: Box<dyn Act>) -> Result<Frame, Failure> {
        if self.out.is_none() {
            return self.frame(MINUTES);
        }
        let long = self.frame(MINUTES_TOGETHER)?;
        match self.session()?.check(&long.payload(probe)?.encode()) {
            Err(ClientError::Refused(problem)) if problem.code == "operation.not_after" => {
                self.frame(MINUTES_ALONE)
            }
            _ => Ok(long),
        }
    }

    fn frame(&self, minutes: i64) -> Result<Frame, Failure> {
        self.named()?;
        let party = self.acting()?;
        let status = self.remote.client().status();
        let ready = status.map_err(|error| self.remote.failure(&error))?;
        let time = ledger_time(&ready.time)?;
        let ledger =
            Name::new(&ready.origin).map_err(|error| Failure::of("the ledger's name", error))?;
        Ok(Frame {
            ledger,
            party,
            not_after: whole_seconds(time.plus_minutes(minutes)),
        })
    }

    fn named(&self) -> Result<(), Failure> {
        if self.by.is_empty() {
            return Err(Failure::Usage(
                "whose key signs? name it with --as, or in COUNTERFOIL_AS (`counterfoil key list`)"
                    .into(),
            ));
        }
        Ok(())
    }

    /// The keys that sign.
    pub(crate) fn keys(&self) -> Result<Vec<SigningKey>, Failure> {
        let names = std::iter::once(&self.by).chain(&self.with);
        names.map(|name| self.keyring.load(name)).collect()
    }

    /// A client that reads as the acting party.
    pub(crate) fn session(&self) -> Result<Client, Failure> {
        self.named()?;
        self.remote.session(&self.keyring, &self.by, self.party)
    }

    /// Shows the objects that the operation names, as the signing party reads them: what is accepted, not its id alone.
    fn preview(&self, envelope: &Envelope) {
        let named = ids_in(envelope.payload());
        if named.is_empty() || self.yes || self.out.is_some() {
            return;
        }
        let Ok(client) = self.session() else {
            return;
        };
        for (kind, id) in named {
            // One that cannot be read now is for the ledger to refuse.
            if let Ok(row) = client.object(kind, &id) {
                eprint!("{}", object(kind, &row));
            }
        }
    }

    /// The party that acts.
    pub(crate) fn acting(&self) -> Result<PartyId, Failure> {
        self.party
            .map_or_else(|| self.keyring.party_of(&self.by), Ok)
    }
}

/// Adds a signature to the envelopes of a file.
pub(crate) fn sign(args: &SignArgs) -> Result<(), Failure> {
    let ring = &args.keyring;
    let to_sign = ToSign::read(&args.file)?;
    to_sign.sign(args.yes, || {
        let key = ring.load(&args.by)?;
        let known = ring.list().unwrap_or_default();
        Ok((key, known))
    })
}

/// The envelopes of a file, read once: what is shown and checked is what is signed.
pub(crate) struct ToSign<'f> {
    file: &'f Path,
    envelopes: Vec<Envelope>,
    payloads: Vec<Payload>,
}

impl ToSign<'_> {
    pub(crate) fn read(file: &Path) -> Result<ToSign<'_>, Failure> {
        let envelopes = read(file)?;
        let payloads = envelopes.iter().map(decoded).collect::<Result<_, _>>()?;
        Ok(ToSign {
            file,
            envelopes,
            payloads,
        })
    }

    /// What they say.
    pub(crate) fn payloads(&self) -> &[Payload] {
        &self.payloads
    }

    /// Adds a signature to each, after showing what they say. The key, and the names of others, are asked for then.
    pub(crate) fn sign(
        mut self,
        yes: bool,
        key: impl FnOnce() -> Result<(SigningKey, Names), Failure>,
    ) -> Result<(), Failure> {
        if let [_, _, ..] = &self.payloads[..] {
            eprint!("{}", summary::totals(&self.payloads));
        }
        // Somebody else made the file: every word that is signed is shown.
        for payload in &self.payloads {
            eprint!("{}", words(payload));
        }
        confirm("Sign?", yes)?;
        let (key, known) = key()?;
        for envelope in &mut self.envelopes {
            signed(envelope, &key)?;
        }
        write(self.file, &self.envelopes)?;
        eprintln!(
            "signed by {}; whoever signs too says `counterfoil sign {1} --as NAME`, and then `counterfoil send {1}`",
            signers(&self.envelopes[0], &known).join(", "),
            self.file.display()
        );
        Ok(())
    }
}

/// Who has signed: by name where this machine has the key, else by the key.
fn signers(envelope: &Envelope, known: &Names) -> Vec<String> {
    let name = |key: &PublicKey| {
        let named = known.iter().find(|(_, of)| of == key);
        named.map_or_else(|| key.to_string(), |(name, _)| name.clone())
    };
    envelope
        .signatures()
        .iter()
        .map(|(key, _)| name(key))
        .collect()
}

/// Sends the envelopes of a file.
pub(crate) fn send(args: &SendArgs) -> Result<(), Failure> {
    match &read(&args.file)?[..] {
        [one] => args.remote.send(one, args.json),
        several => bulk::send(&args.file, several, &args.remote, args.json),
    }
}

pub(crate) fn signed(envelope: &mut Envelope, key: &SigningKey) -> Result<(), Failure> {
    envelope
        .sign(key)
        .map_err(|error| Failure::of("signing", error))
}

/// The envelopes of a file: one, or one a line.
fn read(file: &Path) -> Result<Vec<Envelope>, Failure> {
    let bytes = fs::read(file).map_err(|error| Failure::of(file.display(), error))?;
    if let Ok(one) = Envelope::decode(bytes.trim_ascii()) {
        return Ok(vec![one]);
    }
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    let envelopes: Result<Vec<Envelope>, Failure> = lines
        .map(|(line, n)| {
            Envelope::decode(line).map_err(|error| {
                Failure::FoundBad(format!("{}, line {n}: {error}", file.display()))
            })
        })
        .collect();
    let envelopes = envelopes?;
    if envelopes.is_empty() {
        return Err(Failure::FoundBad(format!(
            "{}: there is nothing in it",
            file.display()
        )));
    }
    Ok(envelopes)
}

/// Writes envelopes a line each, whole or not at all: signatures of others may be in the file.
pub(crate) fn write(path: &Path, envelopes: &[Envelope]) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    for envelope in envelopes {
        bytes.extend(envelope.encode());
        bytes.push(b'\n');
    }
    output::replace(path, &bytes)
}

/// Asks whether to sign what was shown.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nobody is there to ask: say --yes to sign".into(),
        ));
    }
    eprint!("{question} [y/N] ");
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
