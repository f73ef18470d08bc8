//! `counterfoil verify`: a receipt, a tree of tiles or an export against a policy, offline.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::export::progress;
use super::invoice_check::printable;
use super::{Failure, output};
use crate::chain::note::NOTE_LEN_MAX;
use crate::chain::policy::POLICY_LEN_MAX;
use crate::proof::{
    Folder, Outcome, RECEIPT_LEN_MAX, Report, Step, check_export, check_receipt, check_tiles,
};

/// Most bytes of the checkpoints at which a ledger changed its key.
const REKEYED_LEN_MAX: usize = 16 * NOTE_LEN_MAX;

/// What to verify, and whom to believe.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil verify 12.receipt.json --policy policy\n\
    An export is verified under a checkpoint, a folder of tiles under the one in it:\n\
    counterfoil verify chain.jsonl --checkpoint checkpoint --policy policy\n\
    counterfoil verify tiles --policy policy\n\
    Where the policy knows a key that the ledger had before: --rekeyed with what `counterfoil checkpoint --rekeyed` prints there.\n\
    The policy is a C2SP tlog-policy file: which logs are believed, and which witnesses must have cosigned:\n\
    (echo \"log $(cat vkey)\"; echo 'quorum none') > policy\n\
    Exit codes: 0 good, 1 found bad, 2 usage, 3 could not run."
)]
pub(crate) struct Args {
    /// A receipt, an export (with --checkpoint), or a folder of tiles
    #[arg(value_name = "FILE|DIR")]
    what: PathBuf,
    /// The signed checkpoint that an export must be under
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Of a ledger that has changed its key, for a policy that knows an earlier one: the checkpoints that both keys signed
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    rekeyed: Option<PathBuf>,
    /// Which logs and witnesses are believed
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Print each step as a JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let report = verified(args)?;
    tell(&report, args.json);
    match report.failed() {
        None => Ok(()),
        // That says nothing of what was to be verified.
        Some((step, why)) if step.code == "policy.read" => {
            Err(Failure::of(args.policy.display(), printable(why)))
        }
        Some((step, why)) => Err(Failure::FoundBad(format!(
            "{}: the step {} failed: {}",
            args.what.display(),
            step.code,
            printable(why)
        ))),
    }
}

fn verified(args: &Args) -> Result<Report, Failure> {
    let policy = read(&args.policy, POLICY_LEN_MAX)?;
    let could_not = |error| Failure::of(args.what.display(), error);
    let is_folder = args.what.metadata().map_err(could_not)?.is_dir();
    match &args.checkpoint {
        Some(_) if is_folder => Err(Failure::Usage(
            "--checkpoint is for an export: a folder of tiles has its own".to_owned(),
        )),
        None if is_folder => {
            let report = check_tiles(&Folder(args.what.clone()), &policy);
            report.map_err(|error| Failure::of(args.what.display(), error))
        }
        Some(checkpoint) => {
            let checkpoint = read(checkpoint, NOTE_LEN_MAX)?;
            let rekeyed = args
                .rekeyed
                .as_ref()
                .map(|path| read(path, REKEYED_LEN_MAX));
            let rekeyed = rekeyed.transpose()?.unwrap_or_default();
            let export = File::open(&args.what).map_err(could_not)?;
            let length = export.metadata().map_err(could_not)?.len();
            let bar = progress(length, "bytes");
            let export = BufReader::new(bar.wrap_read(export));
            let report = check_export(export, &checkpoint, &rekeyed, &policy).map_err(could_not);
            bar.finish_and_clear();
            report
        }
        None if args.what.extension().is_some_and(|ext| ext == "jsonl") => Err(Failure::Usage(
            "an export is verified under a checkpoint: --checkpoint FILE".to_owned(),
        )),
        None => Ok(check_receipt(&read(&args.what, RECEIPT_LEN_MAX)?, &policy)),
    }
}

/// A file that has `most` bytes at most; of a longer one so many that this is seen.
fn read(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::of(path.display(), error));
    read.map(|_| bytes)
}

/// Prints the steps, a line each.
fn tell(report: &Report, json: bool) {
    let rows = report.steps().iter().map(row);
    if json {
        let rows = rows.map(Vec::from).collect();
        return output::table(&["step", "outcome", "what"], rows, json);
    }
    for [step, outcome, what] in rows {
        let outcome = match outcome.as_str() {
            "failed" => "FAILED".to_owned(),
            other => other.replace('_', " "),
        };
        output::text(&format!("{outcome:<11}  {step:<24}  {what}\n"));
    }
}

fn row(step: &Step) -> [String; 3] {
    let (outcome, what) = match &step.outcome {
        Outcome::Good(found) => ("good", found.clone()),
        Outcome::Failed(why) => ("failed", format!("{}: {why}", step.rule)),
        Outcome::NotReached => ("not_reached", step.rule.to_owned()),
    };
    [step.code, outcome, &printable(&what)].map(ToOwned::to_owned)
}
