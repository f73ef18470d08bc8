//! `counterfoil bench`: measures the ledger on this machine.

use std::path::{Path, PathBuf};

use super::{Failure, output};
use crate::bench::{self, BenchError, NAMES, Options};

/// What a command ends with that Ctrl-C ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// What is measured, where, and how it is told.
#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub(crate) struct Args {
    /// A little of each, to see that it works; its figures say nothing of speed
    #[arg(long)]
    short: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Where the ledgers that are measured lie, in a new folder that is removed again [default: target, else the folder of temporary files]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write a plot of throughput and memory against ledger size, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// The figures to measure
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = names())]
    only: Vec<String>,
    /// Stored runs of the largest ledger
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(20_000..=20_000_000))]
    growth: u64,
    /// Only open the ledger of a folder, and say what that took
    #[arg(long, value_name = "DIR", hide = true, exclusive = true)]
    opened: Option<PathBuf>,
}

fn names() -> clap::builder::PossibleValuesParser {
    NAMES
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .into()
}

fn after_help() -> String {
    let mut help = "Example: counterfoil bench --only pipeline,http_64 --json\n\n\
        Each rate is told as a ratio to the limit, the plain strict check of its signatures on all cores, which is measured \
        right before and after it. Figures:\n"
        .to_owned();
    for (name, about) in NAMES {
        help.push_str(&format!("  {name:<18}{about}\n"));
    }
    help
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(data) = &args.opened {
        let opened = bench::opened(data).map_err(failed)?;
        let told = serde_json::to_string(&opened).map_err(|error| Failure::of("JSON", error))?;
        output::text(&format!("{told}\n"));
        return Ok(());
    }
    // It is removed when it is dropped, whatever happened until then.
    let folder = folder(args.data.as_deref())?;
    remove_when_interrupted(folder.path().to_owned())?;
    let options = Options {
        folder: folder.path().to_owned(),
        command: std::env::current_exe().map_err(|error| Failure::of("this command", error))?,
        short: args.short,
        only: args.only.clone(),
        growth: args.growth,
    };
    let report = bench::run(&options, &mut |next| eprintln!("measuring {next}")).map_err(failed)?;
    if let Some(plot) = &args.plot {
        output::replace(plot, bench::svg(&report).as_bytes())?;
    }
    if args.json {
        output::text(&format!("{}\n", report.json()));
        return Ok(());
    }
    let (heads, rows) = report.table();
    output::text(&format!("{}\n", report.head()));
    output::table(heads, rows, false);
    Ok(())
}

/// What Ctrl-C ends drops nothing.
fn remove_when_interrupted(folder: PathBuf) -> Result<(), Failure> {
    let failed = |error| Failure::of("the signal", error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    std::thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            std::fs::remove_dir_all(&folder).ok();
            std::process::exit(INTERRUPTED);
        }
    });
    Ok(())
}

fn failed(error: BenchError) -> Failure {
    Failure::CouldNotRun(error.to_string())
}

/// A new folder, on a real disk where that can be told: folders of temporary files often lie in memory.
fn folder(asked: Option<&Path>) -> Result<tempfile::TempDir, Failure> {
    let built = Path::new("target");
    let temporary = std::env::temp_dir();
    let parent = asked.unwrap_or(if built.is_dir() { built } else { &temporary });
    let folder = tempfile::Builder::new()
        .prefix("counterfoil-bench-")
        .tempdir_in(parent);
    folder.map_err(|error| Failure::of(parent.display(), error))
}
