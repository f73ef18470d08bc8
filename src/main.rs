//! The `counterfoil` command.

use std::process::ExitCode;

/// Entries are made by one thread and freed by another, by the ten thousand a second.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    counterfoil::cli::run()
}
