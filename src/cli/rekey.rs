//! `counterfoil rekey`: where a ledger lies, prepares the key that is to sign its checkpoints, and signs the operation that
//! brings it in. The secret never leaves that folder.

use std::path::{Path, PathBuf};

use super::passphrase::Passphrase;
use super::signing::ToSign;
use super::words::words;
use super::{Failure, output};
use crate::chain::note::KeyKind;
use crate::chain::{SigningKey, VerifierKey};
use crate::domain::operation::Operation as _;
use crate::domain::ops::ledger::rekey::Rekey;
use crate::domain::payload::Payload;
use crate::ledger::keyfile::{self, next_in, path_in};
use crate::store::Layout;
use crate::store::head::read_head;

/// Which ledger, and what is to be signed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil rekey --data ledger && counterfoil rekey --data ledger --sign rekey.json\n\
    Without --sign it makes the next key, DIR/ledger.key.next, encrypted as ledger.key is and by the same passphrase, and prints its\n\
    verifier key; where there is one already, it prints that. Then, in this order:\n\
    1. every witness takes the new key beside the old one: counterfoil witness add-log VKEY --data witness\n\
    2. the operator signs: counterfoil ledger rekey --new-vkey VKEY --as operator --out rekey.json\n\
    3. the new key signs too, here: counterfoil rekey --data ledger --sign rekey.json\n\
    4. counterfoil send rekey.json\n\
    The server that runs goes over by itself; the old key is gone when ledger.key.next is. Whoever verifies adds a `log` line with\n\
    the new key to the policy and keeps the old one, for what was signed before."
)]
pub(crate) struct Args {
    /// The ledger's data folder
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Sign the `ledger.rekey` in the file that --out wrote, by the next key
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
    /// Do not ask before signing
    #[arg(long, short, requires = "sign")]
    yes: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let layout = Layout::new(&args.data);
    let head = read_head(&layout).map_err(|error| Failure::of(layout.head().display(), error))?;
    let origin = &head.checkpoint.origin;
    let path = next_in(&args.data);
    if let Some(file) = &args.sign {
        let key = args.open(&path)?;
        return sign(file, &vkey_of(origin, &key)?, key, args.yes);
    }
    let (key, made) = match path.exists() {
        true => (args.open(&path)?, false),
        false => (args.make(&path)?, true),
    };
    let vkey = vkey_of(origin, &key)?;
    let (data, verb) = (args.data.display(), if made { "made" } else { "there" });
    eprintln!(
        "{verb}: {path}. Every witness adds it first (`counterfoil witness add-log`); then\n  \
         counterfoil ledger rekey --new-vkey '{vkey}' --as NAME --out rekey.json\n  \
         counterfoil rekey --data {data} --sign rekey.json\n  \
         counterfoil send rekey.json",
        path = path.display()
    );
    output::text(&format!("{vkey}\n"));
    Ok(())
}

impl Args {
    /// A new key in a file of its own, encrypted where the present one is: the server that runs has that passphrase and no other.
    fn make(&self, path: &Path) -> Result<SigningKey, Failure> {
        let mut passphrase = None;
        let present = keyfile::read(&path_in(&self.data), || {
            passphrase = self.passphrase.ask("Passphrase of the ledger's key: ");
            passphrase.clone()
        });
        present.map_err(unusable)?;
        let key = SigningKey::generate().map_err(|error| Failure::of("random numbers", error))?;
        let passphrase = passphrase.as_ref().map(|text| text.as_str());
        keyfile::write(path, &key, passphrase).map_err(unusable)?;
        Ok(key)
    }

    fn open(&self, path: &Path) -> Result<SigningKey, Failure> {
        let passphrase = || self.passphrase.ask("Passphrase of the ledger's key: ");
        keyfile::read(path, passphrase).map_err(unusable)
    }
}

/// Signs the operation that brings in this key, and nothing else.
fn sign(file: &Path, vkey: &str, key: SigningKey, yes: bool) -> Result<(), Failure> {
    let brings_it_in = |payload: &Payload| {
        let body = serde_json::from_str(&payload.act.body());
        payload.act.name() == Rekey::NAME
            && body.is_ok_and(|body: Rekey| body.new_vkey.as_str() == vkey)
    };
    let to_sign = ToSign::read(file)?;
    let mut payloads = to_sign.payloads().iter();
    if let Some(other) = payloads.find(|payload| !brings_it_in(payload)) {
        eprint!("{}", words(other));
        return Err(Failure::FoundBad(format!(
            "{}: the next key signs a {} to {vkey} and nothing else",
            file.display(),
            Rekey::NAME
        )));
    }
    let name = ("ledger.key.next".to_owned(), key.public_key());
    to_sign.sign(yes, || Ok((key, vec![name])))
}

fn vkey_of(origin: &str, key: &SigningKey) -> Result<String, Failure> {
    let vkey = VerifierKey::of(origin, KeyKind::Ed25519, key);
    let vkey = vkey.map_err(|error| Failure::of("the ledger's name", error))?;
    Ok(vkey.to_string())
}

fn unusable(error: keyfile::KeyFileError) -> Failure {
    Failure::CouldNotRun(error.to_string())
}
