//! A story as data: parties, sealed offers, and steps in order of time, each an operation with the answer expected.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::values::{Instant, PartyId};

/// A whole story.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What it is called.
    pub title: String,
    /// Who plays in it; the operator first.
    pub parties: Vec<Player>,
    /// Offers that are committed to before they are revealed, by name.
    pub offers: BTreeMap<String, SealedOffer>,
    /// What happens.
    pub steps: Vec<Step>,
}

/// Somebody who signs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Player {
    /// What the story calls it, and what its key file is named.
    pub name: String,
    /// The identifier it acts under.
    pub id: PartyId,
    /// Its name for people.
    pub called: String,
}

/// The terms of a sealed offer and who makes it for which request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedOffer {
    /// The lender's name in the story.
    pub lender: String,
    /// The step that opened the request.
    pub request: String,
    /// 64 hex digits.
    pub salt: String,
    /// The terms, as `offer.reveal` will show them.
    pub terms: Value,
}

/// One operation and what becomes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The ledger's time.
    pub at: Instant,
    /// What happens, in a sentence.
    pub say: String,
    /// Who acts.
    pub by: String,
    /// Who signs too.
    #[serde(default)]
    pub with: Vec<String>,
    /// The operation.
    pub op: String,
    /// What later steps call it, to name what it makes.
    #[serde(default, rename = "as")]
    pub name: Option<String>,
    /// Its body, with references in braces.
    #[serde(default)]
    pub body: Value,
    /// The invoice document whose facts go into the body.
    #[serde(default)]
    pub document: Option<String>,
    /// The rule that must refuse it; absent: it must be accepted.
    #[serde(default)]
    pub refused: Option<String>,
    /// What is wrong with the envelope, where that is what the step tries.
    #[serde(default)]
    pub wrong: Option<Wrong>,
    /// Send the same envelope a second time, to be answered with the first entry.
    #[serde(default)]
    pub twice: bool,
}

/// A fault of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// The actor's key is named, but another key made the signature.
    Forged,
    /// Another party's key signed in the actor's name.
    ForeignKey,
    /// It was signed for another ledger.
    OtherLedger,
    /// Its time had passed when it was sent.
    Expired,
}

impl Script {
    /// Reads a story.
    pub fn read(toml: &str) -> Result<Script, toml::de::Error> {
        toml::from_str(toml)
    }

    /// The player of that name.
    pub fn player(&self, name: &str) -> Option<&Player> {
        self.parties.iter().find(|player| player.name == name)
    }
}
