//! The command.

use std::process::exit;

use clap::{Parser, Subcommand};
use counterfoil::cli::invoice_check::{self, InvoiceCheck};

#[derive(Parser)]
#[command(name = "counterfoil", version)]
struct Command {
    #[command(subcommand)]
    object: Object,
}

#[derive(Subcommand)]
enum Object {
    /// Invoices and credit notes.
    #[command(subcommand)]
    Invoice(Invoice),
}

#[derive(Subcommand)]
enum Invoice {
    Check(InvoiceCheck),
}

fn main() {
    let Object::Invoice(Invoice::Check(args)) = Command::parse().object;
    exit(invoice_check::run(&args));
}
