//! What an operation is: its body in wire order, who signs, what must hold and what follows.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::head::Head;
use super::policy::Stake;
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
    /// What is asked of the acting party's own signatures.
    pub own: Asked,
}

/// What is asked of the acting party's own signatures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Asked {
    /// What its policy asks; without one, a maker or admin key.
    #[default]
    Usual,
    /// Besides, admin keys of two persons, where two persons have one.
    TwoAdmins,
    /// An admin key, and what every rule of its policy asks above all bounds.
    Highest,
    /// One admin key, whatever the policy says.
    OneAdmin,
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

    /// The money it is about, by which a party's policy chooses the signatures; `None` where it names no amount: the
    /// policy then asks what it asks above every bound.
    fn at_stake(&self, _: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        Ok(None)
    }

    /// What must hold, and what follows. A function of its arguments alone.
    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal>;
}

/// An operation of whatever kind.
pub trait Act: Debug + Send + Sync {
    /// Its name on the wire.
    fn name(&self) -> &'static str;
    /// Appends its body as canonical JSON.
    fn write_body(&self, out: &mut Vec<u8>) -> serde_json::Result<()>;
    /// Its body as canonical JSON.
    fn body(&self) -> String {
        let mut out = Vec::new();
        let written = self.write_body(&mut out);
        written.expect("a body is plain data, which JSON can hold");
        String::from_utf8(out).expect("JSON is UTF-8")
    }
    /// See [`Operation::consents`].
    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal>;
    /// See [`Operation::at_stake`].
    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal>;
    /// See [`Operation::decide`].
    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal>;
}

impl<T: Operation> Act for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn write_body(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(out, self)
    }

    fn consents(&self, at: &Head<'_>) -> Result<Consents, Refusal> {
        Operation::consents(self, at)
    }

    fn at_stake(&self, at: &Head<'_>) -> Result<Option<Stake>, Refusal> {
        Operation::at_stake(self, at)
    }

    fn decide(&self, at: &Head<'_>) -> Result<Effects, Refusal> {
        Operation::decide(self, at)
    }
}
