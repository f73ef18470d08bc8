//! Operations on the rulebook.

pub mod publish;
