//! `counterfoil invoice`: check invoices, and bring them onto a ledger.

use clap::Subcommand;

use super::Failure;
use super::invoice_check::{self, InvoiceCheck};
use super::invoice_import::{self, InvoiceImport};

/// Invoices and credit notes in UBL and CII.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check documents, print their fields and say what is wrong
    #[command(after_help = "Example: counterfoil invoice check fixtures/invoices/*.xml")]
    Check(InvoiceCheck),
    /// Put a valid document on a served ledger: its facts and its digest, not the document
    Import(Box<InvoiceImport>),
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.verb {
        Verb::Check(args) => invoice_check::run(args),
        Verb::Import(args) => invoice_import::run(args),
    }
}
