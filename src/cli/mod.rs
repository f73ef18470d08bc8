//! The command line: one binary, a verb for everything.
//!
//! Exit codes: 0 good, 1 something was found bad (an invoice, an export, a refused operation), 2 wrong usage,
//! 3 it could not run (a file, a network or a store that does not answer).

mod act;
mod audit;
mod clock;
mod demo;
mod export;
mod fsck;
mod init;
mod invoice;
mod invoice_check;
mod invoice_import;
mod key;
mod keyring;
mod manual;
mod output;
mod remote;
mod serve;
mod show;
mod words;

use std::path::Path;
use std::process::ExitCode;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::store::OpenError;

/// Colours of help and errors; clap leaves them out for a pipe and under NO_COLOR.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Procurement contracts and receivables on a signed hash chain: confirmed, split, financed, settled.
#[derive(Debug, Parser)]
#[command(
    name = "counterfoil",
    version,
    about,
    propagate_version = true,
    subcommand_required = true,
    styles = STYLES
)]
#[command(
    after_help = "Begin with `counterfoil demo --data DIR`, which plays a whole story on a ledger of its own.\n\
    Exit codes: 0 good, 1 found bad, 2 usage, 3 could not run."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a new ledger in an empty folder
    Init(init::Args),
    /// Serve a ledger over HTTP
    Serve(serve::Args),
    /// Sign an operation as a party and send it to a served ledger
    Act(act::Args),
    /// Sign an envelope of a file too
    Sign(act::SignArgs),
    /// Send an envelope of a file
    Send(act::SendArgs),
    /// Print a served ledger's time, or move a drill's
    Clock(clock::Args),
    /// Read what a party may see of a served ledger
    Show(show::Args),
    /// Play the sample story on a new drill ledger and print what happened
    Demo(demo::Args),
    /// Check an export or a data folder: chain, signatures, tree, every rule, every invariant
    Audit(audit::Args),
    /// Make, list, import and export signing keys
    Key(key::Args),
    /// Check and import invoices
    Invoice(invoice::Args),
    /// Write the entries that the last checkpoint covers, a line each
    Export(export::ExportArgs),
    /// Print the last checkpoint
    Checkpoint(export::DataArgs),
    /// Print the key that verifies the ledger's checkpoints
    Vkey(export::DataArgs),
    /// Say how far the entries of a data folder verify
    Fsck(fsck::Args),
    /// Print what a shell needs to complete this command
    Completions(manual::CompletionsArgs),
    /// Print the manual page, or write a page a verb to a folder
    Man(manual::ManArgs),
}

/// Why a verb did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It ran, and found something bad.
    FoundBad(String),
    /// It was called wrongly.
    Usage(String),
    /// It could not run.
    CouldNotRun(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Failure::FoundBad(_) => 1,
            Failure::Usage(_) => 2,
            Failure::CouldNotRun(_) => 3,
        }
    }

    fn message(&self) -> &str {
        match self {
            Failure::FoundBad(message)
            | Failure::Usage(message)
            | Failure::CouldNotRun(message) => message,
        }
    }

    /// Something outside did not do what it was asked: a file, a network, a store.
    pub(crate) fn of(what: impl std::fmt::Display, error: impl std::fmt::Display) -> Failure {
        Failure::CouldNotRun(format!("{what}: {error}"))
    }

    /// A store that cannot be read, or that was read and is bad.
    pub(crate) fn of_store(data: &Path, error: &OpenError) -> Failure {
        let message = format!("{}: {error}", data.display());
        match error {
            OpenError::NoStore { .. } | OpenError::Io { .. } => Failure::CouldNotRun(message),
            _ => Failure::FoundBad(message),
        }
    }
}

/// Runs the command that the process was called with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.verb {
        Verb::Init(args) => init::run(&args),
        Verb::Serve(args) => serve::run(&args),
        Verb::Act(args) => act::run(&args),
        Verb::Sign(args) => act::sign(&args),
        Verb::Send(args) => act::send(&args),
        Verb::Clock(args) => clock::run(&args),
        Verb::Show(args) => show::run(&args),
        Verb::Demo(args) => demo::run(&args),
        Verb::Audit(args) => audit::run(&args),
        Verb::Key(args) => key::run(&args),
        Verb::Invoice(args) => invoice::run(&args),
        Verb::Export(args) => export::export(&args),
        Verb::Checkpoint(args) => export::checkpoint(&args),
        Verb::Vkey(args) => export::vkey(&args),
        Verb::Fsck(args) => fsck::run(&args),
        Verb::Completions(args) => manual::completions(&args, Cli::command()),
        Verb::Man(args) => manual::man(&args, Cli::command()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message().is_empty() {
                eprintln!("counterfoil: {}", failure.message());
            }
            ExitCode::from(failure.code())
        }
    }
}
