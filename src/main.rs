//! The `counterfoil` command.

use std::process::ExitCode;

/// Entries are made by one thread and freed by another, by the ten thousand a second.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A huge page is cleared whole for the few objects that come to lie in it: a ledger in memory would be a quarter larger. Where
    // that cannot be turned off, it is larger.
    #[cfg(target_os = "linux")]
    rustix::thread::disable_transparent_huge_pages(true).ok();
    counterfoil::cli::run()
}
