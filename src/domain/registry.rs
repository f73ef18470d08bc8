//! Every operation of the ledger: one line each. Payloads, the command line and the documents go by this list.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::head::Head;
use super::ops::{
    account, contract, delivery, financing, invoice, ledger, leg, limit, offer, party, receivable,
    request, transfer,
};
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
pub trait Operation: Serialize + DeserializeOwned + Debug + Send + Sync + 'static {
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

/// What the registry keeps of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Registered {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// Reads a body of it.
    pub decode: fn(&RawValue) -> Result<Box<dyn Act>, serde_json::Error>,
}

const fn registered<T: Operation>() -> Registered {
    Registered {
        name: T::NAME,
        summary: T::SUMMARY,
        decode: |body| {
            serde_json::from_str::<T>(body.get()).map(|body| Box::new(body) as Box<dyn Act>)
        },
    }
}

/// Every operation, in the order of a receivable's life.
pub const REGISTRY: &[Registered] = &[
    registered::<ledger::create::Create>(),
    registered::<party::admit::Admit>(),
    registered::<account::add::Add>(),
    registered::<account::attest::Attest>(),
    registered::<account::close::Close>(),
    registered::<contract::propose::Propose>(),
    registered::<contract::accept::Accept>(),
    registered::<contract::decline::Decline>(),
    registered::<delivery::record::Record>(),
    registered::<delivery::accept::Accept>(),
    registered::<delivery::reject::Reject>(),
    registered::<invoice::issue::Issue>(),
    registered::<invoice::attest::Attest>(),
    registered::<invoice::flag::Flag>(),
    registered::<invoice::book::Book>(),
    registered::<invoice::void::Void>(),
    registered::<invoice::credit::Credit>(),
    registered::<receivable::register::Register>(),
    registered::<receivable::confirm::Confirm>(),
    registered::<receivable::decline::Decline>(),
    registered::<receivable::dispute::Dispute>(),
    registered::<receivable::resolve::Resolve>(),
    registered::<receivable::withdraw::Withdraw>(),
    registered::<transfer::propose::Propose>(),
    registered::<transfer::accept::Accept>(),
    registered::<transfer::decline::Decline>(),
    registered::<transfer::cancel::Cancel>(),
    registered::<limit::set::Set>(),
    registered::<request::open::Open>(),
    registered::<request::withdraw::Withdraw>(),
    registered::<offer::make::Make>(),
    registered::<offer::commit::Commit>(),
    registered::<offer::reveal::Reveal>(),
    registered::<offer::withdraw::Withdraw>(),
    registered::<offer::accept::Accept>(),
    registered::<financing::cancel::Cancel>(),
    registered::<leg::announce::Announce>(),
    registered::<leg::attest::Attest>(),
    registered::<leg::contest::Contest>(),
    registered::<leg::reverse::Reverse>(),
];

/// The operation of that name.
pub fn operation(name: &str) -> Option<&'static Registered> {
    REGISTRY.iter().find(|operation| operation.name == name)
}
