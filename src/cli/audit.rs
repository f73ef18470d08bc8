//! `counterfoil audit`: re-executes a whole ledger: chain, signatures, tree, every rule, every invariant.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use indicatif::ProgressBar;

use super::export::progress;
use super::{Failure, output};
use crate::chain::{Checkpoint, Note, VerifierKey};
use crate::domain::objects::{Ledger, LedgerKey};
use crate::ledger::audit::{AuditError, Audited, audit};
use crate::proof::Lines;
use crate::store::Layout;
use crate::store::recovery::read_only;

/// What to audit, and against what.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil audit --export chain.jsonl --checkpoint checkpoint.txt --vkey \"$(cat vkey.txt)\"\n\
    Without --vkey the key is believed that entry 0 names, or the last `ledger.rekey`: pass one that you have from elsewhere."
)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["data", "export"])))]
pub(crate) struct Args {
    /// A data folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// An export: a line an entry
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// The signed checkpoint that the entries must be under
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    checkpoint: Option<PathBuf>,
    /// The key that must have signed the checkpoint
    #[arg(long, value_name = "VKEY")]
    vkey: Option<VerifierKey>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let (audited, note) = match (&args.data, &args.export) {
        (Some(data), _) => folder(data)?,
        (None, Some(_)) if args.vkey.is_some() && args.checkpoint.is_none() => {
            return Err(Failure::Usage(
                "--vkey verifies a checkpoint: name that too, with --checkpoint".into(),
            ));
        }
        (None, Some(export)) => file(export, args.checkpoint.as_ref())?,
        (None, None) => return Err(Failure::Usage("--data or --export".into())),
    };
    let Some(ledger) = &audited.sequencer.state().ledger else {
        return Err(Failure::FoundBad("there is no entry 0".into()));
    };
    let size = audited.tree.size();
    output::text(&format!(
        "{}: {size} entries, chain, signatures, every rule and every invariant hold\nroot {}\n",
        ledger.origin.as_str(),
        audited.tree.root()
    ));
    let Some(note) = note else { return Ok(()) };
    let vkey = check_keys(&note, ledger, args.vkey.as_ref(), &audited)?;
    output::text(&format!(
        "the checkpoint over {size} entries is signed by {}\n",
        vkey.name()
    ));
    Ok(())
}

/// The key that counts at the checkpoint's size must have signed it, and the one that is believed.
fn check_keys(
    note: &Note,
    ledger: &Ledger,
    believed: Option<&VerifierKey>,
    audited: &Audited,
) -> Result<VerifierKey, Failure> {
    let covered = Checkpoint::parse(note.text()).map_or(0, |checkpoint| checkpoint.size);
    let read = |key: &LedgerKey| {
        let read = key.vkey.as_str().parse::<VerifierKey>();
        read.map_err(|error| Failure::of("the ledger's key", error))
    };
    let own = read(ledger.keys.at(covered))?;
    // A key that was replaced signs nothing by itself any more.
    check(note, &own, audited)?;
    let Some(vkey) = believed else {
        return Ok(own);
    };
    let mut keys = ledger.keys.iter();
    let had = keys.any(|(_, key)| key.vkey.as_str() == vkey.to_string());
    // Who believes an earlier key is led on by a checkpoint that each after it signed too.
    let since = ledger.keys.iter();
    let mut since = since.skip_while(|(_, key)| key.vkey.as_str() != vkey.to_string());
    let led = since.try_for_each(|(from, key)| match from <= covered {
        true => check(note, &read(key)?, audited),
        false => Ok(()),
    });
    match check(note, vkey, audited).and(led) {
        Err(Failure::FoundBad(what)) if had => Err(Failure::FoundBad(format!(
            "{what}; the ledger has changed that key: `counterfoil verify --rekeyed` leads on from it"
        ))),
        checked => checked.map(|()| vkey.clone()),
    }
}

/// The entries must be exactly those that the checkpoint covers.
fn check(note: &Note, vkey: &VerifierKey, audited: &Audited) -> Result<(), Failure> {
    let bad = |what: String| Failure::FoundBad(format!("the checkpoint: {what}"));
    let checkpoint = Checkpoint::open(note, vkey).map_err(|error| bad(error.to_string()))?;
    let ledger = audited.sequencer.state().ledger.as_ref();
    if ledger.is_some_and(|ledger| ledger.origin.as_str() != checkpoint.origin) {
        return Err(bad(format!(
            "it is of another ledger, {}",
            checkpoint.origin
        )));
    }
    if checkpoint.size != audited.tree.size() {
        return Err(bad(format!(
            "it covers {} entries, but there are {}",
            checkpoint.size,
            audited.tree.size()
        )));
    }
    if checkpoint.root != audited.tree.root() {
        return Err(bad(format!(
            "its root is {}, but the entries have {}",
            checkpoint.root,
            audited.tree.root()
        )));
    }
    Ok(())
}

/// A data folder: what its head covers.
fn folder(data: &PathBuf) -> Result<(Audited, Option<Note>), Failure> {
    let store = read_only(&Layout::new(data), &mut |_, _| ())
        .map_err(|error| Failure::of_store(data, &error))?;
    let size = store.head.checkpoint.size;
    let lines = store.reader.lines(0..size);
    let audited = told(audit(lines, &mut bar(size)))?;
    Ok((audited, Some(store.head.note)))
}

fn file(
    export: &PathBuf,
    checkpoint: Option<&PathBuf>,
) -> Result<(Audited, Option<Note>), Failure> {
    let failed = |error| Failure::of(export.display(), error);
    let note = checkpoint.map(|path| {
        let bytes = std::fs::read(path).map_err(|error| Failure::of(path.display(), error))?;
        Note::decode(&bytes)
            .map_err(|error| Failure::FoundBad(format!("{}: {error}", path.display())))
    });
    let note = note.transpose()?;
    // Read once, as it may be a pipe.
    let opened = File::open(export).map_err(failed)?;
    let length = opened.metadata().map_err(failed)?.len();
    let bar = progress(length, "bytes");
    let mut lines = Lines::new(BufReader::new(bar.wrap_read(opened)));
    let audited = told(audit(lines.by_ref(), &mut |_| ()));
    bar.finish_and_clear();
    let audited = audited?;
    if lines.is_cut_off() {
        return Err(Failure::FoundBad(format!(
            "{}: the last line does not end",
            export.display()
        )));
    }
    Ok((audited, note))
}

fn bar(size: u64) -> impl FnMut(u64) {
    let bar: ProgressBar = progress(size, "entries");
    move |done| {
        bar.set_position(done);
        if done == size {
            bar.finish_and_clear();
        }
    }
}

fn told<E: std::fmt::Display>(audited: Result<Audited, AuditError<E>>) -> Result<Audited, Failure> {
    audited.map_err(|error| match error {
        AuditError::Bad(bad) => Failure::FoundBad(bad.to_string()),
        AuditError::Read(error) => Failure::CouldNotRun(error.to_string()),
    })
}
