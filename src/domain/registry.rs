//! Every operation of the ledger: one line each. Payloads, the command line and the documents go by this list.

use serde_json::Value;
use serde_json::value::RawValue;

use super::operation::{Act, Operation};
use super::ops::{
    account, claim, contract, delivery, financing, invoice, key, ledger, leg, limit, obligation,
    offer, operation, party, policy, receivable, request, rulebook, transfer,
};
use super::schema;

/// What the registry keeps of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Registered {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// Reads a body of it.
    pub decode: fn(&RawValue) -> Result<Box<dyn Act>, serde_json::Error>,
    /// The JSON Schema of its body.
    pub schema: fn() -> Value,
}

const fn registered<T: Operation>() -> Registered {
    Registered {
        name: T::NAME,
        summary: T::SUMMARY,
        decode: |body| {
            serde_json::from_str::<T>(body.get()).map(|body| Box::new(body) as Box<dyn Act>)
        },
        schema: || schema::of::<T>(T::NAME, T::SUMMARY),
    }
}

/// Every operation, in the order of a receivable's life.
pub const REGISTRY: &[Registered] = &[
    registered::<ledger::create::Create>(),
    registered::<ledger::upgrade::Upgrade>(),
    registered::<rulebook::publish::Publish>(),
    registered::<party::admit::Admit>(),
    registered::<party::amend::Amend>(),
    registered::<party::suspend::Suspend>(),
    registered::<party::reinstate::Reinstate>(),
    registered::<key::add::Add>(),
    registered::<key::revoke::Revoke>(),
    registered::<key::recover::Recover>(),
    registered::<key::veto::Veto>(),
    registered::<policy::set::Set>(),
    registered::<account::add::Add>(),
    registered::<account::attest::Attest>(),
    registered::<account::close::Close>(),
    registered::<contract::propose::Propose>(),
    registered::<contract::accept::Accept>(),
    registered::<contract::decline::Decline>(),
    registered::<contract::amend::Amend>(),
    registered::<contract::close::Close>(),
    registered::<delivery::record::Record>(),
    registered::<delivery::accept::Accept>(),
    registered::<delivery::reject::Reject>(),
    registered::<invoice::issue::Issue>(),
    registered::<invoice::attest::Attest>(),
    registered::<invoice::flag::Flag>(),
    registered::<invoice::unflag::Unflag>(),
    registered::<invoice::book::Book>(),
    registered::<invoice::void::Void>(),
    registered::<invoice::credit::Credit>(),
    registered::<receivable::register::Register>(),
    registered::<receivable::confirm::Confirm>(),
    registered::<receivable::decline::Decline>(),
    registered::<receivable::dispute::Dispute>(),
    registered::<receivable::resolve::Resolve>(),
    registered::<receivable::withdraw::Withdraw>(),
    registered::<claim::extend::Extend>(),
    registered::<claim::waive::Waive>(),
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
    registered::<obligation::waive::Waive>(),
    registered::<operation::cancel::Cancel>(),
];

/// The operation of that name.
pub fn operation(name: &str) -> Option<&'static Registered> {
    REGISTRY.iter().find(|operation| operation.name == name)
}
