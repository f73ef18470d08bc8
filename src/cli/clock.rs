//! `counterfoil clock`: a served ledger's time, and moving that of a drill.

use super::remote::Remote;
use super::{Failure, output};
use crate::domain::values::Instant;

/// The time to move to.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: counterfoil clock 2026-10-13T01:00:00Z\n\
    The clock of a drill served with --clock manual stands still until it is moved, and moves only forward.")]
pub(crate) struct Args {
    /// The new time of a drill ledger; only print the time if absent
    to: Option<Instant>,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.remote.client();
    if let Some(to) = args.to {
        client
            .move_clock(&to.to_string())
            .map_err(|error| args.remote.failure(&error))?;
    }
    let ready = client
        .status()
        .map_err(|error| args.remote.failure(&error))?;
    output::text(&format!("{}\n", ready.time));
    Ok(())
}
