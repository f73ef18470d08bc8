//! `counterfoil fsck`: how far the entries of a data folder verify. It never writes.

use std::path::PathBuf;

use super::{Failure, output};
use crate::store::Layout;
use crate::store::quarantine;
use crate::store::recovery::fsck;

/// A data folder to look at.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: counterfoil fsck --data ledger\n\
    Where the head is missing or damaged, `counterfoil serve --accept-head N` writes it anew for\n\
    the N entries that verify. What a start cut off lies in the folder's quarantine/.")]
pub(crate) struct Args {
    /// The ledger's data folder
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Acknowledge what lies in quarantine, so that the server no longer names it
    #[arg(long)]
    acknowledge: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let layout = Layout::new(&args.data);
    let failed = |error| Failure::of(args.data.display(), error);
    let report = fsck(&layout, &mut |_, _| ()).map_err(failed)?;
    output::text(&format!(
        "{} entries verify, with root {}\n",
        report.verified, report.root
    ));
    match &report.head {
        Some(head) => output::text(&format!(
            "the head covers {} entries\n",
            head.checkpoint.size
        )),
        None => output::text("there is no readable head\n"),
    }
    for path in &report.quarantined {
        output::text(&format!("in quarantine: {}\n", path.display()));
    }
    if args.acknowledge {
        quarantine::acknowledge(&layout).map_err(failed)?;
    }
    match report.verdict {
        Ok(None) => Ok(()),
        Ok(Some(damage)) => Err(Failure::FoundBad(format!(
            "an unfinished tail, which a start moves to quarantine: {damage}"
        ))),
        Err(error) => Err(Failure::FoundBad(error.to_string())),
    }
}
