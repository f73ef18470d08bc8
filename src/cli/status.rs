//! `counterfoil ledger status`: which ledger is served, and how it is.

use clap::{ArgMatches, Command};

use super::objects::{of, verb};
use super::remote::Remote;
use super::{Failure, output};

/// Which ledger.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: counterfoil ledger status --url http://127.0.0.1:8465")]
struct Args {
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn command() -> Command {
    verb::<Args>("status", "Which ledger is served, and how it is")
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let args = of::<Args>(matches)?;
    let status = args.remote.client().status();
    let status = status.map_err(|error| args.remote.failure(&error))?;
    let row = serde_json::json!({
        "origin": status.origin, "ready": status.ready, "not_ready": status.not_ready, "drill": status.drill,
        "time": status.time, "entries": status.size, "vkey": status.vkey,
    });
    if args.json {
        output::text(&format!("{row}\n"));
    } else {
        output::text(&super::words::listed(&row));
    }
    if status.ready {
        Ok(())
    } else {
        Err(Failure::FoundBad("it takes no operations now".into()))
    }
}
