//! What an operation is: its body in wire order, who signs, what must hold and what follows.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::head::Head;
use super::refusal::Refusal;
use super::state::Effects;
use super::values::{PartyId, PublicKey};

/// Whose signatures an operation asks for beside the acting party's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consents {
    /// Parties that must sign too, each under its own policy.
    pub required: Vec<PartyId>,
    /// Parties that may sign too; what follows is for the operation to say.
    pub optional: Vec<PartyId>,
    /// Keys that the operation brings in: each proves possession by signing the same envelope.
    pub new_keys: Vec<PublicKey>,
    /// Whether the acting party signs with two admin keys, where it has two.
    pub two_admins: bool,
}

impl Consents {
    /// The acting party alone.
    pub fn none() -> Consents {
        Consents::default()
    }

    /// This party must sign too.
    pub fn of(party: PartyId) -> Consents {
        Consents {
            required: vec![party],
            ..Consents::default()
        }
    }

    /// This party may sign too.
    pub fn perhaps(party: PartyId) -> Consents {
        Consents {
            optional: vec![party],
            ..Consents::default()
        }
    }
}

/// One operation: its body in wire order, who signs, what must hold and what follows.
pub trait Operation:
    Serialize + DeserializeOwned + ToSchema + Debug + Send + Sync + 'static
{
    /// Its name on the wire.
    const NAME: &'static str;
    /// What it is for, in a sentence.
    const SUMMARY: &'static str;

    /// Whose signatures it asks for beside the actor's. Every signature on an envelope must be one of these.
    fn consents(&self, _: &Head<'_>) -> Result<Consents, Refusal> {
        Ok(Consents::none())
    }

    /// What must hold, and what follows. A function of its arguments alone.
    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal>;
}

/// An operation of whatever kind.
pub trait Act: Debug + Send + Sync {
    /// Its name on the wire.
    fn name(&self) -> &'static str;
    /// Its body as canonical JSON.
    fn body(&self) -> String;
    /// See [`Operation::consents`].
    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal>;
    /// See [`Operation::decide`].
    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal>;
}

impl<T: Operation> Act for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn body(&self) -> String {
        serde_json::to_string(self).expect("a body is plain data, which JSON can hold")
    }

    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        Operation::consents(self, at)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        Operation::decide(self, at)
    }
}
