//! Where a passphrase comes from.

use std::fs;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::Failure;

/// The flag that says so.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Passphrase {
    /// A file whose first line is the passphrase; else COUNTERFOIL_PASSPHRASE, else a prompt
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl Passphrase {
    /// A passphrase from the file, the environment or a person; none where nobody can be asked.
    pub(crate) fn ask(&self, prompt: &str) -> Option<Zeroizing<String>> {
        if let Some(path) = &self.passphrase_file {
            let read = fs::read_to_string(path);
            // The caller goes on to say that a passphrase is needed; this says why there is none.
            let read = read.inspect_err(|error| eprintln!("{}: {error}", path.display()));
            let text = Zeroizing::new(read.ok()?);
            return Some(Zeroizing::new(
                text.lines().next().unwrap_or_default().to_owned(),
            ));
        }
        if let Ok(passphrase) = std::env::var("COUNTERFOIL_PASSPHRASE") {
            return Some(Zeroizing::new(passphrase));
        }
        if !std::io::stdin().is_terminal() {
            return None;
        }
        rpassword::prompt_password(prompt).ok().map(Zeroizing::new)
    }

    /// A passphrase for a key that is about to be kept.
    pub(crate) fn choose(&self) -> Result<Zeroizing<String>, Failure> {
        let passphrase = self.ask("New passphrase: ").filter(|text| !text.is_empty());
        // A mistyped one would lose the key; what a file or the environment says is what it says.
        if passphrase.is_some() && self.ask("The same once more: ") != passphrase {
            return Err(Failure::Usage("the two passphrases differ".into()));
        }
        passphrase.ok_or_else(|| {
            Failure::Usage(
                "a passphrase is needed, to encrypt the key: COUNTERFOIL_PASSPHRASE, --passphrase-file or a terminal"
                    .into(),
            )
        })
    }
}
