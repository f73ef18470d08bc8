//! The command line: one binary, a verb for everything.
//!
//! Exit codes: 0 good, 1 something was found bad (an invoice, an export, a refused operation), 2 wrong usage,
//! 3 it could not run (a file, a network or a store that does not answer).

mod audit;
mod bench;
mod bulk;
mod clock;
mod columns;
mod config;
mod demo;
mod export;
mod fields;
mod fsck;
mod init;
mod invoice_check;
mod invoice_import;
mod key;
mod keyring;
mod list;
mod manual;
mod monitor;
mod objects;
mod operate;
mod output;
mod passphrase;
mod read;
mod rekey;
mod remote;
mod serve;
mod signing;
mod status;
mod tree;
mod verify;
mod witness;
mod words;

use std::path::Path;
use std::process::ExitCode;

use crate::store::OpenError;

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
    match tree::run(&tree::command().get_matches()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message().is_empty() {
                eprintln!(
                    "{} {}",
                    output::complaint("counterfoil:"),
                    failure.message()
                );
            }
            ExitCode::from(failure.code())
        }
    }
}
