//! A served ledger, as every verb that talks to one is told of it.

use clap::Args;

use super::keyring::Keyring;
use super::words::made;
use super::{Failure, output};
use crate::chain::Envelope;
use crate::client::{Client, ClientError};
use crate::domain::values::PartyId;
use crate::outside::{self, NoAddress};

/// Where the ledger is served.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// The ledger's address
    #[arg(
        long,
        value_name = "URL",
        env = "COUNTERFOIL_URL",
        default_value = "http://127.0.0.1:8465",
        value_parser = address
    )]
    pub(crate) url: String,
}

/// The address of a server; without a scheme it is of plain HTTP.
pub(super) fn address(url: &str) -> Result<String, NoAddress> {
    match url.contains("://") {
        true => outside::address(url),
        false => outside::address(&format!("http://{url}")),
    }
}

impl Remote {
    /// A client that reads as nobody.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url)
    }

    /// A client that reads as the party of a key.
    pub(crate) fn session(
        &self,
        keyring: &Keyring,
        name: &str,
        party: Option<PartyId>,
    ) -> Result<Client, Failure> {
        let party = party.map_or_else(|| keyring.party_of(name), Ok)?;
        let key = keyring.load(name)?;
        let mut client = self.client();
        client
            .open_session(&party.to_string(), &key)
            .map_err(|error| self.failure(&error))?;
        Ok(client)
    }

    /// Sends an envelope and says what became of it.
    pub(crate) fn send(&self, envelope: &Envelope, json: bool) -> Result<(), Failure> {
        let receipt = self
            .client()
            .submit(envelope)
            .map_err(|error| self.failure(&error))?;
        let payload: serde_json::Value =
            serde_json::from_str(envelope.payload()).unwrap_or_default();
        let made = payload["op"]
            .as_str()
            .and_then(|name| made(name, &receipt.op_id));
        if json {
            let line = serde_json::json!({
                "op_id": receipt.op_id, "made": made, "n": receipt.n, "time": receipt.time, "leaf": receipt.leaf,
                "repeated": receipt.repeated, "warnings": receipt.warnings, "receipt": receipt.receipt,
            });
            output::text(&format!("{line}\n"));
            return Ok(());
        }
        let again = if receipt.repeated {
            " (as before: nothing was done twice)"
        } else {
            ""
        };
        output::text(&format!(
            "entry {} at {}{again}\noperation {}\n",
            receipt.n, receipt.time, receipt.op_id
        ));
        if let Some(made) = made {
            output::text(&format!("made {made}\n"));
        }
        for warning in &receipt.warnings {
            eprintln!("warning: {warning}");
        }
        Ok(())
    }

    /// What the server said, for people: what was wrong, where, and what would be right.
    pub(crate) fn failure(&self, error: &ClientError) -> Failure {
        let Some(problem) = error.problem() else {
            return Failure::CouldNotRun(format!(
                "{}: {error}; is a ledger served there (`counterfoil serve`, --url)?",
                self.url
            ));
        };
        let mut text = format!("{}: {}", problem.code, problem.detail);
        for given in &problem.inputs {
            text.push_str(&format!("\n  {} {}", given.name, given.value));
        }
        for misplaced in &problem.errors {
            text.push_str(&format!(
                "\n  at {}: {}",
                misplaced.pointer, misplaced.detail
            ));
        }
        if let Some(remedy) = &problem.remedy {
            text.push_str(&format!("\n  what would be right: {remedy}"));
        }
        Failure::FoundBad(text)
    }
}
