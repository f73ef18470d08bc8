//! Every operation of the ledger: one line each. Payloads, the command line and the documents go by this list.

use serde_json::Value;
use serde_path_to_error::{Path, Segment, Track};

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
    pub decode: fn(&str) -> Result<Box<dyn Act>, BodyError>,
    /// The JSON Schema of its body.
    pub schema: fn() -> Value,
}

const fn registered<T: Operation>() -> Registered {
    Registered {
        name: T::NAME,
        summary: T::SUMMARY,
        decode: |body| read::<T>(body).map(|body| Box::new(body) as Box<dyn Act>),
        schema: || schema::of::<T>(T::NAME, T::SUMMARY),
    }
}

/// Why a body cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.message())]
pub struct BodyError {
    /// JSON pointer (RFC 6901) to the value within the body; empty for the body itself.
    pub pointer: String,
    /// What is wrong there.
    error: serde_json::Error,
}

impl BodyError {
    /// What is wrong there and what would be right, without line and column of an encoding.
    pub fn message(&self) -> String {
        let text = self.error.to_string();
        let place = format!(" at line {} column {}", self.line(), self.column());
        text.strip_suffix(&place).unwrap_or(&text).to_owned()
    }

    /// The line of the body, from 1.
    pub fn line(&self) -> usize {
        self.error.line()
    }

    /// The column of that line, from 1.
    pub fn column(&self) -> usize {
        self.error.column()
    }
}

/// The place of an error is looked for only once there is one: a good body is read without keeping track.
fn read<T: Operation>(body: &str) -> Result<T, BodyError> {
    if let Ok(body) = serde_json::from_str(body) {
        return Ok(body);
    }
    let mut track = Track::new();
    let mut json = serde_json::Deserializer::from_str(body);
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let read = T::deserialize(tracked).map_err(|error| BodyError {
        pointer: pointer(&track.path()),
        error,
    })?;
    let end = json.end().map_err(|error| BodyError {
        pointer: String::new(),
        error,
    });
    end.map(|()| read)
}

fn pointer(path: &Path) -> String {
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

/// Every operation, in the order of a receivable's life.
pub const REGISTRY: &[Registered] = &[
    registered::<ledger::create::Create>(),
    registered::<ledger::upgrade::Upgrade>(),
    registered::<ledger::rekey::Rekey>(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::in_a_list(
        "receivable.register",
        r#"{"contract":"ctr_00000000000000000000000000","shares":[{"invoice":"inv_00000000000000000000000000","amount":"12,00"}]}"#,
        "/shares/0/amount",
        "an amount is digits"
    )]
    #[case::of_another_type(
        "delivery.accept",
        r#"{"delivery":5}"#,
        "/delivery",
        "invalid type: integer `5`, expected an id"
    )]
    #[case::missing("contract.accept", "{}", "", "missing field `contract`")]
    fn what_cannot_be_read_is_named_by_its_place(
        #[case] name: &str,
        #[case] body: &str,
        #[case] pointer: &str,
        #[case] said: &str,
    ) {
        let error = (operation(name).unwrap().decode)(body).unwrap_err();
        assert_eq!(error.pointer, pointer);
        let message = error.message();
        assert!(message.starts_with(said), "{message}");
        assert!(!message.contains("column"), "{message}");
    }
}
