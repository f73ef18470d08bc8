//! Why an operation was refused: the rule, what broke it, and what would satisfy it.

use serde::Serialize;

use super::values::PartyId;

/// One value that broke a rule, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Input {
    /// What the value is: a field of the body, or a fact of the ledger.
    pub name: &'static str,
    /// The value as text.
    pub value: String,
    /// The party whose fact it is; nobody's where the signer brought it itself.
    #[serde(skip)]
    pub owner: Option<PartyId>,
}

/// A refused operation: it is not recorded, and nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error, utoipa::ToSchema)]
#[error("{rule}: {message}")]
pub struct Refusal {
    /// The stable name of the rule, for programs.
    pub rule: &'static str,
    /// What was wrong, in a sentence.
    pub message: String,
    /// The values that broke the rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// What would satisfy the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Refusal {
    /// A refusal by `rule`; `message` says what was wrong.
    pub fn new(rule: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            rule,
            message: message.into(),
            inputs: Vec::new(),
            remedy: None,
        }
    }

    /// The one answer for an object that does not exist and for one that the signer may not see:
    /// a party never learns of another's trade.
    pub fn unknown_object(field: &'static str, id: impl ToString) -> Refusal {
        Refusal::new(
            "unknown_object",
            "no such object, or none that this party may see",
        )
        .input(field, id)
    }

    /// Adds a value that the signer itself brought, or that everybody who can name the object knows.
    #[must_use]
    pub fn input(mut self, name: &'static str, value: impl ToString) -> Refusal {
        self.inputs.push(Input {
            name,
            value: value.to_string(),
            owner: None,
        });
        self
    }

    /// Adds a value that only `owner` and those it is told to may see.
    #[must_use]
    pub fn input_of(mut self, owner: PartyId, name: &'static str, value: impl ToString) -> Refusal {
        self.inputs.push(Input {
            name,
            value: value.to_string(),
            owner: Some(owner),
        });
        self
    }

    /// Says what would satisfy the rule.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Refusal {
        self.remedy = Some(remedy.into());
        self
    }

    /// The refusal as `party` may read it: without the facts of others.
    #[must_use]
    pub fn for_party(mut self, party: PartyId) -> Refusal {
        self.inputs
            .retain(|input| input.owner.is_none_or(|owner| owner == party));
        self
    }
}

/// Refuses with the built refusal unless the condition holds.
pub fn ensure(holds: bool, refusal: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal()) }
}
