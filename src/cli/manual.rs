//! `counterfoil completions` and `counterfoil man`: what a shell and a reader of manual pages are told, out of the
//! command's own definition.

use std::fs;
use std::path::PathBuf;

use clap::Command;
use clap_complete::Shell;

use super::{Failure, output};

/// For which shell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: counterfoil completions bash > ~/.local/share/bash-completion/completions/counterfoil"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Where the pages go.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: counterfoil man ~/.local/share/man/man1\n\
    Without a folder it prints the first page: counterfoil man | man -l -")]
pub(crate) struct ManArgs {
    /// The folder for a page a verb; made if it is not there
    dir: Option<PathBuf>,
}

/// Prints the completions of a shell.
pub(crate) fn completions(args: &CompletionsArgs, mut command: Command) -> Result<(), Failure> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    output::text(&String::from_utf8_lossy(&script));
    Ok(())
}

/// Prints the first page, or writes all of them to a folder.
pub(crate) fn man(args: &ManArgs, command: Command) -> Result<(), Failure> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| Failure::of("the page", error))?;
        output::text(&String::from_utf8_lossy(&page));
        return Ok(());
    };
    fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(command, dir))
        .map_err(|error| Failure::of(dir.display(), error))
}
